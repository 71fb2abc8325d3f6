# SPDX-License-Identifier: Apache-2.0
"""Three processes that are one registry, behind a load balancer, one of them killed at any moment of pushes: what was
acknowledged is there at each of them, and nothing is wrong. CORAS_TEST_ROUNDS says how many kills.
"""

import http.client
import json
import os
import random
import subprocess
import threading
import time

from embedded import PROGRAM, digest, image
from harness import programs, stores
from harness.case import main
from harness.postgres import need_postgres
from harness.stores import BUCKET
from test_server_kills import Pusher
from test_server_several import SeveralCase, TurnByTurn

ROUNDS = int(os.environ.get("CORAS_TEST_ROUNDS", "12"))
PUSHERS = 4
LONGEST = 0.4  # seconds from the first push to the kill; a push takes some hundredths
PART = 8 << 20
SIZES = (1, 1000, 300_000, PART + 1000)


class Stubborn(Pusher):
    """Asks again when its connection is cut, and goes on with uploads at whatever process it is sent to."""

    def __init__(self, balancer, name, seed):
        super().__init__(balancer, name, seed)
        self.cuts = 0
        self.failure = None

    def try_once(self, method, path, body=None, headers=None):
        """None: it was cut, and who knows what became of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            reply.body = reply.read()
            return reply
        except (OSError, http.client.HTTPException):
            self.cuts += 1
            return None
        finally:
            connection.close()

    def go_on(self, location, data):
        """The rest of an upload; False: somebody who is dead still holds it, or it never was."""
        reply = self.try_once("GET", location)
        if reply is None or reply.status != 204:
            return False
        first = int(reply.headers["Range"].split("-")[1]) + 1 if reply.headers["Range"] != "0-0" else 0
        reply = self.try_once("PUT", f"{location}?digest={digest(data)}", data[first:])
        return reply is not None and reply.status == 201

    def push_once(self, data):
        begun = self.try_once("POST", f"/v2/{self.repository}/blobs/uploads/")
        if begun is None or begun.status != 202:
            return False
        location, half = begun.headers["Location"], len(data) // 2
        if self.random.random() < 0.5:
            self.try_once("PATCH", location, data[:half])
            return self.go_on(location, data)
        reply = self.try_once("PUT", f"{location}?digest={digest(data)}", data)
        return reply is not None and reply.status == 201 or self.go_on(location, data)

    def push_blob(self, data):
        while not self.push_once(data):
            if self.finished.is_set():
                return False
        self.blobs[digest(data)] = data
        return True

    def push(self, number):
        layer = self.random.randbytes(self.random.choice(SIZES))
        if not self.push_blob(b"{}") or not self.push_blob(layer):
            return
        tag, manifest = f"v{number % 3}", image([layer])
        self.tags.pop(tag, None)
        reply = self.try_once("PUT", f"/v2/{self.repository}/manifests/{tag}", manifest,
                              {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
        if reply is None or reply.status == 503:
            return
        if reply.status != 201:
            self.failure = (reply.status, reply.body)
        self.tags[tag] = manifest

    def run(self):
        number = 0
        while not self.finished.is_set() and not self.failure:
            self.push(number)
            number += 1


@need_postgres
@programs.need_versitygw
class SeveralKills(SeveralCase):
    def start(self):
        return self.serve("--no-redirect")

    def check(self, servers, pushers):
        for pusher in pushers:
            self.assertIsNone(pusher.failure)
            for i, (name, data) in enumerate(pusher.blobs.items()):
                reply = servers[i % 3].request("GET", f"/v2/{pusher.repository}/blobs/{name}")
                self.assertEqual((reply.status, digest(reply.body)), (200, name), len(data))
            for tag, manifest in pusher.tags.items():
                for server in servers:
                    reply = server.request("GET", f"/v2/{pusher.repository}/manifests/{tag}")
                    self.assertEqual((reply.status, reply.body), (200, manifest))

    def verify(self, server):
        done = subprocess.run(
            [PROGRAM, "verify", f"--root={server.root}", f"--metadata={self.url}", f"--blobs=s3://{BUCKET}/{self.name}",
             f"--s3-endpoint={self.store.endpoint}", "--format=json"],
            env={**os.environ, **stores.credentials()}, timeout=120, check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_kills_of_one_of_three(self):
        servers = [self.start() for _ in range(3)]
        balancer = TurnByTurn(servers)
        self.addCleanup(balancer.close)
        chance, kept, cuts = random.Random(20261128), 0, 0
        for number in range(ROUNDS):
            pushers = [Stubborn(balancer, f"r{number}-{i}", chance.random()) for i in range(PUSHERS)]
            for pusher in pushers:
                pusher.start()
            time.sleep(chance.uniform(0, LONGEST))
            victim = servers[chance.randrange(3)]
            victim.kill()
            victim.start()
            for pusher in pushers:
                pusher.finished.set()
            for pusher in pushers:
                pusher.join()
            self.check(servers, pushers)
            kept += sum(len(set(pusher.tags.values())) for pusher in pushers)
            cuts += sum(pusher.cuts for pusher in pushers)
        self.assertGreater(cuts, 0, "nobody noticed")
        self.assertGreaterEqual(self.verify(servers[0])["manifests"], kept)


if __name__ == "__main__":
    main()
