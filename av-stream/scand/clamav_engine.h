// SPDX-License-Identifier: GPL-2.0-or-later
// libclamav's engine: loaded once, shared by forked scanners.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "av-stream/exchange/exchange_layout.h"
#include "av-stream/scand/scan_result.h"
#include "result/result.h"

struct cl_engine;

namespace masugata::av {

// What an engine is made of.
struct EngineSources {
  std::vector<std::string> directories;     // as freshclam keeps them
  std::vector<std::string> own_signatures;  // files of any kind that libclamav reads
  std::vector<std::string> allowed_sha256;  // 64 hexadecimal digits each: never a finding
  std::string scratch_directory;            // for files that are made while loading
};

// The test file of the antivirus makers, put together so that no file of the project contains it.
[[nodiscard]] std::string eicar_test_file();

// Thread: one. After a fork each process has its own; what a scan changes in it is not shared.
class ClamavEngine {
 public:
  // Loads and compiles. Besides the sources every engine knows the EICAR test file and a mark of
  // its own, so that verify() has something to find. The fault names file and line as libclamav
  // says them. An own signature file of which libclamav skips a part is refused.
  // libclamav is initialised by the first call; processes that load must not have threads.
  [[nodiscard]] static Result<ClamavEngine> load(const EngineSources& sources);

  // Finds what must be found, plain and inside a mail, and nothing in what is clean.
  [[nodiscard]] Status verify();

  // Of the sources.
  [[nodiscard]] uint32_t signatures() const noexcept { return signatures_; }
  // What libclamav warned of while it loaded, at most kMaximumMessages.
  static constexpr size_t kMaximumMessages = 16;
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  // Where unpacked files go from now on; libclamav removes them after each scan.
  void set_scratch_directory(const std::string& directory);
  // `limits` as bounded_limits() gives them. Of an object above limits.file_bytes the first
  // file_bytes are scanned; a finding in them counts, else it is LimitSize when limits are
  // reported. `name` is what the object is called, may be empty. Without room for unpacked files
  // (see shortage.h), memory or descriptors: Failed and OutOfMemory, unless something was found. A
  // RAR archive that this libclamav cannot open is Encrypted.
  [[nodiscard]] ScanResult scan(std::span<const uint8_t> object, const std::string& name,
                                const ScanLimits& limits);

 private:
  struct Free {
    void operator()(cl_engine* engine) const noexcept;
  };

  ClamavEngine() = default;
  [[nodiscard]] Status add_sources(const EngineSources& sources);
  [[nodiscard]] Status add_built_in(const EngineSources& sources);
  [[nodiscard]] Status add_path(const std::string& path, bool strict, uint32_t& count);
  [[nodiscard]] Status expect(std::string_view what, std::string_view object, ScanOutcome outcome);
  void set_limits(const ScanLimits& limits);

  std::unique_ptr<cl_engine, Free> engine_;
  uint32_t signatures_ = 0;
  std::vector<std::string> warnings_;
  std::string mark_;  // found by a signature of this engine only
  ScanLimits set_limits_{};
  std::string scratch_directory_;
};

}  // namespace masugata::av
