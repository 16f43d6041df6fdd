// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/files/file_tracker.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ids/protocols/files/file_magic.h"

namespace masugata::ids {

bool ByteWindow::append(std::span<const uint8_t> more, size_t limit) noexcept {
  const size_t bound = limit + kWindowBurstBytes;
  bool whole = true;
  if (more.size() > bound) {
    skip(more.size() - bound);
    more = more.last(bound);
    whole = false;
  }
  if (bytes.size() + more.size() > bound) {
    const size_t surplus = bytes.size() + more.size() - bound;
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(surplus));
    first += surplus;
    whole = false;
  }
  bytes.insert(bytes.end(), more.begin(), more.end());
  return whole;
}

void ByteWindow::trim(size_t limit) noexcept {
  if (bytes.size() <= limit) {
    return;
  }
  const size_t surplus = bytes.size() - limit / 2;
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(surplus));
  first += surplus;
  if (bytes.capacity() > 2 * limit) {
    bytes.shrink_to_fit();  // after a burst
  }
}

void ByteWindow::skip(uint64_t missing) noexcept {
  first += bytes.size() + missing;
  bytes.clear();
}

FileTracker::FileTracker(const ParserDemands& demands) noexcept
    : demands_(&demands),
      md5_(demands.md5 ? start_digest(EVP_md5()) : nullptr),
      sha1_(demands.sha1 ? start_digest(EVP_sha1()) : nullptr),
      sha256_(demands.sha256 ? start_digest(EVP_sha256()) : nullptr),
      magic_pending_(demands.magic) {}

FileTracker::Digest FileTracker::start_digest(const EVP_MD* algorithm) noexcept {
  Digest digest(EVP_MD_CTX_new());
  if (digest && EVP_DigestInit_ex(digest.get(), algorithm, nullptr) != 1) {
    digest.reset();
  }
  return digest;
}

void FileTracker::finish_digest(Digest& digest, std::string& result) noexcept {
  if (!digest) {
    return;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) == 1) {
    result.assign(bytes.begin(), bytes.begin() + size);
  }
  digest.reset();
}

bool FileTracker::append(TransferredFile& file, std::span<const uint8_t> bytes) noexcept {
  if (file.complete || bytes.empty()) {
    return true;
  }
  file.size += bytes.size();
  for (Digest* digest : {&md5_, &sha1_, &sha256_}) {
    if (*digest && EVP_DigestUpdate(digest->get(), bytes.data(), bytes.size()) != 1) {
      digest->reset();
    }
  }
  bool whole = true;
  if (demands_->bodies || magic_pending_) {
    whole = ByteWindow{file.window, file.window_first}.append(bytes, demands_->body_limit);
  } else {
    file.window_first = file.size;
  }
  if (magic_pending_ && (file.size >= kMagicBytes || file.window_first != 0)) {
    magic_pending_ = false;
    file.magic = file.window_first == 0 ? describe_content(file.window) : std::string{};
    if (!demands_->bodies) {
      ByteWindow{file.window, file.window_first}.skip(0);
    }
  }
  return whole;
}

void FileTracker::skip(TransferredFile& file, uint64_t missing) noexcept {
  if (file.complete || missing == 0) {
    return;
  }
  file.truncated = true;
  file.size += missing;
  ByteWindow{file.window, file.window_first}.skip(missing);
  md5_.reset();
  sha1_.reset();
  sha256_.reset();
  magic_pending_ = false;
}

void FileTracker::close(TransferredFile& file, bool truncated) noexcept {
  if (file.complete) {
    return;
  }
  file.complete = true;
  file.truncated = file.truncated || truncated;
  if (magic_pending_ && file.window_first == 0 && !file.window.empty()) {
    file.magic = describe_content(file.window);
  }
  magic_pending_ = false;
  if (file.truncated) {
    md5_.reset();
    sha1_.reset();
    sha256_.reset();
    return;
  }
  finish_digest(md5_, file.md5);
  finish_digest(sha1_, file.sha1);
  finish_digest(sha256_, file.sha256);
}

}  // namespace masugata::ids
