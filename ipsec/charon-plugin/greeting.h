/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said before any request: who we are, and what a masugatad that was away must know. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_GREETING_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_GREETING_H

#include <stdbool.h>
#include <sys/types.h>

#include "ipsec/charon-plugin/registry.h"
#include "ipsec/sa/sa_messages.h"

typedef struct masugata_greeter_t masugata_greeter_t;

/* Takes a generation for this start of charon. One thread. */
masugata_greeter_t* masugata_greeter_create(masugata_registry_t* registry);
void masugata_greeter_destroy(masugata_greeter_t* greeter);

/* A socket to masugatad, whose user is root or ours; -1 when there is none. Receiving from it waits
 * for as long as it takes, sending at most `timeout_ms`. */
int masugata_connect(const char* path, u_int timeout_ms);

/* Says Hello and waits for the answer; takes back SAs that charon has forgotten in the meantime;
 * lets those expire that a masugatad which was started anew cannot have; gives policies again. Each
 * answer may take `timeout_ms`. False when the socket is of no use; charon's log says why, once. */
bool masugata_greet(masugata_greeter_t* greeter, int socket, u_int timeout_ms);

/* Whether `size` bytes received are a whole message of masugatad's, of a type and size that exist.
 */
bool masugata_is_message(const struct masugata_sa_header* header, ssize_t size);

#endif
