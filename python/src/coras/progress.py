# SPDX-License-Identifier: Apache-2.0
"""Progress of a transfer, from the lines that the program writes for programs (docs/progress.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Union

if TYPE_CHECKING:
    from .results import Progress


Callback = Callable[["Progress"], object]
Option = Union[Callback, bool, None]


def parse(line: bytes) -> Progress | None:
    """The progress that a line tells; None of a line for people, and of errors."""
    import json

    from .results import Progress

    if not line.startswith(b"{"):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict) or fields.get("event") in (None, "error"):
        return None
    return Progress(
        event=str(fields["event"]),
        name=fields.get("name"),
        digest=fields.get("digest"),
        bytes=fields.get("bytes", 0),
        total=fields.get("total", 0),
        rate=fields.get("rate", 0),
        left=fields.get("left"),
        fields=fields,
    )


class _Bar:
    """A tqdm bar of the whole."""

    def __init__(self, tqdm: Any) -> None:
        self.make = tqdm
        self.bar: Any = None

    def __call__(self, progress: Progress) -> None:
        if progress.event not in ("total", "done"):
            return
        if self.bar is None:
            self.bar = self.make(total=progress.total, unit="B", unit_scale=True, unit_divisor=1024)
        self.bar.total = progress.total
        self.bar.update(progress.bytes - self.bar.n)
        if progress.event == "done":
            self.bar.close()


def callback_of(option: Option) -> Callback | None:
    """The function that `option` means: itself; of True a tqdm bar where tqdm is installed; else none."""
    if option is None or option is False:
        return None
    if option is not True:
        return option
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Bar(tqdm)
