# SPDX-License-Identifier: Apache-2.0
"""Content that is several things at once: each descriptor has its line, the bytes move once."""

import json
import re

from harness import programs
from harness.case import CliCase, main
from harness.scripted import IMAGE
from harness.servers import DockerRegistry, registry3

TIMES = 12  # enough for a race of one in five to show


def lines(result, digest):
    """(word, name) of every status line about the digest."""
    return sorted(re.findall(rf"(?m)^(\w+) +{digest[7:19]} (\S+)$", result.out))


@programs.need_docker_registry
class ManifestThatIsALayer(CliCase):
    """The manifest of an image is fetched to a file and attached to the image."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())

    def setUp(self):
        super().setUp()
        self.name = f"{self.registry.host}/{self.id().rsplit('.', 1)[1].replace('_', '-')}"
        self.box.write("hi.txt", b"hello world")
        self.image = self.ok("push", f"{self.name}/src:v1", "hi.txt").digest
        self.ok("manifest", "fetch", f"{self.name}/src:v1", "--output", "m.json")
        self.ok("attach", "--artifact-type", "a/b", f"{self.name}/src:v1", "m.json")

    def check(self, result, doing, done):
        self.assertEqual(lines(result, self.image),
                         sorted([(doing, "m.json"), (done, "m.json"), (doing, IMAGE), (done, IMAGE),
                                 ("Skipped", "m.json")]), result)

    def test_into_a_layout_both_have_their_line_every_time(self):
        for number in range(TIMES):
            copied = self.ok("cp", "-r", f"{self.name}/src:v1", "--to-oci-layout", f"out{number}:v1")
            self.check(copied, "Copying", "Copied")
        index = json.loads((self.box.work / "out0/index.json").read_bytes())
        self.assertIn(self.image, [entry["digest"] for entry in index["manifests"]])

    def test_backup_and_restore(self):
        self.ok("backup", "--include-referrers", "--output", "bk", f"{self.name}/src:v1")
        for number in range(TIMES):
            restored = self.ok("restore", "--input", "bk", f"{self.name}/dst{number}:v1")
            self.check(restored, "Pushing", "Pushed")
        self.ok("discover", f"{self.name}/dst0:v1")
        self.ok("blob", "fetch", "--output", "again.json", f"{self.name}/dst0@{self.image}")
        self.assertEqual((self.box.work / "again.json").read_bytes(),
                         (self.box.work / "m.json").read_bytes())

    def test_between_repositories(self):
        for number in range(TIMES):
            copied = self.ok("cp", "-r", f"{self.name}/src:v1", f"{self.name}/dst{number}:v1")
            self.assertEqual(lines(copied, self.image),
                             sorted([("Mounted", "m.json"), ("Copying", IMAGE), ("Copied", IMAGE),
                                     ("Skipped", "m.json")]), copied)


@programs.need_docker_registry
class OneContentUnderManyTypes(CliCase):
    """Sixteen descriptors of the same bytes."""

    def setUp(self):
        super().setUp()
        self.box.write("data", b"x" * 300000)
        words = []
        for number in range(16):
            self.box.write(f"f{number}", b"x" * 300000)
            words.append(f"f{number}:text/x-{number}")
        self.ok("push", "--oci-layout", "src:v1", *words)

    def check_all_lines(self, result):
        for number in range(16):
            self.assertRegex(result.out, rf"(?m)^(Copied|Exists) +\w+ f{number}$", result)

    def test_moves_once(self):
        for make in (DockerRegistry, registry3):
            registry = self.serve_here(make())
            for number in range(TIMES // 2):
                copied = self.ok("cp", "--concurrency", "8", "--from-oci-layout", "src:v1",
                                 f"{registry.host}/many{number}:v1")
                self.check_all_lines(copied)
        for number in range(TIMES // 2):
            copied = self.ok("cp", "--concurrency", "8", f"{registry.host}/many0:v1",
                             "--to-oci-layout", f"out{number}:v1")
            self.check_all_lines(copied)


if __name__ == "__main__":
    main()
