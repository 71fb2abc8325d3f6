# SPDX-License-Identifier: Apache-2.0
"""What a person at a terminal sees, and that a pipe sees plain lines."""

import json
import os
import re
import signal

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.servers import CorasServe, DockerRegistry


@programs.need_docker_registry
class Progress(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))

    def setUp(self):
        super().setUp()
        self.box.write("model.bin", os.urandom(3_000_000))
        self.proxy.clear()
        self.ref = f"{self.proxy.host}/p:v1"

    def tty(self, *argv, **options):
        result, seen = self.box.run_pty(self.box.bin / "oras", *argv, **options)
        return result, seen.decode(errors="replace")

    @staticmethod
    def plain(seen):
        """Without escape sequences."""
        return re.sub("\x1b(\\[[0-9;?]*[A-Za-z]|[78])", "", seen)

    def test_push_and_pull_on_a_terminal(self):
        result, seen = self.tty("push", self.ref, "model.bin")
        self.assertEqual(result.code, 0, seen)
        self.assertIn("\x1b[?25l", seen)
        self.assertIn("\x1b[?25h", seen)
        self.assertRegex(self.plain(seen), r"✓ Uploaded +model\.bin")
        self.assertIn("2.86/2.86 MB", seen)
        self.assertIn("100.00%", seen)
        self.assertIn("└─ sha256:", seen)
        self.assertIn(f"Pushed [registry] {self.ref}", seen)
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=2_000_000))
        result, seen = self.tty("pull", self.ref, "-o", "out")
        self.assertEqual(result.code, 0, seen)
        plain = self.plain(seen)
        self.assertRegex(plain, r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \[[ .]{20}\]\([ \d.]+[ KM]B/s\) Downloading +model\.bin")
        self.assertRegex(plain, r"✓ Pulled +model\.bin")
        percents = [float(p) for p in re.findall(r"(\d+\.\d\d)%", seen)]
        self.assertTrue(any(0 < p < 100 for p in percents), percents)

    def test_results_go_to_stdout_bars_to_stderr(self):
        self.ok("push", self.ref, "model.bin")
        result, seen = self.tty("pull", self.ref, "-o", "out", stdout_pipe=True)
        self.assertEqual(result.code, 0)
        self.assertIn("✓", seen)
        self.assertEqual(result.out.splitlines()[0], f"Pulled [registry] {self.ref}")
        self.assertNotIn("\x1b", result.out)
        self.assertNotIn("Pulled [registry]", seen)

    def test_no_tty(self):
        for flag in ("--no-tty", "--debug"):
            _, seen = self.tty("push", flag, self.ref, "model.bin")
            self.assertNotIn("\x1b[?25l", seen)
            self.assertNotIn("✓", seen)

    def test_pipe(self):
        result = self.ok("push", self.ref, "model.bin")
        self.assertNotIn("\x1b", result.text)
        self.assertRegex(result.out, r"(?m)^Uploading [0-9a-f]{12} model\.bin$")

    def events(self, result):
        """The lines on stderr, each an object with a name and a time."""
        events = [json.loads(line) for line in result.err.splitlines()]
        for event in events:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        return events

    def named(self, events, name):
        return [event for event in events if event["event"] == name]

    def test_json_of_a_pull(self):
        self.box.write("second.bin", b"2" * 1000)
        self.ok("push", self.ref, "model.bin", "second.bin")
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=3_000_000))
        result = self.ok("pull", "--progress", "json", self.ref, "-o", "out")
        self.assertEqual(result.out.splitlines()[0], f"Pulled [registry] {self.ref}")
        self.assertNotIn("Downloading", result.out)
        events = self.events(result)
        self.assertEqual(events[0]["event"], "begin")
        self.assertEqual(events[0]["reference"], self.ref)
        self.assertEqual({e["name"] for e in self.named(events, "start") if "name" in e}, {"model.bin", "second.bin"})
        model = [e for e in events if e.get("name") == "model.bin"]
        self.assertEqual([e["bytes"] for e in model], sorted(e["bytes"] for e in model))
        self.assertTrue(any(0 < e["bytes"] < e["total"] for e in self.named(model, "progress")), model)
        self.assertEqual(model[-1]["result"], "transferred")
        self.assertRegex(model[-1]["digest"], "^sha256:[0-9a-f]{64}$")
        # The whole is known as soon as the manifest is, and its end is foretold.
        totals = [e for e in self.named(events, "total") if e["total"] > 3_001_000]
        self.assertTrue(any(e["rate"] > 0 and e["left"] >= 0 for e in totals), events)
        done = events[-1]
        self.assertEqual((done["event"], done["bytes"], done["transferred"]), ("done", done["total"], done["total"]))
        again = self.events(self.ok("pull", "--progress", "json", self.ref, "-o", "out"))
        self.assertEqual({e["result"] for e in self.named(again, "end") if "name" in e}, {"skipped"})
        self.assertEqual(again[-1]["bytes"], done["bytes"])
        self.assertLess(again[-1]["transferred"], 3_000)

    def test_json_of_a_push(self):
        for result, path in (("transferred", "model.bin"), ("exists", "model.bin")):
            # Another manifest: one that is there already says all about its layers.
            events = self.events(self.ok("push", "--progress", "json", "--annotation", f"second={result}",
                                         f"{self.proxy.host}/j:{result},too", path))
            self.assertEqual({e["result"] for e in self.named(events, "end") if e.get("name") == path}, {result})
            self.assertEqual([e["tag"] for e in self.named(events, "tagged")], ["too"])
            self.assertEqual(events[-1]["bytes"], events[-1]["total"])

    def test_json_of_copies_and_models(self):
        self.ok("push", self.ref, "model.bin")
        other = f"{self.registry.host}/other"
        for argv in (["cp", self.ref, f"{other}:v1"], ["backup", "-o", "bk", self.ref],
                     ["restore", "--input", "bk", other], ["model", "pull", "-o", "m", self.ref],
                     ["attach", "--artifact-type", "a/b", self.ref, "model.bin"]):
            events = self.events(self.ok(*argv, "--progress", "json"))
            self.assertEqual(events[0]["command"], "oras " + " ".join(w for w in argv[:2] if w in
                             ("cp", "backup", "restore", "model", "pull", "attach")))
            self.assertEqual(events[-1]["event"], "done")
            self.assertEqual(events[-1]["bytes"], events[-1]["total"])

    def test_json_of_a_failure(self):
        self.ok("push", self.ref, "model.bin")
        self.proxy.add(Fault("/blobs/sha256:", "GET", status=403))
        events = self.events(self.fails("pull", "--progress", "json", self.ref, "-o", "out"))
        self.assertEqual(len(self.named(events, "failed")), 1)
        error = events[-1]
        self.assertEqual((error["event"], error["status"], error["host"]), ("error", 403, self.proxy.host))
        self.assertEqual((error["code"], error["retryable"]), ("DENIED", False))

    def test_failures_as_json(self):
        missing = f"{self.registry.host}/nothing:v1"
        text = self.fails("resolve", missing)
        [error] = self.events(self.fails("resolve", "--error-format", "json", missing))
        self.assertEqual((error["event"], error["code"], error["retryable"]), ("error", "NOT_FOUND", False))
        self.assertIn(error["message"], text.err)
        self.assertIn(error["hint"], text.err)
        self.fails("resolve", "--error-format", "xml", missing, contains="unknown error format: xml")
        self.fails("pull", "--progress", "loud", missing, contains="unknown kind of progress: loud")

    def test_plain_has_no_bars(self):
        _, seen = self.tty("push", "--progress", "plain", self.ref, "model.bin")
        self.assertNotIn("\x1b[?25l", seen)
        self.assertIn("Uploaded", seen)

    def test_interrupt(self):
        self.ok("push", self.ref, "model.bin")
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=300_000))
        result, seen = self.tty("pull", self.ref, "-o", "out", interrupt="Downloading", timeout=30)
        self.assertNotEqual(result.code, 0)
        self.assertIn("interrupt", seen)
        self.assertTrue(seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l"), "cursor stays hidden")
        self.assertFalse((self.box.work / "out/model.bin").exists())

    def test_the_whole_is_summed_up(self):
        self.box.write("second.bin", os.urandom(1_000_000))
        _, seen = self.tty("push", self.ref, "model.bin", "second.bin")
        self.assertRegex(self.plain(seen), r"Total [\d.]+ MB of [\d.]+ MB, [\d.]+ [KM]?B/s, [\dms.µ]+\r\n")
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=1_000_000))
        result, seen = self.tty("pull", self.ref, "-o", "out")
        self.assertEqual(result.code, 0, seen)
        self.assertRegex(self.plain(seen), r"Total [\d.]+ [KM]B of [\d.]+ MB, [\d.]+ [KM]B/s, \d+s left")
        self.assertRegex(self.plain(seen), r"Total 3\.8\d? MB of 3\.8\d? MB, [\d.]+ [KM]B/s, [\dms.]+\r\n")

    def test_a_large_file_shows_while_it_is_hashed(self):
        with open(self.box.work / "large.bin", "wb") as file:
            file.truncate(8_000_000_000)
        result, seen = self.tty("push", "--oci-layout", "lay:v1", "large.bin", interrupt="Preparing large.bin")
        self.assertNotEqual(result.code, 0)
        self.assertRegex(self.plain(seen), r"Preparing large\.bin +[\d.]+/7\.45 GB +\d+\.\d\d%")

    def test_a_large_file_shows_while_it_is_compared(self):
        """What stands at its place already is read before anything is fetched."""
        with open(self.box.work / "large.bin", "wb") as file:
            file.truncate(400_000_000)
        self.ok("push", "--oci-layout", "lay:v1", "large.bin")
        os.utime(self.box.work / "large.bin", (10 ** 9, 10 ** 9))
        _, seen = self.tty("pull", "--oci-layout", "lay:v1", interrupt="Preparing large.bin")
        self.assertRegex(self.plain(seen), r"Preparing large\.bin +[\d.]+/381 MB")

    def test_a_failed_transfer_has_no_negative_speed(self):
        self.ok("push", self.ref, "model.bin")
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=3_000_000, corrupt=2_900_000))
        result, seen = self.tty("pull", self.ref, "-o", "out")
        self.assertNotEqual(result.code, 0)
        self.assertRegex(self.plain(seen), "✗.*model.bin")
        self.assertNotRegex(self.plain(seen), r"\( *-")

    def test_what_an_interrupted_pull_keeps_is_said(self):
        self.ok("push", self.ref, "model.bin")
        self.proxy.add(Fault("/blobs/sha256:", "GET", rate=500_000, stall_response=1_600_000))
        result, seen = self.tty("pull", self.ref, "-o", "out", interrupt="MB  5", timeout=30)
        self.assertNotEqual(result.code, 0)
        self.assertRegex(self.plain(seen), r"[\d.]+ MB of 2\.86 MB are kept: run the same command again to go on")
        self.proxy.clear()
        self.ok("pull", self.ref, "-o", "out")
        self.assertEqual(self.read("out", "model.bin"), self.read("model.bin"))

    def test_what_an_interrupted_push_keeps_is_said(self):
        self.box.write("large.bin", os.urandom(12 << 20))
        proxy = self.serve_here(FaultProxy(self.serve_here(CorasServe()).port))  # docker-registry keeps nothing
        uploads = "/blobs/uploads/"
        proxy.add(Fault(uploads, "PATCH", times=1, cut_request=6 << 20))
        proxy.add(Fault(uploads, "PATCH", stall_head=True,
                             call=lambda _: process.send_signal(signal.SIGINT)))
        process = self.box.popen(self.box.bin / "oras", "push", f"{proxy.host}/p:v1", "large.bin")
        _, err = process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        self.assertRegex(err.decode(), r"Hint: [\d.]+ MB of 12 MB are kept: run the same command again to go on")
        proxy.clear()
        self.ok("push", f"{proxy.host}/p:v1", "large.bin")

    def test_narrow_terminal(self):
        result, seen = self.tty("push", self.ref, "model.bin", size=(5, 20))
        self.assertEqual(result.code, 0)
        self.assertIn("Pushed [registry]", seen)


if __name__ == "__main__":
    main()
