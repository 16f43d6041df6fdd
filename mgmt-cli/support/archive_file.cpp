// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/archive_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

namespace masugata::cli {
namespace {

constexpr mode_t kOnlyOwner = 0600;

// From its beginning to its end.
Result<std::pair<uint64_t, std::string>> digest_of(int descriptor) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    return failure("SHA-256", "is not there");
  }
  std::array<char, 65536> bytes{};
  uint64_t size = 0;
  while (true) {
    const ssize_t count = ::pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure("", std::strerror(errno));
    if (count == 0) break;
    EVP_DigestUpdate(context.get(), bytes.data(), static_cast<size_t>(count));
    size += static_cast<uint64_t>(count);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  std::string digits;
  for (unsigned i = 0; i < length; ++i) digits += fmt::format("{:02x}", digest.at(i));
  return std::pair{size, digits};
}

}  // namespace

Result<ArchiveFile> ArchiveFile::create(const std::string& path) {
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOnlyOwner);
  if (descriptor < 0) return failure(path, std::strerror(errno));
  ArchiveFile file(path, descriptor);
  file.time_s_ = std::time(nullptr);
  file.archive_ = archive_write_new();
  if (file.archive_ == nullptr) return failure(path, "no memory");
  if (::fchmod(descriptor, kOnlyOwner) != 0) return failure(path, std::strerror(errno));
  if (archive_write_add_filter_gzip(file.archive_) != ARCHIVE_OK ||
      archive_write_set_format_ustar(file.archive_) != ARCHIVE_OK ||
      archive_write_open_fd(file.archive_, descriptor) != ARCHIVE_OK) {
    return tl::unexpected(file.trouble().error());
  }
  return file;
}

ArchiveFile::ArchiveFile(ArchiveFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      archive_(std::exchange(other.archive_, nullptr)),
      time_s_(other.time_s_) {}

ArchiveFile::~ArchiveFile() {
  if (archive_ != nullptr) archive_write_free(archive_);
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status ArchiveFile::trouble() const {
  const char* words = archive_error_string(archive_);
  return failure(path_, words != nullptr ? words : "cannot be written");
}

Status ArchiveFile::add(const std::string& name, std::string_view content) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            archive_entry_free);
  if (!entry) return failure(path_, "no memory");
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<int64_t>(content.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), kOnlyOwner);
  archive_entry_set_mtime(entry.get(), time_s_, 0);
  if (archive_write_header(archive_, entry.get()) != ARCHIVE_OK) return trouble();
  if (content.empty()) return {};
  const la_ssize_t written = archive_write_data(archive_, content.data(), content.size());
  if (written < 0 || static_cast<size_t>(written) != content.size()) return trouble();
  return {};
}

Result<ArchiveFile::Finished> ArchiveFile::finish() {
  if (archive_write_close(archive_) != ARCHIVE_OK) return tl::unexpected(trouble().error());
  if (::fsync(descriptor_) != 0) return failure(path_, std::strerror(errno));
  const auto digest = digest_of(descriptor_);
  if (!digest) return failure(path_, digest.error().what);
  path_.clear();
  return Finished{digest->first, digest->second};
}

}  // namespace masugata::cli
