#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: build.sh BUILD-DIRECTORY
# Builds charon's plugin kernel-masugata against the source of the strongSwan package that is
# installed, into BUILD-DIRECTORY/charon-plugin/. Debian ships no headers, so the source package is
# fetched by apt, from the archives that the system itself uses, with lists and archives of its own
# below BUILD-DIRECTORY: nothing of the system's is touched, root is not needed.
# Exit status 3: strongSwan is not installed, or its source cannot be had; the last line says which.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=packaging/charon-plugin/source.sh
. "$ROOT/packaging/charon-plugin/source.sh"

PLUGIN=libstrongswan-kernel-masugata.so
LIBRARIES=/usr/lib/ipsec

cannot() {
  printf '%s\n' "$*"
  exit 3
}

# build_id LIBRARY: as the plugin will compare it when it is loaded.
build_id() {
  readelf --notes "$LIBRARIES/$1" | sed -n 's/^ *Build ID: *//p'
}

main() {
  local directory version source
  directory=$(mkdir -p "$1/charon-plugin" && cd "$1/charon-plugin" && pwd)
  # shellcheck disable=SC2016  # the format is dpkg-query's
  version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' strongswan-libcharon 2>/dev/null |
    sed -n 's/^installed //p') || true
  [ -n "$version" ] || cannot "strongswan-libcharon is not installed"
  local charon_id strongswan_id
  charon_id=$(build_id libcharon.so.0)
  strongswan_id=$(build_id libstrongswan.so.0)
  if [ -z "$charon_id" ] || [ -z "$strongswan_id" ]; then
    cannot "strongSwan's libraries have no build id"
  fi

  local recipe="$version $charon_id $strongswan_id"
  if is_current "$directory" "$recipe"; then return; fi
  source=$(find_source "$directory" "$version") ||
    cannot "the source of strongswan $version cannot be had by apt"
  compile "$directory" "$source/src" "$version" "$charon_id" "$strongswan_id"
  printf '%s\n' "$recipe" >"$directory/built-for"
}

# Whether the plugin is there, was built for this strongSwan, and nothing that it is made of is newer.
is_current() {
  local directory=$1 recipe=$2
  [ -f "$directory/$PLUGIN" ] && [ -f "$directory/built-for" ] &&
    [ "$(cat "$directory/built-for")" = "$recipe" ] &&
    [ -z "$(find "$ROOT/ipsec/charon-plugin" "$ROOT/ipsec/sa/sa_messages.h" \
      "$ROOT/packaging/charon-plugin" -type f -newer "$directory/built-for" -print -quit)" ]
}

compile() {
  local directory=$1 headers=$2 version=$3 charon_id=$4 strongswan_id=$5
  # strongSwan's own conversions in printf (%H, %N) are unknown to the compiler, its macros leave
  # members to be zero, and its interfaces hand over parameters that not everybody wants.
  local arguments=(-std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -fno-strict-aliasing
    -fstack-protector-strong -D_FORTIFY_SOURCE=2 "-Wl,-z,relro,-z,now"
    -Wall -Wextra -Werror -Wshadow -Wno-format -Wno-format-security -Wno-format-extra-args
    -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
    -include "$ROOT/ipsec/charon-plugin/charon_config.h" "-I$ROOT"
    -isystem "$headers/libstrongswan" -isystem "$headers/libcharon"
    "-DMASUGATA_STRONGSWAN_VERSION=\"$version\""
    "-DMASUGATA_LIBCHARON_BUILD_ID=\"$charon_id\""
    "-DMASUGATA_LIBSTRONGSWAN_BUILD_ID=\"$strongswan_id\"")
  "${CC:-gcc}" "${arguments[@]}" -o "$directory/$PLUGIN.new" "$ROOT"/ipsec/charon-plugin/*.c
  mv "$directory/$PLUGIN.new" "$directory/$PLUGIN"
}

[ $# -eq 1 ] || {
  echo "usage: build.sh BUILD-DIRECTORY" >&2
  exit 2
}
main "$1"
