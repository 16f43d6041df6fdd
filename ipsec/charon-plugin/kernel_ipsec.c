/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/charon-plugin/kernel_ipsec.h"

#include <daemon.h>

#include "ipsec/charon-plugin/alerts.h"
#include "ipsec/charon-plugin/connection.h"
#include "ipsec/charon-plugin/registry.h"
#include "ipsec/charon-plugin/translate.h"

typedef struct {
  kernel_ipsec_t public;
  masugata_registry_t* registry;
  masugata_connection_t* connection;
  masugata_alerts_t* alerts;
} private_t;

/* What charon is told; what went wrong is in its log by then. */
static status_t ask(private_t* this, struct masugata_sa_header* request, const char* what,
                    struct masugata_sa_reply* reply) {
  if (!masugata_connection_ask(this->connection, request, reply)) {
    DBG1(DBG_KNL, "kernel-masugata: %s: masugatad cannot be reached", what);
    return FAILED;
  }
  switch (reply->status) {
    case MASUGATA_SA_OK:
      return SUCCESS;
    case MASUGATA_SA_NOT_FOUND:
      return NOT_FOUND;
    default:
      DBG1(DBG_KNL, "kernel-masugata: %s: masugatad refuses: %s", what, reply->reason);
      return FAILED;
  }
}

METHOD(kernel_ipsec_t, get_features, kernel_feature_t, private_t* this) {
  /* Outbound policies name the SA by its SPI, and SAs move without their policies. UDP
   * encapsulation is not required: plain ESP is as good. */
  return KERNEL_POLICY_SPI | KERNEL_NO_POLICY_UPDATES;
}

METHOD(kernel_ipsec_t, get_spi, status_t, private_t* this, host_t* src, host_t* dst,
       uint8_t protocol, uint32_t* spi) {
  struct masugata_sa_reserve_spi request = {.source = masugata_address_of(src),
                                            .destination = masugata_address_of(dst)};
  struct masugata_sa_reply reply;
  if (protocol != IPPROTO_ESP) return NOT_SUPPORTED;
  masugata_header_init(&request.header, MASUGATA_SA_RESERVE_SPI, sizeof request);
  const status_t status = ask(this, &request.header, "reserving an SPI", &reply);
  if (status != SUCCESS) return FAILED;
  const struct masugata_sa_name name = {.spi = reply.spi,
                                        .direction = MASUGATA_SA_INBOUND,
                                        .protocol = protocol,
                                        .destination = request.destination};
  masugata_registry_add_sa(this->registry, &name);
  *spi = htonl(reply.spi);
  return SUCCESS;
}

METHOD(kernel_ipsec_t, get_cpi, status_t, private_t* this, host_t* src, host_t* dst,
       uint16_t* cpi) {
  return NOT_SUPPORTED; /* compression and encryption together leak: not offered */
}

METHOD(kernel_ipsec_t, add_sa, status_t, private_t* this, kernel_ipsec_sa_id_t* id,
       kernel_ipsec_add_sa_t* data) {
  struct masugata_sa_add request;
  struct masugata_sa_reply reply = {.status = MASUGATA_SA_OK};
  status_t status = NOT_SUPPORTED;
  if (masugata_add_of(id, data, &request)) {
    masugata_header_init(&request.header, MASUGATA_SA_ADD, sizeof request);
    /* Known before it is asked for: what charon does after a failure must find it. */
    masugata_registry_add_sa(this->registry, &request.name);
    status = ask(this, &request.header, "installing an SA", &reply) == SUCCESS ? SUCCESS : FAILED;
    DBG2(DBG_KNL, "kernel-masugata: %s SA %.8x %N/%N, reqid %u, window %u%s%s: %s",
         data->inbound ? "inbound" : "outbound", ntohl(id->spi), encryption_algorithm_names,
         data->enc_alg, integrity_algorithm_names, data->int_alg, data->reqid, data->replay_window,
         data->esn ? ", ESN" : "", data->encap ? ", in UDP" : "",
         status == SUCCESS ? "installed" : "not installed");
  }
  memwipe(&request, sizeof request);
  return status;
}

METHOD(kernel_ipsec_t, update_sa, status_t, private_t* this, kernel_ipsec_sa_id_t* id,
       kernel_ipsec_update_sa_t* data) {
  struct masugata_sa_update request = {
      .name = masugata_name_of(id),
      .source = masugata_address_of(data->new_src),
      .destination = masugata_address_of(data->new_dst),
      .source_port = data->new_encap ? data->new_src->get_port(data->new_src) : 0,
      .destination_port = data->new_encap ? data->new_dst->get_port(data->new_dst) : 0,
      .request_id = data->new_reqid,
  };
  struct masugata_sa_reply reply;
  if (!masugata_registry_find_sa(this->registry, &request.name)) return NOT_FOUND;
  masugata_header_init(&request.header, MASUGATA_SA_UPDATE, sizeof request);
  const status_t status = ask(this, &request.header, "moving an SA", &reply);
  if (status == SUCCESS) {
    masugata_registry_move_sa(this->registry, &request.name, &request.destination);
  }
  return status;
}

/* charon counts in its monotonic clock; 0 is "never". */
static time_t time_of_use(uint64_t idle_seconds) {
  const time_t now = time_monotonic(NULL);
  if (idle_seconds == UINT64_MAX) return 0;
  return idle_seconds < (uint64_t)now ? now - (time_t)idle_seconds : 1;
}

METHOD(kernel_ipsec_t, query_sa, status_t, private_t* this, kernel_ipsec_sa_id_t* id,
       kernel_ipsec_query_sa_t* data, uint64_t* bytes, uint64_t* packets, time_t* time) {
  struct masugata_sa_about request = {.name = masugata_name_of(id)};
  struct masugata_sa_reply reply;
  if (!masugata_registry_find_sa(this->registry, &request.name)) return NOT_FOUND;
  masugata_header_init(&request.header, MASUGATA_SA_QUERY, sizeof request);
  const status_t status = ask(this, &request.header, "asking for an SA's use", &reply);
  if (status != SUCCESS) return status;
  if (bytes) *bytes = reply.bytes;
  if (packets) *packets = reply.packets;
  if (time) *time = time_of_use(reply.idle_seconds);
  return SUCCESS;
}

METHOD(kernel_ipsec_t, del_sa, status_t, private_t* this, kernel_ipsec_sa_id_t* id,
       kernel_ipsec_del_sa_t* data) {
  struct masugata_sa_about request = {.name = masugata_name_of(id)};
  struct masugata_sa_reply reply;
  if (!masugata_registry_find_sa(this->registry, &request.name)) return NOT_FOUND;
  masugata_header_init(&request.header, MASUGATA_SA_REMOVE, sizeof request);
  const status_t status = ask(this, &request.header, "removing an SA", &reply);
  if (status == FAILED) {
    masugata_registry_leave_sa(this->registry, &request.name);
  } else {
    masugata_registry_remove_sa(this->registry, &request.name);
  }
  return status;
}

static status_t ask_plainly(private_t* this, uint16_t type, const char* what) {
  struct masugata_sa_plain request;
  struct masugata_sa_reply reply;
  masugata_header_init(&request.header, type, sizeof request);
  return ask(this, &request.header, what, &reply);
}

METHOD(kernel_ipsec_t, flush_sas, status_t, private_t* this) {
  const status_t status = ask_plainly(this, MASUGATA_SA_FLUSH, "removing all SAs");
  if (status == SUCCESS) masugata_registry_forget_sas(this->registry);
  return status;
}

METHOD(kernel_ipsec_t, add_policy, status_t, private_t* this, kernel_ipsec_policy_id_t* id,
       kernel_ipsec_manage_policy_t* data) {
  struct masugata_sa_policy request = masugata_policy_of(id, data);
  struct masugata_sa_reply reply;
  masugata_header_init(&request.header, MASUGATA_SA_ADD_POLICY, sizeof request);
  const status_t status = ask(this, &request.header, "adding a policy", &reply);
  if (status == SUCCESS) masugata_registry_add_policy(this->registry, &request);
  return status;
}

METHOD(kernel_ipsec_t, query_policy, status_t, private_t* this, kernel_ipsec_policy_id_t* id,
       kernel_ipsec_query_policy_t* data, time_t* use_time) {
  /* charon gives no SA here, and policies are known by theirs: SAs tell their own last use. */
  return NOT_SUPPORTED;
}

METHOD(kernel_ipsec_t, del_policy, status_t, private_t* this, kernel_ipsec_policy_id_t* id,
       kernel_ipsec_manage_policy_t* data) {
  struct masugata_sa_policy request = masugata_policy_of(id, data);
  struct masugata_sa_reply reply;
  masugata_header_init(&request.header, MASUGATA_SA_REMOVE_POLICY, sizeof request);
  /* Also when masugatad is away: greeting it gives the rest. */
  masugata_registry_remove_policy(this->registry, &request);
  return ask(this, &request.header, "removing a policy", &reply);
}

METHOD(kernel_ipsec_t, flush_policies, status_t, private_t* this) {
  masugata_registry_forget_policies(this->registry);
  return ask_plainly(this, MASUGATA_SA_FLUSH_POLICIES, "removing all policies");
}

METHOD(kernel_ipsec_t, bypass_socket, bool, private_t* this, int fd, int family) {
  return TRUE; /* the kernel holds no policies that IKE would have to be let through */
}

METHOD(kernel_ipsec_t, enable_udp_decap, bool, private_t* this, int fd, int family, uint16_t port) {
  return TRUE; /* masugatad tells ESP in UDP from IKE before the kernel sees either */
}

METHOD(kernel_ipsec_t, destroy, void, private_t* this) {
  masugata_alerts_destroy(this->alerts);
  masugata_connection_destroy(this->connection);
  masugata_registry_destroy(this->registry);
  free(this);
}

kernel_ipsec_t* masugata_kernel_ipsec_create(void) {
  private_t* this;
  INIT(this,
       .public =
           {
               .get_features = _get_features,
               .get_spi = _get_spi,
               .get_cpi = _get_cpi,
               .add_sa = _add_sa,
               .update_sa = _update_sa,
               .query_sa = _query_sa,
               .del_sa = _del_sa,
               .flush_sas = _flush_sas,
               .add_policy = _add_policy,
               .query_policy = _query_policy,
               .del_policy = _del_policy,
               .flush_policies = _flush_policies,
               .bypass_socket = _bypass_socket,
               .enable_udp_decap = _enable_udp_decap,
               .destroy = _destroy,
           },
       .registry = masugata_registry_create(), );
  this->connection = masugata_connection_create(this->registry);
  this->alerts = masugata_alerts_create(this->connection);
  return &this->public;
}
