# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packages, root and ownership.

OWNER_ID=$(stat -c %u "$ROOT")
OWNER_GROUP=$(stat -c %g "$ROOT")

# The home directory of whoever builds. Where that is none, ccache keeps its files in build/.
BUILDER_HOME=${HOME:-/nonexistent}
if [ "$EUID" -eq 0 ] && [ "$OWNER_ID" -ne 0 ]; then
  BUILDER_HOME=$(getent passwd "$OWNER_ID" | cut -d: -f6) || BUILDER_HOME=/nonexistent
fi
if [ ! -d "$BUILDER_HOME" ] || [ ! -w "$BUILDER_HOME" ]; then
  export CCACHE_DIR=${CCACHE_DIR:-$BUILD/.ccache}
fi

say() { printf '%s\n' "$*" >&2; }
die() {
  say "dev: $*"
  exit 1
}

# Runs a command as root: directly, or through sudo. Of the environment only what the project's
# own programs read is handed on.
as_root() {
  if [ "$EUID" -eq 0 ]; then
    "$@"
    return
  fi
  command -v sudo >/dev/null ||
    die "this needs root, and sudo is not installed: run it as root"
  local kept=("PATH=$PATH" "PYTHONDONTWRITEBYTECODE=1" "LC_ALL=$LC_ALL") name
  for name in "${!MASUGATA_@}"; do kept+=("$name=${!name}"); done
  sudo -- env "${kept[@]}" "$@"
}

# Asks for the password, if there is one to ask for, before anything long begins.
require_root() {
  as_root true || die "this needs root, for network namespaces: allow sudo, or run it as root"
}

# Runs a command as whoever owns the checkout, so that `sudo ./dev test` leaves no file of root's.
as_owner() {
  if [ "$EUID" -ne 0 ] || [ "$OWNER_ID" -eq 0 ]; then
    "$@"
  else
    HOME=$BUILDER_HOME setpriv --reuid="$OWNER_ID" --regid="$OWNER_GROUP" --clear-groups "$@"
  fi
}

# What root wrote below the given directories goes back to the checkout's owner.
give_back() {
  local directory
  for directory in "$@"; do
    [ -d "$directory" ] || continue
    if [ -n "$(find "$directory" ! -uid "$OWNER_ID" -print -quit)" ]; then
      as_root chown -R "$OWNER_ID:$OWNER_GROUP" "$directory"
    fi
  done
}

# ensure_packages LIST...: installs what packaging/packages/LIST.txt names and is not there.
# Without anything missing this asks nobody and takes no time.
ensure_packages() {
  local wanted=() missing=() list package
  for list in "$@"; do
    while read -r package; do
      case $package in '' | '#'*) ;; *) wanted+=("$package") ;; esac
    done <"$ROOT/packaging/packages/$list.txt"
  done
  local installed
  # A package that is not known at all makes dpkg-query fail; it is missing then.
  # shellcheck disable=SC2016  # the format is dpkg-query's
  installed=" $(dpkg-query -W -f='${db:Status-Status}=${Package} ' "${wanted[@]}" 2>/dev/null || true)"
  for package in "${wanted[@]}"; do
    case $installed in *" installed=$package "*) ;; *) missing+=("$package") ;; esac
  done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

install_packages() {
  command -v apt-get >/dev/null ||
    die "this needs Debian 12; packages missing here: $*"
  say "installing: $*"
  local log status=0
  log=$(mktemp)
  as_root bash "$ROOT/dev.d/install_packages.sh" "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "the packages cannot be installed (exit status $status)"
  fi
  rm -f "$log"
}
