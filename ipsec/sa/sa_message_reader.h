// SPDX-License-Identifier: GPL-2.0-or-later
// From the messages of charon's plugin to values: every field is checked before it is believed. The
// faults name the field and never a key byte. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>

#include "ipsec/sa/sa_consumer.h"
#include "ipsec/sa/sa_messages.h"
#include "ipsec/sa/sa_parameters.h"
#include "result/result.h"

namespace masugata::ipsec {

// Whether `message` is one whole message of this version, of a type that the plugin sends and of
// the size that belongs to the type.
[[nodiscard]] Status check_header(std::span<const uint8_t> message);

[[nodiscard]] Result<net::IpAddress> read_address(const masugata_sa_address& address);
[[nodiscard]] Result<SaName> read_name(const masugata_sa_name& name);
// Passes check(). A window below what we have becomes the smallest that we have: it never is off.
[[nodiscard]] Result<SaParameters> read_parameters(const masugata_sa_add& message);
[[nodiscard]] Result<SaMove> read_move(const masugata_sa_update& message);
[[nodiscard]] Result<SaPolicy> read_policy(const masugata_sa_policy& message);
[[nodiscard]] Result<CharonAlert> read_alert(const masugata_sa_alert& message);

// The other way, for events.
[[nodiscard]] masugata_sa_address write_address(const net::IpAddress& address,
                                                uint16_t port) noexcept;
[[nodiscard]] masugata_sa_name write_name(const SaName& name) noexcept;
[[nodiscard]] masugata_sa_selector write_selector(const TrafficSelector& selector) noexcept;

}  // namespace masugata::ipsec
