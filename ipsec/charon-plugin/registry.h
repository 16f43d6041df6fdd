/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What charon has handed over: needed to give it again, or to take it back, when the connection or
 * masugatad was lost. Keys are never kept. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_REGISTRY_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "ipsec/sa/sa_messages.h"

typedef struct masugata_registry_t masugata_registry_t;

/* Any thread. */
masugata_registry_t* masugata_registry_create(void);
void masugata_registry_destroy(masugata_registry_t* registry);

/* An SA or reserved SPI; one that is known already stays as it is. */
void masugata_registry_add_sa(masugata_registry_t* registry, const struct masugata_sa_name* name);
/* Finds the SA with this SPI and destination and completes `name` by its direction. */
bool masugata_registry_find_sa(masugata_registry_t* registry, struct masugata_sa_name* name);
void masugata_registry_move_sa(masugata_registry_t* registry, const struct masugata_sa_name* name,
                               const struct masugata_sa_address* destination);
void masugata_registry_remove_sa(masugata_registry_t* registry,
                                 const struct masugata_sa_name* name);
/* masugatad could not be told that the SA goes, or whether it came is not known. charon has
 * forgotten it; it is to be removed as soon as masugatad can be reached. */
void masugata_registry_leave_sa(masugata_registry_t* registry, const struct masugata_sa_name* name);
/* The SAs that leave: takes one out; false when there is none (left). */
bool masugata_registry_take_leaving(masugata_registry_t* registry, struct masugata_sa_name* name);
/* All SAs, leaving ones too: takes one out. */
bool masugata_registry_take_any(masugata_registry_t* registry, struct masugata_sa_name* name,
                                bool* leaving);
void masugata_registry_forget_sas(masugata_registry_t* registry);

void masugata_registry_add_policy(masugata_registry_t* registry,
                                  const struct masugata_sa_policy* policy);
/* One of those that are equal but for the header. */
void masugata_registry_remove_policy(masugata_registry_t* registry,
                                     const struct masugata_sa_policy* policy);
void masugata_registry_forget_policies(masugata_registry_t* registry);
/* A copy of all, *count of them, in the order of their coming; the caller frees it. */
struct masugata_sa_policy* masugata_registry_copy_policies(masugata_registry_t* registry,
                                                           size_t* count);

#endif
