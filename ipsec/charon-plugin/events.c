/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/charon-plugin/events.h"

#include <daemon.h>

#include "ipsec/charon-plugin/translate.h"

void masugata_raise_acquire(const struct masugata_sa_acquire* acquire) {
  kernel_acquire_data_t data = {
      .src = masugata_traffic_selector_of(&acquire->source),
      .dst = masugata_traffic_selector_of(&acquire->destination),
  };
  charon->kernel->acquire(charon->kernel, acquire->request_id, &data);
  DESTROY_IF(data.src);
  DESTROY_IF(data.dst);
}

void masugata_raise_expire(const struct masugata_sa_expire* expire) {
  host_t* destination = masugata_host_of(&expire->name.destination);
  if (!destination) return;
  charon->kernel->expire(charon->kernel, expire->name.protocol, htonl(expire->name.spi),
                         destination, expire->hard != 0);
  destination->destroy(destination);
}

void masugata_raise_mapping(const struct masugata_sa_mapping* mapping) {
  host_t* destination = masugata_host_of(&mapping->name.destination);
  host_t* remote = masugata_host_of(&mapping->remote);
  if (destination && remote) {
    charon->kernel->mapping(charon->kernel, mapping->name.protocol, htonl(mapping->name.spi),
                            destination, remote);
  }
  DESTROY_IF(destination);
  DESTROY_IF(remote);
}
