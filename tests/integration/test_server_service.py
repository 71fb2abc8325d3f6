# SPDX-License-Identifier: Apache-2.0
"""The embedded registry under a service manager: a socket that is there already, and what it is told."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import embedded
from harness import programs
from harness.case import main

PROGRAM = embedded.PROGRAM.resolve()
UNITS = Path(__file__).resolve().parents[2] / "serve/systemd"
# The process number that the message is for is that of the program, which takes the place of this shell.
START = 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@" 3<&{number}'


@unittest.skipUnless(PROGRAM.exists(), "built without the registry")
class Service(unittest.TestCase):
    def setUp(self):
        files = tempfile.TemporaryDirectory()
        self.addCleanup(files.cleanup)
        self.folder = Path(files.name)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.settimeout(60)
        self.manager.bind(f"{files.name}/notify")

    def start(self, handed, *command, **environment):
        process = subprocess.Popen(
            ["sh", "-c", START.format(number=handed.fileno()), "sh", *command, "--root=root"], cwd=self.folder,
            pass_fds=(handed.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "NOTIFY_SOCKET": f"{self.folder}/notify", "LISTEN_FDS": "1", **environment})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def listening(self):
        handed = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(handed.close)
        return handed

    def told(self):
        return self.manager.recv(4096).decode().split("\n")

    def test_life(self):
        handed = self.listening()
        port = handed.getsockname()[1]
        process = self.start(handed, programs.CORAS, "serve", "--listen", "127.0.0.1:1")
        self.assertEqual(self.told(), ["READY=1", f"STATUS=listening on 127.0.0.1:{port}"])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/v2/")
        self.assertEqual(connection.getresponse().status, 200)
        process.send_signal(signal.SIGHUP)
        first = self.told()
        self.assertEqual(first[0], "RELOADING=1")
        self.assertRegex(first[1], r"^MONOTONIC_USEC=\d{7,}$")
        self.assertEqual(self.told(), ["READY=1"])
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told()[0], "STOPPING=1")
        self.assertEqual(process.wait(60), 0)

    def test_signs_of_life(self):
        process = self.start(self.listening(), PROGRAM, "--listen=127.0.0.1:1", WATCHDOG_USEC="2000000")
        self.assertEqual(self.told()[0], "READY=1")
        for _ in range(2):
            self.assertEqual(self.told(), ["WATCHDOG=1"])
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)

    def test_what_was_meant_for_another_process(self):
        process = self.start(self.listening(), "env", "LISTEN_PID=1", PROGRAM, "--listen=127.0.0.1:0",
                             WATCHDOG_USEC="1000", NOTIFY_SOCKET="")
        self.assertRegex(process.stdout.readline(), r"^listening on 127\.0\.0\.1:\d+\n$")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)

    def test_no_socket(self):
        handed = open(os.devnull, "rb")
        self.addCleanup(handed.close)
        for count, complaint in (("1", "descriptor 3, handed over by the service manager, is no listening socket"),
                                 ("2", "2 sockets were handed over, expected one")):
            process = self.start(handed, PROGRAM, "--listen=127.0.0.1:0", LISTEN_FDS=count)
            self.assertIn(complaint, process.communicate(timeout=60)[1])
            self.assertEqual(process.returncode, 1)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_units(self):
        unit = (UNITS / "coras-serve.service.in").read_text()
        (self.folder / "coras-serve.service").write_text(unit.replace("@coras@", str(Path(programs.CORAS).resolve())))
        shutil.copy(UNITS / "coras-serve.socket", self.folder)
        units = [self.folder / "coras-serve.service", self.folder / "coras-serve.socket"]
        done = subprocess.run(["systemd-analyze", "verify", *units], timeout=60, check=False, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # 20 is 2.0 of 10: little that a program which was taken over could do
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", units[0]], timeout=60,
                              check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    main()
