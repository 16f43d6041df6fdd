// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/text/parser.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "config/text/lexer.h"

namespace masugata::config::text {
namespace {

// The statement whose value is a secret (ext:secret in the schema).
constexpr std::string_view kSecretKeyword = "psk";

class Parser {
 public:
  Parser(std::string_view source, ParsedText& result, ProblemList& problems)
      : lexer_(source, result.document, problems), result_(result), problems_(problems) {
    take();
  }

  void parse_text() {
    parse_statements(result_.document.statements, 0);
    while (token_.kind == TokenKind::CloseBrace) {
      report(token_.word.position, "'}' without a '{'");
      result_.structure_known = false;
      take();
      parse_statements(result_.document.statements, 0);
    }
  }

 private:
  void take() {
    end_of_previous_ = token_.word.position;
    end_of_previous_.column += static_cast<uint32_t>(token_.word.text.size());
    token_ = lexer_.next();
  }

  void report(Position position, std::string what, std::string accepted = {}) {
    problems_.add({Problem::Severity::Error,
                   position.line,
                   position.column,
                   {},
                   std::move(what),
                   std::move(accepted)});
  }

  // Statements up to the closing brace or the end, which is left for the caller.
  void parse_statements(std::vector<Statement>& statements, size_t depth) {
    while (token_.kind != TokenKind::End && token_.kind != TokenKind::CloseBrace) {
      if (++statement_count_ > kMaximumStatements) {
        stop_at_bound();
        return;
      }
      Statement statement;
      if (parse_statement(statement, depth)) statements.push_back(std::move(statement));
    }
  }

  void stop_at_bound() {
    report(token_.word.position, fmt::format("more than {} statements", kMaximumStatements));
    result_.structure_known = false;
    while (token_.kind != TokenKind::End) take();
  }

  // False when nothing of the statement can be used.
  bool parse_statement(Statement& statement, size_t depth) {
    if (token_.kind == TokenKind::Semicolon) {
      take();  // an empty statement is harmless
      return false;
    }
    if (token_.kind != TokenKind::Word) {
      report(token_.word.position, shown_token() + " where a statement begins", "a keyword");
      recover(depth);
      return false;
    }
    statement.keyword = token_.word;
    take();
    parse_words(statement);
    if (token_.kind == TokenKind::OpenBracket) parse_list(statement);
    return parse_end(statement, depth);
  }

  void parse_words(Statement& statement) {
    while (token_.kind == TokenKind::Word || token_.kind == TokenKind::QuotedString) {
      const bool next_line = token_.word.position.line != end_of_previous_.line;
      const bool continues = token_.kind == TokenKind::QuotedString && statement.words.empty();
      if (next_line && !continues) return;
      statement.words.push_back(token_.word);
      take();
    }
  }

  void parse_list(Statement& statement) {
    const Position begin = token_.word.position;
    statement.bracketed = true;
    take();
    while (token_.kind == TokenKind::Word || token_.kind == TokenKind::QuotedString) {
      statement.words.push_back(token_.word);
      take();
    }
    if (token_.kind == TokenKind::CloseBracket) {
      take();
    } else {
      report(begin, fmt::format("the list of '{}' is not closed", statement.keyword.text), "]");
    }
  }

  bool parse_end(Statement& statement, size_t depth) {
    if (token_.kind == TokenKind::Semicolon) {
      take();
      return true;
    }
    if (token_.kind == TokenKind::OpenBrace) {
      return parse_block(statement, depth);
    }
    report(end_of_previous_, fmt::format("missing ';' after {}", shown_end(statement)),
           statement.bracketed ? ";" : "; or {");
    // A word on the next line, a closing brace or the end: the statement itself was whole.
    const bool plain = token_.kind == TokenKind::Word || token_.kind == TokenKind::CloseBrace ||
                       token_.kind == TokenKind::End;
    if (!plain || token_.word.position.line == end_of_previous_.line) {
      if (token_.kind != TokenKind::CloseBrace) recover(depth);
    }
    return true;
  }

  bool parse_block(Statement& statement, size_t depth) {
    const Position begin = token_.word.position;
    statement.has_block = true;
    if (depth + 1 >= kMaximumDepth) {
      report(begin, fmt::format("blocks are nested deeper than {}", kMaximumDepth));
      result_.structure_known = false;
      skip_block();
      return false;
    }
    take();
    parse_statements(statement.block, depth + 1);
    if (token_.kind == TokenKind::CloseBrace) {
      take();
    } else if (statement_count_ <= kMaximumStatements) {
      report(begin, fmt::format("the block of '{}' is never closed", statement.keyword.text), "}");
      result_.structure_known = false;
    }
    return true;
  }

  // Stands on '{'; goes behind the '}' that matches.
  void skip_block() {
    size_t open = 0;
    while (token_.kind != TokenKind::End) {
      if (token_.kind == TokenKind::OpenBrace) ++open;
      const bool closes = token_.kind == TokenKind::CloseBrace && --open == 0;
      take();
      if (closes) return;
    }
  }

  // Goes behind the next ';' or to the next '}', whichever is first; a whole block on the way is
  // skipped, so that its contents are not taken for statements of the outer one.
  void recover(size_t depth) {
    while (token_.kind != TokenKind::End) {
      if (token_.kind == TokenKind::Semicolon) {
        take();
        return;
      }
      if (token_.kind == TokenKind::OpenBrace) {
        skip_block();
        return;
      }
      if (token_.kind == TokenKind::CloseBrace) {
        if (depth == 0) result_.structure_known = false;
        return;
      }
      take();
    }
  }

  // What may be a secret is not repeated: messages go into logs.
  [[nodiscard]] static std::string shown_end(const Statement& statement) {
    if (statement.words.empty()) return fmt::format("'{}'", statement.keyword.text);
    if (statement.keyword.text == kSecretKeyword) {
      return fmt::format("the value of '{}'", kSecretKeyword);
    }
    return fmt::format("'{}'", statement.words.back().text);
  }
  [[nodiscard]] std::string shown_token() const {
    return token_.kind == TokenKind::QuotedString ? "a quoted string"
                                                  : fmt::format("'{}'", token_.word.text);
  }

  Lexer lexer_;
  ParsedText& result_;
  ProblemList& problems_;
  Token token_;
  Position end_of_previous_;
  size_t statement_count_ = 0;
};

}  // namespace

ParsedText parse(std::string_view source, ProblemList& problems) {
  ParsedText result;
  if (source.size() > kMaximumTextBytes) {
    problems.add({Problem::Severity::Error,
                  0,
                  0,
                  {},
                  fmt::format("the text has {} bytes", source.size()),
                  fmt::format("at most {} bytes", kMaximumTextBytes)});
    result.structure_known = false;
    return result;
  }
  const std::string_view kept = result.document.keep(SecretBytes(source));
  Parser(kept, result, problems).parse_text();
  return result;
}

}  // namespace masugata::config::text
