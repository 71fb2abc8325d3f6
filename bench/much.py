# SPDX-License-Identifier: Apache-2.0
"""Ours alone: many tags, manifests, referrers, and connections. Time should not grow with them, memory hardly."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from registries import EMPTY, Registry, digest, each, ours, page_times, read_blob
from servers import MANIFEST

NAMES = "manifests referrers readers idle uploads fill"
THREADS = 8
READERS, IDLE, UPLOADS, FILLERS = 200, 1000, 1000, 16
LINK_BYTES = 50_000_000  # a second: less than what the clients, which share the machine, can take together


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def run(options, folder, table):
    for name, work in (("manifests", many_manifests), ("referrers", many_referrers), ("readers", many_readers),
                       ("idle", idle_connections), ("uploads", slow_uploads), ("fill", cold_fill)):
        if table.wants(name):
            work(options, folder, table)


# ---- rows ----

def start_ms(registry, how):
    registry.stop(how)
    return registry.start() * 1e3


def chore(options, registry, folder, name):
    """Seconds and MiB."""
    report = Path(folder) / "report"
    subprocess.run([options.measure, report, options.program, name, f"--root={registry.folder}"], check=True,
                   stdout=subprocess.DEVNULL)
    wall, _, kib, status = report.read_text().split()
    if int(status):
        sys.exit(f"{name}: {status}")
    return float(wall), int(kib) / 1024


def look(registry):
    """Milliseconds of first and last pages, and of starts."""
    tags, catalog = (page_times(registry, path) for path in ("/v2/many/tags/list?n=1000", "/v2/_catalog?n=1000"))
    began = time.monotonic()
    registry.ask("GET", "/", headers={"Accept": "text/html"})
    page = (time.monotonic() - began) * 1e3
    registry.push_manifest("many", "again")  # so that there is a log to be read
    return {"first page of 1,000 tags,": tags[0], "last page of tags,": tags[1],
            "last page of repositories,": catalog[1], "page / for people,": page,
            "start after SIGKILL,": start_ms(registry, signal.SIGKILL),
            "start after SIGTERM,": start_ms(registry, signal.SIGTERM)}


def push_many(registry, first, last):
    """Every tenth has a tag, every hundredth is in a repository of its own."""
    def push(own, i):
        i += first
        repository = f"one{i:07}" if i % 100 == 0 else "many"
        if i % 100 == 0:
            own.ask("POST", f"/v2/{repository}/blobs/uploads/?mount={digest(EMPTY)}&from=many")
        own.push_manifest(repository, f"tag{i:07}" if i % 10 == 0 or i % 100 == 1 else None, {"n": str(i)})

    return each(last - first, THREADS, push, registry)


def many_manifests(options, folder, table):
    with Registry("manifests", ours, options.program, folder) as registry:
        registry.push_blob("many", EMPTY)
        few, many = options.manifests // 10, options.manifests
        push_many(registry, 0, few)
        before = look(registry)
        seconds = push_many(registry, few, many)
        table.add(f"manifests pushed, {THREADS} connections", "1/s", (many - few) / seconds)
        for what, value in look(registry).items():
            table.add(f"{what} {few} manifests", "ms", before[what])
            table.add(f"{what} {many} manifests", "ms", value, most=1000 if what.startswith("start") else None)
        table.add("memory", "MiB", registry.memory(), most=64)
        registry.stop(signal.SIGTERM)
        for name in ("verify", "gc"):
            seconds, mib = chore(options, registry, folder, name)
            table.add(f"{name} of {many} manifests", "s", seconds)
            table.add("its memory", "MiB", mib, most=64)
        registry.start()


def many_referrers(options, folder, table):
    with Registry("referrers", ours, options.program, folder) as registry:
        registry.push_blob("many", EMPTY)
        subject = {"mediaType": MANIFEST, "digest": digest(b"nobody"), "size": 6}
        path = f"/v2/many/referrers/{subject['digest']}"
        pushed = 0
        for count in (100, 1000, 10000):
            each(count - pushed, THREADS, lambda own, i, first=pushed: own.push_manifest(
                "many", None, {"n": str(first + i)}, subject=subject), registry)
            pushed = count
            first, last = page_times(registry, path)
            table.add(f"first page of {count} referrers", "ms", first)
            table.add("last page", "ms", last)


# ---- connections ----

@contextlib.contextmanager
def origin(options, folder, blob, rate):
    """Somebody has the blob behind a link; (it, the port)."""
    with Registry("origin", ours, options.program, folder) as registry:
        registry.push_blob("lib", blob)
        link = subprocess.Popen([options.link, "--rate", str(rate), str(registry.port)], stdout=subprocess.PIPE,
                                text=True)
        try:
            yield registry, int(link.stdout.readline().split()[1])
        finally:
            link.kill()
            link.wait()
            link.stdout.close()


def connect(registry, count):
    return [socket.create_connection(("127.0.0.1", registry.port)) for _ in range(count)]


def read_all(registry, name, size, count):
    """So many ask at once, and read to the end, by one thread."""
    request = f"GET /v2/lib/blobs/{name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    sink, got = bytearray(1 << 20), 0
    with selectors.DefaultSelector() as selector:
        for sock in connect(registry, count):
            sock.sendall(request)
            selector.register(sock, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                have = key.fileobj.recv_into(sink)
                got += have
                if have == 0:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
    if got < size * count:
        sys.exit(f"{registry.name}: {got} bytes came to {count} readers of {size}")


def many_readers(options, folder, table):
    blob = os.urandom(32 << 20)
    with origin(options, folder, blob, LINK_BYTES) as (registry, port):
        read_all(registry, digest(blob), len(blob), READERS)
        table.add(f"memory with {READERS} readers of a blob", "MiB", registry.memory(), most=64)
        with Registry("cache", ours, options.program, folder, f"--proxy=http://127.0.0.1:{port}") as cache:
            read_all(cache, digest(blob), len(blob), READERS)
            table.add(f"memory with {READERS} readers of a fill", "MiB", cache.memory(), most=64)


def idle_connections(options, folder, table):
    with Registry("idle", ours, options.program, folder) as registry:
        socks = connect(registry, IDLE)
        for sock in socks:
            sock.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for sock in socks:
            sock.recv(65536)
        table.add(f"memory with {IDLE} idle connections", "MiB", registry.memory(), most=96)
        for sock in socks:
            sock.close()


def slow_uploads(options, folder, table):
    """Each has sent a part of its body, and goes on."""
    with Registry("uploads", ours, options.program, folder) as registry:
        socks = connect(registry, UPLOADS)
        for sock in socks:
            location = registry.begin_upload("slow")
            sock.sendall(f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n"
                         "Content-Type: application/octet-stream\r\n\r\n".encode())
        for _ in range(8):
            for sock in socks:
                sock.sendall(bytes(20000))
        table.add(f"memory with {UPLOADS} slow uploads", "MiB", registry.memory(), most=128)
        for sock in socks:
            sock.close()


def seconds_of(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began


def read_at_once(cache, name):
    threads = [threading.Thread(target=read_blob, args=(cache.another(), "lib", name)) for _ in range(FILLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cold_fill(options, folder, table):
    blob = os.urandom(192 << 20)
    name = digest(blob)
    with origin(options, folder, blob, LINK_BYTES) as (registry, port):
        direct = registry.another()
        direct.connection.port = port
        alone = seconds_of(lambda: read_blob(direct, "lib", name))
        direct.connection.close()
        with Registry("cache", ours, options.program, folder, f"--proxy=http://127.0.0.1:{port}") as cache:
            together = seconds_of(lambda: read_at_once(cache, name))
            table.add("192 MiB over 50 MB/s: direct", "s", alone)
            table.add(f"a cold fill for {FILLERS} clients", "s", together)
            table.add("against the direct one", "x", together / alone, most=1.1)
            table.add("processor time of the cache", "s", cache.cpu())
