// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/release_object.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "mgmt-cli/output/json_fields.h"

namespace masugata::cli {
namespace {

tl::unexpected<CallError> refuse(std::string message) {
  return tl::unexpected(CallError{CallError::Kind::Refused, std::move(message)});
}

std::optional<std::string> bytes_of(std::string_view digits) {
  std::string bytes;
  if (digits.size() % 2 != 0) return std::nullopt;
  for (size_t at = 0; at < digits.size(); at += 2) {
    uint8_t byte = 0;
    const char* begin = digits.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + 2, byte, 16);
    if (error != std::errc() || end != begin + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Into the open file.
tl::expected<uint64_t, CallError> copy_object(JsonRpcClient& client, const std::string& reference,
                                              int file) {
  uint64_t written = 0;
  while (true) {
    const auto answer =
        client.call("av.release", {{"reference", reference}, {"offset", std::to_string(written)}});
    if (!answer) return tl::unexpected(answer.error());
    const auto bytes = bytes_of(text_of(*answer, "bytes"));
    if (!bytes) return refuse("the gateway's answer makes no sense");
    if (bytes->empty()) return written;
    if (!write_all(file, *bytes)) {
      return refuse(fmt::format("cannot be written: {}", std::strerror(errno)));
    }
    written += bytes->size();
  }
}

}  // namespace

tl::expected<uint64_t, CallError> release_object(JsonRpcClient& client,
                                                 const std::string& reference,
                                                 const std::string& file) {
  const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (opened < 0) return refuse(fmt::format("{}: {}", file, std::strerror(errno)));
  auto written = copy_object(client, reference, opened);
  if (close(opened) != 0 && written) written = refuse(fmt::format("{}: cannot be closed", file));
  if (!written) unlink(file.c_str());
  return written;
}

}  // namespace masugata::cli
