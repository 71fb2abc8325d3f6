# SPDX-License-Identifier: Apache-2.0
"""The cache (ORAS_CACHE): filled by whoever reads, read by everybody, healed when it is damaged."""

import contextlib
import hashlib
import os
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.run import Sandbox
from harness.servers import DockerRegistry

SMALL, LARGE = 1000, 4_500_000  # content passes through memory, or is brought into the store


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@programs.need_docker_registry
class Cache(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.other = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        cls.files = {"small.bin": os.urandom(SMALL), "large.bin": os.urandom(LARGE)}
        cls.repo = f"{cls.proxy.host}/model"
        cls.ref = f"{cls.repo}:v1"
        box = cls.serve(contextlib.closing(Sandbox()))
        for name, content in cls.files.items():
            box.write(name, content)
        box.run(programs.CORAS, "push", cls.ref, *cls.files, check=0)
        box.run(programs.CORAS, "manifest", "index", "create", f"{cls.repo}:all", "v1", check=0)

    def setUp(self):
        super().setUp()
        self.proxy.faults.clear()
        self.box.env["ORAS_CACHE"] = str(self.box.work / "cache")
        self.proxy.clear()

    def blob(self, digest):
        return self.box.work / "cache/blobs/sha256" / digest.removeprefix("sha256:")

    def damage(self, digest, content=None):
        """Another byte in the middle, under the same name and of the same size."""
        path = self.blob(digest)
        path.chmod(0o644)
        bad = bytearray(path.read_bytes())
        bad[len(bad) // 2] ^= 1
        path.write_bytes(bytes(bad) if content is None else content)

    def damage_all(self):
        for path in (self.box.work / "cache/blobs/sha256").iterdir():
            self.damage(path.name)

    def assertHealed(self):
        for path in (self.box.work / "cache/blobs/sha256").iterdir():
            self.assertEqual(sha256(path.read_bytes()), path.name)

    def assertPulled(self, directory):
        for name, content in self.files.items():
            self.assertEqual((self.box.work / directory / name).read_bytes(), content, name)

    def asked(self):
        """Content that was asked for by digest."""
        return [r for r in self.proxy.requests("GET", "sha256:") if r.status < 300]

    # ---- filling and reading ----

    def test_everybody_reads_what_one_has_read(self):
        self.ok("pull", self.ref, "-o", "out")
        self.proxy.clear()
        self.ok("pull", self.ref, "-o", "again")
        self.ok("blob", "fetch", f"{self.repo}@sha256:{sha256(self.files['large.bin'])}", "-o", "b")
        self.ok("cp", self.ref, "--to-oci-layout", "copy:v1")
        self.ok("backup", self.ref, "-o", "saved")
        # `blob fetch` looks at the first byte to learn the size.
        self.assertLess(sum(r.received for r in self.asked()), SMALL)
        self.assertPulled("again")
        self.ok("pull", "--oci-layout", "copy:v1", "-o", "copied")
        self.assertPulled("copied")

    def test_copy_fills_it_too(self):
        self.ok("cp", self.ref, f"{self.other.host}/filling:v1")
        self.proxy.clear()
        self.ok("cp", self.ref, "--to-oci-layout", "copy:v1")
        self.assertEqual(self.asked(), [])

    def test_name_is_asked_of_the_source(self):
        ref = f"{self.proxy.host}/moving:v1"
        for content in ("one", "two"):
            self.box.write("file", content)
            self.ok("push", ref, "file")
            self.ok("pull", ref, "-o", "out")
            self.assertEqual((self.box.work / "out/file").read_text(), content)

    def test_mount_comes_before_the_cache(self):
        self.ok("cp", self.ref, f"{self.proxy.host}/mounted:v1")
        self.assertFalse(self.blob(sha256(self.files["large.bin"])).exists())

    def test_bad_content_of_the_source_is_not_kept(self):
        large = sha256(self.files["large.bin"])
        self.proxy.add(Fault(path=f"/blobs/sha256:{large}", method="GET", corrupt=100))
        self.fails("pull", self.ref, "-o", "out", contains="mismatched digest")
        self.assertFalse(self.blob(large).exists())
        self.assertFalse((self.box.work / "out/large.bin").exists())

    # ---- damage ----

    def test_pull_heals(self):
        self.ok("pull", self.ref, "-o", "out")
        self.damage_all()
        self.ok("pull", self.ref, "-o", "again")
        self.assertPulled("again")
        self.assertHealed()

    def test_truncated_copies_heal(self):
        self.ok("pull", self.ref, "-o", "out")
        for content in self.files.values():
            self.damage(sha256(content), content[:-1])
        self.ok("pull", self.ref, "-o", "again")
        self.assertPulled("again")
        self.assertHealed()

    def test_manifest_fetch_heals(self):
        text = self.ok("manifest", "fetch", self.ref).out
        self.damage_all()
        self.assertEqual(self.ok("manifest", "fetch", self.ref).out, text)
        self.assertHealed()

    def test_manifest_of_an_index_heals(self):
        self.ok("pull", f"{self.repo}:all", "-o", "out")
        self.damage_all()
        self.ok("pull", f"{self.repo}:all", "-o", "again")
        self.assertPulled("again")
        self.assertHealed()

    def test_blob_fetch_heals(self):
        for name, content in self.files.items():
            ref = f"{self.repo}@sha256:{sha256(content)}"
            for output in ("file", "-"):
                with self.subTest(name, output=output):
                    self.ok("blob", "fetch", ref, "-o", "first")
                    self.damage(sha256(content))
                    got = self.ok("blob", "fetch", ref, "-o", output)
                    if output == "file":
                        self.assertEqual((self.box.work / "file").read_bytes(), content)
                    else:
                        self.assertEqual(got.out_bytes, content)
                    self.assertHealed()

    def test_copy_heals(self):
        self.ok("pull", self.ref, "-o", "out")
        copy = f"{self.other.host}/copy:v1"
        for arguments in ((copy,), ("--to-oci-layout", "copy:v1")):
            with self.subTest(arguments):
                self.damage_all()
                self.ok("cp", self.ref, *arguments)
                self.assertHealed()
        self.ok("pull", copy, "-o", "copied")
        self.assertPulled("copied")

    def test_damage_without_a_source_is_an_error(self):
        self.ok("pull", self.ref, "-o", "out")
        large = sha256(self.files["large.bin"])
        self.damage(large)
        self.proxy.add(Fault(path=f"/blobs/sha256:{large}", status=404))
        self.fails("pull", self.ref, "-o", "again", contains=large)
        self.assertFalse((self.box.work / "again/large.bin").exists())

    # ---- a place that cannot be used ----

    def test_directory_that_cannot_be_written(self):
        self.box.write("file", b"")
        for place in ("file", "/proc/none"):
            self.box.env["ORAS_CACHE"] = place
            for command in (("pull", self.ref), ("manifest", "fetch", self.ref),
                            ("cp", self.ref, "--to-oci-layout", "copy:v1")):
                with self.subTest(place, command=command[0]):
                    self.fails(*command, contains=place)

    def test_commands_that_read_no_content_leave_it_alone(self):
        self.ok("resolve", self.ref)
        self.ok("repo", "tags", self.repo)
        self.assertFalse((self.box.work / "cache").exists())


if __name__ == "__main__":
    main()
