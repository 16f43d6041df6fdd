// SPDX-License-Identifier: GPL-2.0-or-later
// The texts that rules look at, written from libhtp's headers and URI.
#pragma once

#include <htp/htp.h>

#include <string>
#include <string_view>
#include <vector>

namespace masugata::ids {

// http.header: "Name: value\r\n" for each header but `except` (lower-case).
[[nodiscard]] std::string write_headers(const htp_table_t* headers, std::string_view except);
// http.header_names: "\r\nHost\r\nUser-Agent\r\n\r\n".
[[nodiscard]] std::string write_header_names(const htp_table_t* headers);
// http.start: the line, all headers and the empty line.
[[nodiscard]] std::string write_start(const bstr* line, const htp_table_t* headers);
// http.request_header: "Name: value" of each.
[[nodiscard]] std::vector<std::string> write_header_lines(const htp_table_t* headers);
// http.host: in lower case, without dots at its end.
[[nodiscard]] std::string write_host(const bstr* host);
// http.uri: decoded path, query and fragment.
[[nodiscard]] std::string write_uri(const htp_uri_t* uri);

}  // namespace masugata::ids
