# SPDX-License-Identifier: Apache-2.0
"""model pull --tensor and --shard: files that hold the chosen tensors only, for the bytes of those."""

import hashlib
import json
import os
import struct

from harness.case import CliCase, main
from harness.scripted import Reply, ScriptedRegistry, compact, layer, manifest, sha256

WIDTH = {"U8": 1, "F16": 2, "BF16": 2, "F32": 4}
HEADER_DIGEST, HEADER_SIZE = "dev.coras.header.digest", "dev.coras.header.size"


def elements(shape):
    n = 1
    for d in shape:
        n *= d
    return n


def pattern(name, size):
    """Bytes that tell which tensor they are of, and where in it."""
    block = hashlib.sha256(name.encode()).digest()
    return b"".join(struct.pack("<I", i) + block[:28] for i in range(size // 32 + 1))[:size]


def weights(tensors, metadata=None):
    """A safetensors file of {name: (dtype, shape)} with pattern() inside."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape) in tensors.items():
        size = elements(shape) * WIDTH[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += pattern(name, size)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def read(data):
    """{name: (dtype, shape, bytes)} and the metadata; a file that no reader takes is a failure."""
    size = struct.unpack("<Q", data[:8])[0]
    assert (8 + size) % 8 == 0
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", None)
    spans = sorted(x["data_offsets"] for x in header.values())
    assert [x[0] for x in spans] == [0, *(x[1] for x in spans)][:len(spans)], spans
    assert not spans or 8 + size + spans[-1][1] == len(data)
    return {name: (x["dtype"], x["shape"], data[8 + size:][slice(*x["data_offsets"])])
            for name, x in header.items()}, metadata


def whole(name, dtype, shape):
    return (dtype, shape, pattern(name, elements(shape) * WIDTH[dtype]))


FIRST = {"embed.weight": ("BF16", [64, 32]), "layers.0.norm": ("F32", [32]), "odd": ("U8", [3]),
         "layers.0.q_proj.weight": ("F16", [8, 32]), "layers.0.o_proj.weight": ("F16", [32, 8])}
SECOND = {"layers.1.norm": ("F32", [32]), "lm_head.weight": ("BF16", [64, 32])}
CONFIG, TOKENIZER = b'{"model_type":"tiny"}', b'{"version":"1.0"}'
SHARD = "model-0000{}-of-00003.safetensors"


class TensorCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.ref = f"{self.registry.host}/m:v1"

    def serve_one(self, data=None, annotations=None):
        data = data or weights(FIRST, {"format": "pt"})
        file = layer(data, "model.safetensors")
        file["annotations"].update(annotations or {})
        for blob in (data, CONFIG, b"{}"):
            self.registry.blob(blob)
        self.registry.put("v1", manifest([file, layer(CONFIG, "config.json")]))
        return data

    def serve_shards(self, index=None):
        index = index or {"metadata": {"total_size": 1}, "weight_map": {
            **{n: SHARD.format(1) for n in FIRST}, **{n: SHARD.format(2) for n in SECOND},
            "third": SHARD.format(3)}}
        self.registry.artifact("v1", [
            (weights(FIRST, {"format": "pt"}), SHARD.format(1)), (weights(SECOND), SHARD.format(2)),
            (weights({"third": ("U8", [4])}), SHARD.format(3)), (CONFIG, "config.json"),
            (TOKENIZER, "tokenizer.json"), (compact(index), "model.safetensors.index.json")])

    def pull(self, *flags, **options):
        return self.ok("model", "pull", self.ref, "-o", "out", *flags, **options)

    def refused(self, *flags, contains=(), **options):
        result = self.fails("model", "pull", self.ref, "-o", "out", *flags, contains=contains, **options)
        self.assertPrintable(result.text)
        self.assertEqual(self.files(), [], result)
        return result

    def files(self):
        out = self.box.work / "out"
        return sorted(str(p.relative_to(out)) for p in out.rglob("*")) if out.exists() else []

    def file(self, name):
        return (self.box.work / "out" / name).read_bytes()

    def asked(self, digest):
        """Bytes of a blob that were asked for."""
        total = 0
        for request in self.registry.requests("GET", "/blobs/" + digest):
            first, last = request.headers["Range"].removeprefix("bytes=").split("-")
            total += int(last) - int(first) + 1
        return total


class Chosen(TensorCase):
    def test_a_file_of_the_chosen_tensors(self):
        self.serve_one()
        result = self.pull("--tensor", "layers.*.q_proj.*", "--tensor", "odd", "--tensor", "*.norm")
        self.assertEqual(self.files(), ["config.json", "model.safetensors"])
        tensors, metadata = read(self.file("model.safetensors"))
        names = ("layers.0.q_proj.weight", "odd", "layers.0.norm")
        self.assertEqual(tensors, {n: whole(n, *FIRST[n]) for n in names})
        self.assertEqual(metadata, {"format": "pt"})
        self.assertEqual(self.file("config.json"), CONFIG)
        self.assertIn("not verified", result.err)
        self.assertRegex(result.out, r"(?m)^Downloaded +[0-9a-f]{12} model.safetensors$")

    def test_wide_elements_come_first(self):
        """So that every tensor is aligned, as libraries want that map files."""
        self.serve_one()
        self.pull("--tensor", "*")
        data = self.file("model.safetensors")
        header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
        for name, (dtype, _) in FIRST.items():
            self.assertEqual(header[name]["data_offsets"][0] % WIDTH[dtype], 0, name)
        self.assertEqual(read(data)[0], {n: whole(n, *FIRST[n]) for n in FIRST})

    def test_only_their_bytes_cross_the_wire(self):
        big = {f"layers.{i}.w": ("U8", [1, 3 << 20]) for i in range(6)}
        data = self.serve_one(weights(big))
        self.pull("--tensor", "layers.[14].w")
        self.assertLess(self.asked(sha256(data)), (6 << 20) + (64 << 10) + 1)
        self.assertEqual(len(self.registry.requests("GET", "/blobs/" + sha256(data))), 3)
        self.assertEqual(read(self.file("model.safetensors"))[0],
                         {n: whole(n, *big[n]) for n in ("layers.1.w", "layers.4.w")})

    def test_neighbours_share_a_request(self):
        big = {f"layers.{i}.w": ("U8", [1, 1 << 19]) for i in range(6)}
        data = self.serve_one(weights(big))
        self.pull("--tensor", "layers.[135].w")
        self.assertEqual(len(self.registry.requests("GET", "/blobs/" + sha256(data))), 2)
        self.assertEqual(read(self.file("model.safetensors"))[0],
                         {n: whole(n, *big[n]) for n in ("layers.1.w", "layers.3.w", "layers.5.w")})

    def test_a_long_stretch_is_shared_by_connections(self):
        """Cut in the middle of tensors, and each byte is asked for once."""
        tensors = {"before": ("U8", [5]), "one": ("U8", [20 << 20]), "between": ("U8", [1000]),
                   "two": ("U8", [19 << 20])}
        data = self.serve_one(weights(tensors))
        self.pull("--tensor", "one", "--tensor", "two")
        self.assertEqual(len(self.registry.requests("GET", "/blobs/" + sha256(data))), 4)
        self.assertLess(self.asked(sha256(data)), (39 << 20) + (64 << 10) + 1010)
        self.assertEqual(read(self.file("model.safetensors"))[0],
                         {n: whole(n, *tensors[n]) for n in ("one", "two")})

    def test_shards_are_counted_anew(self):
        self.serve_shards()
        self.pull("--tensor", "*norm", "--tensor", "third")
        names = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
        self.assertEqual(self.files(), ["config.json", *names, "model.safetensors.index.json",
                                        "tokenizer.json"])
        index = json.loads(self.file("model.safetensors.index.json"))
        self.assertEqual(index, {"metadata": {"total_size": 260}, "weight_map": {
            "layers.0.norm": names[0], "layers.1.norm": names[1], "third": names[2]}})

    def test_some_shards(self):
        self.serve_shards()
        self.pull("--tensor", "l*")
        names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        self.assertEqual(self.files(), ["config.json", *names, "model.safetensors.index.json",
                                        "tokenizer.json"])
        self.assertEqual(read(self.file(names[1]))[0], {n: whole(n, *SECOND[n]) for n in SECOND})

    def test_one_shard_loses_its_number(self):
        self.serve_shards()
        self.pull("--tensor", "lm_head.weight")
        self.assertEqual(self.files(), ["config.json", "model.safetensors", "tokenizer.json"])

    def test_an_index_saves_requests(self):
        self.serve_shards()
        self.pull("--tensor", "lm_head.weight")
        for data, count in ((weights(FIRST, {"format": "pt"}), 0), (weights(SECOND), 2)):
            self.assertEqual(len(self.registry.requests("GET", "/blobs/" + sha256(data))), count)

    def test_an_index_is_only_a_hint(self):
        nowhere = {"weight_map": {n: SHARD.format(3) for n in (*FIRST, *SECOND)}}
        outside = {"weight_map": {"lm_head.weight": "../x"}}
        for index in (nowhere, outside, {"weight_map": {}}, {"x": 1}):
            self.serve_shards(index)
            self.pull("--tensor", "lm_head.weight")
            self.assertEqual(list(read(self.file("model.safetensors"))[0]), ["lm_head.weight"])

    def test_json_lists_the_new_files(self):
        self.serve_one()
        out = json.loads(self.pull("--tensor", "odd", "--format", "json").out)
        made = {os.path.basename(f["path"]): f for f in out["files"]}
        data = self.file("model.safetensors")
        self.assertEqual(made["model.safetensors"]["digest"], sha256(data))
        self.assertEqual(made["model.safetensors"]["size"], len(data))
        self.assertEqual(made["config.json"]["digest"], sha256(CONFIG))

    def test_a_dry_run_says_what_would_move(self):
        self.serve_shards()
        out = json.loads(self.pull("--tensor", "l*.norm", "--dry-run", "--format", "json").out)
        self.assertEqual([(f["path"], f["size"], f["action"]) for f in out["files"]],
                         [("model-00001-of-00002.safetensors", 128, "download"),
                          ("model-00002-of-00002.safetensors", 128, "download"),
                          ("config.json", len(CONFIG), "download"),
                          ("tokenizer.json", len(TOKENIZER), "download")])
        self.assertEqual(out["bytes"], 256 + len(CONFIG) + len(TOKENIZER))
        self.assertFalse((self.box.work / "out").exists())

    def test_of_some_files(self):
        self.serve_shards()
        self.pull("--tensor", "*norm", "--include", "{model-00002*,c*}")
        self.assertEqual(self.files(), ["config.json", "model.safetensors"])
        self.assertEqual(list(read(self.file("model.safetensors"))[0]), ["layers.1.norm"])

    def test_from_a_layout(self):
        self.serve_one()
        self.ok("cp", self.ref, "--to-oci-layout", "lay:v1")
        self.ok("model", "pull", "--oci-layout", "lay:v1", "-o", "out", "--tensor", "odd")
        self.assertEqual(read(self.file("model.safetensors"))[0], {"odd": whole("odd", *FIRST["odd"])})

    def test_a_second_pull_replaces_the_first(self):
        self.serve_one()
        self.pull("--tensor", "odd")
        self.pull("--tensor", "embed.weight")
        self.assertEqual(list(read(self.file("model.safetensors"))[0]), ["embed.weight"])
        self.assertEqual(self.files(), ["config.json", "model.safetensors"])

    def test_a_header_digest_is_checked(self):
        data = weights(FIRST)
        header = data[:8 + struct.unpack("<Q", data[:8])[0]]
        said = {HEADER_DIGEST: sha256(header), HEADER_SIZE: str(len(header))}
        self.serve_one(data + b"", said)
        self.assertIn("headers: 1 of 1 verified", self.pull("--tensor", "odd").err)
        self.serve_one(data, {**said, HEADER_DIGEST: sha256(b"another")})
        self.fails("model", "pull", self.ref, "-o", "other", "--tensor", "odd", contains="digest")
        self.assertFalse((self.box.work / "other").exists())


class Shards(TensorCase):
    def test_rows_of_one_process(self):
        self.serve_one()
        parts = {}
        for rank in range(4):
            self.ok("model", "pull", self.ref, "-o", "out", "--shard", f"{rank}/4",
                    "--tensor", "embed.*", "--tensor", "*norm", "--tensor", "*q_proj*")
            tensors, _ = read(self.file("model.safetensors"))
            self.assertEqual(tensors["embed.weight"][1], [16, 32])
            self.assertEqual(tensors["layers.0.norm"], whole("layers.0.norm", "F32", [32]))
            for name in ("embed.weight", "layers.0.q_proj.weight"):
                parts[name] = parts.get(name, b"") + tensors[name][2]
        for name, data in parts.items():
            self.assertEqual(data, whole(name, *FIRST[name])[2], name)

    def test_columns_have_no_rows(self):
        self.serve_one()
        self.refused("--shard", "0/4", contains=["layers.0.o_proj.weight", "columns"])

    def test_rows_must_divide(self):
        self.serve_one()
        self.refused("--shard", "0/3", "--tensor", "embed.*", contains=["embed.weight", "64 rows"])

    def test_nonsense(self):
        self.serve_one()
        for value in ("4/4", "x", "1/0", "-1/4", "1/4/2", "0/", ""):
            self.refused("--shard", value, contains="--shard")


class Refused(TensorCase):
    def test_a_pattern_that_matches_nothing_lists_what_there_is(self):
        self.serve_one()
        self.refused("--tensor", "odd", "--tensor", "lm_head.*",
                     contains=["lm_head.*", "there are 5", "embed.weight", "layers.0.norm"])

    def test_no_pattern(self):
        self.serve_one()
        self.refused("--tensor", "[a")

    def test_no_safetensors(self):
        self.registry.artifact("v1", [(b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "m.gguf")])
        self.refused("--tensor", "*", contains="safetensors")

    def test_a_hostile_header(self):
        good = weights({"a": ("U8", [2]), "b": ("U8", [2])})
        for bad in (good[:-1], good + b"x", good.replace(b'"b"', b'"a"')):
            self.serve_one(bad)
            self.refused("--tensor", "*", contains="byte")

    def test_two_files_of_one_name(self):
        self.registry.artifact("v1", [(weights(FIRST), "model-00001-of-00002.safetensors"),
                                      (weights(SECOND), "model.safetensors")])
        self.refused("--tensor", "*norm", contains="two files would be called model.safetensors")

    def test_a_wrong_document_leaves_nothing(self):
        self.serve_one()
        self.registry.on("GET", f"/v2/m/blobs/{sha256(CONFIG)}", Reply(200, {}, CONFIG.replace(b"y", b"z")))
        self.refused("--tensor", "odd", contains=["config.json", "digest"])

    def test_a_cut_leaves_nothing(self):
        data = weights({"a": ("U8", [1 << 20])})
        self.serve_one(data)
        first = len(data) - (1 << 20)
        seen = []

        def cut(request):
            seen.append(request)
            return Reply(404) if len(seen) > 1 else None

        self.registry.on("GET", f"/v2/m/blobs/{sha256(data)}", cut)
        self.refused("--tensor", "a")
        self.assertGreater(len(seen), 1)
        self.assertGreater(first, 8)

    def test_a_link_in_the_way_is_replaced_not_followed(self):
        self.serve_one()
        (self.box.work / "out").mkdir()
        (self.box.work / "victim").write_bytes(b"mine")
        (self.box.work / "out" / "model.safetensors").symlink_to("../victim")
        self.pull("--tensor", "odd")
        self.assertEqual((self.box.work / "victim").read_bytes(), b"mine")
        self.assertEqual(list(read(self.file("model.safetensors"))[0]), ["odd"])

    def test_a_directory_in_the_way(self):
        self.serve_one()
        (self.box.work / "out" / "model.safetensors").mkdir(parents=True)
        self.fails("model", "pull", self.ref, "-o", "out", "--tensor", "odd",
                   contains="model.safetensors is a directory")
        self.assertEqual(self.files(), ["model.safetensors"])


if __name__ == "__main__":
    main()
