// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/applications/application_catalog.h"

#include "ids/applications/library.h"

namespace masugata::ids {
namespace {

char sign_of(char character) {
  if (character >= 'A' && character <= 'Z') return static_cast<char>(character + 32);
  const bool kept = (character >= 'a' && character <= 'z') ||
                    (character >= '0' && character <= '9') || character == '.';
  return kept ? character : '-';
}

}  // namespace

std::string application_name_of(std::string_view library_name) {
  std::string name;
  for (const char character : library_name) {
    const char sign = sign_of(character);
    if (sign != '-' || (!name.empty() && name.back() != '-')) name += sign;
  }
  if (name.ends_with('-')) name.pop_back();
  return name;
}

ApplicationCatalog::ApplicationCatalog(ndpi_detection_module_struct& module) {
  const auto count = static_cast<uint16_t>(ndpi_get_num_supported_protocols(&module));
  std::vector<bool> found(config::application_count());
  for (uint16_t id = 0; id < count; ++id) {
    const std::string name = application_name_of(ndpi_get_proto_name(&module, id));
    const auto application = config::find_application(name);
    if (!application) differences_.push_back(name);
    by_library_id_.push_back(application.value_or(config::kUnknownApplication));
    if (application) found[*application] = true;
  }
  for (config::ApplicationId id = 0; id < found.size(); ++id) {
    if (!found[id]) differences_.emplace_back(config::application_name(id));
  }
}

}  // namespace masugata::ids
