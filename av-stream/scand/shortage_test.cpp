// SPDX-License-Identifier: GPL-2.0-or-later
// Scans with too few of everything: what is infected is found or not scanned, and never clean.
#include <sys/mount.h>
#include <sys/resource.h>

#include "av-stream/scand/shortage_bench.h"
#include "av-stream/scand/test_archives.h"

namespace masugata::av {
namespace {

std::string base64(std::string_view text) {
  std::string encoded(text.size() * 2 + 4, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(length));
  return encoded;
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

class Shortages : public ShortageBench {
 protected:
  Shortages() { load(); }

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
};

TEST_F(Shortages, NothingInfectedIsCleanWithoutDescriptors) {
  never_clean(
      infected_objects(),
      [this](int count) {
        const rlimit limit{static_cast<rlim_t>(3 + count), static_cast<rlim_t>(3 + count)};
        return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? directory.path() : std::string();
      },
      100);
}

TEST_F(Shortages, NothingInfectedIsCleanWithoutFiles) {
  never_clean(
      infected_objects(),
      [](int count) { return file_system("100000000", std::to_string(count + 1)); }, 300);
}

TEST_F(Shortages, NothingInfectedIsCleanWithoutRoom) {
  never_clean(
      infected_objects(),
      [](int count) { return file_system(std::to_string((count + 1) * 4096), "1000"); }, 400);
}

}  // namespace
}  // namespace masugata::av
