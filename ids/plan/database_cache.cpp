// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/database_cache.h"

#include <hs/hs.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace masugata::ids {
namespace {

// Before the serialised database stands the digest of its bytes: a file that was cut or altered
// never reaches Hyperscan.
constexpr size_t kDigestLetters = 64;

}  // namespace

std::string digest_of(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  static constexpr char kLetters[] = "0123456789abcdef";
  std::string result;
  for (unsigned int i = 0; i < size; ++i) {
    result += kLetters[digest[i] >> 4U];
    result += kLetters[digest[i] & 15U];
  }
  return result;
}

DatabasePointer load_database(const std::string& folder, const std::string& name) {
  std::ifstream file(folder + "/" + name, std::ios::binary);
  if (!file) {
    return nullptr;
  }
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (content.size() <= kDigestLetters) {
    return nullptr;
  }
  const std::string_view body = std::string_view(content).substr(kDigestLetters);
  if (digest_of(body) != std::string_view(content).substr(0, kDigestLetters)) {
    return nullptr;
  }
  hs_database_t* database = nullptr;
  if (hs_deserialize_database(body.data(), body.size(), &database) != HS_SUCCESS) {
    return nullptr;
  }
  return DatabasePointer(database);
}

void keep_database(const std::string& folder, const std::string& name,
                   const hs_database* database) {
  char* bytes = nullptr;
  size_t size = 0;
  if (hs_serialize_database(database, &bytes, &size) != HS_SUCCESS) {
    return;
  }
  const std::string_view body(bytes, size);
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const std::string path = folder + "/" + name;
  const std::string unfinished = path + "." + std::to_string(getpid());
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << digest_of(body) << body;
  file.close();
  std::free(bytes);
  if (file.good()) {
    std::filesystem::rename(unfinished, path, ignored);
  } else {
    std::filesystem::remove(unfinished, ignored);
  }
}

}  // namespace masugata::ids
