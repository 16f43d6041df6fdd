// SPDX-License-Identifier: GPL-2.0-or-later
// From the numbers of the recognising library to the applications that rules may name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/applications.h"

struct ndpi_detection_module_struct;

namespace masugata::ids {

// The library's name of a protocol as rules write it: lower case, other signs than letters, digits
// and dots become hyphens.
[[nodiscard]] std::string application_name_of(std::string_view library_name);

// Immutable once made; any thread.
class ApplicationCatalog {
 public:
  // Of every protocol that `module` knows. Names that the configuration language does not have
  // (another version of the library) are unknown applications.
  explicit ApplicationCatalog(ndpi_detection_module_struct& module);

  [[nodiscard]] config::ApplicationId application_of(uint16_t library_id) const noexcept {
    return library_id < by_library_id_.size() ? by_library_id_[library_id]
                                              : config::kUnknownApplication;
  }
  // Names of the library that the configuration language lacks, and the other way round: empty with
  // the version that the table was made for.
  [[nodiscard]] const std::vector<std::string>& differences() const noexcept {
    return differences_;
  }

 private:
  std::vector<config::ApplicationId> by_library_id_;
  std::vector<std::string> differences_;
};

}  // namespace masugata::ids
