// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ftp/ftp_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include "ids/protocols/content_feed.h"
#include "ids/protocols/ftp/ftp_address.h"
#include "ids/protocols/ftp/ftp_form.h"
#include "ids/protocols/ftp/ftp_transaction.h"
#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids {
namespace {

using mime::Line;

constexpr size_t kMaximumCommandWord = 32;
constexpr size_t kRememberedTransfers = 8;  // whose data connection may begin late

bool is_code(std::string_view text) noexcept {
  return text.size() >= 3 &&
         std::all_of(text.begin(), text.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
}

class FtpParser final : public ProtocolParser {
 public:
  FtpParser() noexcept : ProtocolParser(ApplicationProtocol::Ftp) {}

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t /*time_us*/) noexcept override {
    expected_told_ = false;
    return direction == Direction::ToServer ? take_commands(bytes) : take_replies(bytes);
  }
  ParseOutcome on_gap(Direction direction, uint64_t missing) noexcept override;
  void on_end(Direction direction) noexcept override;
  [[nodiscard]] ApplicationProtocol next_protocol() const noexcept override {
    return ApplicationProtocol::Tls;
  }
  [[nodiscard]] const ExpectedData* expected_data() const noexcept override {
    return expected_told_ ? &expected_ : nullptr;
  }
  [[nodiscard]] const ExpectedData* announced_data(uint16_t server_port) const noexcept override;
  [[nodiscard]] std::span<const DataEndpoint> new_endpoints() const noexcept override {
    return std::span{endpoints_}.first(endpoint_count_);
  }
  void forget_endpoints() noexcept override { endpoint_count_ = 0; }
  [[nodiscard]] size_t memory_bytes() const noexcept override {
    return commands_.memory_bytes() + replies_.memory_bytes();
  }

 private:
  ParseOutcome take_commands(std::span<const uint8_t> bytes) noexcept;
  void take_command(FtpTransaction& transaction) noexcept;
  void take_active(FtpTransaction& transaction, const std::optional<FtpEndpoint>& to) noexcept;
  void believe_again() noexcept;
  void note_endpoint(const FtpEndpoint& endpoint, bool active) noexcept;
  void begin_transfer(const FtpTransaction& transaction, bool upload) noexcept;
  void tell_expected() noexcept;
  [[nodiscard]] FtpTransaction* begin_transaction() noexcept;

  ParseOutcome take_replies(std::span<const uint8_t> bytes) noexcept;
  ParseOutcome take_reply(const Line& line) noexcept;
  ParseOutcome end_reply(FtpTransaction& transaction, std::string_view code,
                         std::string_view text) noexcept;

  mime::LineReader commands_{kMaximumFtpLine};
  mime::LineReader replies_{kMaximumFtpLine};
  // Not answered to the end, oldest first; none of them is complete, so the engine keeps them.
  std::deque<FtpTransaction*> unanswered_;
  std::array<char, 3> reply_code_{};  // of the reply of several lines at hand
  bool inside_reply_ = false;

  std::optional<FtpEndpoint> endpoint_;  // of the next data connection
  bool endpoint_active_ = false;
  std::array<DataEndpoint, kMaximumEndpoints> endpoints_;
  size_t endpoint_count_ = 0;
  struct Transfer {
    std::string file_name;
    bool upload;
    std::optional<uint64_t> range_first;
  };
  std::optional<Transfer> transfer_;  // asked for; its endpoint is not known yet
  ExpectedData expected_;
  bool expected_told_ = false;
  std::deque<ExpectedData> announced_;  // newest first
  std::optional<uint64_t> restart_;     // REST, for the next transfer
  FtpForm agreed_;
  // Until the server has answered, the worse of what was and of what is asked for: transfers may be
  // asked for before that.
  FtpForm believed_;
};

FtpTransaction* FtpParser::begin_transaction() noexcept {
  auto* transaction = static_cast<FtpTransaction*>(append(std::make_unique<FtpTransaction>()));
  while (!unanswered_.empty() && unanswered_.front()->complete()) {
    unanswered_.pop_front();  // ended because there are too many
    inside_reply_ = false;
  }
  if (transaction != nullptr) {
    unanswered_.push_back(transaction);
  }
  return transaction;
}

ParseOutcome FtpParser::take_commands(std::span<const uint8_t> bytes) noexcept {
  Line line;
  while (commands_.next(bytes, line)) {
    std::string_view text = line.text;
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) {
      continue;
    }
    FtpTransaction* transaction = begin_transaction();
    if (transaction == nullptr) {
      return ParseOutcome::Failed;
    }
    if (line.truncated()) {
      transaction->raise(Direction::ToServer,
                         static_cast<uint8_t>(FtpEvent::RequestCommandTooLong));
    }
    const size_t end = std::min(text.find(' '), text.size());
    for (const char c : text.substr(0, std::min(end, kMaximumCommandWord))) {
      transaction->command.push_back(mime::to_upper(c));
    }
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    transaction->command_data = text;
    take_command(*transaction);
    transaction->finished[index_of(Direction::ToServer)] = true;
    transaction->progress[index_of(Direction::ToServer)] = 1;
    transaction->touch(Direction::ToServer);
  }
  return ParseOutcome::Going;
}

void FtpParser::take_command(FtpTransaction& transaction) noexcept {
  const std::string& command = transaction.command;
  if (command == "PORT") {
    take_active(transaction, parse_port_argument(transaction.command_data));
  } else if (command == "EPRT") {
    take_active(transaction, parse_extended_port_argument(transaction.command_data));
  } else if (command == "PASV" || command == "EPSV") {
    transaction.mode = FtpMode::Passive;
    endpoint_.reset();
  } else if (command == "RETR") {
    begin_transfer(transaction, false);
  } else if (command == "STOR" || command == "STOU" || command == "APPE") {
    begin_transfer(transaction, true);
  } else if (command == "LIST" || command == "NLST" || command == "MLSD") {
    endpoint_.reset();  // used for no file
    transfer_.reset();
    restart_.reset();
  } else if (command == "REST") {
    const std::string& from = transaction.command_data;
    uint64_t first = 0;
    std::from_chars(from.data(), from.data() + from.size(), first);
    restart_ = first == 0 ? std::nullopt : std::optional{first};
  } else if (is_form_command(command)) {
    believed_ = worse_of(believed_, form_after(agreed_, command, transaction.command_data));
  } else if (command == "AUTH" && content_receiver() != nullptr) {
    content_receiver()->encryption_asked(ApplicationProtocol::Ftp);
  }
}

void FtpParser::believe_again() noexcept {
  believed_ = agreed_;
  for (const FtpTransaction* each : unanswered_) {
    if (!is_form_command(each->command)) continue;
    believed_ = worse_of(believed_, form_after(agreed_, each->command, each->command_data));
  }
}

void FtpParser::take_active(FtpTransaction& transaction,
                            const std::optional<FtpEndpoint>& to) noexcept {
  transaction.mode = FtpMode::Active;
  endpoint_ = to;
  endpoint_active_ = true;
  if (to) {
    transaction.dynamic_port = to->port;
    transaction.port_address = to->address;
    note_endpoint(*to, true);
  }
}

void FtpParser::note_endpoint(const FtpEndpoint& endpoint, bool active) noexcept {
  if (endpoint_count_ == endpoints_.size()) {
    std::move(endpoints_.begin() + 1, endpoints_.end(), endpoints_.begin());
    --endpoint_count_;
  }
  endpoints_[endpoint_count_++] = {endpoint.address, endpoint.port, active};
}

void FtpParser::begin_transfer(const FtpTransaction& transaction, bool upload) noexcept {
  if (transaction.command == "APPE" && !restart_) {
    restart_ = 0;
  }
  transfer_ = Transfer{transaction.command_data.substr(0, kMaximumFileNameBytes), upload,
                       std::exchange(restart_, std::nullopt)};
  tell_expected();
}

void FtpParser::tell_expected() noexcept {
  if (!endpoint_ || !transfer_) {
    return;
  }
  expected_.protocol = ApplicationProtocol::FtpData;
  expected_.server_address = endpoint_->address;
  expected_.server_port = endpoint_->port;
  expected_.active = endpoint_active_;
  expected_.file_name = std::move(transfer_->file_name);
  expected_.upload = transfer_->upload;
  expected_.range_first = transfer_->range_first;
  expected_.coded = believed_.coded();
  expected_.text = believed_.text;
  announced_.push_front(expected_);
  if (announced_.size() > kRememberedTransfers) {
    announced_.pop_back();
  }
  expected_told_ = true;
  endpoint_.reset();
  transfer_.reset();
}

const ProtocolParser::ExpectedData* FtpParser::announced_data(uint16_t server_port) const noexcept {
  const auto found = std::find_if(
      announced_.begin(), announced_.end(),
      [server_port](const ExpectedData& each) { return each.server_port == server_port; });
  return found == announced_.end() ? nullptr : &*found;
}

ParseOutcome FtpParser::take_replies(std::span<const uint8_t> bytes) noexcept {
  Line line;
  while (replies_.next(bytes, line)) {
    const ParseOutcome outcome = take_reply(line);
    if (outcome != ParseOutcome::Going) {
      return outcome;
    }
  }
  return ParseOutcome::Going;
}

ParseOutcome FtpParser::take_reply(const Line& line) noexcept {
  const std::string_view text = line.text;
  if (text.empty() && !inside_reply_) {
    return ParseOutcome::Going;
  }
  FtpTransaction* transaction = unanswered_.empty() ? begin_transaction() : unanswered_.front();
  if (transaction == nullptr) {
    return ParseOutcome::Failed;
  }
  // What the server says unasked has no side of the client.
  if (transaction->command.empty()) {
    transaction->finished[index_of(Direction::ToServer)] = true;
  }
  if (line.truncated()) {
    transaction->raise(Direction::ToClient, static_cast<uint8_t>(FtpEvent::ResponseCommandTooLong));
  }
  const bool coded = is_code(text);
  const std::string_view rest = coded ? text.substr(std::min<size_t>(4, text.size())) : text;
  if (transaction->replies.size() < kMaximumFtpReplies) {
    transaction->replies.emplace_back(rest);
  }
  if (coded && transaction->completion_codes.size() < kMaximumFtpReplies) {
    transaction->completion_codes.emplace_back(text.substr(0, 3));
  }
  transaction->reply_received = true;
  transaction->touch(Direction::ToClient);
  const bool goes_on = text.size() > 3 && text[3] == '-';
  if (inside_reply_) {
    const bool last =
        coded && !goes_on && text.starts_with(std::string_view{reply_code_.data(), 3});
    if (!last) {
      return ParseOutcome::Going;
    }
    inside_reply_ = false;
  } else if (coded && goes_on) {
    inside_reply_ = true;
    std::copy_n(text.begin(), 3, reply_code_.begin());
    return ParseOutcome::Going;
  }
  return end_reply(*transaction, coded ? text.substr(0, 3) : std::string_view{}, rest);
}

ParseOutcome FtpParser::end_reply(FtpTransaction& transaction, std::string_view code,
                                  std::string_view text) noexcept {
  if (code.empty() || code[0] == '1') {
    return ParseOutcome::Going;  // preliminary: another reply follows
  }
  if (code == "227" || code == "229") {
    const auto endpoint =
        code == "227" ? parse_passive_reply(text) : parse_extended_passive_reply(text);
    if (endpoint) {
      // Whatever was asked: a command may be missing that its server has read.
      note_endpoint(*endpoint, false);
    }
    if (endpoint && transaction.mode == FtpMode::Passive) {
      transaction.dynamic_port = endpoint->port;
      endpoint_ = endpoint;
      endpoint_active_ = false;
      tell_expected();
    }
  }
  if (transaction.command == "REST" && code[0] >= '4' && unanswered_.size() == 1) {
    restart_.reset();
  }
  const bool of_form = is_form_command(transaction.command);
  if (of_form && code[0] == '2') {
    agreed_ = form_after(agreed_, transaction.command, transaction.command_data);
  }
  const bool secured = transaction.command == "AUTH" && code == "234";
  const bool refused_transfer =
      code[0] >= '4' && (transaction.command == "RETR" || transaction.command == "STOR");
  if (refused_transfer && unanswered_.size() == 1) {
    transfer_.reset();
  }
  transaction.finished[index_of(Direction::ToClient)] = true;
  transaction.progress[index_of(Direction::ToClient)] = 1;
  unanswered_.pop_front();
  if (of_form) believe_again();
  if (secured) {
    on_end(Direction::ToServer);
    on_end(Direction::ToClient);
  }
  return secured ? ParseOutcome::Changed : ParseOutcome::Going;
}

// Which reply belongs to which command is known again once all are answered.
ParseOutcome FtpParser::on_gap(Direction direction, uint64_t /*missing*/) noexcept {
  expected_told_ = false;
  // It may have been asked for in what is missing, and costs only time.
  agreed_.text = believed_.text = true;
  (direction == Direction::ToServer ? commands_ : replies_).reset();
  on_end(Direction::ToServer);
  on_end(Direction::ToClient);
  return ParseOutcome::Going;
}

void FtpParser::on_end(Direction direction) noexcept {
  for (FtpTransaction* transaction : unanswered_) {
    if (!transaction->finished[index_of(direction)]) {
      transaction->finished[index_of(direction)] = true;
      transaction->touch(direction);
    }
  }
  std::erase_if(unanswered_, [](const FtpTransaction* each) { return each->complete(); });
  inside_reply_ = inside_reply_ && !unanswered_.empty();
}

class FtpDataParser final : public ProtocolParser {
 public:
  FtpDataParser(const ParserDemands& demands, const ExpectedData* expected) noexcept
      : ProtocolParser(ApplicationProtocol::FtpData), demands_(demands) {
    if (expected != nullptr) {
      file_name_ = expected->file_name;
      upload_ = expected->upload;
      range_first_ = expected->range_first;
      coded_ = expected->coded;
      text_ = expected->text;
    }
  }

  ParseOutcome on_data(Direction direction, std::span<const uint8_t> bytes,
                       uint64_t /*time_us*/) noexcept override {
    give(direction, bytes);
    if (ended_ || !begin(direction)) {
      return ParseOutcome::Going;
    }
    current_->collection().begin_input();
    (void)current_->collection().append(0, bytes);
    current_->touch(direction);
    return ParseOutcome::Going;
  }
  ParseOutcome on_gap(Direction direction, uint64_t missing) noexcept override {
    give(direction, {});
    contents_[index_of(direction)].end(ContentEnd::Broken);
    if (!ended_ && begin(direction)) {
      current_->collection().skip(0, missing);
      current_->touch(direction);
    }
    return ParseOutcome::Going;
  }
  void on_end(Direction direction) noexcept override;

 private:
  // Contents of either direction, also of the one that is no file to rules.
  void give(Direction direction, std::span<const uint8_t> bytes) noexcept;
  // False: the file goes the other way.
  [[nodiscard]] bool begin(Direction direction) noexcept;

  const ParserDemands& demands_;
  std::string file_name_;
  std::optional<bool> upload_;
  std::optional<uint64_t> range_first_;
  bool coded_ = false;
  bool text_ = true;
  std::array<ContentFeed, 2> contents_;
  std::array<bool, 2> content_begun_{};
  FtpDataTransaction* current_ = nullptr;
  Direction direction_ = Direction::ToServer;
  bool ended_ = false;
};

void FtpDataParser::give(Direction direction, std::span<const uint8_t> bytes) noexcept {
  const size_t side = index_of(direction);
  if (content_receiver() == nullptr) {
    return;
  }
  if (!content_begun_[side]) {
    content_begun_[side] = true;
    const size_t slash = file_name_.find_last_of("/\\");
    ContentFacts facts;
    facts.protocol = ApplicationProtocol::FtpData;
    facts.direction = direction;
    facts.location = file_name_;
    facts.name = std::string_view{file_name_}.substr(slash == std::string::npos ? 0 : slash + 1);
    facts.range_first = range_first_;
    facts.coded = coded_;
    facts.reading = text_ ? ContentReading::LineEnds : ContentReading::AsGiven;
    contents_[side].begin(content_receiver(), facts);
  }
  contents_[side].bytes(bytes);
}

bool FtpDataParser::begin(Direction direction) noexcept {
  if (current_ != nullptr) {
    return direction == direction_;
  }
  current_ =
      static_cast<FtpDataTransaction*>(append(std::make_unique<FtpDataTransaction>(demands_)));
  current_->file_name = file_name_;
  current_->upload = upload_;
  direction_ = direction;
  (void)current_->collection().open(direction, file_name_);
  return true;
}

void FtpDataParser::on_end(Direction direction) noexcept {
  contents_[index_of(direction)].end(ContentEnd::Whole);
  if (ended_ || current_ == nullptr || direction != direction_) {
    return;
  }
  ended_ = true;
  current_->collection().close(0, false);
  for (const Direction each : {Direction::ToServer, Direction::ToClient}) {
    current_->finished[index_of(each)] = true;
    current_->touch(each);
  }
  current_ = nullptr;
}

}  // namespace

std::unique_ptr<ProtocolParser> make_ftp_parser(const ParserDemands& /*demands*/) {
  return std::make_unique<FtpParser>();
}

std::unique_ptr<ProtocolParser> make_ftp_data_parser(const ParserDemands& demands,
                                                     const ProtocolParser::ExpectedData* expected) {
  return std::make_unique<FtpDataParser>(demands, expected);
}

}  // namespace masugata::ids
