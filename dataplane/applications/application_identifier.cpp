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
  entry.host_bytes = 0;
  slots_[session_index] = place + 1;
  return &entry;
}

void ApplicationIdentifier::close(uint32_t session_index) noexcept {
  const uint32_t place = slots_[session_index] - 1;
  classifier_->end(entries_[place].flow);
  slots_[session_index] = 0;
  free_[free_count_++] = place;
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

bool ApplicationIdentifier::look(const Packet& packet, Session& session, uint32_t session_index,
                                 uint32_t now_ms) noexcept {
  SessionRecord& record = session.record;
  Entry* entry = classifier_ == nullptr ? nullptr : find(session_index);
  if (entry != nullptr && entry->serial != record.serial) {
    close(session_index);
    entry = nullptr;
  }
  if (entry == nullptr && classifier_ != nullptr) entry = open(session, session_index);
  if (entry == nullptr) {
    counters_.refused.add(1);
    record.application = config::kUnknownApplication;
    record.application_carrier = config::kUnknownApplication;
    return true;
  }
  const ids::ApplicationPacket seen{
      {whole_.get(), copy(packet, session)}, packet.payload_length, side_of(packet), now_ms};
  ids::ApplicationIdentity identity;
  if (!classifier_->look(entry->flow, seen, limits_.budget, identity)) return false;
  record.application = identity.application;
  record.application_carrier = identity.carrier;
  (identity.application == config::kUnknownApplication ? counters_.unknown : counters_.recognised)
      .add(1);
  const std::string_view host = ids::ApplicationClassifier::host_name(entry->flow);
  if (host.empty()) {
    close(session_index);
    return true;
  }
  entry->host_bytes = static_cast<uint8_t>(std::min(host.size(), kHostBytes));
  std::memcpy(entry->host, host.data(), entry->host_bytes);
  classifier_->end(entry->flow);
  return true;
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
