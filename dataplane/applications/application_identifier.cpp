// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/applications/application_identifier.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

namespace masugata::dataplane {
namespace {

constexpr size_t kLargestPacket = 65536;

ids::Direction side_of(const Packet& packet) noexcept {
  return packet.direction == 0 ? ids::Direction::ToServer : ids::Direction::ToClient;
}

// Whatever is translated on the way, the classifier sees both directions between the same ends.
void write_ends(uint8_t* network, size_t length, size_t transport, const net::FlowKey& key) {
  if ((network[0] >> 4U) == 4) {
    if (length < 20) return;
    net::store(network + 12, key.source.v4());
    net::store(network + 16, key.destination.v4());
  } else {
    if (length < 40) return;
    std::memcpy(network + 8, key.source.bytes.data(), 16);
    std::memcpy(network + 24, key.destination.bytes.data(), 16);
  }
  const bool has_ports = key.protocol == net::Protocol::Tcp || key.protocol == net::Protocol::Udp;
  if (!has_ports || transport + 4 > length) return;
  net::store(network + transport, key.source_port);
  net::store(network + transport + 2, key.destination_port);
}

}  // namespace

ApplicationIdentifier::~ApplicationIdentifier() {
  for (uint32_t place = 0; place < used_; ++place) classifier_->end(entries_[place].flow);
}

Status ApplicationIdentifier::prepare(const IdentifierLimits& limits, MemorySource& memory) {
  if (classifier_ != nullptr) return {};
  auto classifier = ids::ApplicationClassifier::create(limits.flows);
  const uint32_t entries = limits.host_names + limits.flows;
  const bool taken = classifier != nullptr &&
                     slots_.allocate(memory, limits.sessions, "applications of sessions") &&
                     entries_.allocate(memory, entries, "applications of sessions") &&
                     free_.allocate(memory, entries, "applications of sessions");
  if (!taken) return failure("applications", "no memory to recognise them with");
  limits_ = limits;
  whole_ = std::make_unique_for_overwrite<uint8_t[]>(kLargestPacket);
  classifier_ = std::move(classifier);
  return {};
}

ApplicationIdentifier::Entry* ApplicationIdentifier::find(uint32_t session_index) noexcept {
  if (session_index >= slots_.size() || slots_[session_index] == 0) return nullptr;
  return &entries_[slots_[session_index] - 1];
}

ApplicationIdentifier::Entry* ApplicationIdentifier::open(const Session& session,
                                                          uint32_t session_index) noexcept {
  if (session_index >= slots_.size()) return nullptr;
  const bool reuses = free_count_ > 0;
  if (!reuses && used_ == entries_.size()) return nullptr;
  const uint32_t place = reuses ? free_[free_count_ - 1] : used_;
  Entry& entry = entries_[place];
  if (!classifier_->begin(entry.flow)) return nullptr;
  if (reuses) {
    --free_count_;
  } else {
    ++used_;
  }
  entry.serial = session.record.serial;
  entry.turns = 0;
  entry.turns_next = false;
  entry.host_bytes = 0;
  slots_[session_index] = place + 1;
  return &entry;
}

void ApplicationIdentifier::close(uint32_t session_index) noexcept {
  const uint32_t place = slots_[session_index] - 1;
  classifier_->end(entries_[place].flow);
  slots_[session_index] = 0;
  free_[free_count_++] = place;
  set_gauges();
}

size_t ApplicationIdentifier::copy(const Packet& packet, const Session& session) noexcept {
  const size_t length = std::min<size_t>(packet.network_length, kLargestPacket);
  const void* bytes = rte_pktmbuf_read(&packet.mbuf(), packet.link_length,
                                       static_cast<uint32_t>(length), whole_.get());
  if (bytes == nullptr) return 0;
  if (bytes != whole_.get()) std::memcpy(whole_.get(), bytes, length);
  const net::FlowKey& original = session.flow(Direction::Original).key;
  write_ends(whole_.get(), length,
             static_cast<size_t>(packet.transport_offset - packet.link_length),
             packet.direction == 0 ? original : original.reversed());
  return length;
}

bool ApplicationIdentifier::turns(const Packet& packet, const Session& session,
                                  Entry& entry) noexcept {
  if (packet.payload_length == 0) return false;
  if (entry.turns_next) {
    entry.turns_next = false;
    return true;
  }
  constexpr uint32_t kLookedAt = 2048;
  const uint32_t length = std::min<uint32_t>(packet.payload_length, kLookedAt);
  const void* bytes = rte_pktmbuf_read(&packet.mbuf(), packet.payload_offset, length, whole_.get());
  if (bytes == nullptr) return false;
  const ids::KnownContents known{session.record.application,
                                 session.record.application_carrier,
                                 {entry.host, entry.host_bytes}};
  const ids::ContentTurn turn =
      watcher_.look(known, side_of(packet), {static_cast<const uint8_t*>(bytes), length});
  entry.turns_next = turn == ids::ContentTurn::BehindThis;
  return turn == ids::ContentTurn::Now;
}

ContentNews ApplicationIdentifier::look(const Packet& packet, Session& session,
                                        uint32_t session_index, uint32_t now_ms) noexcept {
  SessionRecord& record = session.record;
  Entry* entry = classifier_ == nullptr ? nullptr : find(session_index);
  if (entry != nullptr && entry->serial != record.serial) {
    close(session_index);
    entry = nullptr;
  }
  const bool known = record.application != kApplicationNotKnown;
  // Nothing is kept of what cannot turn and has no name.
  if (entry == nullptr && known) return {.settled = true};
  if (entry == nullptr && classifier_ != nullptr) entry = open(session, session_index);
  if (entry == nullptr) {
    counters_.refused.add(1);
    record.application = config::kUnknownApplication;
    record.application_carrier = config::kUnknownApplication;
    return {.changed = true, .settled = true};
  }
  const bool looked_at = entry->flow.state != nullptr;
  if (known && !looked_at && !watcher_.may_turn(record.application, record.application_carrier)) {
    return {.settled = true};
  }
  if (known && turns(packet, session, *entry)) {
    if (entry->turns == limits_.turns) {
      counters_.exhausted.add(1);
      return {.exhausted = true};
    }
    classifier_->end(entry->flow);
    // Without room it stays what it was; the next turn tries again.
    if (!classifier_->begin(entry->flow)) {
      counters_.refused.add(1);
      return {};
    }
    ++entry->turns;
    counters_.turned.add(1);
  } else if (!looked_at) {
    return {};
  }
  return classify(packet, session, *entry, session_index, now_ms);
}

ContentNews ApplicationIdentifier::classify(const Packet& packet, Session& session, Entry& entry,
                                            uint32_t session_index, uint32_t now_ms) noexcept {
  const ids::ApplicationPacket seen{
      {whole_.get(), copy(packet, session)}, packet.payload_length, side_of(packet), now_ms};
  ids::ApplicationIdentity identity;
  const ids::Recognition recognition =
      classifier_->look(entry.flow, seen, limits_.budget, identity);
  set_gauges();
  if (recognition == ids::Recognition::Undecided) return {};
  SessionRecord& record = session.record;
  const bool first = record.application == kApplicationNotKnown;
  if (first) {
    const bool unknown = identity.application == config::kUnknownApplication;
    (unknown ? counters_.unknown : counters_.recognised).add(1);
  } else if (identity.application == config::kUnknownApplication) {
    // What comes behind the turn is not recognised; what carries it is.
    const bool carried = record.application_carrier != config::kUnknownApplication;
    identity.carrier = carried ? record.application_carrier : record.application;
  }
  const std::string_view host = ids::ApplicationClassifier::host_name(entry.flow);
  const std::string_view before(entry.host, entry.host_bytes);
  ContentNews news;
  news.changed = first || identity.application != record.application ||
                 identity.carrier != record.application_carrier ||
                 (!host.empty() && host != before);
  if (news.changed && !first) counters_.refined.add(1);
  record.application = identity.application;
  record.application_carrier = identity.carrier;
  // Nameless contents behind a turn keep the name: a tunnel is for the host that it was asked for.
  if (!host.empty()) {
    entry.host_bytes = static_cast<uint8_t>(std::min(host.size(), kHostBytes));
    std::memcpy(entry.host, host.data(), entry.host_bytes);
  }
  if (recognition != ids::Recognition::Final) return news;
  classifier_->end(entry.flow);
  news.settled = !watcher_.may_turn(identity.application, identity.carrier);
  if (news.settled && entry.host_bytes == 0) close(session_index);
  set_gauges();
  return news;
}

void ApplicationIdentifier::set_gauges() noexcept {
  counters_.flows.set(classifier_->flows_in_use());
  counters_.hosts.set(used_ - free_count_);
}

ApplicationFacts ApplicationIdentifier::contents_of(const Session& session,
                                                    uint32_t session_index) const noexcept {
  ApplicationFacts facts;
  if (session.record.application == kApplicationNotKnown) return facts;
  facts.known = true;
  facts.application = session.record.application;
  facts.carrier = session.record.application_carrier;
  if (session_index >= slots_.size() || slots_[session_index] == 0) return facts;
  const Entry& entry = entries_[slots_[session_index] - 1];
  if (entry.serial == session.record.serial) facts.host = {entry.host, entry.host_bytes};
  return facts;
}

void ApplicationIdentifier::session_ended(uint32_t session_index) noexcept {
  if (session_index < slots_.size() && slots_[session_index] != 0) close(session_index);
}

}  // namespace masugata::dataplane
