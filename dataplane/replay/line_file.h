// SPDX-License-Identifier: GPL-2.0-or-later
// Lines into a file.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "ids/eve/line_sink.h"
#include "result/result.h"

namespace masugata::dataplane {

// Thread: one at a time. What could not be written is told by finish().
class LineFile final : public ids::LineSink {
 public:
  // "-" is standard output. Fails when the file cannot be written.
  [[nodiscard]] static Result<std::unique_ptr<LineFile>> create(const std::string& path);
  void line(std::string_view text) noexcept override;
  [[nodiscard]] Status finish() noexcept;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept {
      if (file != stdout) static_cast<void>(std::fclose(file));
    }
  };
  LineFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace masugata::dataplane
