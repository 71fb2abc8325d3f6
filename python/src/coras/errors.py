# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, with a code for programs and a hint for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class CorasError(RuntimeError):
    """The program failed. `str()` is its message, followed by its hint where it has one.

    code: a stable name such as "NOT_FOUND" or "UNAUTHORIZED"; `coras explain CODE` tells more
    status: the HTTP status of the answer that caused it, or None
    hint: what to do about it, or None
    host, registry_code: who answered, and the registry's own code, or None
    retryable: whether the same call may succeed later; retry_after: in how many seconds, or None
    exit_code, stderr: of the program; exit_code is None when it has not ended by itself
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "UNKNOWN",
        fields: Mapping[str, Any] | None = None,
        exit_code: int | None = None,
        stderr: str = "",
    ) -> None:
        fields = fields or {}
        self.message = message
        self.code = str(fields.get("code", code))
        self.hint: str | None = fields.get("hint")
        self.status: int | None = fields.get("status")
        self.host: str | None = fields.get("host")
        self.registry_code: str | None = fields.get("registryCode")
        self.retryable = bool(fields.get("retryable", False))
        self.retry_after: int | None = fields.get("retryAfter")
        self.exit_code = exit_code
        self.stderr = stderr
        super().__init__(f"{message}\nHint: {self.hint}" if self.hint else message)


class CorasTimeout(CorasError, TimeoutError):
    """The program took longer than the caller would wait, and was ended."""


def error_of(exit_code: int, stderr: str) -> CorasError:
    """The error that the program has told as its last line: an object, or text where it could not."""
    lines = stderr.strip().splitlines()
    if lines and lines[-1].startswith("{"):
        import json

        try:
            fields = json.loads(lines[-1])
        except ValueError:
            fields = {}
        if isinstance(fields, dict) and fields.get("event") == "error":
            return CorasError(str(fields.get("message", "")), fields=fields, exit_code=exit_code, stderr=stderr)
    text = stderr.strip() or f"coras ended with {exit_code} and said nothing"
    return CorasError(text, exit_code=exit_code, stderr=stderr)
