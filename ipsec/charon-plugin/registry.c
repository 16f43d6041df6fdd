/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/charon-plugin/registry.h"

#include <collections/linked_list.h>
#include <library.h>
#include <threading/mutex.h>

struct masugata_registry_t {
  mutex_t* mutex;
  linked_list_t* sas;      /* sa_entry_t */
  linked_list_t* policies; /* struct masugata_sa_policy */
};

typedef struct {
  struct masugata_sa_name name;
  bool leaving;
} sa_entry_t;

masugata_registry_t* masugata_registry_create(void) {
  masugata_registry_t* registry;
  INIT(registry, .mutex = mutex_create(MUTEX_TYPE_DEFAULT), .sas = linked_list_create(),
       .policies = linked_list_create(), );
  return registry;
}

void masugata_registry_destroy(masugata_registry_t* registry) {
  registry->sas->destroy_function(registry->sas, free);
  registry->policies->destroy_function(registry->policies, free);
  registry->mutex->destroy(registry->mutex);
  free(registry);
}

static bool same_sa(const struct masugata_sa_name* a, const struct masugata_sa_name* b) {
  return a->spi == b->spi && memcmp(&a->destination, &b->destination, sizeof a->destination) == 0;
}

/* With the mutex held. One that leaves is no longer charon's; a new one of the same name is
 * another. */
static sa_entry_t* find_sa(masugata_registry_t* registry, const struct masugata_sa_name* name) {
  sa_entry_t *entry, *found = NULL;
  enumerator_t* enumerator = registry->sas->create_enumerator(registry->sas);
  while (enumerator->enumerate(enumerator, &entry)) {
    if (!entry->leaving && same_sa(&entry->name, name)) {
      found = entry;
      break;
    }
  }
  enumerator->destroy(enumerator);
  return found;
}

void masugata_registry_add_sa(masugata_registry_t* registry, const struct masugata_sa_name* name) {
  sa_entry_t* entry;
  registry->mutex->lock(registry->mutex);
  if (!find_sa(registry, name)) {
    INIT(entry, .name = *name, );
    registry->sas->insert_last(registry->sas, entry);
  }
  registry->mutex->unlock(registry->mutex);
}

bool masugata_registry_find_sa(masugata_registry_t* registry, struct masugata_sa_name* name) {
  registry->mutex->lock(registry->mutex);
  sa_entry_t* entry = find_sa(registry, name);
  if (entry) name->direction = entry->name.direction;
  registry->mutex->unlock(registry->mutex);
  return entry != NULL;
}

void masugata_registry_move_sa(masugata_registry_t* registry, const struct masugata_sa_name* name,
                               const struct masugata_sa_address* destination) {
  registry->mutex->lock(registry->mutex);
  sa_entry_t* entry = find_sa(registry, name);
  if (entry) entry->name.destination = *destination;
  registry->mutex->unlock(registry->mutex);
}

void masugata_registry_remove_sa(masugata_registry_t* registry,
                                 const struct masugata_sa_name* name) {
  registry->mutex->lock(registry->mutex);
  sa_entry_t* entry = find_sa(registry, name);
  if (entry) {
    registry->sas->remove(registry->sas, entry, NULL);
    free(entry);
  }
  registry->mutex->unlock(registry->mutex);
}

void masugata_registry_leave_sa(masugata_registry_t* registry,
                                const struct masugata_sa_name* name) {
  registry->mutex->lock(registry->mutex);
  sa_entry_t* entry = find_sa(registry, name);
  if (entry) entry->leaving = TRUE;
  registry->mutex->unlock(registry->mutex);
}

static bool take(masugata_registry_t* registry, bool leaving_only, struct masugata_sa_name* name,
                 bool* leaving) {
  sa_entry_t* entry;
  bool taken = FALSE;
  registry->mutex->lock(registry->mutex);
  enumerator_t* enumerator = registry->sas->create_enumerator(registry->sas);
  while (enumerator->enumerate(enumerator, &entry)) {
    if (leaving_only && !entry->leaving) continue;
    registry->sas->remove_at(registry->sas, enumerator);
    taken = TRUE;
    break;
  }
  enumerator->destroy(enumerator);
  registry->mutex->unlock(registry->mutex);
  if (!taken) return FALSE;
  *name = entry->name;
  if (leaving) *leaving = entry->leaving;
  free(entry);
  return TRUE;
}

bool masugata_registry_take_leaving(masugata_registry_t* registry, struct masugata_sa_name* name) {
  return take(registry, TRUE, name, NULL);
}

bool masugata_registry_take_any(masugata_registry_t* registry, struct masugata_sa_name* name,
                                bool* leaving) {
  return take(registry, FALSE, name, leaving);
}

void masugata_registry_forget_sas(masugata_registry_t* registry) {
  struct masugata_sa_name name;
  while (take(registry, FALSE, &name, NULL)) continue;
}

void masugata_registry_add_policy(masugata_registry_t* registry,
                                  const struct masugata_sa_policy* policy) {
  struct masugata_sa_policy* copy = malloc_thing(struct masugata_sa_policy);
  *copy = *policy;
  registry->mutex->lock(registry->mutex);
  registry->policies->insert_last(registry->policies, copy);
  registry->mutex->unlock(registry->mutex);
}

/* `any_peer`: wherever the peer is. */
static bool same_policy(const struct masugata_sa_policy* a, const struct masugata_sa_policy* b,
                        bool any_peer) {
  const size_t start = sizeof a->header;
  struct masugata_sa_policy like = *a;
  if (any_peer) like.peer = b->peer;
  return memcmp((const char*)&like + start, (const char*)b + start, sizeof like - start) == 0;
}

static bool remove_policy(masugata_registry_t* registry, const struct masugata_sa_policy* policy,
                          bool any_peer) {
  struct masugata_sa_policy* candidate;
  bool found = FALSE;
  enumerator_t* enumerator = registry->policies->create_enumerator(registry->policies);
  while (!found && enumerator->enumerate(enumerator, &candidate)) {
    if (!same_policy(candidate, policy, any_peer)) continue;
    registry->policies->remove_at(registry->policies, enumerator);
    free(candidate);
    found = TRUE;
  }
  enumerator->destroy(enumerator);
  return found;
}

void masugata_registry_remove_policy(masugata_registry_t* registry,
                                     const struct masugata_sa_policy* policy) {
  registry->mutex->lock(registry->mutex);
  /* charon says where the peer is now, which need not be where it was. */
  if (!remove_policy(registry, policy, FALSE)) remove_policy(registry, policy, TRUE);
  registry->mutex->unlock(registry->mutex);
}

void masugata_registry_forget_policies(masugata_registry_t* registry) {
  void* policy;
  registry->mutex->lock(registry->mutex);
  while (registry->policies->remove_first(registry->policies, &policy) == SUCCESS) free(policy);
  registry->mutex->unlock(registry->mutex);
}

struct masugata_sa_policy* masugata_registry_copy_policies(masugata_registry_t* registry,
                                                           size_t* count) {
  struct masugata_sa_policy *policy, *copies;
  registry->mutex->lock(registry->mutex);
  const int size = registry->policies->get_count(registry->policies);
  copies = calloc(size > 0 ? size : 1, sizeof *copies);
  *count = 0;
  enumerator_t* enumerator = registry->policies->create_enumerator(registry->policies);
  while (enumerator->enumerate(enumerator, &policy)) copies[(*count)++] = *policy;
  enumerator->destroy(enumerator);
  registry->mutex->unlock(registry->mutex);
  return copies;
}
