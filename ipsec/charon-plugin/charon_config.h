/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for the config.h that strongSwan's configure would write: no more than what its public
 * headers look at, as Debian 12 builds them. Every compilation of the plugin includes it first.
 */
#ifndef MASUGATA_IPSEC_CHARON_PLUGIN_CHARON_CONFIG_H
#define MASUGATA_IPSEC_CHARON_PLUGIN_CHARON_CONFIG_H

/* Tells library.h that a config.h was seen. */
#define CONFIG_H_INCLUDED

/* Debian configures --enable-mediation. That puts members into daemon_t, ike_sa_t and peer_cfg_t:
 * without this word every call behind them goes astray. layout.c watches over it. */
#define ME

/* The operating system. Wrong answers here would define functions twice, not shift a member. */
#define HAVE_STDBOOL_H 1
#define HAVE_ALLOCA_H 1
#define HAVE_SYS_PARAM_H 1
#define HAVE_CLOSEFROM 1
#define HAVE_SIGWAITINFO 1
#define HAVE_EXPLICIT_BZERO 1
#define HAVE_MEMRCHR 1
#define HAVE_FMEMOPEN 1
#define HAVE_INT128
#define HAVE_CLOCK_GETTIME 1
#define HAVE_CONDATTR_CLOCK_MONOTONIC
#define HAVE_GCC_ATOMIC_OPERATIONS

#endif
