# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists the files of the project. As a program: those with the endings named, one per line."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = ("build", ".git", ".cache", "__pycache__")


def project_files(*endings):
    """Paths relative to ROOT of all files that are or would be committed, sorted."""
    try:
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "-C", ROOT, "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"], capture_output=True, check=True).stdout
        names = [name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        # An unpacked archive, or no git: everything but build directories.
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if not path.relative_to(ROOT).parts[0].startswith(NOT_OURS)
                 and "__pycache__" not in path.parts]
    paths = sorted(set(Path(name) for name in names))
    return [path for path in paths if (ROOT / path).is_file()
            and (not endings or path.suffix in endings or path.name in endings)]


def read_text(path):
    """The text of a project file; None when it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def finish(complaints):
    """Prints the complaints; exit status 1 when there are any."""
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    for file in project_files(*sys.argv[1:]):
        print(file)
