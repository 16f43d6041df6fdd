/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands charon's alerts, and errors that peers notify, to masugatad: what went wrong, with whom,
 * what was received and what is configured. The diagnosis builds on them. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_ALERTS_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_ALERTS_H

#include "ipsec/charon-plugin/connection.h"

typedef struct masugata_alerts_t masugata_alerts_t;

/* Registers at charon's bus; `connection` outlives it. Alerts never wait: one is lost when
 * masugatad is away. */
masugata_alerts_t* masugata_alerts_create(masugata_connection_t* connection);
void masugata_alerts_destroy(masugata_alerts_t* alerts);

#endif
