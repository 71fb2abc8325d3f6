# SPDX-License-Identifier: Apache-2.0
"""The embedded registry before the specification's own judge (distribution-spec, conformance)."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from embedded import PROGRAM, Server, ServerCase
from harness import programs
from harness.case import main
from harness.servers import HTPASSWD, PASSWORD, USER
from harness.tls import Authority

# what the four workflows (pull, push, content discovery, content management) are made of
APIS = ("Ping", "Tag listing", "Tag delete", "Tag delete atomic", "Blob push", "Blob post only",
        "Blob post put", "Blob chunked", "Blob streaming", "Blob mount", "Blob get", "Blob get range",
        "Blob head", "Blob delete", "Blob delete atomic", "Manifest put by digest",
        "Manifest put by tag", "Manifest put with subject", "Manifest get by digest",
        "Manifest get by tag", "Manifest head by digest", "Manifest head by tag", "Manifest delete",
        "Manifest delete atomic")


@programs.need_conformance
class Conformance(ServerCase):
    options = ("--sparse-index",)
    access = {"OCI_TLS": "disabled"}

    def assert_conforms(self, version, apis=APIS, **more):
        results = self.server.top / f"results-{version}"
        done = subprocess.run(
            [programs.CONFORMANCE], cwd=self.server.top, capture_output=True, text=True, timeout=120,
            check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "OCI_REGISTRY": self.server.host, "OCI_VERSION": version,
                 "OCI_REPO1": f"conformance/{version}/one", "OCI_REPO2": f"conformance/{version}/two",
                 "OCI_RESULTS_DIR": str(results), **self.access, **more})
        bad = [line for line in done.stdout.splitlines() if line.endswith((": FAIL", ": Error"))]
        self.assertEqual(done.returncode, 0, "\n".join(bad) + (done.stdout + done.stderr)[-20000:])
        lines = [line for line in done.stdout.splitlines() if ".:" in line]
        table = {line.split("..")[0].strip(): line.split()[-1] for line in lines}
        self.assertEqual((table["FAIL"], table["Error"], table["Skip"]), ("0", "0", "0"), table)
        self.assertGreater(int(table["Pass"]), 800)
        for api in apis:
            self.assertEqual(table[api], "Pass", api)

    def test_first_specification(self):
        self.assert_conforms("1.0")

    def test_current_specification(self):
        self.assert_conforms("1.1", (*APIS, "Referrers", "Blob anonymous mount"))

    def test_next_specification(self):
        self.assert_conforms("dev", (*APIS, "Referrers", "Blob anonymous mount", "Blob upload cancel",
                                     "Manifest put with tag params"), OCI_DATA_SPARSE="true")


@programs.need_conformance
class ConformanceWithPassword(Conformance):
    access = {**Conformance.access, "OCI_USERNAME": USER, "OCI_PASSWORD": PASSWORD}

    @classmethod
    def setUpClass(cls):
        files = tempfile.TemporaryDirectory()
        cls.addClassCleanup(files.cleanup)
        path = Path(files.name) / "htpasswd"
        path.write_text(HTPASSWD)
        cls.options = (*Conformance.options, f"--htpasswd={path}")
        super().setUpClass()


@programs.need_conformance
class ConformanceOfACache(Conformance):
    """What is not there is asked from a registry that does not have it either."""

    test_first_specification = test_current_specification = None  # the next one asks for all of it

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise unittest.SkipTest(f"{PROGRAM} is not built")
        origin = Server().start()
        cls.addClassCleanup(origin.close)
        cls.options = (*Conformance.options, f"--proxy=http://{origin.host}")
        super().setUpClass()


@programs.need_conformance
class ConformanceOverTls(Conformance):
    @classmethod
    def setUpClass(cls):
        authority = Authority()
        cls.addClassCleanup(authority.close)
        issued = authority.issue()
        cls.options = (*Conformance.options, f"--tls-cert={issued.certificate}",
                       f"--tls-key={issued.key}")
        cls.access = {"OCI_TLS": "enabled", "SSL_CERT_FILE": str(authority.certificate)}
        super().setUpClass()


if __name__ == "__main__":
    main()
