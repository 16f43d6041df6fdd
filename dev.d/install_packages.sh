#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: install_packages.sh PACKAGE...
# Run as root. Installs Debian packages without starting the services that come with some of them:
# the lab starts its own in its namespaces. A service that ran before keeps running; nothing that is
# installed is taken away (a mail server of the host's stays, and the lab says what it misses).
set -euo pipefail

POLICY=/usr/sbin/policy-rc.d
made_policy=

clean_up() {
  if [ -n "$made_policy" ]; then rm -f "$POLICY"; fi
}
trap clean_up EXIT

if [ ! -e "$POLICY" ]; then
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
  install --no-remove --no-install-recommends "$@"
