# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installing a gateway: programs, units, users, charon's plugin.

PLUGIN_DIRECTORY=/usr/lib/ipsec/plugins

# run_install [DESTDIR]: builds into build-install/ and installs into the system. With DESTDIR what
# is in build/ is put below that directory, which need not be root's, and nothing else is touched.
run_install() {
  local destination=${1:-}
  if [ -n "$destination" ]; then
    destination=$(realpath -m "$destination")
    place_files "$BUILD" "$destination" env
    return
  fi
  require_root
  ensure_packages build gateway
  BUILD=$ROOT/build-install
  set_up_build "$BUILD" --buildtype=release || exit 1
  quietly "the build" ninja -C "$BUILD" masugatad masugata \
    av-stream/scand/masugata-scand ipsec/pki/masugata-pki dataplane/replay/masugata-replay || exit 1
  build_charon_plugin
  place_files "$BUILD" "" as_root
  give_back "$BUILD"
  as_root systemd-sysusers masugata.conf
  if [ ! -e /etc/masugata/gateway.conf ]; then
    as_root install -D -m 0640 -g masugata "$ROOT/packaging/gateway.conf" /etc/masugata/gateway.conf
  fi
  if [ -d /run/systemd/system ]; then as_root systemctl daemon-reload; fi
  say "installed; next: /etc/masugata/gateway.conf, then masugata check /etc/masugata/gateway.conf"
}

# place_files BUILD DESTINATION RUN: RUN is what each command is run by.
place_files() {
  local build=$1 destination=$2 run=$3
  local plugin=$build/charon-plugin/libstrongswan-kernel-masugata.so
  DESTDIR=$destination "$run" meson install -C "$build" --no-rebuild --quiet >&2
  if [ -f "$plugin" ]; then
    "$run" install -D -m 0644 "$plugin" "$destination$PLUGIN_DIRECTORY/${plugin##*/}"
  fi
}
