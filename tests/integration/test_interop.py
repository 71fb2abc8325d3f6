# SPDX-License-Identifier: Apache-2.0
"""What we push others pull; what others push we pull."""

import gzip
import json
import os
import subprocess

from harness import programs
from harness.case import CliCase, main
from harness.fixtures import REPOS
from harness.servers import Api, DockerRegistry


@programs.need_docker_registry
class Interop(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())
        cls.host = cls.registry.host

    def make_directory(self):
        self.box.write("d/a.txt", b"a\n", 0o600, 1700000000)
        self.box.write("d/sub/run", b"#!/bin/sh\n", 0o755, 1700000000)
        self.box.write("d/" + "long" * 30 + "/" + "name" * 30, b"long", 0o644, 1700000000)
        self.box.write("d/ünïcode", b"u", 0o644, 1700000000)
        (self.box.work / "d/link").symlink_to("sub/run")
        self.box.write("big.bin", os.urandom(3_000_000))

    @programs.need_oras
    def test_upstream_pulls_ours(self):
        self.make_directory()
        pushed = self.ok("push", f"{self.host}/a:v1", "d", "big.bin")
        pulled = self.upstream("pull", f"{self.host}/a:v1", "-o", "out", check=0)
        self.assertEqual(pulled.digest, pushed.digest)
        self.assertEqual(self.box.tree("out/d"), self.box.tree("d"))
        self.assertEqual(self.read("out/big.bin"), self.read("big.bin"))

    @programs.need_oras
    def test_ours_pulls_upstream(self):
        self.make_directory()
        pushed = self.upstream("push", f"{self.host}/b:v1", "d", "big.bin", check=0)
        pulled = self.ok("pull", f"{self.host}/b:v1", "-o", "out")
        self.assertEqual(pulled.digest, pushed.digest)
        self.assertEqual(self.box.tree("out/d"), self.box.tree("d"))
        self.assertEqual(self.read("out/big.bin"), self.read("big.bin"))

    @programs.need_oras
    def test_layouts_both_ways(self):
        self.make_directory()
        self.ok("push", "--oci-layout", "ours:v1", "d", "big.bin")
        self.upstream("pull", "--oci-layout", "ours:v1", "-o", "out1", check=0)
        self.upstream("push", "--oci-layout", "theirs:v1", "d", "big.bin", check=0)
        self.ok("pull", "--oci-layout", "theirs:v1", "-o", "out2")
        for out in ("out1", "out2"):
            self.assertEqual(self.box.tree(out, "d"), self.box.tree("d"))
        self.ok("push", "--oci-layout", "theirs:v2", "big.bin")
        self.upstream("push", "--oci-layout", "ours:v2", "big.bin", check=0)
        for layout in ("ours", "theirs"):
            for program in (self.coras, self.upstream):
                tags = program("repo", "tags", "--oci-layout", layout, check=0).out.split()
                self.assertEqual(tags, ["v1", "v2"])

    def make_odd_tree(self):
        when = 1700000000
        for name in ("order/a/in", "order/a-b", "order/a.b", "order/a b", "order/A", "order/~",
                     "names/" + "n" * 100, "names/" + "n" * 101, "names/" + "n" * 255,
                     "names/" + "d" * 155 + "/" + "f" * 100, "names/" + "d" * 156 + "/f",
                     "names/e\u0301", "names/new\nline", "names/back\\slash", "names/-dash",
                     "deep/" + "level/" * 40 + "f"):
            self.box.write(f"odd/{name}", name.encode(), 0o640, when)
        for size in (0, 511, 512, 513, 262143, 262144, 262145):
            self.box.write(f"odd/sizes/{size}", b"s" * size, 0o644, when)
        with open(self.box.work / "odd/sparse", "wb") as file:
            file.truncate(3_000_000)
        top = self.box.work / "odd"
        (top / "empty").mkdir()
        os.link(top / "order/A", top / "hard")
        for name, target in (("l", "hard"), ("dangling", "nowhere"), ("self", "."),
                             ("long", "x/" + "y" * 120), ("order/up", "../hard")):
            (top / name).symlink_to(target)
        times = {"hard": when * 10**9 + 500_000_000, "sparse": -1_500_000_000,
                 "sizes/0": (2**33) * 10**9}
        for path in sorted(top.rglob("*"), reverse=True):
            at = times.get(str(path.relative_to(top)), when * 10**9)
            os.utime(path, ns=(at, at), follow_symlinks=False)
        os.utime(top, (when, when))

    @programs.need_oras
    def test_odd_trees_have_one_tar_and_arrive_everywhere(self):
        self.make_odd_tree()
        top = self.box.work / "odd"
        for number, (cwd, argument, title) in enumerate((
                (self.box.work, "odd", "odd"), (top, ".", "."), (top / "order", "..", None))):
            found = []
            for side, program in (("up", self.upstream), ("us", self.coras)):
                layout = self.box.work / f"{side}{number}"
                program("push", "--oci-layout", f"{layout}:v1", argument, "--export-manifest",
                        self.box.work / "m.json", cwd=cwd, check=0)
                layer, = json.loads(self.read("m.json"))["layers"]
                found.append(layer["annotations"])
                for name, reader in (("up", self.upstream), ("us", self.coras)):
                    out = f"out{number}{side}{name}"
                    if title is not None:
                        reader("pull", "--oci-layout", f"{layout}:v1", "-o", out, check=0)
                        self.assertEqual(self.box.tree(out, title), self.box.tree("odd"), out)
            self.assertEqual(found[0], found[1], argument)

    @programs.need_skopeo
    def test_skopeo_copies_ours(self):
        self.box.write("cfg.json", b'{"architecture":"amd64","os":"linux","rootfs":'
                                   b'{"type":"layers","diff_ids":[]},"config":{}}')
        self.box.write("layer.tgz", gzip.compress(os.urandom(200000)))
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        self.ok("push", f"{self.host}/s:v1", f"layer.tgz:{kind}", "--config",
                "cfg.json:application/vnd.oci.image.config.v1+json")
        self.box.run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false",
                     f"docker://{self.host}/s:v1", "oci:copied:v1", check=0)
        manifest = json.loads(self.ok("manifest", "fetch", "--oci-layout", "copied:v1").out)
        self.ok("blob", "fetch", "--oci-layout", f"copied@{manifest['layers'][0]['digest']}",
                "-o", "out.tar")
        self.assertEqual(self.read("out.tar"), self.read("layer.tgz"))

    @programs.need_skopeo
    def test_skopeo_pushes(self):
        REPOS["docker"].install(Api(self.host), "img", True)
        self.box.run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false",
                     "--dest-tls-verify=false", f"docker://{self.host}/img:amd64",
                     f"docker://{self.host}/sk:v1", check=0)
        first = self.ok("manifest", "fetch", f"{self.host}/sk:v1").out_bytes
        self.assertEqual(json.loads(first)["mediaType"],
                         "application/vnd.docker.distribution.manifest.v2+json")
        self.ok("pull", f"{self.host}/sk:v1", "-o", "out")

    @programs.need_crane
    def test_crane_reads_ours(self):
        self.make_directory()
        pushed = self.ok("push", f"{self.host}/c:v1", "big.bin")
        crane = [programs.CRANE]
        self.assertEqual(self.box.run(*crane, "digest", f"{self.host}/c:v1", check=0).out.strip(),
                         pushed.digest)
        self.box.run(*crane, "copy", f"{self.host}/c:v1", f"{self.host}/c2:v1", check=0)
        manifest = json.loads(self.box.run(*crane, "manifest", f"{self.host}/c2:v1", check=0).out)
        blob = self.box.run(*crane, "blob", f"{self.host}/c2@{manifest['layers'][0]['digest']}",
                            check=0)
        self.assertEqual(blob.out_bytes, self.read("big.bin"))
        self.ok("pull", f"{self.host}/c2:v1", "-o", "out")
        self.assertEqual(self.read("out/big.bin"), self.read("big.bin"))

    @programs.need_crane
    def test_crane_pushes(self):
        self.box.write("app", b"binary")
        subprocess.run(["tar", "-czf", self.box.work / "layer.tgz", "-C", self.box.work, "app"],
                       check=True)
        self.box.run(programs.CRANE, "append", "-f", "layer.tgz", "-t", f"{self.host}/cr:v1",
                     "--oci-empty-base", check=0)
        result = self.ok("pull", f"{self.host}/cr:v1", "-o", "out")
        self.assertIn("Skipped pulling layers without file name", result.out)


if __name__ == "__main__":
    main()
