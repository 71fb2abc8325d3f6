# SPDX-License-Identifier: Apache-2.0
"""The embedded registry with the clients that people use."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from embedded import OCI_MANIFEST, ServerCase, compact, descriptor
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
        docker = f"docker://{self.server.host}/{self.repository}/docker:v1"
        self.run_ok("tar", "cf", "layer.tar", "a.txt")
        self.run_ok("gzip", "layer.tar")
        config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}' % (
            self.run_ok("sh", "-c", "echo sha256:$(zcat layer.tar.gz | sha256sum | cut -c1-64)").strip().encode())
        self.server.push_blob(f"{self.repository}/image", config)
        layer = (self.work / "layer.tar.gz").read_bytes()
        self.server.push_blob(f"{self.repository}/image", layer)
        self.server.put_manifest(f"{self.repository}/image", "v1", compact(
            {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
             "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
             "layers": [descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip")]}))
        image = f"docker://{self.server.host}/{self.repository}/image:v1"
        self.run_ok(skopeo, "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2",
                    image, docker)
        raw = self.run_ok(skopeo, "inspect", "--raw", "--tls-verify=false", docker)
        self.assertIn("application/vnd.docker.distribution.manifest.v2+json", raw)
        self.run_ok(skopeo, "copy", "--src-tls-verify=false", docker, "docker-archive:a.tar:a:v1")
        self.run_ok(skopeo, "copy", "--dest-tls-verify=false", "docker-archive:a.tar", f"{docker}.back")
        tags = self.run_ok(skopeo, "list-tags", "--tls-verify=false", docker.removesuffix(":v1"))
        self.assertEqual(json.loads(tags)["Tags"], ["v1", "v1.back"])
        self.run_ok(skopeo, "delete", "--tls-verify=false", f"docker://{self.name()}")
        self.assertEqual(self.request("GET", f"/v2/{self.repository}/manifests/v1").status, 404)

    @programs.need_oras
    @programs.need_crane
    def test_names_that_are_words_of_the_api(self):
        oras, crane, host = programs.ORAS, programs.CRANE, self.server.host
        for name in ("blobs/uploads", "manifests", "tags/list", "referrers", "v2", "catalog", "blobs", "uploads", "tags",
                     "a/manifests/b", "x/blobs/y", "x/tags/list", "x/blobs/uploads", "x/referrers/y"):
            self.run_ok(oras, "push", "--plain-http", f"{host}/{name}:v1", "a.txt")
            self.run_ok(oras, "attach", "--plain-http", "--artifact-type", "a/sig", f"{host}/{name}:v1", "a.txt")
            self.assertIn("a/sig", self.run_ok(oras, "discover", "--plain-http", f"{host}/{name}:v1"))
            self.run_ok(oras, "pull", "--plain-http", f"{host}/{name}:v1", "-o", "out")
            self.assertEqual(self.run_ok(crane, "ls", "--insecure", f"{host}/{name}"), "v1\n")
            self.run_ok(crane, "copy", "--insecure", f"{host}/{name}:v1", f"{host}/{name}/copy:v1")  # mounts

    @programs.need_skopeo
    @programs.need_crane
    def test_an_index_there_and_back(self):
        skopeo, crane, insecure = programs.SKOPEO, programs.CRANE, "--insecure"
        top = f"{self.server.host}/{self.repository}"
        for name in ("a", "b"):
            self.run_ok("sh", "-c", f"echo {name} >{name}.txt && tar cf {name}.tar {name}.txt")
            self.run_ok(crane, "append", insecure, "--oci-empty-base", "-f", f"{name}.tar", "-t", f"{top}/{name}:v1")
        self.run_ok(crane, "index", "append", insecure, "-m", f"{top}/a:v1", "-m", f"{top}/b:v1", "-t", f"{top}/all:v1")
        self.run_ok(crane, "mutate", insecure, "--append", "b.tar", "-t", f"{top}/a:v2", f"{top}/a:v1")
        self.run_ok(crane, "copy", insecure, "--all-tags", f"{top}/a", f"{top}/a-copy")
        everything = ("--insecure-policy", "copy", "--all", "--src-tls-verify=false")
        there_and_back = (skopeo, *everything, "--dest-tls-verify=false", f"docker://{top}/all:v1",
                          f"docker://{top}/back:v1")
        self.run_ok(skopeo, *everything, f"docker://{top}/all:v1", "oci:all:v1")
        self.run_ok(skopeo, *everything, "--dest-tls-verify=false", "oci:all:v1", f"docker://{top}/as-oci:v1")
        self.run_ok(*there_and_back)
        there = self.run_ok(crane, "digest", insecure, f"{top}/back:v1").strip()
        for name in ("all:v1", "as-oci:v1", "back:v1", "a:v2", "a-copy:v2"):
            self.run_ok(crane, "validate", insecure, "--remote", f"{top}/{name}")
        self.run_ok(crane, "delete", insecure, f"{top}/back@{there}")
        self.run_ok(*there_and_back)
        self.run_ok(crane, "validate", insecure, "--remote", f"{top}/back:v1")


if __name__ == "__main__":
    main()
