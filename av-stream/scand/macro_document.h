// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a word processor's document with a macro, made at run time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::av {

// Small numbers with the lowest byte first.
inline std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int index = 0; index < bytes; ++index) text += static_cast<char>(value >> (8 * index));
  return text;
}

inline std::string wide(std::string_view text) {
  std::string result;
  for (const char character : text) result += {character, '\0'};
  return result;
}

// [MS-OVBA] 2.4.1, of literal bytes only; at most 3,500 of them.
inline std::string vba_container(std::string_view content) {
  std::string chunk;
  for (size_t at = 0; at < content.size(); at += 8) {
    chunk += '\0' + std::string(content.substr(at, 8));
  }
  return '\x01' + little_endian(0xb000 | (chunk.size() - 1), 2) + chunk;
}

// [MS-OVBA] 2.3.4.2, a project with the one module "Module1".
inline std::string vba_directory() {
  std::string text;
  const auto add = [&](int id, const std::string& data) {
    text += little_endian(static_cast<uint64_t>(id), 2) + little_endian(data.size(), 4) + data;
  };
  const auto number = [](uint64_t value, int bytes) { return little_endian(value, bytes); };
  add(0x01, number(3, 4));
  add(0x02, number(0x409, 4));
  add(0x14, number(0x409, 4));
  add(0x03, number(1252, 2));
  add(0x04, "VBAProject");
  for (const int id : {0x05, 0x40, 0x06, 0x3d}) add(id, {});
  add(0x07, number(0, 4));
  add(0x08, number(0, 4));
  text += number(9, 2) + number(4, 4) + number(1, 4) + number(1, 2);
  add(0x0c, {});
  add(0x3c, {});
  add(0x0f, number(1, 2));
  add(0x13, number(0xffff, 2));
  for (const int id : {0x19, 0x47, 0x1a, 0x32}) {
    add(id, id == 0x19 || id == 0x1a ? "Module1" : wide("Module1"));
  }
  add(0x1c, {});
  add(0x48, {});
  add(0x31, number(0, 4));
  add(0x1e, number(0, 4));
  add(0x2c, number(0xffff, 2));
  for (const int id : {0x21, 0x2b, 0x10}) add(id, {});
  return vba_container(text);
}

// [MS-CFB]: storages and streams, each stream of 4,096 bytes; the first entry is the root.
struct CompoundEntry {
  std::string_view name;
  uint8_t type;  // 1: storage, 2: stream, 5: root
  uint32_t child;
  uint32_t next;  // among those of the same storage
  std::string content;
};

inline std::string compound_document(const std::vector<CompoundEntry>& entries) {
  constexpr size_t kSector = 512;
  constexpr uint32_t kNone = 0xffffffff;
  constexpr uint32_t kEnd = 0xfffffffe;
  constexpr uint32_t kTable = 0xfffffffd;
  constexpr size_t kStream = 4096;
  const size_t directory_sectors = (entries.size() * 128 + kSector - 1) / kSector;
  uint32_t next_sector = 1 + static_cast<uint32_t>(directory_sectors);
  std::string table = little_endian(kTable, 4);
  for (uint32_t sector = 2; sector <= directory_sectors; ++sector)
    table += little_endian(sector, 4);
  table += little_endian(kEnd, 4);
  std::string directory;
  std::string streams;
  for (const CompoundEntry& entry : entries) {
    const bool stream = entry.type == 2;
    std::string name = wide(entry.name) + std::string(2, '\0');
    const size_t name_bytes = name.size();
    name.resize(64);
    directory += name + little_endian(name_bytes, 2) + static_cast<char>(entry.type) + '\x01' +
                 little_endian(kNone, 4) + little_endian(entry.next, 4) +
                 little_endian(entry.child, 4) + std::string(36, '\0') +
                 little_endian(stream ? next_sector : kEnd, 4) +
                 little_endian(stream ? kStream : 0, 8);
    if (!stream) continue;
    std::string content = entry.content;
    content.resize(kStream);
    streams += content;
    for (size_t sector = 1; sector < kStream / kSector; ++sector) {
      table += little_endian(++next_sector, 4);
    }
    table += little_endian(kEnd, 4);
    ++next_sector;
  }
  directory.resize(directory_sectors * kSector);
  table.resize(kSector, '\xff');
  std::string header = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + std::string(16, '\0');
  for (const uint64_t value : {0x3eU, 3U, 0xfffeU, 9U, 6U}) header += little_endian(value, 2);
  header += std::string(6, '\0');
  for (const uint32_t value : {0U, 1U, 1U, 0U, 4096U, kEnd, 0U, kEnd, 0U, 0U}) {
    header += little_endian(value, 4);
  }
  header.resize(kSector, '\xff');
  return header + table + directory + streams;
}

inline std::string document(bool with_macro) {
  constexpr uint32_t kNone = 0xffffffff;
  const std::string code = vba_container(
      "Attribute VB_Name = \"Module1\"\r\nSub AutoOpen()\r\n  MsgBox \"hello\"\r\nEnd Sub\r\n");
  const std::string text = "\xec\xa5 harmless";
  if (!with_macro) {
    return compound_document(
        {{"Root Entry", 5, 1, kNone, {}}, {"WordDocument", 2, kNone, kNone, text}});
  }
  return compound_document({{"Root Entry", 5, 1, kNone, {}},
                            {"Macros", 1, 3, 2, {}},
                            {"WordDocument", 2, kNone, kNone, text},
                            {"VBA", 1, 5, 4, {}},
                            {"PROJECT", 2, kNone, kNone, "Module=Module1\r\n"},
                            {"dir", 2, kNone, 6, vba_directory()},
                            {"Module1", 2, kNone, 7, code},
                            {"_VBA_PROJECT", 2, kNone, kNone, "\xcc\x61\xff\xff"}});
}

}  // namespace masugata::av
