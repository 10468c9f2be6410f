"""Whose line a warning is about."""

from __future__ import annotations

import sys
from types import FrameType

PACKAGE = __name__.partition(".")[0]
BETWEEN = {PACKAGE, "sklearn", "joblib"}  # pipelines and searches fit on behalf of somebody


def level_of_user() -> int:
    """The ``stacklevel`` with which the caller's `warnings.warn` points at the user's line.

    That is the innermost one outside this package and outside those that may stand in between; where all of them are
    inside, the innermost one outside this package.
    """
    levels: dict[str, int] = {}
    frame: FrameType | None = sys._getframe(1)
    level = 0
    while frame is not None:
        level += 1
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in BETWEEN:
            return level
        levels.setdefault(package, level)
        frame = frame.f_back
    return min((level for package, level in levels.items() if package != PACKAGE), default=level)
