// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/geo_database.h"

#include <maxminddb.h>
#include <netinet/in.h>

#include <cstring>

namespace masugata::ids {

struct GeoDatabase::Database {
  MMDB_s file{};
};

GeoDatabase::GeoDatabase(std::unique_ptr<Database> database) : database_(std::move(database)) {}

GeoDatabase::~GeoDatabase() { MMDB_close(&database_->file); }

Result<std::unique_ptr<GeoDatabase>> GeoDatabase::open(const std::string& path) {
  auto database = std::make_unique<Database>();
  const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database->file);
  if (status != MMDB_SUCCESS) return failure(path, MMDB_strerror(status));
  return std::unique_ptr<GeoDatabase>(new GeoDatabase(std::move(database)));
}

CountryCode GeoDatabase::country_of(const net::IpAddress& address) const noexcept {
  CountryCode country;
  sockaddr_storage storage{};
  if (address.is_v4()) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_addr.s_addr = address.v4().raw;
    std::memcpy(&storage, &ipv4, sizeof ipv4);
  } else {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    std::memcpy(&ipv6.sin6_addr, address.bytes.data(), address.bytes.size());
    std::memcpy(&storage, &ipv6, sizeof ipv6);
  }
  int error = MMDB_SUCCESS;
  MMDB_lookup_result_s found =
      MMDB_lookup_sockaddr(&database_->file, reinterpret_cast<const sockaddr*>(&storage), &error);
  if (error != MMDB_SUCCESS || !found.found_entry) return country;
  // Read with a constant path: the variant with a list of names allocates.
  static constexpr const char* kPath[] = {"country", "iso_code", nullptr};
  MMDB_entry_data_s data{};
  if (MMDB_aget_value(&found.entry, &data, kPath) != MMDB_SUCCESS || !data.has_data ||
      data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2) {
    return country;
  }
  std::memcpy(country.letters, data.utf8_string, 2);
  return country;
}

}  // namespace masugata::ids
