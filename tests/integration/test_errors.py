# SPDX-License-Identifier: Apache-2.0
"""Errors: the first line as upstream prints it, then what to do (issue: errors that help)."""

import os
import socket
import threading

from harness import fixtures, programs
from harness.case import CliCase, main
from harness.scripted import IMAGE, INDEX, Reply, ScriptedRegistry, compact, sha256
from harness.servers import Api, DockerRegistry, free_port

JSON = {"Content-Type": "application/json"}


def error(status, code, message, detail=None, **headers):
    entry = {"code": code, "message": message}
    if detail is not None:
        entry["detail"] = detail
    return Reply(status, {**JSON, **headers}, compact({"errors": [entry]}))


@programs.need_docker_registry
class Registry(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.host = cls.registry.host
        fixtures.REPOS["hello"].install(Api(cls.host), "hello", True)
        fixtures.REPOS["tags"].install(Api(cls.host), "tags", True)

    def setUp(self):
        super().setUp()
        self.box.write("f.txt", b"content")

    def test_unknown_tag_lists_the_closest_first(self):
        result = self.fails("pull", f"{self.host}/hello:latst", hint=["latest", "v1", "v2"])
        self.assertEqual(result.first_error, "Error response from registry: "
                         f"{self.host}/hello:latst: not found")
        self.assertLess(result.hint.index("latest"), result.hint.index("v1"))
        for command in (["resolve"], ["manifest", "fetch"]):
            self.fails(*command, f"{self.host}/hello:v3", hint="v1")

    def test_many_tags_are_not_all_listed(self):
        result = self.fails("pull", f"{self.host}/tags:t99", hint="t0")
        self.assertLess(len(result.hint), 2000)

    def test_unknown_repository(self):
        result = self.fails("pull", f"{self.host}/no/such:v1")
        self.assertIn(f"{self.host}/no/such:v1: not found", result.first_error)
        self.assertTrue(result.hint, result)

    def test_upper_case_repository(self):
        result = self.fails("push", f"{self.host}/MyOrg/Model:v1", "f.txt",
                            hint=f"{self.host}/myorg/model:v1")
        self.assertEqual(result.first_error, f'Error: "{self.host}/MyOrg/Model:v1": '
                         'invalid reference: invalid repository "MyOrg/Model"')
        self.assertIn("Please make sure the provided reference is in the form of "
                      "<registry>/<repo>[:tag|@digest]\n", result.err)

    def test_missing_file(self):
        result = self.fails("push", f"{self.host}/a:v1", "nofile")
        self.assertEqual(result.first_error, f"Error: stat {self.box.work}/nofile: "
                         "no such file or directory")

    def test_unreadable_file(self):
        if os.getuid() == 0:
            self.skipTest("root reads everything")
        self.box.write("secret", b"x", 0)
        self.fails("push", f"{self.host}/a:v1", "secret", contains="permission denied")

    def test_bad_reference(self):
        self.fails("pull", "hello", contains=['Error: "hello": invalid reference: missing registry '
                                              "or repository\nPlease make sure"])


class Network(CliCase):
    def setUp(self):
        super().setUp()
        self.box.write("f.txt", b"content")

    def test_connection_refused(self):
        port = free_port()
        result = self.fails("pull", f"localhost:{port}/a:v1", hint="port", timeout=30)
        self.assertIn("connection refused", result.first_error)
        self.assertIn(f"localhost:{port}", result.first_error)

    def test_unknown_host(self):
        result = self.fails("pull", "no-such-host.invalid/a:v1", timeout=60)
        self.assertIn("no-such-host.invalid", result.first_error)
        self.assertTrue(result.hint, result)

    def test_silent_server(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        result = self.fails("resolve", f"localhost:{port}/a:v1", timeout=60, hint="ORAS_HTTP_TIMEOUT",
                            env={"ORAS_HTTP_TIMEOUT": "1"})
        self.assertLess(result.seconds, 30)

    def test_not_http(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)  # it waits no more then

        def noise():
            while True:
                try:
                    conn, _ = listener.accept()
                    conn.recv(1000)
                    conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    conn.close()
                except OSError:
                    return

        threading.Thread(target=noise, daemon=True).start()
        self.fails("resolve", f"localhost:{listener.getsockname()[1]}/a:v1", timeout=60)


class Scripted(CliCase):
    """What registries say, by status and code, and the advice for each."""

    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.host = self.registry.host
        self.box.write("f.txt", b"content")

    def push(self, name="org/repo:v1", **options):
        return self.fails("push", f"{self.host}/{name}", "f.txt", **options)

    def named(self, name):
        """Flags that make this registry answer to a public registry's name."""
        return ["--plain-http", "--resolve", f"{name}:80:127.0.0.1:{self.registry.port}"]

    def test_denied(self):
        self.registry.on("POST", "/blobs/uploads/", error(403, "DENIED", "permission denied"))
        result = self.push(contains="Error response from registry: denied: permission denied\n")
        self.assertTrue(result.hint, result)

    def test_denied_on_ghcr(self):
        self.registry.on("POST", "/blobs/uploads/", error(
            403, "DENIED", "permission_denied: The token provided does not match expected scopes."))
        self.fails("push", *self.named("ghcr.io"), "ghcr.io/org/repo:v1", "f.txt",
                   hint=["write:packages", "org"])

    def test_ecr_repository_missing(self):
        ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        self.registry.on("POST", "/blobs/uploads/", error(
            404, "NAME_UNKNOWN", "The repository with name 'models/a' does not exist"))
        self.fails("push", *self.named(ecr), f"{ecr}/models/a:v1", "f.txt",
                   hint="aws ecr create-repository --repository-name models/a")

    def test_artifact_not_supported(self):
        for status, code in ((400, "MANIFEST_INVALID"), (415, "UNSUPPORTED"),
                             (405, "UNSUPPORTED")):
            with self.subTest(code=code, status=status):
                self.registry.rules.clear()
                self.registry.on("PUT", "/manifests/", error(status, code, "media type"))
                self.push(hint="--image-spec v1.0")

    def test_detail_rendering(self):
        cases = (
            ("plain", "denied: words: plain"),
            ({"b": [1, "x"], "a": 1}, "denied: words: map[a:1 b:[1 x]]"),
            ([1, "x"], "denied: words: [1 x]"),
        )
        for detail, text in cases:
            with self.subTest(text):
                self.registry.rules.clear()
                self.registry.on("GET", "/tags/list", error(403, "DENIED", "words", detail))
                result = self.fails("repo", "tags", f"{self.host}/a")
                self.assertEqual(result.first_error, f"Error response from registry: {text}")

    def test_bodies_are_read_as_upstream_does(self):
        status = 'GET "http://{}/v2/a/tags/list": response status code 403: Forbidden'.format(self.host)
        cases = (
            (b'{"errors":[{"message":"no code"}]}', ": no code"),
            (b'{"errors":[{"code":"X_Y","detail":"alone"}]}', "x y"),
            (b'{"errors":[{"code":"A","message":"b"}]} trailing', "a: b"),
            (b'{"errors":[{"code":5,"message":"b"}]}', status),
            (b'{"errors":["words"]}', status),
            (b'{"errors":"words"}', status),
        )
        for body, text in cases:
            with self.subTest(body):
                self.registry.rules.clear()
                self.registry.on("GET", "/tags/list", Reply(403, JSON, body))
                result = self.fails("repo", "tags", f"{self.host}/a")
                self.assertEqual(result.first_error, f"Error response from registry: {text}")

    def test_missing_content_is_named_by_its_digest(self):
        self.registry.artifact("v1", [(b"x", "x")])
        del self.registry.blobs[sha256(b"x")]
        missing = f"{sha256(b'x')}: not found"
        result = self.fails("pull", f"{self.host}/a:v1")
        self.assertEqual(result.first_error, f"Error response from registry: {missing}")
        for flags, to in ((["-r"], ":v1"), ([], ""), ([], ":v1")):
            result = self.fails("cp", *flags, f"{self.host}/a:v1", "--to-oci-layout", f"lay{to}")
            self.assertEqual(result.first_error,
                             f'Error from source registry for "{self.host}/a:v1": {missing}')

    def test_refused_blob_is_told_in_the_registrys_words(self):
        self.registry.on("GET|HEAD", "/blobs/", error(403, "DENIED", "no way"))
        digest = sha256(b"x")
        result = self.fails("blob", "fetch", f"{self.host}/a@{digest}", "-o", "-")
        self.assertEqual(result.first_error, "Error response from registry: denied: no way")
        result = self.fails("blob", "fetch", f"{self.host}/a@{digest}", "--descriptor")
        self.assertEqual(result.first_error, "Error response from registry: "
                         f'HEAD "http://{self.host}/v2/a/blobs/{digest}": '
                         "response status code 403: Forbidden")

    def test_copy_says_which_side_failed(self):
        self.registry.artifact("v1", [(b"x", "x")])
        other = self.serve_here(ScriptedRegistry())
        other.on("POST", "/uploads/", error(403, "DENIED", "no way"))
        for flags, to in (([], ":v1"), ([], ""), (["-r"], ":v1"), (["-r"], "")):
            target = f"{other.host}/b{to}"
            result = self.fails("cp", *flags, f"{self.host}/a:v1", target)
            self.assertEqual(result.first_error, "Error from destination registry for "
                             f'"{target}": denied: no way')
        self.registry.on("GET", "/referrers/", error(403, "DENIED", "no way"))
        result = self.fails("cp", "-r", f"{self.host}/a:v1", "--to-oci-layout", "lay:v1")
        self.assertEqual(result.first_error, "Error from source registry for "
                         f'"{self.host}/a:v1": denied: no way')

    def test_what_was_done_before_a_tag_failed_is_told(self):
        self.registry.artifact("v1", [(b"x", "x")])
        self.registry.on("PUT", "/manifests/bad", error(400, "TAG_INVALID", "no"))
        target = f"{self.host}/b:v1"
        result = self.push("b:v1,bad", contains="Error response from registry: tag invalid: no\n")
        self.assertTrue(result.out.endswith(f"Pushed [registry] {target}\n"), result)
        result = self.fails("cp", f"{self.host}/a:v1", f"{target},bad",
                            contains="Error response from registry: tag invalid: no\n")
        self.assertTrue(result.out.endswith(f"=> [registry] {target}\n"), result)

    def test_list_that_is_no_json(self):
        for body, words in ((b"", "EOF"), (b"{", "unexpected EOF"), (b"<html>", "invalid character "
                            "'<' looking for beginning of value")):
            with self.subTest(body):
                self.registry.rules.clear()
                self.registry.on("GET", "/tags/list", Reply(200, JSON, body))
                result = self.fails("repo", "tags", f"{self.host}/a")
                self.assertEqual(result.first_error, f'Error: GET "http://{self.host}/v2/a/tags/list": '
                                 f"failed to decode response: {words}")

    def test_several_errors(self):
        body = compact({"errors": [{"code": "A_B", "message": "one"}, {"code": "C", "message": ""}]})
        self.registry.on("GET", "/tags/list", Reply(400, JSON, body))
        result = self.fails("repo", "tags", f"{self.host}/a")
        self.assertEqual(result.first_error, "Error response from registry: a b: one; c")

    def test_no_body(self):
        self.registry.on("GET|HEAD", "/manifests/", Reply(403, {}, b""))
        result = self.fails("pull", f"{self.host}/a:v1")
        self.assertEqual(result.first_error, "Error response from registry: "
                         f'GET "http://{self.host}/v2/a/manifests/v1": '
                         "response status code 403: Forbidden")

    def test_html_page(self):
        page = Reply(200, {"Content-Type": "text/html"}, b"<html>log in to the wifi</html>")
        self.registry.on("GET|HEAD", "/manifests/", page)
        result = self.fails("pull", f"{self.host}/a:v1")
        self.assertNotIn("wifi", self.names())
        self.assertIn("text/html", result.err)

    def test_too_many_requests(self):
        self.registry.on("GET", "/tags/list", error(429, "TOOMANYREQUESTS", "slow down",
                                                    **{"Retry-After": "1"}))
        result = self.fails("repo", "tags", f"{self.host}/a", timeout=90)
        self.assertEqual(result.first_error,
                         "Error response from registry: toomanyrequests: slow down")
        self.assertGreater(len(self.registry.requests("GET", "/tags/list")), 2)

    def test_warning_headers(self):
        self.registry.artifact("v1", [(b"x", "x")])
        self.registry.on("GET|HEAD", "/manifests/v1", lambda request: Reply(
            200, {"Content-Type": self.registry.manifests["v1"][1],
                  "Docker-Content-Digest": "sha256:" + fixtures.sha256(
                      self.registry.manifests["v1"][0])[7:],
                  "Warning": ['299 - "deprecated soon"']}, self.registry.manifests["v1"][0]))
        result = self.ok("pull", f"{self.host}/a:v1", "-o", "out")
        self.assertEqual(result.err.count("deprecated soon"), 1, result)
        self.assertIn("[WARNING]: deprecated soon\n[Data]:\n  registry=" + self.host, result.err)

    def test_head_without_digest(self):
        """Some registries leave the header out: the digest is computed from the manifest."""
        self.registry.artifact("v1", [(b"x", "x")])
        self.registry.on("HEAD", "/manifests/", Reply(
            200, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}))
        result = self.ok("resolve", f"{self.host}/a:v1")
        self.assertEqual(result.out.strip(), fixtures.sha256(self.registry.manifests["v1"][0]))

    def test_platform_of_an_index_needs_no_child(self):
        """The entry of the index says all that attach and resolve want to know."""
        child = "sha256:" + "1" * 64
        self.registry.put("v1", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {"mediaType": IMAGE, "digest": child, "size": 5,
             "platform": {"os": "linux", "architecture": "amd64"}}]})
        ref, platform = f"{self.registry.host}/a:v1", ("--platform", "linux/amd64")
        self.assertEqual(self.ok("resolve", ref, *platform).out, child + "\n")
        self.ok("attach", ref, "--artifact-type", "x/y", "-a", "k=v", *platform)
        self.assertEqual(self.registry.requests("GET|HEAD", child), [])
        self.fails("pull", ref, *platform, contains=f"{child}: not found")


class Disk(CliCase):
    def test_disk_full(self):
        """A small tmpfs where permitted: the message says it, nothing has the final name."""
        import subprocess
        target = self.box.work / "small"
        target.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", target],
                          capture_output=True, check=False).returncode:
            self.skipTest("mounting is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", target], check=False)
        registry = self.serve_here(ScriptedRegistry())
        registry.artifact("v1", [(os.urandom(6 << 20), "big.bin")])
        result = self.fails("pull", f"{registry.host}/a:v1", "-o", "small/out",
                            contains="no space left on device")
        self.assertTrue(result.hint, result)
        self.assertFalse((target / "out/big.bin").exists())

    def test_full_stdout(self):
        registry = self.serve_here(ScriptedRegistry())
        registry.artifact("v1", [(b"x", "x")])
        result = self.box.run("sh", "-c", "oras manifest fetch $R/a:v1 >/dev/full",
                              env={"R": registry.host})
        self.assertEqual(result.code, 1, result)


class Changing(CliCase):
    def test_file_changed_while_pushed(self):
        """The file grows while its bytes go up: no tag, and the message says why."""
        registry = self.serve_here(ScriptedRegistry())
        path = self.box.write("live.log", os.urandom(8 << 20))

        def touch(request):
            if b"digest=" not in request.path.encode() or request.body:
                with open(path, "r+b") as file:
                    file.write(os.urandom(100))
                    file.seek(0, 2)
                    file.write(b"more")
            return None

        registry.on("PATCH|PUT|POST", "/blobs/uploads/", touch)
        registry.on("HEAD", "/blobs/", touch)
        result = self.coras("push", f"{registry.host}/a:v1", "live.log")
        if result.code == 0:  # it was read whole before the first change
            digest = registry.manifests["v1"]
            self.assertIsNotNone(digest)
        else:
            self.assertIn("changed", result.err)
            self.assertNotIn("v1", registry.manifests)


if __name__ == "__main__":
    main()
