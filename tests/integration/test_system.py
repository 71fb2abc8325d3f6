# SPDX-License-Identifier: Apache-2.0
"""The machine itself fails: streams, disks, descriptors, threads. Rows F33-F43 of the threat model."""

import os
import subprocess
import unittest

from harness.case import CliCase, main, need_strace
from harness.scripted import ScriptedRegistry

MIB = 1 << 20


class SystemCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.ref = f"{self.registry.host}/a:v1"
        self.data = os.urandom(3 * MIB)

    def traced(self, faults, *argv, **options):
        """The program under strace, which injects the faults."""
        inject = [word for fault in faults for word in ("-e", f"inject={fault}")]
        return self.under_strace(["-o", "/dev/null", *inject], *argv, **options)

    def serve_artifact(self, *more):
        self.registry.artifact("v1", [(self.data, "big.bin"), (b"small", "sub/small"), *more])

    def shell(self, script, **options):
        return self.box.run("bash", "-c", script, env={"REF": self.ref}, **options)


class Streams(SystemCase):
    """F43: what could not be said is a failure, whatever was done on disk."""

    COMMANDS = ("pull $REF -o out", "pull $REF -o out --format json", "resolve $REF",
                "manifest fetch $REF", "repo tags ${REF%:v1}", "discover $REF", "version", "help")

    def test_reader_went_away(self):
        self.serve_artifact()
        for command in self.COMMANDS:
            with self.subTest(command):
                # The pipe's reader has ended before the program starts.
                result = self.shell(f"exec 3> >(exit); wait $!; oras {command} >&3")
                self.assertEqual(result.code, 1, result)
                self.assertEqual(result.err, "Error: write /dev/stdout: broken pipe\n")
        self.assertEqual(self.read("out/big.bin"), self.data)
        self.no_leftovers("out", but=["big.bin", "sub/", "sub/small"])

    def test_closed_streams_do_not_become_files_of_ours(self):
        """A closed stdout must not be the number of a socket or of a file of the artifact."""
        self.serve_artifact()
        for command in self.COMMANDS:
            with self.subTest(command):
                result = self.shell(f"oras {command} >&-")
                self.assertEqual(result.code, 1, result)
                self.assertIn("write /dev/stdout: bad file descriptor", result.err)
        self.box.run("rm", "-rf", "out")
        result = self.shell("oras pull $REF -o out <&- 2>&-")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/big.bin"), self.data)
        self.assertEqual(self.read("out/sub/small"), b"small")

    def test_stderr_went_away(self):
        self.serve_artifact()
        result = self.shell("exec 3> >(exit); wait $!; oras pull --debug $REF -o out 2>&3")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/big.bin"), self.data)


class Mounted(SystemCase):
    """Small and read-only file systems, where mounting is permitted."""

    def mount(self, name, options):
        target = self.box.work / name
        target.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", target],
                          capture_output=True, check=False).returncode:
            self.skipTest("mounting is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", target], check=False)

    def test_f33_room_for_one_of_two(self):
        """Each would fit, not both: that is known before anything moves."""
        self.mount("out", "size=4m")
        self.serve_artifact((os.urandom(3 * MIB), "two.bin"))
        result = self.fails("pull", self.ref, "-o", "out", contains="bytes needed", hint="space")
        self.assertIn(f"{6 * MIB + 5} bytes needed, {4 * MIB} available: no space left on device",
                      result.err)
        self.no_leftovers("out")
        self.assertEqual(self.registry.requests("GET", "/blobs/"), [])

    def test_f33_what_is_there_needs_no_room(self):
        self.mount("out", "size=5m")
        self.serve_artifact()
        self.coras("pull", self.ref, "-o", "out", check=0)
        self.assertIn("Skipped", self.coras("pull", self.ref, "-o", "out", check=0).out)
        (self.box.work / "out/sub/small").unlink()
        self.coras("pull", self.ref, "-o", "out", check=0)
        self.assertEqual(self.read("out/sub/small"), b"small")
        self.assertEqual(len(self.registry.requests("GET", "/blobs/")), 3)

    def test_f33_no_inodes_left(self):
        self.mount("out", "nr_inodes=6")
        self.serve_artifact(*((b"%d" % n, f"sub/{n}") for n in range(10)))
        self.fails("pull", self.ref, "-o", "out", contains="no space left on device")
        self.assertEqual([n for n in self.names("out") if not n.startswith(".coras-partial")], [])

    def test_f34_read_only_is_known_before_anything_moves(self):
        self.mount("out", "ro")
        self.serve_artifact()
        self.fails("pull", self.ref, "-o", "out", contains="read-only file system")
        self.assertEqual(self.registry.requests("GET", "/blobs/"), [])

    def test_c41_bomb_is_removed_again(self):
        import tarfile
        from harness.fixtures import make_tar, tar_layer
        from harness.scripted import manifest
        self.mount("out", "size=4m")
        many = make_tar([("d", None)] + [(f"d/{n}", bytes(MIB - 1)) for n in range(16)])
        info = tarfile.TarInfo("d/big")
        info.size = 1 << 40
        giant = make_tar([("d", None)])[:-1024] + info.tobuf(tarfile.GNU_FORMAT) + bytes(MIB)
        for tar in (many, giant):
            blob, entry = tar_layer(tar, "d")
            self.registry.blob(blob)
            self.registry.put("v1", manifest([entry]))
            self.fails("pull", self.ref, "-o", "out", contains=[
                "no space left on device", f"bytes unpacked of an archive of {len(blob)} bytes"])
            self.no_leftovers("out")


@need_strace
class Injected(SystemCase):
    """System calls that fail when they are told to."""

    def pull(self, *faults, **options):
        return self.traced(faults, "pull", self.ref, "-o", "out", **options)

    def serve_all(self):
        from harness.fixtures import make_tar, tar_layer
        from harness.scripted import layer, manifest
        blob, directory = tar_layer(make_tar([("d", None), ("d/a", b"a" * 100000)]), "d")
        for data in (blob, self.data, b"small"):
            self.registry.blob(data)
        self.registry.put("v1", manifest([
            layer(self.data, "big.bin"), layer(b"small", "sub/small"), layer(b"small", "copy"),
            directory]))

    def assertWhole(self, result):
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/big.bin"), self.data)
        self.assertEqual(self.read("out/d/a"), b"a" * 100000)
        self.no_leftovers("out", but=["big.bin", "copy", "d/", "d/a", "sub/", "sub/small"])

    def partials(self):
        return [n for n in self.names("out") if n.endswith(".partial")]

    def assertNothing(self, result, *texts):
        self.assertEqual(result.code, 1, result)
        for text in texts:
            self.assertIn(str(text), result.err)
        self.assertEqual([n for n in self.names("out") if not n.startswith(".coras-partial")], [])

    def test_f35_interrupted_and_short_writes(self):
        self.serve_all()
        self.assertWhole(self.pull("pwrite64,fsync,syncfs:error=EINTR:when=1+2"))

    def test_f35_write_fails(self):
        self.serve_all()
        self.assertNothing(self.pull("pwrite64:error=EIO:when=3+"), "write: input/output error",
                           self.box.work / "out")

    def test_f33_f34_disk_fills_or_quota_ends(self):
        self.serve_all()
        for error, text in (("ENOSPC", "no space left on device"), ("EDQUOT", "disk quota exceeded"),
                            ("EFBIG", "file too large")):
            with self.subTest(error):
                self.assertNothing(self.pull(f"pwrite64:error={error}:when=3+"), text)

    def test_f36_failed_sync_is_final(self):
        """Neither renamed nor kept: a second fsync would say that all is well."""
        self.serve_all()
        for first in (1, 2):
            self.assertNothing(self.pull(f"fsync,fdatasync:error=EIO:when={first}+"),
                               "input/output error")
            self.no_leftovers("out")

    def test_f37_failed_rename_keeps_what_was_verified(self):
        self.serve_all()
        for error in ("EIO", "EACCES"):
            self.assertNothing(self.pull(f"rename,renameat,renameat2:error={error}"), "rename")
            self.assertEqual(len(self.partials()), 1)
        self.registry.log.clear()
        self.assertWhole(self.pull())
        from harness.scripted import sha256
        self.assertEqual(self.registry.requests("GET", "/blobs/" + sha256(self.data)), [])

    def test_f39_few_descriptors(self):
        self.serve_all()
        self.assertWhole(self.pull("socket:error=EMFILE:when=1..2"))
        result = self.pull("socket:error=EMFILE")
        self.assertIn("socket: too many open files", result.err)
        self.assertIn("ulimit -n", result.hint)
        for limit in (8, 10, 12, 16, 24):
            with self.subTest(limit):
                self.box.run("rm", "-rf", "out")
                result = self.shell(f"ulimit -n {limit}; oras pull $REF -o out")
                if result.code == 0:
                    self.assertWhole(result)
                else:
                    self.assertNothing(result, "too many open files")
                self.assertWhole(self.pull())

    def test_f42_few_threads(self):
        self.serve_all()
        for first in (2, 3, 4):
            with self.subTest(first):
                self.box.run("rm", "-rf", "out")
                self.assertWhole(self.pull(f"clone,clone3:error=EAGAIN:when={first}+"))

    def test_file_system_without_locks_and_reservations(self):
        self.serve_all()
        self.assertWhole(self.pull("flock:error=ENOLCK", "fallocate:error=EOPNOTSUPP",
                                   "openat2:error=ENOSYS", "sync_file_range:error=ENOSYS",
                                   "copy_file_range:error=EINTR:when=1"))


class Outputs(SystemCase):
    """`--output`: whole or not at all, and what was there before stays until then."""

    def setUp(self):
        super().setUp()
        self.serve_artifact()
        from harness.scripted import sha256
        self.blob = f"{self.registry.host}/a@{sha256(self.data)}"
        self.old = self.box.write("old", b"precious", mode=0o640)

    def fetch(self, name, **options):
        return self.coras("blob", "fetch", self.blob, "--output", name, **options)

    def test_failure_keeps_what_was_there(self):
        from harness.scripted import Reply
        self.registry.on("GET", "/blobs/", lambda _: Reply(
            200, {"Content-Length": str(len(self.data))}, self.data[:MIB] + b"x" * 2 * MIB))
        self.assertEqual(self.fetch("old").code, 1)
        self.assertEqual(self.read("old"), b"precious")
        self.assertEqual(self.fetch("new").code, 1)
        self.box.write("kept.tar", b"an older backup")
        self.fails("backup", f"{self.registry.host}/a:v1", "--output", "kept.tar")
        self.assertEqual(self.read("kept.tar"), b"an older backup")
        self.fails("backup", f"{self.registry.host}/a:v1", "--output", "new.tar")
        self.no_leftovers(but=["kept.tar", "old"])

    def test_success_replaces(self):
        os.link(self.old, self.box.work / "hard")
        (self.box.work / "soft").symlink_to("old")
        self.assertEqual(self.fetch("soft").code, 0)
        self.assertEqual(self.read("old"), self.data)
        self.assertEqual(self.read("hard"), b"precious")
        self.assertTrue((self.box.work / "soft").is_symlink())
        self.assertEqual(self.old.stat().st_mode & 0o777, 0o640)
        self.no_leftovers(but=["hard", "old", "soft"])

    def test_what_is_no_file_is_written_to(self):
        self.assertEqual(self.fetch("/dev/null").code, 0)
        self.assertEqual(os.stat("/dev/null").st_mode & 0o170000, 0o020000)
        result = self.shell(f"oras blob fetch {self.blob} --output /dev/stdout > all; ls -A")
        self.assertEqual(result.out.split(), ["all", "old"])
        self.assertEqual(self.read("all"), self.data)
        result = self.shell(f"oras blob fetch {self.blob} --output >(cat > piped); wait $!")
        self.wait_until(lambda: self.read("piped") == self.data)
        self.fails("blob", "fetch", self.blob, "--output", ".", contains="open .: is a directory")
        self.fails("blob", "fetch", self.blob, "--output", "no/where",
                   contains="open no/where: no such file or directory")

    @need_strace
    def test_order_of_calls(self):
        """Data, fsync, rename, fsync of the directory; a failure of any leaves nothing, but for what
        was downloaded, verified and synced."""
        for index, command in enumerate((
                ("blob", "fetch", self.blob), ("manifest", "fetch", self.ref),
                ("manifest", "fetch-config", self.ref), ("backup", self.ref))):
            for fault in ("fsync,fdatasync:error=EIO", "rename,renameat,renameat2:error=EIO"):
                result = self.traced((fault,), *command, "--output", f"o{index}.tar")
                self.assertEqual(result.code, 1, result)
                verified = self.box.work / f".{self.blob.split('@')[1].replace(':', '-')}.partial"
                if command[0] == "blob" and fault.startswith("rename"):
                    self.assertEqual(verified.read_bytes(), self.data)
                    verified.unlink()
                self.no_leftovers(but=["old"])

    @need_strace
    def test_a_directory_that_cannot_be_read_is_no_empty_one(self):
        result = self.traced(("getdents64:error=EIO",), "backup", self.ref, "--output", "b.tar")
        self.assertEqual(result.code, 1, result)
        self.assertIn("input/output error", result.err)
        self.no_leftovers(but=["old"])


if __name__ == "__main__":
    main()
