# SPDX-License-Identifier: Apache-2.0
"""Every command of the pages in docs/ works as it stands, and every link leads somewhere.

A page's blocks marked `sh` and `python` run in their order, in one directory, with a registry at what the page calls
localhost:5000 and a small model in tiny-llm/. One marked `sh server` is a command that goes on at localhost:5001, until
the next of its kind. A PostgreSQL is at what the page calls db.example, and a store that speaks S3 at minio.example; what
needs one that is not there is skipped. Blocks of other kinds (`text`, `json`, `yaml`) are not commands.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.parse import quote

from harness import programs
from harness.case import CliCase, main
from harness.postgres import INITDB, POSTGRES, Postgres
from harness.servers import CorasServe, can_serve, free_port
from harness.stores import Store, credentials

TOP = Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"


def blocks(page):
    """(heading, kind, script) of each block that is marked as something to run."""
    heading, found = page.stem, []
    for match in re.finditer(r"^#+ ([^\n]*)$|^```(sh server|sh|python)\n(.*?)^```$", page.read_text(), re.M | re.S):
        heading = match[1] or heading
        if match[2]:
            found.append((heading, match[2], match[3]))
    return found


def anchors(page):
    """The names that headings of a page have in links."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


class Elsewhere:
    """Servers that pages name, started when a page needs them."""

    def __init__(self, case):
        self.case, self.postgres, self.store = case, None, None

    @staticmethod
    def lacks(script):
        """What it needs and this machine has not."""
        if "db.example" in script and not (POSTGRES and INITDB):
            return "PostgreSQL"
        return "versitygw" if "minio.example" in script and not programs.VERSITYGW else None

    def put_in(self, script):
        if "db.example" in script:
            if not self.postgres:
                self.postgres = Postgres().start()
                self.case.addCleanup(self.postgres.close)
            script = script.replace("@db.example", f"@{quote(str(self.postgres.top), safe='')}")
            script = script.replace("db.example", str(self.postgres.top))
        if "minio.example" in script:
            if not self.store:
                self.store = Store()
                self.case.addCleanup(self.store.close)
                self.store.ask("PUT", "/models")
            script = script.replace("https://minio.example:9000", self.store.endpoint)
        return script

    def environment(self):
        path = self.case.box.env["PATH"]
        return {**credentials(), "PATH": f"{path}:{Path(POSTGRES).parent}" if POSTGRES else path}


def safetensors(**tensors):
    """A file of F32 tensors: name=[elements, ...]."""
    header, data = {}, b""
    for name, shape in tensors.items():
        count = 1
        for length in shape:
            count *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *range(count))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


@unittest.skipUnless(can_serve(), "coras serve is not built")
class Commands(CliCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve_here(CorasServe())
        self.box.link("coras", programs.CORAS)
        self.box.write("tiny-llm/config.json", b'{"architectures":["TinyForCausalLM"],"model_type":"tiny",'
                                               b'"max_position_embeddings":128,"torch_dtype":"float32"}\n')
        self.box.write("tiny-llm/model.safetensors", safetensors(**{"embed.weight": [8, 4], "lm_head.weight": [8, 4]}))
        self.box.write("tiny-llm/tokenizer.json", b'{"version":"1.0"}\n')

    def serve_block(self, script, environment):
        """A server in the background, which takes the place of the one before."""
        if self.process:
            self.stop_server()
        server = self.box.popen("sh", "-euc", "exec " + script.strip(), env=environment)
        self.process = server
        self.assertIn(b"listening on", server.stdout.readline(), script)

    def stop_server(self):
        self.process.terminate()
        self.process.communicate(timeout=30)
        self.process = None

    def follow(self, page):
        self.process, second = None, f"localhost:{free_port()}"
        self.addCleanup(lambda: self.process and self.stop_server())
        build = Path(os.environ.get("CORAS_BUILD", TOP / "build")).resolve()
        environment = {"PYTHONPATH": str(TOP / "python" / "src"), "CORAS": str(self.box.bin / "coras"),
                       "PKG_CONFIG_PATH": str(build / "meson-uninstalled"), "LD_LIBRARY_PATH": str(build / "src"),
                       "C_INCLUDE_PATH": str(TOP / "include")}
        if page.stem == "library" and (programs.SANITIZED or not all(map(shutil.which, ("cc", "pkg-config")))):
            self.skipTest("without cc and pkg-config, or with sanitizers, no program is built")
        elsewhere = Elsewhere(self)
        lacking = {heading: name for heading, _, script in blocks(page) if (name := Elsewhere.lacks(script))}
        for heading, kind, script in blocks(page):
            with self.subTest(f"{page.name}: {heading}"):
                if heading in lacking:
                    self.skipTest(f"{lacking[heading]} is not installed")
                if "example" in script:
                    environment = {**environment, **elsewhere.environment()}
                script = elsewhere.put_in(script).replace("localhost:5000", self.server.host).replace("localhost:5001", second)
                if kind == "sh server":
                    self.serve_block(script, environment)
                    continue
                argv = ["sh", "-euc", script] if kind == "sh" else [sys.executable, "-c", script]
                self.box.run(*argv, env=environment, check=0)


class Marks(unittest.TestCase):
    def test_every_block_says_what_it_is(self):
        """A block without a mark, or with one that nothing knows, would be a command that nobody runs."""
        for page in [*DOCS.rglob("*.md"), *TOP.glob("*.md"), TOP / "python/README.md"]:
            marks = re.findall(r"^[ \t]*```(.*)$", page.read_text(), re.M)
            self.assertEqual(set(marks[1::2]), {""} if marks else set(), page)
            self.assertLessEqual(set(marks[::2]), {"sh", "sh server", "python", "text", "json", "toml", "yaml"}, page)


def add_pages():
    """A test for each page that has something to run."""
    for page in sorted(DOCS.glob("*.md")):
        if blocks(page):
            name = "test_" + page.stem.replace("-", "_")
            setattr(Commands, name, lambda self, page=page: self.follow(page))


class Generated(CliCase):
    def test_errors(self):
        """Made by: coras explain --markdown > docs/errors.md"""
        self.box.link("coras", programs.CORAS)
        self.assertEqual(self.box.run("coras", "explain", "--markdown", check=0).out, (DOCS / "errors.md").read_text())

    def test_house(self):
        """Made by: scripts/house >docs/house.svg, which draws nothing that the rule of layers contradicts."""
        done = subprocess.run([TOP / "scripts/house"], capture_output=True, text=True, check=False)
        self.assertEqual((done.stderr, done.stdout), ("", (DOCS / "house.svg").read_text()))

    def test_explain(self):
        for result in (self.ok("explain", "unauthorized"), self.ok("explain", "UNAUTHORIZED")):
            self.assertIn("Remedy: 'oras login'", result.out)
        self.assertIn("NOT_FOUND", self.ok("explain").out)
        self.fails("explain", "NOT_FOUN", contains='no error code "NOT_FOUN"', hint="NOT_FOUND")
        self.assertIn("DIGEST_MISMATCH", self.fails("explain", "digest").hint)
        for word in ("foo", "dgst", ""):  # near to none
            result = self.fails("explain", word, contains=f'no error code "{word}"')
            self.assertEqual(result.hint, "Hint: without a code all are listed\n")


class Links(unittest.TestCase):
    def test_links(self):
        pages = [*DOCS.rglob("*.md"), *TOP.glob("*.md")]
        self.assertTrue(pages)
        for page in pages:
            text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = (page.parent / path).resolve() if path else page
                with self.subTest(f"{page.relative_to(TOP)}: {target}"):
                    self.assertTrue(there.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(there))


class Site(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mkdocs"), "mkdocs is not installed: the site is not built")
    def test_site(self):
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(["mkdocs", "build", "--strict", "-q", "-d", directory], cwd=TOP, capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            for page in DOCS.glob("*.md"):
                self.assertTrue(Path(directory, page.stem + ".html").is_file(), page)


add_pages()
if __name__ == "__main__":
    main()
