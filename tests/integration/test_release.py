# SPDX-License-Identifier: Apache-2.0
"""The release as people download it: what is in it, and that the program needs nothing beside itself.

Needs what scripts/release has left in dist/ (CORAS_DIST=DIR for another place); the empty root needs root's rights. The
program for another machine runs there by QEMU (package qemu-user-static).
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

from harness import programs
from harness.case import CliCase, main

DIST = Path(os.environ.get("CORAS_DIST") or programs.SOURCE / "dist")
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "none")
ARCHIVES = sorted(DIST.glob("*oras_*_linux_*.tar.gz"))
FOREIGN_MACHINE, FOREIGN_NAME = ("amd64", "x86_64") if MACHINE == "arm64" else ("arm64", "aarch64")
FOREIGN = next(iter(DIST.glob(f"coras_*_linux_{FOREIGN_MACHINE}.tar.gz")), None)
QEMU = shutil.which(f"qemu-{FOREIGN_NAME}-static")
OURS = next(iter(DIST.glob(f"coras_*_linux_{MACHINE}.tar.gz")), None)
MOST_BYTES = 8 << 20
HARMLESS = {"PATH": "/", "HOME": "/"}


@unittest.skipUnless(ARCHIVES, f"NO RELEASE TESTED: nothing in {DIST} (scripts/release makes it)")
class Archives(unittest.TestCase):
    def test_the_program_lies_at_the_top(self):
        for path in ARCHIVES:
            with self.subTest(path.name), tarfile.open(path) as tar:
                name = path.name.split("_")[0]
                member = tar.getmember(name)
                self.assertEqual((0o755, 0, 0), (member.mode, member.uid, member.gid))
                self.assertLessEqual(member.size, MOST_BYTES)
                self.assertIn("LICENSE", tar.getnames())

    def test_both_names_are_one_program(self):
        for path in ARCHIVES:
            if path.name.startswith("coras"):
                with tarfile.open(path) as ours, tarfile.open(path.with_name(path.name[1:])) as theirs:
                    self.assertEqual(ours.extractfile("coras").read(), theirs.extractfile("oras").read())

    @unittest.skipUnless(OURS, f"none for this machine in {DIST}")
    def test_the_small_oras_calls_the_program_beside_it(self):
        with tempfile.TemporaryDirectory() as directory, tarfile.open(OURS) as tar:
            for name in ("coras", "oras"):
                tar.extract(name, directory)
            oras, link = Path(directory, "oras"), Path(directory, "elsewhere")
            link.symlink_to("oras")
            self.assertLess(oras.stat().st_size, 100_000)
            for words in ([oras], [link], ["oras"]):
                done = subprocess.run([*words, "help", "push"], env={"PATH": directory}, capture_output=True, text=True, check=True)
                self.assertIn("oras push ", done.stdout)
            Path(directory, "coras").unlink()
            done = subprocess.run([oras, "version"], capture_output=True, text=True, check=False)
            self.assertEqual((1, True), (done.returncode, "not beside it" in done.stderr))

    def test_it_does_not_tell_where_it_was_built(self):
        """Which is another directory each time, and the bytes must be the same."""
        for path in ARCHIVES:
            with tarfile.open(path) as tar:
                self.assertNotIn(b"build/cli/coras", tar.extractfile(path.name.split("_")[0]).read())

    def test_checksums_are_right_and_complete(self):
        for listing in DIST.glob("coras_*_checksums.txt"):
            lines = [line.split("  ") for line in listing.read_text().splitlines()]
            version = listing.name.split("_")[1]
            files = {path.name for path in DIST.glob(f"*oras*{version}*") if path.is_file() and path != listing}
            self.assertEqual(files, {name for _, name in lines})
            for digest, name in lines:
                self.assertEqual(digest, hashlib.sha256((DIST / name).read_bytes()).hexdigest(), name)

    def test_what_is_inside_is_told(self):
        documents = list(DIST.glob("coras_*.spdx.json"))
        self.assertTrue(documents)
        for path in documents:
            document = json.loads(path.read_text())
            names = {package["name"] for package in document["packages"]}
            self.assertLessEqual({"coras", "curl", "openssl", "sqlite3", "zlib", "musl"}, names)
            self.assertEqual(len(document["relationships"]), len(names))

    def test_nothing_is_loaded(self):
        for path in ARCHIVES:
            with tarfile.open(path) as tar, tempfile.NamedTemporaryFile() as program:
                program.write(tar.extractfile(path.name.split("_")[0]).read())
                program.flush()
                done = subprocess.run(["readelf", "-ld", program.name], capture_output=True, check=True)
            self.assertNotIn(b"INTERP", done.stdout)
            self.assertNotIn(b"NEEDED", done.stdout)
            self.assertIn(b"Flags: NOW PIE", done.stdout) # at another address each time

    @unittest.skipUnless(OURS, f"none for this machine in {DIST}")
    def test_the_line_of_workflow_files(self):
        """As it stands everywhere, but for the directory, and with no sudo here."""
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(OURS.with_name(OURS.name[1:]), directory)
            line = f'mkdir bin; PATH=$PWD/bin:$PATH; tar -xzf oras_*_linux_{MACHINE}.tar.gz && mv oras bin/ && oras version'
            done = subprocess.run(["sh", "-euc", line], cwd=directory, capture_output=True, text=True, check=True)
            self.assertIn("Version:", done.stdout)


class InEmptyRoot(CliCase):
    """The program with nothing beside it: no library, no /proc, no /dev, no /etc."""

    archive, emulator = OURS, None

    def setUp(self):
        super().setUp()
        self.root = self.box.root / "empty"
        self.root.mkdir()
        self.argv = ["/coras"]
        with tarfile.open(self.archive) as tar:
            tar.extract("coras", self.root)
        if self.emulator:
            shutil.copy(self.emulator, self.root / "emulator")
            self.argv.insert(0, "/emulator")

    def enter(self):
        os.chroot(self.root)
        os.chdir("/")

    def start(self, *words, **options):
        return subprocess.Popen([*self.argv, *words], env=HARMLESS, preexec_fn=self.enter, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **options)

    def run_inside(self, *words):
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        self.assertEqual(0, process.returncode, f"{words}: {err}")
        return out

    def push_pull_serve(self):
        self.assertIn("Version:", self.run_inside("version"))
        data = os.urandom(3 << 20)
        (self.root / "model.bin").write_bytes(data)
        server = self.start("serve", "--listen", "127.0.0.1:0", "--root", "registry")
        self.addCleanup(server.kill)
        where = "localhost:" + server.stdout.readline().rsplit(":", 1)[1].strip() + "/m/tiny:v1"
        self.run_inside("push", where, "model.bin:application/octet-stream")
        self.assertIn("tiny", self.run_inside("repo", "ls", where.split("/")[0]))
        self.run_inside("pull", where, "-o", "out")
        self.assertEqual(data, (self.root / "out/model.bin").read_bytes())
        self.assertEqual("1", self.run_inside("manifest", "fetch", where, "--format", "go-template={{ len .content.layers }}"))
        server.terminate()
        server.communicate(timeout=60)
        self.assertEqual(0, server.returncode)


@unittest.skipUnless(OURS, f"NO RELEASE TESTED: none for this machine in {DIST}")
@unittest.skipUnless(os.geteuid() == 0, "an empty root needs root's rights")
class EmptyRoot(InEmptyRoot):
    def test_push_pull_serve(self):
        self.push_pull_serve()

    def test_templates_and_compressed_layers_need_no_library(self):
        """What other builds load when it is needed is inside: expressions by PCRE2."""
        (self.root / "f").write_text("x")
        self.run_inside("push", "--oci-layout", "layout:v1", "f:text/plain")
        out = self.run_inside("manifest", "fetch", "--oci-layout", "layout:v1", "--format",
                              'go-template={{ regexMatch "^[0-9]+$" "123" }}')
        self.assertEqual("true", out)

    def test_https_is_refused_with_what_to_do(self):
        (self.root / "pem").write_text("x")
        server = self.start("serve", "--listen", "127.0.0.1:0", "--root", "r", "--tls-cert", "pem", "--tls-key", "pem")
        _, err = server.communicate(timeout=60)
        self.assertEqual(1, server.returncode)
        self.assertIn("without serving https", err)


@unittest.skipUnless(FOREIGN, f"NO RELEASE TESTED: none for {FOREIGN_NAME} in {DIST}")
@unittest.skipUnless(QEMU and os.geteuid() == 0, f"{FOREIGN_NAME} NOT TESTED: it needs qemu-user-static and root's rights")
class ForeignRoot(InEmptyRoot):
    archive, emulator = FOREIGN, QEMU

    def test_push_pull_serve(self):
        self.push_pull_serve()


@unittest.skipUnless(OURS, f"NO RELEASE TESTED: none for this machine in {DIST}")
class Image(CliCase):
    """The container image that is made without a daemon, and run without one."""

    def setUp(self):
        super().setUp()
        version = OURS.name.split("_")[1]
        self.box.run(programs.SOURCE / "packaging/image.py", version, DIST, "image", env={"CORAS": str(programs.CORAS)},
                     check=0)
        self.tag = f"image:{version}"

    def fetch(self, *words):
        return json.loads(self.box.run(programs.CORAS, *words, "--oci-layout", check=0).out)

    def blob(self, descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        return self.box.work / "image/blobs" / algorithm / digest

    def test_every_architecture_is_an_image(self):
        index = self.fetch("manifest", "fetch", self.tag)
        machines = {entry["platform"]["architecture"] for entry in index["manifests"]}
        self.assertEqual({path.name.split("_")[3].split(".")[0] for path in ARCHIVES}, machines)

    def test_it_runs_as_nobody_in_its_own_files(self):
        manifest = self.fetch("manifest", "fetch", self.tag, "--platform", f"linux/{MACHINE}")
        config = json.loads(self.blob(manifest["config"]).read_text())
        root = self.box.root / "root"
        with tarfile.open(self.blob(manifest["layers"][0])) as tar:
            tar.extractall(root)
        with gzip.open(self.blob(manifest["layers"][0])) as tar:
            self.assertEqual(["sha256:" + hashlib.sha256(tar.read()).hexdigest()], config["rootfs"]["diff_ids"])
        for name in ("LICENSE", "THIRD-PARTY"):
            self.assertTrue((root / "usr/share/doc/coras" / name).read_text())
        if os.geteuid() != 0:
            self.skipTest("a root of its own needs root's rights")
        user, group = map(int, config["config"]["User"].split(":"))

        def enter():
            os.chroot(root)
            os.chdir(config["config"]["WorkingDir"])
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)

        env = dict(each.split("=", 1) for each in config["config"]["Env"])
        done = subprocess.run([*config["config"]["Entrypoint"], "push", "--oci-layout", "made:v1", "/etc/passwd",
                               "--disable-path-validation"],
                              env=env, preexec_fn=enter, capture_output=True, check=False, timeout=60)
        self.assertEqual(0, done.returncode, done.stderr)


if __name__ == "__main__":
    main()
