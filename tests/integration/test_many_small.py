# SPDX-License-Identifier: Apache-2.0
"""Many small blobs and a registry that is far away: what waits for answers waits together."""

import threading

from harness import programs
from harness.case import CliCase, main
from harness.proxy import Fault, FaultProxy
from harness.servers import DockerRegistry

FILES = 40
WANTED = 6  # answers that are awaited at once
ANSWER_S = 0.05


class Distance:
    """Each answer takes its time, the first ones until enough are awaited at once; counts these."""

    def __init__(self):
        self.changed, self.awaited, self.most = threading.Condition(), 0, 0
        self.wanted = 0

    def __call__(self, _request):
        with self.changed:
            self.awaited += 1
            self.most = max(self.most, self.awaited)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.wanted, timeout=2)
            self.changed.wait_for(lambda: False, timeout=ANSWER_S)
            self.awaited -= 1


@programs.need_docker_registry
class ManySmall(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.proxy = cls.serve(FaultProxy(cls.registry.port))

    def setUp(self):
        super().setUp()
        self.proxy.clear()
        self.distance = Distance()
        self.names = [f"f{i:02}.bin" for i in range(FILES)]
        for i, name in enumerate(self.names):
            self.box.write("in/" + name, f"{self.id()} {i}\n".encode() * 500)

    def be_far_away(self, wanted=0):
        self.distance.wanted = wanted
        self.proxy.add(Fault("/blobs/", "GET|HEAD|POST|PUT", call=self.distance))

    def push(self, host, *argv):
        self.ok("push", f"{host}/many:v1", *argv, *self.names, cwd=self.box.work / "in")

    def test_pull(self):
        self.push(self.registry.host)
        self.be_far_away(WANTED)
        self.ok("pull", f"{self.proxy.host}/many:v1", "-o", "out")
        self.assertGreaterEqual(self.distance.most, WANTED)
        for name in self.names:
            self.assertEqual(self.read("out/" + name), self.read("in/" + name))

    def test_push(self):
        self.be_far_away(WANTED)
        self.push(self.proxy.host)
        self.assertGreaterEqual(self.distance.most, WANTED)
        self.ok("pull", f"{self.registry.host}/many:v1", "-o", "out")
        for name in self.names:
            self.assertEqual(self.read("out/" + name), self.read("in/" + name))

    def test_a_mount_asks_and_begins(self):
        """Where POST tells that a blob is there, nobody asks by HEAD before."""
        self.push(self.proxy.host)
        self.assertLess(len(self.proxy.requests("HEAD", "/blobs/")), FILES / 2)
        self.assertEqual(len(self.proxy.requests("PUT", "/blobs/")), FILES + 1)
        self.assertLessEqual(len(self.proxy.requests("POST", "/blobs/")), FILES + 2)

    def test_what_is_there_is_not_sent(self):
        """Nor is an upload begun for it and left."""
        self.push(self.proxy.host)
        self.proxy.clear()
        self.box.write("in/" + self.names[-1], f"changed {self.id()}\n".encode())
        self.push(self.proxy.host)
        self.assertEqual(len(self.proxy.requests("PUT", "/blobs/")), 1)
        begun = [r for r in self.proxy.requests("POST", "/blobs/") if r.status == 202]
        self.assertEqual(len(begun), 1)

    def test_a_registry_that_does_not_look(self):
        """It takes every mount for an upload that begins: its word is not taken for an answer."""
        def forget_query(request):
            request.target = request.target.split("?")[0]

        mute = self.proxy.add(Fault("mount=", "POST", call=forget_query))
        self.push(self.proxy.host)
        self.assertGreaterEqual(len(self.proxy.requests("HEAD", "/blobs/")), FILES)
        self.assertEqual(len(self.proxy.requests("DELETE", "/blobs/uploads/")), 1)
        self.proxy.clear()
        self.proxy.add(mute)
        self.box.write("in/" + self.names[-1], f"changed {self.id()}\n".encode())
        self.push(self.proxy.host)
        self.assertEqual(len(self.proxy.requests("PUT", "/blobs/")), 1)

    def test_a_registry_that_has_enough_of_mounts(self):
        """It has told by them, and refuses them later: then it is asked by HEAD again."""
        def refuse_later(_request):
            if len(self.proxy.requests("POST", "mount=")) > 5:
                fault.status = 403

        fault = self.proxy.add(Fault("mount=", "POST", call=refuse_later))
        self.push(self.proxy.host)
        self.assertTrue(any(r.status == 202 for r in self.proxy.requests("POST", "mount=")))
        self.assertGreater(len(self.proxy.requests("HEAD", "/blobs/")), FILES / 2)
        self.ok("pull", f"{self.registry.host}/many:v1", "-o", "out")
        for name in self.names:
            self.assertEqual(self.read("out/" + name), self.read("in/" + name))

    def test_concurrency_is_a_bound(self):
        self.be_far_away()
        self.push(self.proxy.host, "--concurrency", "4")
        self.assertLessEqual(self.distance.most, 4)
        self.distance.most = 0
        self.ok("pull", f"{self.proxy.host}/many:v1", "-o", "out", "--concurrency", "2")
        self.assertLessEqual(self.distance.most, 2)

    def test_the_first_failure_ends_it(self):
        self.push(self.registry.host)
        self.proxy.add(Fault("/blobs/", "GET", status=403, headers=(("Content-Length", "0"),)))
        result = self.coras("pull", f"{self.proxy.host}/many:v1", "-o", "out")
        self.assertEqual(result.code, 1, result)
        self.assertFalse(any((self.box.work / "out").glob("*.bin")))

    def test_what_was_hashed_is_what_is_sent(self):
        """Files are opened twice, since there may be more than a process can have open."""
        file = self.box.work / "in" / self.names[0]

        def replace(_request):
            data = file.read_bytes()
            file.unlink()
            file.write_bytes(data)

        self.proxy.add(Fault("/manifests/", "HEAD", times=1, call=replace))
        self.fails("push", f"{self.proxy.host}/many:v1", *self.names, cwd=self.box.work / "in",
                   contains=f"{self.names[0]}: changed while it was read")


if __name__ == "__main__":
    main()
