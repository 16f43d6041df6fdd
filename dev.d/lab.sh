# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab and the demo; tests/lab/README.md tells what they are.

lab_python() {
  local script=$1
  shift
  MASUGATA_BUILD_DIR=$BUILD as_root "$PYTHON" "$ROOT/tests/lab/$script" "$@"
}

# The kernel as the gateway needs no build.
wants_masugata() {
  case " $* " in *" --gateway kernel "*) return 1 ;; esac
}

run_demo() {
  require_root
  ensure_packages build test
  if wants_masugata "$@"; then build_all; fi
  lab_python demo.py "$@"
}

run_lab() {
  require_root
  case ${1:-} in
    up)
      ensure_packages build test
      if wants_masugata "$@"; then build_all; fi
      ;;
    down | shell | run) ensure_packages test ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  lab_python lab_control.py "$@"
}
