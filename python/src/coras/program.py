# SPDX-License-Identifier: Apache-2.0
"""Where the program is."""

from __future__ import annotations

import os
import sys

NAME = "coras"


def _candidates() -> list[str]:
    """Where installers put the scripts of a wheel: beside this Python, of this user, beside this package (--target)."""
    places = [os.path.join(sys.prefix, "bin")]
    import sysconfig

    places.append(sysconfig.get_path("scripts"))
    places.append(sysconfig.get_path("scripts", "posix_user"))
    places.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin"))
    return [os.path.join(place, NAME) for place in places]


def find_program(given: os.PathLike[str] | str | None = None) -> str:
    """The program's path: `given`, else the environment's CORAS, else the wheel's own, else the first in PATH.

    Raises CorasError (code NO_PROGRAM) when it is nowhere.
    """
    chosen = os.fspath(given) if given else os.environ.get("CORAS")
    if chosen:
        return chosen
    for path in _candidates():
        if os.access(path, os.X_OK):
            return path
    import shutil

    found = shutil.which(NAME)
    if found:
        return found
    from .errors import CorasError

    raise CorasError("the program coras is not installed: neither beside this Python nor in PATH", code="NO_PROGRAM")
