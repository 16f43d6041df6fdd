// SPDX-License-Identifier: GPL-2.0-or-later
// Text tables whose columns are as wide as what stands in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace masugata::cli {

enum class Align { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Left;
};

// Columns that are empty in every row are left out. Control characters in cells become '?', so
// that no name can play with the terminal.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns.
  void add_row(std::vector<std::string> cells);
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  // Titles and rows, two blanks between columns, none at the end of a line; empty without rows.
  [[nodiscard]] std::string to_string(std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// `text` with control characters replaced.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace masugata::cli
