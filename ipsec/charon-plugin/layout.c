/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shapes of strongSwan's structures that the plugin reaches into, as Debian 12's charon has
 * them on amd64. A build whose headers or whose charon_config.h say otherwise stops here.
 */
#include <daemon.h>
#include <kernel/kernel_ipsec.h>
#include <library.h>
#include <stddef.h>

#if defined(__x86_64__)
_Static_assert(sizeof(daemon_t) == 176, "daemon_t: is ME defined as Debian has it?");
_Static_assert(offsetof(daemon_t, initialize) == 136, "daemon_t: is ME defined?");
_Static_assert(offsetof(daemon_t, kernel) == 8, "daemon_t");
_Static_assert(offsetof(daemon_t, bus) == 88, "daemon_t");
_Static_assert(sizeof(ike_sa_t) == 728, "ike_sa_t: is ME defined as Debian has it?");
_Static_assert(sizeof(kernel_ipsec_t) == 15 * sizeof(void*), "kernel_ipsec_t");
_Static_assert(sizeof(chunk_t) == 16, "chunk_t");
#endif
_Static_assert(MODE_TRANSPORT == 1 && MODE_TUNNEL == 2, "ipsec_mode_t");
_Static_assert(POLICY_IN == 0 && POLICY_OUT == 1 && POLICY_FWD == 2, "policy_dir_t");
_Static_assert(POLICY_IPSEC == 1 && POLICY_PASS == 2 && POLICY_DROP == 3, "policy_type_t");
_Static_assert(POLICY_PRIORITY_PASS == 0 && POLICY_PRIORITY_FALLBACK == 3, "policy_priority_t");
