# SPDX-License-Identifier: Apache-2.0
"""A cache whose origin is out there: it is not sent to places that only the cache can reach."""

import base64
import json
import tempfile
from pathlib import Path

from embedded import digest, image
from harness import namespace
from harness.case import main
from harness.namespace import ADDRESSES
from harness.scripted import Reply, ScriptedRegistry
from proxied import ProxyCase

LOOPBACK, PUBLIC, PRIVATE = "127.0.0.1", ADDRESSES["public"], ADDRESSES["private"]
PAIR = base64.b64encode(b"cache:canary-5Dq").decode()
BLOB = b"what the origin has" * 10_000


def setUpModule():
    namespace.enter()


class Inside(ProxyCase):
    def setUp(self):
        namespace.hosts(origin=[PUBLIC], private=[PRIVATE], turning=[PUBLIC])
        self.registry = self.at(PUBLIC)
        self.registry.blob(BLOB)
        self.registry.put("v1", image([BLOB]))
        self.inside = {name: self.at(address) for name, address in (("here", LOOPBACK), ("private", PRIVATE))}
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.config = directory / "config.json"
        origin = f"origin.test:{self.registry.port}"
        self.config.write_text(json.dumps({"auths": {origin: {"auth": PAIR}}}))
        self.server = self.cache(f"http://{origin}", options=(f"--registry-config={self.config}",))

    def at(self, address):
        server = ScriptedRegistry(host=address)
        self.addCleanup(server.close)
        return server

    def assert_untouched(self):
        for name, server in self.inside.items():
            self.assertEqual([request.raw() for request in server.requests()], [], name)
        self.assertNotIn("canary", self.server.log())

    def places(self):
        return (f"http://{LOOPBACK}:{self.inside['here'].port}", f"http://localhost:{self.inside['here'].port}",
                f"http://[::ffff:127.0.0.1]:{self.inside['here'].port}",
                f"http://{PRIVATE}:{self.inside['private'].port}", f"http://private.test:{self.inside['private'].port}")

    def test_token_services(self):
        for number, place in enumerate(self.places()):
            challenge = {"WWW-Authenticate": f'Bearer realm="{place}/token",service="s"'}
            self.registry.on("GET|HEAD", f"/v2/org/n{number}/", Reply(401, challenge))
            for path in ("manifests/v1", f"blobs/{digest(BLOB)}", "tags/list"):
                reply = self.server.request("GET", f"/v2/org/n{number}/{path}")
                self.assertIn(reply.status, (403, 502), (place, path))
                self.assertNotIn(b"127.0.0.1", reply.body)
        self.assert_untouched()

    def test_redirects(self):
        """To loopback nothing is asked; storage in a private network may be what the origin stands before."""
        for place in self.places()[:3]:
            for kind in ("manifests", "blobs", "tags"):
                self.registry.rules.clear()
                self.registry.on("GET|HEAD", f"/{kind}/", Reply(307, {"Location": f"{place}/secret"}))
                path = {"manifests": "manifests/v2", "blobs": f"blobs/{digest(BLOB)}", "tags": "tags/list"}[kind]
                reply = self.server.request("GET", f"/v2/org/x/{path}")
                self.assertIn(reply.status, (403, 404, 502, 503), (place, kind))
                self.assertNotIn(b"secret", reply.body)
        self.assert_untouched()
        self.registry.rules.clear()
        self.inside["private"].blob(BLOB)
        self.registry.on("GET", "/blobs/", Reply(307, {
            "Location": f"http://private.test:{self.inside['private'].port}/v2/x/blobs/{digest(BLOB)}"}))
        self.assertEqual(self.server.request("GET", f"/v2/org/y/blobs/{digest(BLOB)}").body, BLOB)
        for request in self.inside["private"].requests():
            self.assertNotIn("Authorization", request.headers)

    def test_next_pages(self):
        for number, place in enumerate(self.places()):
            self.registry.on("GET", f"/v2/org/n{number}/tags", Reply(
                200, {"Content-Type": "application/json", "Link": f'<{place}/v2/x/tags/list?last=a>; rel="next"'},
                json.dumps({"name": "x", "tags": ["a"]}).encode()))
            reply = self.server.request("GET", f"/v2/org/n{number}/tags/list")
            self.assertNotIn("test:", reply.headers.get("Link", ""))
            self.assertNotIn("127.0.0.1", reply.headers.get("Link", ""))
        self.assert_untouched()


if __name__ == "__main__":
    main()
