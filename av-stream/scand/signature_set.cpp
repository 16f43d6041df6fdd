// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/signature_set.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace masugata::av {
namespace {

// What libclamav 1.4 loads from a directory.
constexpr std::array<std::string_view, 32> kEndings = {
    ".cvd", ".cld", ".cud", ".db",  ".hdb", ".hdu", ".hsb", ".hsu",  ".fp",  ".sfp", ".mdb",
    ".mdu", ".msb", ".msu", ".imp", ".ndb", ".ndu", ".ldb", ".ldu",  ".sdb", ".zmd", ".rmd",
    ".idb", ".cdb", ".cat", ".cbc", ".pdb", ".gdb", ".wdb", ".yara", ".ftm", ".ign2"};

uint64_t add_to_hash(uint64_t hash, std::string_view text) {
  for (const char byte : text) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3ULL;  // FNV-1a
  }
  return hash;
}

// "ClamAV-VDB:time:version:signatures:level:sum:signature:builder:seconds", filled with blanks.
// Read here and not by libclamav, which the supervisor keeps out of its process.
void read_header(SignatureFile& file) {
  if (!file.path.ends_with(".cvd") && !file.path.ends_with(".cld")) return;
  std::string head(512, '\0');
  std::ifstream(file.path, std::ios::binary).read(head.data(), 512);
  std::vector<std::string_view> fields;
  for (std::string_view rest = head; !rest.empty() && fields.size() < 10;) {
    const size_t end = std::min(rest.find(':'), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // What is not one of these: loading it will say what is wrong.
  if (fields.size() < 8 || fields[0] != "ClamAV-VDB") return;
  const auto number = [](std::string_view text, auto& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  uint32_t version = 0;
  uint32_t signatures = 0;
  int64_t built = 0;
  if (number(fields[2], version)) file.database_version = version;
  if (number(fields[3], signatures)) file.signatures = signatures;
  if (fields.size() > 8 && number(fields[8], built) && built > 0) file.built = built;
}

Result<SignatureFile> examine_file(const std::string& path, bool own) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return failure(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return failure(path, "is not a file");
  SignatureFile file{.path = path,
                     .bytes = static_cast<uint64_t>(status.st_size),
                     .modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
                     .own = own,
                     .database_version = {},
                     .signatures = {},
                     .built = {}};
  read_header(file);
  return file;
}

Status add_directory(const std::string& directory, std::vector<SignatureFile>& files) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string path = entry.path().string();
    const std::string ending = entry.path().extension().string();
    if (std::find(kEndings.begin(), kEndings.end(), ending) == kEndings.end()) continue;
    auto file = examine_file(path, false);
    // freshclam replaces files at any time: what is gone is not of the set.
    if (file) files.push_back(std::move(*file));
  }
  if (error) return failure(directory, error.message());
  return {};
}

}  // namespace

Result<SignatureSet> examine_signatures(const EngineSources& sources) {
  SignatureSet set;
  for (const std::string& directory : sources.directories) {
    if (auto status = add_directory(directory, set.files); !status) {
      return tl::unexpected(status.error());
    }
  }
  for (const std::string& path : sources.own_signatures) {
    auto file = examine_file(path, true);
    if (!file) return tl::unexpected(file.error());
    set.files.push_back(std::move(*file));
  }
  if (set.files.empty()) {
    return failure(fmt::format("{}", fmt::join(sources.directories, ", ")),
                   "holds no signature files: freshclam fetches them");
  }
  std::sort(set.files.begin(), set.files.end(),
            [](const SignatureFile& a, const SignatureFile& b) { return a.path < b.path; });
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const SignatureFile& file : set.files) {
    hash = add_to_hash(hash, fmt::format("{}\n{}\n{}\n", file.path, file.bytes, file.modified_ns));
    if (file.built) set.newest_build = std::max(set.newest_build.value_or(0), *file.built);
  }
  for (const std::string& digest : sources.allowed_sha256) hash = add_to_hash(hash, digest);
  set.version = std::max<uint64_t>(hash, 1);
  return set;
}

}  // namespace masugata::av
