// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the fields of a profile's JSON object and remembers the first thing that is wrong.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "result/result.h"

namespace masugata::dataplane {

// Shared by the readers of one file: only the first complaint is kept.
class ProfileComplaint {
 public:
  explicit ProfileComplaint(std::string file) : file_(std::move(file)) {}
  void add(const std::string& field, const std::string& what) {
    if (status_) status_ = failure(field.empty() ? file_ : file_ + " " + field, what);
  }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  std::string file_;
  Status status_;
};

// One object. Every field must be there and be read; finish() complains about the rest. Readers
// return their type's zero after a complaint.
class ProfileFields {
 public:
  using Json = nlohmann::json;

  // `prefix` is the path of this object ("buffers."), empty at the top.
  ProfileFields(const Json& object, std::string prefix, ProfileComplaint& complaint)
      : object_(object), prefix_(std::move(prefix)), complaint_(complaint) {
    if (!object.is_object()) complain("", "must be an object");
  }

  const Json& value(const char* name) {
    known_.insert(name);
    if (const auto found = object_.find(name); found != object_.end()) return *found;
    complain(name, "is missing");
    return null_;
  }
  std::string text(const char* name) {
    const Json& found = value(name);
    if (found.is_string()) return found.get<std::string>();
    complain(name, "must be a text");
    return {};
  }
  uint32_t number(const char* name, uint32_t least, uint32_t most) {
    return number_of(value(name), name, least, most);
  }
  uint32_t number_of(const Json& given, const std::string& name, uint32_t least, uint32_t most) {
    if (given.is_number_unsigned()) {
      const auto result = given.get<uint64_t>();
      if (result >= least && result <= most) return static_cast<uint32_t>(result);
    }
    complain(name,
             "must be a number from " + std::to_string(least) + " to " + std::to_string(most));
    return 0;
  }
  std::vector<std::string> texts(const char* name) {
    const Json& found = value(name);
    std::vector<std::string> result;
    if (!found.is_array()) complain(name, "must be a list of texts");
    if (!found.is_array()) return result;
    for (const Json& element : found) {
      if (element.is_string()) {
        result.push_back(element.get<std::string>());
      } else {
        complain(name, "must be a list of texts");
      }
    }
    return result;
  }
  // The value of the choice that the field names.
  template <class Value>
  Value choice(const char* name, const std::vector<std::pair<std::string, Value>>& choices) {
    const std::string given = text(name);
    std::string accepted;
    for (const auto& [text_form, value] : choices) {
      if (text_form == given) return value;
      accepted += accepted.empty() ? text_form : ", " + text_form;
    }
    complain(name, "must be one of " + accepted);
    return choices.front().second;
  }
  ProfileFields object(const char* name) {
    const Json& found = value(name);
    return {found, prefix_ + name + ".", complaint_};
  }
  void complain(const std::string& name, const std::string& what) {
    std::string field = prefix_ + name;
    if (name.empty() && !field.empty()) field.pop_back();
    complaint_.add(field, what);
  }
  void finish() {
    if (!object_.is_object()) return;
    for (const auto& [name, ignored] : object_.items()) {
      if (known_.count(name) == 0) complain(name, "is not a field of a profile");
    }
  }

 private:
  const Json& object_;
  std::string prefix_;
  ProfileComplaint& complaint_;
  std::set<std::string> known_;
  const Json null_;
};

}  // namespace masugata::dataplane
