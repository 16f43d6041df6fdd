/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between strongSwan's objects and the messages of ipsec/sa/sa_messages.h. Any thread. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_TRANSLATE_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_TRANSLATE_H

#include <kernel/kernel_ipsec.h>
#include <stdbool.h>

#include "ipsec/sa/sa_messages.h"

/* NULL and %any become family 0. The port is left 0: most addresses here are known without. */
struct masugata_sa_address masugata_address_of(host_t* host);
/* With its port; the caller destroys it. NULL for family 0. */
host_t* masugata_host_of(const struct masugata_sa_address* address);
struct masugata_sa_selector masugata_selector_of(traffic_selector_t* selector);
/* The caller destroys it; NULL for family 0. */
traffic_selector_t* masugata_traffic_selector_of(const struct masugata_sa_selector* selector);
/* Without direction. */
struct masugata_sa_name masugata_name_of(const kernel_ipsec_sa_id_t* id);

/* The whole request but its header. False, with a line in charon's log, for what masugatad cannot
 * do (AH, IPComp, BEET, more selectors or longer keys than fit). The caller wipes `add`. */
bool masugata_add_of(const kernel_ipsec_sa_id_t* id, const kernel_ipsec_add_sa_t* data,
                     struct masugata_sa_add* add);
struct masugata_sa_policy masugata_policy_of(const kernel_ipsec_policy_id_t* id,
                                             const kernel_ipsec_manage_policy_t* data);

#endif
