# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measurements. Files in build/bench/; tables on standard output.

run_bench() {
  if [ "${1:-}" = antivirus ]; then
    shift
    run_antivirus_bench "$@"
    return
  fi
  local quick=()
  if [ "${1:-}" = --quick ]; then quick=(--quick); fi
  require_root
  ensure_packages build test
  build_all
  as_owner mkdir -p "$BUILD/bench"
  local bench=$BUILD/tests/bench/dataplane_bench status=0
  if [ -x "$bench" ]; then
    as_root "$bench" --json "$BUILD/bench/dataplane.json" "${quick[@]}" || status=1
  else
    say "dev: $bench is not built"
    status=1
  fi
  bench=$BUILD/tests/bench/ips_bench
  as_owner "$bench" --json "$BUILD/bench/ips.json" "${quick[@]}" || status=1
  bench=$BUILD/tests/bench/esp_bench
  as_owner "$bench" --json "$BUILD/bench/esp.json" "${quick[@]}" || status=1
  lab_python throughput.py --json "$BUILD/bench/lab.json" "${quick[@]}" || status=1
  lab_python lossy_throughput.py --json "$BUILD/bench/lossy.json" "${quick[@]}" || status=1
  lab_python antivirus_first_byte.py --json "$BUILD/bench/first-byte.json" "${quick[@]}" || status=1
  # 100,000 objects take minutes: tests/lab/antivirus_soak.py by hand.
  lab_python antivirus_soak.py --json "$BUILD/bench/soak.json" --quick || status=1
  give_back "$BUILD/bench"
  return "$status"
}

# Beside squid with c-icap, and e2guardian. Their services are not started, but Debian starts them
# when the machine starts again: remove the packages of bench.txt where that is not wanted.
run_antivirus_bench() {
  require_root
  ensure_packages build test bench
  build_all
  local bench=tests/bench/antivirus status=0 signatures
  quietly "the build" ninja -C "$BUILD" "$bench"/{scan_throughput,web_server,web_load} || exit 1
  as_owner mkdir -p "$BUILD/bench"
  # Who loads them is somebody else, who may not look into the checkout.
  signatures=$(mktemp -d)
  chmod 755 "$signatures"
  "$PYTHON" "$ROOT/$bench/made_signatures.py" "$signatures"
  as_root "$BUILD/$bench/scan_throughput" "$signatures" --json "$BUILD/bench/scanning.json" ||
    status=1
  MASUGATA_BUILD_DIR=$BUILD as_root "$PYTHON" "$ROOT/$bench/antivirus_bench.py" "$signatures" \
    --json "$BUILD/bench/antivirus.json" "$@" || status=1
  rm -rf "$signatures"
  give_back "$BUILD/bench"
  return "$status"
}
