// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: signatures made at run time, and a service with a worker's side of a region.
#pragma once

#include <clamav.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "av-stream/exchange/worker_region.h"
#include "av-stream/scand/scan_service.h"

namespace masugata::av {

// A directory that every user may read; gone with the object.
class TestDirectory {
 public:
  TestDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "scand-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string write(const std::string& name, std::string_view text) const {
    const std::string file = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string body_signature(std::string_view name, std::string_view text) {
  std::string line = std::string(name) + ":0:*:";
  for (const char character : text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    line += kDigits[static_cast<unsigned char>(character) / 16];
    line += kDigits[static_cast<unsigned char>(character) % 16];
  }
  return line + "\n";
}

inline constexpr std::string_view kEvil = "this text is evil for the tests of the scanner";

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// How many there were. Whoever has children that he still wants to hear of must not.
inline int bury_dead_children() {
  int count = 0;
  while (waitpid(-1, nullptr, WNOHANG) > 0) ++count;
  return count;
}

// Takes libclamav seconds.
inline std::string slow_object(size_t bytes) {
  std::string page = "<html><body>";
  for (uint32_t number = 1; page.size() < bytes; number = number * 1664525 + 1013904223) {
    page +=
        "<script>var a" + std::to_string(number) + "='" + std::to_string(number) + "';</script>";
  }
  return page;
}

inline std::string sha256_text(const std::string& bytes) {
  std::array<unsigned char, SHA256_HASH_SIZE> digest{};
  unsigned length = 0;
  cl_sha256(bytes.data(), bytes.size(), digest.data(), &length);
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

class ServiceBench {
 public:
  static constexpr uint32_t kBlocks = 6000;

  explicit ServiceBench(uint32_t scanners = 1) {
    // What earlier tests have freed is no room for scanners that are bounded.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
    settings.signature_directories = {directory.path() + "/signatures"};
    settings.scanners = scanners;
    settings.check_interval_ms = 50;
    ServiceOptions options;
    if (geteuid() == 0) {
      options.user = find_sandbox_user("nobody").value();
    } else {
      options.sandbox_required = false;  // user namespaces may be forbidden
    }
    service.emplace(ScanService::create(options).value());
  }

  // Ticks until `holds`, ten seconds at most on an idle machine.
  bool until(const std::function<bool()>& holds) {
    const uint64_t end_ms = monotonic_ms() + 60'000;
    while (!holds()) {
      if (monotonic_ms() > end_ms) return false;
      service->tick();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  bool start() {
    service->configure(settings);
    if (!give_region()) return false;
    return until([this] { return service->ready(); });
  }
  bool give_region() {
    std::vector<Descriptor> descriptors;
    descriptors.emplace_back(dup(worker.descriptor()));
    return service->take_regions(std::move(descriptors)).has_value();
  }
  std::optional<ScanTicket> ask(std::string_view object, const ScanLimits& limits = {}) {
    StoredObject stored;
    if (!worker.append(stored, bytes_of(object))) return std::nullopt;
    return worker.submit(stored, limits, "object");
  }
  ScanAnswer answer() {
    std::optional<ScanAnswer> result;
    if (!until([&] { return (result = worker.take_answer()).has_value(); })) return {};
    worker.release(result->object);
    return *result;
  }
  ScanAnswer scan(std::string_view object, const ScanLimits& limits = {}) {
    if (!ask(object, limits)) return {};
    return answer();
  }
  // Of the scanner that has an object; 0: none has.
  pid_t busy_scanner() {
    if (service->current() == nullptr) return 0;
    for (const ScannerSeat& seat : service->current()->board().seats) {
      if (seat.busy_since_ms.load() != 0) return seat.process.load();
    }
    return 0;
  }
  pid_t wait_for_busy_scanner() {
    pid_t process = 0;
    until([&] { return (process = busy_scanner()) != 0; });
    return process;
  }

  TestDirectory directory;
  ScandSettings settings;
  std::optional<ScanService> service;
  WorkerRegion worker = WorkerRegion::create(kBlocks).value();
};

}  // namespace masugata::av
