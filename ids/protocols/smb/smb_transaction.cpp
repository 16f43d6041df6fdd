// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/smb/smb_transaction.h"

#include "ids/protocols/mime/file_buffers.h"
#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids {

BufferBytes SmbTransaction::buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept {
  if (buffer == BufferId::SmbShare || buffer == BufferId::SmbNamedPipe) {
    // Which of the two it is, the server's answer says.
    if (!finished[index_of(Direction::ToClient)]) {
      return {BufferState::NotYet};
    }
    const bool wanted = is_pipe == (buffer == BufferId::SmbNamedPipe);
    return wanted && !share.empty() ? BufferBytes{BufferState::Complete, mime::as_bytes(share)}
                                    : BufferBytes{};
  }
  return mime::file_buffer(files_, buffer, direction, instance, finished[index_of(direction)]);
}

bool SmbTransaction::number(NumberField field, Direction /*direction*/, uint64_t& value) noexcept {
  value = version;
  return field == NumberField::SmbVersion;
}

void SmbTransaction::finish(bool broken) noexcept {
  for (size_t i = 0; i < files_.files().size(); ++i) {
    if (!files_.files()[i].complete) {
      files_.close(i, broken);
    }
  }
  for (const Direction direction : {Direction::ToServer, Direction::ToClient}) {
    finished[index_of(direction)] = true;
    progress[index_of(direction)] = 1;
    touch(direction);
  }
}

}  // namespace masugata::ids
