/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/charon-plugin/translate.h"

#include <daemon.h>
#include <netinet/in.h>

struct masugata_sa_address masugata_address_of(host_t* host) {
  struct masugata_sa_address address = {0};
  if (!host || host->is_anyaddr(host)) return address;
  const chunk_t bytes = host->get_address(host);
  if (bytes.len != 4 && bytes.len != sizeof address.bytes) return address;
  address.family = bytes.len == 4 ? 4 : 6;
  memcpy(address.bytes, bytes.ptr, bytes.len);
  return address;
}

host_t* masugata_host_of(const struct masugata_sa_address* address) {
  const int family = address->family == 4 ? AF_INET : AF_INET6;
  if (address->family != 4 && address->family != 6) return NULL;
  return host_create_from_chunk(
      family, chunk_create((u_char*)address->bytes, family == AF_INET ? 4 : 16), address->port);
}

struct masugata_sa_selector masugata_selector_of(traffic_selector_t* selector) {
  struct masugata_sa_selector message = {0};
  const chunk_t first = selector->get_from_address(selector);
  const chunk_t last = selector->get_to_address(selector);
  message.family = selector->get_type(selector) == TS_IPV4_ADDR_RANGE ? 4 : 6;
  message.protocol = selector->get_protocol(selector);
  message.first_port = selector->get_from_port(selector);
  message.last_port = selector->get_to_port(selector);
  /* "Opaque" (RFC 7296 section 3.13.1) is a range turned round; we take it for any. */
  if (message.first_port > message.last_port) {
    message.first_port = 0;
    message.last_port = 65535;
  }
  memcpy(message.first, first.ptr, min(first.len, sizeof message.first));
  memcpy(message.last, last.ptr, min(last.len, sizeof message.last));
  return message;
}

traffic_selector_t* masugata_traffic_selector_of(const struct masugata_sa_selector* selector) {
  const size_t size = selector->family == 4 ? 4 : 16;
  if (selector->family != 4 && selector->family != 6) return NULL;
  return traffic_selector_create_from_bytes(
      selector->protocol, selector->family == 4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE,
      chunk_create((u_char*)selector->first, size), selector->first_port,
      chunk_create((u_char*)selector->last, size), selector->last_port);
}

struct masugata_sa_name masugata_name_of(const kernel_ipsec_sa_id_t* id) {
  return (struct masugata_sa_name){
      .spi = ntohl(id->spi),
      .protocol = id->proto,
      .destination = masugata_address_of(id->dst),
  };
}

static bool copy_selectors(linked_list_t* list, struct masugata_sa_selector* selectors,
                           uint8_t* count) {
  traffic_selector_t* selector;
  bool fits = TRUE;
  enumerator_t* enumerator = list->create_enumerator(list);
  *count = 0;
  while (enumerator->enumerate(enumerator, &selector)) {
    if (*count == MASUGATA_SA_SELECTORS) {
      fits = FALSE;
      break;
    }
    selectors[(*count)++] = masugata_selector_of(selector);
  }
  enumerator->destroy(enumerator);
  return fits;
}

static bool copy_key(chunk_t key, uint8_t* bytes, uint16_t* size) {
  if (key.len > MASUGATA_SA_KEY_BYTES) return FALSE;
  memcpy(bytes, key.ptr, key.len);
  *size = (uint16_t)key.len;
  return TRUE;
}

/* Why masugatad has no such SAs; NULL when it has. */
static const char* unknown_here(const kernel_ipsec_sa_id_t* id, const kernel_ipsec_add_sa_t* data) {
  if (id->proto != IPPROTO_ESP) return "is not ESP";
  if (data->mode != MODE_TUNNEL && data->mode != MODE_TRANSPORT) {
    return "has neither tunnel nor transport mode";
  }
  if (data->ipcomp != IPCOMP_NONE) return "wants compression";
  return NULL;
}

static uint8_t handling_of(const kernel_ipsec_add_sa_t* data) {
  uint8_t handling = 0;
  if (data->copy_df) handling |= MASUGATA_SA_COPY_DF;
  if (data->copy_ecn) handling |= MASUGATA_SA_COPY_ECN;
  if (data->copy_dscp == DSCP_COPY_OUT_ONLY || data->copy_dscp == DSCP_COPY_YES) {
    handling |= MASUGATA_SA_COPY_DSCP_OUT;
  }
  if (data->copy_dscp == DSCP_COPY_IN_ONLY || data->copy_dscp == DSCP_COPY_YES) {
    handling |= MASUGATA_SA_COPY_DSCP_IN;
  }
  return handling;
}

static uint16_t transform_of(uint16_t algorithm, uint16_t undefined) {
  return algorithm == undefined ? 0 : algorithm;
}

bool masugata_add_of(const kernel_ipsec_sa_id_t* id, const kernel_ipsec_add_sa_t* data,
                     struct masugata_sa_add* add) {
  const lifetime_cfg_t* life = data->lifetime;
  const char* unknown = unknown_here(id, data);
  *add = (struct masugata_sa_add){
      .name = masugata_name_of(id),
      .source = masugata_address_of(id->src),
      .source_port = data->encap ? id->src->get_port(id->src) : 0,
      .destination_port = data->encap ? id->dst->get_port(id->dst) : 0,
      .mode = (uint8_t)data->mode,
      .extended_sequence = data->esn,
      .handling = handling_of(data),
      .was_reserved = data->update,
      .encryption = transform_of(data->enc_alg, ENCR_UNDEFINED),
      .integrity = transform_of(data->int_alg, AUTH_UNDEFINED),
      .replay_window_packets = data->replay_window,
      .request_id = data->reqid,
      .tunnel_id = id->if_id,
      .soft = {life->time.rekey, life->bytes.rekey, life->packets.rekey},
      .hard = {life->time.life, life->bytes.life, life->packets.life},
      .initiator = data->initiator,
  };
  add->name.direction = data->inbound ? MASUGATA_SA_INBOUND : MASUGATA_SA_OUTBOUND;
  if (!unknown && (!copy_key(data->enc_key, add->encryption_key, &add->encryption_key_bytes) ||
                   !copy_key(data->int_key, add->integrity_key, &add->integrity_key_bytes))) {
    unknown = "has a key of more than 64 bytes";
  }
  if (!unknown &&
      (!copy_selectors(data->src_ts, add->source_selectors, &add->source_selector_count) ||
       !copy_selectors(data->dst_ts, add->destination_selectors,
                       &add->destination_selector_count))) {
    unknown = "has more than 16 traffic selectors on one side";
  }
  if (unknown) {
    DBG1(DBG_KNL, "kernel-masugata: SA %.8x %s, which masugatad does not do", ntohl(id->spi),
         unknown);
  }
  return unknown == NULL;
}

struct masugata_sa_policy masugata_policy_of(const kernel_ipsec_policy_id_t* id,
                                             const kernel_ipsec_manage_policy_t* data) {
  struct masugata_sa_policy policy = {
      .direction = (uint8_t)id->dir,
      .kind = (uint8_t)data->type,
      .priority = (uint8_t)data->prio,
      .manual_priority = data->manual_prio,
      .tunnel_id = id->if_id,
      .source = masugata_selector_of(id->src_ts),
      .destination = masugata_selector_of(id->dst_ts),
  };
  if (data->type == POLICY_IPSEC && data->sa) {
    policy.mode = (uint8_t)data->sa->mode;
    policy.request_id = data->sa->reqid;
    policy.spi = data->sa->esp.use ? ntohl(data->sa->esp.spi) : 0;
    policy.peer = masugata_address_of(id->dir == POLICY_OUT ? data->dst : data->src);
  }
  return policy;
}
