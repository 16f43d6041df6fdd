# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# strongSwan's source package, by apt.

# find_source DIRECTORY VERSION: prints where the source of that version's upstream release is
# unpacked, which is below DIRECTORY; fetches it when it is not there yet.
find_source() {
  local directory=$1 version=$2
  local release=${version#*:}
  release=${release%-*}
  local unpacked=$directory/source/strongswan-$release
  if [ ! -f "$unpacked/src/libcharon/daemon.h" ]; then
    local archive
    archive=$(fetch_archive "$directory" "$version" "$release") || return 1
    mkdir -p "$directory/source"
    # Python's own: no package for bzip2 is needed. Only the headers are.
    python3 - "$archive" "$directory/source" <<'END' || return 1
import sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    members = [member for member in archive
               if member.name.endswith(".h") and "/src/lib" in member.name]
    archive.extractall(sys.argv[2], members=members)
END
  fi
  [ -f "$unpacked/src/libcharon/daemon.h" ] && printf '%s\n' "$unpacked"
}

# fetch_archive DIRECTORY VERSION RELEASE: prints the path of the release's archive, whose checksum
# apt has compared with the signed index. The headers are not patched by Debian, so every revision
# of the release will do where the installed one is no longer on the mirror.
fetch_archive() {
  local directory=$1/apt version=$2 release=$3 candidate archive
  mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial" "$directory/downloads"
  write_source_lists "$directory"
  local options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$directory/sources"
    -o "Dir::State::lists=$directory/lists" -o "Dir::Cache=$directory/cache"
    -o "APT::Sandbox::User=root" -o "Acquire::Retries=3" -o "Acquire::http::Timeout=30")
  apt-get -q "${options[@]}" update >"$directory/log" 2>&1 || true
  while read -r candidate; do
    case $candidate in
      "$release"-*) ;;
      *) continue ;;
    esac
    # Fails when a part of the package is gone from the mirror; the archive may have come still.
    (cd "$directory/downloads" &&
      apt-get -q "${options[@]}" --download-only source "strongswan=$candidate") \
      >>"$directory/log" 2>&1 </dev/null || true
    for archive in "$directory/downloads/strongswan_$release.orig.tar."*; do
      case $archive in
        *.asc | *.FAILED | *'*') ;;
        *)
          printf '%s\n' "$archive"
          return
          ;;
      esac
    done
  done < <(source_versions "$version" "${options[@]}")
  tail -n 5 "$directory/log" >&2
  return 1
}

# The installed version first, then what else the indices have.
source_versions() {
  local version=$1
  shift
  printf '%s\n' "$version"
  apt-cache "$@" showsrc strongswan 2>/dev/null | sed -n 's/^Version: //p' | grep -vxF "$version"
}

# write_source_lists DIRECTORY: the system's own archives of this Debian release, as archives of
# sources. Other people's archives have no strongSwan of ours.
write_source_lists() {
  local directory=$1/sources codename
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  rm -rf "$directory"
  mkdir -p "$directory"
  python3 - "$codename" "$directory" <<'END'
import re, sys
from pathlib import Path

codename, directory = sys.argv[1], Path(sys.argv[2])
suite = re.compile(rf"{re.escape(codename)}([-/].*)?|(old)*stable([-/].*)?")
stanzas, lines = [], []
system = Path("/etc/apt")
for file in sorted(system.glob("sources.list.d/*.sources")):
    for stanza in re.split(r"\n[ \t]*\n", file.read_text(encoding="utf-8")):
        suites = re.search(r"(?mi)^Suites:(.*)$", stanza)
        if (suites and any(suite.fullmatch(word) for word in suites[1].split())
                and not re.search(r"(?mi)^Enabled:\s*no", stanza)):
            stanzas.append(re.sub(r"(?mi)^Types:.*$", "Types: deb-src", stanza).strip())
for file in [system / "sources.list", *sorted(system.glob("sources.list.d/*.list"))]:
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        words = re.match(r"\s*deb(?:-src)?\s+(\[[^]]*\]\s+)?(\S+\s+(\S+).*)$", line)
        if words and suite.fullmatch(words[3]):
            lines.append(f"deb-src {words[1] or ''}{words[2]}")
if stanzas:
    (directory / "system.sources").write_text("\n\n".join(dict.fromkeys(stanzas)) + "\n")
if lines:
    (directory / "system.list").write_text("\n".join(dict.fromkeys(lines)) + "\n")
END
}
