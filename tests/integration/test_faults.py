# SPDX-License-Identifier: Apache-2.0
"""Networks and registries that fail in the middle: resumed, retried, or a clear end."""

import hashlib
import os
import re
import signal
import subprocess
import threading
import time
import unittest

from harness import programs
from harness.case import CliCase, main, times_tell_of_writes
from harness.proxy import Fault, FaultProxy
from harness.servers import Api, CorasServe, DockerRegistry, registry3

MIB = 1 << 20
SIZE = 24 * MIB


class FaultCase(CliCase):
    """A registry behind the fault proxy, holding one artifact with a large file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(cls.make_registry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))
        cls.data = os.urandom(SIZE)
        cls.digest = "sha256:" + hashlib.sha256(cls.data).hexdigest()
        cls.preload()

    @classmethod
    def make_registry(cls):
        return DockerRegistry()

    @classmethod
    def preload(cls):
        Api(cls.registry.host).push_file("big", "v1", cls.data, "model.bin")

    def setUp(self):
        super().setUp()
        self.proxy.clear()
        self.box.env["ORAS_HTTP_TIMEOUT"] = "3"

    # Over one connection, so that what a fault hits and what is moved does not depend on how busy
    # the machine is; several that share a blob have test_ranges.py.
    PULL = ("pull", "-o", "out", "--concurrency", "1")

    def pull(self, **options):
        options.setdefault("timeout", 90)
        return self.coras(*self.PULL, f"{self.proxy.host}/big:v1", **options)

    def start_pull(self, name="big:v1"):
        return self.box.popen(self.box.bin / "oras", *self.PULL, f"{self.proxy.host}/{name}")

    def assertWhole(self, result, moved=1.2):
        """The file is right, nothing else is there, and little was moved twice."""
        self.assertEqual(result.code, 0, result)
        self.assertEqual(hashlib.sha256(self.read("out/model.bin")).hexdigest(), self.digest[7:])
        self.no_leftovers("out", but=["model.bin"])
        self.assertLessEqual(self.proxy.received(), moved * SIZE)

    def resumed(self):
        """Range headers of the requests for the blob, in order."""
        return [r.header("Range") for r in self.proxy.requests("GET", "/blobs/" + self.digest)]


@programs.need_docker_registry
class Download(FaultCase):
    def test_undisturbed_moves_each_byte_once(self):
        self.assertWhole(self.pull(), 1.0)

    def test_f1_f3_cut_in_the_middle(self):
        for reset in (False, True):
            with self.subTest(reset=reset):
                self.proxy.clear()
                self.box.run("rm", "-rf", "out")
                self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, cut_response=SIZE // 2,
                                     reset=reset))
                self.assertWhole(self.pull())
                self.assertTrue(any(r and re.match(r"bytes=[1-9]", r) for r in self.resumed()),
                                self.resumed())

    def test_f1_cut_again_and_again(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=5, cut_response=4 * MIB))
        self.assertWhole(self.pull())

    def test_f2_reset_before_the_answer(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, cut_request=0, drop_response=True,
                             reset=True))
        self.proxy.add(Fault("/manifests/", "GET", times=1, drop_response=True))
        self.assertWhole(self.pull())

    def test_f7_stall(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, stall_response=SIZE // 2))
        began = time.monotonic()
        self.assertWhole(self.pull())
        self.assertGreater(time.monotonic() - began, 2.5)

    def test_f7_silent_for_ever(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", stall_response=0))
        result = self.pull(env={"ORAS_HTTP_TIMEOUT": "1"}, timeout=100)
        self.assertEqual(result.code, 1, result)
        self.assertIn("1 s", result.err)
        self.assertFalse((self.box.work / "out/model.bin").exists())

    def test_f7_silent_before_the_headers(self):
        self.proxy.add(Fault("/manifests/", "GET", stall_head=True))
        result = self.pull(env={"ORAS_HTTP_TIMEOUT": "1"}, timeout=100)
        self.assertEqual(result.code, 1, result)
        self.assertIn("ORAS_HTTP_TIMEOUT", result.err)

    def test_f8_slow_is_not_stalled(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=4 * MIB))
        self.assertWhole(self.pull(env={"ORAS_HTTP_TIMEOUT": "2"}), 1.0)

    def test_f10_flipped_bit_once(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, corrupt=SIZE // 3))
        self.assertWhole(self.pull(), 2.1)

    def test_f10_flipped_bit_always(self):
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", corrupt=SIZE // 3))
        result = self.pull()
        self.assertEqual(result.code, 1, result)
        self.assertIn("mismatched digest", result.err)
        self.assertEqual(self.names("out") if (self.box.work / "out").exists() else [], [])
        self.assertLessEqual(self.proxy.received(), 2.1 * SIZE)

    def test_f12_range_is_ignored(self):
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, cut_response=SIZE // 2))
        self.proxy.add(Fault("/blobs/sha256:", "GET", drop_range=True))
        # Half, what was on its way of the answer that is of no use, all.
        self.assertWhole(self.pull(), 1.9)

    def test_f13_f14_busy_for_a_moment(self):
        for status, headers in ((429, (("Retry-After", "1"),)), (503, ()), (500, ()), (502, ())):
            with self.subTest(status):
                self.proxy.clear()
                self.box.run("rm", "-rf", "out")
                self.proxy.add(Fault("/manifests/", "GET", times=1, status=status, headers=headers))
                self.proxy.add(Fault("/blobs/", "GET", times=2, status=status, headers=headers))
                result = self.pull()
                self.assertWhole(result)
                if headers:
                    self.assertGreater(result.seconds, 0.9)

    def test_f13_blobs_wait_as_long_as_asked(self):
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", times=1, status=429,
                             headers=(("Retry-After", "1"),)))
        began = time.monotonic()
        self.assertWhole(self.pull(), 1.0)
        self.assertGreater(time.monotonic() - began, 0.9)
        self.box.run("rm", "-rf", "out")
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", status=503,
                             headers=(("Retry-After", "100000"),)))
        result = self.pull()
        self.assertEqual(result.code, 1)
        self.assertIn("asks to wait 100000 s", result.hint)

    def test_f14_f15_busy_for_ever(self):
        self.proxy.add(Fault("/v2/", status=503, body=b'{"errors":[{"code":"UNAVAILABLE",'
                             b'"message":"come back tomorrow"}]}',
                             headers=(("Content-Type", "application/json"),)))
        result = self.pull()
        self.assertEqual(result.code, 1, result)
        self.assertIn("Error response from registry: unavailable: come back tomorrow", result.err)
        self.assertLess(result.seconds, 60)

    def test_not_found_is_not_retried(self):
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", status=404))
        result = self.pull()
        self.assertEqual(result.code, 1)
        self.assertLessEqual(len(self.proxy.requests("GET", "/blobs/" + self.digest)), 2)

    def test_interrupted_pull_goes_on_in_the_next_process(self):
        """F45: killed half way; the rerun fetches only what is missing."""
        slow = self.proxy.add(Fault("/blobs/" + self.digest, "GET", rate=8 * MIB))
        process = self.start_pull()
        self.wait_until(lambda: self.proxy.received() >= SIZE * 2 // 3, process)
        process.kill()
        process.communicate()
        self.assertFalse((self.box.work / "out/model.bin").exists())
        slow.times = 0
        self.assertWhole(self.pull(), 1.25)

    def fetch(self, **options):
        options.setdefault("timeout", 90)
        return self.coras("blob", "fetch", f"{self.proxy.host}/big@{self.digest}", "-o",
                          "out/model.bin", **options)

    def test_blob_fetch_goes_on_where_it_was_cut(self):
        self.box.write("out/model.bin", b"old")
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, cut_response=1))  # asks for the size
        self.proxy.add(Fault("/blobs/sha256:", "GET", times=1, cut_response=SIZE // 2))
        self.assertWhole(self.fetch(), 1.45)

    def test_blob_fetch_replaces_a_file_only_when_all_is_right(self):
        self.box.write("out/model.bin", b"old")
        (self.box.work / "out/model.bin").chmod(0o600)
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", corrupt=MIB))
        result = self.fetch()
        self.assertEqual(result.code, 1, result)
        self.assertIn("mismatched digest", result.err)
        self.assertEqual(self.read("out/model.bin"), b"old")
        self.no_leftovers("out", but=["model.bin"])
        self.proxy.clear()
        self.assertWhole(self.fetch(), 1.6)
        self.assertEqual((self.box.work / "out/model.bin").stat().st_mode & 0o777, 0o600)

    def test_interrupted_blob_fetch_goes_on_in_the_next_process(self):
        (self.box.work / "out").mkdir()
        slow = self.proxy.add(Fault("/blobs/" + self.digest, "GET", rate=MIB))
        process = self.box.popen(self.box.bin / "oras", "blob", "fetch",
                                 f"{self.proxy.host}/big@{self.digest}", "-o", "out/model.bin")
        self.wait_until(lambda: self.proxy.received() >= SIZE * 2 // 3, process)
        process.kill()
        process.communicate()
        before = self.proxy.received()
        self.assertFalse((self.box.work / "out/model.bin").exists())
        slow.times = 0
        self.assertWhole(self.fetch(), before / SIZE + 0.9)  # several connections note it each second

    def test_blob_fetch_through_a_cache_goes_on_too(self):
        self.box.env["ORAS_CACHE"] = str(self.box.root / "content")
        self.test_interrupted_blob_fetch_goes_on_in_the_next_process()
        self.proxy.clear()
        self.box.run("rm", "out/model.bin", check=0)
        self.assertWhole(self.fetch(), 0.1)

    def test_blob_fetch_writes_to_a_pipe(self):
        os.mkfifo(self.box.work / "pipe")
        process = self.box.popen(self.box.bin / "oras", "blob", "fetch",
                                 f"{self.proxy.host}/big@{self.digest}", "-o", "pipe")
        with open(self.box.work / "pipe", "rb") as pipe:
            self.assertEqual(hashlib.sha256(pipe.read()).hexdigest(), self.digest[7:])
        process.communicate()
        self.assertEqual(process.returncode, 0)

    def test_f49_what_one_pull_has_finished_another_leaves_alone(self):
        """The first holds a whole small file and waits for a large one when the second comes."""
        small = os.urandom(5000)
        self.box.write("src/small", small)
        self.box.write("src/model.bin", self.data)
        self.ok("push", f"{self.registry.host}/both:v1", "small", "model.bin",
                cwd=self.box.work / "src")
        name = hashlib.sha256(small).hexdigest()
        slow = self.proxy.add(Fault("/blobs/" + self.digest, "GET", rate=MIB))
        pulls = [self.box.popen(self.box.bin / "oras", "pull", f"{self.proxy.host}/both:v1",
                                "-o", "out")]
        staged = self.box.work / f"out/.coras-partial/sha256-{name}.partial"
        self.wait_until(lambda: staged.exists() and staged.read_bytes() == small, pulls[0])
        self.proxy.add(Fault("/blobs/sha256:" + name, "GET", stall_response=0))
        asked = len(self.proxy.requests("GET", "/manifests/"))
        pulls.append(self.box.popen(self.box.bin / "oras", "pull", f"{self.proxy.host}/both:v1",
                                    "-o", "out"))
        self.wait_until(lambda: len(self.proxy.requests("GET", "/manifests/")) > asked, pulls[1])
        slow.rate = None
        for process in pulls:
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
        self.assertEqual(self.read("out/small"), small)
        self.assertEqual(len(self.proxy.requests("GET", "/blobs/sha256:" + name)), 1)
        self.no_leftovers("out", but=["model.bin", "small"])

    def test_interrupt_ends_a_wait_that_the_registry_asked_for(self):
        asked = threading.Event()
        self.proxy.add(Fault("/blobs/" + self.digest, "GET", status=429,
                             headers=(("Retry-After", "250"),), call=lambda _: asked.set()))
        process = self.start_pull()
        self.assertTrue(asked.wait(30))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertIn(b"interrupt signal received", err)

    def test_f6_partial_under_another_name_is_not_written_to(self):
        stage = self.box.work / "out/.coras-partial"
        stage.mkdir(parents=True)
        self.box.write("other", b"mine")
        os.link(self.box.work / "other", stage / f"sha256-{self.digest[7:]}.partial")
        self.assertWhole(self.pull(), 1.0)
        self.assertEqual(self.read("other"), b"mine")

    def test_f33_room_that_a_killed_pull_has_reserved(self):
        """The rerun needs no more room than the first one had."""
        out = self.box.work / "out"
        out.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE + 4 * MIB}", "tmpfs", out],
                          capture_output=True, check=False).returncode:
            self.skipTest("mounting is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", out], check=False)
        slow = self.proxy.add(Fault("/blobs/" + self.digest, "GET", rate=8 * MIB))
        process = self.start_pull()
        self.wait_until(lambda: self.proxy.received() >= SIZE // 3, process)
        process.kill()
        process.communicate()
        slow.times = 0
        self.assertWhole(self.pull(), 1.25)

    def test_f47_f48_partial_of_another_version_or_tampered(self):
        slow = self.proxy.add(Fault("/blobs/" + self.digest, "GET", rate=8 * MIB))
        process = self.start_pull()
        self.wait_until(lambda: self.proxy.received() >= SIZE // 2, process)
        process.kill()
        process.communicate()
        slow.times = 0
        for path in (self.box.work / "out").rglob("*"):
            if path.is_file() and path.stat().st_size > MIB:
                with open(path, "r+b") as file:
                    file.seek(MIB // 2)
                    file.write(b"tampered")
        self.assertWhole(self.pull(), 2.5)


@programs.need_docker_registry
class Upload(FaultCase):
    """Registries of version 2 lose a session whose request was cut."""

    counted = 2.2

    def setUp(self):
        super().setUp()
        self.box.write("model.bin", self.data)
        self.repo = f"up/{self.id().rsplit('.', 1)[1]}".replace("_", "-")

    @classmethod
    def preload(cls):
        pass

    def push(self, **options):
        options.setdefault("timeout", 120)
        return self.coras("push", f"{self.proxy.host}/{self.repo}:v1", "model.bin", **options)

    def assertThere(self, result, moved=1.2):
        self.assertEqual(result.code, 0, result)
        api = Api(self.registry.host)
        self.assertEqual(api.digest(self.repo, "v1"), result.digest)
        status, _, body = api.request("GET", f"/v2/{self.repo}/blobs/{self.digest}")
        self.assertEqual((status, hashlib.sha256(body).hexdigest()), (200, self.digest[7:]))
        self.assertLessEqual(self.proxy.sent(), moved * SIZE + MIB)

    def test_undisturbed_moves_each_byte_once(self):
        self.assertThere(self.push(), 1.0)

    def test_f26_cut_in_the_middle(self):
        self.proxy.add(Fault("/blobs/uploads/", "PATCH|PUT", times=1, cut_request=SIZE // 2))
        self.assertThere(self.push(), self.counted)

    def test_f26_reset(self):
        self.proxy.add(Fault("/blobs/uploads/", "PATCH|PUT", times=2, cut_request=SIZE // 3,
                             reset=True))
        self.assertThere(self.push(), self.counted)

    def test_f27_answer_of_the_last_put_lost(self):
        self.proxy.add(Fault(r"digest=", "PUT", times=1, drop_response=True))
        self.assertThere(self.push(), 1.2)

    def test_f28_answer_of_the_manifest_lost(self):
        self.proxy.add(Fault("/manifests/v1", "PUT", times=1, drop_response=True))
        self.assertThere(self.push(), 1.2)

    def test_post_answers_lost_or_busy(self):
        self.proxy.add(Fault("/blobs/uploads/", "POST", times=1, drop_response=True))
        self.proxy.add(Fault("/blobs/uploads/", "POST", times=1, status=503))
        self.proxy.add(Fault("/blobs/sha256:", "HEAD", times=1, status=500))
        self.assertThere(self.push(), 1.2)

    def test_f29_session_forgotten(self):
        self.proxy.add(Fault("/blobs/uploads/", "PATCH|PUT", times=1, status=404,
                             headers=(("Content-Type", "application/json"),),
                             body=b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}'))
        self.assertThere(self.push(), 2.1)

    def test_patch_refused(self):
        """Registries without chunks get one PUT."""
        self.proxy.add(Fault("/blobs/uploads/", "PATCH", status=405))
        self.assertThere(self.push(), 2.1)

    def test_stall(self):
        self.proxy.add(Fault("/blobs/uploads/", "PATCH|PUT", times=1, stall_head=True))
        self.assertThere(self.push(), 2.1)

    def test_refused_for_good_leaves_no_tag(self):
        self.proxy.add(Fault("/blobs/uploads/", "PATCH|PUT", status=507))
        result = self.push()
        self.assertEqual(result.code, 1, result)
        self.assertIsNone(Api(self.registry.host).digest(self.repo, "v1"))

    def test_push_again_sends_nothing(self):
        if not times_tell_of_writes(self.box.work):
            self.skipTest("the file system of /tmp does not tell of all writes")
        first = self.push(check=0)
        self.proxy.clear()
        again = self.push(check=0)
        self.assertEqual(self.proxy.requests("POST|PATCH"), [])
        self.assertNotEqual(first.digest, None)
        self.assertIn("Exists", self.coras("push", f"{self.proxy.host}/{self.repo}", "model.bin",
                                           check=0).out + again.out)


@programs.need_registry3
class Copy(FaultCase):
    """From one registry through this program into another, which keeps what has arrived."""

    @classmethod
    def make_registry(cls):
        return registry3()

    @classmethod
    def preload(cls):
        cls.data = os.urandom(70 * MIB)  # two pieces
        cls.digest = "sha256:" + hashlib.sha256(cls.data).hexdigest()
        Api(cls.registry.host).push_file("from", "v1", cls.data, "model.bin")

    def test_a_later_process_goes_on_where_the_first_failed(self):
        copy = ("cp", f"{self.registry.host}/from:v1", f"{self.proxy.host}/to:v1")
        began = self.proxy.kill_at_piece(2, lambda: self.box.popen(self.box.bin / "oras", *copy))
        self.assertEqual(began, 2)
        result = self.coras(*copy, timeout=90)
        self.assertEqual(result.code, 0, result)
        self.assertLessEqual(self.proxy.sent(), 7 * MIB)
        _, _, body = Api(self.registry.host).request("GET", f"/v2/to/blobs/{self.digest}")
        self.assertEqual(hashlib.sha256(body).hexdigest(), self.digest[7:])


@programs.need_registry3
class Upload3(Upload):
    """Version 3 keeps every byte that arrived: nothing is sent twice."""

    counted = 1.2

    @classmethod
    def make_registry(cls):
        return registry3()


@unittest.skipUnless(CorasServe.available(), "this build has no serve command")
class UploadServe(Upload):
    counted = 1.2

    @classmethod
    def make_registry(cls):
        return CorasServe()


if __name__ == "__main__":
    main()
