// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace masugata::av {
namespace {

constexpr const char* kHead = "masugata scan state 1 ";

// Lines end at line feeds, which names of files may hold.
std::string one_line(const std::string& path) {
  std::string result;
  for (const char character : path) {
    if (character == '\n') {
      result += "\\n";
    } else if (character == '\\') {
      result += "\\\\";
    } else {
      result += character;
    }
  }
  return result;
}

std::string original(const std::string& line) {
  std::string result;
  for (size_t index = 0; index < line.size(); ++index) {
    if (line[index] != '\\' || index + 1 == line.size()) {
      result += line[index];
    } else {
      result += line[++index] == 'n' ? '\n' : line[index];
    }
  }
  return result;
}

}  // namespace

Result<ScanState> ScanState::load(const std::string& file, const std::string& key) {
  ScanState state;
  state.key_ = key;
  std::ifstream input(file, std::ios::binary);
  if (!input) {
    if (errno == ENOENT) return state;
    return failure(file, std::strerror(errno));
  }
  std::string line;
  if (!std::getline(input, line) || line != kHead + key) return state;
  while (state.before_.size() < kMaximumFiles && std::getline(input, line)) {
    std::istringstream words(line);
    FileStamp stamp;
    std::string path;
    if (!(words >> stamp.bytes >> stamp.modified_ns) || words.get() != ' ') continue;
    std::getline(words, path);
    state.before_[original(path)] = stamp;
  }
  return state;
}

bool ScanState::was_clean(const std::string& path, const FileStamp& stamp) const {
  const auto found = before_.find(path);
  return found != before_.end() && found->second == stamp;
}

void ScanState::remember_clean(const std::string& path, const FileStamp& stamp) {
  if (now_.size() < kMaximumFiles) now_[path] = stamp;
}

Status ScanState::save(const std::string& file) const {
  const std::string temporary = file + ".new";
  const mode_t mask = umask(077);
  std::ofstream output(temporary, std::ios::binary | std::ios::trunc);
  umask(mask);
  output << kHead << key_ << '\n';
  for (const auto& [path, stamp] : now_) {
    output << stamp.bytes << ' ' << stamp.modified_ns << ' ' << one_line(path) << '\n';
  }
  output.close();
  if (!output || std::rename(temporary.c_str(), file.c_str()) != 0) {
    const std::string cause = std::strerror(errno);
    unlink(temporary.c_str());
    return failure(file, "cannot be written: " + cause);
  }
  return {};
}

}  // namespace masugata::av
