# SPDX-License-Identifier: Apache-2.0
"""Registries with habits of their own: what differs is noticed and got along with."""

import json
import re
import subprocess
import threading
import urllib.parse

from harness import programs
from harness.case import CliCase, main
from harness.scripted import (EMPTY, IMAGE, Reply, ScriptedRegistry, compact, manifest,
                              sha256)
from harness.servers import Api, DockerRegistry

MIB = 1024 * 1024
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


UPLOADS = "/blobs/uploads/"


class Uploads(CliCase):
    """Two blobs go up one after the other: what the first has learnt serves the second."""

    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())

    def push(self, *sizes, env=None):
        names = []
        for number, size in enumerate(sizes):
            self.box.write(f"f{number}", bytes([65 + number]) * size)
            names.append(f"f{number}:x/y")
        result = self.ok("push", "--concurrency", "1", f"{self.registry.host}/a/b:v1", *names, env=env)
        for number, size in enumerate(sizes):
            self.assertIn(sha256(bytes([65 + number]) * size), self.registry.blobs)
        return result

    def sent(self, method):
        return [len(r.body) for r in self.registry.requests(method, UPLOADS)]

    def test_one_piece_only(self):
        """Each further piece is refused with 416 at the offset that the session itself names."""
        def once(request):
            held = len(self.registry.uploads[request.path.rsplit("/", 1)[1]])
            return Reply(416, {"Range": f"0-{held - 1}"}) if held else None
        self.registry.on("PATCH", UPLOADS, once)
        self.push(70 * MIB, 70 * MIB)
        self.assertEqual(self.sent("PATCH"), [64 * MIB, 6 * MIB, 6 * MIB])
        self.assertEqual([n for n in self.sent("PUT") if n > MIB], [70 * MIB] * 2)

    def test_bodies_of_one_mib_only(self):
        """As nginx when nobody has told it otherwise."""
        self.registry.on("PATCH|PUT", UPLOADS, lambda r: Reply(413, {}, b"<html>")
                         if len(r.body) > MIB else None)
        for size in (3 * MIB, 7 * MIB + 1, 60 * MIB // 8):
            with self.subTest(size):
                before = len(self.sent("PATCH|PUT"))
                self.push(size, size)
                tried = self.sent("PATCH|PUT")[before:]
                self.assertLessEqual(len([n for n in tried if n > MIB]), 4)

    def test_who_refuses_to_be_asked_first(self):
        asked = []

        def refuse(request):
            if "Expect" in request.headers:
                asked.append(request.path)
                return Reply(417)
            return None
        self.registry.on("PATCH|PUT", UPLOADS, refuse)
        self.push(2 * MIB, 2 * MIB, 8 * MIB)
        self.assertEqual(len(asked), 1)

    def test_what_is_still_being_stored_is_not_sent_again(self):
        """The closing PUT is not answered before the blob was looked for twice."""
        looked = threading.Semaphore(0)

        def slow(request):
            if "digest=" in request.path and request.path not in seen:
                seen.append(request.path)
                digest = request.path.split("digest=")[1].replace("%3A", ":")
                session = request.path.split("?")[0].rsplit("/", 1)[1]
                for _ in range(2):
                    looked.acquire(timeout=30)
                self.registry.blobs[digest] = self.registry.uploads[session] + request.body
            return None
        seen = []
        self.registry.on("PUT", UPLOADS, slow)
        self.registry.on("HEAD", "/blobs/sha256", lambda _: looked.release() if seen else None)
        result = self.push(6 * MIB, env={"ORAS_HTTP_TIMEOUT": "1"})
        large = [r for r in self.registry.requests("PUT", UPLOADS) if sha256(b"A" * 6 * MIB)[7:] in r.path]
        self.assertEqual(len(large), 1, result)


class Downloads(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.storage = self.serve_here(ScriptedRegistry())

    def test_an_expired_link_takes_another_turn(self):
        data = b"hello world"
        self.registry.artifact("v1", [(data, "hi.txt")])
        self.storage.blob(data)
        links = []

        def redirect(request):
            links.append(request.path)
            return Reply(307, {"Location": f"http://127.0.0.1:{self.storage.port}/v2/s/blobs/"
                               f"{sha256(data)}?link={len(links)}"})
        self.registry.on("GET", f"/blobs/{sha256(data)}", redirect)
        self.storage.on("GET", "link=1$", Reply(403, {}, b"<Error><Code>AccessDenied</Code></Error>"))
        self.ok("pull", f"{self.registry.host}/a/b:v1", "-o", "out")
        self.assertEqual((self.box.work / "out/hi.txt").read_bytes(), data)
        self.assertEqual(len(links), 2)

    def test_a_blob_without_a_length(self):
        data = b"hello world" * 100
        digest = sha256(self.registry.blob(data))
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
        self.registry.on("GET|HEAD", f"/blobs/{digest}",
                         Reply(200, {"Transfer-Encoding": "chunked"}, chunks))
        self.ok("blob", "fetch", "--output", "out.bin", f"{self.registry.host}/a/b@{digest}")
        self.assertEqual((self.box.work / "out.bin").read_bytes(), data)

    def test_a_blob_without_a_length_and_end(self):
        data = b"hello world" * 100
        path = f"/blobs/{sha256(self.registry.blob(data))}"
        self.registry.on("GET", path, Reply(200, {}, data, endless=bytes(65536)))
        self.fails("blob", "fetch", "--output", "out.bin", f"{self.registry.host}/a/b@{sha256(data)}",
                   contains="trailing data")
        self.assertFalse((self.box.work / "out.bin").exists())


class Lists(CliCase):
    @programs.expects_speed  # to parse 64 MiB
    def test_a_list_has_an_end(self):
        registry = self.serve_here(ScriptedRegistry())
        page = compact({"name": "a/b", "tags": ["t" * 120] * 30000})

        def pages(request):
            number = int((re.search(r"n=(\d+)", request.path) or [0, 0])[1])
            return Reply(200, {**JSON, "Link": f'</v2/a/b/tags/list?n={number + 1}>; rel="next"'}, page)
        registry.on("GET", "/tags/list", pages)
        self.fails("repo", "tags", f"{registry.host}/a/b", contains="more than 64 MiB")


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
