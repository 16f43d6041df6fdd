// SPDX-License-Identifier: GPL-2.0-or-later
// Text -> Model: the whole way from the file that an administrator writes to the typed result.
//
// syntax -> statements and values (YANG) -> whole tree (libyang) -> names and cross-checks -> Model
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "config/problem.h"
#include "result/result.h"

namespace masugata::config {

// `model` is set if and only if no problem is an Error. `problems` holds errors and warnings in the
// order of the text, at most ProblemList::kMaximum of each.
struct Loaded {
  std::optional<Model> model;
  std::vector<Problem> problems;
};

// Reads a configuration. `name` stands for the text in messages (a file name); problems themselves
// do not hold it, format_problem() adds it. Several threads may load at the same time. Never
// throws on bad input; text beyond text::kMaximumTextBytes is one problem.
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& name);

// The same from a file. A file that cannot be read is one problem at line 0.
[[nodiscard]] Loaded load_file(const std::filesystem::path& path);

// What the text says in canonical form: statements in the order of the schema, entries and values
// in the order written, canonical values, no comments, no defaults. Loading the result gives the
// same Model (places aside). Fails when the text has syntax or schema errors; the Fault holds the
// first one.
[[nodiscard]] Result<std::string> to_canonical_text(std::string_view text, const std::string& name,
                                                    Secrets secrets = Secrets::Keep);

// The same as RFC 7951 JSON of the module `masugata`, without secrets.
[[nodiscard]] Result<std::string> to_json(std::string_view text, const std::string& name);

}  // namespace masugata::config
