# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks of the text of the project. Each check is one test that passes or fails.

shell_scripts() {
  printf '%s\n' "$ROOT/dev" "$ROOT/.ci/run" "$ROOT"/dev.d/*.sh \
    "$ROOT"/packaging/*/*.sh
}

check_shell() {
  local scripts
  mapfile -t scripts < <(shell_scripts)
  shellcheck -x -P "$ROOT" "${scripts[@]}"
}

check_format() {
  local files
  mapfile -t files < <(as_owner "$PYTHON" "$ROOT/tests/lint/sources.py" .h .cpp)
  [ ${#files[@]} -gt 0 ] || return 1
  clang-format-16 --dry-run --Werror "${files[@]}"
}

# count_check TITLE COMMAND...: shows the output of a check that fails; sets PASSED and FAILED.
count_check() {
  local title=$1 output
  shift
  if output=$(as_owner_function "$@" 2>&1); then
    PASSED=$((PASSED + 1))
    say "ok    $title"
  else
    FAILED=$((FAILED + 1))
    say "fail  $title"
    printf '%s\n' "$output" | head -n 40 >&2
  fi
}

# Shell functions cannot be handed to setpriv; they only read.
as_owner_function() {
  if declare -F "$1" >/dev/null; then "$@"; else as_owner "$@"; fi
}

# What needs no package beyond python3.
lint_texts() {
  local name
  for name in includes sizes texts python links drop_reasons; do
    count_check "lint: $name" "$PYTHON" "$ROOT/tests/lint/check_$name.py"
  done
}

run_lint() {
  PASSED=0 FAILED=0
  ensure_packages build lint
  lint_texts
  count_check "lint: shell scripts" check_shell
  count_check "lint: format" check_format
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" -eq 0 ]
}
