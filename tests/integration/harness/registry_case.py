# SPDX-License-Identifier: Apache-2.0
"""A registry as a target, through its driver program: no command line in between."""

import json
import os
import ssl
import unittest
from pathlib import Path

from . import programs
from .run import Sandbox
from .scripted import EMPTY, IMAGE, compact, sha256
from .servers import Api

BUILD = Path(os.environ.get("CORAS_BUILD") or programs.SOURCE / "build")
DRIVER = BUILD / "tests/drivers/registry_driver"
KIB, MIB = 1024, 1024 * 1024
# Its length is odd, so that no two pieces of a file are equal; repeating it costs less than more of it.
NOISE = os.urandom(MIB + 1)


@unittest.skipUnless(DRIVER.exists(), "registry_driver is not built")
class RegistryCase(unittest.TestCase):
    """self.run_driver(command, server, repository, ...) runs one verb of the target."""

    maxDiff = None
    env = {}

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def serve(self, server):
        return self.enterContext(server)

    @classmethod
    def serve_class(cls, server):
        return cls.enterClassContext(server)

    def run_driver(self, command, server, *argv, env=None, options=(), **more):
        """The Result; `server` is a host or has one."""
        host = getattr(server, "ip_host", None) or getattr(server, "host", server)
        return self.box.run(DRIVER, *options, command, host, *argv, env={**self.env, **(env or {})},
                            **more)

    def ok(self, command, server, *argv, **more):
        """stdout of a verb that succeeds."""
        return self.run_driver(command, server, *argv, check=0, **more).out

    def fails(self, command, server, *argv, code, contains="", hint=None, **more):
        """The verb fails with this code; texts are part of message and hint."""
        result = self.run_driver(command, server, *argv, check=1, **more)
        self.assertIn(f"error {code} ", result.out)
        self.assertIn(contains, result.out)
        if hint is not None:
            self.assertIn("hint: ", result.out)
            self.assertIn(hint, result.out.partition("hint: ")[2])
        return result

    def lines(self, command, server, *argv, **more):
        return self.ok(command, server, *argv, **more).splitlines()

    def api(self, server):
        return Api(server.host)

    def file(self, size, name="blob"):
        """A file of bytes of its own: (they, digest)."""
        data = (os.urandom(16) + NOISE * (size // len(NOISE) + 1))[:size]
        self.box.write(name, data)
        return data, sha256(data)

    def put_manifest(self, server, repo, reference=None, env=None, **members):
        """Store an image manifest with an empty config; returns its descriptor."""
        self.api(server).push_blob(repo, b"{}", EMPTY["digest"])
        value = {"schemaVersion": 2, "mediaType": IMAGE, "config": EMPTY, "layers": [], **members}
        self.box.write("manifest.json", compact(value))
        argv = ["manifest.json", IMAGE] + ([reference] if reference else [])
        return json.loads(self.ok("put", server, repo, *argv, env=env))


def with_tls(server, authority, name="server"):
    """Make a ScriptedRegistry speak TLS from now on."""
    certificate = authority.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    return server
