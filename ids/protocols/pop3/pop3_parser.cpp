// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/pop3/pop3_parser.h"

#include <algorithm>
#include <array>
#include <deque>

#include "ids/protocols/content_feed.h"
#include "ids/protocols/event_names.h"
#include "ids/protocols/mime/dot_decoder.h"
#include "ids/protocols/mime/mailbox_transaction.h"

namespace masugata::ids {
namespace {

using mime::Line;
using mime::MailboxTransaction;

static_assert(kPop3EventNames.size() == static_cast<size_t>(Pop3Event::Count));

struct CommandShape {
  std::string_view name;
  uint8_t least;  // arguments
  uint8_t most;
};
constexpr uint8_t kMany = 255;
constexpr std::array<CommandShape, 17> kCommands{{
    {"USER", 1, kMany},
    {"PASS", 1, kMany},
    {"APOP", 2, 2},
    {"AUTH", 0, 2},
    {"STAT", 0, 0},
    {"LIST", 0, 1},
    {"RETR", 1, 1},
    {"DELE", 1, 1},
    {"NOOP", 0, 0},
    {"RSET", 0, 0},
    {"QUIT", 0, 0},
    {"TOP", 2, 2},
    {"UIDL", 0, 1},
    {"STLS", 0, 0},
    {"CAPA", 0, 0},
    {"UTF8", 0, 0},
    {"LANG", 0, 1},
}};

// Whether the answer to an accepted command is a list or a message, ended by a dot.
bool has_body(const MailboxTransaction& transaction) noexcept {
  const std::string& command = transaction.command;
  if (command == "RETR" || command == "TOP" || command == "CAPA") {
    return true;
  }
  const bool lists =
      command == "LIST" || command == "UIDL" || command == "LANG" || command == "AUTH";
  return lists && transaction.argument.empty();
}

size_t count_words(std::string_view text) noexcept {
  size_t words = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    words += text[i] != ' ' && (i == 0 || text[i - 1] == ' ') ? 1 : 0;
  }
  return words;
}

class Pop3Parser final : public ProtocolParser {
 public:
  explicit Pop3Parser(const ParserDemands& demands) noexcept
      : ProtocolParser(ApplicationProtocol::Pop3), demands_(demands) {}

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t /*time_us*/) noexcept override {
    if (direction == Direction::ToServer) {
      return take_commands(bytes);
    }
    if (!unanswered_.empty()) {
      unanswered_.front()->begin_input();
    }
    ++calls_;
    return take_replies(bytes);
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
  ParseOutcome take_commands(std::span<const uint8_t> bytes) noexcept;
  void take_command(MailboxTransaction& transaction, std::string_view text) noexcept;
  [[nodiscard]] MailboxTransaction* begin_transaction() noexcept;
  ParseOutcome take_replies(std::span<const uint8_t> bytes) noexcept;
  ParseOutcome take_status(const Line& line) noexcept;
  // False: with a receiver, nobody knows whether the message is over.
  [[nodiscard]] bool take_body(std::span<const uint8_t>& bytes) noexcept;
  void begin_content() noexcept;
  void answered() noexcept;
  static void raise(MailboxTransaction& transaction, Direction direction,
                    Pop3Event event) noexcept {
    transaction.raise(direction, static_cast<uint8_t>(event));
  }

  const ParserDemands& demands_;
  mime::LineReader commands_{mime::kMaximumMailboxLine};
  mime::LineReader replies_{mime::kMaximumMailboxLine};
  mime::DotDecoder dots_;
  bool inside_body_ = false;
  ContentFeed content_;
  uint64_t calls_ = 0;       // of on_data() with replies
  uint64_t reply_call_ = 0;  // the one that brought the first byte of the reply at hand
  const uint8_t* reply_first_byte_ = nullptr;  // as that call was given it
  uint32_t credentials_ = 0;                   // lines of the client that answer a challenge
  // Oldest first; none of them is complete, so the engine keeps them.
  std::deque<MailboxTransaction*> unanswered_;
};

MailboxTransaction* Pop3Parser::begin_transaction() noexcept {
  auto* transaction =
      static_cast<MailboxTransaction*>(append(std::make_unique<MailboxTransaction>(demands_)));
  while (!unanswered_.empty() && unanswered_.front()->complete()) {
    unanswered_.pop_front();  // ended because there are too many
    inside_body_ = false;
    if (content_receiver() != nullptr) {
      return nullptr;  // replies are told apart by their order: messages would be missed
    }
    if (transaction != nullptr) {
      raise(*transaction, Direction::ToServer, Pop3Event::TooManyTransactions);
    }
  }
  if (transaction != nullptr) {
    unanswered_.push_back(transaction);
  }
  return transaction;
}

ParseOutcome Pop3Parser::take_commands(std::span<const uint8_t> bytes) noexcept {
  Line line;
  while (commands_.next(bytes, line)) {
    if (credentials_ > 0) {
      --credentials_;
      continue;
    }
    if (line.text.empty()) {
      continue;
    }
    MailboxTransaction* transaction = begin_transaction();
    if (transaction == nullptr) {
      return ParseOutcome::Failed;
    }
    if (line.truncated()) {
      raise(*transaction, Direction::ToServer, Pop3Event::RequestTooLong);
    }
    take_command(*transaction, line.text);
    transaction->finish(Direction::ToServer);
  }
  return ParseOutcome::Going;
}

void Pop3Parser::take_command(MailboxTransaction& transaction, std::string_view text) noexcept {
  const size_t end = std::min(text.find(' '), text.size());
  for (const char c : text.substr(0, end)) {
    transaction.command.push_back(mime::to_upper(c));
  }
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  transaction.argument = text;
  if (transaction.command == "STLS" && content_receiver() != nullptr) {
    content_receiver()->encryption_asked(ApplicationProtocol::Pop3);
  }
  const auto* shape = std::find_if(kCommands.begin(), kCommands.end(), [&](const auto& each) {
    return each.name == transaction.command;
  });
  if (shape == kCommands.end()) {
    raise(transaction, Direction::ToServer, Pop3Event::UnknownCommand);
    return;
  }
  const size_t words = count_words(text);
  if (words < shape->least || (shape->most != kMany && words > shape->most)) {
    raise(transaction, Direction::ToServer, Pop3Event::IncorrectArgumentCount);
  }
}

ParseOutcome Pop3Parser::take_replies(std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    if (inside_body_) {
      if (!take_body(bytes)) {
        return ParseOutcome::Failed;
      }
      continue;
    }
    if (replies_.unfinished_length() == 0) {
      reply_call_ = calls_;
      reply_first_byte_ = bytes.data();
    }
    Line line;
    if (!replies_.next(bytes, line)) {
      break;
    }
    const ParseOutcome outcome = take_status(line);
    if (outcome != ParseOutcome::Going) {
      return outcome;
    }
  }
  return ParseOutcome::Going;
}

ParseOutcome Pop3Parser::take_status(const Line& line) noexcept {
  const std::string_view text = line.text;
  if (unanswered_.empty()) {
    return ParseOutcome::Going;  // the greeting, or the server's own idea
  }
  MailboxTransaction& transaction = *unanswered_.front();
  if (line.truncated()) {
    raise(transaction, Direction::ToClient, Pop3Event::ResponseTooLong);
  }
  const bool accepted = mime::begins_with(text, "+ok");
  if (!accepted && text.starts_with("+")) {
    ++credentials_;
    return ParseOutcome::Going;
  }
  const size_t end = std::min(text.find(' '), text.size());
  transaction.status = text.substr(0, end);
  transaction.reply = text.substr(std::min(end + 1, text.size()));
  transaction.touch(Direction::ToClient);
  if (accepted && has_body(transaction)) {
    inside_body_ = true;
    dots_.reset();
    if (transaction.command == "RETR" || transaction.command == "TOP") {
      transaction.begin_message(Direction::ToClient);
      begin_content();
    }
    return ParseOutcome::Going;
  }
  const bool secured = accepted && transaction.command == "STLS";
  answered();
  if (secured) {
    on_end(Direction::ToServer);
    on_end(Direction::ToClient);
  }
  return secured ? ParseOutcome::Changed : ParseOutcome::Going;
}

bool Pop3Parser::take_body(std::span<const uint8_t>& bytes) noexcept {
  MailboxTransaction& transaction = *unanswered_.front();
  while (!bytes.empty() && !dots_.ended()) {
    const auto run = dots_.next(bytes);
    if (!run.empty() && transaction.is_open()) {
      transaction.feed(run);
    }
    content_.bytes(run);
  }
  if (dots_.ended()) {
    inside_body_ = false;
    content_.end(dots_.ended_strictly() ? ContentEnd::Whole : ContentEnd::Broken);
    transaction.end(false);
    answered();
    // Some clients take what follows for more of it.
    return content_receiver() == nullptr || dots_.ended_strictly();
  }
  return true;
}

void Pop3Parser::begin_content() noexcept {
  ContentFacts facts;
  facts.protocol = ApplicationProtocol::Pop3;
  facts.direction = Direction::ToClient;
  facts.kind = ContentKind::Message;
  facts.useless_before_end = true;
  facts.begins_with_packet = reply_call_ == calls_;
  facts.first_byte = facts.begins_with_packet ? reply_first_byte_ : nullptr;
  content_.begin(content_receiver(), facts);
}

void Pop3Parser::answered() noexcept {
  unanswered_.front()->finish(Direction::ToClient);
  unanswered_.pop_front();
  credentials_ = 0;
}

ParseOutcome Pop3Parser::on_gap(Direction direction, uint64_t /*missing*/) noexcept {
  if (direction == Direction::ToServer) {
    commands_.reset();
    return ParseOutcome::Failed;  // from now on no reply can be told from another
  }
  if (inside_body_) {
    unanswered_.front()->end(true);
    content_.end(ContentEnd::Broken);
    dots_.reset();
    return ParseOutcome::Going;
  }
  on_end(Direction::ToServer);
  on_end(Direction::ToClient);
  return ParseOutcome::Failed;
}

void Pop3Parser::on_end(Direction direction) noexcept {
  if (direction == Direction::ToClient) {
    content_.end(ContentEnd::Broken);
  }
  for (MailboxTransaction* transaction : unanswered_) {
    transaction->finish(direction);
  }
  std::erase_if(unanswered_, [](const MailboxTransaction* each) { return each->complete(); });
  inside_body_ = inside_body_ && !unanswered_.empty();
}

}  // namespace

std::unique_ptr<ProtocolParser> make_pop3_parser(const ParserDemands& demands) {
  return std::make_unique<Pop3Parser>(demands);
}

}  // namespace masugata::ids
