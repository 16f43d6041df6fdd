// SPDX-License-Identifier: GPL-2.0-or-later
// The growth of one transferred file: a bounded window of its bytes, digests and magic as they
// arrive, and nothing of it that nobody asked for.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ids/protocols/transaction.h"

namespace masugata::ids {

// Bytes that a window may hold beyond the inspection limit, until begin_input(): what one packet
// inflates to stays whole until the rules have seen it.
inline constexpr size_t kWindowBurstBytes = 256 * 1024;
// Bytes after which the magic of a file is settled.
inline constexpr size_t kMagicBytes = 512;
// A name is cut here.
inline constexpr size_t kMaximumFileNameBytes = 1024;

// A window over a stream of bytes: all of it up to `limit`, then its latest part.
// Thread: the flow's worker. Memory: at most limit + kWindowBurstBytes.
struct ByteWindow {
  std::vector<uint8_t>& bytes;
  uint64_t& first;  // the number of bytes[0] in the stream

  // Appends; when the burst does not fit either, the oldest bytes go and the result is false.
  [[nodiscard]] bool append(std::span<const uint8_t> more, size_t limit) noexcept;
  // What came before has been inspected: cuts the window to its newer half if it has outgrown the
  // limit. Half, so that the cost of moving is spread.
  void trim(size_t limit) noexcept;
  // Forgets all bytes and goes on `missing` bytes later.
  void skip(uint64_t missing) noexcept;
};

// Digests and magic of one TransferredFile, kept beside it. Thread: the flow's worker.
class FileTracker {
 public:
  // `demands` outlives the tracker. Without memory for a digest, that digest stays empty.
  explicit FileTracker(const ParserDemands& demands) noexcept;

  // The next bytes of `file`. False when the window overflowed within one packet.
  bool append(TransferredFile& file, std::span<const uint8_t> bytes) noexcept;
  // `missing` bytes of `file` were not seen: it counts as truncated and has no digests.
  void skip(TransferredFile& file, uint64_t missing) noexcept;
  // No more bytes will come: settles digests and magic, sets `complete`. Twice does no harm.
  void close(TransferredFile& file, bool truncated) noexcept;

 private:
  struct DigestFree {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  using Digest = std::unique_ptr<EVP_MD_CTX, DigestFree>;
  static Digest start_digest(const EVP_MD* algorithm) noexcept;
  static void finish_digest(Digest& digest, std::string& result) noexcept;

  const ParserDemands* demands_;
  Digest md5_;
  Digest sha1_;
  Digest sha256_;
  bool magic_pending_;
};

}  // namespace masugata::ids
