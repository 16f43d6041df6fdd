# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Building, silent as long as it works.

# About what a whole build/ holds in the end, with results of tests.
BUILD_MEGABYTES=1000

# quietly TITLE COMMAND...: runs as the owner; shows the end of the output only when it fails.
quietly() {
  local title=$1 log status=0
  shift
  log=$(mktemp)
  as_owner "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    say "$title failed:"
    tail -n 60 "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}

# set_up_build DIRECTORY MESON-ARGUMENT...: once; ninja repeats it by itself when needed.
set_up_build() {
  local directory=$1
  shift
  [ -f "$directory/build.ninja" ] && return
  # What an interrupted setup left behind is of no use.
  if [ -d "$directory/meson-private" ]; then as_owner rm -rf "$directory/meson-private"; fi
  quietly "meson setup" meson setup "$directory" "$ROOT" "$@"
}

# require_room DIRECTORY MEGABYTES: stops before a build that would fill the disk, which the linker
# would say much later. What DIRECTORY holds already need not be free.
require_room() {
  local directory=$1 needed=$2 place=$1 held=0 free
  if [ -d "$directory" ]; then held=$(du -sm "$directory" 2>/dev/null | cut -f1) || true; fi
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  free=$(df -m --output=avail "$place" | tail -n 1 | tr -d ' ')
  [ $((held + free)) -lt "$needed" ] || return 0
  die "$directory needs about $needed MB and holds $held MB; $place has $free MB free"
}

build_all() {
  require_room "$BUILD" "$BUILD_MEGABYTES"
  set_up_build "$BUILD" --buildtype=debugoptimized || exit 1
  if [ ! -e "$BUILD/masugatad" ]; then
    say "building into $BUILD; the first time takes tens of minutes on two processors"
  fi
  quietly "the build" ninja -C "$BUILD" || exit 1
  build_charon_plugin
}

# Where strongSwan is installed and its source can be had; everything else works without.
build_charon_plugin() {
  local output status=0
  output=$(as_owner bash "$ROOT/packaging/charon-plugin/build.sh" "$BUILD" 2>&1 </dev/null) ||
    status=$?
  case $status in
    0) ;;
    3) say "dev: charon's plugin is not built: ${output##*$'\n'}" ;;
    *)
      say "the build of charon's plugin failed:"
      printf '%s\n' "$output" | tail -n 60 >&2
      exit 1
      ;;
  esac
}
