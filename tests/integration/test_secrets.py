# SPDX-License-Identifier: Apache-2.0
"""Canaries: a secret reaches its registry and token service, and nothing else."""

import json
import os
import re

from harness import programs
from harness.case import CliCase, main
from harness.proxy import FaultProxy
from harness.scripted import Reply, ScriptedRegistry, compact, sha256
from harness.servers import PASSWORD, USER, DockerRegistry
from harness.token import REFRESH_TOKEN, TokenServer

HEADER = "header-canary-8D2"


@programs.need_docker_registry
class Canaries(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokens = cls.serve(TokenServer())
        cls.registry = cls.serve(DockerRegistry(auth=cls.tokens))
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        cls.host = cls.proxy.host

    def setUp(self):
        super().setUp()
        self.box.write("f.txt", os.urandom(1000))
        self.results = []

    def tell(self, *argv, **options):
        result = self.coras(*argv, **options)
        self.results.append(result)
        return result

    def test_debug_output_has_no_secret(self):
        ref = f"{self.host}/s/a:v1"
        self.tell("login", "-d", self.host, "-u", USER, "--password-stdin", stdin=PASSWORD, check=0)
        self.tell("push", "-d", "-H", f"X-Key: {HEADER}", ref, "f.txt", check=0)
        self.tell("pull", "-d", ref, "-o", "out", check=0)
        self.tell("pull", "-d", "-u", USER, "-p", "wrong-canary-0", ref)
        self.tell("pull", "-d", "--identity-token", REFRESH_TOKEN, ref, "-o", "out2")
        self.tell("resolve", "-d", "-u", "wrong:colon", "--password-stdin", ref, stdin="wrong-canary-0")
        self.tell("logout", "-d", self.host)
        shown = "".join(r.text for r in self.results)
        self.assertNoSecret([PASSWORD, HEADER, REFRESH_TOKEN, "wrong-canary-0"], shown)
        for token in self.tokens.tokens:
            self.assertNotIn(token, shown)
        self.assertIn('"Authorization": "*****"', shown)
        self.assertIn('"X-Key": "*****"', shown)
        self.assertIn("Response body redacted due to potential credentials", shown)

    def test_password_stays_with_the_token_service(self):
        """The registry itself sees tokens only."""
        ref = f"{self.host}/s/b:v1"
        self.proxy.clear()
        self.tell("login", self.host, "-u", USER, "--password-stdin", stdin=PASSWORD, check=0)
        self.tell("push", ref, "f.txt", check=0)
        self.assertNoSecret([PASSWORD, REFRESH_TOKEN], *(r.raw() for r in self.proxy.log))
        self.assertFalse([r for r in self.proxy.log
                          if (r.header("Authorization") or "").startswith("Basic")])

    def test_nothing_before_a_challenge(self):
        self.proxy.clear()
        self.tell("resolve", "-u", USER, "--password-stdin", f"{self.host}/s/none:v1", stdin=PASSWORD)
        self.assertIsNone(self.proxy.log[0].header("Authorization"))

    def test_not_in_the_arguments_of_children(self):
        self.box.script("docker-credential-watch", '#!/bin/sh\necho "$0 $@" >> "$HOME/args"\n'
                        'cat >> "$HOME/stdin"\n[ "$1" = get ] && echo "credentials not found in '
                        'native keychain" && exit 1\nexit 0\n')
        (self.box.home / ".docker").mkdir()
        (self.box.home / ".docker/config.json").write_text(json.dumps({"credsStore": "watch"}))
        self.tell("login", self.host, "-u", USER, "--password-stdin", stdin=PASSWORD, check=0)
        arguments = (self.box.home / "args").read_text()
        self.assertIn("store", arguments)
        self.assertNoSecret([PASSWORD], arguments)
        self.assertIn(PASSWORD, (self.box.home / "stdin").read_text())

    def test_working_files_are_private(self):
        """What is kept between runs (sessions, journals) is readable by its owner only."""
        self.tell("push", "-u", USER, "--password-stdin", f"{self.host}/s/c:v1", "f.txt",
                  stdin=PASSWORD, check=0)
        for top, _, files in os.walk(self.box.root / "cache"):
            for name in files:
                path = os.path.join(top, name)
                with open(path, "rb") as file:
                    self.assertNoSecret([PASSWORD], file.read().decode("latin-1"))
                self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


class Redirects(CliCase):
    def test_signed_urls_are_masked(self):
        storage = self.serve_here(ScriptedRegistry())
        registry = self.serve_here(ScriptedRegistry())
        registry.artifact("v1", [(b"content", "file")])
        storage.on("GET", "/x", Reply(200, {}, b"content"))
        where = f"http://user:urlpass-canary@{storage.host}/x?sig=sig-canary-1&token=tok-canary-2"
        registry.on("GET", "/blobs/" + sha256(b"content"), Reply(307, {"Location": where}))
        result = self.ok("pull", "-d", f"{registry.host}/a:v1", "-o", "out")
        self.assertNoSecret(["sig-canary-1", "tok-canary-2", "urlpass-canary"], result.text)
        self.assertIn("REDACTED", result.err)
        storage.on("GET", "/x", Reply(403, {}, b"denied"))
        storage.rules.reverse()
        failed = self.coras("pull", f"{registry.host}/a:v1", "-o", "out2", check=1)
        self.assertNoSecret(["sig-canary-1", "tok-canary-2", "urlpass-canary"], failed.text)


class DebugLog(CliCase):
    """The shape of --debug output."""

    def test_entries(self):
        registry = self.serve_here(ScriptedRegistry())
        registry.artifact("v1", [(b"content", "file")])
        result = self.ok("pull", "--debug", f"{registry.host}/a:v1", "-o", "out")
        stamp = r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\]\[DEBUG\]: "
        self.assertRegex(result.err, r"(?m)^" + stamp + r"--> Request #0$")
        self.assertRegex(result.err, r"(?m)^" + stamp + r"<-- Response #0$")
        self.assertIn(f'> Request URL: "http://{registry.host}/v2/a/manifests/v1"\n'
                      '> Request method: "GET"\n> Request headers:\n', result.err)
        self.assertIn('< Response Status: "200 OK"\n< Response headers:\n', result.err)
        self.assertIn(registry.manifests["v1"][0].decode(), result.err)
        self.assertIn('   Response body of content type "application/octet-stream" is not printed',
                      result.err)
        numbers = [int(n) for n in re.findall(r"--> Request #(\d+)", result.err)]
        self.assertEqual(sorted(numbers), list(range(len(numbers))))

    def test_body_rules(self):
        registry = self.serve_here(ScriptedRegistry())
        rows = (
            (Reply(200, {"Content-Type": "application/json"}, compact({"tags": ["x" * 20000]})),
             "Response body exceeding the trace size limit is not printed"),
            (Reply(200, {"Content-Type": "application/json"}, compact({"tags": [], "token": "t0p"})),
             "Response body redacted due to potential credentials"),
            (Reply(200, {}, compact({"tags": []})),
             "Response body without a content type is not printed"),
        )
        for reply, text in rows:
            with self.subTest(text):
                registry.rules.clear()
                registry.on("GET", "/tags/list", reply)
                result = self.coras("repo", "tags", "-d", f"{registry.host}/a")
                self.assertIn("   " + text, result.err)


if __name__ == "__main__":
    main()
