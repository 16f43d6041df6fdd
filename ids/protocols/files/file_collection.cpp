// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/files/file_collection.h"

namespace masugata::ids {

std::optional<size_t> FileCollection::open(Direction direction, std::string_view name) noexcept {
  if (files_.size() >= kMaximumFiles) {
    return std::nullopt;
  }
  TransferredFile& file = files_.emplace_back();
  file.name = name.substr(0, kMaximumFileNameBytes);
  file.direction = direction;
  trackers_.emplace_back(*demands_);
  return files_.size() - 1;
}

bool FileCollection::append(size_t file, std::span<const uint8_t> bytes) noexcept {
  release_finished(file);
  return trackers_[file].append(files_[file], bytes);
}

void FileCollection::skip(size_t file, uint64_t missing) noexcept {
  trackers_[file].skip(files_[file], missing);
}

void FileCollection::close(size_t file, bool truncated) noexcept {
  trackers_[file].close(files_[file], truncated);
}

void FileCollection::close_all(Direction direction) noexcept {
  for (size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].direction == direction && !files_[i].complete) {
      close(i, true);
    }
  }
}

void FileCollection::begin_input() noexcept {
  for (TransferredFile& file : files_) {
    ByteWindow{file.window, file.window_first}.trim(demands_->body_limit);
  }
}

TransferredFile* FileCollection::find(Direction direction, uint32_t instance) noexcept {
  for (TransferredFile& file : files_) {
    if (file.direction == direction && instance-- == 0) {
      return &file;
    }
  }
  return nullptr;
}

void FileCollection::release_finished(size_t except) noexcept {
  size_t held = 0;
  for (const TransferredFile& file : files_) {
    held += file.window.size();
  }
  for (size_t i = 0; i < files_.size() && held > demands_->body_limit + kWindowBurstBytes; ++i) {
    TransferredFile& file = files_[i];
    if (i == except || !file.complete) {
      continue;
    }
    held -= file.window.size();
    ByteWindow{file.window, file.window_first}.skip(0);
    file.window.shrink_to_fit();
  }
}

}  // namespace masugata::ids
