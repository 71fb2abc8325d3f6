# SPDX-License-Identifier: Apache-2.0
"""The embedded registry's chores: reading everything it holds, removing what nothing needs."""

import json
import os
import sqlite3
import subprocess
import time

from embedded import ServerCase, digest
from harness import programs
from harness.case import main

DAY = 24 * 3600


class Chores(ServerCase):
    def setUp(self):
        super().setUp()
        self.mine = self.new_server().start()

    def blob(self, data, algorithm="sha256"):
        return self.mine.root / "blobs" / algorithm / digest(data, algorithm).split(":")[1]

    def coras(self, *arguments, root=None):
        return subprocess.run([programs.CORAS, "serve", *arguments, "--root", str(root or self.mine.root)],
                              timeout=60, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def spoil(self, path, data):
        path.chmod(0o600)
        path.write_bytes(data)

    def test_all_is_well_beside_a_server_and_without(self):
        self.mine.push_image("a", "v1", [b"hello", b"x" * 3_000_000])
        self.mine.push_blob("a", b"long", "sha512")
        for stop in (False, True):
            if stop:
                self.mine.stop()
            done = self.coras("verify")
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (0, "read 4 blobs (3000011 bytes) and 1 manifests\n", ""))
            done = self.coras("verify", "--format", "json")
            self.assertEqual(json.loads(done.stdout), {"blobs": 4, "bytes": 3000011, "manifests": 1, "problems": []})

    def test_damage_is_found_and_repaired_by_a_push(self):
        self.mine.push_image("a", "v1", [b"one", b"two", b"three"])
        self.spoil(self.blob(b"one"), b"eno")  # the same length
        self.spoil(self.blob(b"two"), b"tw")
        self.blob(b"three").unlink()
        done = self.coras("verify")
        self.assertEqual(sorted(done.stdout.splitlines()), sorted((
            f"damaged {digest(b'one')}", f"damaged {digest(b'two')}", f"missing {digest(b'three')}",
            "read 4 blobs (8 bytes) and 1 manifests")))
        self.assertEqual(done.returncode, 1)
        self.assertIn("Error: 2 damaged and 1 missing in ", done.stderr)
        done = self.coras("verify", "--remove", "--format", "json")
        self.assertEqual({(p["digest"], p["problem"]) for p in json.loads(done.stdout)["problems"]},
                         {(digest(b"one"), "removed"), (digest(b"two"), "removed"), (digest(b"three"), "missing")})
        for data in (b"one", b"two", b"three"):
            self.assertEqual(self.mine.request("HEAD", f"/v2/a/blobs/{digest(data)}").status, 404)
            self.mine.push_blob("a", data)
        self.assertEqual(self.coras("verify").returncode, 0)

    def test_a_cache_is_repaired_from_its_origin(self):
        origin = f"--proxy=origin.example=http://127.0.0.1:{self.server.port}"
        self.server.push_image("a", "v1", [b"one", b"two"])
        self.mine = self.new_server(origin).start()
        for data in (b"one", b"two"):
            reply = self.mine.request("GET", f"/v2/origin.example/a/blobs/{digest(data)}")
            self.assertEqual((reply.status, reply.body), (200, data))
        self.mine.push_blob("own", b"only here")
        self.wait_until(lambda: "read 3 blobs" in self.coras("verify").stdout)
        self.spoil(self.blob(b"one"), b"eno")
        self.blob(b"two").unlink()
        self.blob(b"only here").unlink()
        done = self.coras("verify", origin, "--format", "json")
        self.assertEqual({(p["digest"], p["problem"]) for p in json.loads(done.stdout)["problems"]},
                         {(digest(b"one"), "repaired"), (digest(b"two"), "repaired"), (digest(b"only here"), "missing")})
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{digest(b'only here')} was not repaired: own comes from nowhere else", done.stderr)
        self.mine.push_blob("own", b"only here")
        self.assertEqual(self.coras("verify").returncode, 0)
        self.assertEqual(self.blob(b"one").read_bytes(), b"one")
        self.assertEqual(self.coras("verify", "--proxy=user:word@host").returncode, 1)

    def test_a_damaged_manifest(self):
        data = self.mine.push_image("a", "v1")
        self.mine.stop()
        database = sqlite3.connect(self.mine.root / "registry.db")
        with database:
            database.execute("UPDATE manifest SET content = replace(content, 'layers', 'lairs!')")
        database.close()
        done = self.coras("verify")
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (1, f"damaged {digest(data)} (manifest of a)"))

    def test_collection_by_hand(self):
        self.mine.push_image("a", "v1", [b"needed"])
        self.mine.push_blob("a", b"idle")
        stray = self.blob(b"stray")
        stray.write_bytes(b"stray")
        os.utime(stray, (0, 0))
        done = self.coras("gc")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("another process serves it", done.stderr)
        self.assertIn("Hint: a server that runs there removes what nothing needs by itself", done.stderr)
        time.sleep(1.1)  # what was stored in this second is not older than it
        done = self.coras("gc", "--dry-run", "--older-than", "0")  # beside the server
        self.assertEqual((done.returncode, done.stdout), (0, "would remove 1 blobs (4 bytes) and 0 uploads\n"))
        self.mine.stop()
        done = self.coras("gc", "--dry-run")
        self.assertEqual(done.stdout, "would remove 0 blobs (0 bytes) and 0 uploads\n")
        self.assertTrue(self.blob(b"idle").exists())
        done = self.coras("gc", "--older-than", "0", "--format", "json")
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {"blobs": 1, "bytes": 4, "uploads": 0}))
        self.assertFalse(self.blob(b"idle").exists() or stray.exists())
        self.assertEqual(self.coras("verify").stdout, "read 2 blobs (8 bytes) and 1 manifests\n")

    def test_no_registry(self):
        for chore in ("verify", "gc"):
            done = self.coras(chore, root=self.mine.top / "none")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("none", done.stderr)
            self.assertFalse((self.mine.top / "none").exists())


if __name__ == "__main__":
    main()
