/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of an alert that come out of charon's objects. Called in charon's threads while they
 * hold the IKE SA; takes no lock. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_ALERT_TEXT_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_ALERT_TEXT_H

#include <daemon.h>
#include <encoding/payloads/notify_payload.h>
#include <stdarg.h>

#include "ipsec/sa/sa_messages.h"

/* Connection, addresses, identities, and which side asked. `ike_sa` may be NULL. */
void masugata_describe_ike_sa(ike_sa_t* ike_sa, struct masugata_sa_alert* alert);

/* Each takes what strongSwan's bus.h says comes with the alert. */
void masugata_describe_ike_proposals(ike_sa_t* ike_sa, linked_list_t* proposals,
                                     struct masugata_sa_alert* alert);
void masugata_describe_child_proposals(ike_sa_t* ike_sa, linked_list_t* proposals,
                                       struct masugata_sa_alert* alert);
void masugata_describe_selectors(ike_sa_t* ike_sa, linked_list_t* initiator,
                                 linked_list_t* responder, struct masugata_sa_alert* alert);
void masugata_describe_narrowed(ike_sa_t* ike_sa, bool local, linked_list_t* selectors,
                                child_cfg_t* config, struct masugata_sa_alert* alert);
void masugata_describe_certificate(certificate_t* certificate, struct masugata_sa_alert* alert);
/* The one that the peer sent last; nothing when it sent none. */
void masugata_describe_shown_certificate(ike_sa_t* ike_sa, struct masugata_sa_alert* alert);

/* The error in its own words, and what of ours it is about. */
void masugata_describe_notification(ike_sa_t* ike_sa, notify_payload_t* notify,
                                    struct masugata_sa_alert* alert);
/* Selectors as agreed on, and as configured. */
void masugata_describe_child_sa(child_sa_t* child, struct masugata_sa_alert* alert);

#endif
