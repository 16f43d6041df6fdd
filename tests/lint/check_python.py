# SPDX-License-Identifier: GPL-2.0-or-later
"""Every Python file compiles, without a warning such as an invalid escape."""

import warnings

from sources import finish, project_files, read_text


def main():
    complaints = []
    warnings.simplefilter("error")
    for path in project_files(".py"):
        try:
            compile(read_text(path), str(path), "exec", dont_inherit=True)
        except (SyntaxError, SyntaxWarning, DeprecationWarning) as error:
            complaints.append(f"{path}: {error}")
    finish(complaints)


if __name__ == "__main__":
    main()
