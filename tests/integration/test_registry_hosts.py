"""Registries with habits of their own: what differs is noticed and got along with."""

import json
import re
import subprocess
import urllib.parse

from harness import programs
from harness.case import CliCase, main
from harness.scripted import (EMPTY, IMAGE, Reply, ScriptedRegistry, compact, manifest,
                              sha256)
from harness.servers import Api, DockerRegistry

JSON = {"Content-Type": "application/json"}


def errors(*codes):
    return compact({"errors": [{"code": code, "message": code.lower()} for code in codes]})


class TokenRegistry(ScriptedRegistry):
    """Its own token service: a token is the list of scopes that it was asked for."""

    def __init__(self, challenge):
        super().__init__()
        self.challenge = challenge
        self.asked = []  # scopes of each token
        self.on("GET", r"^/token", self._token)
        self.on("GET|HEAD|POST|PUT|PATCH|DELETE", r"^/v2/", self._check)

    def may(self, request, scopes):
        raise NotImplementedError

    def _token(self, request):
        scopes = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query).get("scope", [])
        self.asked.append(scopes)
        return Reply(200, JSON, compact({"token": urllib.parse.quote(" ".join(scopes))}))

    def _check(self, request):
        header = request.headers.get("Authorization", "")
        scopes = urllib.parse.unquote(header.removeprefix("Bearer ")).split(" ") if header else []
        if scopes and self.may(request, scopes):
            return None
        return Reply(401, {**JSON, "WWW-Authenticate": f'Bearer realm="http://{self.host}/token",'
                           f'service="s",scope="{self.challenge}"'}, errors("UNAUTHORIZED"))


class MakesRepositories(TokenRegistry):
    """Knows no repository before somebody has asked for a token that may push to it."""

    def may(self, request, scopes):
        repo = re.match(r"/v2/(.+?)/(blobs|manifests|tags|referrers)", request.path)
        return repo and any(s.startswith(f"repository:{repo[1]}:") and "push" in s for s in scopes)


class Scopes(CliCase):
    def setUp(self):
        super().setUp()
        self.box.write("hi.txt", b"hello world")
        self.box.write("m.json", compact(manifest([])))

    def test_what_writes_asks_for_the_right_from_the_first_look(self):
        registry = self.serve_here(MakesRepositories("repository:a/b:pull"))
        registry.blob(b"{}")
        host = registry.host
        self.ok("push", "--oci-layout", "lay:v1", "hi.txt")
        for words in (("push", f"{host}/a/b:v1", "hi.txt"),
                      ("blob", "push", f"{host}/a/b", "hi.txt"),
                      ("manifest", "push", f"{host}/a/b:v2", "m.json"),
                      ("attach", "--artifact-type", "x/y", f"{host}/a/b:v1", "hi.txt"),
                      ("tag", f"{host}/a/b:v1", "v3"),
                      ("manifest", "index", "create", f"{host}/a/b:i", "v1"),
                      ("cp", "--from-oci-layout", "lay:v1", f"{host}/a/b:v4")):
            with self.subTest(" ".join(words[:2])):
                registry.asked.clear()
                self.ok(*words)
                self.assertEqual(registry.asked, [["repository:a/b:pull,push"]])

    def test_what_reads_asks_for_reading(self):
        registry = self.serve_here(MakesRepositories("repository:a/b:pull"))
        self.fails("pull", f"{registry.host}/a/b:v1")
        self.assertTrue(registry.asked)
        self.assertNotIn("push", str(registry.asked))

    def test_a_challenges_own_scope_is_sent_on(self):
        class Odd(TokenRegistry):
            def may(self, request, scopes):
                return "project:team:use" in scopes

        registry = self.serve_here(Odd("project:team:use"))
        registry.artifact("v1", [(b"hello", "hi.txt")])
        self.ok("pull", f"{registry.host}/a/b:v1", "-o", "out")
        self.assertIn("project:team:use", registry.asked[0])
        self.assertIn("repository:a/b:pull", registry.asked[0])


class ReferrersTag(CliCase):
    def image(self, registry):
        registry.blob(b"{}")
        return registry.put("v1", manifest([EMPTY]))

    def test_a_tag_that_is_read_as_the_digest_is_no_list(self):
        registry = self.serve_here(ScriptedRegistry())
        subject = self.image(registry)
        tag = subject.replace(":", "-")
        registry.on("GET|HEAD", rf"/manifests/{tag}$", lambda r: Reply(
            200, {"Content-Type": IMAGE, "Docker-Content-Digest": subject},
            registry.manifests[subject][0]))
        self.box.write("hi.txt", b"hello world")
        self.ok("attach", "--artifact-type", "x/y", f"{registry.host}/a/b:v1", "hi.txt")
        stored = [json.loads(r.body) for r in registry.requests("PUT", f"/manifests/{tag}$")]
        self.assertEqual([len(index["manifests"]) for index in stored], [1])
        self.ok("cp", "-r", f"{registry.host}/a/b:v1", f"{registry.host}/a/c:v1")

    @programs.need_docker_registry
    def test_one_more_name_keeps_no_list(self):
        registry = self.serve_here(DockerRegistry())
        api = Api(registry.host)
        self.box.write("hi.txt", b"hello world")
        self.ok("push", f"{registry.host}/a/b:v1", "hi.txt")
        self.ok("attach", "--artifact-type", "x/y", f"{registry.host}/a/b:v1", "hi.txt",
                "--export-manifest", "m.json")
        made = sha256((self.box.work / "m.json").read_bytes())
        [tag] = [t for t in api.tags("a/b") if t.startswith("sha256-")]
        api.request("DELETE", f"/v2/a/b/manifests/{api.digest('a/b', tag)}")
        self.ok("tag", f"{registry.host}/a/b@{made}", "x", "y")
        self.assertEqual(sorted(api.tags("a/b")), ["v1", "x", "y"])


class Codes(CliCase):
    def test_every_code_of_an_answer_is_looked_at(self):
        registry = self.serve_here(ScriptedRegistry())
        refusals = [Reply(400, JSON, errors("DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"))]
        registry.on("PUT", "/manifests/", lambda _: refusals.pop() if refusals else None)
        self.box.write("hi.txt", b"hello world")
        self.ok("push", f"{registry.host}/a/b:v1", "hi.txt")
        self.assertEqual(len(registry.requests("PUT", "/manifests/")), 2)


@programs.need_docker_registry
class AtOnce(CliCase):
    """Three processes with the same content."""

    def three(self, *argv):
        running = [subprocess.Popen([self.box.bin / "oras", *(w.format(k) for w in argv)],
                                    cwd=self.box.work, env=self.box.env,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                   for k in range(3)]
        for process in running:
            out, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, out.decode())

    def test_into_one_repository_and_one_layout(self):
        registry = self.serve_here(DockerRegistry())
        for number in range(12):
            self.box.write("f", b"%d" % number * 1000)
            self.three("push", f"{registry.host}/r{number}:t{{}}", "f")
        for number in range(12):
            self.three("cp", f"{registry.host}/r{number}:t0", "--to-oci-layout",
                       f"out{number}:t{{}}")


if __name__ == "__main__":
    main()
