// SPDX-License-Identifier: GPL-2.0-or-later
// The files of the quarantine. Per object REFERENCE.sealed and REFERENCE.json:
//
//   [magic, 8 bytes][key, 16 bytes][the object, each 8 bytes XOR SipHash-2-4(key, their number)]
//
// The seal is no secret, its key stands beside it: it keeps other scanners from finding and people
// from opening what lies here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "av-stream/scand/message_socket.h"
#include "dataplane/antivirus/service/quarantine_entry.h"
#include "result/result.h"

namespace masugata::dataplane {

// Thread: any; two threads never use the same reference at once.
class QuarantineFolder {
 public:
  // Makes the folder, for this process's user only. A fault when it is someone else's, or open to
  // others, or no folder.
  [[nodiscard]] static Result<QuarantineFolder> open(const std::string& path);

  // What is there, whole, the oldest first. Removes what a crash left half done.
  [[nodiscard]] std::vector<QuarantineEntry> load() const;
  // Replaces what had that reference before. A fault leaves nothing of it.
  Status write(const QuarantineEntry& entry, std::span<const uint8_t> object) const;
  // At most `maximum` bytes of the object from `offset` on; none behind its end.
  [[nodiscard]] Result<std::vector<uint8_t>> read(uint64_t reference, uint64_t offset,
                                                  size_t maximum) const;
  void remove(uint64_t reference) const;

 private:
  QuarantineFolder(std::string path, av::Descriptor folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}
  [[nodiscard]] Status write_file(const std::string& name, std::span<const uint8_t> bytes) const;

  std::string path_;
  av::Descriptor folder_;
};

}  // namespace masugata::dataplane
