# SPDX-License-Identifier: GPL-2.0-or-later
"""No source file above 600 lines, no function above 100."""

import ast
import re

from sources import finish, project_files, read_text

MAXIMUM_FILE_LINES = 600
MAXIMUM_FUNCTION_LINES = 100

TOKEN = re.compile(r"""
    (?P<skip> //[^\n]* | /\*.*?\*/ | R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | "(?:\\.|[^"\\\n])*"
            | '(?:\\.|[^'\\\n])' | ^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
  | (?P<open> \{ ) | (?P<close> \} ) | (?P<end> ; )
""", re.VERBOSE | re.DOTALL | re.MULTILINE)
NOT_A_FUNCTION = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:inline\s+|static\s+|constexpr\s+)*"
                            r"(?:namespace|class|struct|union|enum|extern|if|for|while|switch|do|"
                            r"else|try|catch|case|default)\b", re.DOTALL)


def cpp_functions(text):
    """(first line, number of lines) of every block that follows a parameter list."""
    opened = []  # (line of the head when it is a function's, else None)
    head_start = 0
    for token in TOKEN.finditer(text):
        if token["skip"]:
            continue
        if token["open"]:
            head = re.sub(r"//[^\n]*|^[ \t]*#[^\n]*", "", text[head_start:token.start()],
                          flags=re.MULTILINE)
            # A brace right behind "=", "(" or "," opens a list of values, however long its table.
            is_function = ("(" in head and not NOT_A_FUNCTION.match(head)
                           and not re.search(r"[=(,]\s*$", head))
            opened.append(text.count("\n", 0, token.start()) if is_function else None)
        elif token["close"] and opened:
            first = opened.pop()
            if first is not None:
                yield first + 1, text.count("\n", 0, token.start()) - first + 1
        head_start = token.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def main():
    complaints = []
    for path in project_files(".h", ".cpp", ".c", ".py", ".sh", ".yang", "dev"):
        text = read_text(path)
        lines = text.count("\n")
        if lines > MAXIMUM_FILE_LINES:
            complaints.append(f"{path}: {lines} lines, more than {MAXIMUM_FILE_LINES}")
        functions = python_functions if path.suffix == ".py" else cpp_functions
        if path.suffix not in (".py", ".h", ".cpp", ".c"):
            continue
        for line, length in functions(text):
            if length > MAXIMUM_FUNCTION_LINES:
                complaints.append(f"{path}:{line}: a function of {length} lines, more than "
                                  f"{MAXIMUM_FUNCTION_LINES}")
    finish(complaints)


if __name__ == "__main__":
    main()
