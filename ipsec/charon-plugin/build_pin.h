/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strongSwan promises no stable interface to plugins: this one runs only in the very build that it
 * was made for. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_BUILD_PIN_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_BUILD_PIN_H

#include <stdbool.h>

/* Whether libstrongswan and libcharon of this process are the builds (by their build ids) that the
 * plugin was compiled against. Says in charon's log what differs. Touches nothing of charon's but
 * its log function. */
bool masugata_daemon_is_ours(void);

/* "5.9.8-5+deb12u6": the package that the plugin was compiled against. */
const char* masugata_daemon_version(void);

#endif
