// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/http_session.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "ids/protocols/http/content_disposition.h"
#include "ids/protocols/http/http_callbacks.h"
#include "ids/protocols/http/http_events.h"
#include "ids/protocols/http/http_parser.h"

namespace masugata::ids {
namespace {
constexpr uint64_t kMicroseconds = 1'000'000;
}  // namespace

HttpSession::HttpSession(const ParserDemands& demands) noexcept
    : ProtocolParser(ApplicationProtocol::Http),
      demands_(&demands),
      connection_(std::make_shared<HttpConnection>(http_configuration(), this)) {
  failed_ = connection_->get() == nullptr;
}

ParseOutcome HttpSession::on_data(Direction direction, std::span<const uint8_t> bytes,
                                  uint64_t time_us) noexcept {
  if (failed_ || changed_ || bytes.empty()) {
    return conclude(ParseOutcome::Going);
  }
  ++calls_;
  if (ended_[index_of(Direction::ToClient)] && content_receiver() != nullptr) {
    return conclude(ParseOutcome::Failed);  // libhtp reads nothing more
  }
  if (connection_->total() >= kTransactionsPerConnection && connection_->live() == 0) {
    connection_ = std::make_shared<HttpConnection>(http_configuration(), this);
    if (connection_->get() == nullptr) {
      return conclude(ParseOutcome::Failed);
    }
  }
  now_.tv_sec = static_cast<time_t>(time_us / kMicroseconds);
  now_.tv_usec = static_cast<suseconds_t>(time_us % kMicroseconds);
  if (unasked_ && direction == Direction::ToClient) judge_unasked(bytes);
  begin_input();
  std::string& waiting = waiting_[index_of(direction)];
  ParseOutcome outcome = ParseOutcome::Going;
  if (waiting.empty()) {
    outcome = feed(direction, bytes.data(), bytes.size());
  } else {
    waiting.append(text_of(bytes));
    outcome = feed_waiting(direction);
  }
  if (outcome == ParseOutcome::Going) {
    outcome = feed_waiting(opposite(direction));
  }
  return conclude(outcome);
}

ParseOutcome HttpSession::on_gap(Direction direction, uint64_t bytes) noexcept {
  if (failed_ || bytes == 0) {
    return conclude(ParseOutcome::Going);
  }
  begin_input();
  if (!waiting_[index_of(direction)].empty()) {
    return conclude(ParseOutcome::Failed);
  }
  if (!begun_[index_of(direction)]) {
    // Nobody ever sees that side, or it begins late: there is no message that the gap could break.
    return conclude(ParseOutcome::Going);
  }
  return conclude(feed(direction, nullptr, bytes));
}

ParseOutcome HttpSession::feed(Direction direction, const uint8_t* bytes, size_t size) noexcept {
  feeding_ = direction;
  chunks_from_ = 0;
  head_from_ = 0;
  response_end_ = 0;
  begun_[index_of(direction)] = true;
  input_ = bytes == nullptr ? std::span<const uint8_t>{} : std::span{bytes, size};
  htp_connp_t* const parser = connection_->get();
  const bool request = direction == Direction::ToServer;
  if (!request && htp_connp_get_out_tx(parser) == nullptr) {
    waited_behind_ = false;
  }
  const int state = request ? htp_connp_req_data(parser, &now_, bytes, size)
                            : htp_connp_res_data(parser, &now_, bytes, size);
  connection_->drop_messages();
  if (std::optional<ChunkReader>& chunks = chunks_[index_of(direction)]; chunks) {
    failed_ = failed_ || (bytes == nullptr ? !chunks->skip(size) : !read_chunks(bytes_read()));
  }
  if (heads_[index_of(direction)]) failed_ = failed_ || bytes == nullptr || !read_head();
  const ParseOutcome outcome = outcome_of(state, bytes == nullptr);
  const bool pauses = outcome == ParseOutcome::Going && state == HTP_STREAM_DATA_OTHER;
  if (bytes == nullptr || (outcome != ParseOutcome::Changed && !pauses)) {
    if (!request && bytes != nullptr && outcome == ParseOutcome::Going) {
      read_unfinished_line();
    }
    input_ = {};
    return outcome;
  }
  const size_t left = size - (pauses ? bytes_read() : read_at_change_);
  input_ = {};
  if (pauses && left > kMaximumWaitingBytes) {
    return ParseOutcome::Failed;
  }
  waiting_[index_of(direction)].assign(reinterpret_cast<const char*>(bytes + size - left), left);
  return outcome;
}

ParseOutcome HttpSession::outcome_of(int state, bool is_gap) noexcept {
  if (!changed_ && !stopped_ && state == HTP_STREAM_TUNNEL) {
    change_to(ApplicationProtocol::Unknown);
  }
  if (changed_) {
    return ParseOutcome::Changed;
  }
  if (stopped_) {
    return ParseOutcome::Finished;
  }
  if (failed_) {
    return ParseOutcome::Failed;
  }
  switch (state) {
    case HTP_STREAM_ERROR:
    case HTP_STREAM_STOP:
      return ParseOutcome::Failed;
    case HTP_STREAM_CLOSED:  // its answer to a gap where there must be none
      return is_gap ? ParseOutcome::Failed : ParseOutcome::Going;
    default:
      return ParseOutcome::Going;
  }
}

ParseOutcome HttpSession::feed_waiting(Direction direction) noexcept {
  if (waiting_[index_of(direction)].empty()) {
    return ParseOutcome::Going;
  }
  const std::string bytes = std::exchange(waiting_[index_of(direction)], {});
  feeding_waiting_ = true;
  const ParseOutcome outcome =
      feed(direction, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  feeding_waiting_ = false;
  return outcome;
}

ParseOutcome HttpSession::conclude(ParseOutcome outcome) noexcept {
  update_progress();
  if (outcome == ParseOutcome::Failed) {
    failed_ = true;
  }
  if (changed_) {
    outcome = ParseOutcome::Changed;
  } else if (failed_) {
    outcome = ParseOutcome::Failed;
  }
  if (outcome != ParseOutcome::Going) {
    finish_all(Direction::ToServer);
    finish_all(Direction::ToClient);
    if (contents_) {
      contents_->abandon(Direction::ToServer);
      contents_->abandon(Direction::ToClient);
    }
  }
  return outcome;
}

void HttpSession::on_end(Direction direction) noexcept {
  if (std::exchange(ended_[index_of(direction)], true)) {
    if (contents_) {
      contents_->abandon(direction);
    }
    return;
  }
  if (!failed_ && !changed_) {
    begin_input();
    feeding_ = direction;
    closing_ = true;
    if (direction == Direction::ToServer) {
      htp_connp_req_close(connection_->get(), &now_);
    } else {
      htp_connp_close(connection_->get(), &now_);
    }
    closing_ = false;
    connection_->drop_messages();
    update_progress();
  }
  finish_all(direction);
  if (contents_) {
    contents_->abandon(direction);
  }
  if (ended_[0] && ended_[1]) {
    finish_all(opposite(direction));
  }
}

HttpContents* HttpSession::contents() noexcept {
  if (content_receiver() == nullptr) {
    return nullptr;
  }
  if (!contents_) {
    contents_ = std::make_unique<HttpContents>();
  }
  contents_->set_receiver(content_receiver());
  return contents_.get();
}

void HttpSession::finish_body(HttpTransaction& transaction, Direction direction) noexcept {
  // One that was ended because there are too many has not flushed its decoders.
  const bool whole =
      !transaction.finished[index_of(direction)] &&
      (!closing_ || is_whole_at_close(transaction.source(), direction) ||
       is_message_over(transaction.source(), transaction.message_end(direction), direction));
  transaction.finish(direction, true);
  if (contents_) {
    contents_->complete(transaction, direction, whole);
  }
}

void HttpSession::note_response_line(const htp_tx_t& source) noexcept {
  const size_t line = text_of(source.response_line).size();
  const size_t read = htp_connp_res_data_consumed(connection_->get());
  const bool known = !feeding_waiting_ && input_.size() >= read && read > line;
  const bool with_return = known && read >= 2 && input_[read - 2] == '\r';
  const size_t whole = line + (with_return ? 2U : 1U);
  const bool came_now = known && read >= whole;
  response_call_ = came_now ? calls_ : 0;
  first_byte_ = came_now ? &input_[read - whole] : nullptr;
  waited_behind_ = false;
}

bool HttpSession::is_answered_next(const HttpTransaction& transaction) noexcept {
  for (const std::unique_ptr<Transaction>& each : transactions()) {
    if (each.get() == &transaction) return true;
    if (!each->finished[index_of(Direction::ToClient)]) return false;
  }
  return true;
}

void HttpSession::begin_input() noexcept {
  for (const std::unique_ptr<Transaction>& transaction : transactions()) {
    static_cast<HttpTransaction&>(*transaction).bodies().begin_input();
  }
}

void HttpSession::update_progress() noexcept {
  for (const std::unique_ptr<Transaction>& transaction : transactions()) {
    static_cast<HttpTransaction&>(*transaction).update_progress();
  }
}

void HttpSession::finish_all(Direction direction) noexcept {
  for (const std::unique_ptr<Transaction>& transaction : transactions()) {
    static_cast<HttpTransaction&>(*transaction).finish(direction, false);
  }
}

HttpTransaction* HttpSession::find(htp_tx_t* source, bool begin) noexcept {
  void* const known = htp_tx_get_user_data(source);
  if (known == forgotten_transaction()) {
    return nullptr;
  }
  if (known != nullptr) {
    return static_cast<HttpTransaction*>(known);
  }
  if (!begin || connection_->live() >= 2 * kMaximumTransactions) {
    if (begin) {
      htp_tx_set_user_data(source, forgotten_transaction());
      failed_ = true;
    }
    return nullptr;
  }
  auto made = std::make_unique<HttpTransaction>(connection_, source, *demands_);
  HttpTransaction* const transaction = made.get();
  htp_tx_set_user_data(source, transaction);
  if (append(std::move(made)) == nullptr) {
    failed_ = true;
    return nullptr;
  }
  if (std::exchange(unmatched_, false)) {
    transaction->raise(Direction::ToClient, static_cast<uint8_t>(HttpEvent::UnableToMatchResponse));
    transaction->finish(Direction::ToServer, false);
  }
  return transaction;
}

void HttpSession::note_message(const htp_log_t& message) noexcept {
  // Closing a half-read message makes libhtp complain of states of its own.
  const bool is_error = message.level == HTP_LOG_ERROR && !closing_;
  const std::optional<HttpEvent> event = event_of_message(message.msg, feeding_, is_error);
  if (!event) {
    return;
  }
  if (*event == HttpEvent::UnableToMatchResponse) {
    unmatched_ = true;
    if (feeding_ == Direction::ToClient && content_receiver() != nullptr && !waited_behind_) {
      unasked_head_.clear();
      judge_unasked(input_.subspan(bytes_read()));
    }
    return;
  }
  // Programs differ in which length they believe.
  const bool length = *event == HttpEvent::DuplicateContentLengthInRequest ||
                      *event == HttpEvent::DuplicateContentLengthInResponse ||
                      *event == HttpEvent::InvalidContentLengthInRequest ||
                      *event == HttpEvent::InvalidContentLengthInResponse;
  failed_ = failed_ || (length && content_receiver() != nullptr);
  htp_tx_t* source = message.tx;
  if (source == nullptr) {
    htp_connp_t* const parser = connection_->get();
    source = feeding_ == Direction::ToServer ? htp_connp_get_in_tx(parser)
                                             : htp_connp_get_out_tx(parser);
  }
  Transaction* transaction = source == nullptr ? nullptr : find(source, false);
  if (transaction == nullptr && !transactions().empty()) {
    transaction = transactions().back().get();
  }
  if (transaction != nullptr) {
    transaction->raise(feeding_, static_cast<uint8_t>(*event));
  }
}

// Behind a response whose length was announced too short comes what nobody asked for. What does not
// begin as a response is not parsed as one, and is given to nobody before its line is complete.
void HttpSession::judge_unasked(std::span<const uint8_t> bytes) noexcept {
  constexpr std::string_view kBeginning = "HTTP/";
  for (const char byte : text_of(bytes)) {
    if (unasked_head_.empty() && (byte == '\r' || byte == '\n')) {
      continue;
    }
    unasked_head_.push_back(byte);
    if (unasked_head_.size() == kBeginning.size()) {
      break;
    }
  }
  if (!kBeginning.starts_with(unasked_head_)) {
    miss_announcement(Direction::ToClient, bytes.data());
  }
  unasked_ = unasked_head_.size() < kBeginning.size();
}

void HttpSession::note_response_bytes(std::span<const uint8_t> bytes) noexcept {
  const std::less_equal<> before;
  if (!input_.empty() && before(input_.data(), bytes.data()) &&
      before(bytes.data() + bytes.size(), input_.data() + input_.size())) {
    response_end_ = static_cast<size_t>(bytes.data() + bytes.size() - input_.data());
  }
}

std::span<const uint8_t> HttpSession::own_bytes(HttpTransaction& transaction, Direction direction,
                                                std::span<const uint8_t> bytes) noexcept {
  if (content_receiver() == nullptr) {
    return bytes;
  }
  if (bytes.data() != nullptr && !bytes.empty() && chunks_[index_of(direction)] &&
      !is_message_over(transaction.source(), transaction.message_end(direction), direction) &&
      !is_chunk_data(direction, bytes)) {
    failed_ = true;
    return {};
  }
  // Without a status line nobody can say to what it belongs.
  const bool unasked = direction == Direction::ToClient && is_without_line(transaction.source());
  return bytes.first(unasked
                         ? 0
                         : take_own_bytes(transaction.source(), transaction.message_end(direction),
                                          direction, bytes.size()));
}

void HttpSession::begin_body(const htp_tx_t& source, Direction direction) noexcept {
  std::optional<ChunkReader>& chunks = chunks_[index_of(direction)];
  if (content_receiver() == nullptr || !is_in_chunks(source, direction)) {
    chunks.reset();
    return;
  }
  chunks.emplace();
  chunks_from_ = bytes_read();
}

void HttpSession::begin_head(Direction direction) noexcept {
  if (content_receiver() == nullptr || feeding_ != direction || closing_) return;
  std::optional<ChunkReader>& chunks = chunks_[index_of(direction)];
  // Of the message before, which may have come with the same bytes.
  failed_ = failed_ || (chunks && (!read_chunks(bytes_read()) || !chunks->is_over()));
  chunks.reset();
  heads_[index_of(direction)].emplace();
  head_from_ = bytes_read();
}

bool HttpSession::read_head() noexcept {
  const size_t from = std::exchange(head_from_, std::max(head_from_, bytes_read()));
  return heads_[index_of(feeding_)]->read(input_.subspan(from, head_from_ - from));
}

bool HttpSession::is_head_as_read(Direction direction, bool over) noexcept {
  std::optional<HeadReader>& head = heads_[index_of(direction)];
  if (!head || feeding_ != direction || closing_) return true;
  failed_ = failed_ || !read_head() || (over ? !head->is_behind_head() : !head->is_behind_line());
  if (over) head.reset();
  return !failed_;
}

bool HttpSession::read_chunks(size_t end) noexcept {
  const size_t from = std::exchange(chunks_from_, std::max(chunks_from_, end));
  return chunks_[index_of(feeding_)]->read(input_.subspan(from, chunks_from_ - from));
}

// libhtp takes for a body what it does not take for a size, depending on how much of it has come.
bool HttpSession::is_chunk_data(Direction direction, std::span<const uint8_t> bytes) noexcept {
  const std::less_equal<> before;
  if (feeding_ != direction || !before(input_.data(), bytes.data()) ||
      !before(bytes.data() + bytes.size(), input_.data() + input_.size())) {
    return false;
  }
  return read_chunks(static_cast<size_t>(bytes.data() - input_.data())) &&
         chunks_[index_of(direction)]->is_data(bytes.size());
}

bool HttpSession::ends_before(HttpTransaction& transaction, Direction direction,
                              std::span<const uint8_t> bytes) noexcept {
  if (is_line_ends_only(bytes)) {
    return true;
  }
  finish_body(transaction, direction);
  miss_announcement(direction, bytes.data());
  return false;
}

void HttpSession::miss_announcement(Direction direction, const uint8_t* first) noexcept {
  // With the end of the connection libhtp takes a line that it kept for a body, if it did not come
  // byte by byte: nothing comes any more that could be held.
  if (std::exchange(failed_, true) || closing_) return;
  if (HttpContents* const contents = this->contents()) {
    contents->unannounced(direction, first);
  }
}

// libhtp keeps a line that is not complete behind a response that is, or in the place of one, to
// see what it is: whoever takes contents must know before its packet passes.
void HttpSession::read_unfinished_line() noexcept {
  htp_tx_t* const source = htp_connp_get_out_tx(connection_->get());
  HttpTransaction* const transaction =
      content_receiver() == nullptr || source == nullptr ? nullptr : find(source, false);
  if (transaction == nullptr || failed_) {
    line_.clear();
    return;
  }
  const MessageEnd& end = transaction->message_end(Direction::ToClient);
  const bool is_first = is_without_line(*source);
  if (!is_first && !is_message_over(*source, end, Direction::ToClient)) {
    line_.clear();
    return;
  }
  const std::string_view input = text_of(input_);
  const size_t line = input.rfind('\n') + 1;  // 0 when there is none
  const size_t from = std::max(line, std::min(response_end_, input.size()));
  if (from != 0) line_.clear();
  line_.append(input.substr(from));
  waited_behind_ = waited_behind_ || (!is_first && !line_.empty());
  if (line_.empty() || kind_of_next_line(line_) != LineKind::Body) {
    return;
  }
  if (!is_first) finish_body(*transaction, Direction::ToClient);
  miss_announcement(Direction::ToClient, input_.data() + from);
}

bool HttpSession::more_request_bytes() const noexcept {
  return feeding_ == Direction::ToServer &&
         !trim_blanks(text_of(input_.subspan(bytes_read()))).empty();
}

size_t HttpSession::bytes_read() const noexcept {
  htp_connp_t* const parser = connection_->get();
  const size_t read = feeding_ == Direction::ToServer ? htp_connp_req_data_consumed(parser)
                                                      : htp_connp_res_data_consumed(parser);
  return std::min(read, input_.size());
}

void HttpSession::change_to(ApplicationProtocol protocol) noexcept {
  if (!follows_change() || calls_ > 1) {
    if (!std::exchange(changed_, true)) {
      next_ = protocol;
      read_at_change_ = bytes_read();
    }
    return;
  }
  stopped_ = true;
  if (!transactions().empty()) {
    transactions().back()->raise(feeding_, static_cast<uint8_t>(HttpEvent::FailedProtocolChange));
  }
}

std::string HttpSession::take_unread(Direction direction) noexcept {
  return changed_ ? std::exchange(waiting_[index_of(direction)], {}) : std::string{};
}

std::unique_ptr<ProtocolParser> make_http_parser(const ParserDemands& demands) {
  return std::make_unique<HttpSession>(demands);
}

}  // namespace masugata::ids
