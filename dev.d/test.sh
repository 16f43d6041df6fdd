# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every test, counted: gtest cases, scenarios, lab checks, fuzz targets, lint checks.

RESULTS=$BUILD/test-results
FUZZ_SMOKE_SECONDS=${MASUGATA_FUZZ_SECONDS:-10}

# add_counts: reads "PASSED FAILED" from standard input and adds them.
add_counts() {
  local passed failed
  read -r passed failed || {
    passed=0
    failed=1
  }
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
}

test_lint() {
  lint_texts
  count_check "lint: shell scripts" check_shell
}

test_unit() {
  local status=0
  # Results of an earlier run must not be taken for those of a program that crashes now.
  as_owner rm -rf "$RESULTS/gtest"
  as_owner mkdir -p "$RESULTS/gtest"
  find "$BUILD" -maxdepth 1 -name '*.xml' -delete
  as_owner env "GTEST_OUTPUT=xml:$RESULTS/gtest/" GTEST_COLOR=no \
    meson test -C "$BUILD" --no-rebuild --print-errorlogs --no-suite bench \
    >"$RESULTS/meson.log" 2>&1 </dev/null || status=$?
  [ "$status" -eq 0 ] || tail -n 80 "$RESULTS/meson.log" >&2
  add_counts < <("$PYTHON" "$ROOT/dev.d/count_results.py" meson "$BUILD" "$RESULTS/gtest")
}

test_fuzz() {
  build_fuzz
  if [ -z "${FUZZ_TARGETS[*]}" ]; then
    say "fail  fuzz: no targets"
    FAILED=$((FAILED + 1))
    return
  fi
  # The same row of inputs each time: a run says of a commit what the last one said. New inputs are
  # the business of ./dev fuzz.
  FUZZ_SEED=${FUZZ_SEED:-1} fuzz_all "$FUZZ_SMOKE_SECONDS" "${FUZZ_TARGETS[@]}"
}

test_lab() {
  local report=$RESULTS/lab.xml
  as_owner rm -f "$report"
  # A peer for tunnels; its tests are skipped where it cannot be had.
  as_owner bash "$ROOT/packaging/libreswan/fetch.sh" "$BUILD" >&2 </dev/null || true
  MASUGATA_BUILD_DIR=$BUILD MASUGATA_LAB_LOGS=$RESULTS/lab-logs as_root "$PYTHON" -m pytest \
    -p no:cacheprovider -q --tb=short --junit-xml="$report" "$ROOT/tests/lab" >&2 </dev/null || true
  give_back "$RESULTS"
  add_counts < <("$PYTHON" "$ROOT/dev.d/count_results.py" junit "$report")
}

run_tests() {
  local parts=() part started=$SECONDS
  for part in "$@"; do
    case $part in
      --lint | --unit | --fuzz | --lab) parts+=("${part#--}") ;;
      *) die "test: $part is none of --lint --unit --fuzz --lab" ;;
    esac
  done
  if [ ${#parts[@]} -eq 0 ]; then parts=(lint unit fuzz lab); fi
  if [[ " ${parts[*]} " == *" lab "* ]]; then require_root; fi
  ensure_packages build test lint
  build_all
  as_owner mkdir -p "$RESULTS"
  PASSED=0 FAILED=0
  local summary=()
  for part in "${parts[@]}"; do
    local passed_before=$PASSED failed_before=$FAILED part_started=$SECONDS
    say "== $part"
    "test_$part"
    summary+=("$(printf '%-6s %5d passed %5d failed %5d s' "$part" $((PASSED - passed_before)) \
      $((FAILED - failed_before)) $((SECONDS - part_started)))")
  done
  printf '\n'
  printf '%s\n' "${summary[@]}" "$(printf 'all    %35d s' $((SECONDS - started)))"
  [ $((PASSED + FAILED)) -gt 0 ] || say "no test ran"
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}
