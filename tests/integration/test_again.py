# SPDX-License-Identifier: Apache-2.0
"""Doing it again: what is already right is not moved a second time."""

import json
import os
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.fixtures import HI, REPOS, TAR
from harness.proxy import Fault, FaultProxy
from harness.scripted import sha256
from harness.servers import DockerRegistry

LARGE = 17 << 20  # such files are hashed while they are sent


@programs.need_docker_registry
class Again(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        cls.host = cls.proxy.host

    def setUp(self):
        super().setUp()
        self.box.write("a.bin", os.urandom(200000))
        self.box.write("b.bin", os.urandom(1000))
        self.ref = f"{self.host}/{self.id().rsplit('.', 1)[1].replace('_', '-')}:v1"
        self.ok("push", self.ref, "a.bin", "b.bin")
        self.proxy.clear()

    def blobs(self):
        return self.proxy.requests("GET", "/blobs/")

    def test_pull_again_transfers_nothing(self):
        first = self.ok("pull", self.ref, "-o", "out")
        before = (self.box.work / "out/a.bin").stat()
        self.proxy.clear()
        again = self.ok("pull", self.ref, "-o", "out")
        self.assertEqual(self.blobs(), [])
        self.assertEqual(again.out.count("Skipped "), 2, again)
        self.assertEqual(again.digest, first.digest)
        self.assertIn(f"Pulled [registry] {self.ref}\n", again.out)
        after = (self.box.work / "out/a.bin").stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))

    def test_directory_that_is_right_is_left_alone(self):
        for number in range(3):
            self.box.write(f"d/sub/f{number}", os.urandom(5000))
        ref = f"{self.host}/directory:v1"
        self.ok("push", ref, "d")
        self.ok("pull", ref, "-o", "out")
        before = (self.box.work / "out/d/sub/f1").stat()
        self.proxy.clear()
        again = self.ok("pull", ref, "-o", "out")
        self.assertEqual(self.blobs(), [])
        self.assertRegex(again.out, r"(?m)^Skipped +[0-9a-f]{12} d$")
        self.assertEqual(before.st_ino, (self.box.work / "out/d/sub/f1").stat().st_ino)
        for path, content in (("out/d/sub/f1", b"other"), ("out/d/more", b"new")):
            with self.subTest(path):
                self.box.write(path, content)
                self.proxy.clear()
                again = self.ok("pull", ref, "-o", "out")
                self.assertEqual(len(self.blobs()), 1)
                self.assertEqual(self.read("out/d/sub/f1"), self.read("d/sub/f1"))

    def test_only_what_changed_is_fetched(self):
        self.ok("pull", self.ref, "-o", "out")
        for change in (b"shorter", os.urandom(1000)):  # other size; same size, other bytes
            self.box.write("out/b.bin", change)
            self.proxy.clear()
            self.ok("pull", self.ref, "-o", "out")
            self.assertEqual(len(self.blobs()), 1)
            self.assertEqual(self.read("out/b.bin"), self.read("b.bin"))

    def test_same_size_and_time_but_other_bytes(self):
        """Digests are remembered by identity of the file; a forged mtime does not fool them."""
        self.ok("pull", self.ref, "-o", "out")
        path = self.box.work / "out/b.bin"
        info = path.stat()
        path.write_bytes(os.urandom(1000))
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        self.ok("pull", self.ref, "-o", "out")
        self.assertEqual(path.read_bytes(), self.read("b.bin"))

    def test_keep_old_files_is_an_error_still(self):
        self.ok("pull", self.ref, "-o", "out")
        self.fails("pull", "-k", self.ref, "-o", "out", contains="overwrite disallowed")

    def test_push_again_sends_nothing(self):
        created = ["-a", "org.opencontainers.image.created=2024-01-01T00:00:00Z"]
        self.ok("push", *created, self.ref, "a.bin", "b.bin")
        self.proxy.clear()
        self.ok("push", *created, self.ref, "a.bin", "b.bin")
        self.assertEqual(self.proxy.requests("POST|PATCH"), [])
        self.proxy.clear()
        self.ok("push", *created, self.ref + "-other", "a.bin", "b.bin")
        self.assertEqual(self.proxy.requests("POST|PATCH"), [])

    def push_checkout(self, number, content, first=""):
        """Pushes a file that no digest is remembered of under a name of this test's; the bytes that
        were sent, None when not even an upload was begun."""
        ref = f"{self.host}/checkout:{first}{self.id().rsplit('_', 1)[1]}"
        self.box.write(f"{number}/large.bin", content)
        self.proxy.log.clear()
        pushed = self.ok("push", ref, "large.bin", cwd=self.box.work / str(number))
        begun = self.proxy.requests("POST", "/blobs/uploads/")
        sent = self.proxy.sent(method="PATCH") if begun else None
        manifest = json.loads(self.ok("manifest", "fetch", f"{self.host}/checkout@{pushed.digest}").out)
        self.assertEqual(manifest["layers"][0]["digest"], sha256(content))
        return sent

    def test_large_file_of_another_checkout(self):
        """What the name stood for tells that the digest is worth waiting for."""
        content = os.urandom(LARGE)
        self.assertEqual(self.push_checkout(1, content), LARGE)
        self.assertIsNone(self.push_checkout(2, content))
        self.assertLess(self.proxy.received(), 10000)  # a part is compared
        self.assertIsNone(self.push_checkout(3, content, "commit,"))  # and its old name

    def test_large_file_of_a_proxy_that_gives_no_parts(self):
        content = os.urandom(LARGE)
        self.assertEqual(self.push_checkout(1, content), LARGE)
        self.proxy.add(Fault("/blobs/sha256:", "GET", drop_range=True))
        self.assertIsNone(self.push_checkout(2, content))

    def test_large_file_with_other_bytes(self):
        """Of the same name and size: it is sent, whichever bytes are the other ones."""
        content = bytearray(os.urandom(LARGE))
        self.push_checkout(1, content)
        for number, place in ((2, LARGE // 2), (3, LARGE - 1)):
            content[place] ^= 1
            self.assertEqual(self.push_checkout(number, content), LARGE)
            self.assertEqual(len(self.proxy.requests("PATCH")), 1)

    def test_changed_file_is_pushed_again(self):
        """A remembered digest never hides a change, whatever the clock says."""
        path = self.box.work / "b.bin"
        info = path.stat()
        first = self.ok("push", self.ref, "b.bin")
        path.write_bytes(os.urandom(1000))
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        second = self.ok("push", self.ref, "b.bin")
        self.assertNotEqual(first.digest, second.digest)
        self.ok("pull", self.ref, "-o", "out")
        self.assertEqual(self.read("out/b.bin"), path.read_bytes())

    @unittest.skipUnless(programs.has_command("cp"), "no cp command")
    def test_copy_within_a_registry_moves_no_blob(self):
        target = self.ref.replace(":v1", "-copy:v1")
        copied = self.ok("cp", self.ref, target)
        self.assertEqual(copied.out.count("Mounted"), 3, copied)
        self.assertEqual(self.blobs(), [])
        self.assertEqual(self.proxy.requests("PATCH"), [])
        self.assertEqual(len(self.proxy.requests("PUT", "/manifests/")), 1)

    def test_copy_says_each_name_of_the_same_bytes(self):
        """Having no name is a name of its own, and a repeated one says nothing new."""
        REPOS["same"].install_layout(self.box.work / "lay")
        copied = self.ok("cp", "--from-oci-layout", "lay:unnamed", "--to-oci-layout", "dst:v1")
        skipped = [x for x in copied.out.splitlines() if x.startswith("Skipped")]
        self.assertEqual(skipped, [f"Skipped {sha256(HI)[7:19]} {TAR}"])

    def test_copy_mounts_for_one_user_only(self):
        flags = ["--from-username", "a", "--from-password", "b"]
        target = self.ref.replace(":v1", "-copy:v1")
        self.assertNotIn("Mounted", self.ok("cp", *flags, self.ref, target).out)
        flags += ["--to-username", "a", "--to-password", "b"]
        target = self.ref.replace(":v1", "-same:v1")
        self.assertEqual(self.ok("cp", *flags, self.ref, target).out.count("Mounted"), 3)
        mounts = self.proxy.requests("POST", r"-same/blobs/uploads/\?mount=sha256:[0-9a-f]{64}&from=")
        self.assertEqual(len(mounts), 3)

    def test_copy_again_asks_for_the_root_alone(self):
        target = self.ref.replace(":v1", "-copy:v1")
        for flags in ([], ["-r"]):
            self.ok("cp", *flags, self.ref, target)
            self.proxy.clear()
            self.ok("cp", *flags, self.ref, target)
            self.assertEqual(self.proxy.requests(path="/blobs/"), [])
            self.assertEqual(len(self.proxy.requests("PUT")), 1)

    def test_copy_again_with_referrers_leaves_what_is_below_them(self):
        attached = self.ok("attach", self.ref, "--artifact-type", "a/b", "b.bin").digest
        target = self.ref.replace(":v1", "-copy:v1")
        root = self.ok("cp", "-r", self.ref, target).digest
        self.proxy.clear()
        again = self.ok("cp", "-r", self.ref, target)
        self.assertEqual(again.out.count("Exists"), 1, again)
        asked = {r.target.rsplit("/", 1)[1] for r in self.proxy.requests("HEAD", "-copy/")}
        self.assertEqual(asked, {attached, root})

    def test_cache(self):
        env = {"ORAS_CACHE": str(self.box.root / "content")}
        self.ok("pull", self.ref, "-o", "one", env=env)
        self.proxy.clear()
        self.ok("pull", self.ref, "-o", "two", env=env)
        self.assertEqual(self.blobs(), [])
        self.assertEqual(self.read("two/a.bin"), self.read("a.bin"))


if __name__ == "__main__":
    main()
