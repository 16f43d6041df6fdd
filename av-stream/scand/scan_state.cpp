// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_state.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>

#include "av-stream/scand/message_socket.h"

namespace masugata::av {
namespace {

// One line, the fingerprints in order, the SHA-256 of all that.
constexpr std::string_view kHead = "masugata scan state 2 ";

std::string digest_of(std::string_view content) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(content.data()), content.size(),
         reinterpret_cast<uint8_t*>(digest.data()));
  return digest;
}

Result<std::string> read_file(int file, const std::string& name, size_t maximum) {
  struct stat status {};
  if (fstat(file, &status) != 0) return failure(name, std::strerror(errno));
  if (static_cast<uint64_t>(status.st_size) > maximum) return std::string();
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = read(file, content.data() + done, content.size() - done);
    if (count < 0) return failure(name, std::strerror(errno));
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  content.resize(done);
  return content;
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = write(file, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    content.remove_prefix(static_cast<size_t>(count));
  }
  return fsync(file) == 0;
}

bool replace_file(const std::string& file, std::string_view content) {
  const std::string temporary = file + ".new";
  unlink(temporary.c_str());
  const Descriptor output(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!output) return false;
  if (!write_all(output.get(), content) || std::rename(temporary.c_str(), file.c_str()) != 0) {
    const int cause = errno;
    unlink(temporary.c_str());
    errno = cause;
    return false;
  }
  const std::string parent = std::filesystem::path(file).parent_path().string();
  const Descriptor folder(
      open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && fsync(folder.get()) == 0;
}

}  // namespace

ScanState::Fingerprint ScanState::fingerprint_of(const std::string& path, const FileStamp& stamp) {
  std::string text(reinterpret_cast<const char*>(&stamp.bytes), sizeof stamp.bytes);
  text.append(reinterpret_cast<const char*>(&stamp.modified_ns), sizeof stamp.modified_ns);
  text.append(reinterpret_cast<const char*>(&stamp.changed_ns), sizeof stamp.changed_ns);
  const std::string digest = digest_of(text + path);
  Fingerprint result{};
  std::memcpy(result.data(), digest.data(), result.size());
  return result;
}

Result<ScanState> ScanState::load(const std::string& file, const std::string& key) {
  ScanState state;
  state.key_ = key;
  const Descriptor input(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!input) {
    if (errno == ENOENT) return state;
    return failure(file, std::strerror(errno));
  }
  const std::string head = std::string(kHead) + key + "\n";
  const size_t around = head.size() + SHA256_DIGEST_LENGTH;
  const auto content = read_file(input.get(), file, around + kMaximumFiles * sizeof(Fingerprint));
  if (!content) return tl::unexpected(content.error());
  if (!content->starts_with(head) || content->size() < around ||
      (content->size() - around) % sizeof(Fingerprint) != 0) {
    return state;
  }
  const std::string_view told(content->data(), content->size() - SHA256_DIGEST_LENGTH);
  if (digest_of(told) != content->substr(told.size())) return state;
  state.before_.resize((content->size() - around) / sizeof(Fingerprint));
  std::memcpy(state.before_.data(), content->data() + head.size(),
              state.before_.size() * sizeof(Fingerprint));
  return state;
}

bool ScanState::was_clean(const std::string& path, const FileStamp& stamp) const {
  return std::binary_search(before_.begin(), before_.end(), fingerprint_of(path, stamp));
}

void ScanState::remember_clean(const std::string& path, const FileStamp& stamp) {
  if (now_.size() < kMaximumFiles) now_.push_back(fingerprint_of(path, stamp));
}

Status ScanState::save(const std::string& file, bool interrupted) const {
  std::vector<Fingerprint> kept = now_;
  std::sort(kept.begin(), kept.end());
  if (interrupted) {
    std::vector<Fingerprint> both;
    std::set_union(kept.begin(), kept.end(), before_.begin(), before_.end(),
                   std::back_inserter(both));
    if (both.size() <= kMaximumFiles) kept = std::move(both);
  }
  std::string content = std::string(kHead) + key_ + "\n";
  content.append(reinterpret_cast<const char*>(kept.data()), kept.size() * sizeof(Fingerprint));
  content += digest_of(content);
  if (replace_file(file, content)) return {};
  return failure(file, std::string("cannot be written: ") + std::strerror(errno));
}

}  // namespace masugata::av
