/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "ipsec/charon-plugin/greeting.h"

#include <daemon.h>
#include <errno.h>
#include <library.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ipsec/charon-plugin/build_pin.h"
#include "ipsec/charon-plugin/connection.h"
#include "ipsec/charon-plugin/events.h"

struct masugata_greeter_t {
  masugata_registry_t* registry;
  uint64_t generation;
  uint64_t masugatad_generation; /* 0: never met */
  const char* complaint;         /* the last one, so that it is made once */
};

masugata_greeter_t* masugata_greeter_create(masugata_registry_t* registry) {
  masugata_greeter_t* greeter;
  INIT(greeter, .registry = registry, );
  /* With no random bytes at all the clock still tells two starts apart. */
  if (getrandom(&greeter->generation, sizeof greeter->generation, 0) !=
      sizeof greeter->generation) {
    greeter->generation = ((uint64_t)time(NULL) << 32) | (uint64_t)getpid();
  }
  return greeter;
}

void masugata_greeter_destroy(masugata_greeter_t* greeter) { free(greeter); }

static bool is_trusted(int socket) {
  struct ucred peer = {0};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return FALSE;
  if (peer.uid == 0 || peer.uid == geteuid()) return TRUE;
  DBG1(DBG_KNL, "kernel-masugata: user %u listens in masugatad's place: no keys for it",
       (u_int)peer.uid);
  return FALSE;
}

int masugata_connect(const char* path, u_int timeout_ms) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const struct timeval limit = {.tv_sec = timeout_ms / 1000,
                                .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
  if (strlen(path) >= sizeof address.sun_path) {
    DBG1(DBG_KNL, "kernel-masugata: the path of the socket is too long: %s", path);
    return -1;
  }
  strcpy(address.sun_path, path);
  const int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  /* A full backlog would hold connect() without a limit. */
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(descriptor, (struct sockaddr*)&address, sizeof address) != 0 ||
      !is_trusted(descriptor)) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

static size_t size_of_type(uint16_t type) {
  switch (type) {
    case MASUGATA_SA_REPLY:
      return sizeof(struct masugata_sa_reply);
    case MASUGATA_SA_ACQUIRE:
      return sizeof(struct masugata_sa_acquire);
    case MASUGATA_SA_EXPIRE:
      return sizeof(struct masugata_sa_expire);
    case MASUGATA_SA_MAPPING:
      return sizeof(struct masugata_sa_mapping);
    default:
      return 0;
  }
}

bool masugata_is_message(const struct masugata_sa_header* header, ssize_t size) {
  return size >= (ssize_t)sizeof *header && header->magic == MASUGATA_SA_MAGIC &&
         header->version == MASUGATA_SA_VERSION && header->size == (size_t)size &&
         (size_t)size == size_of_type(header->type);
}

/* Replies come in order here, because nothing else is asked meanwhile; events may stand between.
 * One who refuses us answers before we ask, and closes: sending fails then, and so may the first
 * try to receive, and the answer is there still. */
static bool exchange(int socket, struct masugata_sa_header* request, u_int timeout_ms,
                     struct masugata_sa_reply* reply) {
  request->sequence = MASUGATA_SA_GREETING;
  ignore_result(send(socket, request, request->size, MSG_NOSIGNAL));
  for (;;) {
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    const int count = poll(&ready, 1, (int)timeout_ms);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return FALSE;
    const ssize_t size = recv(socket, reply, sizeof *reply, MSG_TRUNC | MSG_DONTWAIT);
    if (size < 0 && errno == ECONNRESET) continue;
    if (!masugata_is_message(&reply->header, size)) return FALSE;
    if (reply->header.type == MASUGATA_SA_REPLY) break;
  }
  reply->reason[sizeof reply->reason - 1] = '\0';
  return reply->header.sequence == MASUGATA_SA_GREETING;
}

static bool complain(masugata_greeter_t* greeter, const char* complaint) {
  if (greeter->complaint != complaint) DBG1(DBG_KNL, "kernel-masugata: %s", complaint);
  greeter->complaint = complaint;
  return FALSE;
}

/* masugatad was started anew: it has no SA. Outbound keys are never given again, because their
 * sequence numbers (the nonces of AES-GCM) are unknown now. charon shall make new SAs. */
static void expire_all(masugata_greeter_t* greeter) {
  struct masugata_sa_expire expire = {.hard = 1};
  bool leaving;
  u_int count = 0;
  while (masugata_registry_take_any(greeter->registry, &expire.name, &leaving)) {
    if (leaving || expire.name.direction != MASUGATA_SA_INBOUND) continue;
    masugata_raise_expire(&expire);
    ++count;
  }
  if (count > 0) {
    DBG1(DBG_KNL, "kernel-masugata: masugatad was started anew: %u CHILD_SAs have expired", count);
  }
}

static bool remove_leaving(masugata_greeter_t* greeter, int socket, u_int timeout_ms) {
  struct masugata_sa_about about = {0};
  struct masugata_sa_reply reply;
  masugata_header_init(&about.header, MASUGATA_SA_REMOVE, sizeof about);
  while (masugata_registry_take_leaving(greeter->registry, &about.name)) {
    if (exchange(socket, &about.header, timeout_ms, &reply)) continue;
    masugata_registry_add_sa(greeter->registry, &about.name);
    masugata_registry_leave_sa(greeter->registry, &about.name);
    return FALSE;
  }
  return TRUE;
}

static bool give_policies(masugata_greeter_t* greeter, int socket, u_int timeout_ms) {
  struct masugata_sa_plain flush;
  struct masugata_sa_reply reply;
  size_t count;
  masugata_header_init(&flush.header, MASUGATA_SA_FLUSH_POLICIES, sizeof flush);
  if (!exchange(socket, &flush.header, timeout_ms, &reply)) return FALSE;
  struct masugata_sa_policy* policies = masugata_registry_copy_policies(greeter->registry, &count);
  bool given = TRUE;
  for (size_t i = 0; i < count && given; ++i) {
    masugata_header_init(&policies[i].header, MASUGATA_SA_ADD_POLICY, sizeof policies[i]);
    given = exchange(socket, &policies[i].header, timeout_ms, &reply);
    if (given && reply.status != MASUGATA_SA_OK) {
      DBG1(DBG_KNL, "kernel-masugata: masugatad refused a policy that it had: %s", reply.reason);
    }
  }
  free(policies);
  return given;
}

bool masugata_greet(masugata_greeter_t* greeter, int socket, u_int timeout_ms) {
  struct masugata_sa_hello hello = {.generation = greeter->generation};
  struct masugata_sa_reply reply;
  masugata_header_init(&hello.header, MASUGATA_SA_HELLO, sizeof hello);
  snprintf(hello.daemon, sizeof hello.daemon, "%s, strongSwan %s", lib->ns,
           masugata_daemon_version());
  if (!exchange(socket, &hello.header, timeout_ms, &reply)) {
    return complain(greeter, "masugatad does not answer our greeting; is it of another version?");
  }
  if (reply.status == MASUGATA_SA_BUSY) {
    return complain(greeter, "another charon speaks to masugatad; waiting until it is gone");
  }
  if (reply.status != MASUGATA_SA_OK) return complain(greeter, "masugatad refuses our greeting");
  const bool anew =
      greeter->masugatad_generation != 0 && greeter->masugatad_generation != reply.generation;
  greeter->masugatad_generation = reply.generation;
  if (anew) expire_all(greeter);
  if (!remove_leaving(greeter, socket, timeout_ms) || !give_policies(greeter, socket, timeout_ms)) {
    return complain(greeter, "masugatad stopped answering during our greeting");
  }
  greeter->complaint = NULL;
  DBG1(DBG_KNL, "kernel-masugata: connected to masugatad");
  return TRUE;
}
