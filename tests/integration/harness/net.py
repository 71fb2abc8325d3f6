# SPDX-License-Identifier: Apache-2.0
"""The net layer alone, through its driver program, against servers that misbehave byte by byte."""

import json
import os
import socket
import ssl
import threading
import unittest
from pathlib import Path

from . import programs
from .run import Sandbox

BUILD = Path(os.environ.get("CORAS_BUILD") or programs.SOURCE / "build")
DRIVER = BUILD / "tests/drivers/net_driver"


@unittest.skipUnless(DRIVER.exists(), "net_driver is not built")
class NetCase(unittest.TestCase):
    """self.send(...) makes one request with the driver and returns what came of it."""

    maxDiff = None

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def serve(self, server):
        return self.enterContext(server)

    def run_driver(self, *argv, timeout=60, env=None):
        """All outcomes (dictionaries) and what went to stderr."""
        result = self.box.run(DRIVER, *argv, timeout=timeout, check=0, env=env)
        return [json.loads(line) for line in result.out.splitlines()], result.err

    def send(self, server, method, path, *options, registry=None, scheme="http", **more):
        """One request to a server; `path` may be a whole URL."""
        host = registry or server.host
        url = path if "://" in path else f"{scheme}://{server.host}{path}"
        outcomes, self.err = self.run_driver("--registry", host, *options, method, url, **more)
        self.assertEqual(len(outcomes), 1)
        return outcomes[0]

    def succeeds(self, server, method, path, *options, **more):
        outcome = self.send(server, method, path, *options, **more)
        self.assertEqual(outcome["rc"], 0, outcome)
        return outcome

    def fails(self, server, method, path, *options, code, message=None, hint=None, **more):
        """The request fails with this code; the texts are part of message and hint."""
        outcome = self.send(server, method, path, *options, **more)
        self.assertEqual(outcome.get("code"), code, outcome)
        self.assertIn(message or "", outcome["message"])
        self.assertIn(hint or "", outcome.get("hint", ""))
        return outcome


class RawServer:
    """Calls `handler(connection, head)` for each request head that arrives; bytes are its business.

    The handler returns True to keep the connection. `heads` holds what was received.
    """

    def __init__(self, handler, context=None):
        self.handler, self.context, self.heads = handler, context, []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.closing = threading.Event()
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    @property
    def host(self):
        return f"localhost:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.context:
                connection = self._handshake(connection)
            with connection:
                while (head := self._head(connection)):
                    self.heads.append(head)
                    if not self.handler(connection, head):
                        return
        except OSError:
            pass

    def _handshake(self, connection):
        connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            connection.do_handshake()
        except ssl.SSLError:
            # Closed with something unread, the connection would be reset, and our alert lost.
            with connection:
                socket.socket.shutdown(connection, socket.SHUT_WR)
                while socket.socket.recv(connection, 4096):
                    pass
            raise
        return connection

    @staticmethod
    def _head(connection):
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            if not piece:
                return ""
            data += piece
        return data.decode("latin-1")

    def wait(self):
        """Hold a connection open until the test ends."""
        self.closing.wait(120)

    def close(self):
        self.closing.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_body(connection, head):
    """The body that a Content-Length in the head announces."""
    left = int(head.lower().split("content-length:")[1].split("\r\n")[0])
    data = b""
    while len(data) < left:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data
