# SPDX-License-Identifier: Apache-2.0
"""Running the program and waiting for it, so that no child is left behind whatever ends the wait."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from typing import Callable, Generic, TypeVar

from .errors import CorasTimeout, error_of
from .progress import Callback, parse

T = TypeVar("T")
GRACE_S = 5.0  # for the program to leave what it does in order
CHUNK = 1 << 16


class Call(Generic[T]):
    """One run of the program: command and options, what they are for, and what becomes of what it prints."""

    def __init__(
        self,
        argv: list[str],
        operands: list[str],
        finish: Callable[[bytes], T],
        *,
        stdin: str | None = None,
        cwd: str | None = None,
        tells_progress: bool = False,
    ) -> None:
        self.argv, self.operands, self.finish = argv, operands, finish
        self.stdin, self.cwd, self.tells_progress = stdin, cwd, tells_progress

    def words(self, program: str, callback: Callback | None) -> list[str]:
        progress = ["--progress", "json"] if callback and self.tells_progress else []
        return [program, *self.argv, *progress, "--", *self.operands]  # a file's name may begin with a dash


class Stderr:
    """What arrives on standard error: progress goes to the callback, the rest is kept for an error."""

    MOST = 1 << 20  # bytes kept

    def __init__(self, callback: Callback | None) -> None:
        self.callback = callback
        self.partial = b""
        self.kept: list[bytes] = []
        self.size = 0

    def feed(self, data: bytes) -> None:
        lines = (self.partial + data).split(b"\n")
        self.partial = lines.pop()
        for line in lines:
            self._line(line)

    def _line(self, line: bytes) -> None:
        progress = parse(line)
        if progress is None:
            self._keep(line)
        elif self.callback:
            self.callback(progress)

    def _keep(self, line: bytes) -> None:
        self.kept.append(line)
        self.size += len(line)
        while self.size > self.MOST and len(self.kept) > 1:
            self.size -= len(self.kept.pop(0))

    def text(self) -> str:
        if self.partial:
            self._keep(self.partial)
            self.partial = b""
        return b"\n".join(self.kept).decode(errors="replace")


def timeout_error(call: Call[T], timeout: float | None, stderr: str) -> CorasTimeout:
    return CorasTimeout(f"coras {call.argv[0]} did not end within {timeout:g} seconds", code="TIMEOUT", stderr=stderr)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to stop, and make it stop when it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _give_stdin(process: subprocess.Popen[bytes], text: str | None) -> None:
    if process.stdin is None or text is None:
        return
    try:
        process.stdin.write(text.encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended without reading; its error tells why


class _Reader:
    """Both streams of one process, until each has ended."""

    def __init__(self, process: subprocess.Popen[bytes], stderr: Stderr) -> None:
        self.out: list[bytes] = []
        self.stderr = stderr
        self.selector = selectors.DefaultSelector()
        for stream, take in ((process.stdout, self.out.append), (process.stderr, stderr.feed)):
            assert stream is not None
            self.selector.register(stream, selectors.EVENT_READ, take)

    def until(self, deadline: float | None) -> bool:
        """False when the deadline came first."""
        while self.selector.get_map():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            for key, _ in self.selector.select(left):
                data = os.read(key.fd, CHUNK)
                if data:
                    key.data(data)
                else:
                    self.selector.unregister(key.fileobj)
        return True


def run(call: Call[T], program: str, timeout: float | None = None, callback: Callback | None = None) -> T:
    """Run the program to its end. Raises CorasError; after any exception the program has ended."""
    deadline = None if timeout is None else time.monotonic() + timeout
    stderr = Stderr(callback)
    with subprocess.Popen(
        call.words(program, callback),
        stdin=subprocess.DEVNULL if call.stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=call.cwd,
    ) as process:
        try:
            reader = _Reader(process, stderr)
            with reader.selector:
                _give_stdin(process, call.stdin)
                if not reader.until(deadline):
                    raise timeout_error(call, timeout, stderr.text())
            code = process.wait()
        finally:
            end(process)
    if code:
        raise error_of(code, stderr.text())
    return call.finish(b"".join(reader.out))
