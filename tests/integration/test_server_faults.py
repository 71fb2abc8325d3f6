# SPDX-License-Identifier: Apache-2.0
"""The embedded registry when things go wrong: signals, crashes, full disks, damage, neighbours."""

import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from embedded import (OCI_MANIFEST, PROGRAM, ServerCase, digest, image, send_part,
                      wait_for_size)
from harness.case import main

DATA = bytes(range(256)) * 4000  # 1,024,000 bytes


class FaultCase(ServerCase):
    @contextlib.contextmanager
    def locked_database(self, server):
        """Somebody else writes to it meanwhile."""
        with contextlib.closing(sqlite3.connect(server.root / "registry.db", timeout=60)) as locker:
            locker.isolation_level = None
            locker.execute("BEGIN IMMEDIATE")
            yield
            locker.execute("ROLLBACK")


def change_database(server, *statements):
    """Behind the server's back."""
    with contextlib.closing(sqlite3.connect(server.root / "registry.db", timeout=60)) as database:
        with database:
            for statement in statements:
                database.execute(statement)


class Kill(ServerCase):
    def test_acknowledged_pushes_survive(self):
        server = self.new_server().start()
        for round_ in range(5):
            data = server.push_image("a", f"v{round_}", (f"layer {round_}".encode(),))
            server.kill()
            server.start()
            reply = server.request("GET", f"/v2/a/manifests/v{round_}")
            self.assertEqual(reply.body, data)
            blob = f"layer {round_}".encode()
            self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(blob)}").body, blob)
        tags = server.request("GET", "/v2/a/tags/list").json["tags"]
        self.assertEqual(tags, [f"v{i}" for i in range(5)])

    def test_uploads_go_on_at_the_length_of_their_file(self):
        server = self.new_server().start()
        location = server.begin("a")
        with send_part(server, location, DATA[:600_000], len(DATA)):
            wait_for_size(server, location, 600_000)
            server.kill()
        server.start()
        self.assertEqual(server.request("GET", location).headers["Range"], "0-599999")
        reply = server.request("PATCH", location, DATA[600_000:],
                               {"Content-Range": f"600000-{len(DATA) - 1}"})
        self.assertEqual(reply.status, 202)
        reply = server.request("PUT", f"{location}?digest={digest(DATA)}", b"")
        self.assertEqual(reply.status, 201)
        self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(DATA)}").body, DATA)
        self.assertEqual(server.upload_files(), [])

    def test_nothing_is_written_to_a_file_with_another_name(self):
        server = self.new_server().start()
        location, elsewhere = server.begin("a"), server.top / "elsewhere"
        elsewhere.write_bytes(b"theirs")
        upload = server.root / "uploads" / location.rsplit("/", 1)[1]
        upload.unlink()
        upload.hardlink_to(elsewhere)
        self.assertEqual(server.request("PATCH", location, b"ours").status, 500)
        self.assertEqual(elsewhere.read_bytes(), b"theirs")

    def test_what_cannot_get_its_name_goes_on_after_a_restart(self):
        server = self.new_server().start()
        location = server.begin("a")
        self.assertEqual(server.request("PATCH", location, DATA).status, 202)
        last = f"{location}?digest={digest(DATA)}"
        in_the_way = server.root / "blobs" / digest(DATA).replace(":", "/")
        in_the_way.mkdir()
        self.assertEqual(server.request("PUT", last, b"").status, 500)
        server.kill()
        server.start()
        self.assertEqual(server.request("GET", location).headers["Range"], f"0-{len(DATA) - 1}")
        in_the_way.rmdir()
        self.assertEqual(server.request("PUT", last, b"").status, 201)
        self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(DATA)}").body, DATA)
        self.assertEqual(server.upload_files(), [])

    def test_at_any_moment_of_many_pushes(self):
        """No blob with other bytes than its name says, no tag without its manifest and blobs."""
        server = self.new_server()
        acknowledged = {}
        for round_ in range(8):
            server.start()
            begun = threading.Event()

            def push(worker, server=server, round_=round_, begun=begun):
                for i in range(1000):
                    tag = f"r{round_}-{worker}-{i}"
                    try:
                        acknowledged[tag] = server.push_image("a", tag, (tag.encode() * 1000,))
                    except (OSError, AssertionError, ValueError):
                        return
                    if i == round_:
                        begun.set()
            workers = [threading.Thread(target=push, args=(w,)) for w in range(4)]
            for worker in workers:
                worker.start()
            begun.wait(60)
            server.kill()
            for worker in workers:
                worker.join()
        server.start()
        for name in server.blob_files():
            path = server.root / "blobs/sha256" / name
            self.assertEqual(digest(path.read_bytes()), f"sha256:{name}")
        tags = server.request("GET", "/v2/a/tags/list").json["tags"]
        self.assertLessEqual(set(acknowledged), set(tags))
        for tag in tags:
            reply = server.request("GET", f"/v2/a/manifests/{tag}")
            self.assertEqual((reply.status, reply.headers["Docker-Content-Digest"]), (200, digest(reply.body)))
            for layer in reply.json["layers"]:
                blob = server.request("GET", f"/v2/a/blobs/{layer['digest']}")
                self.assertEqual(digest(blob.body), layer["digest"])


class Stop(ServerCase):
    def test_sigterm_lets_running_requests_finish(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.new_server().start()
            location = server.begin("a")
            with send_part(server, location, DATA[:100_000], len(DATA)) as sock:
                wait_for_size(server, location, 100_000)
                server.send(number)
                with self.assertRaises(OSError):
                    while True:  # until it accepts no more
                        server.socket().close()
                sock.sendall(DATA[100_000:])
                answer = sock.recv(1000)
                self.assertTrue(answer.startswith(b"HTTP/1.1 202"), answer)
                self.assertIn(b"Connection: close", answer)
            self.assertEqual(server.wait(), 0)
            server.start()
            self.assertEqual(server.request("GET", location).headers["Range"], f"0-{len(DATA) - 1}")
            server.stop()

    def test_grace_has_an_end_and_a_second_signal_ends_it(self):
        for options, signals in ((("--grace=1",), 1), ((), 2)):
            server = self.new_server(*options).start()
            location = server.begin("a")
            with send_part(server, location, DATA[:100_000], len(DATA)):
                wait_for_size(server, location, 100_000)
                server.send(signal.SIGTERM)
                if signals == 2:
                    with self.assertRaises(OSError):
                        while True:
                            server.socket().close()
                    server.send(signal.SIGTERM)
                self.assertEqual(server.wait(20), 0)
            server.start()
            self.assertEqual(server.request("GET", location).headers["Range"], "0-99999")
            server.stop()

    def test_a_process_that_was_stopped_goes_on(self):
        """As by a freezer, a debugger or a shell: what it was sending comes to its end."""
        data, over = bytes(60_000_000), threading.Event()
        with self.new_server("--idle=20") as server:
            server.push_blob("a", data)

            def stop_and_go():
                while not over.wait(0.004):
                    server.send(signal.SIGSTOP)
                    server.send(signal.SIGCONT)
            thread = threading.Thread(target=stop_and_go)
            thread.start()
            try:
                for _ in range(15):
                    self.assertEqual(len(server.request("GET", f"/v2/a/blobs/{digest(data)}").body), len(data))
            finally:
                over.set()
                thread.join()

    def test_idle_connections_do_not_delay_it(self):
        server = self.new_server().start()
        connection = server.connection()
        connection.request("GET", "/v2/")
        connection.getresponse().read()
        with server.socket(), server.socket() as half:
            half.sendall(b"GET /v2/ HTTP/1.1\r\nHost")
            self.assertEqual(server.stop(), 0)
        connection.close()


class Start(FaultCase):
    def assert_refuses(self, server, pattern):
        with self.assertRaisesRegex(RuntimeError, pattern):
            server.start()
        self.assertEqual(server.process.returncode, 1)
        server.process.stdout.close()
        server.process = None

    def test_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            done = subprocess.run([PROGRAM, f"--root={self.server.top}/x", f"--listen={address}"],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"listen on {address}: address already in use", done.stderr)
        for address in ("nonsense", "127.0.0.1:x", "127.0.0.1:99999", "192.0.2.1:0", ""):
            done = subprocess.run([PROGRAM, f"--root={self.server.top}/x", f"--listen={address}"],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1, address)
            self.assertIn(f" {address}", done.stderr)

    def test_directory_in_use(self):
        self.assert_refuses(self.new_server(root=self.server.root), "another process serves it")

    def test_directory_of_everybody(self):
        server = self.new_server()
        server.root.mkdir()
        server.root.chmod(0o777)
        self.assert_refuses(server, "everybody may write to it")

    def test_database_gone_or_damaged(self):
        server = self.new_server().start()
        server.push_image("a", "v1")
        server.stop()
        database = server.root / "registry.db"
        content = database.read_bytes()
        for damage in (b"", b"garbage" * 1000, content[:5000], content[:4096] + b"\xff" * 4096 + content[8192:]):
            database.write_bytes(damage)
            self.assert_refuses(server, "registry.db")
        database.unlink()
        self.assert_refuses(server, "(?s)registry.db: missing, but there are blobs.*Hint: restore")
        database.write_bytes(content)
        server.start()
        self.assertEqual(server.request("GET", "/v2/a/manifests/v1").body, image([b"hello"]))

    def test_nobody_else_may_read_it(self):
        server = self.new_server().start()
        server.push_image("a", "v1")
        server.begin("a")
        for path in (server.root, *server.root.rglob("*")):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_read_only(self):
        server = self.new_server().start()
        data = server.push_image("a", "v1", subject={"mediaType": OCI_MANIFEST, "digest": digest(b"s"), "size": 1})
        location = server.begin("a")
        server.stop()
        before = {path: (path.stat(), path.is_file() and path.read_bytes()) for path in server.root.rglob("*")}
        server.start("--read-only")
        blob = f"/v2/a/blobs/{digest(b'hello')}"
        for path in ("/v2/", "/v2/_catalog", "/v2/a/tags/list", "/v2/a/manifests/v1", blob,
                     f"/v2/a/referrers/{digest(b's')}"):
            self.assertEqual(server.request("GET", path).status, 200, path)
            self.assertEqual(server.request("HEAD", path).status, 200, path)
        self.assertEqual(server.request("GET", "/v2/a/manifests/v1").body, data)
        for method, path in (("POST", "/v2/a/blobs/uploads/"), ("PATCH", location), ("PUT", location),
                             ("DELETE", location), ("PUT", "/v2/a/manifests/v2"),
                             ("DELETE", "/v2/a/manifests/v1"), ("DELETE", blob),
                             ("POST", f"/v2/b/blobs/uploads/?mount={digest(b'hello')}&from=a")):
            self.assert_error(server.request(method, path), 405, "UNSUPPORTED")
        self.assertEqual(server.request("GET", location).status, 404)
        with self.new_server("--read-only", root=server.root) as other:
            self.assertEqual(other.request("GET", blob).body, b"hello")
        self.assert_refuses(self.new_server(root=server.root), "another process serves it")
        server.stop()
        after = {path: (path.stat(), path.is_file() and path.read_bytes()) for path in server.root.rglob("*")}
        self.assertEqual({path: (s.st_mtime_ns, s.st_ctime_ns, text) for path, (s, text) in before.items()},
                         {path: (s.st_mtime_ns, s.st_ctime_ns, text) for path, (s, text) in after.items()})

    def test_read_only_sees_all_that_was_acknowledged_or_says_so(self):
        server = self.new_server().start()
        server.push_image("a", "v1")
        server.kill()
        reader = self.new_server("--read-only", root=server.root)
        self.assert_refuses(reader, "(?s)did not end well.*Hint: .*without --read-only")
        self.assert_refuses(self.new_server("--read-only"), "root: no such file")

    def test_links_in_the_directory_are_not_followed(self):
        server = self.new_server()
        server.root.mkdir()
        elsewhere = server.top / "elsewhere"
        elsewhere.mkdir()
        (server.root / "blobs").symlink_to(elsewhere)
        self.assert_refuses(server, "open blobs")

    def test_leftovers_of_a_crash_are_swept(self):
        server = self.new_server().start()
        server.stop()
        session = "0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f"
        (server.root / "uploads" / session).write_bytes(b"half")
        (server.root / "uploads" / f"{session[:-1]}e.json").write_text("{}")
        server.start()
        self.assertEqual(server.upload_files(), [])

    def test_old_sessions_expire_at_the_start(self):
        server = self.new_server().start()
        old, young = server.begin("a"), server.begin("a")
        server.stop()
        eight_days_ago = time.time() - 8 * 24 * 3600
        os.utime(server.root / "uploads" / old.rsplit("/", 1)[1], (eight_days_ago, eight_days_ago))
        server.start()
        self.assertEqual(server.request("GET", old).status, 404)
        self.assertEqual(server.request("GET", young).status, 204)

    def test_forgotten_uploads_make_room_and_end_none_of_others(self):
        server = self.new_server().start()
        kept = server.begin("a")
        server.stop()
        uploads = server.root / "uploads"
        yesterday = time.time() - 24 * 3600
        for i in range(16384):  # as if begun by one address, but for the one that is idle for longest
            session = f"00000000-0000-4000-8000-{i:012x}"
            owner = "address 192.0.2.7" if i else "address 192.0.2.8"
            (uploads / f"{session}.json").write_text(f'{{"repository":"a","user":"","owner":"{owner}"}}')
            (uploads / session).touch()
            os.utime(uploads / session, (yesterday, yesterday + i))
        server.start()
        begun = server.begin("a")
        for location in (kept, begun):
            self.assertEqual(server.request("GET", location).status, 204)
            owner = json.loads((uploads / f"{location.rsplit('/', 1)[1]}.json").read_text())["owner"]
            self.assertEqual(owner, "address 127.0.0.1")
        for i, status in ((0, 204), (1, 404), (2, 404), (3, 204), (16383, 204)):
            reply = server.request("GET", f"/v2/a/blobs/uploads/00000000-0000-4000-8000-{i:012x}")
            self.assertEqual(reply.status, status, i)

    def test_orphans_are_collected_at_the_start(self):
        server = self.new_server().start()
        server.push_image("a", "v1")
        server.push_blob("a", b"orphan")
        server.push_blob("a", b"young orphan")
        server.stop()
        young = digest(b"young orphan")
        change_database(server, f"UPDATE link SET linked = linked - 90000 WHERE digest <> '{young}'",
                        f"UPDATE blob SET stored = stored - 90000 WHERE digest <> '{young}'")
        server.start()
        server.request("GET", "/v2/")
        path = server.root / "blobs/sha256" / digest(b"orphan")[7:]
        self.wait_until(lambda: not path.exists())
        self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(b'orphan')}").status, 404)
        self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(b'young orphan')}").status, 200)
        for blob in (b"hello", b"{}"):
            self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(blob)}").body, blob)

    def kill_before_the_row(self, server, data):
        """Kill the server when the file of an upload has its name and its row is not committed."""
        with self.locked_database(server), server.socket() as sock:
            sock.sendall(f"POST /v2/a/blobs/uploads/?digest={digest(data)} HTTP/1.1\r\nHost: localhost\r\n"
                         f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
            self.wait_until(lambda: digest(data)[7:] in server.blob_files())
            server.kill()

    def test_files_without_a_row_are_collected_when_old(self):
        server = self.new_server().start()
        server.push_image("a", "v1")
        server.push_blob("a", b"long", "sha512")
        self.kill_before_the_row(server, b"stray")
        two_days_ago = time.time() - 48 * 3600
        (server.root / "blobs/sha512" / digest(b"stray", "sha512")[7:]).write_bytes(b"stray")
        (server.root / "blobs/sha256/README").write_text("nobody's digest")
        for path in (server.root / "blobs").glob("*/*"):
            os.utime(path, (two_days_ago, two_days_ago))
        young = server.root / "blobs/sha256" / digest(b"young stray")[7:]
        young.write_bytes(b"young stray")
        kept = {digest(data)[7:] for data in (b"{}", b"hello", b"young stray")}
        kept |= {digest(b"long", "sha512")[7:], "README"}
        server.start()
        self.wait_until(lambda: set(server.blob_files()) == kept)
        self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(b'hello')}").body, b"hello")

    def age(self, server, hours):
        """Make everything that is stored older."""
        change_database(server, f"UPDATE link SET linked = linked - {hours * 3600}",
                        f"UPDATE blob SET stored = stored - {hours * 3600}")

    def test_what_a_pusher_found_stays_until_its_manifest_comes(self):
        server = self.new_server().start()
        for blob in (b"{}", b"hello", b"orphan"):
            server.push_blob("a", blob)
        server.stop()
        self.age(server, 20)
        server.start()
        for blob in (b"{}", b"hello"):
            self.assertEqual(server.request("HEAD", f"/v2/a/blobs/{digest(blob)}").status, 200)
        server.stop()
        self.age(server, 20)
        server.start()
        path = server.root / "blobs/sha256" / digest(b"orphan")[7:]
        self.wait_until(lambda: not path.exists())
        self.assertEqual(server.put_manifest("a", "v1", image([b"hello"])).status, 201)
        self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(b'hello')}").body, b"hello")


class Damage(ServerCase):
    def push(self, data):
        """Push a blob; the place of its file."""
        self.server.push_blob(self.repository, data)
        return self.server.root / "blobs/sha256" / digest(data)[7:]

    def get(self, data, method="GET"):
        return self.request(method, f"/v2/{self.repository}/blobs/{digest(data)}")

    def test_what_is_pushed_replaces_what_is_damaged(self):
        data = b"will be damaged"
        one_request = f"/v2/{self.repository}/blobs/uploads/?digest={digest(data)}"
        for damaged in (bytes(len(data)), data[1:], data * 2, b"", None):
            path = self.push(data)
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            self.push(data)
            self.assertEqual(self.get(data).body, data, damaged)
            path.write_bytes(bytes(len(data)))
            self.assertEqual(self.request("POST", one_request, data).status, 201)
            self.assertEqual(self.get(data).body, data, damaged)
        path.unlink()
        path.symlink_to(self.server.top / "log")
        self.push(data)
        self.assertFalse(path.is_symlink())
        self.assertEqual(self.get(data).body, data)

    def test_what_lost_its_file_is_not_said_to_exist(self):
        data = b"will be lost"
        for damaged in (data[1:], data * 2, b"", None):
            path = self.push(b"{}").with_name(digest(data)[7:])
            location = self.server.begin(self.repository)
            finish = ("PUT", f"{location}?digest={digest(data)}", data)
            self.assertEqual(self.request(*finish).status, 201)
            logged = self.server.log().count(f"error: blob {path.name}")
            if damaged is None:
                path.unlink()
            else:
                path.write_bytes(damaged)
            for method in ("GET", "HEAD"):
                self.assertEqual(self.get(data, method).status, 404, (method, damaged))
            for source in (f"&from={self.repository}", ""):
                mount = f"/v2/{self.repository}/elsewhere/blobs/uploads/?mount={digest(data)}{source}"
                self.assertEqual(self.request("POST", mount).status, 202)
            self.assertEqual(self.request(*finish).status, 404)  # else an answer repeated
            reply = self.server.put_manifest(self.repository, "v1", image([data]))
            self.assert_error(reply, 400, "MANIFEST_BLOB_UNKNOWN")
            self.assertEqual(reply.json["errors"][0]["detail"], digest(data))
            self.assertEqual(self.server.log().count(f"error: blob {path.name}"), logged + 6)
            self.push(data)
            self.assertEqual(self.get(data, "HEAD").status, 200)
            self.assertEqual(self.server.put_manifest(self.repository, "v1", image([data])).status, 201)

    def test_a_damaged_manifest_is_not_served(self):
        data = self.server.push_image(self.repository, "v1")
        for damage in ("zeroblob(size)", "x'00'", "x''"):
            change_database(self.server,
                            f"UPDATE manifest SET content = {damage} WHERE digest = '{digest(data)}'")
            for reference in ("v1", digest(data)):
                path = f"/v2/{self.repository}/manifests/{reference}"
                self.assert_error(self.request("GET", path), 500, "UNKNOWN")
                self.assertEqual(self.request("HEAD", path).status, 500)
            self.assertIn("damaged manifest row", self.server.log())

    def test_a_manifest_pushed_again_replaces_a_damaged_one(self):
        data = self.server.push_image(self.repository, "v1")
        for damage in ("zeroblob(size)", "x'00'"):
            change_database(self.server,
                            f"UPDATE manifest SET content = {damage} WHERE digest = '{digest(data)}'")
            self.assertEqual(self.server.put_manifest(self.repository, "v1", data).status, 201)
            self.assertEqual(self.request("GET", f"/v2/{self.repository}/manifests/v1").body, data)


class Disk(FaultCase):
    def test_full_disk(self):
        server = self.small_server(8)
        data = server.push_image("a", "v1")
        big = os.urandom(20_000_000)
        for _ in range(3):
            location = server.begin("a")
            reply = server.request("PUT", f"{location}?digest={digest(big)}", big)
            self.assert_error(reply, 507, "DENIED")
            self.assertEqual(server.request("GET", "/v2/a/manifests/v1").body, data)
        server.push_image("a", "v2", (b"fits again",))
        self.assertEqual(server.stop(), 0)

    def full_server(self, root):
        """On a file system without a free byte, with a copy of `root` (or an empty directory)."""
        server = self.new_server()
        small = server.top / "small"
        small.mkdir()
        server.root = small / "root"
        fill = (f'mount -t tmpfs -o size=1m,mode=700 none "{small}" && mkdir -m 700 "{server.root}" && '
                f'cp -a "{root}/." "{server.root}/" && {{ cat /dev/zero >"{small}/fill" 2>/dev/null; exec "$0" "$@"; }}')
        server.prefix = ["unshare", "--mount", "--map-root-user", "sh", "-c", fill]
        return server

    def test_start_on_a_full_disk(self):
        self.small_server(1).stop()  # skips where that cannot be
        whole = self.new_server().start()
        data = whole.push_image("a", "v1")
        whole.stop()
        with self.full_server(whole.root) as server:
            self.assertIn("no space left", server.log())
            self.assertEqual(server.request("GET", "/v2/a/manifests/v1").body, data)
            self.assertEqual(server.request("GET", f"/v2/a/blobs/{digest(b'hello')}").body, b"hello")
            self.assert_error(server.request("POST", "/v2/a/blobs/uploads/"), 507, "DENIED")
            self.assert_error(server.put_manifest("a", "v2", data), 507, "DENIED")
        empty = self.full_server(whole.top / "nothing")
        (whole.top / "nothing").mkdir()
        with self.assertRaisesRegex(RuntimeError, "(disk is full|no space left)") as raised:
            empty.start()
        self.assertNotIn("empty registry", str(raised.exception))

    def test_what_did_not_fit_gives_its_space_back(self):
        server = self.small_server(8)
        server.push_image("a", "v1")
        location = server.begin("a")
        self.assertEqual(server.request("PATCH", location, bytes(4_000_000)).status, 202)
        self.assertEqual(server.request("PATCH", location, bytes(20_000_000)).status, 507)
        self.assertEqual(server.request("GET", location).status, 404)
        self.assertEqual(server.push_blob("a", bytes(5_000_000)).status, 201)

    def test_floor_holds_within_a_body(self):
        server = self.small_server(96, "--min-free=50000000")
        location = server.begin("a")
        reply = server.request("PATCH", location, bytes(90_000_000))
        self.assert_error(reply, 507, "DENIED")
        server.push_image("a", "v1")

    def test_floor_of_free_space(self):
        server = self.new_server("--min-free=9000000000000000000").start()
        reply = server.request("POST", "/v2/a/blobs/uploads/")
        self.assert_error(reply, 507, "DENIED")
        self.assertEqual(server.request("GET", "/v2/").status, 200)

    def test_locked_database(self):
        server = self.new_server().start()
        server.push_image("a", "v1")
        with self.locked_database(server):
            reply = server.put_manifest("a", "v2", image([b"hello"]), OCI_MANIFEST)
            self.assertEqual((reply.status, reply.headers["Retry-After"]), (503, "2"))
            self.assertEqual(server.request("GET", "/v2/a/manifests/v1").status, 200)
            reply = server.request("POST", f"/v2/a/blobs/uploads/?digest={digest(b'unlinked')}", b"unlinked")
            self.assertEqual(reply.status, 503)
            self.assertNotIn(digest(b"unlinked")[7:], server.blob_files())
            # those who wait, wait together: one after another they would be past every client's patience
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                replies = pool.map(lambda i: server.put_manifest("a", f"t{i}", image([b"hello"])), range(20))
                self.assertEqual({reply.status for reply in replies}, {503})
        self.assertEqual(server.put_manifest("a", "v2", image([b"hello"]), OCI_MANIFEST).status, 201)


if __name__ == "__main__":
    main()
