# SPDX-License-Identifier: Apache-2.0
"""What other users and programs do to the files that we read and write."""

import hashlib
import json
import mmap
import os
import subprocess
import unittest

from harness.case import CliCase, main
from harness.fixtures import Repo
from harness.scripted import IMAGE, sha256

MIB = 1 << 20
NOBODY = 65534


def as_nobody(work):
    """Call work() in a child that is another user."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0, "the other user failed"


need_second_user = unittest.skipUnless(os.geteuid() == 0, "only root can be two users")


class SharedDirectory(CliCase):
    """`pull -o /tmp`: others may write there too."""

    def setUp(self):
        super().setUp()
        self.big = os.urandom(2 * MIB)
        repo = Repo()
        repo.artifact("v1", [repo.file(self.big, "big.bin"), repo.file(b"small", "small")])
        repo.install_layout(self.box.work / "lay")
        self.out = self.box.work / "out"
        self.out.mkdir()
        self.out.chmod(0o1777)
        for above in self.out.parents:
            if above.stat().st_uid == os.geteuid() and str(above).startswith("/tmp/"):
                above.chmod(0o755)

    def pull(self):
        return self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")

    def assert_published(self, *also):
        self.assertEqual(self.read("out/big.bin"), self.big)
        self.assertEqual(self.read("out/small"), b"small")
        for name in ("big.bin", "small"):
            self.assertEqual((self.out / name).stat().st_uid, os.geteuid())
        self.assertEqual(sorted(os.listdir(self.out)), sorted(["big.bin", "small", *also]))

    @need_second_user
    def test_stage_that_another_user_prepared_is_not_used(self):
        stage = self.out / ".coras-partial"
        for mode in (0o755, 0o777, 0o700):
            with self.subTest(oct(mode)):
                as_nobody(lambda mode=mode: (os.mkdir(stage), os.chmod(stage, mode)))
                before = stage.stat()
                self.pull()
                self.assert_published(".coras-partial")
                after = stage.stat()
                self.assertEqual((before.st_mtime_ns, before.st_ctime_ns),
                                 (after.st_mtime_ns, after.st_ctime_ns))
                stage.rmdir()
                (self.out / "big.bin").unlink()

    @need_second_user
    def test_partial_file_of_another_user_is_not_continued(self):
        stage = self.out / ".coras-partial"
        stage.mkdir(0o777)
        stage.chmod(0o777)
        partial = stage / f"sha256-{sha256(self.big)[7:]}.partial"
        as_nobody(lambda: partial.write_bytes(self.big))
        self.pull()
        self.assert_published(".coras-partial")
        self.assertEqual(partial.stat().st_uid, NOBODY)

    def test_stage_that_others_may_write_is_not_used(self):
        stage = self.out / ".coras-partial"
        stage.mkdir()
        stage.chmod(0o777)
        before = stage.stat().st_mtime_ns
        self.pull()
        self.assert_published(".coras-partial")
        self.assertEqual(stage.stat().st_mtime_ns, before)

    def test_stage_that_is_a_link_is_not_followed(self):
        other = self.box.work / "other"
        other.mkdir()
        (self.out / ".coras-partial").symlink_to(other)
        self.pull()
        self.assert_published(".coras-partial")
        self.assertEqual(os.listdir(other), [])

    def test_only_what_pulls_leave_is_removed_from_the_stage(self):
        stage = self.out / ".coras-partial"
        (stage / "thesis").mkdir(parents=True)
        (stage / "sha256-00.partial").write_bytes(b"left")
        (stage / ".coras-0123456789abcdef/root").mkdir(parents=True)
        self.pull()
        self.assert_published(".coras-partial")
        self.assertEqual(os.listdir(stage), ["thesis"])


def _can_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(os.geteuid() == 0 and _can_mount(), "may not mount")
class UncountedFileSystem(CliCase):
    """ramfs, and tmpfs without a size, say that they have no blocks at all."""

    def test_pull_push_and_unpack(self):
        data = os.urandom(3 * MIB)
        repo = Repo()
        repo.artifact("v1", [repo.file(data, "big.bin"), repo.file(b"small", "small")])
        repo.install_layout(self.box.work / "lay")
        (self.box.work / "mnt").mkdir()
        for mount in ("-t ramfs none mnt", "-t tmpfs -o size=0 none mnt"):
            with self.subTest(mount):
                self.box.run("unshare", "-m", "sh", "-euc", f"""
                    mount {mount}
                    "$0" pull --oci-layout lay:v1 -o mnt/out
                    cmp mnt/out/big.bin lay/blobs/sha256/{sha256(data)[7:]}
                    cd mnt
                    "$0" push --oci-layout dst:v1 out
                    "$0" pull --oci-layout dst:v1 -o again
                    cmp out/big.bin again/out/big.bin
                    """, self.box.bin / "oras", check=0)


class RememberedDigests(CliCase):
    """Large files are not hashed twice, and never taken for what they no longer are."""

    def setUp(self):
        super().setUp()
        self.data = os.urandom(5 * MIB)

    def layout(self, tag="v1", algorithm="sha256"):
        repo = Repo()
        layer = repo.file(self.data, "f.bin")
        if algorithm != "sha256":
            digest = hashlib.new(algorithm, self.data).hexdigest()
            layer["digest"] = f"{algorithm}:{digest}"
            blobs = self.box.work / "lay/blobs" / algorithm
            blobs.mkdir(parents=True)
            (blobs / digest).write_bytes(self.data)
        repo.artifact(tag, [layer])
        repo.install_layout(self.box.work / "lay")

    def pushed(self, tag="v1"):
        """The digest of the first layer of what has just been pushed into the layout `dst`."""
        index = json.loads(self.read("dst/index.json"))
        digest, = [e["digest"] for e in index["manifests"]
                   if e.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag]
        manifest = json.loads(self.read("dst/blobs/sha256", digest[7:]))
        self.assertEqual(manifest["mediaType"], IMAGE)
        return manifest["layers"][0]["digest"]

    def push(self):
        self.ok("push", "--disable-path-validation", "--oci-layout", "dst:v1", self.file)
        return self.pushed()

    def directories(self):
        yield self.box.work
        if os.path.isdir("/dev/shm"):
            yield "/dev/shm"

    def test_change_through_a_mapping_is_pushed(self):
        for directory in self.directories():
            with self.subTest(str(directory)):
                self.file = os.path.join(directory, f"coras-test-{os.getpid()}.bin")
                self.addCleanup(os.unlink, self.file)
                with open(self.file, "w+b") as file:
                    file.write(self.data)
                    file.flush()
                    with mmap.mmap(file.fileno(), 0) as mapped:
                        mapped[0] ^= 1
                        self.assertEqual(self.push(), sha256(bytes(mapped)))
                        mapped[0] ^= 2
                        self.assertEqual(self.push(), sha256(bytes(mapped)))

    def test_change_through_a_mapping_is_mended_by_pull(self):
        self.layout()
        self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")
        with open(self.box.work / "out/f.bin", "r+b") as file, \
                mmap.mmap(file.fileno(), 0) as mapped:
            mapped[0] = mapped[0]  # the page is dirty; the bytes are right
            self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")
            mapped[0] ^= 1
            again = self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")
        self.assertNotIn("Skipped", again.out)
        self.assertEqual(self.read("out/f.bin"), self.data)

    def test_pulled_by_sha512_is_pushed_by_sha256(self):
        self.layout(algorithm="sha512")
        self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")
        self.file = "out/f.bin"
        self.assertEqual(self.push(), sha256(self.data))


class LinksThatLeaveTheDirectory(CliCase):
    """A link to elsewhere is worth nothing to whoever pulls it."""

    def setUp(self):
        super().setUp()
        self.box.write("secret/key", b"private")
        self.box.write("model/config.json", b"{}")
        self.box.write("model/weights/w.bin", b"weights")
        (self.box.work / "model/current").symlink_to("weights/w.bin")
        (self.box.work / "model/weights/up").symlink_to("../config.json")

    def arrived(self, *flags, name="model"):
        self.ok("push", *flags, "--oci-layout", "dst:v1", name)
        self.ok("pull", "--oci-layout", "dst:v1", "-o", "out")
        out = self.box.work / "out" / name
        return {str(p.relative_to(out)): os.readlink(p) if p.is_symlink() else p.read_bytes()
                for p in out.rglob("*") if p.is_symlink() or p.is_file()}

    PLAIN = {"config.json": b"{}", "weights/w.bin": b"weights", "current": "weights/w.bin",
             "weights/up": "../config.json"}

    def test_links_inside_stay_links(self):
        self.assertEqual(self.arrived(), self.PLAIN)
        self.assertEqual(self.arrived("--follow-links"), self.PLAIN)

    def test_a_link_that_leaves_is_named(self):
        for target in ("../secret/key", str(self.box.work / "secret/key"), "../secret"):
            with self.subTest(target):
                link = self.box.work / "model/weights/../escape"
                link.symlink_to(target)
                for command in ("push", "attach"):
                    flags = ["--artifact-type", "a/b"] if command == "attach" else []
                    if flags:
                        self.ok("push", "--oci-layout", "dst:v1", "secret/key")
                    self.fails(command, *flags, "--oci-layout", "dst:v1", "model",
                               contains=["model/escape: symbolic link leads out", target],
                               hint="--follow-links")
                link.unlink()

    def test_followed_on_demand(self):
        (self.box.work / "model/file").symlink_to("../secret/key")
        (self.box.work / "model/dir").symlink_to("../secret")
        (self.box.work / "secret/same").symlink_to("key")
        self.assertEqual(self.arrived("--follow-links"),
                         {**self.PLAIN, "file": b"private", "dir/key": b"private",
                          "dir/same": "key"})

    def test_a_circle_ends(self):
        (self.box.work / "secret/back").symlink_to("../model")
        (self.box.work / "model/dir").symlink_to("../secret")
        self.fails("push", "--follow-links", "--oci-layout", "dst:v1", "model",
                   contains="model/dir/back: too many levels of symbolic links")

    def hub(self, links):
        repository = self.box.work / "hub/models--org--tiny"
        self.box.write("hub/models--org--tiny/blobs/aa", b"weights")
        self.box.write("hub/models--org--tiny/blobs/bb", b"{}")
        snapshot = repository / "snapshots/0123"
        for name, target in links.items():
            (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
            (snapshot / name).symlink_to(target)
        return snapshot

    def test_a_hub_snapshot_is_followed_by_itself(self):
        snapshot = self.hub({"model.safetensors": "../../blobs/aa",
                             "sub/config.json": "../../../blobs/bb"})
        self.assertEqual(self.arrived(name=str(snapshot.relative_to(self.box.work))),
                         {"model.safetensors": b"weights", "sub/config.json": b"{}"})
        self.ok("push", "--oci-layout", "dst:v2", ".", cwd=snapshot)

    def test_a_hub_snapshot_is_followed_to_its_blobs_only(self):
        snapshot = self.hub({"model.safetensors": "../../blobs/aa", "key": "../../../../secret/key"})
        self.fails("push", "--oci-layout", "dst:v1", str(snapshot.relative_to(self.box.work)),
                   contains="0123/key: symbolic link leads out")


class ManyFiles(CliCase):
    """More of them than a process may have open."""

    COUNT = 300

    def setUp(self):
        super().setUp()
        self.names = [f"f{i:03}" for i in range(self.COUNT)]
        for name in self.names:
            self.box.write("in/" + name, name.encode())

    def test_push(self):
        self.box.run("bash", "-c", f"ulimit -n 200; {self.box.bin}/oras push --oci-layout ../lay:v1 f*",
                     cwd=self.box.work / "in", check=0)
        self.ok("pull", "--oci-layout", "lay:v1", "-o", "out")
        for name in self.names:
            self.assertEqual(self.read("out/" + name), name.encode())


if __name__ == "__main__":
    main()
