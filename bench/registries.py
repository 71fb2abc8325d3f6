# SPDX-License-Identifier: Apache-2.0
"""A registry to be measured, and what is asked of it."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from servers import MANIFEST, free_port

TICKS = os.sysconf("SC_CLK_TCK")
EMPTY = b"{}"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def ours(program, folder, port, *more):
    return [program, f"--root={folder}", f"--listen=127.0.0.1:{port}", "--max-connections-per-address=8192",
            "--max-connections=8192", *more]


def docker(program, folder, port):
    config = folder / "config.json"
    config.write_text(json.dumps({
        "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "bench"}}))
    return [program, "serve", str(config)]


class Registry:
    """It is started with a directory, which is removed at the end of a `with`."""

    def __init__(self, name, command_of, program, folder, *more):
        self.name, self.folder, self.port = name, Path(folder) / name, free_port()
        self.folder.mkdir()
        self.command = command_of(program, self.folder, self.port, *more)
        self.process = self.connection = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def start(self):
        """Seconds until somebody can connect."""
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.name} did not start: {self.command}")
                time.sleep(0.002)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        return time.monotonic() - began

    def stop(self, how=signal.SIGKILL):
        self.connection.close()
        self.process.send_signal(how)
        self.process.wait()

    def another(self):
        """The same for another thread."""
        copy = Registry.__new__(Registry)
        copy.__dict__.update(self.__dict__, connection=http.client.HTTPConnection("127.0.0.1", self.port, timeout=300))
        return copy

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        data = reply.read()
        if reply.status >= 400:
            sys.exit(f"{self.name}: {method} {path}: {reply.status} {data[:200]}")
        return reply, data

    def begin_upload(self, repository):
        location = self.ask("POST", f"/v2/{repository}/blobs/uploads/")[0].getheader("Location")
        return location.split(f":{self.port}")[-1]

    def push_blob(self, repository, data, name=None):
        location = self.begin_upload(repository)
        self.ask("PUT", f"{location}{'&' if '?' in location else '?'}digest={name or digest(data)}", data)

    def push_manifest(self, repository, tag, annotations=None, **members):
        data = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": annotations or {},
                           "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(EMPTY),
                                      "size": len(EMPTY)}, **members}).encode()
        self.ask("PUT", f"/v2/{repository}/manifests/{tag or digest(data)}", data, {"Content-Type": MANIFEST})
        return data

    def cpu(self):
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """Peak of resident memory in MiB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0


def each(count, threads, work, registry):
    """work(registry, i) for every i, shared out among threads with a connection each; seconds."""
    def run(first):
        own = registry.another()
        for i in range(first, count, threads):
            work(own, i)

    began = time.monotonic()
    running = [threading.Thread(target=run, args=(first,)) for first in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.monotonic() - began


def measured(registry, work):
    """Seconds of wall clock and of the server's processors."""
    before, began = registry.cpu(), time.monotonic()
    work()
    return time.monotonic() - began, registry.cpu() - before


def read_blob(registry, repository, name):
    sink = bytearray(1 << 20)
    registry.connection.request("GET", f"/v2/{repository}/blobs/{name}")
    reply = registry.connection.getresponse()
    got = 0
    while count := reply.readinto(sink):
        got += count
    if reply.status != 200 or got != int(reply.getheader("Content-Length") or got):
        sys.exit(f"{registry.name}: {reply.status}, {got} bytes of {name}")


def page_times(registry, path):
    """Milliseconds of the first page and of the last of all pages."""
    times = []
    while path:
        began = time.monotonic()
        reply, _ = registry.ask("GET", path)
        times.append((time.monotonic() - began) * 1e3)
        link = reply.getheader("Link")
        path = link.split("<")[1].split(">")[0] if link else None
    return times[0], times[-1]
