/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/charon-plugin/alerts.h"

#include <daemon.h>
#include <encoding/payloads/notify_payload.h>

#include "ipsec/charon-plugin/alert_text.h"
#include "ipsec/charon-plugin/translate.h"

struct masugata_alerts_t {
  listener_t listener;
  masugata_connection_t* connection;
};

/* IKEv2's error types are below, status types above (RFC 7296 section 3.10.1); so are IKEv1's (RFC
 * 2408 section 3.14.1). */
enum { kFirstStatusType = 16384 };

/* 0: none of those that anybody asks about. */
static uint16_t kind_of(alert_t alert) {
  switch (alert) {
    case ALERT_LOCAL_AUTH_FAILED:
      return MASUGATA_ALERT_LOCAL_AUTHENTICATION;
    case ALERT_PEER_AUTH_FAILED:
      return MASUGATA_ALERT_PEER_AUTHENTICATION;
    case ALERT_PEER_ADDR_FAILED:
      return MASUGATA_ALERT_PEER_ADDRESS;
    case ALERT_PEER_INIT_UNREACHABLE:
      return MASUGATA_ALERT_PEER_UNREACHABLE;
    case ALERT_INVALID_IKE_SPI:
      return MASUGATA_ALERT_UNKNOWN_IKE_SPI;
    case ALERT_PARSE_ERROR_HEADER:
    case ALERT_PARSE_ERROR_BODY:
      return MASUGATA_ALERT_MESSAGE_UNREADABLE;
    case ALERT_RETRANSMIT_SEND:
      return MASUGATA_ALERT_RETRANSMIT;
    case ALERT_RETRANSMIT_SEND_CLEARED:
      return MASUGATA_ALERT_RETRANSMIT_ANSWERED;
    case ALERT_RETRANSMIT_SEND_TIMEOUT:
      return MASUGATA_ALERT_RETRANSMIT_TIMEOUT;
    case ALERT_HALF_OPEN_TIMEOUT:
      return MASUGATA_ALERT_HALF_OPEN_TIMEOUT;
    case ALERT_PROPOSAL_MISMATCH_IKE:
      return MASUGATA_ALERT_IKE_PROPOSALS;
    case ALERT_PROPOSAL_MISMATCH_CHILD:
      return MASUGATA_ALERT_CHILD_PROPOSALS;
    case ALERT_TS_MISMATCH:
      return MASUGATA_ALERT_SELECTORS;
    case ALERT_TS_NARROWED:
      return MASUGATA_ALERT_SELECTORS_NARROWED;
    case ALERT_INSTALL_CHILD_SA_FAILED:
      return MASUGATA_ALERT_SA_NOT_INSTALLED;
    case ALERT_INSTALL_CHILD_POLICY_FAILED:
      return MASUGATA_ALERT_POLICY_NOT_INSTALLED;
    case ALERT_UNIQUE_REPLACE:
      return MASUGATA_ALERT_UNIQUE_REPLACED;
    case ALERT_UNIQUE_KEEP:
      return MASUGATA_ALERT_UNIQUE_KEPT;
    case ALERT_KEEP_ON_CHILD_SA_FAILURE:
      return MASUGATA_ALERT_CHILD_FAILED;
    case ALERT_AUTHORIZATION_FAILED:
      return MASUGATA_ALERT_AUTHORIZATION;
    case ALERT_IKE_SA_EXPIRED:
      return MASUGATA_ALERT_IKE_EXPIRED;
    case ALERT_CERT_EXPIRED:
      return MASUGATA_ALERT_CERTIFICATE_EXPIRED;
    case ALERT_CERT_REVOKED:
      return MASUGATA_ALERT_CERTIFICATE_REVOKED;
    case ALERT_CERT_VALIDATION_FAILED:
      return MASUGATA_ALERT_CERTIFICATE_STATUS_UNKNOWN;
    case ALERT_CERT_NO_ISSUER:
      return MASUGATA_ALERT_CERTIFICATE_NO_ISSUER;
    case ALERT_CERT_UNTRUSTED_ROOT:
      return MASUGATA_ALERT_CERTIFICATE_UNTRUSTED_ROOT;
    case ALERT_CERT_EXCEEDED_PATH_LEN:
      return MASUGATA_ALERT_CERTIFICATE_PATH_LENGTH;
    case ALERT_CERT_POLICY_VIOLATION:
      return MASUGATA_ALERT_CERTIFICATE_POLICY;
    default:
      return 0;
  }
}

static void name_source(message_t* message, struct masugata_sa_alert* alert) {
  host_t* source = message->get_source(message);
  if (!source || alert->remote.family != 0) return;
  alert->remote = masugata_address_of(source);
  alert->remote.port = source->get_port(source);
}

static void name_child(child_sa_t* child, struct masugata_sa_alert* alert) {
  if (child) snprintf(alert->child, sizeof alert->child, "%s", child->get_name(child));
}

/* charon raises one alert when the peer refuses us and when we have nothing to prove ourselves with.
 * A message is worked on by one thread, which is told of it before: the unique id of the IKE SA whose
 * peer has just told of an error. */
static __thread uint32_t refused_ike_id;

static void name_refusal(ike_sa_t* ike_sa, struct masugata_sa_alert* alert) {
  if (!ike_sa || ike_sa->get_unique_id(ike_sa) != refused_ike_id) return;
  snprintf(alert->received, sizeof alert->received, "AUTHENTICATION_FAILED");
  refused_ike_id = 0;
}

/* What comes with each kind: strongSwan's bus.h. */
static void describe(ike_sa_t* ike_sa, alert_t kind, va_list args,
                     struct masugata_sa_alert* alert) {
  linked_list_t *first, *second;
  bool local;
  switch (kind) {
    case ALERT_PEER_INIT_UNREACHABLE:
      alert->number = (uint32_t)va_arg(args, int) + 1;
      break;
    case ALERT_RETRANSMIT_SEND:
      (void)va_arg(args, packet_t*);
      alert->number = va_arg(args, u_int);
      break;
    case ALERT_LOCAL_AUTH_FAILED:
      name_refusal(ike_sa, alert);
      break;
    case ALERT_PEER_AUTH_FAILED:
      masugata_describe_shown_certificate(ike_sa, alert);
      break;
    case ALERT_INVALID_IKE_SPI:
    case ALERT_PARSE_ERROR_HEADER:
    case ALERT_PARSE_ERROR_BODY:
      name_source(va_arg(args, message_t*), alert);
      break;
    case ALERT_PROPOSAL_MISMATCH_IKE:
      masugata_describe_ike_proposals(ike_sa, va_arg(args, linked_list_t*), alert);
      break;
    case ALERT_PROPOSAL_MISMATCH_CHILD:
      masugata_describe_child_proposals(ike_sa, va_arg(args, linked_list_t*), alert);
      break;
    case ALERT_TS_MISMATCH:
      first = va_arg(args, linked_list_t*);
      second = va_arg(args, linked_list_t*);
      masugata_describe_selectors(ike_sa, first, second, alert);
      break;
    case ALERT_TS_NARROWED:
      local = va_arg(args, int) != 0;
      first = va_arg(args, linked_list_t*);
      masugata_describe_narrowed(ike_sa, local, first, va_arg(args, child_cfg_t*), alert);
      break;
    case ALERT_INSTALL_CHILD_SA_FAILED:
    case ALERT_INSTALL_CHILD_POLICY_FAILED:
      name_child(va_arg(args, child_sa_t*), alert);
      break;
    case ALERT_KEEP_ON_CHILD_SA_FAILURE:
      if (va_arg(args, int)) alert->flags |= MASUGATA_ALERT_FIRST_CHILD;
      break;
    case ALERT_CERT_EXPIRED:
    case ALERT_CERT_REVOKED:
    case ALERT_CERT_VALIDATION_FAILED:
    case ALERT_CERT_NO_ISSUER:
    case ALERT_CERT_UNTRUSTED_ROOT:
    case ALERT_CERT_EXCEEDED_PATH_LEN:
    case ALERT_CERT_POLICY_VIOLATION:
      masugata_describe_certificate(va_arg(args, certificate_t*), alert);
      break;
    default:
      break;
  }
}

static void begin(struct masugata_sa_alert* alert, uint16_t kind) {
  memset(alert, 0, sizeof *alert);
  masugata_header_init(&alert->header, MASUGATA_SA_ALERT, sizeof *alert);
  alert->kind = kind;
}

METHOD(listener_t, alert, bool, masugata_alerts_t* this, ike_sa_t* ike_sa, alert_t kind,
       va_list args) {
  struct masugata_sa_alert alert;
  begin(&alert, kind_of(kind));
  if (alert.kind == 0) return TRUE;
  masugata_describe_ike_sa(ike_sa, &alert);
  describe(ike_sa, kind, args, &alert);
  masugata_connection_tell(this->connection, &alert.header);
  return TRUE;
}

static void tell(masugata_alerts_t* this, uint16_t kind, ike_sa_t* ike_sa, child_sa_t* child) {
  struct masugata_sa_alert alert;
  begin(&alert, kind);
  masugata_describe_ike_sa(ike_sa, &alert);
  masugata_describe_child_sa(child, &alert);
  masugata_connection_tell(this->connection, &alert.header);
}

/* charon raises no alert for a peer that it knows nothing of; it refuses it before there is a
 * configuration. */
static void tell_of_stranger(masugata_alerts_t* this, ike_sa_t* ike_sa, message_t* message) {
  if (!ike_sa || ike_sa->get_ike_cfg(ike_sa)) return;
  if (!message->get_notify(message, NO_PROPOSAL_CHOSEN)) return;
  tell(this, MASUGATA_ALERT_PEER_NOT_CONFIGURED, ike_sa, NULL);
}

/* The initiator learns of most refusals by a notification alone. */
METHOD(listener_t, message, bool, masugata_alerts_t* this, ike_sa_t* ike_sa, message_t* message,
       bool incoming, bool plain) {
  payload_t* payload;
  if (!plain) return TRUE;
  if (!incoming) {
    tell_of_stranger(this, ike_sa, message);
    return TRUE;
  }
  enumerator_t* enumerator = message->create_payload_enumerator(message);
  while (enumerator->enumerate(enumerator, &payload)) {
    const payload_type_t type = payload->get_type(payload);
    if (type != PLV2_NOTIFY && type != PLV1_NOTIFY) continue;
    notify_payload_t* notify = (notify_payload_t*)payload;
    if ((int)notify->get_notify_type(notify) >= kFirstStatusType) continue;
    if (ike_sa) refused_ike_id = ike_sa->get_unique_id(ike_sa);
    struct masugata_sa_alert alert;
    begin(&alert, MASUGATA_ALERT_PEER_NOTIFIED);
    alert.exchange = (uint16_t)message->get_exchange_type(message);
    masugata_describe_ike_sa(ike_sa, &alert);
    masugata_describe_notification(ike_sa, notify, &alert);
    masugata_connection_tell(this->connection, &alert.header);
  }
  enumerator->destroy(enumerator);
  return TRUE;
}

METHOD(listener_t, ike_updown, bool, masugata_alerts_t* this, ike_sa_t* ike_sa, bool up) {
  tell(this, up ? MASUGATA_ALERT_IKE_UP : MASUGATA_ALERT_IKE_DOWN, ike_sa, NULL);
  return TRUE;
}

METHOD(listener_t, ike_rekey, bool, masugata_alerts_t* this, ike_sa_t* old, ike_sa_t* new) {
  tell(this, MASUGATA_ALERT_IKE_REKEYED, new, NULL);
  return TRUE;
}

METHOD(listener_t, child_updown, bool, masugata_alerts_t* this, ike_sa_t* ike_sa,
       child_sa_t* child_sa, bool up) {
  tell(this, up ? MASUGATA_ALERT_CHILD_UP : MASUGATA_ALERT_CHILD_DOWN, ike_sa, child_sa);
  return TRUE;
}

METHOD(listener_t, child_rekey, bool, masugata_alerts_t* this, ike_sa_t* ike_sa, child_sa_t* old,
       child_sa_t* new) {
  tell(this, MASUGATA_ALERT_CHILD_REKEYED, ike_sa, new);
  return TRUE;
}

masugata_alerts_t* masugata_alerts_create(masugata_connection_t* connection) {
  masugata_alerts_t* this;
  INIT(this,
       .listener = {.alert = _alert,
                    .message = _message,
                    .ike_updown = _ike_updown,
                    .ike_rekey = _ike_rekey,
                    .child_updown = _child_updown,
                    .child_rekey = _child_rekey},
       .connection = connection, );
  charon->bus->add_listener(charon->bus, &this->listener);
  return this;
}

void masugata_alerts_destroy(masugata_alerts_t* alerts) {
  charon->bus->remove_listener(charon->bus, &alerts->listener);
  free(alerts);
}
