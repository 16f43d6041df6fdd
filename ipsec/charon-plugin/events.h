/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What masugatad raises in charon. charon only queues jobs for it: none of these waits. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_EVENTS_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_EVENTS_H

#include "ipsec/sa/sa_messages.h"

void masugata_raise_acquire(const struct masugata_sa_acquire* acquire);
void masugata_raise_expire(const struct masugata_sa_expire* expire);
void masugata_raise_mapping(const struct masugata_sa_mapping* mapping);

#endif
