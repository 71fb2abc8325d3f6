# SPDX-License-Identifier: Apache-2.0
"""The pages for people: what they show, whom they show it to, and that nothing in them can do anything."""

import html.parser
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from embedded import OCI_INDEX, OCI_MANIFEST, PROGRAM, ServerCase, compact, descriptor, digest, image
from harness import programs
from harness.case import main
from harness.proxy import Fault, FaultProxy
from harness.servers import HTPASSWD, PASSWORD, USER
from harness.weights import safetensors
from test_server_access import basic

VOID = {"meta", "link", "br"}


class Page(html.parser.HTMLParser):
    """A page whose elements must be nested rightly; its links, its text, its cells."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.text, self.attributes = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == [], self.open
        self.all = " ".join(" ".join(self.text).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open, tag)
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class Pages(ServerCase):
    def look(self, path, status=200, server=None, **headers):
        reply = (server or self.server).request("GET", path, headers={"Accept": "text/html,*/*;q=0.8", **headers})
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["Content-Type"], "text/html; charset=utf-8")
        policy = reply.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        page = Page(reply.body.decode())
        self.assertNotIn("script", page.tags)
        self.assertFalse([name for name in page.attributes if name.startswith("on") or name == "style"])
        for link in page.links:
            self.assertRegex(link, r"^(/|#main$)")
        return page

    def test_everything_can_be_reached_by_links(self):
        manifest = self.server.push_image(self.repository, "v1", [b"x" * 2048])
        home = self.look("/")
        self.assertIn(f"/r/{self.repository}", home.links)
        self.assertIn(f"/r/{self.repository}:v1", home.links)
        repository = self.look(f"/r/{self.repository}")
        self.assertIn(f"/r/{self.repository}:v1", repository.links)
        self.assertIn("2.0 KiB", repository.all)
        page = self.look(f"/r/{self.repository}:v1")
        self.assertIn(f"coras pull --plain-http {self.server.host}/{self.repository}:v1", page.all)
        self.assertIn(digest(manifest), page.all)
        self.assertIn(digest(manifest), self.look(f"/r/{self.repository}@{digest(manifest)}").all)
        style = self.request("GET", "/page.css")
        self.assertEqual(style.headers["Content-Type"], "text/css; charset=utf-8")

    def test_the_command_on_the_page_works(self):
        self.server.push_image(self.repository, "v1")
        text = self.look(f"/r/{self.repository}:v1").all
        command = text[text.index("coras pull"):].split()[:4]
        with tempfile.TemporaryDirectory() as out:
            done = subprocess.run([programs.CORAS, *command[1:]], cwd=out, timeout=60, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_index_leads_to_its_manifests(self):
        child = self.server.push_image(self.repository, "child")
        index = compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
            descriptor(child, OCI_MANIFEST, platform={"os": "linux", "architecture": "arm64"})]})
        self.assertEqual(self.server.put_manifest(self.repository, "all", index, OCI_INDEX).status, 201)
        page = self.look(f"/r/{self.repository}:all")
        self.assertIn("linux/arm64", page.all)
        self.assertIn(f"/r/{self.repository}@{digest(child)}", page.links)

    def test_what_a_model_is(self):
        with tempfile.TemporaryDirectory() as top:
            model = Path(top) / "model"
            model.mkdir()
            (model / "config.json").write_text('{"architectures":["TinyForCausalLM"],"max_position_embeddings":128}')
            (model / "model.safetensors").write_bytes(safetensors({"w": ("F32", [1024, 3])}))
            done = subprocess.run([programs.CORAS, "model", "push", "--plain-http",
                                   f"{self.server.host}/{self.repository}:v1", str(model)],
                                  timeout=60, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = self.look(f"/r/{self.repository}:v1")
        self.assertIn("Architecture TinyForCausalLM", page.all)
        self.assertIn("Parameters 3.07K (3072)", page.all)
        self.assertIn("Types F32 100.0 %", page.all)
        self.assertIn("Context length 128", page.all)
        self.assertIn(f"coras model pull --plain-http {self.server.host}/{self.repository}:v1", page.all)

    def test_strangers_words_stay_words(self):
        evil = "</td><script>alert(1)</script>\"'\x1b[2J\u202e&amp;"
        for layer in (b"{}", b"hello"):
            self.server.push_blob(self.repository, layer)
        manifest = image([b"hello"], annotations={evil: evil})
        self.assertEqual(self.server.put_manifest(self.repository, "v1", manifest).status, 201)
        page = self.look(f"/r/{self.repository}:v1")
        self.assertIn("<script>alert(1)</script>\"'", page.all)
        self.assertNotIn("\x1b", page.all)
        self.assertNotIn("\u202e", page.all)
        page = self.look(f"/r/{self.repository}:v1", Host="127.0.0.1:1\"><script>")
        self.assertNotIn("pull", page.all)
        self.look("/?last=%3Cscript%3E")

    def test_what_is_not_there(self):
        self.server.push_image(self.repository, "v1")
        self.look("/r/none", 404)
        self.look(f"/r/{self.repository}:none", 404)
        for path in ("/r/", "/r/UPPER", "/r/a//b", "/r/%2e%2e/x", f"/r/{self.repository}:", "/rx"):
            reply = self.request("GET", path, headers={"Accept": "text/html"})
            self.assertIn(reply.status, (400, 404), path)

    def test_other_clients_are_not_disturbed(self):
        self.server.push_image(self.repository, "v1")
        for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            for path in ("/", f"/r/{self.repository}:v1"):
                reply = self.request("GET", path, headers=accept)
                self.assertEqual((reply.status, reply.headers["Content-Type"]), (404, "application/json"))
        self.assertEqual(self.request("POST", "/", b"", {"Accept": "text/html"}).status, 405)
        head = self.request("HEAD", "/", headers={"Accept": "text/html"})
        self.assertEqual((head.status, head.body), (200, b""))

    def test_long_lists_have_pages(self):
        server = self.new_server().start()
        manifest = server.push_image("many", "t000")
        for number in range(1, 52):
            self.assertEqual(server.put_manifest("many", f"t{number:03}", manifest).status, 201)
        page = self.look("/r/many", server=server)
        self.assertIn("/r/many?last=t049", page.links)
        self.assertIn("/r/many:t051", self.look("/r/many?last=t049", server=server).links)

    def test_passwords_and_rules_hold(self):
        with tempfile.TemporaryDirectory() as top:
            users, rules = Path(top) / "users", Path(top) / "rules"
            users.write_text(HTPASSWD)
            rules.write_text(f"allow user:{USER} all **\nallow everyone pull,list public/**\n")
            closed = self.new_server(f"--htpasswd={users}").start()
            for path in ("/", "/r/x", "/r/x:v1"):
                reply = closed.request("GET", path, headers={"Accept": "text/html"})
                self.assertEqual((reply.status, reply.headers["WWW-Authenticate"]), (401, 'Basic realm="coras"'))
            known = basic(USER, PASSWORD)
            self.look("/", server=closed, **known)
            ruled = self.new_server(f"--htpasswd={users}", f"--rules={rules}").start()
            for repository in ("public/a", "secret/b"):
                for data in (b"{}", b"hello"):
                    location = ruled.request("POST", f"/v2/{repository}/blobs/uploads/",
                                             headers={**known, "Content-Length": "0"}).headers["Location"]
                    ruled.request("PUT", f"{location}?digest={digest(data)}", data, known)
                reply = ruled.request("PUT", f"/v2/{repository}/manifests/v1", image([b"hello"]),
                                      {**known, "Content-Type": OCI_MANIFEST})
                self.assertEqual(reply.status, 201, reply.body)
            self.assertIn("/r/secret/b", self.look("/", server=ruled, **known).links)
            self.assertIn("/r/public/a", self.look("/", server=ruled).links)
            self.assertNotIn("secret", self.look("/", server=ruled).all)
            self.assertNotIn("stored", self.look("/", server=ruled).all)
            for path in ("/r/secret/b", "/r/secret/b:v1"):
                self.assertNotEqual(ruled.request("GET", path, headers={"Accept": "text/html"}).status, 200)

    def test_what_a_cache_is_fetching(self):
        data = b"weights " * 300_000
        self.server.push_image(self.repository, "v1", [data])
        proxy = self.enterContext(FaultProxy(self.server.port))
        proxy.add(Fault("/blobs/sha256:", "GET", stall_response=1_000_000))
        cache = self.new_server(f"--proxy=http://127.0.0.1:{proxy.port}").start()
        self.assertIn("Nothing is being fetched now", self.look("/", server=cache).all)
        connection = cache.connection()
        self.addCleanup(connection.close)
        connection.request("GET", f"/v2/{self.repository}/blobs/{digest(data)}")
        self.assertEqual(connection.getresponse().read(1000), data[:1000])
        page = self.look("/", server=cache).all
        self.assertRegex(page, rf"Being fetched .*{self.repository} {digest(data)[:19]} .* of 2\.3 MiB")
        asked = [request.target for request in proxy.requests()]
        self.look(f"/r/{self.repository}:v1", 404, cache)  # a page fetches nothing
        self.assertEqual([request.target for request in proxy.requests()], asked)

    def test_half_of_a_layout_is_told(self):
        with tempfile.TemporaryDirectory() as top:
            lay = Path(top) / "lay"
            lay.mkdir()
            (lay / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
            server = self.new_server(f"--layouts={top}").start()
            self.assertIn("lay cannot be read now", self.look("/", server=server).all)

    @unittest.skipUnless(shutil.which("chromium"), "chromium is not installed: the pages were not seen by a browser")
    def test_a_browser_shows_it(self):
        self.server.push_image(self.repository, "v1")
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom",
                 f"http://{self.server.host}/r/{self.repository}:v1"],
                timeout=120, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"coras pull --plain-http {self.server.host}/{self.repository}:v1", done.stdout)
        self.assertNotIn("Refused to", done.stderr)


if __name__ == "__main__":
    main()
