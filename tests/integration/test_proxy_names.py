# SPDX-License-Identifier: Apache-2.0
"""Names through a cache: which registry is meant, who may be asked, rings, lists, pushes, credentials."""

import base64
import json
import signal
import subprocess
import tempfile
from pathlib import Path

from embedded import OCI_INDEX, OCI_MANIFEST, Server, compact, descriptor, digest, image
from harness import programs
from harness.case import main
from harness.scripted import Reply
from harness.servers import HTPASSWD, PASSWORD, USER, DockerRegistry
from harness.token import TokenServer
from harness.waiting import wait_until
from proxied import ProxyCase


class Names(ProxyCase):
    def test_both_ways_lead_to_one_place(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache(f"ghcr.io=http://{origin.host}")
        by_ns = self.get(cache, "v1", query="?ns=ghcr.io")
        by_path = self.get(cache, "v1", repository="ghcr.io/org/x")
        self.assertEqual((by_ns.body, by_path.body), (image(), image()))
        self.assertEqual(by_ns.headers["OCI-Namespace"], "ghcr.io")
        self.assertEqual([r.path for r in origin.requests()], ["/v2/org/x/manifests/v1?ns=ghcr.io"])
        self.assertEqual(cache.request("GET", "/v2/_catalog").json["repositories"], ["ghcr.io/org/x"])

    def test_a_name_may_have_a_port(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache(f"host:5001=http://{origin.host}")
        self.assertEqual(self.get(cache, "v1", repository="host:5001/org/x").status, 200)
        self.assertEqual(self.get(cache, "v1", query="?ns=host%3A5001").status, 200)
        self.assert_error(self.get(cache, "v1", repository="host:5002/org/x"), 400, "NAME_INVALID")

    def test_an_unknown_name_is_asked_nowhere(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache(f"http://{origin.host}", f"ghcr.io=http://{origin.host}")
        for ns in ("quay.io", "ghcr.io.evil.example", "x@ghcr.io", "ghcr.io%2F..", "", "127.0.0.1"):
            self.assert_error(self.get(cache, "v1", query=f"?ns={ns}"), 404, "NAME_UNKNOWN")
        self.assertEqual(origin.requests(), [])
        self.assertEqual(self.get(cache, "v1", query=f"?ns={origin.host}").status, 200)

    def test_one_repository_name_at_two_registries_is_two(self):
        one, two = self.origin(), self.origin()
        one.put("v1", image())
        two.put("v1", image(annotations={"a": "b"}))
        two.put("v2", image())
        cache = self.cache(f"one=http://{one.host}", f"two=http://{two.host}")
        self.assertEqual(self.get(cache, "v1", query="?ns=one").body, image())
        self.assertNotEqual(self.get(cache, "v1", query="?ns=two").body, image())
        self.assertEqual(self.get(cache, "v2", query="?ns=one").status, 404)

    def test_a_file_names_more_and_changes(self):
        one, two = self.origin(), self.origin()
        one.put("v1", image())
        two.put("v1", image(annotations={"a": "b"}))
        with tempfile.TemporaryDirectory() as folder:
            names = Path(folder) / "names"
            names.write_text(f"# what this node may ask\n\n  a.example=http://{one.host}\r\n")
            cache = self.cache(f"fixed=http://{one.host}", options=(f"--proxy-file={names}",))

            def reload(text, line):
                seen = cache.log().count(line)
                names.write_text(text)
                cache.send(signal.SIGHUP)
                wait_until(lambda: cache.log().count(line) > seen)

            def answers(*known):
                got = {ns: self.get(cache, "v1", query=f"?ns={ns}").status for ns in ("fixed", "a.example", "b.example")}
                self.assertEqual(got, {ns: 200 if ns in known else 404 for ns in got})

            answers("fixed", "a.example")
            reload(f"b.example=http://{two.host}\n", " reloaded: registries of --proxy-file")
            answers("fixed", "b.example")
            self.assertIn("b.example", cache.request("GET", "/healthz").json["checks"])
            self.assertNotIn("a.example", cache.request("GET", "/healthz").json["checks"])
            reload(f"a.example=http://{one.host}\nb.example=ftp://{two.host}\n", "not reloaded: registries of --proxy-file")
            self.assertIn("names:2: ", cache.log())
            answers("fixed", "b.example")
            reload(f"a.example=http://{one.host}\nfixed=http://{two.host}\n", "not reloaded: registries of --proxy-file")
            answers("fixed", "b.example")
            reload(f"a.example=http://{two.host}\n", " reloaded: registries of --proxy-file")
            self.assertEqual(self.get(cache, digest(image(annotations={"a": "b"})), query="?ns=a.example").status, 200)

    def test_official_images_lie_in_library(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache(f"docker.io=http://{origin.host}/mirror")
        for repository, query in (("alpine", "?ns=docker.io"), ("library/alpine", "?ns=docker.io"),
                                  ("docker.io/alpine", ""), ("docker.io/library/alpine", "")):
            self.assertEqual(self.get(cache, "v1", repository=repository, query=query).status, 200)
        self.assertEqual([r.path.split("?")[0] for r in origin.requests()],
                         ["/v2/mirror/library/alpine/manifests/v1"])

    def test_a_query_that_is_refused_is_left_out(self):
        origin = self.origin()
        origin.put("v1", image())
        origin.put("v2", image())
        origin.on("HEAD|GET", r"\?ns=", Reply(400))
        cache = self.cache(f"ghcr.io=http://{origin.host}")
        for tag in ("v1", "v2"):
            self.assertEqual(self.get(cache, tag, query="?ns=ghcr.io").status, 200)
        self.assertEqual(len(origin.requests(path="ns=")), 1)

    def test_starts_with_no_such_setting(self):
        for setting in ("https://user:hunter2@ghcr.io", "ftp://ghcr.io", "_=https://ghcr.io"):
            server = Server(f"--proxy={setting}")
            self.addCleanup(server.close)
            with self.assertRaises(RuntimeError) as failure:
                server.start()
            self.assertIn("--proxy", str(failure.exception))
            self.assertNotIn("hunter2", str(failure.exception))
            server.process.stdout.close()
            server.process = None


class Chains(ProxyCase):
    def test_a_cache_behind_a_cache(self):
        origin = self.origin()
        blob = origin.blob(b"weights" * 1000)
        origin.put("v1", image([blob]))
        parent = self.cache(f"ghcr.io=http://{origin.host}")
        child = self.cache(f"ghcr.io=http://{parent.host}")
        for _ in range(2):
            self.assertEqual(self.get(child, "v1", query="?ns=ghcr.io").status, 200)
            reply = child.request("GET", f"/v2/ghcr.io/org/x/blobs/{digest(blob)}")
            self.assertEqual((reply.status, reply.body), (200, blob))
        self.assertEqual(len(origin.requests("GET")), 2)

    def test_a_ring_ends_at_once(self):
        one, two = self.cache(f"http://127.0.0.1:{self.unused_port()}"), None
        two = self.cache(f"http://{one.host}")
        port = one.port
        one.stop()
        one.options = (f"--proxy=http://{two.host}",)
        one.start(f"--listen=127.0.0.1:{port}")
        self.assertEqual(self.get(one, "v1").status, 404)
        self.assertEqual(two.request("GET", f"/v2/org/x/blobs/{digest(b'x')}").status, 404)

    def test_a_long_way_leads_nowhere(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache_of(origin)
        via = ", ".join(f"1.1 c{i}" for i in range(9))
        self.assertEqual(self.get(cache, "v1", Via=via).status, 404)
        self.assertEqual(origin.requests(), [])
        self.assertEqual(self.get(cache, "v1", Via="1.1 nginx").status, 200)
        self.assertRegex(origin.requests()[0].headers["Via"], r"^1\.1 nginx, 1\.1 coras-[0-9a-f]{16}$")


class Lists(ProxyCase):
    def tags(self, server, query=""):
        return server.request("GET", f"/v2/org/x/tags/list{query}")

    def test_tags_of_both(self):
        origin = self.origin()
        for tag in ("a", "c", "e"):
            origin.put(tag, image())
        cache = self.cache_of(origin)
        self.assertEqual(self.tags(cache).json, {"name": "org/x", "tags": ["a", "c", "e"]})
        cache.push_image("org/x", "b")
        cache.push_image("org/x", "c")
        self.assertEqual(self.tags(cache).json["tags"], ["a", "b", "c", "e"])
        first = self.tags(cache, "?n=2")
        self.assertEqual((first.json["tags"], first.headers["Link"]),
                         (["a", "b"], '</v2/org/x/tags/list?last=b&n=2>; rel="next"'))
        origin.on("GET", "tags/list", Reply(404))
        self.assertEqual(self.tags(cache).json["tags"], ["b", "c"])
        self.assert_error(cache.request("GET", "/v2/org/none/tags/list"), 404, "NAME_UNKNOWN")

    def test_tags_while_the_origin_is_down(self):
        origin = self.origin()
        origin.put("v1", image())
        cache = self.cache_of(origin)
        self.get(cache, "v1")
        self.fell(origin)
        reply = self.tags(cache)
        self.assertEqual((reply.status, reply.json["tags"]), (200, ["v1"]))
        self.assertIn("299 - ", reply.headers["Warning"])
        self.assertEqual(cache.request("GET", "/v2/org/none/tags/list").status, 503)

    def test_referrers(self):
        origin = self.origin()
        subject = origin.put("v1", image())
        theirs = descriptor(b"1", OCI_MANIFEST, artifactType="application/x.a", annotations={"k": "v"})
        listed = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [theirs]}
        origin.on("GET", "/referrers/", Reply(200, {"Content-Type": OCI_INDEX}, compact(listed)))
        cache = self.cache_of(origin)
        path = f"/v2/org/x/referrers/{subject}"
        self.assertEqual(cache.request("GET", path).json["manifests"], [theirs])
        ours = cache.push_image("org/x", "sig", subject=descriptor(image(), OCI_MANIFEST),
                                artifactType="application/x.b")
        found = {d["digest"] for d in cache.request("GET", path).json["manifests"]}
        self.assertEqual(found, {theirs["digest"], digest(ours)})
        filtered = cache.request("GET", path + "?artifactType=application/x.a")
        self.assertEqual(filtered.json["manifests"], [theirs])
        self.assertEqual(filtered.headers["OCI-Filters-Applied"], "artifactType")

    def test_what_was_read_through_the_cache_is_the_origins_to_list(self):
        origin = self.origin()
        subject = origin.put("v1", image())
        theirs = image(subject=descriptor(image(), OCI_MANIFEST), artifactType="application/x.a")
        origin.put("sig", theirs)
        listed = [descriptor(theirs, OCI_MANIFEST, artifactType="application/x.a")]
        origin.on("GET", "/referrers/", lambda _: Reply(200, {"Content-Type": OCI_INDEX}, compact(
            {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})))
        cache = self.cache_of(origin)
        path = f"/v2/org/x/referrers/{subject}"
        self.assertEqual(self.get(cache, digest(theirs)).body, theirs)
        self.assertEqual(cache.request("GET", path).json["manifests"], listed)
        listed.clear()  # the signature was withdrawn
        self.assertEqual(cache.request("GET", path).json["manifests"], [])

    def test_referrers_of_an_origin_that_keeps_them_under_a_tag(self):
        """Whether there is a list must not depend on what was read: clients take it for a property of the registry."""
        origin = self.origin()
        subject = origin.put("v1", image())
        theirs = image(subject=descriptor(image(), OCI_MANIFEST), artifactType="application/x.a")
        origin.put("sig", theirs)
        entry = descriptor(theirs, OCI_MANIFEST, artifactType="application/x.a")
        tag = subject.replace(":", "-")
        origin.put(tag, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}, OCI_INDEX)
        cache = self.cache_of(origin)
        paths = [f"/v2/org/x/referrers/{name}" for name in (subject, digest(theirs))]
        self.assertEqual(self.get(cache, digest(theirs)).body, theirs)
        self.assertEqual([cache.request("GET", path).status for path in paths], [404, 404])
        self.assertEqual(self.get(cache, tag).json["manifests"], [entry])
        ours = cache.push_image("org/x", "ours", subject=descriptor(image(), OCI_MANIFEST),
                                artifactType="application/x.b")
        found = {d["digest"] for d in cache.request("GET", paths[0]).json["manifests"]}
        self.assertEqual(found, {digest(theirs), digest(ours)})
        self.assertEqual(cache.request("GET", paths[1]).json["manifests"], [])
        filtered = cache.request("GET", paths[0] + "?artifactType=application/x.a").json
        self.assertEqual([d["digest"] for d in filtered["manifests"]], [digest(theirs)])
        self.assertEqual(cache.request("GET", f"/v2/org/y/referrers/{subject}").status, 404)

    def test_no_referrers_are_told_from_no_list(self):
        origin = self.origin()
        subject = origin.put("v1", image())
        path = f"/v2/org/x/referrers/{subject}"
        cache = self.cache_of(origin)
        self.assertEqual(cache.request("GET", path).status, 404)
        origin.on("GET", "/referrers/", Reply(404, {"Content-Type": "application/json"},
                                              b'{"errors":[{"code":"NAME_UNKNOWN","message":""}]}'))
        self.assertEqual(cache.request("GET", path).json["manifests"], [])
        self.fell(origin)
        self.assertIn(cache.request("GET", path).status, (502, 503))


class Pushes(ProxyCase):
    def test_nothing_is_pushed_under_a_name(self):
        origin = self.origin()
        cache = self.cache(f"ghcr.io=http://{origin.host}")
        self.assert_error(cache.put_manifest("ghcr.io/org/x", "v1", image()), 405, "UNSUPPORTED")
        begin = cache.request("POST", "/v2/ghcr.io/org/x/blobs/uploads/", headers={"Content-Length": "0"})
        self.assert_error(begin, 405, "UNSUPPORTED")
        cache.push_image("org/x", "v1")
        self.assertEqual(self.get(cache, "v1").status, 200)
        self.assertEqual(origin.requests(), [])

    def test_what_was_pushed_wins(self):
        origin = self.origin()
        origin.put("v1", image(annotations={"of": "origin"}))
        cache = self.cache_of(origin, "--proxy-ttl=0")
        self.assertNotEqual(self.get(cache, "v1").body, image([b"hello"]))
        pushed = cache.push_image("org/x", "v1")
        self.assertEqual(self.get(cache, "v1").body, pushed)
        self.assertEqual(origin.requests("PUT|POST|PATCH"), [])
        self.assertEqual(cache.request("DELETE", "/v2/org/x/manifests/v1").status, 202)
        self.assertNotEqual(self.get(cache, "v1").body, pushed)

    def test_deleting_forgets(self):
        origin = self.origin()
        name = origin.put("v1", image())
        cache = self.cache_of(origin)
        for reference in ("v1", name):
            self.get(cache, "v1")
            self.assertEqual(cache.request("DELETE", f"/v2/org/x/manifests/{reference}").status, 202)
        self.assertEqual(self.get(cache, "v1").status, 200)
        self.assertEqual(len(origin.requests(path="manifests/v1")), 3)

    def test_a_manifest_may_name_what_the_origin_has(self):
        origin = self.origin()
        origin.blob(b"{}")
        blob = origin.blob(b"weights" * 1000)
        child = origin.put("v1", image([blob]))
        cache = self.cache_of(origin)
        path = f"/v2/org/x/blobs/{digest(blob)}"
        self.assertEqual(cache.request("HEAD", path).status, 200)
        self.assertEqual(cache.put_manifest("org/x", "mine", image([blob], annotations={"a": "b"})).status, 201)
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
            descriptor(image([blob]), OCI_MANIFEST)]})
        self.assertEqual(self.head(cache, child).status, 200)
        self.assertEqual(cache.put_manifest("org/x", "all", index, OCI_INDEX).status, 201)
        self.fell(origin)
        self.assertEqual(cache.request("GET", path).body, blob)
        self.assert_error(cache.put_manifest("org/x", "no", image([b"nowhere"])), 400, "MANIFEST_BLOB_UNKNOWN")


class Credentials(ProxyCase):
    def test_those_of_the_cache_are_sent_and_no_others(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        pair = base64.b64encode(b"cache:secret").decode()
        origin = self.origin()
        origin.put("v1", image())
        origin.on("GET|HEAD", "", lambda r: None if r.headers.get("Authorization") == f"Basic {pair}" else
                  Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        config = directory / "config.json"
        config.write_text(json.dumps({"auths": {origin.host: {"auth": pair}}}))
        htpasswd = directory / "htpasswd"
        htpasswd.write_text(HTPASSWD)
        cache = self.cache_of(origin, f"--registry-config={config}", f"--htpasswd={htpasswd}")
        refused = self.get(cache, "v1")
        self.assertEqual((refused.status, len(origin.requests())), (401, 0))
        mine = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        reply = self.get(cache, "v1", Authorization=mine, Cookie="canary=1", **{"X-Forwarded-For": "10.9.9.9"})
        self.assertEqual(reply.status, 200)
        for request in origin.requests():
            for canary in (mine, "canary", "10.9.9.9"):
                self.assertNotIn(canary, request.raw())

    def test_they_are_read_again(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        origin = self.origin()
        for tag in ("v1", "v2"):
            origin.put(tag, image())
        wanted = ["old"]
        origin.on("GET|HEAD", "", lambda r: None if r.headers.get("Authorization") == f"Basic {wanted[0]}" else
                  Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        config = directory / "config.json"
        for number, tag in enumerate(("v1", "v2")):
            wanted[0] = base64.b64encode(f"cache:{number}".encode()).decode()
            config.write_text(json.dumps({"auths": {origin.host: {"auth": wanted[0]}}}))
            if tag == "v1":
                cache = self.cache_of(origin, f"--registry-config={config}")
            self.assertEqual(self.get(cache, tag).status, 200)

    @programs.need_docker_registry
    def test_a_token_service_is_asked_with_those_of_the_cache(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        tokens = self.enterContext(TokenServer(anonymous=False))
        origin = self.enterContext(DockerRegistry(auth=tokens))
        config = directory / "config.json"
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        config.write_text(json.dumps({"auths": {origin.host: {"auth": pair}}}))
        files = [directory / name for name in ("a", "b", "c")]
        for file in files:
            file.write_bytes(file.name.encode() * 100_000)
        subprocess.run([programs.CORAS, "push", "--plain-http", "--registry-config", config, "--disable-path-validation",
                        f"{origin.host}/org/x:v1", *files], check=True, capture_output=True, timeout=60)
        tokens.log.clear()
        cache = self.cache_of(origin, f"--registry-config={config}")
        for _ in range(2):
            done = subprocess.run([programs.CORAS, "pull", "--plain-http", "--registry-config", directory / "none",
                                   "--allow-path-traversal", f"127.0.0.1:{cache.port}/org/x:v1"], check=False,
                                  capture_output=True, text=True, timeout=60, cwd=directory)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(len(tokens.log), 2, [r["scopes"] for r in tokens.log])
        self.assertEqual({scope for r in tokens.log for scope in r["scopes"]}, {"repository:org/x:pull"})
        self.assertNotIn(pair, cache.log())

    def test_a_refusal_is_no_question_to_the_client(self):
        origin = self.origin()
        origin.on("GET|HEAD", "", Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        cache = self.cache_of(origin)
        for path in ("manifests/v1", f"blobs/{digest(b'x')}", "tags/list", f"referrers/{digest(b'x')}"):
            reply = cache.request("GET", f"/v2/org/x/{path}")
            self.assert_error(reply, 403, "DENIED")
            self.assertNotIn("WWW-Authenticate", reply.headers)


if __name__ == "__main__":
    main()
