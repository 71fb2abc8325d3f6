# SPDX-License-Identifier: Apache-2.0
"""The embedded registry as its operator sees it: health, metrics."""

import http.client
import os
import pty
import re
import signal
import socket
import tempfile
import unittest
from pathlib import Path

from embedded import PROGRAM, Reply, ServerCase
from harness.case import main
from harness.servers import HTPASSWD, PASSWORD, USER
from test_server_access import basic

LINE = re.compile(r'[a-z_]+(\{([a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*)?\})? -?\d+(\.\d{3})?')


def own_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # sends nothing
            address = sock.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


class Operate(ServerCase):
    def metrics(self):
        reply = self.request("GET", "/metrics")
        self.assertEqual((reply.status, reply.headers["Content-Type"]),
                         (200, "text/plain; version=0.0.4; charset=utf-8"))
        found = {}
        for line in reply.body.decode().splitlines():
            if not line.startswith(("# HELP ", "# TYPE ")):
                self.assertRegex(line, "^" + LINE.pattern + "$")
                name, value = line.rsplit(" ", 1)
                self.assertNotIn(name, found)
                found[name] = float(value)
        return found

    def test_health(self):
        for path in ("/healthz", "/readyz"):
            reply = self.request("GET", path)
            self.assertEqual((reply.status, reply.json), (200, {"checks": {"database": "ok"}, "status": "ok"}))
            self.assertEqual(self.request("HEAD", path).status, 200)
            self.assert_error(self.request("POST", path), 405, "UNSUPPORTED")
            for spelling in (path + "/", "/" + path, path.upper(), "/v2" + path):
                self.assertEqual(self.request("GET", spelling).status, 404, spelling)

    def test_metrics_count(self):
        before = self.metrics()
        self.request("PATCH", self.server.begin(self.repository), b"part")
        self.request("GET", "/v2/unknown/manifests/v1")
        requests = [f'coras_http_requests_total{{{labels}}}' for labels in (
            'method="PATCH",route="session",code="202"', 'method="GET",route="manifest",code="404"')]
        after = {}

        def grew(name):
            return after.get(name, 0) - before.get(name, 0)

        def are_counted():  # which they are when they are over, a moment after their answers
            after.update(self.metrics())
            return [*map(grew, requests), after["coras_http_requests_running"]] == [1, 1, 1]

        self.wait_until(are_counted)
        after.update(self.metrics())  # of which each number was read after it was counted
        self.assertEqual(grew('coras_http_request_seconds_count{route="session"}'), 1)
        self.assertEqual(grew("coras_http_received_bytes_total"), 4)
        self.assertGreater(grew("coras_http_sent_bytes_total"), 1000)
        self.assertEqual(grew("coras_uploads"), 1)
        self.assertGreaterEqual(after["coras_http_connections"], 1)
        self.assertGreater(after["coras_disk_free_bytes"], 0)

    def test_metrics_take_stock(self):
        before = self.metrics()
        data = self.server.push_image(self.repository, "a", [b"stock" * 100])
        self.server.put_manifest(self.repository, "b", data)
        more = {"repositories": 1, "manifests": 1, "tags": 2, "blobs": 2, "blob_bytes": 502}

        def grew():
            after = self.metrics()
            return {name: after["coras_" + name] - before["coras_" + name] for name in more}

        self.wait_until(lambda: grew() == more)  # a slow machine does not count each time


class Who(ServerCase):
    """Metrics are for this machine, and for who has a password."""

    options = ("--listen=0.0.0.0:0",)

    def setUp(self):
        super().setUp()
        files = tempfile.TemporaryDirectory()
        self.addCleanup(files.cleanup)
        self.users = Path(files.name) / "htpasswd"
        self.users.write_text(HTPASSWD)

    def with_users(self):
        return self.new_server("--listen=0.0.0.0:0", f"--htpasswd={self.users}", "--anonymous-read").start()

    def test_what_is_forwarded_is_not_of_this_machine(self):
        server = self.with_users()
        self.assertEqual(server.request("GET", "/metrics").status, 200)
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            self.assertEqual(server.request("GET", "/metrics", headers={name: "x"}).status, 401, name)
        headers = {"X-Forwarded-For": "10.0.0.1"}
        self.assertEqual(server.request("GET", "/metrics", headers={**headers, **basic(USER, PASSWORD)}).status, 200)
        self.assertEqual(server.request("GET", "/healthz", headers=headers).status, 200)
        self.assert_error(self.request("GET", "/metrics", headers=headers), 403, "DENIED")

    @unittest.skipUnless(own_address(), "this machine has no address but loopback")
    def test_others_need_a_password(self):
        server = self.with_users()
        self.assertEqual(self.from_outside(server, "/metrics").status, 401)
        self.assertEqual(self.from_outside(server, "/metrics", basic(USER, PASSWORD)).status, 200)
        self.assertEqual(self.from_outside(server, "/readyz").status, 200)
        self.assert_error(self.from_outside(self.server, "/metrics"), 403, "DENIED")

    def from_outside(self, server, path, headers=None):
        connection = http.client.HTTPConnection(own_address(), server.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", path, headers=headers or {})
        return Reply(connection.getresponse())


class Reload(ServerCase):
    """SIGHUP: what the files say now, or what they said before when they are wrong."""

    def test_passwords_and_rules(self):
        with tempfile.TemporaryDirectory() as folder:
            users, rules = Path(folder) / "users", Path(folder) / "rules"
            users.write_text(HTPASSWD)
            rules.write_text("allow users push,pull a\n")
            server = self.new_server(f"--htpasswd={users}", f"--rules={rules}").start()

            def status(path, user=USER):
                return server.request("HEAD", path, headers=basic(user, PASSWORD)).status

            def reload(line):
                seen = server.log().count(line)
                server.send(signal.SIGHUP)
                self.wait_until(lambda: server.log().count(line) > seen)

            session = server.request("POST", "/v2/a/blobs/uploads/", headers=basic(USER, PASSWORD)).headers["Location"]
            self.assertEqual((status("/v2/"), status("/v2/", "bob"), status(session)), (200, 401, 204))
            rules.write_text("allow users push,pull b\n")
            reload(" reloaded: passwords and rules\n")
            self.assertEqual(status(session), 403)
            rules.write_text("allow users push,pull a\nallow nonsense\n")
            reload("not reloaded: passwords and rules: ")
            self.assertIn("rules:2: not user:NAME", server.log())
            self.assertEqual((status(session), status("/v2/")), (403, 200))
            rules.write_text("allow users push,pull a\n")
            users.write_text(HTPASSWD.replace(USER, "bob"))  # alice's password was right a moment ago
            reload(" reloaded: passwords and rules\n")
            self.assertEqual((status("/v2/"), status("/v2/", "bob")), (401, 200))
            self.assertEqual(server.stop(), 0)

    def test_nothing_to_reload(self):
        server = self.new_server().start()
        server.send(signal.SIGHUP)
        self.assertEqual(server.request("GET", "/v2/").status, 200)
        self.assertEqual(server.stop(), 0)

    def test_a_closed_terminal_ends_it(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(PROGRAM, [PROGRAM, "--root=" + self.server.root.as_posix() + "-tty", "--listen=127.0.0.1:0"])
        self.assertIn(b"listening on", os.read(terminal, 1000))
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)


if __name__ == "__main__":
    main()
