# SPDX-License-Identifier: Apache-2.0
"""What other programs read through a cache, before CNCF distribution and before another one of ours."""

import gzip
import json
import os
import shutil

from harness import programs
from harness.case import CliCase, main
from harness.servers import Api, CorasServe, DockerRegistry

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}'
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@programs.need_docker_registry
class Clients(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.serve(DockerRegistry(auth="basic"))

    def setUp(self):
        super().setUp()
        if not CorasServe.available():
            self.skipTest("coras serve is not built")
        config = self.box.write("auth.json", json.dumps({"auths": {
            self.origin.host: {"auth": "YWxpY2U6d29uZGVyLWNhbmFyeS03RjM="}}}).encode())
        self.login = ("--registry-config", config)
        self.parent = self.serve_here(CorasServe("--proxy", f"docker.io=http://{self.origin.host}", *self.login))
        self.cache = self.serve_here(CorasServe("--proxy", f"docker.io=http://{self.parent.host}",
                                                "--proxy", f"http://{self.origin.host}", *self.login))
        self.host = self.cache.ip_host
        self.box.write("config.json", CONFIG)
        self.box.write("layer.tgz", gzip.compress(os.urandom(300_000)))
        self.repo = f"library/{self._testMethodName.replace('_', '-')}"
        self.digest = self.ok("push", f"{self.origin.host}/{self.repo}:v1", *self.login, f"layer.tgz:{LAYER}",
                              "--config", "config.json:application/vnd.oci.image.config.v1+json").digest

    def transfers(self):
        """Blobs and manifests that the origin has sent to our caches, by path."""
        return [path for method, path, status in self.origin.requests()
                if method == "GET" and status == 200 and self.repo in path]

    def assert_sent_once(self):
        self.assertEqual(len(self.transfers()), len(set(self.transfers())), self.transfers())

    @programs.need_oras
    def test_oras(self):
        for name in (f"docker.io/{self.repo}", f"docker.io/{self.repo.split('/')[1]}"):
            self.upstream("pull", "--plain-http", f"{self.host}/{name}:v1", "-o", "out", check=0)
            self.assertEqual(self.read("out/layer.tgz"), self.read("layer.tgz"))
            shutil.rmtree(self.box.work / "out")
        self.assert_sent_once()
        self.upstream("cp", "-r", "--from-plain-http", f"{self.host}/docker.io/{self.repo}:v1", "--to-oci-layout",
                      "copied:v1", check=0)
        self.assert_sent_once()

    @programs.need_crane
    def test_crane(self):
        for name in (self.repo, f"docker.io/{self.repo}"):
            pulled = self.box.run(programs.CRANE, "digest", "--insecure", f"{self.host}/{name}:v1", check=0)
            self.assertEqual(pulled.out.strip(), self.digest)
            self.box.run(programs.CRANE, "pull", "--insecure", "--format=oci", f"{self.host}/{name}:v1",
                         name.replace("/", "-"), check=0)
        self.assertEqual(self.box.run(programs.CRANE, "ls", "--insecure", f"{self.host}/docker.io/{self.repo}",
                                      check=0).out, "v1\n")

    @programs.need_skopeo
    def test_skopeo(self):
        self.box.run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false",
                     f"docker://{self.host}/docker.io/{self.repo}:v1", "oci:copied:v1", check=0)
        self.assert_sent_once()
        self.assertEqual(self.ok("resolve", "--oci-layout", "copied:v1").out.strip(), self.digest)

    def test_containerd(self):
        """Its requests by hand: HEAD of the tag, then everything by digest, each with ?ns=."""
        api, query = Api(self.host), "?ns=docker.io"
        status, headers, _ = api.request("HEAD", f"/v2/{self.repo}/manifests/v1{query}")
        self.assertEqual((status, headers["docker-content-digest"]), (200, self.digest))
        self.assertEqual(self.transfers(), [])
        status, _, data = api.request("GET", f"/v2/{self.repo}/manifests/{self.digest}{query}")
        self.assertEqual(status, 200)
        layer = json.loads(data)["layers"][0]
        got = b""
        for first in range(0, layer["size"], 100_000):
            status, _, part = api.request("GET", f"/v2/{self.repo}/blobs/{layer['digest']}{query}",
                                          headers={"Range": f"bytes={first}-{first + 99_999}"})
            self.assertEqual(status, 206)
            got += part
        self.assertEqual(got, self.read("layer.tgz"))
        self.assertEqual(api.request("GET", f"/v2/{self.repo}/manifests/v1?ns=quay.io")[0], 404)


if __name__ == "__main__":
    main()
