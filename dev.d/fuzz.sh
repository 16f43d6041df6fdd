# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The fuzz targets: libFuzzer with ASan and UBSan, built by clang into build-fuzz/.

FUZZ_BUILD=${MASUGATA_FUZZ_BUILD_DIR:-$ROOT/build-fuzz}
FINDINGS=$FUZZ_BUILD/findings
# About what it holds in the end, with findings.
FUZZ_BUILD_MEGABYTES=400

fuzz_targets() {
  as_owner meson introspect --targets "$FUZZ_BUILD" | "$PYTHON" -c '
import json, sys
names = (target["name"] for target in json.load(sys.stdin) if target["type"] == "executable")
print("\n".join(sorted(name for name in names if name.endswith("_fuzz"))))'
}

build_fuzz() {
  require_room "$FUZZ_BUILD" "$FUZZ_BUILD_MEGABYTES"
  export CC=clang-16 CXX=clang++-16
  set_up_build "$FUZZ_BUILD" --buildtype=debugoptimized -Dfuzz=true || exit 1
  unset CC CXX
  # What is introspected is as old as the last configuration.
  quietly "meson" ninja -C "$FUZZ_BUILD" build.ninja || exit 1
  mapfile -t FUZZ_TARGETS < <(fuzz_targets)
  [ -n "${FUZZ_TARGETS[*]}" ] || return 0
  local paths=("${FUZZ_TARGETS[@]/#/tests/fuzz/}")
  quietly "the fuzz build" ninja -C "$FUZZ_BUILD" "${paths[@]}" || exit 1
  as_owner mkdir -p "$FINDINGS"
}

# fuzz_one TARGET SECONDS: on a copy of the corpus, so that the checkout stays as it is. What was
# found stays in build-fuzz/findings/. FUZZ_SEED, when set, begins the same row of inputs each time.
fuzz_one() {
  local target=$1 seconds=$2 corpus status=0 dictionary options=()
  corpus=$(as_owner mktemp -d)
  local seeds=$ROOT/tests/fuzz/corpus/${target%_fuzz}
  if [ -d "$seeds" ]; then as_owner cp -r "$seeds/." "$corpus"; fi
  dictionary=$ROOT/tests/fuzz/${target%_fuzz}.dict
  if [ -f "$dictionary" ]; then options+=("-dict=$dictionary"); fi
  if [ -n "${FUZZ_SEED:-}" ]; then options+=("-seed=$FUZZ_SEED"); fi
  as_owner env ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    "$FUZZ_BUILD/tests/fuzz/$target" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=3000 \
    "-artifact_prefix=$FINDINGS/$target-" -print_final_stats=1 "${options[@]}" "$corpus" \
    >"$FUZZ_BUILD/$target.log" 2>&1 </dev/null || status=$?
  as_owner rm -rf "$corpus"
  return "$status"
}

# fuzz_all SECONDS TARGET...: as many at a time as there are processors; sets PASSED and FAILED.
fuzz_all() {
  local seconds=$1 target jobs
  shift
  jobs=$(nproc)
  local -A running=()
  for target in "$@"; do
    fuzz_one "$target" "$seconds" &
    running[$target]=$!
    if [ ${#running[@]} -ge "$jobs" ]; then fuzz_collect; fi
  done
  fuzz_collect
  give_back "$FUZZ_BUILD"
}

# fuzz_report TARGET: what a log must hold to find the bug without the machine it was found on: the
# sanitiser's stacks, and the input when it is not too long to print.
fuzz_report() {
  local target=$1 input
  sed -n '/ERROR: /,/^Shadow bytes/p' "$FUZZ_BUILD/$target.log" | head -n 80
  tail -n 15 "$FUZZ_BUILD/$target.log"
  input=$(sed -n 's/.*Test unit written to //p' "$FUZZ_BUILD/$target.log" | tail -n 1)
  if [ -f "$input" ] && [ "$(stat -c %s "$input")" -le 8192 ]; then
    echo "the input in base64:"
    base64 -w 160 "$input"
  fi
}

# Waits for the targets in `running` of the caller.
fuzz_collect() {
  local target runs
  for target in "${!running[@]}"; do
    if wait "${running[$target]}"; then
      runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$FUZZ_BUILD/$target.log")
      say "ok    fuzz: $target, ${runs:-?} inputs"
      PASSED=$((PASSED + 1))
    else
      say "fail  fuzz: $target; the input is in $FINDINGS"
      fuzz_report "$target" >&2
      FAILED=$((FAILED + 1))
    fi
    unset "running[$target]"
  done
}

run_fuzz() {
  local target='' seconds=60 word
  for word in "$@"; do
    case $word in
      *[!0-9]*) target=$word ;;
      *) seconds=$word ;;
    esac
  done
  PASSED=0 FAILED=0
  ensure_packages build lint
  build_fuzz
  local chosen=("${FUZZ_TARGETS[@]}")
  if [ -n "$target" ]; then
    chosen=("${target%_fuzz}_fuzz")
    [[ " ${FUZZ_TARGETS[*]} " == *" ${chosen[0]} "* ]] ||
      die "no fuzz target $target; there are: ${FUZZ_TARGETS[*]}"
  fi
  fuzz_all "$seconds" "${chosen[@]}"
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}
