# SPDX-License-Identifier: Apache-2.0
"""coras serve as a command: its flags, its line, its end."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from embedded import PROGRAM
from harness import programs
from harness.case import main


@programs.need_coras
@unittest.skipUnless(PROGRAM.exists(), "built without the registry")
class Serve(unittest.TestCase):
    def setUp(self):
        files = tempfile.TemporaryDirectory()
        self.addCleanup(files.cleanup)
        self.work = Path(files.name)

    def start(self, *flags):
        process = subprocess.Popen(
            [programs.CORAS, "serve", "--root", "root", "--listen", "127.0.0.1:0", *flags], cwd=self.work,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def get(self, process, path):
        port = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", process.stdout.readline()).group(1)
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse()

    def test_both_signals_end_it_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start()
            self.assertEqual(self.get(process, "/v2/").status, 200)
            process.send_signal(number)
            self.assertEqual(process.communicate(timeout=60), ("", ""))
            self.assertEqual(process.returncode, 0)

    def test_access_log_goes_to_standard_error(self):
        process = self.start("--access-log")
        self.get(process, "/v2/_catalog?n=1").read()
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=60)
        self.assertEqual(out, "")
        self.assertRegex(log, r"^\S+ 127\.0\.0\.1 - 200 GET /v2/_catalog\?n=1 ")

    def test_access_log_as_json(self):
        process = self.start("--access-log", "--access-log-json")
        self.get(process, '/v2/_catalog?n=1&last="<%1b').read()
        process.send_signal(signal.SIGTERM)
        line = json.loads(process.communicate(timeout=60)[1])
        self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertGreaterEqual(line.pop("ms"), 0)
        self.assertEqual(line, {"peer": "127.0.0.1", "status": 400, "method": "GET", "received": 0,
                                "sent": line["sent"], "target": '/v2/_catalog?n=1&last="<%1b'})

    def test_the_program_takes_the_place_of_the_command(self):
        process = self.start()
        self.get(process, "/v2/")
        self.assertEqual(os.readlink(f"/proc/{process.pid}/exe"), str(PROGRAM.resolve()))

    def test_the_program_knows_each_option(self):
        text = subprocess.run([programs.CORAS, "serve", "--help"], timeout=60, check=True, capture_output=True,
                              text=True).stdout
        options = re.findall(r"--([a-z-]+)( [a-z]+)?  ", text)
        self.assertGreater(len(options), 12)
        for name, value in options:
            if name == "help":
                continue
            done = subprocess.run([PROGRAM, f"--{name}=1" if value else f"--{name}"], timeout=60, check=False,
                                  capture_output=True, text=True)
            self.assertIn("--root and --listen are required", done.stderr, name)

    def test_a_copy_runs_nothing_that_lies_beside_it(self):
        for folder in ("cli", "serve", "libexec/coras"):
            (self.work / folder).mkdir(parents=True)
        copy = self.work / "cli/coras"
        shutil.copy(programs.CORAS, copy)
        for place in ("cli", "serve", "libexec/coras"):
            planted = self.work / place / "coras-serve"
            planted.write_text("#!/bin/sh\necho planted\n")
            planted.chmod(0o755)
        done = subprocess.run([copy, "serve", "--root", "r", "--listen", "x"], timeout=60, check=False,
                              capture_output=True, text=True, cwd=self.work)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        if "expected host:port" not in done.stderr:  # an installed one was found
            self.assertRegex(done.stderr, r"the program of this command, /\S+/coras/coras-serve, is not installed")

    def test_a_signal_on_the_way_is_not_lost(self):
        for _ in range(5):
            process = self.start()
            process.send_signal(signal.SIGTERM)
            out, log = process.communicate(timeout=60)
            self.assertIn(process.returncode, (0, 1, -signal.SIGTERM), log)

    def test_bad_flags(self):
        (self.work / "users").write_text("alice:plain\n")
        for flags, complaint in ((("--root=",), "--root or --layouts must name a directory"),
                                 (("--root", "r", "--listen="), "--listen must name an address"),
                                 (("--root", "r", "--listen", "x"), "address x: expected host:port"),
                                 (("--root", "r", "--min-free", "-1"), "--min-free must not be negative"),
                                 (("--root", "r", "--grace", "-1"), "--grace must be between 0 and"),
                                 (("--root", "r", "--tls-cert", "x"), "must be used together"),
                                 (("--root", "r", "--anonymous-read"), "in conjunction with --htpasswd"),
                                 (("--root", "r", "--htpasswd", "users"), "users:1: not a bcrypt hash")):
            done = subprocess.run([programs.CORAS, "serve", *flags], cwd=self.work, timeout=60, check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (1, ""), flags)
            self.assertTrue(done.stderr.startswith("Error: "), done.stderr)
            self.assertIn(complaint, done.stderr)


if __name__ == "__main__":
    main()
