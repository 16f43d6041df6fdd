// SPDX-License-Identifier: GPL-2.0-or-later
// Cycles per packet and Gbit/s of ESP on one core, beside IPsec-MB called directly and OpenSSL.
//
//   esp_bench [--quick] [--json FILE] [--only TRANSFORM]
#include <x86intrin.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ipsec/esp/esp_worker.h"
#include "tests/bench/esp_subjects.h"
#include "tests/bench/spread.h"

namespace {

using namespace masugata;         // NOLINT: a program of one file
using namespace masugata::bench;  // NOLINT

struct Options {
  bool quick = false;
  std::string json_file;
  std::string only;
};

constexpr const char* kTransforms[] = {"aes128gcm16",   "aes256gcm16",   "chacha20poly1305",
                                       "aes128-sha256", "aes256-sha384", "aes256-sha512"};
constexpr uint32_t kSizes[] = {64, 512, 1400};
constexpr const char* kSubjects[] = {"esp", "ipsec-mb", "openssl"};
constexpr size_t kSubjectCount = 3;

std::optional<Options> read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--quick") {
      options.quick = true;
    } else if (word == "--json" && i + 1 < count) {
      options.json_file = words[++i];
    } else if (word == "--only" && i + 1 < count) {
      options.only = words[++i];
    } else {
      return std::nullopt;
    }
  }
  return options;
}

// Of this machine, over 200 ms.
double cycles_per_second() {
  const auto start = std::chrono::steady_clock::now();
  const uint64_t first = __rdtsc();
  std::chrono::duration<double> passed{};
  do {
    passed = std::chrono::steady_clock::now() - start;
  } while (passed.count() < 0.2);
  return static_cast<double>(__rdtsc() - first) / passed.count();
}

// Cycles per packet of each run, by subject, encrypting and decrypting.
struct Measured {
  std::vector<double> runs[kSubjectCount][2];
};

bool measure_run(ipsec::EspTransform transform, uint32_t size, size_t chunks, Measured& measured) {
  // Each subject has its packets: what one wrote, another could not decrypt.
  std::vector<EspBuffers> buffers;
  for (size_t i = 0; i < kSubjectCount; ++i) buffers.emplace_back(size);
  const std::unique_ptr<EspSubject> subjects[kSubjectCount] = {make_esp_path(transform, buffers[0]),
                                                               make_library(transform, buffers[1]),
                                                               make_openssl(transform, buffers[2])};
  std::vector<double> cycles[kSubjectCount][2];
  for (size_t chunk = 0; chunk < chunks; ++chunk) {
    for (size_t i = 0; i < kSubjectCount; ++i) {
      const uint64_t start = __rdtsc();
      const bool encrypted = subjects[i]->encrypt();
      const uint64_t middle = __rdtsc();
      const bool decrypted = subjects[i]->decrypt();
      const uint64_t end = __rdtsc();
      if (!encrypted || !decrypted) return false;
      if (chunk < chunks / 10) continue;
      cycles[i][0].push_back(static_cast<double>(middle - start) / kEspPackets);
      cycles[i][1].push_back(static_cast<double>(end - middle) / kEspPackets);
    }
  }
  for (size_t i = 0; i < kSubjectCount; ++i) {
    for (size_t way = 0; way < 2; ++way) {
      measured.runs[i][way].push_back(quantile(cycles[i][way], 0.5));
    }
  }
  return true;
}

void report(const char* transform, uint32_t size, const Measured& measured, double frequency,
            nlohmann::json& json) {
  constexpr const char* kWays[] = {"encrypt", "decrypt"};
  for (size_t way = 0; way < 2; ++way) {
    double median[kSubjectCount];
    std::printf("%-17s %5u %s", transform, size, kWays[way]);
    for (size_t i = 0; i < kSubjectCount; ++i) {
      const Spread spread = spread_of(measured.runs[i][way]);
      median[i] = spread.median;
      const double gbits = size * 8.0 * frequency / spread.median / 1e9;
      std::printf("  %s %5.0f (%.0f-%.0f) %5.1f", kSubjects[i], spread.median, spread.lowest,
                  spread.highest, gbits);
      json[transform][std::to_string(size)][kWays[way]][kSubjects[i]] = {
          {"cycles", spread.median},
          {"lowest", spread.lowest},
          {"highest", spread.highest},
          {"gbits", gbits}};
    }
    std::printf("  of ipsec-mb %3.0f %%, x openssl %.1f\n", 100 * median[1] / median[0],
                median[2] / median[0]);
  }
}

}  // namespace

int main(int count, char** words) {
  const auto options = read_options(count, words);
  if (!options) {
    std::fprintf(stderr, "usage: esp_bench [--quick] [--json FILE] [--only TRANSFORM]\n");
    return 2;
  }
  const size_t runs = options->quick ? 3 : 5;
  const size_t chunks = options->quick ? 40 : 150;
  const double frequency = cycles_per_second();
  auto worker = ipsec::EspWorker::create();
  if (!worker) return 1;
  std::printf(
      "ESP, tunnel mode IPv4 in IPv4, %s, TSC %.3f GHz; cycles per packet: median of %zu "
      "runs (lowest-highest), Gbit/s of inner packets\n",
      (*worker)->instruction_set(), frequency / 1e9, runs);
  nlohmann::json json;
  for (const char* name : kTransforms) {
    if (!options->only.empty() && options->only != name) continue;
    Measured measured[std::size(kSizes)];
    for (size_t run = 0; run < runs; ++run) {
      for (size_t size = 0; size < std::size(kSizes); ++size) {
        if (!measure_run(*ipsec::transform_by_name(name), kSizes[size], chunks, measured[size])) {
          std::fprintf(stderr, "esp_bench: a packet was refused\n");
          return 1;
        }
      }
    }
    for (size_t size = 0; size < std::size(kSizes); ++size) {
      report(name, kSizes[size], measured[size], frequency, json);
    }
  }
  if (!options->json_file.empty()) std::ofstream(options->json_file) << json.dump(2) << "\n";
  return 0;
}
