/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin's way to masugatad: connects by itself whenever masugatad is there, greets, gives
 * again what masugatad must know, and raises masugatad's events in charon. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_CONNECTION_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "ipsec/charon-plugin/registry.h"
#include "ipsec/sa/sa_messages.h"

typedef struct masugata_connection_t masugata_connection_t;

/* Reads charon-systemd.plugins.kernel-masugata.socket and .timeout_ms. Starts a thread; `registry`
 * outlives the connection. */
masugata_connection_t* masugata_connection_create(masugata_registry_t* registry);
void masugata_connection_destroy(masugata_connection_t* connection);

/* Fills a header; what follows it in the message is untouched. */
void masugata_header_init(struct masugata_sa_header* header, uint16_t type, size_t size);

/* Sends a request and waits for its reply, at most timeout_ms; any thread but that of events. False
 * when masugatad cannot be reached or does not answer: charon's log says so, once per cause. */
bool masugata_connection_ask(masugata_connection_t* connection, struct masugata_sa_header* request,
                             struct masugata_sa_reply* reply);

/* Sends a message without an answer, never waits: it is lost when masugatad is away or slow. */
void masugata_connection_tell(masugata_connection_t* connection,
                              struct masugata_sa_header* message);

#endif
