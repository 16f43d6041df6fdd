// SPDX-License-Identifier: GPL-2.0-or-later
// Sets of domain names, matched on label boundaries: example.com holds itself and everything below
// it, *.example.com only what is below (names as in RFC 1035 section 2.3.1, with underscores).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace masugata::net {

inline constexpr size_t kMaximumDomainName = 253;  // bytes, RFC 1035 section 2.3.4 as text

struct DomainPattern {
  std::string name;         // lower case, no dot at either end
  bool below_only = false;  // written with "*."
  friend bool operator==(const DomainPattern&, const DomainPattern&) = default;
};

// "example.com", "Example.COM." or "*.example.com"; nullopt when it is no such name. Labels have 1
// to 63 letters, digits, hyphens and underscores.
[[nodiscard]] std::optional<DomainPattern> parse_domain_pattern(std::string_view text);

class DomainSet {
 public:
  // Control thread.
  void add(const DomainPattern& pattern);
  // Does the set hold `host`: lower case, no dot at its end? Allocates nothing; any thread once the
  // set is complete. Cost: one look-up per label.
  [[nodiscard]] bool matches(std::string_view host) const noexcept;
  [[nodiscard]] size_t size() const noexcept { return names_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  // Value: the name itself is held as well as what is below it.
  std::unordered_map<std::string, bool, Hash, std::equal_to<>> names_;
};

// What came of a list.
struct DomainListReport {
  size_t names = 0;          // taken, repeated ones included
  uint32_t first_wrong = 0;  // line, 1-based; 0 = every line was right
  std::string wrong;         // what stands there
  bool too_many = false;     // the list ends at `maximum`
};

// Adds a list: one name per line, or lines of a hosts file (an address, then names); # begins a
// comment. Lines that hold something else are left out; the first of them is reported.
[[nodiscard]] DomainListReport read_domain_list(std::string_view text, size_t maximum,
                                                DomainSet& into);

}  // namespace masugata::net
