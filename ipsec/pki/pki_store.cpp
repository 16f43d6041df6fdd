// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/pki/pki_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace masugata::ipsec::pki {
namespace {

constexpr size_t kMaximumFileBytes = 1U << 20U;
constexpr unsigned kOpenMode = 0644;
constexpr unsigned kSecretMode = 0600;
constexpr const char* kEnding = ".pem";
constexpr const char* kListEnding = ".crl.pem";

const char* folder_of(Shelf shelf) {
  switch (shelf) {
    case Shelf::Authorities:
    case Shelf::RevocationLists:
      return "ca";
    case Shelf::Certificates:
      return "certificates";
    case Shelf::Requests:
      return "requests";
    case Shelf::AuthorityKeys:
      return "ca-keys";
    case Shelf::Keys:
      break;
  }
  return "keys";
}

const char* thing_of(Shelf shelf) {
  switch (shelf) {
    case Shelf::Authorities:
      return "CA";
    case Shelf::RevocationLists:
      return "revocation list";
    case Shelf::Certificates:
      return "certificate";
    case Shelf::Requests:
      return "request";
    case Shelf::Keys:
    case Shelf::AuthorityKeys:
      break;
  }
  return "private key";
}

const char* ending_of(Shelf shelf) {
  return shelf == Shelf::RevocationLists ? kListEnding : kEnding;
}

Status make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failure(folder.string(), std::strerror(errno));
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failure(path.string(), std::strerror(errno));
  std::string bytes;
  char buffer[8192];
  ssize_t count = 0;
  while ((count = ::read(descriptor, buffer, sizeof buffer)) > 0 &&
         bytes.size() <= kMaximumFileBytes) {
    bytes.append(buffer, static_cast<size_t>(count));
  }
  const int cause = errno;
  ::close(descriptor);
  explicit_bzero(buffer, sizeof buffer);
  if (count < 0) return failure(path.string(), std::strerror(cause));
  if (bytes.size() > kMaximumFileBytes) return failure(path.string(), "is too long");
  return bytes;
}

Status PkiStore::check_name(const std::string& name) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  const bool right = !name.empty() && name.size() <= 63 && name.front() != '.' &&
                     name.front() != '-' && std::all_of(name.begin(), name.end(), fits);
  if (right) return {};
  return failure(name, "is no name: letters, digits, '-', '_' and '.', at most 63");
}

std::filesystem::path PkiStore::path_of(Shelf shelf, const std::string& name) const {
  return folder_ / folder_of(shelf) / (name + ending_of(shelf));
}

bool PkiStore::has(Shelf shelf, const std::string& name) const {
  std::error_code unreadable;
  return check_name(name) && std::filesystem::exists(path_of(shelf, name), unreadable);
}

Result<std::string> PkiStore::read(Shelf shelf, const std::string& name) const {
  if (Status right = check_name(name); !right) return tl::unexpected<Fault>(right.error());
  Result<std::string> bytes = read_file(path_of(shelf, name));
  if (bytes || has(shelf, name)) return bytes;
  return failure(name, fmt::format("there is no such {}: `masugata pki show` lists what there is",
                                   thing_of(shelf)));
}

Status PkiStore::write_file(const std::filesystem::path& path, const std::string& bytes,
                            unsigned mode) const {
  const std::string aside = path.string() + ".new";
  ::unlink(aside.c_str());
  const int descriptor =
      ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (descriptor < 0) return failure(aside, std::strerror(errno));
  const bool written =
      ::fchmod(descriptor, mode) == 0 &&
      ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(descriptor) == 0;
  const int cause = errno;
  ::close(descriptor);
  if (written && ::rename(aside.c_str(), path.c_str()) == 0) return {};
  const int why = written ? errno : cause;
  ::unlink(aside.c_str());
  return failure(path.string(), std::strerror(why));
}

Status PkiStore::write(Shelf shelf, const std::string& name, const std::string& bytes) const {
  if (Status right = check_name(name); !right) return right;
  if (Status made = make_folder(folder_); !made) return made;
  if (Status made = make_folder(folder_ / folder_of(shelf)); !made) return made;
  const bool secret = shelf == Shelf::Keys || shelf == Shelf::AuthorityKeys;
  return write_file(path_of(shelf, name), bytes, secret ? kSecretMode : kOpenMode);
}

Status PkiStore::remove(Shelf shelf, const std::string& name) const {
  if (Status right = check_name(name); !right) return right;
  const std::filesystem::path path = path_of(shelf, name);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return failure(path.string(), std::strerror(errno));
}

std::vector<std::string> PkiStore::names(Shelf shelf) const {
  std::vector<std::string> names;
  std::error_code unreadable;
  const std::string ending = ending_of(shelf);
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_ / folder_of(shelf), unreadable)) {
    const std::string file = entry.path().filename().string();
    if (file.size() <= ending.size() || !file.ends_with(ending)) continue;
    if (shelf == Shelf::Authorities && file.ends_with(kListEnding)) continue;
    names.push_back(file.substr(0, file.size() - ending.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<Issued>> PkiStore::issued_by(const std::string& authority) const {
  if (Status right = check_name(authority); !right) return tl::unexpected<Fault>(right.error());
  const std::filesystem::path path = folder_ / "ca" / (authority + ".issued");
  std::vector<Issued> all;
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable)) return all;
  const Result<std::string> text = read_file(path);
  if (!text) return tl::unexpected<Fault>(text.error());
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Issued issued;
    int64_t revoked = 0;
    if (!(words >> issued.serial >> issued.name)) {
      return failure(path.string(), fmt::format("'{}' is not SERIAL NAME [REVOKED]", line));
    }
    if (words >> revoked) issued.revoked = std::chrono::sys_seconds(std::chrono::seconds(revoked));
    all.push_back(std::move(issued));
  }
  return all;
}

Status PkiStore::write_issued(const std::string& authority,
                              const std::vector<Issued>& issued) const {
  if (Status right = check_name(authority); !right) return right;
  std::string text;
  for (const Issued& one : issued) {
    text += one.serial + " " + one.name;
    if (one.revoked) text += fmt::format(" {}", one.revoked->time_since_epoch().count());
    text += "\n";
  }
  return write_file(folder_ / "ca" / (authority + ".issued"), text, kSecretMode);
}

Result<std::string> PkiStore::certificate(const std::string& name) const {
  return read(Shelf::Certificates, name);
}
Result<config::SecretBytes> PkiStore::private_key(const std::string& name) const {
  if (Status right = check_name(name); !right) return tl::unexpected<Fault>(right.error());
  const std::filesystem::path path = path_of(Shelf::Keys, name);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  // In the words that read() has for it.
  if (descriptor < 0 && !has(Shelf::Keys, name)) {
    return tl::unexpected<Fault>(read(Shelf::Keys, name).error());
  }
  if (descriptor < 0) return failure(path.string(), std::strerror(errno));
  Result<config::SecretBytes> bytes = config::read_secret_bytes(descriptor, kMaximumFileBytes);
  ::close(descriptor);
  return bytes;
}
Result<std::string> PkiStore::authority(const std::string& name) const {
  return read(Shelf::Authorities, name);
}
std::vector<std::string> PkiStore::revocation_lists(const std::string& name) const {
  const Result<std::string> list = read(Shelf::RevocationLists, name);
  return list ? std::vector<std::string>{*list} : std::vector<std::string>();
}

}  // namespace masugata::ipsec::pki
