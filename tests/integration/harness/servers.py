# SPDX-License-Identifier: Apache-2.0
"""Real registries on free ports in temporary directories."""

import contextlib
import functools
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import programs
from .scripted import EMPTY, IMAGE, compact, layer, manifest

USER, PASSWORD = "alice", "wonder-canary-7F3"
HTPASSWD = "alice:$2y$05$y2lQrNnnQ0RV7sBeFZPQce935rzS2af10jYwtOAzt0E5Nq22sSmRe\n"


def free_port():
    """A port that was free a moment ago; the caller retries when somebody was faster."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Process:
    """A server process: started on a free port, waited for, stopped."""

    start_tries = 5

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="coras-test-"))
        self.port = None
        self.process = None
        self.log_path = self.root / "server.log"

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {**os.environ, "OTEL_TRACES_EXPORTER": "none"}

    def start(self, port=None):
        for attempt in range(self.start_tries):
            self.port = port or free_port()
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, env=self.environment())
            if self._wait_listening():
                return self
            self.stop()
            if port is not None and attempt + 1 < self.start_tries:
                time.sleep(0.1)
        raise RuntimeError(f"{self.command()[0]} did not start:\n{self.log()}")

    def _wait_listening(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self.process.poll() is None
            except OSError:
                time.sleep(0.01)
        return False

    def stop(self, sig=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self):
        return self.log_path.read_text(errors="replace")[-4000:] if self.log_path.exists() else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def host(self):
        return f"localhost:{self.port}"

    @property
    def ip_host(self):
        return f"127.0.0.1:{self.port}"


class DockerRegistry(Process):
    """CNCF distribution: Debian's docker-registry 2.8, or version 3 with `program` given.

    auth: None, "basic" (USER, PASSWORD) or a TokenServer; tls: a tls.ServerCertificate.
    """

    def __init__(self, program=None, auth=None, tls=None, delete=True, proxy_of=None):
        super().__init__()
        self.program = program or programs.DOCKER_REGISTRY
        self.auth, self.tls, self.delete = auth, tls, delete

    def command(self):
        config = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.root / "data")},
                "delete": {"enabled": self.delete},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{self.port}", "secret": "tests"},
        }
        if self.auth == "basic":
            (self.root / "htpasswd").write_text(HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(self.root / "htpasswd")}}
        elif self.auth is not None:
            config["auth"] = {"token": {
                "realm": self.auth.realm, "service": self.auth.service,
                "issuer": self.auth.issuer, "rootcertbundle": str(self.auth.certificate),
            }}
        if self.tls is not None:
            config["http"]["tls"] = {"certificate": str(self.tls.certificate),
                                     "key": str(self.tls.key)}
        path = self.root / "config.yml"
        path.write_text(json.dumps(config))  # JSON is YAML
        return [self.program, "serve", str(path)]

    def requests(self):
        """Access log lines so far, oldest first, as (method, path, status)."""
        found = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            parts = line.split('"')
            if len(parts) > 2 and parts[1].endswith(("HTTP/1.1", "HTTP/2.0")):
                method, path, _ = parts[1].split(" ")
                found.append((method, path, int(parts[2].split()[0])))
        return found


def registry3(**options):
    return DockerRegistry(program=programs.REGISTRY3, **options)


class CorasServe(Process):
    """The embedded registry of the program under test.

    CORAS_TEST_SERVE may name a program that is only the server (serve/coras-serve of the build).
    """

    alone = os.environ.get("CORAS_TEST_SERVE")

    def __init__(self, *options):
        super().__init__()
        self.options = options
        self.data = self.root / "data"

    def command(self):
        listen = f"127.0.0.1:{self.port}"
        if self.alone:
            return [self.alone, f"--root={self.data}", f"--listen={listen}", *self.options]
        return [programs.CORAS, "serve", "--listen", listen, "--root", str(self.data),
                *self.options]

    @classmethod
    def available(cls):
        return bool(cls.alone) or can_serve()


@functools.lru_cache(maxsize=None)
def can_serve():
    """Whether the program under test was built with its registry: the server itself then complains."""
    if not programs.has_command("serve"):
        return False
    done = subprocess.run([programs.CORAS, "serve", "--root", "root", "--htpasswd", "/nonexistent"], timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "/nonexistent" in done.stderr


class Api:
    """The distribution API by plain HTTP, to prepare and inspect registries.

    Keeps one connection for each thread.
    """

    def __init__(self, host, headers=None):
        self.host, self.headers = host, headers or {}
        self.local = threading.local()

    def __del__(self):
        conn = getattr(self.local, "conn", None)
        if conn is not None:
            conn.close()

    def request(self, method, path, body=None, headers=None):
        """Returns (status, headers, body); the header names are lower case."""
        for attempt in (0, 1):
            conn = getattr(self.local, "conn", None)
            if conn is None:
                conn = http.client.HTTPConnection(self.host.replace("localhost", "127.0.0.1"),
                                                  timeout=30)
                self.local.conn = conn
            try:
                conn.request(method, path, body, {**self.headers, **(headers or {})})
                answer = conn.getresponse()
                data = answer.read()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data
            except (http.client.HTTPException, OSError):
                conn.close()
                self.local.conn = None
                if attempt:
                    raise
        raise AssertionError("unreachable")

    def push_blob(self, repo, data, digest):
        status, headers, body = self.request("POST", f"/v2/{repo}/blobs/uploads/", b"")
        if status != 202:
            raise RuntimeError(f"POST {repo}: {status} {body[:200]!r}")
        location = headers["location"]
        if "://" in location:
            location = "/" + location.split("/", 3)[3]
        location += ("&" if "?" in location else "?") + "digest=" + digest
        status, _, body = self.request("PUT", location, data,
                                       {"Content-Type": "application/octet-stream"})
        if status != 201:
            raise RuntimeError(f"PUT blob {repo}: {status} {body[:200]!r}")

    def push_manifest(self, repo, reference, data, media_type):
        status, headers, body = self.request("PUT", f"/v2/{repo}/manifests/{reference}", data,
                                             {"Content-Type": media_type})
        if status != 201:
            raise RuntimeError(f"PUT manifest {repo}:{reference}: {status} {body[:300]!r}")
        return headers

    def push_file(self, repo, reference, data, title):
        """An artifact of one file."""
        entry = layer(data, title)
        self.push_blob(repo, data, entry["digest"])
        self.push_blob(repo, b"{}", EMPTY["digest"])
        self.push_manifest(repo, reference, compact(manifest([entry])), IMAGE)
        return entry["digest"]

    ACCEPT = ", ".join((
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.artifact.manifest.v1+json", "*/*"))

    def manifest(self, repo, reference, method="GET"):
        return self.request(method, f"/v2/{repo}/manifests/{reference}",
                            headers={"Accept": self.ACCEPT})

    def digest(self, repo, reference):
        """Digest of a tag, or None."""
        status, headers, _ = self.manifest(repo, reference, "HEAD")
        return headers.get("docker-content-digest") if status == 200 else None

    def has_blob(self, repo, digest):
        return self.request("HEAD", f"/v2/{repo}/blobs/{digest}")[0] == 200

    def tags(self, repo):
        """All tags with their digests."""
        status, _, body = self.request("GET", f"/v2/{repo}/tags/list?n=1000")
        if status != 200:
            return {}
        return {tag: self.digest(repo, tag) for tag in json.loads(body)["tags"] or []}

    def catalog(self):
        status, _, body = self.request("GET", "/v2/_catalog?n=1000")
        return json.loads(body)["repositories"] or [] if status == 200 else []


@contextlib.contextmanager
def started(*servers):
    """Start several servers; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server) for server in servers]
