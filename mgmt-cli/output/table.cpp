// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/output/table.h"

#include <algorithm>

namespace masugata::cli {
namespace {

// Code points, which is what the names here occupy.
size_t display_width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
  }));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(),
      [](char character) {
        const auto byte = static_cast<unsigned char>(character);
        return byte < 0x20 || byte == 0x7f;
      },
      '?');
  return result;
}

void Table::add_row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::to_string(std::string_view indent) const {
  if (rows_.empty()) return {};
  std::vector<size_t> widths(columns_.size(), 0);
  for (size_t column = 0; column < columns_.size(); ++column) {
    for (const auto& row : rows_) {
      widths[column] = std::max(widths[column], display_width(row[column]));
    }
    // Width 0 from here on: nobody has anything to say in it.
    if (widths[column] > 0) {
      widths[column] = std::max(widths[column], display_width(columns_[column].title));
    }
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line(indent);
    for (size_t column = 0; column < columns_.size(); ++column) {
      if (widths[column] == 0) continue;
      const std::string& cell = cell_of(column);
      const std::string padding(widths[column] - display_width(cell), ' ');
      line += columns_[column].align == Align::Right ? padding + cell : cell + padding;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](size_t column) -> const std::string& { return columns_[column].title; });
  for (const auto& row : rows_) {
    add_line([&](size_t column) -> const std::string& { return row[column]; });
  }
  return text;
}

}  // namespace masugata::cli
