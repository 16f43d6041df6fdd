/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/charon-plugin/alert_text.h"

#include "ipsec/charon-plugin/translate.h"

static struct masugata_sa_address address_with_port(host_t* host) {
  struct masugata_sa_address address = masugata_address_of(host);
  if (address.family != 0) address.port = host->get_port(host);
  return address;
}

static bool has_task(ike_sa_t* ike_sa, task_queue_t queue, task_type_t one, task_type_t other) {
  task_t* task;
  bool found = FALSE;
  enumerator_t* enumerator = ike_sa->create_task_enumerator(ike_sa, queue);
  while (!found && enumerator->enumerate(enumerator, &task)) {
    const task_type_t type = task->get_type(task);
    found = type == one || type == other;
  }
  enumerator->destroy(enumerator);
  return found;
}

/* What this side does at the moment tells who asked: its own exchanges are active, the peer's are
 * passive. */
static uint8_t flags_of(ike_sa_t* ike_sa) {
  uint8_t flags = 0;
  if (has_task(ike_sa, TASK_QUEUE_ACTIVE, TASK_CHILD_CREATE, TASK_CHILD_REKEY) ||
      has_task(ike_sa, TASK_QUEUE_ACTIVE, TASK_IKE_INIT, TASK_IKE_REKEY) ||
      has_task(ike_sa, TASK_QUEUE_ACTIVE, TASK_IKE_AUTH, TASK_MAIN_MODE) ||
      has_task(ike_sa, TASK_QUEUE_ACTIVE, TASK_AGGRESSIVE_MODE, TASK_QUICK_MODE)) {
    flags |= MASUGATA_ALERT_WE_ASKED;
  }
  if (has_task(ike_sa, TASK_QUEUE_ACTIVE, TASK_CHILD_REKEY, TASK_IKE_REKEY) ||
      has_task(ike_sa, TASK_QUEUE_PASSIVE, TASK_CHILD_REKEY, TASK_IKE_REKEY)) {
    flags |= MASUGATA_ALERT_REKEYING;
  }
  const ike_sa_state_t state = ike_sa->get_state(ike_sa);
  if (state == IKE_ESTABLISHED || state == IKE_REKEYING || state == IKE_REKEYED) {
    flags |= MASUGATA_ALERT_ESTABLISHED;
  }
  ike_sa_id_t* id = ike_sa->get_id(ike_sa);
  if (id && id->get_responder_spi(id) != 0) flags |= MASUGATA_ALERT_PEER_ANSWERED;
  if (ike_sa->has_condition(ike_sa, COND_NAT_HERE)) flags |= MASUGATA_ALERT_NAT_HERE;
  if (ike_sa->has_condition(ike_sa, COND_NAT_THERE)) flags |= MASUGATA_ALERT_NAT_THERE;
  return flags;
}

static void describe_configured_identity(peer_cfg_t* config, struct masugata_sa_alert* alert) {
  auth_cfg_t* authentication;
  enumerator_t* enumerator = config->create_auth_cfg_enumerator(config, FALSE);
  if (enumerator->enumerate(enumerator, &authentication)) {
    identification_t* identity = authentication->get(authentication, AUTH_RULE_IDENTITY);
    if (identity && identity->get_type(identity) != ID_ANY) {
      snprintf(alert->configured_remote_identity, sizeof alert->configured_remote_identity, "%Y",
               identity);
    }
  }
  enumerator->destroy(enumerator);
}

void masugata_describe_ike_sa(ike_sa_t* ike_sa, struct masugata_sa_alert* alert) {
  if (!ike_sa) return;
  identification_t* mine = ike_sa->get_my_id(ike_sa);
  identification_t* other = ike_sa->get_other_id(ike_sa);
  peer_cfg_t* config = ike_sa->get_peer_cfg(ike_sa);
  alert->ike_version = (uint8_t)ike_sa->get_version(ike_sa);
  alert->ike_id = ike_sa->get_unique_id(ike_sa);
  alert->flags |= flags_of(ike_sa);
  alert->local = address_with_port(ike_sa->get_my_host(ike_sa));
  alert->remote = address_with_port(ike_sa->get_other_host(ike_sa));
  if (mine && mine->get_type(mine) != ID_ANY) {
    snprintf(alert->local_identity, sizeof alert->local_identity, "%Y", mine);
  }
  if (other && other->get_type(other) != ID_ANY) {
    snprintf(alert->remote_identity, sizeof alert->remote_identity, "%Y", other);
  }
  if (config) {
    snprintf(alert->connection, sizeof alert->connection, "%s", config->get_name(config));
    describe_configured_identity(config, alert);
  }
}

void masugata_describe_ike_proposals(ike_sa_t* ike_sa, linked_list_t* proposals,
                                     struct masugata_sa_alert* alert) {
  ike_cfg_t* config = ike_sa ? ike_sa->get_ike_cfg(ike_sa) : NULL;
  if (alert->flags & MASUGATA_ALERT_WE_ASKED) {
    snprintf(alert->configured, sizeof alert->configured, "%#P", proposals);
    return;
  }
  snprintf(alert->received, sizeof alert->received, "%#P", proposals);
  if (!config) return;
  linked_list_t* ours = config->get_proposals(config);
  snprintf(alert->configured, sizeof alert->configured, "%#P", ours);
  ours->destroy_offset(ours, offsetof(proposal_t, destroy));
}

typedef void (*describe_child_t)(child_cfg_t* child, char* text, size_t size);

/* "net: TEXT; guests: TEXT"; without names when there is one child. */
static void describe_children(ike_sa_t* ike_sa, describe_child_t describe,
                              struct masugata_sa_alert* alert) {
  peer_cfg_t* config = ike_sa ? ike_sa->get_peer_cfg(ike_sa) : NULL;
  child_cfg_t* child;
  size_t used = 0;
  u_int count = 0;
  if (!config) return;
  enumerator_t* enumerator = config->create_child_cfg_enumerator(config);
  while (enumerator->enumerate(enumerator, &child)) ++count;
  enumerator->destroy(enumerator);
  enumerator = config->create_child_cfg_enumerator(config);
  while (enumerator->enumerate(enumerator, &child) && used + 1 < sizeof alert->configured) {
    char* end = alert->configured + used;
    const size_t room = sizeof alert->configured - used;
    if (count > 1) {
      snprintf(end, room, "%s%s: ", used ? "; " : "", child->get_name(child));
    } else {
      snprintf(alert->child, sizeof alert->child, "%s", child->get_name(child));
    }
    used += strlen(end);
    describe(child, alert->configured + used, sizeof alert->configured - used);
    used += strlen(alert->configured + used);
  }
  enumerator->destroy(enumerator);
}

static void describe_proposals_of(child_cfg_t* child, char* text, size_t size) {
  linked_list_t* proposals = child->get_proposals(child, FALSE);
  snprintf(text, size, "%#P", proposals);
  proposals->destroy_offset(proposals, offsetof(proposal_t, destroy));
}

void masugata_describe_child_proposals(ike_sa_t* ike_sa, linked_list_t* proposals,
                                       struct masugata_sa_alert* alert) {
  if (alert->flags & MASUGATA_ALERT_WE_ASKED) {
    snprintf(alert->configured, sizeof alert->configured, "%#P", proposals);
    return;
  }
  snprintf(alert->received, sizeof alert->received, "%#P", proposals);
  describe_children(ike_sa, describe_proposals_of, alert);
}

static linked_list_t* selectors_of(child_cfg_t* child, bool local) {
  return child->get_traffic_selectors(child, local, NULL, NULL, FALSE);
}

static void destroy_selectors(linked_list_t* selectors) {
  selectors->destroy_offset(selectors, offsetof(traffic_selector_t, destroy));
}

static void describe_selectors_of(child_cfg_t* child, char* text, size_t size) {
  linked_list_t* local = selectors_of(child, TRUE);
  linked_list_t* remote = selectors_of(child, FALSE);
  snprintf(text, size, "%#R === %#R", local, remote);
  destroy_selectors(local);
  destroy_selectors(remote);
}

void masugata_describe_selectors(ike_sa_t* ike_sa, linked_list_t* initiator,
                                 linked_list_t* responder, struct masugata_sa_alert* alert) {
  const bool ours_first = (alert->flags & MASUGATA_ALERT_WE_ASKED) != 0;
  snprintf(alert->received, sizeof alert->received, "%#R === %#R",
           ours_first ? initiator : responder, ours_first ? responder : initiator);
  describe_children(ike_sa, describe_selectors_of, alert);
}

void masugata_describe_narrowed(ike_sa_t* ike_sa, bool local, linked_list_t* selectors,
                                child_cfg_t* config, struct masugata_sa_alert* alert) {
  linked_list_t* ours = selectors_of(config, local);
  if (local) alert->flags |= MASUGATA_ALERT_LOCAL_SELECTORS;
  snprintf(alert->child, sizeof alert->child, "%s", config->get_name(config));
  snprintf(alert->received, sizeof alert->received, "%#R", selectors);
  snprintf(alert->configured, sizeof alert->configured, "%#R", ours);
  destroy_selectors(ours);
}

static void describe_agreed(child_sa_t* child, bool local, char* text, size_t size) {
  linked_list_t* agreed =
      linked_list_create_from_enumerator(child->create_ts_enumerator(child, local));
  snprintf(text, size, "%#R", agreed);
  agreed->destroy(agreed);
}

void masugata_describe_child_sa(child_sa_t* child, struct masugata_sa_alert* alert) {
  char local[sizeof alert->received / 2 - 3], remote[sizeof alert->received / 2 - 3];
  if (!child) return;
  describe_agreed(child, TRUE, local, sizeof local);
  describe_agreed(child, FALSE, remote, sizeof remote);
  snprintf(alert->child, sizeof alert->child, "%s", child->get_name(child));
  snprintf(alert->received, sizeof alert->received, "%s === %s", local, remote);
  describe_selectors_of(child->get_config(child), alert->configured, sizeof alert->configured);
}

void masugata_describe_notification(ike_sa_t* ike_sa, notify_payload_t* notify,
                                    struct masugata_sa_alert* alert) {
  const notify_type_t error = notify->get_notify_type(notify);
  const chunk_t data = notify->get_notification_data(notify);
  alert->number = (uint32_t)error;
  snprintf(alert->received, sizeof alert->received, "%N", notify_type_names, error);
  if (error == INVALID_KE_PAYLOAD && data.len == 2) {
    snprintf(alert->received, sizeof alert->received, "%N %N", notify_type_names, error,
             key_exchange_method_names, (key_exchange_method_t)untoh16(data.ptr));
  }
  if (error == TS_UNACCEPTABLE || error == SINGLE_PAIR_REQUIRED) {
    describe_children(ike_sa, describe_selectors_of, alert);
  }
}

void masugata_describe_certificate(certificate_t* certificate, struct masugata_sa_alert* alert) {
  time_t not_before = 0, not_after = 0;
  if (!certificate) return;
  certificate->get_validity(certificate, NULL, &not_before, &not_after);
  alert->not_before = not_before;
  alert->not_after = not_after;
  snprintf(alert->subject, sizeof alert->subject, "%Y", certificate->get_subject(certificate));
  snprintf(alert->issuer, sizeof alert->issuer, "%Y", certificate->get_issuer(certificate));
}

void masugata_describe_shown_certificate(ike_sa_t* ike_sa, struct masugata_sa_alert* alert) {
  auth_cfg_t* shown = ike_sa ? ike_sa->get_auth_cfg(ike_sa, FALSE) : NULL;
  if (shown) masugata_describe_certificate(shown->get(shown, AUTH_HELPER_SUBJECT_CERT), alert);
}
