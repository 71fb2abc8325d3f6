# SPDX-License-Identifier: Apache-2.0
"""The same as run.py for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from .errors import error_of
from .progress import Callback
from .run import CHUNK, GRACE_S, Call, Stderr, timeout_error

T = TypeVar("T")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    try:
        process.terminate()
        await asyncio.wait_for(process.wait(), GRACE_S)
    except ProcessLookupError:
        await process.wait()
    except (asyncio.TimeoutError, TimeoutError):
        process.kill()
        await process.wait()


async def _end_surely(process: asyncio.subprocess.Process) -> None:
    """To its end even when the caller is cancelled once more."""
    ending = asyncio.ensure_future(_end(process))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await ending
        raise


async def _read(stream: asyncio.StreamReader, out: list[bytes]) -> None:
    while True:
        data = await stream.read(CHUNK)
        if not data:
            return
        out.append(data)


async def _read_stderr(stream: asyncio.StreamReader, stderr: Stderr) -> None:
    while True:
        data = await stream.read(CHUNK)
        if not data:
            return
        stderr.feed(data)


async def _give_stdin(process: asyncio.subprocess.Process, text: str | None) -> None:
    if process.stdin is None or text is None:
        return
    try:
        process.stdin.write(text.encode())
        await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it ended without reading; its error tells why


async def _talk(process: asyncio.subprocess.Process, stdin: str | None, out: list[bytes], stderr: Stderr) -> int:
    assert process.stdout is not None and process.stderr is not None
    await asyncio.gather(_give_stdin(process, stdin), _read(process.stdout, out), _read_stderr(process.stderr, stderr))
    return await process.wait()


def _close_pipes(process: Any) -> None:
    """On the loop that made them, which may be gone when they are collected."""
    process._transport.close()


async def run_async(call: Call[T], program: str, timeout: float | None = None, callback: Callback | None = None) -> T:
    """Run the program to its end. Raises CorasError; after any exception the program has ended."""
    out: list[bytes] = []
    stderr = Stderr(callback)
    process = await asyncio.create_subprocess_exec(
        *call.words(program, callback),
        stdin=asyncio.subprocess.DEVNULL if call.stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=call.cwd,
    )
    try:
        code = await asyncio.wait_for(_talk(process, call.stdin, out, stderr), timeout)
    except (asyncio.TimeoutError, TimeoutError):
        await _end_surely(process)
        raise timeout_error(call, timeout, stderr.text()) from None
    finally:
        await _end_surely(process)
        _close_pipes(process)
    if code:
        raise error_of(code, stderr.text())
    return call.finish(b"".join(out))
