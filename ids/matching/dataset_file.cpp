// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/dataset_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "net/address.h"

namespace masugata::ids {
namespace {

constexpr mode_t kMode = 0640;

std::string base64_of(std::span<const uint8_t> value) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < value.size(); at += 3) {
    const size_t count = std::min<size_t>(3, value.size() - at);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) bits = bits << 8U | (i < count ? value[at + i] : 0U);
    for (size_t i = 0; i < 4; ++i) {
      text += i <= count ? kDigits[bits >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return text;
}

std::string hexadecimal(std::span<const uint8_t> value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : value) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

// A digest as bytes, or as its hexadecimal text in any case.
std::string digest_of(std::span<const uint8_t> value, size_t bytes) {
  if (value.size() == bytes) return hexadecimal(value);
  if (value.size() != bytes * 2) return {};
  std::string text(value.begin(), value.end());
  for (char& digit : text) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit + 32);
  }
  return text;
}

std::string address_of(std::span<const uint8_t> value) {
  if (value.size() == 4) {
    return net::IpAddress::from_v4(net::load_be32(value.data())).to_string();
  }
  return value.size() == 16 ? net::IpAddress::from_v6(value.data()).to_string() : std::string();
}

Fault system_fault(const std::string& path) { return {path, std::strerror(errno)}; }

Status write_all(int descriptor, const std::string& text, const std::string& path) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(system_fault(path));
    written += static_cast<size_t>(count);
  }
  if (::fsync(descriptor) != 0) return tl::unexpected(system_fault(path));
  return {};
}

}  // namespace

std::string dataset_line_of(DatasetType type, std::span<const uint8_t> value) {
  switch (type) {
    case DatasetType::String:
      return base64_of(value);
    case DatasetType::Md5:
      return digest_of(value, 16);
    case DatasetType::Sha256:
      return digest_of(value, 32);
    case DatasetType::Ipv4:
    case DatasetType::Ip:
      break;
  }
  return address_of(value);
}

DatasetFile::DatasetFile(DatasetType type, std::string path, std::set<std::string> lines)
    : type_(type), path_(std::move(path)), lines_(std::move(lines)) {}

void DatasetFile::follow(DatasetJournal& journal) {
  DatasetChange change;
  for (size_t count = 0; count < DatasetJournal::kEntries && journal.take(change); ++count) {
    std::string line = dataset_line_of(type_, change.view());
    if (line.empty()) continue;
    if (!change.added) {
      // A member that was loaded with a reputation stands behind its comma.
      const auto found = lines_.lower_bound(line);
      if (found == lines_.end() || found->substr(0, found->find(',')) != line) continue;
      lines_.erase(found);
    } else if (lines_.size() < kMaximumSavedLines) {
      if (!lines_.insert(std::move(line)).second) continue;
    } else {
      ++left_out_;
      continue;
    }
    changed_ = true;
  }
}

Status DatasetFile::save() {
  if (!changed_) return {};
  const std::string beside = path_ + ".new";
  const int descriptor =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (descriptor < 0) return tl::unexpected(system_fault(beside));
  std::string text;
  for (const std::string& line : lines_) {
    text += line;
    text += '\n';
  }
  // Whatever the mask of the process and an older file say.
  Status status;
  if (::fchmod(descriptor, kMode) == 0) {
    status = write_all(descriptor, text, beside);
  } else {
    status = tl::unexpected(system_fault(beside));
  }
  if (::close(descriptor) != 0 && status) status = tl::unexpected(system_fault(beside));
  if (status && std::rename(beside.c_str(), path_.c_str()) != 0) {
    status = tl::unexpected(system_fault(path_));
  }
  if (status) changed_ = false;
  return status;
}

}  // namespace masugata::ids
