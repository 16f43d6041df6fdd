// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: containers of many kinds, made at run time.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace masugata::av {

inline void add_number(std::string& to, uint64_t value, int bytes) {
  for (int index = 0; index < bytes; ++index) to += static_cast<char>(value >> (8 * index));
}

// `window_bits` as deflateInit2() has them: which head and end there is.
inline std::string deflated(std::string_view content, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string gzipped(std::string_view content) { return deflated(content, MAX_WBITS + 16); }

// One file in a ZIP archive; `flags` as in its header (1: encrypted).
inline std::string zipped(const std::string& content, uint16_t flags = 0) {
  const std::string packed = deflated(content, -MAX_WBITS);
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  std::string common;
  add_number(common, 20, 2);
  add_number(common, flags, 2);
  add_number(common, 8, 2);
  add_number(common, 0x5a21'0000, 4);
  add_number(common, sum, 4);
  add_number(common, packed.size(), 4);
  add_number(common, content.size(), 4);
  add_number(common, 5, 2);
  add_number(common, 0, 2);
  const std::string local = "PK\3\4" + common + "a.bin" + packed;
  std::string directory = std::string("PK\1\2") + '\x14' + '\0' + common;
  add_number(directory, 0, 14);
  directory += "a.bin";
  std::string end = "PK\5\6";
  add_number(end, 0, 4);
  add_number(end, 1, 2);
  add_number(end, 1, 2);
  add_number(end, directory.size(), 4);
  add_number(end, local.size(), 4);
  add_number(end, 0, 2);
  return local + directory + end;
}

// One stored file in a RAR archive.
inline std::string rar(const std::string& content) {
  const auto sum = [](const std::string& bytes) {
    return crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  };
  const auto block = [&](uint8_t type, uint16_t flags, const std::string& body) {
    std::string header;
    add_number(header, type, 1);
    add_number(header, flags, 2);
    add_number(header, 7 + body.size(), 2);
    header += body;
    std::string whole;
    add_number(whole, sum(header) & 0xffffU, 2);
    return whole + header;
  };
  std::string file;
  add_number(file, content.size(), 4);
  add_number(file, content.size(), 4);
  add_number(file, 3, 1);
  add_number(file, sum(content), 4);
  add_number(file, 0x5a21'0000, 4);
  add_number(file, 20, 1);
  add_number(file, 0x30, 1);
  add_number(file, 5, 2);
  add_number(file, 0x20, 4);
  return std::string("Rar!\x1a\x07\0", 7) + block(0x73, 0, std::string(6, '\0')) +
         block(0x74, 0x8000, file + "a.bin") + content + block(0x7b, 0, {});
}

// By libarchive: a format, a filter around it, options of both.
struct ArchiveKind {
  int format = ARCHIVE_FORMAT_RAW;
  int filter = ARCHIVE_FILTER_NONE;
  std::string options = {};
};

inline std::string archived(const ArchiveKind& kind,
                            const std::map<std::string, std::string>& files) {
  std::string packed;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       archive_write_free);
  const auto must = [&](int code) {
    if (code != ARCHIVE_OK) throw std::runtime_error(archive_error_string(writer.get()));
  };
  must(archive_write_set_format(writer.get(), kind.format));
  must(archive_write_add_filter(writer.get(), kind.filter));
  must(archive_write_set_options(writer.get(), kind.options.c_str()));
  must(archive_write_set_bytes_in_last_block(writer.get(), 1));
  const auto append = [](archive*, void* to, const void* bytes, size_t count) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), count);
    return static_cast<la_ssize_t>(count);
  };
  must(archive_write_open2(writer.get(), &packed, nullptr, append, nullptr, nullptr));
  for (const auto& [name, content] : files) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    must(archive_write_header(writer.get(), entry.get()));
    archive_write_data(writer.get(), content.data(), content.size());
  }
  must(archive_write_close(writer.get()));
  return packed;
}

// One file in a cabinet, its blocks in deflate.
inline std::string cabinet(std::string_view content) {
  constexpr size_t kBlock = 32768;
  std::string blocks;
  size_t count = 0;
  for (size_t at = 0; at < content.size(); at += kBlock, ++count) {
    const std::string_view part = content.substr(at, kBlock);
    const std::string packed = "CK" + deflated(part, -MAX_WBITS);
    add_number(blocks, 0, 4);  // no checksum
    add_number(blocks, packed.size(), 2);
    add_number(blocks, part.size(), 2);
    blocks += packed;
  }
  constexpr size_t kHeader = 36;
  constexpr size_t kFolder = 8;
  std::string file;
  add_number(file, content.size(), 4);
  add_number(file, 0, 4);  // where in the folder
  add_number(file, 0, 2);  // which folder
  add_number(file, 0x5a21'0000, 4);
  add_number(file, 0x20, 2);
  file += std::string("a.bin") + '\0';
  std::string whole = "MSCF";
  add_number(whole, 0, 4);
  add_number(whole, kHeader + kFolder + file.size() + blocks.size(), 4);
  add_number(whole, 0, 4);
  add_number(whole, kHeader + kFolder, 4);
  add_number(whole, 0, 4);
  add_number(whole, 0x0103, 2);  // version
  add_number(whole, 1, 2);       // folders
  add_number(whole, 1, 2);       // files
  add_number(whole, 0, 6);
  add_number(whole, kHeader + kFolder + file.size(), 4);
  add_number(whole, count, 2);
  add_number(whole, 1, 2);  // deflate
  return whole + file + blocks;
}

// A document with one stream, which is compressed.
inline std::string pdf(std::string_view content) {
  const std::string packed = deflated(content, MAX_WBITS);
  const std::string first = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n";
  return first + "2 0 obj\n<< /Length " + std::to_string(packed.size()) +
         " /Filter /FlateDecode >>\nstream\n" + packed +
         "\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n";
}

}  // namespace masugata::av
