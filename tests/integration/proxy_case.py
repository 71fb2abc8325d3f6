# SPDX-License-Identifier: Apache-2.0
"""A cache behind a proxy that breaks things, behind it the registry that has the blobs."""

import random

from embedded import SANITIZER_WORDS, ServerCase, digest
from harness.proxy import Fault, FaultProxy

BLOBS = "/blobs/sha256:"
DATA = random.Random(5).randbytes(3_000_000)


class ProxyCase(ServerCase):
    """self.server has self.data in lib/model; self.proxy stands before it, self.cache behind it."""

    data = DATA
    cache_options = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.push_blob("lib/model", cls.data)
        cls.name = f"/v2/lib/model/blobs/{digest(cls.data)}"

    def setUp(self):
        super().setUp()
        self.proxy = self.enterContext(FaultProxy(self.server.port))
        self.cache = self.new_cache()

    def new_cache(self, *options, **named):
        cache = self.new_server(f"--proxy=http://127.0.0.1:{self.proxy.port}", *self.cache_options, *options,
                                **named)
        self.addCleanup(self.check_log, cache)
        return cache.start()

    def check_log(self, cache):
        for word in SANITIZER_WORDS:
            self.assertNotIn(word, cache.log())

    def fault(self, **named):
        return self.proxy.add(Fault(BLOBS, "GET", **named))

    def gets(self):
        return self.proxy.requests("GET", BLOBS)

    def get(self, path=None, **headers):
        return self.cache.request("GET", path or self.name, headers=headers)

    def begin(self, size=100_000, **headers):
        """A GET of which only so many bytes are read so far: (connection, response, bytes)."""
        connection = self.cache.connection()
        self.addCleanup(connection.close)
        connection.request("GET", self.name, headers=headers)
        response = connection.getresponse()
        return connection, response, response.read(size)

    def wait_stored(self, cache=None):
        cache = cache or self.cache
        self.wait_until(lambda: cache.blob_files() and not cache.upload_files())

    def partial(self, cache=None):
        return (cache or self.cache).root / "uploads" / ("fill-" + digest(self.data).replace(":", "-"))
