"""The embedded registry before the specification's own judge (distribution-spec, conformance).

CORAS_TEST_CONFORMANCE names the runner, built by
go install github.com/opencontainers/distribution-spec/conformance@latest
"""

import os
import shutil
import subprocess
import unittest

from embedded import ServerCase
from harness.case import main

RUNNER = os.environ.get("CORAS_TEST_CONFORMANCE") or shutil.which("oci-conformance")


@unittest.skipIf(RUNNER is None, "the conformance runner is not installed (CORAS_TEST_CONFORMANCE)")
class Conformance(ServerCase):
    options = ("sparse-index",)

    def assert_conforms(self, version, **more):
        results = self.server.top / f"results-{version}"
        done = subprocess.run(
            [RUNNER], cwd=self.server.top, capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "OCI_REGISTRY": self.server.host, "OCI_TLS": "disabled",
                 "OCI_VERSION": version, "OCI_REPO1": f"conformance/{version}/one",
                 "OCI_REPO2": f"conformance/{version}/two", "OCI_RESULTS_DIR": str(results), **more})
        self.assertEqual(done.returncode, 0, done.stdout[-20000:])
        counts = {line.split(".")[0].strip(): line.split()[-1] for line in done.stdout.splitlines()
                  if ".:" in line}
        self.assertEqual((counts["FAIL"], counts["Error"], counts["Skip"]), ("0", "0", "0"))

    def test_current_specification(self):
        self.assert_conforms("1.1")

    def test_next_specification(self):
        self.assert_conforms("dev", OCI_DATA_SPARSE="true")


if __name__ == "__main__":
    main()
