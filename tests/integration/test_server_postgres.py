# SPDX-License-Identifier: Apache-2.0
"""The registry with its metadata in PostgreSQL: its rows, its end and return, its password."""

import itertools
import os
import random
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from embedded import OCI_MANIFEST, Server, ServerCase, digest
from harness import programs
from harness.case import main
from harness.postgres import PASSWORD, USER, Postgres, need_postgres
import test_server_conformance as judge
from test_server_several_kills import Stubborn


class PostgresCase(ServerCase):
    """One PostgreSQL for all of them, a database for each test or server."""

    names = itertools.count()
    postgres = None
    has_server = False

    @classmethod
    def setUpClass(cls):
        if not PostgresCase.postgres:
            PostgresCase.postgres = Postgres(password=True).start()
            unittest.addModuleCleanup(PostgresCase.postgres.close)
        if cls.has_server:
            cls.options = (*cls.options, f"--metadata={cls.new_database()}")
            super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        if cls.has_server:
            super().tearDownClass()

    @classmethod
    def new_database(cls):
        return cls.postgres.database(f"d{next(cls.names)}", PASSWORD)

    def serve(self, url, *options, **named):
        return self.new_server(f"--metadata={url}", *options, **named).start()


@need_postgres
class SameAsSqlite(PostgresCase):
    def test_the_tests_of_the_metadata(self):
        done = subprocess.run([programs.BUILD / "tests/unit/test_serve_metadata", self.new_database()], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-20000:])


@need_postgres
@programs.need_conformance
class ConformanceOnPostgres(PostgresCase):
    has_server = True
    options = judge.Conformance.options
    access = judge.Conformance.access
    assert_conforms = judge.Conformance.assert_conforms
    test_next_specification = judge.Conformance.test_next_specification


@need_postgres
class Life(PostgresCase):
    def test_outlives_restarts_of_either(self):
        server = self.serve(self.new_database())
        data = server.push_image("a", "v1")
        self.assertFalse((server.root / "registry.db").exists())
        server.kill()
        server.start()
        self.assertEqual(server.request("GET", "/v2/a/manifests/v1").body, data)

        self.postgres.stop(signal.SIGQUIT)  # it ends at once, with everything open
        try:
            for method, path, body in (("GET", "/v2/a/manifests/v1", None), ("HEAD", f"/v2/a/blobs/{digest(b'{}')}", None),
                                       ("GET", "/v2/a/tags/list", None), ("PUT", "/v2/a/manifests/v2", data)):
                reply = server.request(method, path, body, {"Content-Type": OCI_MANIFEST})
                self.assertEqual(reply.status, 503, (method, path, reply.body))
                self.assertGreater(int(reply.headers["Retry-After"]), 0)
            self.assertEqual(server.request("GET", "/readyz").status, 503)
            self.assertEqual(server.request("GET", "/healthz").status, 200, "to start it again would not help")
        finally:
            self.postgres.start()
        self.wait_until(lambda: server.request("GET", "/readyz").status == 200)
        self.assertEqual(server.request("GET", "/v2/a/manifests/v1").body, data)
        self.assertEqual(server.put_manifest("a", "v2", data).status, 201)

    def test_notices_a_restart_between_two_requests(self):
        server = self.serve(self.new_database())
        data = server.push_image("a", "v1")
        self.postgres.stop()
        self.postgres.start()
        self.assertEqual(server.request("GET", "/v2/a/manifests/v1").status, 200)
        self.postgres.stop()
        self.postgres.start()
        self.assertEqual(server.put_manifest("a", "v2", data).status, 201)

    def test_restarts_while_clients_push(self):
        server, chance = self.serve(self.new_database()), random.Random(20261129)
        pushers = [Stubborn(server, f"r{i}", i) for i in range(3)]
        for pusher in pushers:
            pusher.start()
        for _ in range(3):
            time.sleep(chance.uniform(0, 0.3))
            self.postgres.stop(signal.SIGQUIT)
            self.postgres.start()
            before = sum(len(pusher.blobs) for pusher in pushers)
            self.wait_until(lambda: sum(len(pusher.blobs) for pusher in pushers) > before)
        for pusher in pushers:
            pusher.finished.set()
        for pusher in pushers:
            pusher.join()
            self.assertIsNone(pusher.failure)
            for name, data in pusher.blobs.items():
                reply = server.request("GET", f"/v2/{pusher.repository}/blobs/{name}")
                self.assertEqual((reply.status, reply.body == data), (200, True))
            for tag, manifest in pusher.tags.items():
                reply = server.request("GET", f"/v2/{pusher.repository}/manifests/{tag}")
                self.assertEqual((reply.status, reply.body), (200, manifest))

    def test_chores(self):
        url = self.new_database()
        server = self.serve(url)
        server.push_image("a", "v1")
        server.push_blob("a", b"nobody needs this")
        server.stop()
        done = self.coras("serve", "gc", "--root", server.root, "--metadata", url, "--older-than", "-1")
        self.assertNotEqual(done.returncode, 0)
        self.postgres.sql("UPDATE link SET linked = 1; UPDATE blob SET stored = 1", url.rsplit("/", 1)[1])
        done = self.coras("serve", "gc", "--root", server.root, "--metadata", url, "--dry-run")
        self.assertIn("would remove 1 blobs (17 bytes)", done.stdout)
        done = self.coras("serve", "gc", "--root", server.root, "--metadata", url)
        self.assertIn("removed 1 blobs (17 bytes)", done.stdout)
        done = self.coras("serve", "verify", "--root", server.root, "--metadata", url)
        self.assertEqual((done.returncode, done.stdout), (0, "read 2 blobs (7 bytes) and 1 manifests\n"), done.stderr)

    def coras(self, *arguments):
        return subprocess.run([programs.CORAS, *map(str, arguments)], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=60)


@need_postgres
class Refusals(PostgresCase):
    def refusal(self, *options, root=None):
        server = self.new_server(*options, root=root)
        with self.assertRaises(RuntimeError) as caught:
            server.start()
        self.assertNotIn("wonderful", str(caught.exception))
        return str(caught.exception)

    def test_blobs_whose_rows_are_elsewhere(self):
        server = self.serve(self.new_database())
        server.push_blob("a", b"x")
        server.stop()
        self.assertIn("there is no registry in it", self.refusal(f"--metadata={self.new_database()}", root=server.root))
        self.assertIn("missing, but there are blobs", self.refusal(root=server.root))

    def test_a_database_of_another_directory(self):
        url = self.new_database()
        first = self.serve(url)
        self.assertIn("in another directory", self.refusal(f"--metadata={url}"))
        first.stop()
        self.assertIn("in another directory", self.refusal(f"--metadata={url}"))
        first.start()

    def test_a_directory_with_rows_of_its_own(self):
        server = self.new_server().start()
        server.stop()
        self.assertIn("database of its own", self.refusal(f"--metadata={self.new_database()}", root=server.root))

    def test_databases_that_are_not_ours(self):
        url = self.new_database()
        name = url.rsplit("/", 1)[1]
        self.postgres.sql("CREATE TABLE tag (mine INT)", name)
        self.assertIn("already exists", self.refusal(f"--metadata={url}"))
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name), "1")
        self.serve(other := self.new_database()).stop()
        self.postgres.sql("UPDATE coras_registry SET version = 1000", other.rsplit("/", 1)[1])
        self.assertIn("made by another version (schema 1000)", self.refusal(f"--metadata={other}"))

    def test_no_message_has_the_password(self):
        nowhere = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, nowhere)
        for url in (self.postgres.url("missing", PASSWORD), self.postgres.url("postgres", "wonderful mistake"),
                    f"postgres://{USER}:wonderful@127.0.0.1:1/x", f"postgres://{USER}:wonderful@/x?host={nowhere}",
                    f"postgres://{USER}:wonderful@h:port/x", f"postgres://{USER}:wonder%zzful@h/x",
                    f"postgres://{USER}@h/x?password=wonderful&nothing=1"):
            self.refusal(f"--metadata={url}")
        self.assertIn("postgres://", self.refusal("--metadata=mysql://a:wonderful@b/c"))


@need_postgres
@programs.need_coras
class Secrets(PostgresCase):
    def test_the_password_is_in_no_argument(self):
        with tempfile.TemporaryDirectory() as top:
            process = subprocess.Popen(
                [programs.CORAS, "serve", "--root", f"{top}/root", "--listen", "127.0.0.1:0", "--metadata", self.new_database()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.communicate)
            self.addCleanup(process.terminate)
            self.assertTrue(process.stdout.readline().startswith("listening on"))
            arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
            self.assertIn("--metadata-fd=", arguments)
            self.assertNotIn("wonderful", arguments)

    def test_a_password_in_a_file(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"*:*:*:{USER}:{PASSWORD}\n")
            file.flush()
            name = self.new_database().rsplit("/", 1)[1]
            self.serve(f"{self.postgres.url(name)}?passfile={file.name}").stop()


if __name__ == "__main__":
    main()
