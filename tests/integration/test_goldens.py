# SPDX-License-Identifier: Apache-2.0
"""Manifests that upstream 1.3.6 writes, byte for byte, to a layout and to a registry."""

import gzip
import hashlib
import json
import os
import unittest

from harness import programs
from harness.case import CliCase, layout_refs, main
from harness.fixtures import ANN, BYE, CFG, HI
from harness.servers import Api, DockerRegistry

C = ["--annotation", "org.opencontainers.image.created=2024-01-01T00:00:00Z"]
G1 = "a8cd5a7e0f8f99d4d5ae9c82c49750a233562270b2a34ac8908a14a8c25e368b"

# name: (arguments of push with T for the target, size, digest)
PUSH = {
    "G1": ([*C, "T", "hi.txt"], 585, G1),
    "G2": ([*C, "T"], 535, "4543e784b17a9a8368d80c910b2e8b974869af9fc5e419d124a1d2f74c11e5e4"),
    "G3": ([*C, "--artifact-type", "application/vnd.example+type", "T", "hi.txt:text/plain",
            "bye.txt"], 756, "8116c49f44891f63443b0cf00659ea1a45a95d069dcdb51c7b30efd9b4bba571"),
    "G4": ([*C, "--image-spec", "v1.0", "T", "hi.txt"], 523,
           "24612c73cc060c396a4468fb2735d9610396a781f1a7e55213b61d8ec7f8642a"),
    "G5": ([*C, "--image-spec", "v1.0", "--artifact-type", "application/vnd.me.config", "T"], 305,
           "59bfc747f803ade49cd341ae59e221f873d0567bd37c706ace696657759744a9"),
    "G6": ([*C, "--config", "cfg.json:application/vnd.me.config", "T", "hi.txt"], 510,
           "7ae76cde60b7a4558304d04a481a5d529ef479f475dc9047d969581c4859aeb5"),
    "G7": ([*C, "--config", "cfg.json", "--artifact-type", "application/vnd.example+type", "T",
            "hi.txt"], 569, "5f6b9d339e1252aa55d8510cc1a58c48b7d0871e022e54da2f404b0d6c39fb66"),
    "G8": (["--annotation-file", "ann.json", "T", "hi.txt", "bye.txt"], 854,
           "c5cae364f35410a8a85c57f3c3734b0ad3bc8ebe1c296de2268914269ae9d88d"),
    "G9": ([*C, "--artifact-platform", "linux/arm/v7:10.0", "T", "hi.txt"], 579,
           "fe89a8158797bd22015f3e3a58bc9956d863b01633ab0b3125a5ea0897f1bfd7"),
    "G10": ([*C, "--annotation", "html=<a>&\"é\u2028", "T", "hi.txt"], 624,
            "278947599e5478c79aeb2c3b15d6ab8822c7c031b4e2d8ac66c29a1af08f96f2"),
    "G12": (["--annotation-file", "ann.json", "--image-spec", "v1.0", "T", "hi.txt"], 582,
            "2433d74d4f20e07588308c1da1ba5343bf1dc403aa2ba2ce0eaa849d97ad971b"),
    "G13": (["--annotation-file", "ann.json", "--artifact-type", "a/b", "--config", "cfg.json:x/y",
             "T", "hi.txt"], 568,
            "d36a3b8b11e0635dcc1f434137a9c69dc7992d5e52e9bc1f93a55e982bcd64fe"),
    "G14": ([*C, "T", "hi.txt", "hi2.txt"], 792,
            "1b2e0649e557fec56872e215398e0fb3316ac646104a532af7d655a31d6d69a9"),
    "G15": ([*C, "-a", "a=", "-a", "b=c=d", "T", "hi.txt:"], 602,
            "812856ee6ffacf40f058c6e18dd0ebdc0bca5aa109818949dd8704493eeda690"),
}

ATTACH = {
    "A1": ([*C, "--artifact-type", "doc/example", "T", "bye.txt"],
           "8f924edd8d7f464399db303ba4de10e7c3f92c0f8d2b368ef410de984aa18d3b"),
    "A2": ([*C, "--artifact-type", "doc/example", "T"],
           "4fa84d8a23c9451eba073d03d6104c398edda37dae0d85616da9febf41d30db8"),
    "A3": ([*C, "--artifact-type", "doc/example", "--config", "cfg.json:x/y", "T", "bye.txt"],
           "5af24eb234816c1c4cc3ae8c8ddecc4158a80f67e131b091979d8b77dd476df5"),
    "A4": (["--annotation-file", "ann.json", "--artifact-type", "doc/example", "T", "hi.txt"],
           "01b2147d0fc2dbe105ac6ab906c630a2d7480770cedefd70b0be41b0dc788d61"),
}

G1_BYTES = (
    b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":'
    b'"application/vnd.unknown.artifact.v1","config":{"mediaType":"application/vnd.oci.empty.v1+js'
    b'on","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size'
    b'":2,"data":"e30="},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":'
    b'"sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9","size":11,"annotat'
    b'ions":{"org.opencontainers.image.title":"hi.txt"}}],"annotations":{"org.opencontainers.image'
    b'.created":"2024-01-01T00:00:00Z"}}')


class GoldenCase(CliCase):
    def setUp(self):
        super().setUp()
        for name, data in (("hi.txt", HI), ("hi2.txt", HI), ("bye.txt", BYE), ("cfg.json", CFG),
                           ("ann.json", json.dumps(ANN))):
            self.box.write(name, data)

    def golden(self, command, arguments, target, digest, size=None):
        argv = [part for a in arguments for part in (target if a == "T" else [a])]
        result = self.ok(command, *argv, "--export-manifest", "m.json")
        data = self.read("m.json")
        self.assertEqual(hashlib.sha256(data).hexdigest(), digest, data.decode())
        self.assertEqual(result.digest, f"sha256:{digest}")
        if size is not None:
            self.assertEqual(len(data), size)


class Layout(GoldenCase):
    def test_push(self):
        for name, (arguments, size, digest) in PUSH.items():
            with self.subTest(name):
                self.golden("push", arguments, ["--oci-layout", f"lay:{name}"], digest, size)
                self.assertEqual(layout_refs(self.box.work / "lay")[name], f"sha256:{digest}")

    def test_bytes(self):
        self.golden("push", PUSH["G1"][0], ["--oci-layout", "lay:t"], G1)
        self.assertEqual(self.read("m.json"), G1_BYTES)
        self.assertEqual(self.read("lay/oci-layout"), b'{"imageLayoutVersion":"1.0.0"}')

    def test_attach_by_digest(self):
        if not programs.has_command("attach"):
            self.skipTest("no attach command")
        self.golden("push", PUSH["G1"][0], ["--oci-layout", "lay:t"], G1)
        for name, (arguments, digest) in ATTACH.items():
            with self.subTest(name):
                self.golden("attach", arguments, ["--oci-layout", f"lay@sha256:{G1}"], digest)


@programs.need_docker_registry
class Registry(GoldenCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry())

    def test_push(self):
        api = Api(self.registry.host)
        for name, (arguments, size, digest) in PUSH.items():
            with self.subTest(name):
                self.golden("push", arguments, [f"{self.registry.host}/r:{name}"], digest, size)
                self.assertEqual(api.digest("r", name), f"sha256:{digest}")

    def test_attach(self):
        if not programs.has_command("attach"):
            self.skipTest("no attach command")
        self.golden("push", PUSH["G1"][0], [f"{self.registry.host}/a:t"], G1)
        for name, (arguments, digest) in ATTACH.items():
            with self.subTest(name):
                self.golden("attach", arguments, [f"{self.registry.host}/a:t"], digest)

    def test_index(self):
        if not programs.has_command("manifest"):
            self.skipTest("no manifest command")
        repo = f"{self.registry.host}/i"
        for name in ("G1", "G4", "G5", "G6", "G9"):
            self.golden("push", PUSH[name][0], [f"{repo}:{name}"], PUSH[name][2])
        create = ["manifest", "index", "create"]
        cases = (
            ("I1", ["-a", "k=v", "--artifact-type", "a/b"], ["G9", "G1"],
             "c0f5925865fefecf9de6f317c627a62187425b29c3a121a190b2fdb5f5acc45c"),
            ("I2", [], ["G4", "G6", "G5", "I1"],
             "51822fbc95a4db432b59003aa7706649e962330bbe4490379e632dce45c8949e"),
            ("I0", [], [], "dff9de10919148711140d349bf03f1a99eb06f94b03e51715ccebfa7cdc518e2"),
        )
        for name, flags, sources, digest in cases:
            with self.subTest(name):
                result = self.ok(*create, *flags, f"{repo}:{name}", *sources)
                self.assertEqual(result.digest, f"sha256:{digest}")
        self.assertEqual(self.api(self.registry).digest("i", "I2"), f"sha256:{cases[1][3]}")


class Directory(GoldenCase):
    """D1: the tar of a directory is upstream's; the gzip around it is our own but stable."""

    def setUp(self):
        super().setUp()
        top = self.box.work / "d"
        for name in ("", "empty", "sub"):
            (top / name).mkdir()
            (top / name).chmod(0o755)
        self.box.write("d/a.txt", b"a\n", 0o600)
        self.box.write("d/sub/b.txt", b"b\n", 0o644)
        os.mkfifo(top / "fifo")
        (top / "fifo").chmod(0o644)
        os.link(top / "a.txt", top / "hard")
        (top / "link").symlink_to("a.txt")
        when = 1700000000 * 10**9
        for path in sorted(top.rglob("*"), reverse=True):
            extra = 123456789 if path.name in ("empty", "sub") else 0
            os.utime(path, ns=(when + extra, when + extra), follow_symlinks=False)
        os.utime(top, ns=(when, when))

    def layer(self, tag):
        self.ok("push", *C, "--oci-layout", f"lay:{tag}", "d", "--export-manifest", "m.json")
        entry = json.loads(self.read("m.json"))["layers"][0]
        return entry, self.read("lay/blobs/sha256", entry["digest"][7:])

    def test_tar(self):
        entry, data = self.layer("t")
        tar = gzip.decompress(data)
        self.assertEqual(len(tar), 6656)
        digest = "d279fcc5c0ce40769d12865e4dc25e4ab0bb906f709225fe61eb245085ed1792"
        self.assertEqual(hashlib.sha256(tar).hexdigest(), digest)
        self.assertEqual(entry["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip")
        self.assertEqual(entry["annotations"], {
            "io.deis.oras.content.digest": f"sha256:{digest}",
            "io.deis.oras.content.unpack": "true", "org.opencontainers.image.title": "d"})

    def test_gzip_header_and_determinism(self):
        first, data = self.layer("one")
        second, _ = self.layer("two")
        self.assertEqual(data[:10].hex(), "1f8b08000000000000ff")
        self.assertEqual(first, second)


if __name__ == "__main__":
    main()
