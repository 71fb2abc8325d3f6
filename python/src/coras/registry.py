# SPDX-License-Identifier: Apache-2.0
"""What both clients are, the one that waits and the one for asyncio: a registry, and how the program runs for it."""

from __future__ import annotations

from .calls import AnyPath, Settings
from .program import find_program
from .progress import Callback, Option, callback_of


class Registry:
    """A registry, told once for all calls.

    registry: the host, with its port where that is not the usual one
    plain_http: True or False; None lets the program decide, which speaks plain HTTP to localhost alone
    registry_config: the file with credentials, else that of docker
    program: path of the program, else find_program()
    timeout: seconds for each call that is given none of its own; None: no bound
    progress: a function that is called with a Progress, or True for a bar of tqdm where that is installed
    """

    def __init__(
        self,
        registry: str = "ghcr.io",
        *,
        plain_http: bool | None = None,
        insecure: bool = False,
        ca_file: AnyPath | None = None,
        registry_config: AnyPath | None = None,
        program: AnyPath | None = None,
        timeout: float | None = None,
        progress: Option = None,
    ) -> None:
        self.registry = registry
        self._settings = Settings(registry, plain_http, insecure, ca_file, registry_config)
        self._program, self._timeout, self._progress = program, timeout, progress

    def _how(self, timeout: float | None, progress: Option) -> tuple[str, float | None, Callback | None]:
        """The program, and what a call was not told itself."""
        return (
            find_program(self._program),
            self._timeout if timeout is None else timeout,
            callback_of(self._progress if progress is None else progress),
        )
