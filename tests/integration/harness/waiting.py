# SPDX-License-Identifier: Apache-2.0
"""Waiting for what another process does."""

import time


def wait_until(condition, process=None, seconds=60):
    """Until the condition holds; fails when the time is up or the process has ended before."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            output = process.communicate(timeout=5) if process and process.poll() is not None \
                else "too long"
            raise AssertionError(f"what was waited for did not happen: {output}")
        time.sleep(0.005)
