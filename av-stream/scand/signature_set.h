// SPDX-License-Identifier: GPL-2.0-or-later
// Which signature files there are, and the number that stands for exactly these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/scand/clamav_engine.h"
#include "result/result.h"

namespace masugata::av {

struct SignatureFile {
  std::string path;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
  bool own = false;  // named by the configuration
  // Of a database with a header (.cvd, .cld): as its makers say.
  std::optional<uint32_t> database_version;
  std::optional<uint32_t> signatures;
  std::optional<int64_t> built;  // seconds since 1970
};

struct SignatureSet {
  std::vector<SignatureFile> files;  // by path
  // Of names, sizes, times and the allow-list; never 0. Another set has another number.
  uint64_t version = 0;
  std::optional<int64_t> newest_build;  // seconds since 1970
};

// What an engine of `sources` would be made of. A fault when a directory or an own file cannot be
// read, or when there is no signature file at all.
[[nodiscard]] Result<SignatureSet> examine_signatures(const EngineSources& sources);

}  // namespace masugata::av
