# SPDX-License-Identifier: Apache-2.0
"""The embedded registry alone (coras-serve), and plain ways to talk to it."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.programs import BUILD
from harness.waiting import wait_until

PROGRAM = BUILD / "serve/coras-serve"

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
SANITIZER_WORDS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:")


def digest(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def descriptor(data, media_type="application/octet-stream", **members):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **members}


def image(layers=(), **members):
    """Bytes of a manifest over these blobs, with the empty config."""
    return compact({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                    "config": descriptor(b"{}", OCI_EMPTY),
                    "layers": [descriptor(layer) for layer in layers], **members})


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["errors"][0]["code"]


class Server:
    """A running server. Its directory stays over stop() and start(), until close()."""

    def __init__(self, *options, root=None, prefix=()):
        self.prefix = list(prefix)
        self.top = Path(tempfile.mkdtemp(prefix="coras-serve-"))
        self.root = Path(root) if root else self.top / "root"
        self.options = options
        self.log_path = self.top / "log"
        self.process = None

    def start(self, *more):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, PROGRAM, f"--root={self.root}", "--listen=127.0.0.1:0", *self.options, *more],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().decode()
        if not line.startswith("listening on "):
            self.process.wait(30)
            raise RuntimeError(f"did not start: {line!r}\n{self.log()}")
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=60):
        code = self.process.wait(seconds)
        self.process.stdout.close()
        self.process = None
        return code

    def stop(self, number=signal.SIGTERM):
        self.send(number)
        return self.wait()

    def kill(self):
        self.stop(signal.SIGKILL)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def close(self):
        if self.process:
            self.stop()
        shutil.rmtree(self.top, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method, path, body=None, headers=None):
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def raw(self, data):
        """Send bytes as they are; everything that comes back until the server closes."""
        with self.socket() as sock:
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = b""
            try:
                while piece := sock.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer

    # ---- the usual steps ----
    def begin(self, repository, query=""):
        reply = self.request("POST", f"/v2/{repository}/blobs/uploads/{query}",
                             headers={"Content-Length": "0"})
        assert reply.status == 202, (reply.status, reply.body)
        return reply.headers["Location"]

    def push_blob(self, repository, data, algorithm="sha256"):
        location = self.begin(repository)
        reply = self.request("PUT", f"{location}?digest={digest(data, algorithm)}", data,
                             {"Content-Type": "application/octet-stream"})
        assert reply.status == 201, (reply.status, reply.body)
        return reply

    def put_manifest(self, repository, reference, data, media_type=OCI_MANIFEST):
        return self.request("PUT", f"/v2/{repository}/manifests/{reference}", data,
                            {"Content-Type": media_type})

    def push_image(self, repository, reference, layers=(b"hello",), **members):
        for layer in (b"{}", *layers):
            self.push_blob(repository, layer)
        data = image(layers, **members)
        reply = self.put_manifest(repository, reference, data)
        assert reply.status == 201, (reply.status, reply.body)
        return data

    def blob_files(self):
        return sorted(path.name for path in (self.root / "blobs").glob("*/*"))

    def upload_files(self):
        return sorted(path.name for path in (self.root / "uploads").iterdir())


def end_well(case, server):
    """Stop and remove it; its end and what sanitizers have said must be as they should."""
    if server.process:
        case.assertEqual(server.stop(), 0, server.log())
    log = server.log()
    server.close()
    for word in SANITIZER_WORDS:
        case.assertNotIn(word, log)


def send_part(server, location, data, total):
    """A PATCH of which only `data` is sent; the open socket."""
    sock = server.socket()
    sock.sendall(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\n"
                 f"Content-Length: {total}\r\n\r\n".encode() + data)
    return sock


def wait_for_size(server, location, size):
    """Until the session's file holds `size` bytes: they came through the socket."""
    path = server.root / "uploads" / location.rsplit("/", 1)[1]
    wait_until(lambda: path.stat().st_size >= size)


class ServerCase(unittest.TestCase):
    """One server for all tests of a class; each test uses repositories of its own."""

    options = ()
    wait_until = staticmethod(wait_until)

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise unittest.SkipTest(f"{PROGRAM} is not built")
        cls.server = Server(*cls.options).start()

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        log = cls.server.log()
        cls.server.close()
        assert code == 0, f"exit code {code}\n{log}"
        for word in SANITIZER_WORDS:
            assert word not in log, log

    def setUp(self):
        self.repository = "t/" + self._testMethodName.replace("_", "-")

    def new_server(self, *options, **named):
        server = Server(*options, **named)
        self.addCleanup(server.close)
        return server

    def small_server(self, megabytes, *options):
        """On a small file system of its own, in a mount namespace."""
        probe = ["unshare", "--mount", "--map-root-user", "true"]
        if not shutil.which("unshare") or subprocess.run(probe, check=False, capture_output=True).returncode:
            raise unittest.SkipTest("no mount namespaces here")
        server = self.new_server(*options)
        mount = server.top / "small"
        mount.mkdir()
        server.root = mount / "root"
        server.prefix = ["unshare", "--mount", "--map-root-user", "sh", "-c",
                         f'mount -t tmpfs -o size={megabytes}m,mode=700 none "{mount}" && exec "$0" "$@"']
        return server.start()

    def request(self, *args, **named):
        return self.server.request(*args, **named)

    def assert_error(self, reply, status, code):
        self.assertEqual((reply.status, reply.code), (status, code), reply.body)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
