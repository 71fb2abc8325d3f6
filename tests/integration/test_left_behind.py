# SPDX-License-Identifier: Apache-2.0
"""What a command leaves behind is said in one line on stderr, and in none when there is nothing."""

import json
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.servers import DockerRegistry


@programs.need_docker_registry
class LeftBehind(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))

    def setUp(self):
        super().setUp()
        self.proxy.faults.clear()
        self.box.write("a.txt", "a")
        self.repo = f"{self.proxy.host}/{self.id().rsplit('.', 1)[1].replace('_', '-')}"
        self.digest = self.ok("push", f"{self.repo}:v1", "a.txt").digest
        self.cosign = self.digest.replace(":", "-")

    def test_annotations_of_files_that_are_not_pushed(self):
        names = ["a.txt", "b\x1b[1m.txt", *(f"{n}.txt" for n in range(7))]
        self.box.write("notes.json", json.dumps({"$manifest": {"k": "v"}, "$config": {"k": "v"},
                                                 **{name: {"k": "v"} for name in names}}))
        for command in (("push", f"{self.repo}:v2"),
                        ("attach", f"{self.repo}:v1", "--artifact-type", "a/b")):
            with self.subTest(command[0]):
                result = self.ok(*command, "a.txt", "--annotation-file", "notes.json")
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertIn("notes.json", result.err)
                self.assertIn('"0.txt"', result.err)
                self.assertIn("and 3 more", result.err)
                self.assertNotIn("a.txt", result.err)
                self.assertNotIn("$", result.err)
                self.assertNotIn("\x1b", result.err)

    def test_annotations_that_are_all_used(self):
        self.box.write("notes.json", json.dumps({"$manifest": {"k": "v"}, "a.txt": {"k": "v"}}))
        result = self.ok("push", f"{self.repo}:v2", "a.txt", "--annotation-file", "notes.json")
        self.assertEqual(result.err, "")

    def test_annotations_of_the_config_go_along_when_attached(self):
        self.box.write("notes.json", json.dumps({"$config": {"k": "v"}}))
        self.ok("attach", f"{self.repo}:v1", "a.txt", "--artifact-type", "a/b",
                "--annotation-file", "notes.json", "--export-manifest", "m.json")
        manifest = json.loads((self.box.work / "m.json").read_bytes())
        self.assertEqual(manifest["config"]["annotations"], {"k": "v"})

    def copy(self, *more):
        return self.ok("cp", *more, f"{self.repo}:v1", "--to-oci-layout", "copy:v1")

    def test_tags_of_cosign(self):
        for suffix in (".sig", ".sbom", ".other"):
            self.ok("tag", f"{self.repo}:v1", self.cosign + suffix)
        self.ok("tag", f"{self.repo}:v1", "sha256-" + "f" * 64 + ".sig")
        for more in ((), ("-r",)):
            with self.subTest(more):
                result = self.copy(*more)
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertIn(f'"{self.cosign}.sbom", "{self.cosign}.sig"', result.err)
                self.assertNotIn("other", result.err)
                self.assertNotIn("ffff", result.err)

    def test_no_tags_of_cosign(self):
        self.proxy.clear()
        self.assertEqual(self.copy().err, "")
        self.assertEqual(len(self.proxy.requests("GET", "/tags/list")), 1)

    def test_registry_that_lists_no_tags(self):
        self.proxy.add(Fault(path="/tags/list", status=403))
        self.assertEqual(self.copy().err, "")


if __name__ == "__main__":
    main()
