// SPDX-License-Identifier: GPL-2.0-or-later
// Countries of addresses, from a database in MaxMind's format.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/address.h"
#include "result/result.h"

namespace masugata::ids {

// Two upper-case letters (ISO 3166-1); empty when unknown.
struct CountryCode {
  char letters[2] = {};
  [[nodiscard]] bool known() const noexcept { return letters[0] != 0; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {letters, known() ? size_t{2} : size_t{0}};
  }
};

// Immutable after open(); any thread.
class GeoDatabase {
 public:
  // Maps the file into memory. Fails when it cannot be read or is no such database.
  [[nodiscard]] static Result<std::unique_ptr<GeoDatabase>> open(const std::string& path);
  ~GeoDatabase();
  GeoDatabase(const GeoDatabase&) = delete;
  GeoDatabase& operator=(const GeoDatabase&) = delete;

  // country/iso_code of the entry that holds the address.
  [[nodiscard]] CountryCode country_of(const net::IpAddress& address) const noexcept;

 private:
  struct Database;
  explicit GeoDatabase(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace masugata::ids
