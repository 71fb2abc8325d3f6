# SPDX-License-Identifier: Apache-2.0
"""Manifests that no specification allows and that exist all the same: read as upstream reads them."""

from harness import programs
from harness.case import CliCase, main
from harness.fixtures import Repo
from harness.scripted import EMPTY, IMAGE, INDEX, compact, sha256

HI = b"hi\n"
LAYER = {"mediaType": "text/plain", "digest": sha256(HI), "size": len(HI),
         "annotations": {"org.opencontainers.image.title": "hi.txt"}}


def change(value, **members):
    """The object with members replaced; `...` takes one away."""
    return {k: v for k, v in {**value, **members}.items() if v is not ...}


PLAIN = {"schemaVersion": 2, "mediaType": IMAGE, "config": EMPTY, "layers": [LAYER]}
LIST = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
READ = {
    "layers null": change(PLAIN, layers=None),
    "layers absent": change(PLAIN, layers=...),
    "capitals": {"SchemaVersion": 2, "MEDIATYPE": IMAGE, "Config": EMPTY, "LAYERS": [LAYER]},
    "capitals in a layer": change(PLAIN, layers=[
        {"MediaType": "text/plain", "DIGEST": sha256(HI), "Size": len(HI),
         "Annotations": LAYER["annotations"]}]),
    "the later of two spellings": {**PLAIN, "Layers": []},
    "Docker's name": change(PLAIN,
                            mediaType="application/vnd.docker.distribution.manifest.v2+json"),
    "type absent": change(PLAIN, mediaType=...),
    "another version": change(PLAIN, schemaVersion=3),
    "manifests empty": change(PLAIN, manifests=[]),
    "manifests null": change(PLAIN, manifests=None),
    "annotations null": change(PLAIN, annotations={"a": None}),
    "subject null": change(PLAIN, subject=None),
    "layer without type": change(PLAIN, layers=[change(LAYER, mediaType=...)]),
    "layer with type null": change(PLAIN, layers=[change(LAYER, mediaType=None)]),
    "layer with other data": change(PLAIN, layers=[change(LAYER, data="eHh4")]),
    "unknown members": change(PLAIN, created=3, more={"a": [1, {"b": None}]}),
    "manifests of an index null": change(LIST, manifests=None),
    "manifests of an index absent": change(LIST, manifests=...),
    "an index with layers": change(LIST, layers=[]),
}
REFUSED = {  # by upstream too, but for the second
    "layers an object": change(PLAIN, layers={}),
    "an index that is an image": change(PLAIN, mediaType=INDEX),
    "annotations a list": change(PLAIN, annotations=[]),
    "layer with size as text": change(PLAIN, layers=[change(LAYER, size="3")]),
}


class OddManifests(CliCase):
    def install(self, value):
        repo = Repo()
        repo.blob(HI)
        repo.blob(b"{}")
        is_index = value.get("mediaType") == INDEX and "config" not in value
        repo.add("v1", value, INDEX if is_index else IMAGE)
        repo.install_layout(self.box.work / "lay")
        return compact(value)

    def outcome(self, run, where):
        """Exit codes, files and the bytes that were copied, of one program."""
        codes = [run("pull", "--oci-layout", "lay:v1", "-o", f"{where}/out").code,
                 run("cp", "--from-oci-layout", "lay:v1",
                     "--to-oci-layout", f"{where}/copy:v1").code,
                 run("cp", "-r", "--from-oci-layout", "lay:v1",
                     "--to-oci-layout", f"{where}/deep:v1").code,
                 run("resolve", "--oci-layout", "lay:v1").code]
        fetched = run("manifest", "fetch", "--oci-layout", f"{where}/deep:v1")
        out = self.box.work / where / "out"
        return codes, sorted(p.name for p in out.glob("*")), fetched.out.encode()

    def test_what_is_read(self):
        for name, value in READ.items():
            with self.subTest(name):
                self.setUp()
                data = self.install(value)
                codes, files, fetched = self.outcome(self.coras, "ours")
                self.assertEqual((codes, fetched), ([0, 0, 0, 0], data))
                if programs.ORAS:
                    self.assertEqual(self.outcome(self.upstream, "theirs"),
                                     (codes, files, fetched))

    def test_what_is_refused(self):
        for name, value in REFUSED.items():
            with self.subTest(name):
                self.setUp()
                self.install(value)
                codes, files, _ = self.outcome(self.coras, "ours")
                self.assertEqual((codes[:3], files), ([1, 1, 1], []))


if __name__ == "__main__":
    main()
