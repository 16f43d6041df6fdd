// SPDX-License-Identifier: GPL-2.0-or-later
// Scans with too few of everything: what is infected is found or not scanned, and never clean.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <functional>
#include <map>
#include <optional>

#include "av-stream/scand/clamav_engine.h"
#include "av-stream/scand/scan_limits.h"
#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

constexpr int kNotPossible = 99;
constexpr int kEnded = 98;  // of a signal

std::string base64(std::string_view text) {
  std::string encoded(text.size() * 2 + 4, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(length));
  return encoded;
}

std::string gzipped(std::string_view content) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(content.size() + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string mail(std::string_view attached) {
  return "From: a@example.org\r\nTo: b@example.org\r\nSubject: test\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
         "\r\nHello.\r\n--b\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\n" +
         base64(attached) + "\r\n--b--\r\n";
}

// Found only by who decodes each of them.
std::map<std::string, std::string> infected_objects() {
  const std::string evil(kEvil);
  const std::string split = "<html><body>this te<!-- a -->xt is ev<!-- b -->il" +
                            evil.substr(evil.find(" for")) + "</body></html>";
  const std::string linked = "<html><body><img src=\"data:application/octet-stream;base64," +
                             base64(evil) + "\"></body></html>";
  std::string large;
  while (large.size() < 300'000) large += "<p>paragraph " + std::to_string(large.size()) + "</p>\n";
  std::string crowd = "<html><body>";
  for (int number = 0; number < 150; ++number) {
    crowd += "<img src=\"data:application/octet-stream;base64," +
             base64(number < 149 ? "file " + std::to_string(number) : evil) + "\">\n";
  }
  crowd += "</body></html>";
  return {{"a page with comments in the words", split},
          {"a page with a file in it", linked},
          {"a large page with a file in it",
           "<html><body>" + large + linked.substr(linked.find("<img"))},
          {"a page with many files in it", crowd},
          {"gzip", gzipped(evil)},
          {"a page in gzip", gzipped(split)},
          {"a mail", mail(evil)},
          {"a page in a mail", mail(split)},
          {"gzip in a mail", mail(gzipped(evil))}};
}

class Shortages : public ::testing::Test {
 protected:
  Shortages() {
    EngineSources sources;
    sources.directories = {directory.path() + "/signatures"};
    sources.scratch_directory = directory.path();
    std::string page = body_signature("Test.Page", kEvil);
    page.replace(page.find(":0:"), 3, ":3:");
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil) + page);
    engine.emplace(ClamavEngine::load(sources).value());
  }

  // What a process of its own says of `object` once it has made itself short by `bound`, which
  // gives the folder for scratch files; empty: it cannot.
  int outcome(const std::string& object, const std::function<std::string()>& bound) {
    const pid_t process = fork();
    if (process == 0) {
      close_range(3, ~0U, 0);
      std::string folder = bound();
      if (folder.empty()) _exit(kNotPossible);
      engine->set_scratch_directory(folder);
      const ScanResult result = engine->scan(bytes_of(object), {}, bounded_limits({}));
      _exit(static_cast<int>(result.outcome));
    }
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kEnded;
  }

  // `bound(n)` is tried with n of something, from none to so many that the scan succeeds.
  void never_clean(const std::function<std::string(int)>& bound, int most) {
    bool was_short = false;
    for (const auto& [what, object] : infected_objects()) {
      int result = 0;
      for (int count = 0; count <= most; ++count) {
        result = outcome(object, [&] { return bound(count); });
        if (result == kNotPossible) GTEST_SKIP() << "not allowed here";
        EXPECT_NE(result, static_cast<int>(ScanOutcome::Clean)) << what << " with " << count;
        if (result == static_cast<int>(ScanOutcome::Infected)) break;
        was_short = true;
      }
      EXPECT_EQ(result, static_cast<int>(ScanOutcome::Infected)) << what;
    }
    EXPECT_TRUE(was_short) << "everything is found without";
  }

  // A file system in memory of so many bytes and files.
  static std::string file_system(const std::string& bytes, const std::string& files) {
    const int context = fsopen("tmpfs", 0);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", bytes.c_str(), 0) != 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", files.c_str(), 0) != 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
      return {};
    }
    const int mounted = fsmount(context, 0, 0);
    return mounted < 0 ? std::string() : fmt::format("/proc/self/fd/{}", mounted);
  }

  TestDirectory directory;
  std::optional<ClamavEngine> engine;
};

TEST_F(Shortages, NothingInfectedIsCleanWithoutDescriptors) {
  never_clean(
      [this](int count) {
        const rlimit limit{static_cast<rlim_t>(3 + count), static_cast<rlim_t>(3 + count)};
        return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? directory.path() : std::string();
      },
      100);
}

TEST_F(Shortages, NothingInfectedIsCleanWithoutFiles) {
  never_clean([](int count) { return file_system("100000000", std::to_string(count + 1)); }, 300);
}

TEST_F(Shortages, NothingInfectedIsCleanWithoutRoom) {
  never_clean([](int count) { return file_system(std::to_string((count + 1) * 4096), "1000"); },
              400);
}

}  // namespace
}  // namespace masugata::av
