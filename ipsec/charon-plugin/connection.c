/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "ipsec/charon-plugin/connection.h"

#include <collections/linked_list.h>
#include <errno.h>
#include <library.h>
#include <poll.h>
#include <sys/socket.h>
#include <threading/condvar.h>
#include <threading/mutex.h>
#include <threading/thread.h>
#include <unistd.h>

#include "ipsec/charon-plugin/events.h"
#include "ipsec/charon-plugin/greeting.h"

enum {
  kDefaultTimeoutMs = 3000,
  kRetryMs = 200,
  kFullQueueMs = 10,
};

typedef enum {
  kGreeting, /* the first attempt, or connected and not yet through with what masugatad must know */
  kUp,
  kDown,
} state_t;

struct masugata_connection_t {
  masugata_greeter_t* greeter;
  char* path;
  u_int timeout_ms;
  thread_t* thread;
  mutex_t* mutex; /* guards all below */
  condvar_t* changed;
  state_t state;
  bool stopping;
  int socket; /* valid while kUp */
  uint32_t sequence;
  linked_list_t* waiting; /* waiting_t */
};

/* On the stack of who asks. */
typedef struct {
  uint32_t sequence;
  struct masugata_sa_reply* reply;
  bool answered;
  bool lost; /* the connection is gone */
} waiting_t;

void masugata_header_init(struct masugata_sa_header* header, uint16_t type, size_t size) {
  *header = (struct masugata_sa_header){
      .magic = MASUGATA_SA_MAGIC,
      .version = MASUGATA_SA_VERSION,
      .type = type,
      .size = (uint32_t)size,
  };
}

static timeval_t deadline_after(u_int milliseconds) {
  timeval_t now, add = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  time_monotonic(&now);
  timeradd(&now, &add, &now);
  return now;
}

static bool is_past(timeval_t deadline) {
  timeval_t now;
  time_monotonic(&now);
  return !timercmp(&now, &deadline, <);
}

/* With the mutex held, which is released while waiting. */
static bool send_before(masugata_connection_t* connection, const struct masugata_sa_header* message,
                        timeval_t deadline) {
  while (connection->state == kUp) {
    const ssize_t sent =
        send(connection->socket, message, message->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == (ssize_t)message->size) return TRUE;
    if (sent >= 0 || (errno != EAGAIN && errno != EINTR) || is_past(deadline)) return FALSE;
    connection->changed->timed_wait(connection->changed, connection->mutex, kFullQueueMs);
  }
  return FALSE;
}

static bool wait_for_reply(masugata_connection_t* connection, waiting_t* waiting,
                           timeval_t deadline) {
  while (!waiting->answered && !waiting->lost) {
    if (connection->changed->timed_wait_abs(connection->changed, connection->mutex, deadline)) {
      break;
    }
  }
  return waiting->answered;
}

/* 0 stands for no answer, MASUGATA_SA_GREETING for another time. */
static uint32_t next_sequence(masugata_connection_t* connection) {
  connection->sequence = connection->sequence % (MASUGATA_SA_GREETING - 1) + 1;
  return connection->sequence;
}

bool masugata_connection_ask(masugata_connection_t* connection, struct masugata_sa_header* request,
                             struct masugata_sa_reply* reply) {
  const timeval_t deadline = deadline_after(connection->timeout_ms);
  waiting_t waiting = {.reply = reply};
  bool expired = FALSE;
  connection->mutex->lock(connection->mutex);
  while (connection->state == kGreeting && !expired) {
    expired = connection->changed->timed_wait_abs(connection->changed, connection->mutex, deadline);
  }
  if (connection->state == kUp) {
    waiting.sequence = request->sequence = next_sequence(connection);
    connection->waiting->insert_last(connection->waiting, &waiting);
    const bool sent = send_before(connection, request, deadline);
    if (!sent || !wait_for_reply(connection, &waiting, deadline)) {
      /* Whether the request was carried out is not known: the greeting sets things right. */
      if (!waiting.lost) {
        DBG1(DBG_KNL, "kernel-masugata: masugatad does not answer; connecting anew");
        if (connection->state == kUp) shutdown(connection->socket, SHUT_RDWR);
      }
    }
    connection->waiting->remove(connection->waiting, &waiting, NULL);
  }
  connection->mutex->unlock(connection->mutex);
  return waiting.answered;
}

void masugata_connection_tell(masugata_connection_t* connection,
                              struct masugata_sa_header* message) {
  message->sequence = 0;
  connection->mutex->lock(connection->mutex);
  if (connection->state == kUp) {
    ignore_result(send(connection->socket, message, message->size, MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  connection->mutex->unlock(connection->mutex);
}

static void hand_over_reply(masugata_connection_t* connection,
                            const struct masugata_sa_reply* reply) {
  waiting_t* waiting;
  connection->mutex->lock(connection->mutex);
  enumerator_t* enumerator = connection->waiting->create_enumerator(connection->waiting);
  while (enumerator->enumerate(enumerator, &waiting)) {
    if (waiting->sequence != reply->header.sequence) continue;
    *waiting->reply = *reply;
    waiting->answered = TRUE;
    connection->changed->broadcast(connection->changed);
    break;
  }
  enumerator->destroy(enumerator);
  connection->mutex->unlock(connection->mutex);
}

/* One message from masugatad; false when the connection is of no more use. */
static bool receive(masugata_connection_t* connection, int socket) {
  union {
    struct masugata_sa_header header;
    struct masugata_sa_reply reply;
    struct masugata_sa_acquire acquire;
    struct masugata_sa_expire expire;
    struct masugata_sa_mapping mapping;
  } message;
  const ssize_t size = recv(socket, &message, sizeof message, MSG_TRUNC);
  if (size < 0) return errno == EINTR;
  if (!masugata_is_message(&message.header, size)) {
    if (size > 0) DBG1(DBG_KNL, "kernel-masugata: a message of masugatad's is not understood");
    return FALSE;
  }
  switch (message.header.type) {
    case MASUGATA_SA_REPLY:
      message.reply.reason[sizeof message.reply.reason - 1] = '\0';
      hand_over_reply(connection, &message.reply);
      break;
    case MASUGATA_SA_ACQUIRE:
      masugata_raise_acquire(&message.acquire);
      break;
    case MASUGATA_SA_EXPIRE:
      masugata_raise_expire(&message.expire);
      break;
    default:
      masugata_raise_mapping(&message.mapping);
      break;
  }
  return TRUE;
}

static void set_state(masugata_connection_t* connection, state_t state, int socket) {
  waiting_t* waiting;
  connection->mutex->lock(connection->mutex);
  const int old = connection->socket;
  connection->state = state;
  connection->socket = socket;
  if (state != kUp) {
    enumerator_t* enumerator = connection->waiting->create_enumerator(connection->waiting);
    while (enumerator->enumerate(enumerator, &waiting)) waiting->lost = TRUE;
    enumerator->destroy(enumerator);
  }
  /* Under the mutex: nobody can be about to send to a number that means another file soon. */
  if (old >= 0 && old != socket) close(old);
  connection->changed->broadcast(connection->changed);
  connection->mutex->unlock(connection->mutex);
}

static bool is_stopping(masugata_connection_t* connection) {
  connection->mutex->lock(connection->mutex);
  const bool stopping = connection->stopping;
  connection->mutex->unlock(connection->mutex);
  return stopping;
}

static void rest(masugata_connection_t* connection) {
  connection->mutex->lock(connection->mutex);
  if (!connection->stopping) {
    connection->changed->timed_wait(connection->changed, connection->mutex, kRetryMs);
  }
  connection->mutex->unlock(connection->mutex);
}

static void* run(void* data) {
  masugata_connection_t* connection = data;
  while (!is_stopping(connection)) {
    const int socket = masugata_connect(connection->path, connection->timeout_ms);
    if (socket >= 0) set_state(connection, kGreeting, -1);
    if (socket < 0 || !masugata_greet(connection->greeter, socket, connection->timeout_ms)) {
      if (socket >= 0) close(socket);
      set_state(connection, kDown, -1);
      rest(connection);
      continue;
    }
    set_state(connection, kUp, socket);
    while (!is_stopping(connection) && receive(connection, socket)) continue;
    set_state(connection, kDown, -1);
    if (!is_stopping(connection)) {
      DBG1(DBG_KNL, "kernel-masugata: masugatad is gone; no SA can be installed until it is back");
    }
  }
  return NULL;
}

masugata_connection_t* masugata_connection_create(masugata_registry_t* registry) {
  masugata_connection_t* connection;
  const int timeout_ms = lib->settings->get_int(
      lib->settings, "%s.plugins.kernel-masugata.timeout_ms", kDefaultTimeoutMs, lib->ns);
  INIT(connection, .greeter = masugata_greeter_create(registry),
       .path = strdup(lib->settings->get_str(lib->settings, "%s.plugins.kernel-masugata.socket",
                                             MASUGATA_SA_SOCKET, lib->ns)),
       .timeout_ms = timeout_ms > 0 ? (u_int)timeout_ms : kDefaultTimeoutMs,
       .mutex = mutex_create(MUTEX_TYPE_DEFAULT), .changed = condvar_create(CONDVAR_TYPE_DEFAULT),
       .state = kGreeting, .socket = -1, .waiting = linked_list_create(), );
  connection->thread = thread_create(run, connection);
  return connection;
}

void masugata_connection_destroy(masugata_connection_t* connection) {
  connection->mutex->lock(connection->mutex);
  connection->stopping = TRUE;
  if (connection->socket >= 0) shutdown(connection->socket, SHUT_RDWR);
  connection->changed->broadcast(connection->changed);
  connection->mutex->unlock(connection->mutex);
  if (connection->thread) connection->thread->join(connection->thread);
  if (connection->socket >= 0) close(connection->socket);
  connection->waiting->destroy(connection->waiting);
  connection->changed->destroy(connection->changed);
  connection->mutex->destroy(connection->mutex);
  masugata_greeter_destroy(connection->greeter);
  free(connection->path);
  free(connection);
}
