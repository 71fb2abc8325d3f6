# SPDX-License-Identifier: Apache-2.0
"""OCI layouts made by others: digests that are paths, traps for files, damaged blobs."""

import io
import json
import os
import tarfile

from harness.case import CliCase, main
from harness.fixtures import BYE, HI, REPOS
from harness.scripted import IMAGE, sha256


class Layouts(CliCase):
    def setUp(self):
        super().setUp()
        self.lay = self.box.work / "lay"
        REPOS["hello"].install_layout(self.lay)
        self.blob = self.lay / "blobs/sha256" / sha256(HI)[7:]

    def pull(self, name="lay:v1"):
        return self.coras("pull", "--oci-layout", name, "-o", "out", timeout=30)

    def refused(self, name="lay:v1"):
        result = self.pull(name)
        self.assertEqual(result.code, 1, result)
        self.assertPrintable(result.text)
        files = [n for n in self.names("out") if not n.endswith("/")]
        self.assertEqual(files, [], result)

    def edit_index(self, change):
        path = self.lay / "index.json"
        value = json.loads(path.read_bytes())
        change(value)
        path.write_text(json.dumps(value))

    def test_c116_digest_is_a_path(self):
        (self.box.root / "secret").write_bytes(self.lay.joinpath(
            "blobs/sha256", sha256(REPOS["hello"].manifests[0][1])[7:]).read_bytes())
        for digest in ("sha256:../../../../secret", "../secret", "sha256:", "", "sha256:.."):
            self.edit_index(lambda v, d=digest: [e.update(digest=d) for e in v["manifests"]])
            self.refused()

    def test_another_version_is_left_as_it_is(self):
        other = self.box.work / "other"
        other.mkdir()
        (other / "oci-layout").write_text('{"imageLayoutVersion":"2.0.0"}')
        self.box.write("hi.txt", HI)
        self.fails("push", "--oci-layout", "other:v1", "hi.txt", contains="unsupported version")
        self.assertFalse((other / "index.json").exists())

    def test_c117_blob_is_no_regular_file(self):
        outside = self.box.root / "outside"
        outside.write_bytes(HI)
        for make in (lambda: os.mkfifo(self.blob), lambda: self.blob.symlink_to(outside),
                     lambda: self.blob.symlink_to("/dev/zero"), self.blob.mkdir):
            self.blob.unlink()
            make()
            self.refused()
            if self.blob.is_dir() and not self.blob.is_symlink():
                self.blob.rmdir()
                self.blob.touch()

    def test_c118_damaged_blob(self):
        for data in (b"hello w0rld", b"hello worl", b"hello world!", b""):
            self.blob.write_bytes(data)
            self.refused()
        self.blob.unlink()
        self.refused()

    def test_c119_index_and_version(self):
        good = (self.lay / "index.json").read_bytes()
        for data in (b"", b"{", b"[]", b"[" * 100000, b'{"manifests":5}', good + b"x"):
            (self.lay / "index.json").write_bytes(data)
            self.refused()
            self.assertEqual((self.lay / "index.json").read_bytes(), data)
        with open(self.lay / "index.json", "wb") as file:
            file.write(b"{")
            file.truncate(300 << 20)
        self.refused()
        (self.lay / "index.json").write_bytes(good)
        for data in (b"{}", b"", b'{"imageLayoutVersion":"2.0.0"}', b"x" * 100):
            (self.lay / "oci-layout").write_bytes(data)
            self.refused()

    def test_null_manifests(self):
        self.edit_index(lambda v: v.update(manifests=None))
        self.fails("pull", "--oci-layout", "lay:v1", contains="Error: not found\n")
        self.assertEqual(self.ok("repo", "tags", "--oci-layout", "lay").out, "")

    def tar(self, *extra):
        with tarfile.open(self.box.work / "lay.tar", "w") as tar:
            tar.add(self.lay, ".")
            for info, data in extra:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def test_c120_tar_members(self):
        self.tar()
        self.assertEqual(self.pull("lay.tar:v1").code, 0)
        self.box.run("rm", "-rf", "out")
        index = (self.lay / "index.json").read_bytes()
        for name, data in (("./blobs/sha256/" + sha256(HI)[7:], b"hello w0rld"), ("index.json", index),
                           (".//index.json", index)):
            self.tar((tarfile.TarInfo(name), data))
            self.refused("lay.tar:v1")
            self.assertIn("occurs twice", self.pull("lay.tar:v1").err)
        self.tar((tarfile.TarInfo("../evil"), b"evil"))
        self.refused("lay.tar:v1")
        self.assertFalse((self.box.root / "evil").exists())
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo("blobs/sha256/" + "0" * 64)
            link.type, link.linkname = kind, "/etc/passwd"
            self.tar((link, b""))
            self.refused("lay.tar:v1")

    def test_tags_cannot_reach_the_terminal_raw(self):
        index = self.box.work / "lay/index.json"
        index.write_bytes(index.read_bytes().replace(b'"v1"', b'"v\\u001b[31m1"'))
        result = self.coras("repo", "tags", "--oci-layout", "lay")
        self.assertIn("v\\x1b[31m1\n", result.out)

    def test_truncated_tar(self):
        self.tar()
        whole = self.read("lay.tar")
        for size in (100, 512, 1500, len(whole) // 2):
            self.box.write("cut.tar", whole[:size])
            result = self.pull("cut.tar:v1")
            if result.code == 0:
                self.assertEqual(self.read("out/hi.txt"), HI)
                self.box.run("rm", "-rf", "out")

    def test_copy_verifies(self):
        """cp does not spread damage."""
        self.blob.write_bytes(b"hello w0rld")
        result = self.coras("cp", "--from-oci-layout", "lay:v1", "--to-oci-layout", "dst:v1")
        self.assertEqual(result.code, 1, result)
        target = self.box.work / "dst/blobs/sha256" / sha256(HI)[7:]
        self.assertFalse(target.exists())

    def put(self, text, tag):
        """A manifest as another tool may have left it, under a tag."""
        data = text.encode()
        (self.lay / "blobs/sha256" / sha256(data)[7:]).write_bytes(data)
        entry = {"mediaType": IMAGE, "digest": sha256(data), "size": len(data),
                 "annotations": {"org.opencontainers.image.ref.name": tag}}
        self.edit_index(lambda index: index["manifests"].append(entry))

    def test_a_manifest_without_sense_stands_in_nobodys_way(self):
        blobs = self.lay / "blobs/sha256"
        before = set(blobs.iterdir())
        for body in ('"annotations":{"a":1}', '"config":{},"layers":[]', '"schemaVersion":"2"'):
            document = f'{{"mediaType":"{IMAGE}",' + body + "}"
            self.put(document, "bad")
            self.ok("attach", "--oci-layout", "lay:v1", "--artifact-type", "a/b", "-a", "k=v")
            found = self.ok("discover", "--oci-layout", "lay:v1", "--format", "json")
            referrer = json.loads(found.out)["referrers"][0]["digest"]
            self.ok("manifest", "delete", "--force", "--oci-layout", f"lay@{referrer}")
            self.ok("manifest", "delete", "--force", "--oci-layout", "lay:bad")
        self.assertEqual(set(blobs.iterdir()), before)
        self.put(document, "bad")
        self.ok("manifest", "delete", "--force", "--oci-layout", "lay:v2")
        self.assertTrue((blobs / sha256(BYE)[7:]).exists())  # the other one may need it

    def test_takes_no_manifest_that_cannot_be_taken_apart(self):
        for body, fault in (('"config":5', "config: not a JSON object"), ('"layers":{}', "layers: not a list"),
                            ('"layers":[{"size":"2"}]', "layers[0].size: not an integer"),
                            ('"annotations":{"a":5}', "annotations: not a map of strings")):
            before = self.names("lay")
            document = f'{{"mediaType":"{IMAGE}",' + body + "}"
            self.fails("manifest", "push", "--oci-layout", "lay:bad", "-", stdin=document,
                       contains=f"failed to push content: {fault}")
            self.assertEqual(self.names("lay"), before)
        document = f'{{"mediaType":"{IMAGE}","config":{{}},"layers":[null]}}'  # odd, but of the right types
        self.ok("manifest", "push", "--oci-layout", "lay:odd", "-", stdin=document)


if __name__ == "__main__":
    main()
