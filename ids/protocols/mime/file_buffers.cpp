// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/file_buffers.h"

#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids::mime {

BufferBytes file_buffer(FileCollection& files, BufferId buffer, Direction direction,
                        uint32_t instance, bool finished) noexcept {
  if (buffer != BufferId::FileData && buffer != BufferId::FileName &&
      buffer != BufferId::FileMagic) {
    return {};
  }
  const TransferredFile* file = files.find(direction, instance);
  if (file == nullptr) {
    return {finished ? BufferState::Absent : BufferState::NotYet};
  }
  if (buffer == BufferId::FileData) {
    return {file->complete ? BufferState::Complete : BufferState::Partial, file->window,
            file->window_first};
  }
  const std::string& text = buffer == BufferId::FileName ? file->name : file->magic;
  if (!text.empty()) {
    return {BufferState::Complete, as_bytes(text)};
  }
  const bool settled = buffer == BufferId::FileName || file->complete;
  return {settled ? BufferState::Absent : BufferState::NotYet};
}

}  // namespace masugata::ids::mime
