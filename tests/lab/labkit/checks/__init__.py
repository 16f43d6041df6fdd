# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be true of a gateway in the lab. Tests assert these checks, the demo prints them."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Outcome:
    ok: bool
    expected: str
    seen: str


@dataclass(frozen=True)
class Check:
    title: str
    examine: Callable  # Lab -> Outcome

    def __str__(self):
        return self.title


def equal(expected, seen):
    return Outcome(expected == seen, str(expected), str(seen))


def contains(expected, seen):
    """`expected` must be part of `seen`; of a long text only the telling line is shown."""
    lines = [line for line in seen.splitlines() if line.strip()]
    telling = [line for line in lines if expected in line] or lines[-1:]
    return Outcome(expected in seen, expected, telling[0].strip() if telling else "nothing")


def all_of(*outcomes):
    """One outcome out of several: the parts that differ, or all when none does."""
    wrong = [outcome for outcome in outcomes if not outcome.ok]
    shown = wrong or outcomes
    return Outcome(not wrong, _joined(outcome.expected for outcome in shown),
                   _joined(outcome.seen for outcome in shown))


def _joined(texts):
    """Equal neighbours are said once."""
    distinct = []
    for text in texts:
        if not distinct or distinct[-1] != text:
            distinct.append(text)
    return "; ".join(distinct)


class CheckList(list):
    """The checks of one subject, in order. Used as a decorator with the check's title."""

    def __call__(self, title):
        def register(function):
            self.append(Check(title, function))
            return function
        return register
