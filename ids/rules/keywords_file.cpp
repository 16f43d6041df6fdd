// SPDX-License-Identifier: GPL-2.0-or-later
// Files inside transactions: filename, fileext, filemagic, filemd5 and its like, filestore.
#include <algorithm>
#include <array>
#include <fstream>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr size_t kMaximumDigests = 4'000'000;

Outcome read_file_text(RuleDraft& draft, const KeywordUse& use) {
  if (use.value.empty()) return wrong("expects a text");
  const auto field = static_cast<FileTextMatch::Field>(use.keyword.argument);
  draft.rule.needs_magic = draft.rule.needs_magic || field == FileTextMatch::Field::Magic;
  auto text = read_content_bytes(use.value);
  if (!text) return tl::unexpected(text.error());
  draft.rule.conditions.emplace_back(FileTextMatch{field, lowercase(*text), use.negated});
  return {};
}

size_t digest_bytes(FileHashMatch::Algorithm algorithm) noexcept {
  switch (algorithm) {
    case FileHashMatch::Algorithm::Md5:
      return 16;
    case FileHashMatch::Algorithm::Sha1:
      return 20;
    case FileHashMatch::Algorithm::Sha256:
      break;
  }
  return 32;
}

// One hexadecimal digest at the start of each line; the rest of a line is a remark.
Outcome read_digests(const std::string& path, FileHashMatch& match) {
  std::ifstream file(path);
  if (!file) return wrong("cannot read the file " + in_quotes(path));
  std::string line;
  const size_t wanted = digest_bytes(match.algorithm);
  for (uint32_t number = 1; std::getline(file, line); ++number) {
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (word.empty() || word.starts_with('#')) continue;
    auto digest = parse_hex_bytes(word);
    if (!digest || digest->size() != wanted) {
      return wrong("expects " + std::to_string(2 * wanted) + " hexadecimal digits in line " +
                   std::to_string(number) + " of " + in_quotes(path));
    }
    if (match.digests.size() >= kMaximumDigests) return wrong("has too many digests in " + path);
    match.digests.push_back(std::move(*digest));
  }
  std::sort(match.digests.begin(), match.digests.end());
  match.digests.erase(std::unique(match.digests.begin(), match.digests.end()), match.digests.end());
  return {};
}

Outcome read_file_hash(RuleDraft& draft, const KeywordUse& use) {
  FileHashMatch match;
  match.algorithm = static_cast<FileHashMatch::Algorithm>(use.keyword.argument);
  match.negated = use.negated;
  const auto path = draft.builder.find_data_file(draft.rule.file, use.value);
  if (!path) return tl::unexpected(path.error());
  if (auto done = read_digests(*path, match); !done) return done;
  Rule& rule = draft.rule;
  rule.needs_md5 = rule.needs_md5 || match.algorithm == FileHashMatch::Algorithm::Md5;
  rule.needs_sha1 = rule.needs_sha1 || match.algorithm == FileHashMatch::Algorithm::Sha1;
  rule.needs_sha256 = rule.needs_sha256 || match.algorithm == FileHashMatch::Algorithm::Sha256;
  rule.conditions.emplace_back(std::move(match));
  return {};
}

// filestore[:DIRECTION,SCOPE]
Outcome read_filestore(RuleDraft& draft, const KeywordUse& use) {
  constexpr std::array<std::string_view, 10> kWords{
      "request", "response", "both", "to_server", "to_client", "file", "tx", "ssn", "flow", ""};
  for (const std::string_view word : split(use.value, ',')) {
    if (std::find(kWords.begin(), kWords.end(), word) == kWords.end()) {
      return wrong("has the unknown option " + in_quotes(word));
    }
  }
  draft.rule.conditions.emplace_back(FileStore{std::string(use.value)});
  return {};
}

constexpr Keyword file_text(std::string_view name, FileTextMatch::Field field) {
  return {name, read_file_text, ValueForm::Pattern, static_cast<uint16_t>(field)};
}
constexpr Keyword file_hash(std::string_view name, FileHashMatch::Algorithm algorithm) {
  return {name, read_file_hash, ValueForm::Pattern, static_cast<uint16_t>(algorithm)};
}

constexpr std::array kKeywords{
    file_text("fileext", FileTextMatch::Field::Extension),
    file_text("filemagic", FileTextMatch::Field::Magic),
    file_hash("filemd5", FileHashMatch::Algorithm::Md5),
    file_text("filename", FileTextMatch::Field::Name),
    file_hash("filesha1", FileHashMatch::Algorithm::Sha1),
    file_hash("filesha256", FileHashMatch::Algorithm::Sha256),
    Keyword{"filestore", read_filestore, ValueForm::Optional},
};

}  // namespace

std::span<const Keyword> file_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
