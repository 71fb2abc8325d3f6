# SPDX-License-Identifier: Apache-2.0
"""The power fails at any moment: what is found afterwards is old or new, and never wrong (F46).

One run of the program is recorded; every prefix of its calls is then cut off, with what was not
synced lost, kept, emptied, or kept in part (`harness/power.py`).
"""

import hashlib
import json
import os
import random
import re
import shutil
import string
import tarfile

from harness import power
from harness.case import CliCase, main, need_strace
from harness.fixtures import REF_NAME, make_tar, tar_layer
from harness.scripted import ScriptedRegistry, layer, manifest, sha256

ROUNDS = int(os.environ.get("CORAS_TEST_ROUNDS", "25"))
MIB = 1 << 20

# What the program calls its unfinished work; nobody takes it for content.
WORKING = re.compile(r"(.*/)?(\.coras-partial|\.coras-[0-9a-f]{16}(\.partial)?"
                     r"|\.sha256-[0-9a-f]{64}\.partial|ingest)(/.*)?")
# The same, where the next run finds it by its name and takes it away.
FOUND_AGAIN = re.compile(r"(.*/)?(\.coras-partial|\.sha256-[0-9a-f]{64}\.partial)(/.*)?")


def final(tree):
    return {name: value for name, value in tree.items() if not WORKING.fullmatch(name)}


def brief(tree):
    """For a message that can be read."""
    return {name: f"{len(value)} bytes, {sha256(value)[:19]}" if isinstance(value, bytes) else value
            for name, value in tree.items()}


@need_strace
class PowerCut(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.random = random.Random(46)
        # Letters keep the recording short; more than 1 MiB is resumed.
        self.big = "".join(self.random.choices(string.ascii_letters, k=MIB + 200000)).encode()

    def ref(self, tag="v1"):
        return f"{self.registry.host}/a:{tag}"

    # ---- recording, cutting, going on ----

    def record(self, *argv):
        """Run and record; the model must have seen everything that is on disk in the end."""
        before, log = power.scan(self.box.work), self.box.root / "log"
        result = self.under_strace(
            ["-y", "-s", str(4 * MIB), "-o", log, "-e", "signal=none",
             "-e", "trace=" + ",".join("?" + call for call in power.CHANGES)], *argv)
        self.assertEqual(result.code, 0, result)
        recording = power.Recording(self.box.work, before).read(log)
        self.assertEqual(recording.state(len(recording.events), power.keep_all),
                         power.scan(self.box.work))
        return recording

    def cuts(self, recording):
        """(length of the prefix, what became of the rest, the tree) of every cut."""
        fates = {"everything unsynced is lost": power.lose_all,
                 "everything is kept": power.keep_all,
                 "names are kept, files are empty": power.keep_names,
                 "names are kept, files are zeros": power.keep_names_and_sizes,
                 **{f"some is kept ({n})": power.keep_some(self.random)
                    for n in range(max(2, ROUNDS // 5))}}
        for length in range(len(recording.events) + 1):
            for fate, choose in fates.items():
                yield length, fate, recording.state(length, choose)

    def sample(self, recording, cuts):
        """Some of the cuts: around each call but writes, of which there are many alike."""
        def is_write(cut):
            return cut[0] > 0 and isinstance(recording.events[cut[0] - 1], power.Write)
        writes, others = [c for c in cuts if is_write(c)], [c for c in cuts if not is_write(c)]
        return self.random.sample(writes, min(ROUNDS // 4, len(writes))) + \
            self.random.sample(others, min(ROUNDS - ROUNDS // 4, len(others)))

    def goes_on(self, tree, *argv):
        """What the command makes of what a cut has left."""
        top = self.box.root / "after"
        power.lay_out(tree, top)
        self.ok(*argv, cwd=top)
        found = power.scan(top)
        shutil.rmtree(top)
        return found

    def check(self, *argv, right, whole):
        """`right(tree)` must hold for each cut, `whole(tree)` too when the command has ended."""
        recording = self.record(*argv)
        cuts = []
        for length, fate, tree in self.cuts(recording):
            with self.explained(recording, length, fate):
                right(tree)
                if length == len(recording.events):
                    whole(tree)
            cuts.append((length, fate, tree))
        for length, fate, tree in self.sample(recording, cuts):
            with self.explained(recording, length, fate):
                found = self.goes_on(tree, *argv)
                right(found)
                whole(found)
                self.assertEqual([n for n in found if FOUND_AGAIN.fullmatch(n)], [])

    def explained(self, recording, length, fate):
        last = recording.events[length - 1].call if length else "nothing"
        return Explained(f"cut after call {length} of {len(recording.events)}, {fate}: {last}")

    # ---- the promises ----

    def old_or_new(self, old, new, tree):
        """Each name is there as before or as it is to become, and none of the old ones is lost."""
        for name, value in final(tree).items():
            self.assertIn(name, {**old, **new}, "a name that nobody gave")
            self.assertTrue((name in old and value == old[name]) or
                            (name in new and value == new[name]), f"{name}: neither old nor new")
        self.assertLessEqual(set(old), set(tree), "an old name is gone")

    def check_files(self, *argv, new, right=lambda _: None):
        old = power.scan(self.box.work)

        def both(tree):
            self.old_or_new(old, new, tree)
            right(tree)

        def whole(tree):
            self.assertEqual(brief(final(tree)), brief({**old, **new}))

        self.check(*argv, right=both, whole=whole)

    def serve_files(self):
        self.registry.artifact("v1", [(self.big, "big.bin"), (b"small", "sub/small"),
                                      (b"small", "copy")])
        return {"out": None, "out/big.bin": self.big, "out/sub": None, "out/sub/small": b"small",
                "out/copy": b"small"}

    def serve_directory(self):
        link, hard = tarfile.TarInfo("d/link"), tarfile.TarInfo("d/hard")
        link.type, link.linkname = tarfile.SYMTYPE, "sub/b"
        hard.type, hard.linkname = tarfile.LNKTYPE, "d/a"
        blob, entry = tar_layer(make_tar([
            ("d", None), ("d/a", b"a" * 70000), ("d/sub", None), ("d/sub/b", b"b"),
            ("d/sub/new", b"new"), link, hard]), "d")
        self.registry.blob(blob)
        self.registry.put("v1", manifest([entry]))
        return {"out": None, "out/d": None, "out/d/a": b"a" * 70000, "out/d/sub": None,
                "out/d/sub/b": b"b", "out/d/sub/new": b"new", "out/d/link": "sub/b",
                "out/d/hard": b"a" * 70000}

    def test_pull(self):
        """A file under its final name is complete; after exit 0 all are there to stay."""
        self.check_files("pull", self.ref(), "-o", "out", new=self.serve_files())

    def test_pull_into_directories_that_are_made_for_it(self):
        """After exit 0 a file is not lost because a directory above it is."""
        self.registry.artifact("v1", [(b"small", "made/for/it")])
        above = dict.fromkeys(("to", "to/out", "to/out/made", "to/out/made/for"))
        self.check_files("pull", self.ref(), "-o", "to/out",
                         new={**above, "to/out/made/for/it": b"small"})

    def test_pull_over_older_files(self):
        """The old bytes or the new ones, never a mixture, never neither."""
        new = self.serve_files()
        self.box.write("out/big.bin", b"old" * 100000)
        self.box.write("out/sub/small", b"a longer one than the new one")
        self.box.write("out/other", b"not of the artifact")
        self.check_files("pull", self.ref(), "-o", "out", new=new)

    def test_pull_of_a_directory(self):
        """A new directory appears as a whole."""
        new = self.serve_directory()

        def right(tree):
            if "out/d" in tree:
                self.assertEqual(brief(final(tree)), brief(new))

        self.check_files("pull", self.ref(), "-o", "out", new=new, right=right)

    def test_pull_of_a_directory_over_an_older_one(self):
        """Each of its files is the old or the new one, and the new one after exit 0."""
        new = self.serve_directory()
        self.box.write("out/d/a", b"old")
        self.box.write("out/d/sub/b", b"old too")
        self.box.write("out/d/sub/other", b"not of the artifact")
        self.check_files("pull", self.ref(), "-o", "out", new=new)

    def test_blob_fetch(self):
        """`--output` is the old file or the new one."""
        self.registry.blob(self.big)
        argv = ("blob", "fetch", f"{self.registry.host}/a@{sha256(self.big)}", "-o", "blob")
        with self.subTest("new"):
            self.check_files(*argv, new={"blob": self.big})
        with self.subTest("over an old one"):
            self.box.write("blob", b"old")
            self.check_files(*argv, new={"blob": self.big})

    # ---- layouts ----

    def assertBlobsRight(self, tree):
        for name, data in final(tree).items():
            match = re.fullmatch(r"to/lay/blobs/(\w+)/(\w+)", name)
            if match:
                self.assertEqual(hashlib.new(match[1], data).hexdigest(), match[2], name)

    def assertNamedContentThere(self, tree):
        """All that index.json leads to is there; returns tag -> digest."""
        if "to/lay/index.json" not in tree:
            return {}
        index, tags = json.loads(tree["to/lay/index.json"]), {}
        for entry in index["manifests"]:
            tags[entry.get("annotations", {}).get(REF_NAME)] = entry["digest"]
            found = tree.get(self.blob_path(entry["digest"]))
            self.assertIsNotNone(found, f"index.json names {entry['digest']}, which is not there")
            for part in (json.loads(found)["config"], *json.loads(found)["layers"]):
                self.assertIn(self.blob_path(part["digest"]), sorted(tree))
        return tags

    @staticmethod
    def blob_path(digest):
        return "to/lay/blobs/" + digest.replace(":", "/")

    def check_copy(self, tag, tags):
        """`tags` were there before; each cut has them, and `tag` whole or not at all."""
        wanted = {**tags, tag: sha256(self.registry.manifests[tag][0])}

        def right(tree):
            self.assertBlobsRight(tree)
            found = self.assertNamedContentThere(tree)
            self.assertIn(found, ({}, tags, wanted) if not tags else (tags, wanted))
            self.assertIn(tree.get("to/lay/oci-layout"), (None, b'{"imageLayoutVersion":"1.0.0"}'))

        def whole(tree):
            self.assertEqual(self.assertNamedContentThere(tree), wanted)
            self.assertIn("to/lay/oci-layout", tree)

        self.check("cp", self.ref(tag), "--to-oci-layout", f"to/lay:{tag}",
                   right=right, whole=whole)
        return wanted

    def test_copy_into_a_layout(self):
        """index.json never names what is missing or wrong, and forgets no tag."""
        other = b"of another algorithm"
        digest = "sha512:" + hashlib.sha512(other).hexdigest()
        self.registry.blob(b"{}")
        for data in (self.big, b"one", b"two"):
            self.registry.blob(data)
        self.registry.blob(other, digest)
        self.registry.put("v1", manifest([layer(self.big, "big.bin"), layer(b"one", "one")]))
        self.registry.put("v2", manifest([layer(self.big, "big.bin"), layer(b"two", "two"),
                                          layer(other, "other", digest=digest)]))
        tags = self.check_copy("v1", {})
        self.check_copy("v2", tags)


class Explained:
    """Says of a failure at which cut it was."""

    def __init__(self, where):
        self.where = where

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is not None and issubclass(kind, AssertionError):
            raise AssertionError(f"{self.where}\n{str(error)[:2000]}") from None


if __name__ == "__main__":
    main()
