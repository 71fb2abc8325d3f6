# SPDX-License-Identifier: Apache-2.0
"""Caches before registries, for the tests of --proxy."""

import os
import re
import tempfile
import unittest
from unittest import mock

from embedded import PROGRAM, SANITIZER_WORDS, Server
from harness.scripted import ScriptedRegistry
from harness.servers import free_port


class ProxyCase(unittest.TestCase):
    """Each test has servers of its own, which end well."""

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise unittest.SkipTest(f"{PROGRAM} is not built")
        home = cls.enterClassContext(tempfile.TemporaryDirectory())  # whoever runs this may have logged in somewhere
        cls.enterClassContext(mock.patch.dict(os.environ, HOME=home, XDG_RUNTIME_DIR=home))
        for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME"):
            os.environ.pop(name, None)

    def origin(self):
        origin = ScriptedRegistry()
        self.addCleanup(origin.close)
        return origin

    def cache(self, *proxies, options=(), **named):
        """A running server with these values of --proxy."""
        server = Server(*(f"--proxy={proxy}" for proxy in proxies), *options, **named)
        self.addCleanup(self.end, server)
        return server.start()

    def end(self, server):
        if server.process:
            code = server.stop()
            self.assertEqual(code, 0, server.log())
        log = server.log()
        server.close()
        for word in SANITIZER_WORDS:
            self.assertNotIn(word, log)

    def cache_of(self, origin, *options):
        return self.cache(f"http://{origin.host}", options=options)

    def get(self, server, reference, repository="org/x", method="GET", query="", **headers):
        return server.request(method, f"/v2/{repository}/manifests/{reference}{query}", headers=headers)

    def head(self, server, reference, **named):
        return self.get(server, reference, method="HEAD", **named)

    @staticmethod
    def unused_port():
        return free_port()

    @staticmethod
    def fell(origin):
        """From now on its connections are cut in place of an answer."""
        def cut(_):
            raise ConnectionResetError
        origin.rules.insert(0, ("HEAD|GET", re.compile(""), cut))

    def assert_error(self, reply, status, code):
        self.assertEqual((reply.status, reply.code), (status, code), reply.body)

    def assert_asked(self, origin, *expected):
        """The origin got exactly these requests, as "METHOD last-component"."""
        asked = [f"{r.method} {r.path.split('?')[0].rsplit('/', 1)[1]}" for r in origin.requests()]
        self.assertEqual(asked, list(expected))
