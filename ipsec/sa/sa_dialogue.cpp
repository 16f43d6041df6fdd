// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_dialogue.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "ipsec/sa/sa_message_reader.h"

namespace masugata::ipsec {
namespace {

// A message that check_header() has passed. A copy: nobody promises that the bytes are aligned.
// Wiped: it may hold keys.
template <class Message>
class Opened {
 public:
  explicit Opened(std::span<const uint8_t> bytes) noexcept {
    static_assert(std::is_trivially_copyable_v<Message>);
    std::memcpy(&message_, bytes.data(), sizeof message_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() { explicit_bzero(&message_, sizeof message_); }
  const Message& operator*() const noexcept { return message_; }

 private:
  Message message_;
};

void give_reason(const Fault& fault, masugata_sa_reply& reply) {
  const std::string text = fault.message();
  const size_t size = std::min(text.size(), sizeof reply.reason - 1);
  std::memcpy(reply.reason, text.data(), size);
  reply.status = MASUGATA_SA_REFUSED;
}

uint32_t status_of(bool found) noexcept { return found ? MASUGATA_SA_OK : MASUGATA_SA_NOT_FOUND; }

}  // namespace

void SaDialogue::end() {
  if (std::exchange(greeted_, false)) consumer_.charon_gone();
}

Result<std::optional<masugata_sa_reply>> SaDialogue::handle(std::span<uint8_t> message) {
  masugata_sa_reply reply{};
  bool wants_reply = true;
  Status valid = check_header(message);
  if (valid) {
    const Opened<masugata_sa_header> header(message.first(sizeof(masugata_sa_header)));
    const uint16_t type = (*header).type;
    if ((type == MASUGATA_SA_HELLO) == greeted_) {
      valid = failure("charon", greeted_ ? "greets twice" : "asks before it has greeted");
    } else if (type == MASUGATA_SA_ALERT) {
      valid = take_alert(message);
      wants_reply = false;
    } else {
      reply.header = {MASUGATA_SA_MAGIC, MASUGATA_SA_VERSION, MASUGATA_SA_REPLY,
                      sizeof(masugata_sa_reply), (*header).sequence};
      const Status carried_out = carry_out(message, reply);
      if (!carried_out) give_reason(carried_out.error(), reply);
    }
  }
  explicit_bzero(message.data(), message.size());
  if (!valid) return tl::unexpected(valid.error());
  return wants_reply ? std::optional(reply) : std::nullopt;
}

Status SaDialogue::carry_out(std::span<const uint8_t> message, masugata_sa_reply& reply) {
  const Opened<masugata_sa_header> header(message.first(sizeof(masugata_sa_header)));
  switch ((*header).type) {
    case MASUGATA_SA_HELLO:
      return greet(*Opened<masugata_sa_hello>(message), reply);
    case MASUGATA_SA_RESERVE_SPI:
      return reserve(*Opened<masugata_sa_reserve_spi>(message), reply);
    case MASUGATA_SA_ADD:
      return add(*Opened<masugata_sa_add>(message));
    case MASUGATA_SA_UPDATE:
      return update(*Opened<masugata_sa_update>(message), reply);
    case MASUGATA_SA_QUERY:
      return query(*Opened<masugata_sa_about>(message), reply);
    case MASUGATA_SA_REMOVE:
      return remove(*Opened<masugata_sa_about>(message), reply);
    case MASUGATA_SA_FLUSH:
      consumer_.flush();
      return {};
    case MASUGATA_SA_FLUSH_POLICIES:
      consumer_.flush_policies();
      return {};
    default:
      return change_policy(*Opened<masugata_sa_policy>(message), reply);
  }
}

Status SaDialogue::greet(const masugata_sa_hello& hello, masugata_sa_reply& reply) {
  if (charon_generation_ != hello.generation) {
    // Of the charon before, nobody will renew, move or remove an SA any more.
    consumer_.flush();
    consumer_.flush_policies();
    charon_generation_ = hello.generation;
  }
  greeted_ = true;
  reply.generation = generation_;
  std::string daemon(hello.daemon, strnlen(hello.daemon, sizeof hello.daemon));
  std::replace_if(
      daemon.begin(), daemon.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  consumer_.charon_connected(daemon);
  return {};
}

Status SaDialogue::reserve(const masugata_sa_reserve_spi& request, masugata_sa_reply& reply) {
  const auto local = read_address(request.destination);
  if (!local) return tl::unexpected(local.error());
  // The peer's address may not be known yet.
  const auto remote = request.source.family == 0 ? net::IpAddress{} : read_address(request.source);
  if (!remote) return tl::unexpected(remote.error());
  const auto spi = consumer_.reserve_spi(*local, *remote);
  if (!spi) return tl::unexpected(spi.error());
  reply.spi = *spi;
  return {};
}

Status SaDialogue::add(const masugata_sa_add& request) {
  auto parameters = read_parameters(request);
  if (!parameters) return tl::unexpected(parameters.error());
  return consumer_.install(std::move(*parameters));
}

Status SaDialogue::update(const masugata_sa_update& request, masugata_sa_reply& reply) {
  const auto name = read_name(request.name);
  if (!name) return tl::unexpected(name.error());
  const auto move = read_move(request);
  if (!move) return tl::unexpected(move.error());
  const auto moved = consumer_.update(*name, *move);
  if (!moved) return tl::unexpected(moved.error());
  reply.status = status_of(*moved);
  return {};
}

Status SaDialogue::query(const masugata_sa_about& request, masugata_sa_reply& reply) {
  const auto name = read_name(request.name);
  if (!name) return tl::unexpected(name.error());
  const auto use = consumer_.query(*name);
  reply.status = status_of(use.has_value());
  if (use) {
    reply.bytes = use->bytes;
    reply.packets = use->packets;
    reply.idle_seconds = use->idle_seconds.value_or(UINT64_MAX);
  }
  return {};
}

Status SaDialogue::remove(const masugata_sa_about& request, masugata_sa_reply& reply) {
  const auto name = read_name(request.name);
  if (!name) return tl::unexpected(name.error());
  reply.status = status_of(consumer_.remove(*name));
  return {};
}

Status SaDialogue::change_policy(const masugata_sa_policy& request, masugata_sa_reply& reply) {
  const auto policy = read_policy(request);
  if (!policy) return tl::unexpected(policy.error());
  if (request.header.type == MASUGATA_SA_ADD_POLICY) return consumer_.add_policy(*policy);
  reply.status = status_of(consumer_.remove_policy(*policy));
  return {};
}

Status SaDialogue::take_alert(std::span<const uint8_t> message) {
  const auto alert = read_alert(*Opened<masugata_sa_alert>(message));
  if (!alert) return tl::unexpected(alert.error());
  consumer_.alert(*alert);
  return {};
}

}  // namespace masugata::ipsec
