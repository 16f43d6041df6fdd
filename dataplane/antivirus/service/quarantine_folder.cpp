// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/quarantine_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "net/siphash.h"

namespace masugata::dataplane {
namespace {

constexpr std::string_view kMagic = "MSGTQR1\n";
constexpr size_t kHeaderBytes = 24;
constexpr size_t kUnit = 8;
constexpr size_t kMetadataBytes = 64 * 1024;
constexpr std::string_view kSealedEnd = ".sealed";
constexpr std::string_view kMetadataEnd = ".json";
constexpr std::string_view kUnfinishedEnd = ".new";

std::string sealed_name(uint64_t reference) { return fmt::format("{}{}", reference, kSealedEnd); }
std::string metadata_name(uint64_t reference) {
  return fmt::format("{}{}", reference, kMetadataEnd);
}

// Seals or opens `bytes`, which begin at `offset` of the object, a multiple of kUnit.
void apply_seal(const net::SipHashKey& key, uint64_t offset, std::span<uint8_t> bytes) {
  for (size_t at = 0; at < bytes.size(); at += kUnit) {
    const uint64_t number = (offset + at) / kUnit;
    const uint64_t mask = net::siphash(key, &number, sizeof number);
    const size_t count = std::min(kUnit, bytes.size() - at);
    for (size_t i = 0; i < count; ++i) {
      bytes[at + i] = static_cast<uint8_t>(bytes[at + i] ^ (mask >> (8 * i)));
    }
  }
}

bool read_all(int file, std::span<uint8_t> to, uint64_t offset) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t count =
        pread(file, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

bool write_all(int file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(copy), closedir);
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory.get())) names.emplace_back(entry->d_name);
  return names;
}

std::optional<QuarantineEntry> read_metadata(int folder, const std::string& name) {
  const av::Descriptor file(openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const auto bytes = static_cast<size_t>(status.st_size);
  if (bytes > kMetadataBytes) return std::nullopt;
  std::string text(bytes, '\0');
  if (!read_all(file.get(), {reinterpret_cast<uint8_t*>(text.data()), bytes}, 0)) {
    return std::nullopt;
  }
  return from_metadata(text);
}

bool holds(int folder, const QuarantineEntry& entry) {
  struct stat status {};
  return fstatat(folder, sealed_name(entry.reference).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode) &&
         static_cast<uint64_t>(status.st_size) == kHeaderBytes + entry.bytes;
}

}  // namespace

Result<QuarantineFolder> QuarantineFolder::open(const std::string& path) {
  const std::filesystem::path folder(path);
  std::error_code ignored;
  std::filesystem::create_directories(folder.parent_path(), ignored);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failure(path, std::strerror(errno));
  av::Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) return failure(path, std::strerror(errno));
  struct stat status {};
  if (fstat(opened.get(), &status) != 0) return failure(path, std::strerror(errno));
  if (status.st_uid != geteuid() || (status.st_mode & 0077U) != 0) {
    return failure(path, "is not this process's alone: it must have mode 0700");
  }
  return QuarantineFolder(path, std::move(opened));
}

std::vector<QuarantineEntry> QuarantineFolder::load() const {
  std::vector<QuarantineEntry> entries;
  std::vector<std::string> names = names_in(folder_.get());
  for (const std::string& name : names) {
    if (name.ends_with(kUnfinishedEnd)) unlinkat(folder_.get(), name.c_str(), 0);
    if (!name.ends_with(kMetadataEnd)) continue;
    const auto entry = read_metadata(folder_.get(), name);
    if (entry && name == metadata_name(entry->reference) && holds(folder_.get(), *entry)) {
      entries.push_back(*entry);
    } else {
      unlinkat(folder_.get(), name.c_str(), 0);
    }
  }
  for (const std::string& name : names) {
    if (!name.ends_with(kSealedEnd)) continue;
    const bool known = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return name == sealed_name(entry.reference);
    });
    if (!known) unlinkat(folder_.get(), name.c_str(), 0);
  }
  std::sort(entries.begin(), entries.end(), [](const auto& one, const auto& other) {
    return one.time_s != other.time_s ? one.time_s < other.time_s : one.reference < other.reference;
  });
  return entries;
}

Status QuarantineFolder::write_file(const std::string& name, std::span<const uint8_t> bytes) const {
  const std::string unfinished = name + std::string(kUnfinishedEnd);
  unlinkat(folder_.get(), unfinished.c_str(), 0);
  const av::Descriptor file(openat(folder_.get(), unfinished.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failure(path_, std::strerror(errno));
  if (!write_all(file.get(), bytes) ||
      renameat(folder_.get(), unfinished.c_str(), folder_.get(), name.c_str()) != 0) {
    const std::string what = std::strerror(errno);
    unlinkat(folder_.get(), unfinished.c_str(), 0);
    return failure(path_, what);
  }
  return {};
}

Status QuarantineFolder::write(const QuarantineEntry& entry,
                               std::span<const uint8_t> object) const {
  net::SipHashKey key;
  static_assert(sizeof key == kHeaderBytes - kMagic.size());
  if (getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    return failure(path_, "no random numbers");
  }
  std::vector<uint8_t> sealed(kHeaderBytes + object.size());
  std::memcpy(sealed.data(), kMagic.data(), kMagic.size());
  std::memcpy(sealed.data() + kMagic.size(), &key, sizeof key);
  std::copy(object.begin(), object.end(), sealed.begin() + kHeaderBytes);
  apply_seal(key, 0, std::span(sealed).subspan(kHeaderBytes));
  remove(entry.reference);
  const std::string metadata =
      to_metadata(entry).dump(2, ' ', true, nlohmann::json::error_handler_t::replace);
  // The metadata last: what has none is no entry.
  Status written = write_file(sealed_name(entry.reference), sealed);
  if (written) {
    written = write_file(metadata_name(entry.reference),
                         {reinterpret_cast<const uint8_t*>(metadata.data()), metadata.size()});
  }
  if (!written) remove(entry.reference);
  return written;
}

Result<std::vector<uint8_t>> QuarantineFolder::read(uint64_t reference, uint64_t offset,
                                                    size_t maximum) const {
  const std::string name = sealed_name(reference);
  const av::Descriptor file(openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) return failure(name, std::strerror(errno));
  std::array<uint8_t, kHeaderBytes> header{};
  if (!read_all(file.get(), header, 0) ||
      std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
    return failure(name, "is no object of the quarantine");
  }
  const uint64_t bytes = static_cast<uint64_t>(status.st_size) - kHeaderBytes;
  if (offset >= bytes) return std::vector<uint8_t>();
  const uint64_t begin = offset / kUnit * kUnit;
  const uint64_t count = std::min<uint64_t>(maximum, bytes - offset);
  std::vector<uint8_t> object(offset - begin + count);
  if (!read_all(file.get(), object, kHeaderBytes + begin)) {
    return failure(name, "cannot be read");
  }
  net::SipHashKey key;
  std::memcpy(&key, header.data() + kMagic.size(), sizeof key);
  apply_seal(key, begin, object);
  object.erase(object.begin(), object.begin() + static_cast<ptrdiff_t>(offset - begin));
  return object;
}

void QuarantineFolder::remove(uint64_t reference) const {
  unlinkat(folder_.get(), metadata_name(reference).c_str(), 0);
  unlinkat(folder_.get(), sealed_name(reference).c_str(), 0);
}

}  // namespace masugata::dataplane
