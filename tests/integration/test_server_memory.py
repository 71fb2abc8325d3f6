# SPDX-License-Identifier: Apache-2.0
"""The embedded registry: what a document costs in memory does not depend on what it consists of."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from embedded import ServerCase
from harness.case import main
from harness.programs import measures_memory

MIB = 1 << 20
DOCUMENT = b'{"schemaVersion":2,"layers":[' + b"{}," * (4 * MIB // 3 - 20) + b"{}]}"


@measures_memory
class Memory(ServerCase):
    def peak(self):
        """Most memory that the server has ever held, in bytes."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def put(self, number=0):
        return self.request("PUT", f"/v2/a/manifests/v{number}", body=DOCUMENT, headers={
            "Content-Type": "application/vnd.oci.image.manifest.v1+json"}).status

    def test_many_documents_of_empty_objects_at_once(self):
        self.assertEqual(self.put(), 400)
        self.assertLess(self.peak(), 120 * MIB)
        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(self.put, range(8))), {400})
        self.assertLess(self.peak(), 300 * MIB)


if __name__ == "__main__":
    main()
