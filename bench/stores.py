# SPDX-License-Identifier: Apache-2.0
"""One large blob into a store that speaks S3, by coras serve and by CNCF distribution 3.

What counts is the last request: the client waits for it, and whoever copies the object there waits for all its bytes
once more. The body goes before it, in one request.
"""

import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from servers import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret"}
PIECE = 1 << 20


def start(port, command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **KEYS})
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process
        except OSError:
            if process.poll() is not None:
                sys.exit(f"{command[0]} did not start: {command}")
            time.sleep(0.02)


def start_store(folder, program):
    (folder / "store/blobs").mkdir(parents=True)
    port = free_port()
    return port, start(port, [program, "--port", f"127.0.0.1:{port}", "--access", KEYS["AWS_ACCESS_KEY_ID"], "--secret",
                              KEYS["AWS_SECRET_ACCESS_KEY"], "--keep-alive", "--quiet", "posix", str(folder / "store")])


def start_ours(folder, program, store):
    port = free_port()
    return port, start(port, [program, f"--root={folder / 'ours'}", f"--listen=127.0.0.1:{port}", "--blobs=s3://blobs/ours",
                              f"--s3-endpoint=http://127.0.0.1:{store}"])


def start_other(folder, program, store):
    port, config = free_port(), folder / "other.json"
    config.write_text(json.dumps({
        "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"s3": {"region": "us-east-1", "bucket": "blobs", "rootdirectory": "/other", "secure": False,
                           "regionendpoint": f"http://127.0.0.1:{store}", "forcepathstyle": True,
                           "accesskey": KEYS["AWS_ACCESS_KEY_ID"], "secretkey": KEYS["AWS_SECRET_ACCESS_KEY"]}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "bench"}}))
    return port, start(port, [program, "serve", str(config)])


def written(process):
    """Bytes that it has written so far: to files, and as answers, which are few here."""
    return int(re.search(r"^wchar: (\d+)", Path(f"/proc/{process.pid}/io").read_text(), re.M)[1])


def counted(port, name):
    """A metric of ours; 0 for whoever has none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    found = re.search(rf"^{re.escape(name)} (\S+)", connection.getresponse().read().decode(), re.M)
    return float(found[1]) if found else 0.0


def store_seconds(port):
    """What the store has taken so far for what is sent to it."""
    return sum(counted(port, f'coras_store_seconds_sum{{method="{method}"}}') for method in ("POST", "PUT"))


class Push:
    """Of a blob of `count` MiB that nobody has seen before."""

    def __init__(self, port, count):
        self.port, self.count, self.seed = port, count, os.urandom(PIECE)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        whole = hashlib.sha256()
        for piece in self.pieces():
            whole.update(piece)
        self.digest = f"sha256:{whole.hexdigest()}"
        self.location = self.ask("POST", "/v2/large/blobs/uploads/")

    def pieces(self):
        for i in range(self.count):
            at = i % 64
            yield self.seed[at:] + self.seed[:at]

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status >= 400:
            sys.exit(f"{method} {path}: {reply.status} {text[:200]}")
        return (reply.getheader("Location") or "").split(f":{self.port}")[-1]

    def send(self):
        began = time.monotonic()
        self.location = self.ask("PATCH", self.location, self.pieces(), {
            "Content-Length": str(self.count * PIECE), "Content-Type": "application/octet-stream"})
        return time.monotonic() - began

    def close(self):
        began = time.monotonic()
        self.ask("PUT", f"{self.location}{'&' if '?' in self.location else '?'}digest={self.digest}", b"")
        return time.monotonic() - began


def measure(port, store_process, mib):
    push, before = Push(port, mib), written(store_process)
    body, store = push.send(), store_seconds(port)
    close = push.close()
    return {"rate": mib / body, "close_ms": close * 1e3,
            "beyond_ms": (close - (store_seconds(port) - store)) * 1e3,
            "sent": counted(port, "coras_store_sent_bytes_total") / (mib * PIECE),
            "wrote": (written(store_process) - before) / (mib * PIECE)}


def beside(options, folder):
    store, store_process = start_store(folder, options.versitygw)
    found = {}
    try:
        for name, begin, program in (("ours", start_ours, options.program), ("other", start_other, options.registry3)):
            port, process = begin(folder, program, store)
            try:
                found[name] = measure(port, store_process, options.mib)
            finally:
                process.kill()
                process.wait()
    finally:
        store_process.kill()
        store_process.wait()
    return found["ours"], found["other"]


def run(options, folder, table):
    """Only when it is asked for by its name: it needs programs that are not Debian's (scripts/oracles)."""
    if "store" not in (options.only or ()):
        return
    place = Path(folder) / "with-store"
    place.mkdir()
    mine, other = beside(options, place)
    shutil.rmtree(place)
    table.add(f"push of {options.mib} MiB into a store", "MiB/s", mine["rate"], other["rate"])
    table.add("its last request", "ms", mine["close_ms"], other["close_ms"])
    table.add("of it beyond the store's own time", "ms", mine["beyond_ms"], most=50)
    table.add("bytes sent to the store for it", "times", mine["sent"], most=1.001)
    table.add("bytes that the store wrote for it", "times", mine["wrote"], other["wrote"])
