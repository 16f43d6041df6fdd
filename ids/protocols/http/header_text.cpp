// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/header_text.h"

#include <algorithm>

#include "ids/protocols/http/content_disposition.h"
#include "ids/protocols/http/http_connection.h"

namespace masugata::ids {
namespace {

template <class Visitor>
void for_each_header(const htp_table_t* headers, Visitor&& visit) {
  const size_t count = headers == nullptr ? 0 : htp_table_size(headers);
  for (size_t i = 0; i < count; ++i) {
    const auto* header = static_cast<const htp_header_t*>(htp_table_get_index(headers, i, nullptr));
    if (header != nullptr) {
      visit(text_of(header->name), text_of(header->value));
    }
  }
}

}  // namespace

std::string write_headers(const htp_table_t* headers, std::string_view except) {
  std::string text;
  for_each_header(headers, [&](std::string_view name, std::string_view value) {
    if (!equals_ignoring_case(name, except)) {
      text.append(name).append(": ").append(value).append("\r\n");
    }
  });
  return text;
}

std::string write_header_names(const htp_table_t* headers) {
  std::string text = "\r\n";
  for_each_header(
      headers, [&](std::string_view name, std::string_view) { text.append(name).append("\r\n"); });
  text.append("\r\n");
  return text;
}

std::string write_start(const bstr* line, const htp_table_t* headers) {
  std::string text{text_of(line)};
  text.append("\r\n");
  text.append(write_headers(headers, {}));
  text.append("\r\n");
  return text;
}

std::vector<std::string> write_header_lines(const htp_table_t* headers) {
  std::vector<std::string> lines;
  for_each_header(headers, [&](std::string_view name, std::string_view value) {
    lines.emplace_back(name).append(": ").append(value);
  });
  return lines;
}

std::string write_host(const bstr* host) {
  std::string text{text_of(host)};
  while (text.ends_with('.')) {
    text.pop_back();
  }
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string write_uri(const htp_uri_t* uri) {
  std::string text{text_of(uri->path)};
  if (uri->query != nullptr) {
    text.append("?").append(text_of(uri->query));
  }
  if (uri->fragment != nullptr) {
    text.append("#").append(text_of(uri->fragment));
  }
  return text;
}

}  // namespace masugata::ids
