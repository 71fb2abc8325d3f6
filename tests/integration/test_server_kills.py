# SPDX-License-Identifier: Apache-2.0
"""The embedded registry killed, or ended, amid pushes and fills: what was acknowledged is there, nothing is wrong.

CORAS_TEST_ROUNDS says how many kills of each kind; each happens somewhere in the work of several clients at once.
"""

import http.client
import json
import os
import random
import subprocess
import threading
import time

from embedded import PROGRAM, ServerCase, digest, image
from harness.case import main

ROUNDS = int(os.environ.get("CORAS_TEST_ROUNDS", "12"))
PUSHERS = 3
LONGEST = 0.15  # seconds from the first push to the kill; a push takes some thousandths


class KillsCase(ServerCase):
    def verify(self, server):
        done = subprocess.run([PROGRAM, "verify", f"--root={server.root}", "--format=json"], timeout=60, check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stdout)


class Pusher(threading.Thread):
    """Pushes one image after the other until the server is gone; remembers what it was promised."""

    def __init__(self, server, name, seed):
        super().__init__()
        self.server, self.repository, self.random = server, name, random.Random(seed)
        self.blobs, self.tags, self.finished = {}, {}, threading.Event()

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        reply.read()
        return reply

    def push_blob(self, data):
        location = self.ask("POST", f"/v2/{self.repository}/blobs/uploads/").headers["Location"]
        if self.random.random() < 0.5:
            half = len(data) // 2
            self.ask("PATCH", location, data[:half])
            data_left = data[half:]
        else:
            data_left = data
        if self.ask("PUT", f"{location}?digest={digest(data)}", data_left).status == 201:
            self.blobs[digest(data)] = data

    def run(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        number = 0
        try:
            while not self.finished.is_set():
                layer = self.random.randbytes(self.random.choice((1, 1000, 300_000)))
                for data in (b"{}", layer):
                    self.push_blob(data)
                tag, manifest = f"v{number % 3}", image([layer])
                self.tags.pop(tag, None)  # neither the old nor the new one is promised meanwhile
                reply = self.ask("PUT", f"/v2/{self.repository}/manifests/{tag}", manifest,
                                 {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
                if reply.status == 201:
                    self.tags[tag] = manifest
                number += 1
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            self.connection.close()


class Kills(KillsCase):
    def check(self, server, pushers):
        for pusher in pushers:
            for name, data in pusher.blobs.items():
                reply = server.request("GET", f"/v2/{pusher.repository}/blobs/{name}")
                self.assertEqual((reply.status, reply.body), (200, data))
            for tag, manifest in pusher.tags.items():
                reply = server.request("GET", f"/v2/{pusher.repository}/manifests/{tag}")
                self.assertEqual((reply.status, reply.body), (200, manifest))

    def test_kills_while_clients_push(self):
        server = self.new_server().start()
        chance = random.Random(20261126)
        kept = 0
        for number in range(ROUNDS):
            pushers = [Pusher(server, f"r{number}-{i}", chance.random()) for i in range(PUSHERS)]
            for pusher in pushers:
                pusher.start()
            time.sleep(chance.uniform(0, LONGEST))
            server.kill()
            for pusher in pushers:
                pusher.finished.set()
                pusher.join()
            server.start()
            self.check(server, pushers)
            kept += sum(len(set(pusher.tags.values())) for pusher in pushers)
        self.assertGreaterEqual(self.verify(server)["manifests"], kept)


    def test_end_while_clients_push(self):
        server = self.new_server().start()
        pushers = [Pusher(server, f"r{i}", i) for i in range(PUSHERS)]
        for pusher in pushers:
            pusher.start()
        self.wait_until(lambda: all(pusher.tags for pusher in pushers))
        self.assertEqual(server.stop(), 0, server.log())  # nobody keeps it from ending, though they go on
        for pusher in pushers:
            pusher.finished.set()
            pusher.join()
        server.start()
        self.check(server, pushers)
        left = list((server.root / "uploads").iterdir())  # uploads that are open, each with its sidecar
        self.assertEqual({path.stem for path in left if path.suffix}, {path.name for path in left if not path.suffix})


class Reader(threading.Thread):
    """Reads one blob through the cache until it ends, or the cache does."""

    def __init__(self, cache, name, first):
        super().__init__()
        self.cache, self.name, self.first = cache, name, first
        self.data = b""

    def run(self):
        connection = self.cache.connection()
        try:
            connection.request("GET", f"/v2/lib/blobs/{self.name}", headers={"Range": f"bytes={self.first}-"})
            reply = connection.getresponse()
            if reply.status == 206:
                while piece := reply.read(65536):
                    self.data += piece
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            connection.close()


class Fills(KillsCase):
    SIZE = 12_000_000

    def test_kills_while_clients_read_what_is_being_fetched(self):
        cache = self.new_server(f"--proxy=http://127.0.0.1:{self.server.port}").start()
        chance = random.Random(20261127)
        for _ in range(ROUNDS):
            data = chance.randbytes(self.SIZE)
            name = digest(data)
            self.server.push_blob("lib", data)
            readers = [Reader(cache, name, first) for first in (0, 1000, self.SIZE // 2)]
            for reader in readers:
                reader.start()
            time.sleep(chance.uniform(0, LONGEST))
            cache.kill()
            for reader in readers:
                reader.join()
                self.assertTrue(data.startswith(reader.data, reader.first), "bytes that are not the blob's")
            cache.start()
            reply = cache.request("GET", f"/v2/lib/blobs/{name}")
            self.assertEqual((reply.status, digest(reply.body)), (200, name))
        self.wait_until(lambda: self.verify(cache)["blobs"] == ROUNDS)  # the last has its row when it is read


if __name__ == "__main__":
    main()
