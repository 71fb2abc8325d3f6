# SPDX-License-Identifier: Apache-2.0
"""One large blob over a link that caps each connection: several connections, and what may break."""

import hashlib
import os
import subprocess
import time

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.servers import Api, DockerRegistry

MIB = 1 << 20
SIZE = 72 * MIB
RATE = 11 * MIB  # of each connection


@programs.need_docker_registry
class Ranges(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        block = os.urandom(MIB)
        cls.data = b"".join(i.to_bytes(8, "big") + block[8:] for i in range(SIZE // MIB))
        cls.digest = Api(cls.registry.host).push_file("big", "v1", cls.data, "model.bin")

    def setUp(self):
        super().setUp()
        self.proxy.clear()

    def slow(self, path="", **options):
        return self.proxy.add(Fault(path or "/blobs/" + self.digest, "GET", rate=RATE, **options))

    def ranges(self):
        return [r.header("Range") for r in self.proxy.requests("GET", "/blobs/" + self.digest)]

    def pull(self, *argv, **options):
        options.setdefault("timeout", 120)
        return self.coras("pull", f"{self.proxy.host}/big:v1", "-o", "out", *argv, **options)

    def pull_until(self, moved, stop):
        """A pull that is stopped when so many bytes have come."""
        self.slow()
        before = self.proxy.received()
        process = self.box.popen(self.box.bin / "oras", "pull", f"{self.proxy.host}/big:v1", "-o",
                                 "out")
        self.wait_until(lambda: self.proxy.received() >= before + moved, process)
        stop(process)
        process.communicate()
        self.assertFalse((self.box.work / "out/model.bin").exists())

    def assertWhole(self, result, moved):
        self.assertEqual(result.code, 0, result)
        self.assertEqual(hashlib.sha256(self.read("out/model.bin")).hexdigest(), self.digest[7:])
        self.no_leftovers("out", but=["model.bin"])
        if not programs.SANITIZED:  # what a slow program has not taken, the kernel holds, some MiB for each connection
            self.assertLessEqual(self.proxy.received(), moved * SIZE)

    def test_slow_connections_are_joined_by_others(self):
        self.slow()
        self.assertWhole(self.pull(), 1.2)
        self.assertEqual(self.ranges()[0], None)
        self.assertGreaterEqual(len([r for r in self.ranges() if r]), 3, self.ranges())

    @programs.expects_speed
    def test_a_fast_connection_stays_alone(self):
        began = time.monotonic()
        result = self.pull()
        if SIZE / (time.monotonic() - began) < 200 * MIB:
            self.skipTest("this machine is too busy for a fast connection")
        self.assertWhole(result, 1.0)
        self.assertEqual(self.ranges(), [None])

    def test_what_helped_is_remembered(self):
        self.slow()
        self.assertWhole(self.pull(), 1.2)
        self.proxy.clear()
        self.slow()
        self.box.run("rm", "-rf", "out")
        self.assertWhole(self.pull(), 1.2)
        self.assertNotIn(None, self.ranges())

    def test_concurrency_bounds_the_connections(self):
        self.slow()
        self.assertWhole(self.pull("--concurrency", "1"), 1.0)
        self.assertEqual(self.ranges(), [None])

    def test_copy_to_a_layout(self):
        self.slow()
        self.ok("cp", f"{self.proxy.host}/big:v1", "--to-oci-layout", "lay:v1", timeout=120)
        blob = self.box.work / "lay/blobs/sha256" / self.digest[7:]
        self.assertEqual(hashlib.sha256(blob.read_bytes()).hexdigest(), self.digest[7:])
        self.assertGreaterEqual(len(self.ranges()), 3)

    def test_killed_in_the_middle(self):
        """The next process fetches what is missing, wherever that is."""
        self.pull_until(SIZE * 2 // 3, subprocess.Popen.kill)
        self.assertGreaterEqual(len(self.ranges()), 2)
        # Of each connection a note behind, and what was on its way.
        self.assertWhole(self.pull(), 1.35)

    def test_interrupted_twice(self):
        for _ in range(2):
            self.pull_until(SIZE // 3, subprocess.Popen.terminate)
        self.assertWhole(self.pull(), 1.35)

    def test_noted_gaps_that_lie(self):
        """A tampered working file costs a second download and nothing else."""
        self.pull_until(SIZE * 2 // 3, subprocess.Popen.kill)
        for path in (self.box.work / "out").rglob("*"):
            if path.is_file() and path.stat().st_size > SIZE:
                with open(path, "r+b") as file:
                    file.seek(SIZE + 8)
                    file.write((1).to_bytes(8, "little") + (SIZE - MIB).to_bytes(8, "little")
                               + SIZE.to_bytes(8, "little"))
        self.proxy.clear()
        self.assertWhole(self.pull(), 1.2)

    def test_cut_ranges_go_on(self):
        self.slow(times=1)
        self.slow(times=6, cut_response=3 * MIB)
        self.slow()
        self.assertWhole(self.pull(), 1.2)

    def test_refused_ranges(self):
        """The first connection fetches what no other one gets."""
        for status in (416, 403, 429, 500):
            with self.subTest(status):
                self.proxy.clear()
                # What was learnt of the host would begin with several, and any may be the first.
                self.box.run("rm", "-rf", "out", self.box.root / "cache")
                self.slow(times=1)
                self.proxy.add(Fault("/blobs/" + self.digest, "GET", times=1, status=status,
                                     headers=(("Content-Length", "0"),)))
                self.assertWhole(self.pull(), 2.1)
                self.assertGreaterEqual(len(self.ranges()), 2)

    def test_ignored_ranges(self):
        self.slow(times=1)
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", drop_range=True))
        self.assertWhole(self.pull(), 2.6)

    def test_wrong_bytes_in_a_range(self):
        self.slow(times=1)
        self.slow(times=1, corrupt=MIB)
        self.slow()
        self.assertWhole(self.pull(), 2.3)

    def test_the_first_connection_fails_for_good(self):
        self.slow(times=1, cut_response=SIZE // 2)
        self.slow(times=1)
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", status=403,
                             headers=(("Content-Length", "0"),)))
        result = self.pull()
        self.assertEqual(result.code, 1, result)
        self.assertIn("403", result.err)
        self.assertFalse((self.box.work / "out/model.bin").exists())


if __name__ == "__main__":
    main()
