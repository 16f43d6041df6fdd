// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/pattern_group.h"

#include <hs/hs.h>

#include <algorithm>
#include <cctype>

#include "ids/plan/database_cache.h"

namespace masugata::ids {
namespace {

struct Delivery {
  const PatternGroup* group;
  void (*relay)(const PatternGroup&, uint32_t, uint64_t, void*) noexcept;
  void* context;
};

int deliver(unsigned int literal, unsigned long long, unsigned long long end, unsigned int,
            void* context) {
  const auto& delivery = *static_cast<const Delivery*>(context);
  delivery.relay(*delivery.group, literal, end, delivery.context);
  return 0;
}

}  // namespace

void DatabaseCloser::operator()(hs_database* database) const noexcept {
  hs_free_database(database);
}

void PatternGroup::add(std::string_view bytes, bool caseless, uint32_t rule, uint32_t last_end) {
  Literal literal{std::string(bytes.substr(0, kLongestLiteral)), caseless, {{rule, last_end}}};
  if (caseless) {
    // Digits and the like have no case: such a literal is the same either way.
    bool letters = false;
    for (char& letter : literal.bytes) {
      const auto byte = static_cast<unsigned char>(letter);
      letters = letters || (std::isalpha(byte) != 0);
      letter = static_cast<char>(std::tolower(byte));
    }
    literal.caseless = letters;
  }
  longest_ = std::max(longest_, literal.bytes.size());
  literals_.push_back(std::move(literal));
}

size_t PatternGroup::memory_bytes() const noexcept {
  size_t size = 0;
  if (database_) {
    hs_database_size(database_.get(), &size);
  }
  return size + rules_.capacity() * sizeof(PlacedRule) + first_rule_.capacity() * sizeof(uint32_t);
}

void PatternGroup::number_literals() {
  std::sort(literals_.begin(), literals_.end(), [](const Literal& left, const Literal& right) {
    return std::tie(left.bytes, left.caseless, left.rules) <
           std::tie(right.bytes, right.caseless, right.rules);
  });
  std::vector<Literal> distinct;
  for (Literal& literal : literals_) {
    if (!distinct.empty() && distinct.back().bytes == literal.bytes &&
        distinct.back().caseless == literal.caseless) {
      if (distinct.back().rules.back() != literal.rules.front()) {
        distinct.back().rules.push_back(literal.rules.front());
      }
    } else {
      distinct.push_back(std::move(literal));
    }
  }
  literals_ = std::move(distinct);
  for (const Literal& literal : literals_) {
    first_rule_.push_back(static_cast<uint32_t>(rules_.size()));
    rules_.insert(rules_.end(), literal.rules.begin(), literal.rules.end());
  }
  first_rule_.push_back(static_cast<uint32_t>(rules_.size()));
}

Status PatternGroup::compile(const std::string& cache_folder, bool& from_cache) {
  from_cache = false;
  if (literals_.empty()) {
    return {};
  }
  number_literals();
  std::vector<const char*> expressions;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
  std::vector<size_t> lengths;
  std::string identity = hs_version();
  for (const Literal& literal : literals_) {
    ids.push_back(static_cast<unsigned>(ids.size()));
    expressions.push_back(literal.bytes.data());
    lengths.push_back(literal.bytes.size());
    flags.push_back(HS_FLAG_SINGLEMATCH | (literal.caseless ? HS_FLAG_CASELESS : 0U));
    identity += literal.caseless ? "\ni" : "\ns";
    identity += std::to_string(literal.bytes.size()) + ":" + literal.bytes;
  }
  const std::string name = cache_folder.empty() ? "" : digest_of(identity) + ".hsdb";
  if (!name.empty()) {
    database_ = load_database(cache_folder, name);
    from_cache = database_ != nullptr;
  }
  if (!database_) {
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const auto count = static_cast<unsigned>(expressions.size());
    if (hs_compile_lit_multi(expressions.data(), flags.data(), ids.data(), lengths.data(), count,
                             HS_MODE_BLOCK, nullptr, &database, &error) != HS_SUCCESS) {
      std::string what = error != nullptr ? error->message : "unknown failure";
      hs_free_compile_error(error);
      return failure("patterns", "Hyperscan does not compile them: " + what);
    }
    database_.reset(database);
    if (!name.empty()) {
      keep_database(cache_folder, name, database);
    }
  }
  literals_.clear();
  literals_.shrink_to_fit();
  return {};
}

void PatternGroup::scan_with(std::span<const uint8_t> bytes, hs_scratch* scratch, Relay relay,
                             void* context) const noexcept {
  Delivery delivery{this, relay, context};
  hs_scan(database_.get(), reinterpret_cast<const char*>(bytes.data()),
          static_cast<unsigned>(bytes.size()), 0, scratch, deliver, &delivery);
}

}  // namespace masugata::ids
