// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/files/file_magic.h"

#include <magic.h>

#include <algorithm>
#include <memory>

namespace masugata::ids {
namespace {

constexpr size_t kDescribedBytes = 64 * 1024;

struct MagicClose {
  void operator()(magic_set* database) const noexcept { magic_close(database); }
};
using MagicDatabase = std::unique_ptr<magic_set, MagicClose>;

MagicDatabase open_database() noexcept {
  MagicDatabase database(magic_open(MAGIC_NONE));
  if (database && magic_load(database.get(), nullptr) != 0) {
    database.reset();
  }
  return database;
}

// libmagic keeps its result inside the handle: one for each thread.
magic_set* database_of_thread() noexcept {
  thread_local const MagicDatabase database = open_database();
  return database.get();
}

}  // namespace

bool prepare_content_descriptions() noexcept {
  // The first description also compiles the database's expressions.
  static constexpr uint8_t kAnything[] = {'M', 'Z', 0, 1};
  static_cast<void>(describe_content(kAnything));
  return database_of_thread() != nullptr;
}

std::string describe_content(std::span<const uint8_t> first_bytes) noexcept {
  magic_set* const database = database_of_thread();
  if (database == nullptr || first_bytes.empty()) {
    return {};
  }
  const char* const text =
      magic_buffer(database, first_bytes.data(), std::min(first_bytes.size(), kDescribedBytes));
  return text == nullptr ? std::string{} : std::string{text};
}

}  // namespace masugata::ids
