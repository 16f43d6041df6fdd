// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/message_parser.h"

#include <algorithm>
#include <cstring>

namespace masugata::ids::mime {
namespace {

constexpr size_t kLongHeaderName = 75;
constexpr size_t kLongHeaderValue = 2000;
constexpr size_t kReportedHeaderLine = 4096;
constexpr size_t kLongBoundary = 254;
constexpr size_t kLongFileName = 255;
constexpr size_t kLongLine = 998;
constexpr size_t kLongEncodedLine = 76;
// A line that begins as a boundary does is looked at up to here.
constexpr size_t kBoundaryLine = kMaximumBoundaryBytes + 64;

}  // namespace

// The part at hand: what its header says of it.
struct MessageParser::Part {
  std::optional<std::string> type;  // values as sent; the first of each name counts
  std::optional<std::string> disposition;
  std::optional<std::string> encoding;
  TransferDecoder decoder;
  UrlFinder urls;
  std::optional<size_t> file;
  bool is_text = false;
  bool is_attachment = false;  // a file by its name or by its kind
};

MessageParser::MessageParser(FileCollection& files, Direction direction,
                             bool text_as_files) noexcept
    : MessageParser(files, direction, text_as_files, own_findings_, 0) {}

MessageParser::MessageParser(FileCollection& files, Direction direction, bool text_as_files,
                             MessageFindings& findings, size_t depth) noexcept
    : files_(files),
      direction_(direction),
      text_as_files_(text_as_files),
      findings_(&findings),
      depth_(depth),
      lines_(kMaximumHeaderLine),
      part_(std::make_unique<Part>()) {}

MessageParser::~MessageParser() = default;

void MessageParser::raise(Anomaly anomaly) noexcept {
  findings_->anomalies =
      static_cast<uint16_t>(findings_->anomalies | static_cast<uint16_t>(anomaly));
}

const std::string* MessageParser::find_field(std::string_view name,
                                             uint32_t instance) const noexcept {
  for (const HeaderField& field : fields_) {
    if (field.name == name && instance-- == 0) {
      return &field.value;
    }
  }
  return nullptr;
}

void MessageParser::feed(std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    if (skip_line_) {
      const auto feed = std::find(bytes.begin(), bytes.end(), '\n');
      skip_line_ = feed == bytes.end();
      bytes =
          skip_line_ ? bytes.last(0) : bytes.subspan(static_cast<size_t>(feed - bytes.begin()) + 1);
      continue;
    }
    switch (state_) {
      case State::Header:
      case State::Carried: {
        Line line;
        if (!lines_.next(bytes, line)) {
          return;
        }
        if (line.length > kLongLine) {
          raise(Anomaly::LongLine);
        }
        if (state_ == State::Carried) {
          take_first_carried_line(line);
        } else {
          take_header_line(line);
        }
        break;
      }
      case State::Between:
      case State::Leaf:
      case State::Encoded:
        take_body(bytes);
        break;
      case State::Finished:
        return;
    }
  }
}

void MessageParser::end(bool broken) noexcept {
  if (state_ == State::Finished) {
    return;
  }
  if (state_ == State::Header && own_header_) {
    end_field();  // a message without a body
  }
  if (!held_.empty() && !take_boundary(held_, true)) {
    take_content(as_bytes(held_), false);
  }
  end_part(broken);
  state_ = State::Finished;
  status_ = broken ? MessageStatus::Failed : MessageStatus::Done;
}

void MessageParser::begin_header() noexcept {
  *part_ = Part{};
  lines_.reset();
  field_name_.clear();
  field_value_.clear();
  state_ = State::Header;
}

void MessageParser::take_header_line(const Line& line) noexcept {
  if (line.length > kReportedHeaderLine) {
    raise(Anomaly::TruncatedLine);
  }
  if (line.text.empty()) {
    end_field();
    end_header();
    return;
  }
  if (line.text[0] == ' ' || line.text[0] == '\t') {
    if (!field_name_.empty() && field_value_.size() < kMaximumHeaderValue) {
      field_value_.append(line.text.substr(1, kMaximumHeaderValue - field_value_.size()));
    }
    return;
  }
  // Between the parts of a container a boundary may follow a header without its empty line.
  if (!boundaries_.empty() && line.text.starts_with("--") && take_boundary(line.text, true)) {
    return;
  }
  end_field();
  const auto field = split_field(line.text);
  if (!field) {
    return;
  }
  if (field->name.size() > kLongHeaderName) {
    raise(Anomaly::LongHeaderName);
  }
  if (field->value.size() > kLongHeaderValue) {
    raise(Anomaly::LongHeaderValue);
  }
  for (const char c : field->name.substr(0, 4 * kLongHeaderName)) {
    field_name_.push_back(to_lower(c));
  }
  field_value_ = field->value;
}

void MessageParser::end_field() noexcept {
  if (!field_name_.empty()) {
    keep_field(field_name_, std::move(field_value_));
  }
  field_name_.clear();
  field_value_.clear();
}

void MessageParser::keep_field(std::string_view name, std::string value) noexcept {
  // What says how to read the part is kept whatever came before it.
  std::optional<std::string>* slot = name == "content-type"                ? &part_->type
                                     : name == "content-disposition"       ? &part_->disposition
                                     : name == "content-transfer-encoding" ? &part_->encoding
                                                                           : nullptr;
  if (slot != nullptr && !slot->has_value()) {
    *slot = value;
  }
  if (own_header_ && fields_.size() < kMaximumHeaderFields &&
      field_bytes_ + name.size() + value.size() <= kMaximumHeaderBytes) {
    field_bytes_ += name.size() + value.size();
    fields_.push_back({std::string{name}, std::move(value)});
  }
}

void MessageParser::end_header() noexcept {
  own_header_ = false;
  if (status_ == MessageStatus::Header) {
    status_ = MessageStatus::Body;
  }
  at_line_start_ = true;
  std::string type = part_->type ? media_type(*part_->type) : std::string{};
  if (type.empty() && !boundaries_.empty() && boundaries_.back().digest) {
    type = "message/rfc822";  // RFC 2046 section 5.1.5
  }
  const bool container = type.starts_with("multipart/");
  const bool message = type == "message/rfc822" || type == "message/global";
  const bool too_deep = boundaries_.size() + depth_ >= kMaximumNesting;
  if (container && !too_deep) {
    if (auto boundary = find_parameter(*part_->type, "boundary"); boundary && !boundary->empty()) {
      if (boundary->size() > kLongBoundary) {
        raise(Anomaly::LongBoundary);
      }
      boundaries_.push_back(
          {"--" + boundary->substr(0, kMaximumBoundaryBytes), depth_, type == "multipart/digest"});
      state_ = State::Between;
      return;
    }
  }
  if (too_deep || container) {
    raise(Anomaly::MalformedMessage);
  }
  if (message && !too_deep) {
    (void)part_name();
    part_->decoder.start(part_->encoding ? find_transfer_encoding(*part_->encoding)
                                         : TransferEncoding::Identity);
    ++depth_;
    lines_.reset();
    state_ = State::Carried;
    return;
  }
  open_leaf(type);
}

std::string MessageParser::part_name() noexcept {
  std::optional<std::string> name;
  if (part_->disposition) {
    name = find_parameter(*part_->disposition, "filename");
  }
  if ((!name || name->empty()) && part_->type) {
    name = find_parameter(*part_->type, "name");
  }
  if (!name || name->empty()) {
    return {};
  }
  if (name->size() > kLongFileName) {
    raise(Anomaly::LongFileName);
    name->resize(kLongFileName);
  }
  if (findings_->attachments.size() < kMaximumAttachments) {
    findings_->attachments.push_back(*name);
  }
  return std::move(*name);
}

void MessageParser::open_leaf(const std::string& type) noexcept {
  state_ = State::Leaf;
  const std::string name = part_name();
  part_->is_text = type.empty() || type.starts_with("text/");
  const bool declared = part_->disposition && media_type(*part_->disposition) == "attachment";
  part_->is_attachment = !name.empty() || declared || !part_->is_text;
  part_->decoder.start(part_->encoding ? find_transfer_encoding(*part_->encoding)
                                       : TransferEncoding::Identity);
  if (part_->is_attachment || text_as_files_) {
    part_->file = files_.open(direction_, name);
  }
}

void MessageParser::take_first_carried_line(const Line& line) noexcept {
  if (!boundaries_.empty() && line.text.starts_with("--") && take_boundary(line.text, true)) {
    return;
  }
  const TransferDecoder decoder = part_->decoder;
  if (line.text.empty() || line.text.find(':') != std::string_view::npos ||
      decoder.encoding() == TransferEncoding::Identity) {
    // RFC 2046 section 5.2.1: not encoded, whatever its header says. A copy, because the reader
    // that holds the line begins anew.
    const std::string text{line.text};
    Line first = line;
    first.text = text;
    begin_header();
    take_header_line(first);
    return;
  }
  inner_.reset(new MessageParser(files_, direction_, text_as_files_, *findings_, depth_));
  state_ = State::Encoded;
  decode(as_bytes(line.text));
  constexpr uint8_t kLineEnd[] = {'\r', '\n'};
  decode(kLineEnd);
}

void MessageParser::count_line(std::span<const uint8_t> piece, bool ends) noexcept {
  line_length_ += piece.size();
  if (line_length_ > kLongLine + 2) {
    raise(Anomaly::LongLine);
  }
  if (state_ == State::Leaf && part_->is_attachment && line_length_ > kLongEncodedLine + 2 &&
      part_->decoder.encoding() != TransferEncoding::Identity) {
    raise(Anomaly::LongEncodedLine);
  }
  if (ends) {
    line_length_ = 0;
  }
}

void MessageParser::take_body(std::span<const uint8_t>& bytes) noexcept {
  const auto* feed = static_cast<const uint8_t*>(std::memchr(bytes.data(), '\n', bytes.size()));
  const bool ends = feed != nullptr;
  std::span<const uint8_t> piece =
      ends ? bytes.first(static_cast<size_t>(feed - bytes.data()) + 1) : bytes;
  bytes = bytes.subspan(piece.size());
  count_line(piece, ends);
  const bool candidate =
      at_line_start_ && !boundaries_.empty() && (!held_.empty() || piece[0] == '-');
  if (candidate) {
    const size_t room = kBoundaryLine - held_.size();
    held_.append(as_text(piece.first(std::min(room, piece.size()))));
    if (!ends && held_.size() < kBoundaryLine) {
      return;
    }
    piece = piece.subspan(std::min(room, piece.size()));
    if (take_boundary(held_, ends)) {
      held_.clear();
      skip_line_ = !ends;
      return;
    }
    at_line_start_ = ends && piece.empty();
    take_content(as_bytes(held_), at_line_start_);
    held_.clear();
    if (piece.empty()) {
      return;
    }
  }
  at_line_start_ = ends;
  take_content(piece, ends);
}

bool MessageParser::take_boundary(std::string_view line, bool whole) noexcept {
  while (!line.empty() && static_cast<uint8_t>(line.back()) <= ' ') {
    line.remove_suffix(1);
  }
  // An exact delimiter first, the innermost before the others; then one that the line only begins
  // with, which many mail programs take for it too.
  size_t found = boundaries_.size();
  bool closing = false;
  for (size_t i = boundaries_.size(); i-- > 0 && found == boundaries_.size();) {
    const std::string& boundary = boundaries_[i].text;
    if (!line.starts_with(boundary)) {
      continue;
    }
    const std::string_view after = line.substr(boundary.size());
    if (whole && (after.empty() || after == "--")) {
      found = i;
      closing = after == "--";
    }
  }
  for (size_t i = boundaries_.size(); i-- > 0 && found == boundaries_.size();) {
    if (line.starts_with(boundaries_[i].text)) {
      found = i;
      closing = line.substr(boundaries_[i].text.size()).starts_with("--");
    }
  }
  if (found == boundaries_.size()) {
    return false;
  }
  end_part(false);
  depth_ = boundaries_[found].depth;
  boundaries_.erase(boundaries_.begin() + static_cast<std::ptrdiff_t>(closing ? found : found + 1),
                    boundaries_.end());
  if (closing) {
    *part_ = Part{};
    state_ = State::Between;
    at_line_start_ = true;
  } else {
    begin_header();
  }
  return true;
}

void MessageParser::take_content(std::span<const uint8_t> piece, bool ends) noexcept {
  if (state_ == State::Between || piece.empty()) {
    return;
  }
  if (pending_end_ == "\r" && piece[0] == '\n') {
    pending_end_ += '\n';  // the line's end came in two pieces
    return;
  }
  if (!pending_end_.empty()) {
    decode(as_bytes(pending_end_));
    pending_end_.clear();
  }
  size_t end_bytes = 0;
  if (ends) {
    end_bytes = piece.size() > 1 && piece[piece.size() - 2] == '\r' ? 2 : 1;
  } else if (piece.back() == '\r') {
    end_bytes = 1;
  }
  if (end_bytes != 0) {
    pending_end_ = as_text(piece.last(end_bytes));
    piece = piece.first(piece.size() - end_bytes);
  }
  decode(piece);
}

void MessageParser::decode(std::span<const uint8_t> piece) noexcept {
  Part& part = *part_;
  if (inner_ == nullptr && !part.file && !part.is_text) {
    return;
  }
  std::span<const uint8_t> clear = piece;
  if (part.decoder.encoding() != TransferEncoding::Identity) {
    decoded_.clear();
    part.decoder.decode(piece, decoded_);
    if (part.decoder.saw_invalid()) {
      raise(part.decoder.encoding() == TransferEncoding::Base64 ? Anomaly::InvalidBase64
                                                                : Anomaly::InvalidQuotedPrintable);
    }
    clear = decoded_;
  }
  if (inner_ != nullptr) {
    inner_->feed(clear);
    return;
  }
  if (part.file) {
    (void)files_.append(*part.file, clear);
  }
  if (part.is_text) {
    part.urls.feed(clear, findings_->urls);
  }
}

void MessageParser::end_part(bool broken) noexcept {
  if (inner_ != nullptr) {
    inner_->end(broken);
    inner_.reset();
  }
  if (part_->is_text) {
    part_->urls.end(findings_->urls);
  }
  if (part_->file) {
    files_.close(*part_->file, broken);
    part_->file.reset();
  }
  pending_end_.clear();
}

}  // namespace masugata::ids::mime
