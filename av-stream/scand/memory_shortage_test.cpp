// SPDX-License-Identifier: GPL-2.0-or-later
// Scans with too little memory: what is infected is found or not scanned, and never clean, however
// much of the memory that it needs an unpacker gets.
#include <malloc.h>

#include <fstream>
#include <sstream>

#include "av-stream/scand/failed_allocations.h"
#include "av-stream/scand/shortage_bench.h"
#include "av-stream/scand/test_archives.h"

namespace masugata::av {
namespace {

constexpr const char* kTestFiles = "/usr/share/clamav-testfiles";

// Of lines that are alike: unpackers need memory for all of it, and no part of it is as it was.
std::string packable(size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "line " + std::to_string(text.size()) + "\n";
  return text + std::string(kEvil);
}

// Found only by who unpacks them.
std::map<std::string, std::string> infected_archives() {
  const std::map<std::string, std::string> files = {{"a.bin", packable(300'000)}};
  const std::string& content = files.at("a.bin");
  std::map<std::string, std::string> objects = {{"zip", zipped(content)},
                                                {"cab", cabinet(content)},
                                                {"pdf", pdf(content)},
                                                {"gzip", gzipped(content)},
                                                {"zip in zip", zipped(zipped(content))}};
  for (const char* method : {"lzma1", "lzma2", "ppmd"}) {
    objects[std::string("7z of ") + method] =
        archived({ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE,
                  std::string("compression-level=1,compression=") + method},
                 files);
  }
  objects["xz"] =
      archived({ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, "xz:compression-level=1"}, files);
  objects["bzip2"] = archived({ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_BZIP2}, files);
  objects["tar in gzip"] = archived({ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP}, files);
  objects["xar"] = archived({ARCHIVE_FORMAT_XAR}, files);
  return objects;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class MemoryShortages : public ShortageBench {
 protected:
  void SetUp() override {
    if (!sees_failed_allocations()) GTEST_SKIP() << "a sanitizer has its own allocator";
  }

  // So much memory besides what the process has; what is free in it goes back before.
  std::function<std::string(int)> bytes_at_a_time(uint64_t step) {
    return [this, step](int count) {
      mallopt(M_MMAP_THRESHOLD, 4096);
      mallopt(M_TOP_PAD, 0);
      malloc_trim(0);
      std::ifstream file("/proc/self/statm");
      uint64_t pages = 0;
      file >> pages;
      const uint64_t bytes = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) +
                             static_cast<uint64_t>(count) * step;
      const rlimit limit{bytes, bytes};
      return pages != 0 && setrlimit(RLIMIT_AS, &limit) == 0 ? directory.path() : std::string();
    };
  }
};

TEST_F(MemoryShortages, NothingInfectedInAnArchiveIsClean) {
  load();
  never_clean(infected_archives(), bytes_at_a_time(64 << 10), 400);
}

// Their contents are small: the first steps are the ones that matter.
TEST_F(MemoryShortages, NoTestFileOfClamavIsClean) {
  if (!std::filesystem::exists(kTestFiles)) GTEST_SKIP() << "clamav-testfiles is not installed";
  const std::string inner = content_of(std::string(kTestFiles) + "/clam.exe");
  load(sha256_text(inner) + ":" + std::to_string(inner.size()) + ":Test.Clam:73\n");
  std::map<std::string, std::string> small;
  std::map<std::string, std::string> large;
  for (const auto& entry : std::filesystem::directory_iterator(kTestFiles)) {
    auto& objects = entry.file_size() < 40'000 ? small : large;
    objects.emplace(entry.path().filename(), content_of(entry.path()));
  }
  never_clean(small, bytes_at_a_time(16 << 10), 400);
  never_clean(large, bytes_at_a_time(256 << 10), 100);
}

}  // namespace
}  // namespace masugata::av
