# SPDX-License-Identifier: Apache-2.0
"""Base class of the command tests: a sandbox for each test, servers for each class."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from . import programs
from .run import Sandbox
from .servers import Api
from .waiting import wait_until


def _can_trace():
    strace = shutil.which("strace")
    return strace is not None and subprocess.run(
        [strace, "-f", "-e", "inject=getcwd:error=EIO", "true"], capture_output=True,
        check=False).returncode == 0


need_strace = unittest.skipUnless(_can_trace(), "strace is not installed or may not trace")


def times_tell_of_writes(path):
    """Whether digests of files there are remembered: the file systems of digest_cache.c."""
    kind = subprocess.run(["stat", "-f", "-c", "%t", str(path)], capture_output=True, text=True,
                          check=True).stdout.strip()
    return kind in ("ef53", "58465342", "9123683e", "f2f52010")


@programs.need_coras
class CliCase(unittest.TestCase):
    """self.box is a fresh directory and home; self.coras(...) runs the program as `oras`."""

    maxDiff = None

    @classmethod
    def serve(cls, server):
        """Start a server (or any context manager) that lives as long as the class."""
        return cls.enterClassContext(server)

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.link("oras", programs.CORAS)

    def serve_here(self, server):
        """Start a server that lives as long as this test."""
        return self.enterContext(server)

    def coras(self, *argv, **options):
        """Run the program under test, called `oras`."""
        return self.box.run(self.box.bin / "oras", *argv, **options)

    def under_strace(self, words, *argv, env=None, **options):
        """The program under strace, which LeakSanitizer does not bear."""
        leaks = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0")))
        return self.box.run("strace", "-f", *words, self.box.bin / "oras", *argv,
                            env={"ASAN_OPTIONS": leaks, **(env or {})}, **options)

    def upstream(self, *argv, **options):
        """Run upstream's oras."""
        return self.box.run(programs.ORAS, *argv, **options)

    def ok(self, *argv, **options):
        return self.coras(*argv, check=0, **options)

    def fails(self, *argv, contains=(), hint=(), exit_code=1, **options):
        """Run, expect exit 1 and texts in stderr; `hint` texts must be in the advice."""
        result = self.coras(*argv, check=exit_code, **options)
        for text in [contains] if isinstance(contains, str) else contains:
            self.assertIn(text, result.err, result)
        wanted = [hint] if isinstance(hint, str) else hint
        if wanted:
            self.assertTrue(result.hint, f"no Hint: line\n{result}")
        for text in wanted:
            self.assertIn(text, result.hint, result)
        return result

    wait_until = staticmethod(wait_until)

    def api(self, server):
        return Api(server.host)

    def read(self, *parts):
        return self.box.work.joinpath(*parts).read_bytes()

    def names(self, *parts):
        """Sorted names of all files below a directory; directories end in '/'."""
        return sorted(self.box.tree(*parts))

    def no_leftovers(self, *parts, but=()):
        """Nothing but the named files is below a directory: no partial, journal or lock."""
        self.assertEqual(self.names(*parts), sorted(but))

    def assertNoSecret(self, secrets, *texts):
        """No secret stands in any text, plain, base64 or URL-encoded."""
        import base64
        import urllib.parse
        for secret in secrets:
            raw = secret.encode()
            forms = {secret, urllib.parse.quote(secret, safe=""),
                     base64.b64encode(raw).decode().rstrip("=")}
            # base64 of the secret behind a prefix of any length modulo 3
            for pad in (1, 2):
                forms.add(base64.b64encode(b"x" * pad + raw).decode()[4:-4])
            forms = {form for form in forms if len(form) >= 5}
            for text in texts:
                for form in forms:
                    self.assertNotIn(form, text)

    def assertPrintable(self, text):
        """No control character of a registry reached the terminal."""
        bad = re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]",
                        text)
        self.assertIsNone(bad, repr(text))


def layout_refs(directory):
    """Tag -> digest of an OCI layout."""
    import json
    index = json.loads((Path(directory) / "index.json").read_bytes())
    return {e["annotations"]["org.opencontainers.image.ref.name"]: e["digest"]
            for e in index["manifests"] or []
            if "org.opencontainers.image.ref.name" in e.get("annotations", {})}


@contextlib.contextmanager
def closing_all(*things):
    with contextlib.ExitStack() as stack:
        for thing in things:
            stack.callback(thing.close)
        yield things


def main():
    """unittest.main(), but a file whose tests were all skipped says so to meson (exit 77)."""
    program = unittest.main(exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) >= result.testsRun:
        sys.exit(77)
    if not result.testsRun and result.skipped:  # a class or module skipped as a whole
        sys.exit(77)
