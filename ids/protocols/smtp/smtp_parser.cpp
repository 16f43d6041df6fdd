// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smtp/smtp_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>

#include "ids/protocols/content_feed.h"
#include "ids/protocols/mime/dot_decoder.h"
#include "ids/protocols/mime/line_reader.h"
#include "ids/protocols/smtp/smtp_envelope.h"
#include "ids/protocols/smtp/smtp_transaction.h"

namespace masugata::ids {
namespace {

using mime::begins_with;
using mime::Line;

constexpr size_t kMaximumLine = 4096;           // kept of a command or reply
constexpr uint64_t kLongestLine = 65535;        // beyond, no server takes it
constexpr uint64_t kLargestChunk = 0x7fffffff;  // what every server can count
constexpr size_t kMaximumUnanswered = 16384;    // commands without a reply yet

// What a reply may answer to.
enum class Command : uint8_t { Other, Data, EndOfMessage, Bdat, StartTls, Rset, Rcpt };

constexpr std::array<std::string_view, 16> kVerbs{
    "helo", "ehlo", "lhlo", "mail", "rcpt", "data",     "bdat", "rset",
    "quit", "noop", "vrfy", "expn", "help", "starttls", "auth", "etrn"};

bool is_verb(std::string_view text) noexcept {
  return std::any_of(kVerbs.begin(), kVerbs.end(),
                     [text](std::string_view verb) { return begins_with(text, verb); });
}

// The word after `skipped` bytes and blanks.
std::string_view word_after(std::string_view text, size_t skipped) noexcept {
  text.remove_prefix(std::min(skipped, text.size()));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find(' '));
}

class SmtpParser final : public ProtocolParser {
 public:
  explicit SmtpParser(const ParserDemands& demands) noexcept
      : ProtocolParser(ApplicationProtocol::Smtp), demands_(demands) {}

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t /*time_us*/) noexcept override {
    if (current_ != nullptr) {
      current_->begin_input();
    }
    const ParseOutcome outcome =
        direction == Direction::ToServer ? take_request(bytes) : take_replies(bytes);
    release_complete();
    return outcome;
  }
  ParseOutcome on_gap(Direction direction, uint64_t missing) noexcept override;
  void on_end(Direction direction) noexcept override;
  [[nodiscard]] ApplicationProtocol next_protocol() const noexcept override {
    return ApplicationProtocol::Tls;
  }
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return commands_.memory_bytes() + replies_.memory_bytes();
  }

 private:
  enum class Mode : uint8_t { Commands, Data, Chunk };

  ParseOutcome take_request(std::span<const uint8_t> bytes) noexcept;
  [[nodiscard]] bool take_command(const Line& line) noexcept;
  [[nodiscard]] bool begin_transaction(std::string_view command) noexcept;
  void check_line(const Line& line) noexcept;
  void take_mail_from(std::string_view text) noexcept;
  void take_recipient(std::string_view text) noexcept;
  [[nodiscard]] Command begin_data() noexcept;
  [[nodiscard]] Command begin_chunk(std::string_view text) noexcept;
  void take_data(std::span<const uint8_t>& bytes) noexcept;
  void take_chunk(std::span<const uint8_t>& bytes) noexcept;
  void end_chunk() noexcept;
  void end_message(bool broken) noexcept;
  void give(std::span<const uint8_t> bytes) noexcept;
  void abandon_content() noexcept;
  void lose_content() noexcept;

  ParseOutcome take_replies(std::span<const uint8_t> bytes) noexcept;
  ParseOutcome take_reply(const Line& line) noexcept;
  ParseOutcome answer(Command command, std::string_view code) noexcept;
  void raise(Direction direction, SmtpEvent event) noexcept {
    if (current_ != nullptr) {
      current_->raise_event(direction, event);
    }
  }
  void finish_current() noexcept;
  void release_complete() noexcept;

  const ParserDemands& demands_;
  // The newest transaction, until both of its sides are finished: then the engine may remove it.
  SmtpTransaction* current_ = nullptr;
  bool had_transaction_ = false;
  std::string helo_;

  // Apart from the transactions, which the engine may take away.
  SmtpEnvelope envelope_;
  ContentFeed content_;
  bool content_lost_ = false;  // of the message at hand: bytes are missing

  Mode mode_ = Mode::Commands;
  mime::LineReader commands_{kMaximumLine};
  mime::DotDecoder dots_;
  uint64_t chunk_left_ = 0;
  bool chunk_is_last_ = false;
  bool after_open_chunk_ = false;  // a chunk ended inside of a line; a command must follow
  uint8_t last_chunk_byte_ = '\n';

  mime::LineReader replies_{kMaximumLine};
  std::deque<Command> unanswered_;
  bool welcomed_ = false;        // the server's first reply is complete
  bool inside_reply_ = false;    // of several lines
  bool pipelining_ = false;      // the server offers it
  bool is_unclear_ = false;      // with a receiver: where messages begin and end
  bool data_confirmed_ = false;  // 354 was seen for the DATA at hand
};

bool SmtpParser::begin_transaction(std::string_view command) noexcept {
  if (current_ != nullptr && !current_->finished[index_of(Direction::ToServer)]) {
    return true;
  }
  // These two end what was before them; they begin nothing.
  if (had_transaction_) {
    if (begins_with(command, "rset") || begins_with(command, "quit")) {
      return true;
    }
  }
  finish_current();
  current_ =
      static_cast<SmtpTransaction*>(append(std::make_unique<SmtpTransaction>(demands_, helo_)));
  had_transaction_ = true;
  return current_ != nullptr;
}

void SmtpParser::finish_current() noexcept {
  if (current_ != nullptr) {
    current_->end_message(true);
    current_->finish(Direction::ToServer);
    current_->finish(Direction::ToClient);
    current_ = nullptr;
  }
}

ParseOutcome SmtpParser::take_request(std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    switch (mode_) {
      case Mode::Commands: {
        Line line;
        if (!commands_.next(bytes, line)) {
          return ParseOutcome::Going;
        }
        if (!take_command(line)) {
          return ParseOutcome::Failed;
        }
        break;
      }
      case Mode::Data:
        take_data(bytes);
        if (is_unclear_) {
          return ParseOutcome::Failed;
        }
        break;
      case Mode::Chunk:
        take_chunk(bytes);
        break;
    }
  }
  return ParseOutcome::Going;
}

void SmtpParser::check_line(const Line& line) noexcept {
  if (line.truncated()) {
    raise(Direction::ToServer, SmtpEvent::TruncatedLine);
  }
  if (line.length > kLongestLine) {
    raise(Direction::ToServer, SmtpEvent::MaxCommandLineLenExceeded);
  }
}

bool SmtpParser::take_command(const Line& line) noexcept {
  std::string_view text = line.text;
  // As servers do that look for words.
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (after_open_chunk_ && !is_verb(text)) {
    raise(Direction::ToServer, SmtpEvent::BdatChunkLenExceeded);
  }
  after_open_chunk_ = false;
  if (!begin_transaction(text)) {
    return false;
  }
  if (!welcomed_) {
    raise(Direction::ToServer, SmtpEvent::NoServerWelcomeMessage);
  }
  check_line(line);
  if (!unanswered_.empty() && unanswered_.back() == Command::StartTls) {
    raise(Direction::ToServer, SmtpEvent::InvalidPipelinedSequence);
  }
  Command command = Command::Other;
  if (begins_with(text, "starttls")) {
    command = Command::StartTls;
    if (content_receiver() != nullptr) {
      content_receiver()->encryption_asked(ApplicationProtocol::Smtp);
    }
  } else if (begins_with(text, "data")) {
    command = begin_data();
  } else if (begins_with(text, "bdat")) {
    command = begin_chunk(text);
  } else if (begins_with(text, "helo") || begins_with(text, "ehlo")) {
    abandon_content();
    if (helo_.empty()) {
      helo_ = word_after(text, 5);
      if (current_ != nullptr) {
        current_->helo = helo_;
      }
    } else {
      raise(Direction::ToServer, SmtpEvent::DuplicateFields);
    }
  } else if (begins_with(text, "mail from")) {
    take_mail_from(text);
  } else if (begins_with(text, "rcpt to")) {
    take_recipient(text);
    command = Command::Rcpt;
  } else if (begins_with(text, "rset")) {
    abandon_content();
    command = Command::Rset;
  }
  if (current_ != nullptr) {
    current_->touch(Direction::ToServer);
  }
  unanswered_.push_back(command);
  return unanswered_.size() <= kMaximumUnanswered && !is_unclear_;
}

void SmtpParser::take_mail_from(std::string_view text) noexcept {
  abandon_content();
  envelope_.begin(word_after(text, 10));
  if (current_->has_mail_from) {
    raise(Direction::ToServer, SmtpEvent::DuplicateFields);
    return;
  }
  current_->has_mail_from = true;
  current_->mail_from = word_after(text, 10);
}

void SmtpParser::take_recipient(std::string_view text) noexcept {
  envelope_.add(word_after(text, 8));
  if (current_->rcpt_to.size() < kMaximumRecipients) {
    current_->rcpt_to.emplace_back(word_after(text, 8));
  }
}

// The mail may come before the server's 354: whatever follows DATA is taken for mail until a
// refusal says that it was not.
Command SmtpParser::begin_data() noexcept {
  if (current_->has_message()) {
    raise(Direction::ToServer, SmtpEvent::UnparsableContent);
    finish_current();
    if (!begin_transaction("data")) {
      return Command::Other;
    }
  }
  current_->begin_message();
  mode_ = Mode::Data;
  data_confirmed_ = false;
  dots_.reset();
  return Command::Data;
}

Command SmtpParser::begin_chunk(std::string_view text) noexcept {
  const std::string_view size = word_after(text, 4);
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), chunk_left_);
  const bool readable = error == std::errc{} && end == size.data() + size.size();
  if (!readable || chunk_left_ > kLargestChunk) {
    chunk_left_ = 0;
    is_unclear_ = content_receiver() != nullptr;
    return Command::Other;
  }
  if (!current_->has_message()) {
    current_->begin_message();
  }
  const auto after = static_cast<size_t>(end - text.data());
  chunk_is_last_ = begins_with(word_after(text, after), "last");
  last_chunk_byte_ = '\n';
  mode_ = Mode::Chunk;
  if (chunk_left_ == 0) {
    end_chunk();
  }
  return Command::Bdat;
}

void SmtpParser::take_data(std::span<const uint8_t>& bytes) noexcept {
  if (!data_confirmed_ && !pipelining_ && welcomed_) {
    raise(Direction::ToServer, SmtpEvent::InvalidPipelinedSequence);
  }
  while (!bytes.empty() && !dots_.ended()) {
    const auto run = dots_.next(bytes);
    if (!run.empty()) {
      current_->feed_message(run);
      give(run);
    }
  }
  if (dots_.ended()) {
    mode_ = Mode::Commands;
    unanswered_.push_back(Command::EndOfMessage);
    content_lost_ = content_lost_ || !dots_.ended_strictly();
    // Some servers take what follows for more of the message, nobody knows which.
    is_unclear_ = is_unclear_ || (content_receiver() != nullptr && !dots_.ended_strictly());
    end_message(false);
  }
}

// The next bytes of the message.
void SmtpParser::give(std::span<const uint8_t> bytes) noexcept {
  if (content_receiver() == nullptr || content_lost_) {
    return;
  }
  if (!content_.is_open()) {
    const std::string recipients = envelope_.recipients();
    ContentFacts facts;
    facts.protocol = ApplicationProtocol::Smtp;
    facts.direction = Direction::ToServer;
    facts.kind = ContentKind::Message;
    facts.sender = envelope_.sender();
    facts.recipients = recipients;
    facts.useless_before_end = true;
    content_.begin(content_receiver(), facts);
  }
  content_.bytes(bytes);
}

// What comes of it after a loss is not given.
void SmtpParser::lose_content() noexcept {
  give({});
  content_.end(ContentEnd::Broken);
  content_lost_ = true;
}

// The client begins anew, or the message is not one.
void SmtpParser::abandon_content() noexcept {
  content_.end(ContentEnd::Broken);
  content_lost_ = false;
  envelope_.clear();
}

void SmtpParser::take_chunk(std::span<const uint8_t>& bytes) noexcept {
  const auto run = bytes.first(std::min<uint64_t>(bytes.size(), chunk_left_));
  current_->feed_message(run);
  give(run);
  bytes = bytes.subspan(run.size());
  chunk_left_ -= run.size();
  last_chunk_byte_ = run.back();
  if (chunk_left_ == 0) {
    end_chunk();
  }
}

void SmtpParser::end_chunk() noexcept {
  mode_ = Mode::Commands;
  after_open_chunk_ = last_chunk_byte_ != '\n';
  if (chunk_is_last_) {
    end_message(false);
  }
}

void SmtpParser::end_message(bool broken) noexcept {
  content_.end(broken || content_lost_ ? ContentEnd::Broken : ContentEnd::Whole);
  content_lost_ = false;
  envelope_.clear();
  current_->end_message(broken);
  current_->finish(Direction::ToServer);
}

ParseOutcome SmtpParser::take_replies(std::span<const uint8_t> bytes) noexcept {
  Line line;
  while (replies_.next(bytes, line)) {
    const ParseOutcome outcome = take_reply(line);
    if (outcome != ParseOutcome::Going) {
      return outcome;
    }
  }
  return ParseOutcome::Going;
}

// RFC 5321 section 4.2.1: 2yz to 5yz, y from 0 to 5.
bool is_reply_code(std::string_view text) noexcept {
  return text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && text[1] >= '0' && text[1] <= '5' &&
         text[2] >= '0' && text[2] <= '9';
}

ParseOutcome SmtpParser::take_reply(const Line& line) noexcept {
  const std::string_view text = line.text;
  if (text.empty() && line.ending_bytes == 1) {
    return ParseOutcome::Going;
  }
  if (line.truncated()) {
    raise(Direction::ToClient, SmtpEvent::TruncatedLine);
  }
  if (line.length > kLongestLine) {
    raise(Direction::ToClient, SmtpEvent::MaxReplyLineLenExceeded);
  }
  if (!is_reply_code(text)) {
    raise(Direction::ToClient, SmtpEvent::InvalidReply);
    return ParseOutcome::Going;
  }
  inside_reply_ = text.size() > 3 && text[3] == '-';
  const std::string_view code = text.substr(0, 3);
  const std::string_view keyword = text.substr(std::min<size_t>(4, text.size()));
  pipelining_ = pipelining_ || (welcomed_ && code == "250" && mime::equals(keyword, "pipelining"));
  if (inside_reply_) {
    return ParseOutcome::Going;
  }
  if (!welcomed_ && unanswered_.empty()) {
    welcomed_ = true;
    if (code != "220") {
      raise(Direction::ToClient, SmtpEvent::InvalidReply);
    }
    return ParseOutcome::Going;
  }
  welcomed_ = true;
  if (unanswered_.empty()) {
    return ParseOutcome::Going;  // a parting word (421) or more replies than commands
  }
  const Command command = unanswered_.front();
  unanswered_.pop_front();
  return answer(command, code);
}

ParseOutcome SmtpParser::answer(Command command, std::string_view code) noexcept {
  const bool accepted = code[0] == '2';
  switch (command) {
    case Command::StartTls:
      if (code == "220") {
        abandon_content();
        finish_current();
        return ParseOutcome::Changed;
      }
      raise(Direction::ToClient, SmtpEvent::TlsRejected);
      break;
    case Command::Data:
      if (code == "354") {
        data_confirmed_ = true;
      } else {
        raise(Direction::ToClient, SmtpEvent::DataCommandRejected);
        if (mode_ == Mode::Data) {
          // What comes now is commands again; the transaction goes on without a message.
          mode_ = Mode::Commands;
          commands_.reset();
          content_.end(ContentEnd::Broken);
          content_lost_ = false;
          finish_current();
        }
      }
      break;
    case Command::Rset:
      if (accepted && mode_ == Mode::Commands) {
        finish_current();
      }
      break;
    case Command::EndOfMessage:
    case Command::Bdat:
      if (current_ != nullptr && current_->finished[index_of(Direction::ToServer)]) {
        finish_current();
      }
      break;
    case Command::Rcpt:
      envelope_.answer(accepted);
      break;
    case Command::Other:
      // The server reads a command as DATA that is none here.
      if (code == "354" && content_receiver() != nullptr) {
        return ParseOutcome::Failed;
      }
      break;
  }
  if (current_ != nullptr) {
    current_->touch(Direction::ToClient);
  }
  return ParseOutcome::Going;
}

// Inside a message a loss breaks the message only; among commands nobody knows what was lost.
ParseOutcome SmtpParser::on_gap(Direction direction, uint64_t missing) noexcept {
  if (direction == Direction::ToClient) {
    replies_.reset();
    inside_reply_ = false;
    return ParseOutcome::Going;
  }
  if (mode_ == Mode::Chunk && missing < chunk_left_) {
    chunk_left_ -= missing;
    raise(Direction::ToServer, SmtpEvent::MimeParseFailed);
    current_->end_message(true);
    lose_content();
    return ParseOutcome::Going;
  }
  if (mode_ == Mode::Data) {
    raise(Direction::ToServer, SmtpEvent::MimeParseFailed);
    current_->end_message(true);
    lose_content();
    dots_.reset();
    return ParseOutcome::Going;
  }
  abandon_content();
  finish_current();
  return ParseOutcome::Failed;
}

void SmtpParser::on_end(Direction direction) noexcept {
  if (direction == Direction::ToServer) {
    abandon_content();
  }
  if (current_ == nullptr) {
    return;
  }
  if (direction == Direction::ToServer) {
    current_->end_message(true);
  }
  current_->finish(direction);
  release_complete();
}

// A side may end before the other has said all: a complete transaction is the engine's.
void SmtpParser::release_complete() noexcept {
  if (current_ != nullptr && current_->complete()) {
    current_ = nullptr;
    content_.end(ContentEnd::Broken);
    mode_ = Mode::Commands;
  }
}

}  // namespace

std::unique_ptr<ProtocolParser> make_smtp_parser(const ParserDemands& demands) {
  return std::make_unique<SmtpParser>(demands);
}

}  // namespace masugata::ids
