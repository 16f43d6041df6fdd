// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/imap/imap_parser.h"

#include <algorithm>
#include <charconv>
#include <deque>

#include "ids/protocols/event_names.h"
#include "ids/protocols/imap/imap_contents.h"
#include "ids/protocols/imap/imap_literal.h"
#include "ids/protocols/mime/mailbox_transaction.h"

namespace masugata::ids {
namespace {

using mime::Line;
using mime::MailboxTransaction;

static_assert(kImapEventNames.size() == static_cast<size_t>(ImapEvent::Count));

std::string_view take_word(std::string_view& text) noexcept {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::string upper(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result.push_back(mime::to_upper(c));
  }
  return result;
}

// The count in "UID FETCH 5 (BODY.PEEK[]<0.65536>)"; 0 when there is none.
uint64_t asked_bytes(std::string_view argument) noexcept {
  const size_t open = argument.rfind('<');
  const size_t dot = open == std::string_view::npos ? open : argument.find('.', open);
  uint64_t count = 0;
  if (dot != std::string_view::npos) {
    (void)std::from_chars(argument.data() + dot + 1, argument.data() + argument.size(), count);
  }
  return count;
}

// First bytes of a part that tell rules whether it is base64: it comes without the header that says
// so.
constexpr size_t kSniffedBytes = 60;

bool looks_like_base64(std::string_view text) noexcept {
  return text.size() >= kSniffedBytes &&
         std::all_of(text.begin(), text.begin() + kSniffedBytes, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/' || c == '\r' || c == '\n';
         });
}

class ImapParser final : public ProtocolParser {
 public:
  explicit ImapParser(const ParserDemands& demands) noexcept
      : ProtocolParser(ApplicationProtocol::Imap), demands_(demands) {}

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t /*time_us*/) noexcept override {
    for (MailboxTransaction* transaction : unanswered_) {
      transaction->begin_input();
    }
    ++calls_;
    const ParseOutcome outcome =
        direction == Direction::ToServer ? take_client(bytes) : take_server(bytes);
    release_complete();
    return outcome;
  }
  ParseOutcome on_gap(Direction direction, uint64_t missing) noexcept override;
  void on_end(Direction direction) noexcept override;
  [[nodiscard]] ApplicationProtocol next_protocol() const noexcept override {
    return ApplicationProtocol::Tls;
  }
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return commands_.memory_bytes() + responses_.memory_bytes();
  }

 private:
  [[nodiscard]] MailboxTransaction* begin_transaction() noexcept;
  void forget(const MailboxTransaction* transaction) noexcept;
  void release_complete() noexcept;

  ParseOutcome take_client(std::span<const uint8_t> bytes) noexcept;
  [[nodiscard]] bool take_command_line(const Line& line) noexcept;
  void announce_client_literal(std::string_view line_end) noexcept;

  ParseOutcome take_server(std::span<const uint8_t> bytes) noexcept;
  ParseOutcome take_response(const Line& line) noexcept;
  [[nodiscard]] bool take_response_literal(const Line& line) noexcept;
  // False: there is more of it than was kept.
  [[nodiscard]] bool take_quoted(const Line& line) noexcept;
  void note_response(std::string_view text) noexcept;
  ParseOutcome take_tagged(std::string_view text) noexcept;
  void take_continuation() noexcept;
  void begin_content(MailboxTransaction& transaction, const ImapContent& content) noexcept;
  void take_content(std::span<const uint8_t> bytes) noexcept;
  void end_content() noexcept;
  void end_pieces(bool broken) noexcept;

  const ParserDemands& demands_;
  // Apart from the transactions, which the engine may take away.
  ImapContents contents_;
  uint64_t calls_ = 0;          // of on_data()
  uint64_t response_call_ = 0;  // the one that brought the first byte of the response at hand
  const uint8_t* response_first_byte_ = nullptr;  // as that call was given it
  std::string response_message_;                  // its number of a message, "12"
  // Not answered yet, oldest first; none of them is complete, so the engine keeps them.
  std::deque<MailboxTransaction*> unanswered_;

  // From the client.
  mime::LineReader commands_{mime::kMaximumMailboxLine};
  MailboxTransaction* open_command_ = nullptr;  // its line goes on behind a literal
  uint64_t client_left_ = 0;                    // bytes of the literal at hand
  bool client_consent_ = false;                 // the server need not or did agree to it
  uint32_t free_lines_ = 0;                     // answers to "+" that are no commands

  // From the server.
  mime::LineReader responses_{mime::kMaximumMailboxLine};
  MailboxTransaction* content_for_ = nullptr;  // whose literal is at hand; null: nobody's
  uint64_t server_left_ = 0;
  bool inside_response_ = false;  // a line goes on behind a literal
  bool sniffing_ = false;         // the first bytes of a part are in sniffed_
  std::string sniffed_;
  // A message fetched piece by piece, with several commands: its transaction stays open.
  MailboxTransaction* pieces_for_ = nullptr;
  uint64_t next_piece_ = 0;
  bool piece_at_hand_ = false;
  bool last_piece_ = false;  // fewer bytes than the client asked for
};

MailboxTransaction* ImapParser::begin_transaction() noexcept {
  auto* transaction =
      static_cast<MailboxTransaction*>(append(std::make_unique<MailboxTransaction>(demands_)));
  while (!unanswered_.empty() && unanswered_.front()->complete()) {
    forget(unanswered_.front());  // ended because there are too many
    unanswered_.pop_front();
    if (transaction != nullptr) {
      transaction->raise(Direction::ToServer, static_cast<uint8_t>(ImapEvent::TooManyTransactions));
    }
  }
  // The one that is kept for further pieces is not among them.
  if (pieces_for_ != nullptr && pieces_for_->complete()) {
    forget(pieces_for_);
  }
  if (transaction != nullptr) {
    unanswered_.push_back(transaction);
  }
  return transaction;
}

void ImapParser::forget(const MailboxTransaction* transaction) noexcept {
  open_command_ = open_command_ == transaction ? nullptr : open_command_;
  content_for_ = content_for_ == transaction ? nullptr : content_for_;
  pieces_for_ = pieces_for_ == transaction ? nullptr : pieces_for_;
}

// A side may end before the other has said all: complete transactions are the engine's.
void ImapParser::release_complete() noexcept {
  std::erase_if(unanswered_, [this](const MailboxTransaction* each) {
    if (each->complete()) {
      forget(each);
    }
    return each->complete();
  });
}

ParseOutcome ImapParser::take_client(std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    if (client_left_ > 0) {
      const auto run = bytes.first(std::min<uint64_t>(bytes.size(), client_left_));
      if (open_command_ != nullptr && open_command_->is_open()) {
        open_command_->feed(run);
      }
      contents_.appended(run);
      bytes = bytes.subspan(run.size());
      client_left_ -= run.size();
      if (client_left_ == 0) {
        contents_.end_appended(ContentEnd::Whole);
      }
      if (client_left_ == 0 && open_command_ != nullptr) {
        open_command_->end(false);
      }
      continue;
    }
    Line line;
    if (!commands_.next(bytes, line)) {
      break;
    }
    if (!take_command_line(line)) {
      return ParseOutcome::Failed;
    }
  }
  return ParseOutcome::Going;
}

bool ImapParser::take_command_line(const Line& line) noexcept {
  if (open_command_ == nullptr) {
    if (free_lines_ > 0) {
      --free_lines_;
      return true;
    }
    if (line.text.empty()) {
      return true;
    }
    MailboxTransaction* transaction = begin_transaction();
    if (transaction == nullptr) {
      return false;
    }
    std::string_view text = line.text;
    transaction->tag = take_word(text);
    transaction->command = upper(take_word(text));
    if (transaction->command == "UID") {
      transaction->command += " " + upper(take_word(text));
    }
    transaction->argument = text;
    if (transaction->command == "STARTTLS" && content_receiver() != nullptr) {
      content_receiver()->encryption_asked(ApplicationProtocol::Imap);
    }
    if (transaction->command.empty() || line.truncated()) {
      transaction->raise(Direction::ToServer, static_cast<uint8_t>(ImapEvent::InvalidData));
    }
    open_command_ = transaction;
  }
  MailboxTransaction& transaction = *open_command_;
  announce_client_literal(line.tail);
  if (open_command_ == nullptr) {
    transaction.finish(Direction::ToServer);
  }
  return true;
}

// A literal is expected at once. When the server refuses instead of agreeing, its tagged answer
// ends the command and what follows is commands again.
void ImapParser::announce_client_literal(std::string_view line_end) noexcept {
  const auto literal = find_literal(line_end);
  if (!literal) {
    open_command_ = nullptr;
    return;
  }
  client_left_ = literal->bytes;
  client_consent_ = literal->without_consent;
  if (client_left_ == 0) {
    return;
  }
  const std::string& command = open_command_->command;
  if (command == "APPEND") {
    open_command_->begin_message(Direction::ToServer);
  }
  if (command == "APPEND" || command == "REPLACE" || command == "UID REPLACE") {
    contents_.begin_appended(content_receiver(), open_command_->tag, client_left_);
  }
}

ParseOutcome ImapParser::take_server(std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    if (server_left_ > 0) {
      const auto run = bytes.first(std::min<uint64_t>(bytes.size(), server_left_));
      take_content(run);
      contents_.fetched(run);
      bytes = bytes.subspan(run.size());
      server_left_ -= run.size();
      if (server_left_ == 0) {
        contents_.end_fetched();
        end_content();
      }
      continue;
    }
    if (responses_.unfinished_length() == 0 && !inside_response_) {
      response_call_ = calls_;
      response_first_byte_ = bytes.data();
    }
    Line line;
    if (!responses_.next(bytes, line)) {
      break;
    }
    const ParseOutcome outcome = take_response(line);
    if (outcome != ParseOutcome::Going) {
      return outcome;
    }
  }
  return ParseOutcome::Going;
}

ParseOutcome ImapParser::take_response(const Line& line) noexcept {
  const bool goes_on = inside_response_;
  inside_response_ = false;
  if (!goes_on) {
    note_response(line.text);
  }
  if (content_receiver() != nullptr && (goes_on || line.text.starts_with("* ")) &&
      !take_quoted(line)) {
    return ParseOutcome::Failed;
  }
  if (take_response_literal(line) || goes_on || line.text.starts_with("* ")) {
    return ParseOutcome::Going;
  }
  if (line.text.starts_with("+")) {
    take_continuation();
    return ParseOutcome::Going;
  }
  return line.text.empty() ? ParseOutcome::Going : take_tagged(line.text);
}

// "* 12 FETCH ..."
void ImapParser::note_response(std::string_view text) noexcept {
  constexpr size_t kDigits = 10;
  response_message_.clear();
  if (text.starts_with("* ")) {
    text.remove_prefix(2);
    response_message_ = text.substr(0, std::min(text.find(' '), kDigits));
  }
}

// RFC 3501 section 4.3: a section may come as a quoted string instead of a literal.
bool ImapParser::take_quoted(const Line& line) noexcept {
  const std::string_view text = line.text;
  for (size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at)) {
    const size_t open = at++;
    std::string content;
    for (; at < text.size() && text[at] != '"'; ++at) {
      at += text[at] == '\\' ? 1 : 0;
      if (at < text.size()) content.push_back(text[at]);
    }
    const bool whole = at < text.size();
    ++at;
    const std::string before = std::string{text.substr(0, open)} + "{";
    const ImapContent item = find_content(before);
    if (item.section == ImapSection::Other || content.empty()) {
      if (whole) continue;
      break;
    }
    if (!whole) return false;
    contents_.begin_fetched(content_receiver(),
                            {item,
                             response_message_,
                             {},
                             content.size(),
                             true,
                             response_call_ == calls_ ? response_first_byte_ : nullptr});
    contents_.fetched(mime::as_bytes(content));
    contents_.end_fetched();
  }
  // What a long line says behind its beginning is known of its end only.
  return true;
}

bool ImapParser::take_response_literal(const Line& line) noexcept {
  const auto literal = find_literal(line.tail);
  if (!literal) {
    return false;
  }
  inside_response_ = true;
  server_left_ = literal->bytes;
  const ImapContent content = find_content(line.truncated() ? line.tail : line.text);
  if (server_left_ == 0 && content.origin && *content.origin == next_piece_) {
    end_pieces(false);  // nothing is left beyond the pieces
    contents_.end_pieces();
  }
  if (content.section == ImapSection::Other || server_left_ == 0) {
    return true;
  }
  const auto asked =
      std::find_if(unanswered_.begin(), unanswered_.end(), [](const MailboxTransaction* each) {
        return each->command == "FETCH" || each->command == "UID FETCH";
      });
  MailboxTransaction* transaction = asked != unanswered_.end() ? *asked
                                    : !unanswered_.empty()     ? unanswered_.front()
                                                               : begin_transaction();
  if (transaction != nullptr) {
    begin_content(*transaction, content);
    last_piece_ = server_left_ < asked_bytes(transaction->argument);
  }
  contents_.begin_fetched(
      content_receiver(),
      {content, response_message_,
       transaction == nullptr ? std::string_view{} : std::string_view{transaction->tag},
       server_left_, transaction != nullptr && last_piece_,
       response_call_ == calls_ ? response_first_byte_ : nullptr});
  return true;
}

void ImapParser::begin_content(MailboxTransaction& transaction,
                               const ImapContent& content) noexcept {
  piece_at_hand_ = content.section == ImapSection::Message && content.origin.has_value();
  if (piece_at_hand_ && pieces_for_ != nullptr && *content.origin == next_piece_ &&
      next_piece_ != 0) {
    content_for_ = pieces_for_;
    next_piece_ += server_left_;
    return;
  }
  end_pieces(true);
  content_for_ = &transaction;
  if (content.section == ImapSection::Message) {
    transaction.begin_message(Direction::ToClient);
    if (piece_at_hand_) {
      pieces_for_ = &transaction;
      next_piece_ = *content.origin + server_left_;
    }
    return;
  }
  if (content.section == ImapSection::Decoded) {
    transaction.begin_part(Direction::ToClient, false);
    return;
  }
  sniffing_ = true;
  sniffed_.clear();
}

void ImapParser::take_content(std::span<const uint8_t> bytes) noexcept {
  if (content_for_ == nullptr) {
    return;
  }
  if (sniffing_) {
    const size_t taken = std::min(kSniffedBytes - sniffed_.size(), bytes.size());
    sniffed_.append(mime::as_text(bytes.first(taken)));
    bytes = bytes.subspan(taken);
    if (sniffed_.size() < kSniffedBytes && taken < server_left_) {
      return;
    }
    sniffing_ = false;
    content_for_->begin_part(Direction::ToClient, looks_like_base64(sniffed_));
    content_for_->feed(mime::as_bytes(sniffed_));
  }
  if (!bytes.empty()) {
    content_for_->feed(bytes);
  }
}

void ImapParser::end_content() noexcept {
  MailboxTransaction* transaction = content_for_;
  content_for_ = nullptr;
  if (transaction != nullptr && piece_at_hand_ && transaction == pieces_for_) {
    if (last_piece_) {
      end_pieces(false);
    }
  } else if (transaction != nullptr) {
    transaction->end(false);
  }
  if (transaction != nullptr && transaction->tag.empty()) {
    std::erase(unanswered_, transaction);  // unasked: nothing more will come
    forget(transaction);
    transaction->finish(Direction::ToServer);
    transaction->finish(Direction::ToClient);
  }
  sniffing_ = false;
  piece_at_hand_ = false;
}

void ImapParser::end_pieces(bool broken) noexcept {
  MailboxTransaction* transaction = pieces_for_;
  pieces_for_ = nullptr;
  next_piece_ = 0;
  if (transaction == nullptr) {
    return;
  }
  transaction->end(broken);
  const bool waits =
      std::find(unanswered_.begin(), unanswered_.end(), transaction) != unanswered_.end();
  if (!waits) {
    transaction->finish(Direction::ToClient);
  }
}

void ImapParser::take_continuation() noexcept {
  if (open_command_ != nullptr) {
    client_consent_ = true;
    return;
  }
  ++free_lines_;  // AUTHENTICATE's data, IDLE's DONE
}

ParseOutcome ImapParser::take_tagged(std::string_view text) noexcept {
  const std::string_view tag = take_word(text);
  auto found = std::find_if(unanswered_.begin(), unanswered_.end(),
                            [tag](const MailboxTransaction* each) { return each->tag == tag; });
  if (found == unanswered_.end()) {
    MailboxTransaction* stray = begin_transaction();
    if (stray == nullptr) {
      return ParseOutcome::Failed;
    }
    stray->tag = tag;
    stray->finish(Direction::ToServer);
    stray->raise(Direction::ToClient, static_cast<uint8_t>(ImapEvent::RequestNotFound));
    found = unanswered_.end() - 1;
  }
  MailboxTransaction& transaction = **found;
  unanswered_.erase(found);
  transaction.status = upper(take_word(text));
  transaction.reply = text;
  free_lines_ = 0;
  if (open_command_ == &transaction && !client_consent_) {
    client_left_ = 0;  // refused before its literal was sent
    contents_.end_appended(ContentEnd::Broken);
    open_command_ = nullptr;
    commands_.reset();
  }
  const bool accepted = transaction.status == "OK";
  const bool secured = accepted && transaction.command == "STARTTLS";
  const bool compressed = accepted && transaction.command == "COMPRESS";
  if (open_command_ == &transaction) {
    open_command_ = nullptr;  // answered early; the rest of its literal is nobody's
  }
  transaction.finish(Direction::ToServer);
  // Further pieces may come with the next commands.
  if (&transaction != pieces_for_) {
    transaction.finish(Direction::ToClient);
  }
  if (secured || compressed) {
    on_end(Direction::ToServer);
    on_end(Direction::ToClient);
  }
  return secured      ? ParseOutcome::Changed
         : compressed ? ParseOutcome::Finished
                      : ParseOutcome::Going;
}

ParseOutcome ImapParser::on_gap(Direction direction, uint64_t missing) noexcept {
  uint64_t& left = direction == Direction::ToServer ? client_left_ : server_left_;
  MailboxTransaction* transaction = direction == Direction::ToServer ? open_command_ : content_for_;
  if (missing < left) {
    left -= missing;
    if (direction == Direction::ToServer) {
      contents_.end_appended(ContentEnd::Broken);
    } else {
      contents_.lose_fetched();
    }
    if (transaction != nullptr) {
      transaction->end(true);
    }
    return ParseOutcome::Going;
  }
  on_end(Direction::ToServer);
  on_end(Direction::ToClient);
  return ParseOutcome::Failed;
}

void ImapParser::on_end(Direction direction) noexcept {
  if (direction == Direction::ToClient) {
    end_pieces(true);
    contents_.lose_fetched();
    content_for_ = nullptr;
    server_left_ = 0;
  } else {
    contents_.end_appended(ContentEnd::Broken);
    open_command_ = nullptr;
    client_left_ = 0;
  }
  for (MailboxTransaction* transaction : unanswered_) {
    transaction->finish(direction);
  }
  release_complete();
}

}  // namespace

std::unique_ptr<ProtocolParser> make_imap_parser(const ParserDemands& demands) {
  return std::make_unique<ImapParser>(demands);
}

}  // namespace masugata::ids
