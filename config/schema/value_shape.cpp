// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/schema/value_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace masugata::config::schema {
namespace {

bool is_signed(const lysc_type* type) {
  return type->basetype == LY_TYPE_INT8 || type->basetype == LY_TYPE_INT16 ||
         type->basetype == LY_TYPE_INT32 || type->basetype == LY_TYPE_INT64;
}

std::string describe_range(const lysc_type* type, const lysc_range* range) {
  if (range->emsg != nullptr) return range->emsg;
  std::string text;
  for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(range->parts); ++i) {
    const auto& part = range->parts[i];
    if (!text.empty()) text += " or ";
    text += is_signed(type) ? fmt::format("{} to {}", part.min_64, part.max_64)
                            : fmt::format("{} to {}", part.min_u64, part.max_u64);
  }
  return text;
}

std::string describe_whole_type(LY_DATA_TYPE basetype) {
  switch (basetype) {
    case LY_TYPE_UINT8:
      return "0 to 255";
    case LY_TYPE_UINT16:
      return "0 to 65535";
    case LY_TYPE_UINT32:
      return "0 to 4294967295";
    case LY_TYPE_UINT64:
    case LY_TYPE_INT64:
    case LY_TYPE_INT32:
    case LY_TYPE_INT16:
    case LY_TYPE_INT8:
      return "a number";
    default:
      return {};
  }
}

std::string describe_string(const lysc_type_str* type) {
  std::string text;
  for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(type->patterns); ++i) {
    const char* message = type->patterns[i]->emsg;
    // The last pattern is the one nearest to the leaf and says most.
    if (message != nullptr) text = message;
  }
  if (text.empty() && type->length != nullptr) {
    text =
        type->length->emsg != nullptr
            ? type->length->emsg
            : describe_range(&reinterpret_cast<const lysc_type&>(*type), type->length) + " bytes";
  }
  return text;
}

std::string describe_type(const lysc_type* type, std::vector<std::string>& words) {
  switch (type->basetype) {
    case LY_TYPE_ENUM: {
      const auto* enumeration = reinterpret_cast<const lysc_type_enum*>(type);
      std::string text;
      for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(enumeration->enums); ++i) {
        words.emplace_back(enumeration->enums[i].name);
        text += (i == 0 ? "" : ", ") + words.back();
      }
      return text;
    }
    case LY_TYPE_UNION: {
      const auto* members = reinterpret_cast<const lysc_type_union*>(type);
      std::string text;
      for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(members->types); ++i) {
        text += (i == 0 ? "" : " or ") + describe_type(members->types[i], words);
      }
      return text;
    }
    case LY_TYPE_LEAFREF:
      return describe_type(reinterpret_cast<const lysc_type_leafref*>(type)->realtype, words);
    case LY_TYPE_STRING:
      return describe_string(reinterpret_cast<const lysc_type_str*>(type));
    default: {
      const auto* number = reinterpret_cast<const lysc_type_num*>(type);
      const std::string whole = describe_whole_type(type->basetype);
      if (whole.empty() || number->range == nullptr) return whole;
      return describe_range(type, number->range);
    }
  }
}

// "anti-spoofing" -> "an anti spoofing".
std::string noun_from_name(std::string_view name) {
  std::string noun =
      std::string_view("aeiou").find(name.front()) != std::string_view::npos ? "an " : "a ";
  noun += name;
  std::replace(noun.begin(), noun.end(), '-', ' ');
  return noun;
}

}  // namespace

const char* extension_argument(const lysc_node* node, const char* name) {
  for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(node->exts); ++i) {
    const lysc_ext_instance& extension = node->exts[i];
    if (std::string_view(extension.def->module->name) == "masugata-extensions" &&
        std::string_view(extension.def->name) == name) {
      return extension.argument != nullptr ? extension.argument : "";
    }
  }
  return nullptr;
}

ValueShape value_shape(const lysc_node* node) {
  const bool is_leaf = node->nodetype == LYS_LEAF;
  const lysc_type* type = is_leaf ? reinterpret_cast<const lysc_node_leaf*>(node)->type
                                  : reinterpret_cast<const lysc_node_leaflist*>(node)->type;
  const char* units = is_leaf ? reinterpret_cast<const lysc_node_leaf*>(node)->units
                              : reinterpret_cast<const lysc_node_leaflist*>(node)->units;
  ValueShape shape;
  shape.accepted = describe_type(type, shape.words);
  if (const char* accepts = extension_argument(node, "accepts")) shape.accepted = accepts;
  const char* noun = extension_argument(node, "noun");
  shape.noun = noun != nullptr ? noun : noun_from_name(node->name);
  if (const char* complete = extension_argument(node, "complete")) shape.complete = complete;
  shape.in_seconds = units != nullptr && std::string_view(units) == "seconds";
  shape.secret = extension_argument(node, "secret") != nullptr;
  return shape;
}

}  // namespace masugata::config::schema
