#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: fetch.sh BUILD-DIRECTORY
# Unpacks Debian's libreswan into BUILD-DIRECTORY/libreswan/root, where the lab runs it as a peer. It
# cannot be installed beside strongSwan. Fetched by apt with the system's own lists; what it needs is in
# packaging/packages/test.txt.
# Exit status 3: it cannot be had; the last line says why.
set -euo pipefail

main() {
  local directory=$1/libreswan
  if [ -x "$directory/root/usr/libexec/ipsec/pluto" ]; then return; fi
  mkdir -p "$directory"
  if ! (cd "$directory" && apt-get -q -o APT::Sandbox::User=root download libreswan); then
    echo "libreswan cannot be had by apt"
    exit 3
  fi
  dpkg-deb --extract "$directory"/libreswan_*.deb "$directory/root.new"
  mv "$directory/root.new" "$directory/root"
}

main "$@"
