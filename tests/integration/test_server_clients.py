"""The embedded registry with the clients that people use."""

import os
import subprocess
from pathlib import Path
import tempfile

from embedded import ServerCase
from harness import programs
from harness.case import main


class Clients(ServerCase):
    def setUp(self):
        super().setUp()
        files = tempfile.TemporaryDirectory()
        self.addCleanup(files.cleanup)
        self.work = Path(files.name)
        (self.work / "a.txt").write_text("hello\n")
        (self.work / "big.bin").write_bytes(os.urandom(5_000_000))

    def run_ok(self, *command):
        done = subprocess.run([str(part) for part in command], cwd=self.work, timeout=120, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "DOCKER_CONFIG": str(self.work), "HOME": str(self.work)})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def name(self, suffix="v1"):
        return f"{self.server.host}/{self.repository}:{suffix}"

    @programs.need_oras
    def test_oras(self):
        oras, plain = programs.ORAS, "--plain-http"
        self.run_ok(oras, "push", plain, self.name(), "a.txt", "big.bin")
        self.run_ok(oras, "pull", plain, self.name(), "-o", "out")
        for file in ("a.txt", "big.bin"):
            self.assertEqual((self.work / "out" / file).read_bytes(), (self.work / file).read_bytes())
        self.run_ok(oras, "tag", plain, self.name(), "v2", "v3")
        tags = self.run_ok(oras, "repo", "tags", plain, f"{self.server.host}/{self.repository}")
        self.assertEqual(tags.split(), ["v1", "v2", "v3"])
        self.assertIn(self.repository, self.run_ok(oras, "repo", "ls", plain, self.server.host).split())
        self.run_ok(oras, "attach", plain, "--artifact-type", "a/signature", self.name(), "a.txt")
        self.assertIn("a/signature", self.run_ok(oras, "discover", plain, self.name()))
        # the server has the referrers API: no fallback tag was made
        tags = self.run_ok(oras, "repo", "tags", plain, f"{self.server.host}/{self.repository}")
        self.assertEqual(tags.split(), ["v1", "v2", "v3"])
        self.run_ok(oras, "cp", "-r", "--from-plain-http", "--to-plain-http", self.name(),
                    f"{self.server.host}/{self.repository}/copy:v1")
        self.run_ok(oras, "manifest", "delete", plain, "-f", self.name("v2"))
        self.run_ok(oras, "backup", plain, "--include-referrers", "-o", "backup.tar",
                    f"{self.server.host}/{self.repository}/copy:v1")

    @programs.need_crane
    def test_crane(self):
        crane, insecure = programs.CRANE, "--insecure"
        self.run_ok("tar", "cf", "layer.tar", "a.txt", "big.bin")
        self.run_ok(crane, "append", insecure, "--oci-empty-base", "-f", "layer.tar", "-t", self.name())
        digest = self.run_ok(crane, "digest", insecure, self.name()).strip()
        self.run_ok(crane, "copy", insecure, self.name(), f"{self.server.host}/{self.repository}/copy:v2")
        copied = self.run_ok(crane, "digest", insecure, f"{self.server.host}/{self.repository}/copy:v2")
        self.assertEqual(copied.strip(), digest)
        self.run_ok(crane, "validate", insecure, "--remote", self.name())
        self.run_ok(crane, "tag", insecure, self.name(), "v9")
        listed = self.run_ok(crane, "ls", insecure, f"{self.server.host}/{self.repository}")
        self.assertEqual(sorted(listed.split()), ["v1", "v9"])
        self.assertIn(self.repository, self.run_ok(crane, "catalog", insecure, self.server.host))
        self.run_ok(crane, "delete", insecure, f"{self.server.host}/{self.repository}@{digest}")
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/tags/list").json["tags"], [])

    @programs.need_skopeo
    def test_skopeo(self):
        skopeo = programs.SKOPEO
        self.server.push_image(self.repository, "v1", (b"hello", b"world"))
        self.run_ok(skopeo, "copy", "--src-tls-verify=false", f"docker://{self.name()}", "oci:layout:v1")
        self.run_ok(skopeo, "copy", "--dest-tls-verify=false", "oci:layout:v1",
                    f"docker://{self.server.host}/{self.repository}/back:v1")
        first = self.request("GET", f"/v2/{self.repository}/manifests/v1").body
        again = self.request("GET", f"/v2/{self.repository}/back/manifests/v1").body
        self.assertEqual(first, again)
        raw = self.run_ok(skopeo, "inspect", "--raw", "--tls-verify=false", f"docker://{self.name()}")
        self.assertEqual(raw.encode(), first)
        self.run_ok(skopeo, "delete", "--tls-verify=false", f"docker://{self.name()}")


if __name__ == "__main__":
    main()
