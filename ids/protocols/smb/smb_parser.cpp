// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smb/smb_parser.h"

#include <algorithm>
#include <array>
#include <deque>

#include "ids/protocols/event_names.h"
#include "ids/protocols/smb/smb_message.h"
#include "ids/protocols/smb/smb_transaction.h"

namespace masugata::ids {
namespace {

constexpr size_t kHeadBytes = 2560;      // of a message, to hold its fields and a name
constexpr size_t kMaximumPending = 128;  // requests whose answers matter
constexpr size_t kMaximumOpenFiles = 64;
constexpr size_t kFrameHeader = 4;
constexpr size_t kNextCommand = 20;  // SMB2 header field
constexpr size_t kSmallestMessage2 = 64;

class SmbParser final : public ProtocolParser {
 public:
  explicit SmbParser(const ParserDemands& demands) noexcept
      : ProtocolParser(ApplicationProtocol::Smb), demands_(demands) {}

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t /*time_us*/) noexcept override;
  ParseOutcome on_gap(Direction direction, uint64_t missing) noexcept override;
  void on_end(Direction direction) noexcept override;

 private:
  struct OpenFile {
    SmbFileId id{};
    std::string name;
    std::array<SmbTransaction*, 2> transfer{};  // by Direction; null before the first byte
  };
  struct Pending {
    uint64_t message_id = 0;
    SmbKind kind = SmbKind::Other;
    std::string name;                   // Create
    SmbFileId file{};                   // Read
    uint64_t file_offset = 0;           // Read
    SmbTransaction* connect = nullptr;  // TreeConnect
  };
  // One direction's place in its stream.
  struct Side {
    std::array<uint8_t, kFrameHeader> frame{};
    size_t frame_bytes = 0;     // of `frame` that are there
    uint64_t frame_left = 0;    // of the frame, not read from the stream yet
    std::vector<uint8_t> head;  // of a message
    uint64_t streaming = 0;     // bytes of the message behind its head
    uint64_t position = 0;      // in the message
    uint64_t data_from = 0;     // the bytes of the message that are a file's
    uint64_t data_to = 0;
    SmbTransaction* target = nullptr;
  };

  [[nodiscard]] bool take_frame_header(Side& side, std::span<const uint8_t>& bytes) noexcept;
  ParseOutcome take_head(Side& side, Direction direction) noexcept;
  void deliver(Side& side, std::span<const uint8_t> bytes) noexcept;
  void take_request(Side& side, SmbMessage& message) noexcept;
  void take_response(Side& side, SmbMessage& message) noexcept;
  void begin_data(Side& side, Direction direction, const SmbMessage& message, const SmbFileId& file,
                  uint64_t file_offset) noexcept;
  [[nodiscard]] SmbTransaction* begin_transaction(uint8_t version) noexcept;
  void note(Direction direction, uint8_t event) noexcept;
  void forget(const SmbTransaction* transaction) noexcept;
  void close(OpenFile& file, bool broken) noexcept;
  void expect(Pending pending) noexcept;

  const ParserDemands& demands_;
  std::array<Side, 2> sides_;
  std::deque<Pending> pending_;
  std::deque<OpenFile> open_;
  EventSet noted_;       // each kind of event once per flow
  bool failed_ = false;  // no room for another transaction
};

// On a transaction of its own: what it is about may never become one.
void SmbParser::note(Direction direction, uint8_t event) noexcept {
  if (noted_.test(event)) {
    return;
  }
  noted_.set(event);
  SmbTransaction* const transaction = begin_transaction(2);
  if (transaction != nullptr) {
    transaction->raise(direction, event);
    transaction->finish(false);
  }
}

SmbTransaction* SmbParser::begin_transaction(uint8_t version) noexcept {
  auto* transaction =
      static_cast<SmbTransaction*>(append(std::make_unique<SmbTransaction>(demands_)));
  // Some may have been ended because there are too many.
  for (const auto& each : transactions()) {
    if (each->complete()) {
      forget(static_cast<const SmbTransaction*>(each.get()));
    }
  }
  failed_ = failed_ || transaction == nullptr;
  if (transaction != nullptr) {
    transaction->version = version;
  }
  return transaction;
}

void SmbParser::forget(const SmbTransaction* transaction) noexcept {
  for (Side& side : sides_) {
    side.target = side.target == transaction ? nullptr : side.target;
  }
  for (Pending& pending : pending_) {
    pending.connect = pending.connect == transaction ? nullptr : pending.connect;
  }
  for (OpenFile& file : open_) {
    for (SmbTransaction*& transfer : file.transfer) {
      transfer = transfer == transaction ? nullptr : transfer;
    }
  }
}

void SmbParser::close(OpenFile& file, bool broken) noexcept {
  for (SmbTransaction*& transfer : file.transfer) {
    if (transfer != nullptr) {
      SmbTransaction* ended = transfer;
      ended->finish(broken);
      forget(ended);
    }
  }
}

void SmbParser::expect(Pending pending) noexcept {
  if (pending_.size() >= kMaximumPending) {
    if (pending_.front().connect != nullptr) {
      pending_.front().connect->finish(true);
    }
    pending_.pop_front();
  }
  pending_.push_back(std::move(pending));
}

ParseOutcome SmbParser::on_data(Direction direction, std::span<const uint8_t> bytes,
                                uint64_t /*time_us*/) noexcept {
  Side& side = sides_[index_of(direction)];
  if (side.target != nullptr) {
    side.target->collection().begin_input();
  }
  for (;;) {
    if (side.streaming > 0) {
      const auto run = bytes.first(std::min<uint64_t>(bytes.size(), side.streaming));
      deliver(side, run);
      bytes = bytes.subspan(run.size());
      side.streaming -= run.size();
      side.frame_left -= run.size();
    } else if (side.frame_left == 0 && side.head.empty()) {
      if (!take_frame_header(side, bytes)) {
        return ParseOutcome::Going;
      }
    } else {
      const uint64_t wanted = std::min<uint64_t>(kHeadBytes, side.head.size() + side.frame_left);
      const auto run = bytes.first(std::min<uint64_t>(bytes.size(), wanted - side.head.size()));
      side.head.insert(side.head.end(), run.begin(), run.end());
      bytes = bytes.subspan(run.size());
      side.frame_left -= run.size();
      if (side.head.size() < wanted) {
        return ParseOutcome::Going;
      }
      const ParseOutcome outcome = take_head(side, direction);
      if (outcome != ParseOutcome::Going) {
        return outcome;
      }
    }
    if (bytes.empty() && (side.streaming > 0 || side.head.empty())) {
      return ParseOutcome::Going;
    }
  }
}

// RFC 1002 section 4.3.1: a type and a length; only type 0 carries messages.
bool SmbParser::take_frame_header(Side& side, std::span<const uint8_t>& bytes) noexcept {
  while (side.frame_bytes < kFrameHeader) {
    if (bytes.empty()) {
      return false;
    }
    side.frame[side.frame_bytes++] = bytes[0];
    bytes = bytes.subspan(1);
  }
  side.frame_bytes = 0;
  side.frame_left = static_cast<uint64_t>(side.frame[1]) << 16U |
                    static_cast<uint64_t>(side.frame[2]) << 8U | side.frame[3];
  side.data_from = side.data_to = side.position = 0;
  if (side.frame[0] != 0) {
    side.streaming = side.frame_left;
  }
  return true;
}

ParseOutcome SmbParser::take_head(Side& side, Direction direction) noexcept {
  auto message = parse_smb_message(side.head);
  if (!message) {
    // 0xfd, 0xfc: encrypted or compressed from here on (MS-SMB2 section 2.2.41, 2.2.42).
    const bool hidden = side.head[0] == 0xfd || side.head[0] == 0xfc;
    if (!hidden) {
      note(direction, event_number(kSmbEventNames, "malformed_data"));
    }
    on_end(Direction::ToServer);
    return hidden ? ParseOutcome::Finished : ParseOutcome::Failed;
  }
  const uint64_t all = side.head.size() + side.frame_left;
  uint64_t length = all;
  if (message->version == 2) {
    uint64_t next = 0;
    for (size_t i = 4; i-- > 0;) {
      next = next << 8U | side.head[kNextCommand + i];
    }
    length = next >= kSmallestMessage2 && next < all ? next : all;
  }
  side.position = side.data_from = side.data_to = 0;
  side.target = nullptr;
  if (message->response == (direction == Direction::ToClient)) {
    if (message->response) {
      take_response(side, *message);
    } else {
      take_request(side, *message);
    }
  } else {
    note(direction, message->response ? event_number(kSmbEventNames, "response_to_server")
                                      : event_number(kSmbEventNames, "request_to_client"));
  }
  const size_t taken = std::min<uint64_t>(length, side.head.size());
  deliver(side, std::span<const uint8_t>{side.head}.first(taken));
  side.head.erase(side.head.begin(), side.head.begin() + static_cast<std::ptrdiff_t>(taken));
  side.streaming = length - taken;
  return failed_ ? ParseOutcome::Failed : ParseOutcome::Going;
}

void SmbParser::deliver(Side& side, std::span<const uint8_t> bytes) noexcept {
  const uint64_t from = std::max(side.position, side.data_from);
  const uint64_t to = std::min(side.position + bytes.size(), side.data_to);
  if (side.target != nullptr && from < to) {
    (void)side.target->collection().append(0, bytes.subspan(from - side.position, to - from));
    side.target->touch(Direction::ToServer);
    side.target->touch(Direction::ToClient);
  }
  side.position += bytes.size();
}

void SmbParser::take_request(Side& side, SmbMessage& message) noexcept {
  switch (message.kind) {
    case SmbKind::TreeConnect: {
      SmbTransaction* transaction = begin_transaction(message.version);
      if (transaction != nullptr) {
        transaction->share = std::move(message.name);
        expect({.message_id = message.message_id,
                .kind = message.kind,
                .name = {},
                .file = {},
                .file_offset = 0,
                .connect = transaction});
      }
      break;
    }
    case SmbKind::Create:
    case SmbKind::Read:
      expect({.message_id = message.message_id,
              .kind = message.kind,
              .name = std::move(message.name),
              .file = message.file,
              .file_offset = message.file_offset,
              .connect = nullptr});
      break;
    case SmbKind::Write:
      begin_data(side, Direction::ToServer, message, message.file, message.file_offset);
      break;
    case SmbKind::Close: {
      const auto file = std::find_if(open_.begin(), open_.end(),
                                     [&](const OpenFile& each) { return each.id == message.file; });
      if (file != open_.end()) {
        close(*file, false);
        open_.erase(file);
      }
      break;
    }
    case SmbKind::Other:
      break;
  }
}

void SmbParser::take_response(Side& side, SmbMessage& message) noexcept {
  const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& each) {
    return each.message_id == message.message_id && each.kind == message.kind;
  });
  if (found == pending_.end()) {
    return;
  }
  const Pending request = std::move(*found);
  pending_.erase(found);
  if (request.connect != nullptr) {
    request.connect->is_pipe = message.is_pipe;
    request.connect->finish(false);
  } else if (message.failed) {
    return;
  } else if (message.kind == SmbKind::Create) {
    if (open_.size() >= kMaximumOpenFiles) {
      close(open_.front(), true);
      open_.pop_front();
    }
    open_.push_back({message.file, request.name, {}});
  } else if (message.kind == SmbKind::Read) {
    begin_data(side, Direction::ToClient, message, request.file, request.file_offset);
  }
}

// Bytes are taken in the order in which they lie in the file; a jump ahead is a hole, what lies
// before has been seen.
void SmbParser::begin_data(Side& side, Direction direction, const SmbMessage& message,
                           const SmbFileId& id, uint64_t file_offset) noexcept {
  auto file =
      std::find_if(open_.begin(), open_.end(), [&](const OpenFile& each) { return each.id == id; });
  if (file == open_.end()) {
    if (open_.size() >= kMaximumOpenFiles) {
      close(open_.front(), true);
      open_.pop_front();
    }
    open_.push_back({id, {}, {}});  // opened before we came
    file = open_.end() - 1;
  }
  if (file->transfer[index_of(direction)] == nullptr) {
    SmbTransaction* transaction = begin_transaction(message.version);
    if (transaction == nullptr) {
      return;
    }
    (void)transaction->collection().open(direction, file->name);
    file->transfer[index_of(direction)] = transaction;
  }
  SmbTransaction& transaction = *file->transfer[index_of(direction)];
  const uint64_t seen = transaction.files()[0].size;
  uint64_t again = 0;
  if (file_offset > seen) {
    transaction.collection().skip(0, file_offset - seen);
  } else {
    again = std::min<uint64_t>(seen - file_offset, message.data_bytes);
    if (again != 0) {
      transaction.raise(direction, event_number(kSmbEventNames, "file_overlap"));
    }
  }
  side.target = &transaction;
  side.data_from = message.data_at + again;
  side.data_to = uint64_t{message.data_at} + message.data_bytes;
}

ParseOutcome SmbParser::on_gap(Direction direction, uint64_t missing) noexcept {
  Side& side = sides_[index_of(direction)];
  if (missing > side.streaming) {
    on_end(Direction::ToServer);
    return ParseOutcome::Failed;
  }
  const uint64_t from = std::max(side.position, side.data_from);
  const uint64_t to = std::min(side.position + missing, side.data_to);
  if (side.target != nullptr && from < to) {
    side.target->collection().skip(0, to - from);
  }
  side.position += missing;
  side.streaming -= missing;
  side.frame_left -= missing;
  return ParseOutcome::Going;
}

void SmbParser::on_end(Direction /*direction*/) noexcept {
  for (OpenFile& file : open_) {
    close(file, true);
  }
  open_.clear();
  for (Pending& pending : pending_) {
    if (pending.connect != nullptr) {
      pending.connect->finish(true);
    }
  }
  pending_.clear();
}

}  // namespace

std::unique_ptr<ProtocolParser> make_smb_parser(const ParserDemands& demands) {
  return std::make_unique<SmbParser>(demands);
}

}  // namespace masugata::ids
