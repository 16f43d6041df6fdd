// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/object_guard.h"

#include <algorithm>
#include <functional>
#include <new>

#include "av-stream/objects/content_kind.h"
#include "dataplane/antivirus/hidden_words.h"
#include "net/sequence_number.h"

namespace masugata::dataplane {
namespace {

using av::RefusalReason;
using config::AvProtocol;

// The bytes of a content's id that say which use of the place is meant.
constexpr uint32_t kPlaceBits = 16;

void keep_facts(const ids::ContentFacts& from, const net::SipHashKey& url_secret,
                ObjectFacts& facts) noexcept {
  facts.protocol = from.protocol;
  facts.direction = from.direction;
  facts.name.set(from.name);
  facts.host.set(from.host);
  facts.location.set(from.location);
  facts.location_bytes = static_cast<uint32_t>(from.location.size());
  facts.url_key = facts.is_location_cut() ? av::url_key(url_secret, from.host, from.location) : 0;
  facts.media_type.set(from.media_type);
  facts.languages.set(from.languages);
  facts.tag.set(from.tag);
  facts.sender.set(from.sender);
  facts.recipients.set(from.recipients);
}

av::ScanReading reading_of(ids::ContentReading reading) noexcept {
  switch (reading) {
    case ids::ContentReading::LineEnds:
      return av::ScanReading::LineEnds;
    case ids::ContentReading::MailPart:
      return av::ScanReading::MailPart;
    case ids::ContentReading::AsGiven:
      break;
  }
  return av::ScanReading::AsIs;
}

// Where in its segment the message begins that carries a content, when all of it has come with that
// segment. In pipelined ones the end of another may stand before it.
std::optional<uint32_t> offset_of_message(const ids::ContentFacts& facts,
                                          std::span<const uint8_t> payload) noexcept {
  if (!facts.begins_with_packet || facts.direction != ids::Direction::ToClient) return std::nullopt;
  const auto* const first = payload.data();
  const bool inside = facts.first_byte != nullptr && !payload.empty() &&
                      !std::less<>()(facts.first_byte, first) &&
                      std::less<>()(facts.first_byte, first + payload.size());
  if (!inside) return std::nullopt;
  return static_cast<uint32_t>(facts.first_byte - first);
}

}  // namespace

ObjectGuard::ObjectGuard() = default;

ObjectGuard::~ObjectGuard() {
  for (ScannedObject& object : objects_) EVP_MD_CTX_free(object.digest);
}

Status ObjectGuard::prepare(const ObjectGuardLimits& limits, uint16_t worker) {
  if (is_ready()) return {};
  Result<av::WorkerRegion> region = av::WorkerRegion::create(limits.blocks);
  if (!region) return tl::unexpected(region.error());
  limits_ = limits;
  limits_.objects = std::min(limits.objects, (1U << kPlaceBits) - 1);
  worker_ = worker;
  next_reference_ = limits.first_reference;
  clean_ = std::make_unique<av::CleanObjects>(limits.clean_objects);
  records_ = std::make_unique<AntivirusRecordRing>();
  returned_ = std::make_unique<RecordRing<av::StoredObject, 256>>();
  held_ = HeldSegments(limits.held_segments);
  text_.resize(kLargestPayload + av::kLargestRefusalBytes);
  sessions_.resize(limits.sessions);
  for (uint32_t i = limits.sessions; i-- > 0;) free_sessions_.push_back(i);
  objects_.resize(limits_.objects);
  for (ScannedObject& object : objects_) {
    object.digest = EVP_MD_CTX_new();
    if (object.digest == nullptr || EVP_DigestInit_ex2(object.digest, EVP_sha256(), nullptr) != 1) {
      return failure("av", "no memory for the digests of objects");
    }
  }
  for (uint32_t i = limits_.objects; i-- > 0;) free_objects_.push_back(i);
  object_of_slot_.fill(kNone32);
  region_ = std::make_unique<av::WorkerRegion>(std::move(*region));
  return {};
}

void ObjectGuard::adopt(const AntivirusSet* set) noexcept {
  if (set == nullptr || set == set_) return;
  // Other limits may find otherwise what was clean.
  if (clean_ != nullptr && set_ != nullptr && set_->choices != set->choices) clean_->clear();
  set_ = set;
  adopted_.store(set->generation, std::memory_order_release);
}

uint32_t ObjectGuard::open(const GuardedSession& session) noexcept {
  if (!is_ready() || free_sessions_.empty()) return kNone32;
  const uint32_t place = free_sessions_.back();
  free_sessions_.pop_back();
  ScannedSession& opened = sessions_[place];
  opened.~ScannedSession();
  new (&opened) ScannedSession();
  opened.handle = session.session;
  opened.slot = session.slot;
  opened.key = session.key;
  opened.flow_id = session.flow_id;
  if (session.control != kNone32) open_transfer(opened, session.control);
  counters_.sessions_now.set(sessions_.size() - free_sessions_.size());
  return place;
}

void ObjectGuard::close(uint32_t place) noexcept {
  ScannedSession& session = sessions_[place];
  end_transfer(session);
  discard_held(session);
  forget_objects(session);
  unwatch(session);
  // Its data sessions may outlive it.
  session.handle = SessionHandle();
  session.answer.pattern = HeldPacket();
  if (current_ == place) current_ = kNone32;
  free_sessions_.push_back(place);  // within its capacity: it came out of here
  counters_.sessions_now.set(sessions_.size() - free_sessions_.size());
}

void ObjectGuard::begin_segment(uint32_t place, const SegmentPlace& segment, uint32_t now_ms,
                                uint64_t now_us) noexcept {
  current_ = place;
  segment_ = segment;
  payload_changed_ = false;
  pending_.any = false;
  now_ms_ = now_ms;
  now_us_ = now_us;
  ScannedSession& session = sessions_[place];
  for (uint32_t i = session.first_object; i != kNone32; i = objects_[i].next) {
    objects_[i].touched = false;
  }
}

ScannedObject* ObjectGuard::object_of(ids::ContentId content) noexcept {
  const uint32_t index = content & ((1U << kPlaceBits) - 1);
  if (current_ == kNone32 || index >= objects_.size()) return nullptr;
  ScannedObject& object = objects_[index];
  const bool same = object.phase == ObjectPhase::Collecting && object.session == current_ &&
                    object.serial == content >> kPlaceBits;
  return same ? &object : nullptr;
}

uint32_t ObjectGuard::new_object(uint32_t place) noexcept {
  ScannedSession& session = sessions_[place];
  if (free_objects_.empty() || session.objects >= limits_.objects_per_session) return kNone32;
  const uint32_t index = free_objects_.back();
  free_objects_.pop_back();
  ScannedObject& object = objects_[index];
  EVP_MD_CTX* digest = object.digest;
  const uint16_t serial = static_cast<uint16_t>(object.serial == 0xffff ? 1 : object.serial + 1);
  object = ScannedObject();
  object.digest = digest;
  // With no digest named the context is only set back: nothing is allocated.
  EVP_DigestInit_ex2(digest, nullptr, nullptr);
  object.serial = serial;
  object.session = place;
  object.phase = ObjectPhase::Collecting;
  object.news_ms = now_ms_;
  // At the end: objects of one direction complete in the order of their beginnings.
  uint32_t* link = &session.first_object;
  while (*link != kNone32) link = &objects_[*link].next;
  *link = index;
  ++session.objects;
  counters_.objects_now.set(objects_.size() - free_objects_.size());
  return index;
}

void ObjectGuard::stop_collecting(ScannedObject& object) noexcept {
  if (object.phase == ObjectPhase::Scanning || object.early_scan) {
    object_of_slot_[object.ticket.slot] = kNone32;
    region_->abandon(object.ticket);
    object.early_scan = false;
  }
  region_->release(object.stored);
  region_->release(object.tail);
}

void ObjectGuard::free_object(uint32_t index) noexcept {
  ScannedObject& object = objects_[index];
  ScannedSession& session = sessions_[object.session];
  stop_collecting(object);
  uint32_t* link = &session.first_object;
  while (*link != kNone32 && *link != index) link = &objects_[*link].next;
  if (*link == index) {
    *link = object.next;
    --session.objects;
  }
  object.phase = ObjectPhase::Free;
  free_objects_.push_back(index);
  counters_.objects_now.set(objects_.size() - free_objects_.size());
}

void ObjectGuard::forget_objects(ScannedSession& session) noexcept {
  while (session.first_object != kNone32) free_object(session.first_object);
}

ids::ContentId ObjectGuard::begin(const ids::ContentFacts& facts) noexcept {
  if (current_ == kNone32) return ids::kNoContent;
  ScannedSession& session = sessions_[current_];
  const config::AvProfile* choices = profile(session.slot);
  const auto protocol = scanned_protocol(facts.protocol);
  if (choices == nullptr || session.closed || pending_.any || !protocol ||
      !choices->scan[static_cast<size_t>(*protocol)]) {
    return ids::kNoContent;
  }
  counters_.objects.add(1);
  if (choices->exempt_above_bytes &&
      facts.announced_bytes.value_or(0) > *choices->exempt_above_bytes) {
    counters_.exempt.add(1);
    return ids::kNoContent;
  }
  const uint32_t index = new_object(current_);
  if (index == kNone32) {
    decide(session, kNone32, RefusalReason::Overload, av::ScanFailure::None, {}, 0);
    return ids::kNoContent;
  }
  ScannedObject& object = objects_[index];
  keep_facts(facts, set_->url_secret, object.facts);
  const uint64_t announced = facts.announced_bytes.value_or(0);
  object.useless_before_end = facts.kind == ids::ContentKind::Message && facts.useless_before_end;
  object.answered_next = facts.answered_next;
  object.reading = reading_of(facts.reading);
  if (facts.protocol == ids::ApplicationProtocol::Http && object.is_to_client()) {
    object.announced = facts.announced_bytes;
  }
  // While nothing of its message has passed there can be words in its place.
  const auto offset = offset_of_message(facts, segment_.payload);
  object.limits = object.whole_held = offset.has_value();
  object.hold_sequence = segment_.sequence + offset.value_or(0);
  object.touched = true;
  if (announced > choices->object_bytes) {
    judge(object, RefusalReason::TooLarge, av::ScanFailure::None, {}, 0);
  } else if (facts.coded) {
    judge(object, RefusalReason::Coded, av::ScanFailure::None, {}, 0);
  } else if (facts.range_first) {
    judge(object, RefusalReason::Partial, av::ScanFailure::None, {}, 0);
  }
  if (object.phase == ObjectPhase::Collecting && !pending_.any &&
      announced > choices->hold_whole_bytes) {
    object.limits = object.whole_held = false;
    object.hold_sequence = segment_.sequence;
  }
  // A part or a coded body that may pass is scanned all the same, as it is.
  if (object.phase != ObjectPhase::Collecting) return ids::kNoContent;
  return index | (uint32_t{object.serial} << kPlaceBits);
}

bool ObjectGuard::is_exempt(const ScannedObject& object,
                            std::span<const uint8_t> first) const noexcept {
  const config::AvProfile* choices = profile(sessions_[object.session].slot);
  if (choices == nullptr || choices->exempt_kinds == 0 || object.bytes != 0) return false;
  // Only what comes in one piece is told: an exemption is a favour, not a duty.
  const av::ContentKind kind = av::content_kind(first);
  return kind != av::ContentKind::Other &&
         (choices->exempt_kinds >> static_cast<unsigned>(kind) & 1U) != 0;
}

bool ObjectGuard::add_bytes(ScannedObject& object, std::span<const uint8_t> bytes) noexcept {
  return region_->append(object.early_scan ? object.tail : object.stored, bytes);
}

void ObjectGuard::bytes(ids::ContentId content, std::span<const uint8_t> bytes) noexcept {
  ScannedObject* object = object_of(content);
  if (object == nullptr || bytes.empty() || pending_.any) return;
  const config::AvProfile* choices = profile(sessions_[object->session].slot);
  if (is_exempt(*object, bytes)) {
    counters_.exempt.add(1);
    let_go(*object);
    return;
  }
  object->touched = true;
  object->asked_again = false;
  object->news_ms = now_ms_;
  counters_.bytes.add(bytes.size());
  if (choices == nullptr || object->bytes + bytes.size() > choices->object_bytes) {
    judge(*object, RefusalReason::TooLarge, av::ScanFailure::None, {}, 0);
    return;
  }
  if (!add_bytes(*object, bytes)) {
    judge(*object, RefusalReason::Overload, av::ScanFailure::None, {}, 0);
    return;
  }
  object->bytes += bytes.size();
  EVP_DigestUpdate(object->digest, bytes.data(), bytes.size());
}

void ObjectGuard::arrived(ids::ContentId content, size_t bytes) noexcept {
  ScannedObject* object = object_of(content);
  if (object == nullptr) return;
  object->touched = true;
  object->arrived += bytes;
  object->news_ms = now_ms_;
}

void ObjectGuard::end(ids::ContentId content, ids::ContentEnd end) noexcept {
  ScannedObject* object = object_of(content);
  if (object == nullptr || pending_.any) return;
  object->ended = true;
  object->complete = end == ids::ContentEnd::Whole;
  // All of its bytes may have passed; then its end must not.
  if (!object->limits) object->touched = true;
  finish(*object);
}

void ObjectGuard::request(std::string_view host, std::string_view location,
                          std::string_view languages, bool answered_next) noexcept {
  if (current_ == kNone32 || set_ == nullptr) return;
  ScannedSession& session = sessions_[current_];
  const config::AvProfile* choices = profile(session.slot);
  if (choices == nullptr || session.closed || pending_.any ||
      !choices->scan[static_cast<size_t>(AvProtocol::Http)]) {
    return;
  }
  // Behind other requests a page would be taken for the answer to one of them: then the response is
  // scanned once more.
  if (answered_next && set_->remembers_urls && set_->blocked_urls != nullptr &&
      set_->blocked_urls->size() != 0) {
    const uint64_t now_s = wall_s();
    const auto* blocked =
        set_->blocked_urls->find(av::url_key(set_->url_secret, host, location), now_s);
    if (blocked != nullptr) {
      const uint32_t index = new_object(current_);
      if (index != kNone32) {
        ScannedObject& object = objects_[index];
        object.phase = ObjectPhase::Told;
        object.facts.protocol = ids::ApplicationProtocol::Http;
        object.facts.direction = ids::Direction::ToServer;
        object.facts.host.set(host);
        object.facts.location.set(location);
        object.facts.location_bytes = static_cast<uint32_t>(location.size());
        object.facts.languages.set(languages);
      }
      counters_.urls_refused.add(1);
      decide(session, index, RefusalReason::UrlRemembered, av::ScanFailure::None,
             blocked->signature, 0);
      return;
    }
  }
  if (choices->partial == config::AvPartial::Whole && hide_range(segment_.payload, location)) {
    payload_changed_ = true;
    counters_.ranges_widened.add(1);
  }
}

void ObjectGuard::unannounced(const ids::ContentFacts& facts) noexcept {
  if (current_ == kNone32 || facts.direction != ids::Direction::ToClient) return;
  ScannedSession& session = sessions_[current_];
  const config::AvProfile* choices = profile(session.slot);
  const auto protocol = scanned_protocol(facts.protocol);
  if (choices == nullptr || session.closed || pending_.any || !protocol ||
      !choices->scan[static_cast<size_t>(*protocol)] ||
      choices->not_scanned == config::AvChoice::Pass) {
    return;
  }
  const uint32_t index = new_object(current_);
  if (index == kNone32) return;
  ScannedObject& object = objects_[index];
  keep_facts(facts, set_->url_secret, object.facts);
  object.unannounced = object.limits = object.whole_held = true;
  object.hold_sequence = segment_.sequence;
  if (const auto offset = offset_of_message(facts, segment_.payload)) {
    object.hold_sequence += *offset;
  } else if (session.announced_end && net::is_after(*session.announced_end, segment_.sequence)) {
    // They came before the segment that closed a gap.
    object.hold_sequence = *session.announced_end;
  }
  decide(session, index, RefusalReason::NotScanned, av::ScanFailure::None, {}, 0);
}

void ObjectGuard::encryption_asked(ids::ApplicationProtocol protocol) noexcept {
  if (current_ == kNone32) return;
  ScannedSession& session = sessions_[current_];
  const config::AvProfile* choices = profile(session.slot);
  if (choices == nullptr || !choices->refuse_encryption || session.closed) return;
  std::string_view word = "starttls";
  if (protocol == ids::ApplicationProtocol::Pop3) word = "stls";
  if (protocol == ids::ApplicationProtocol::Ftp) word = "auth";
  counters_.encryption_refused.add(1);
  // The server refuses in its own words a command that it does not know. What came in several
  // segments cannot be made another command any more.
  if (hide_command(segment_.payload, word)) {
    payload_changed_ = true;
    return;
  }
  decide(session, kNone32, RefusalReason::NotScanned, av::ScanFailure::None, {}, 0);
}

void ObjectGuard::opaque(ids::ApplicationProtocol protocol) noexcept {
  if (current_ == kNone32) return;
  ScannedSession& session = sessions_[current_];
  // A protocol that gives contents gives none any more: its parser gave up, or there is no memory
  // for it.
  const config::AvProfile* choices = profile(session.slot);
  const auto scanned = scanned_protocol(protocol);
  if (scanned && choices != nullptr && choices->scan[static_cast<size_t>(*scanned)]) {
    decide(session, kNone32, RefusalReason::NotScanned, av::ScanFailure::None, {}, 0);
  } else if (protocol == ids::ApplicationProtocol::Failed) {
    decide(session, kNone32, RefusalReason::UnknownProtocol, av::ScanFailure::None, {}, 0);
  }
  if (session.opaque) return;
  session.opaque = true;
  counters_.opaque_sessions.add(1);
}

}  // namespace masugata::dataplane
