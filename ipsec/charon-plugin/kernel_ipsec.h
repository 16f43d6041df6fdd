/* SPDX-License-Identifier: GPL-2.0-or-later */
/* charon's kernel interface, carried out by masugatad instead of the kernel. */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_KERNEL_IPSEC_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_KERNEL_IPSEC_H

#include <kernel/kernel_ipsec.h>

/* A kernel_ipsec_constructor_t. Registers the listener of alerts, too: both use one connection. */
kernel_ipsec_t* masugata_kernel_ipsec_create(void);

#endif
