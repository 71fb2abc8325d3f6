# SPDX-License-Identifier: Apache-2.0
"""What `model inspect` says of packages, what it costs, and what it makes of hostile headers."""

import gzip
import hashlib
import importlib
import io
import json
import shutil
import struct
import subprocess
import sys
import tarfile

from harness import programs
from harness.case import CliCase, main
from harness.scripted import (Reply, ScriptedRegistry, compact, layer, manifest, sha256)
from harness.weights import gguf, safetensors

MODELPACK = "application/vnd.cncf.model."
FILEPATH = "org.cncf.model.filepath"


class InspectCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.ref = f"{self.registry.host}/m:v1"

    def serve(self, files, **members):
        """An artifact of (bytes, path) pairs; returns the digest."""
        return self.registry.artifact("v1", files, **members)

    def inspect(self, *flags, ref=None, **options):
        result = self.ok("model", "inspect", ref or self.ref, "--format", "json", *flags, **options)
        return json.loads(result.out)

    def refused(self, *flags, contains=(), **options):
        result = self.fails("model", "inspect", self.ref, *flags, contains=contains, **options)
        self.assertPrintable(result.text)
        return result

    def blob_bytes(self):
        """Bytes of blobs that were asked for; None when one was asked for whole."""
        total = 0
        for request in self.registry.requests("GET", "/blobs/"):
            span = request.headers.get("Range")
            if span is None:
                total += len(self.registry.blobs[request.path.rsplit("/", 1)[1]])
            else:
                first, last = span.removeprefix("bytes=").split("-")
                total += int(last) - int(first) + 1
        return total


class Facts(InspectCase):
    def test_everything_of_a_small_model(self):
        weights = safetensors({"w": ("BF16", [2, 3]), "b": ("F32", [])}, {"format": "pt"})
        config = compact({"architectures": ["TinyForCausalLM"], "max_position_embeddings": 4096,
                          "quantization_config": {"quant_method": "awq"}})
        digest = self.serve([(weights, "model.safetensors"), (config, "config.json")])
        start = len(weights) - 16
        self.assertEqual(self.inspect("--tensors"), {
            "reference": self.ref, "digest": digest, "package": "oras", "format": "safetensors",
            "architecture": "TinyForCausalLM", "parameters": 7, "tensorCount": 2,
            "dtypes": {"BF16": 6, "F32": 1}, "quantization": "awq", "contextLength": 4096,
            "files": [{"path": "model.safetensors", "digest": sha256(weights), "size": len(weights),
                       "mediaType": "application/octet-stream"},
                      {"path": "config.json", "digest": sha256(config), "size": len(config),
                       "mediaType": "application/octet-stream"}],
            "shards": {"expected": 1, "present": 1, "missing": []},
            "totalSize": len(weights) + len(config), "verified": True, "warnings": [],
            "tensors": [
                {"name": "w", "dtype": "BF16", "shape": [2, 3], "file": "model.safetensors",
                 "offset": start, "bytes": 12},
                {"name": "b", "dtype": "F32", "shape": [], "file": "model.safetensors",
                 "offset": start + 12, "bytes": 4}]})
        self.assertEqual(len(self.registry.requests()), 3)
        self.assertIsNone(self.inspect()["tensors"])

    def test_what_is_absent_is_null(self):
        self.serve([(b"hello", "readme.txt")])
        facts = self.inspect()
        for name in ("architecture", "parameters", "tensorCount", "quantization", "contextLength",
                     "tensors"):
            self.assertIsNone(facts[name], name)
        self.assertEqual((facts["dtypes"], facts["format"], facts["verified"]), ({}, "other", False))
        self.assertEqual(facts["shards"], {"expected": None, "present": 0, "missing": []})

    def test_gguf(self):
        data = gguf({"general.architecture": "llama", "general.file_type": 15,
                     "llama.context_length": 8192, "tokenizer.chat_template": "{{x}}",
                     "general.license": "mit"}, {"w": (12, [256, 2])})
        projector = gguf({"general.architecture": "clip"}, {"p": (0, [4])})
        self.serve([(projector, "mmproj.gguf"), (data, "model.gguf")])
        facts = self.inspect()
        self.assertEqual([facts[x] for x in ("format", "architecture", "quantization",
                                             "contextLength", "parameters", "dtypes")],
                         ["gguf", "llama", "Q4_K_M", 8192, 516, {"Q4_K": 512, "F32": 4}])
        self.assertEqual(facts["shards"], {"expected": 1, "present": 1, "missing": []})
        text = self.ok("model", "inspect", self.ref).out
        for line in ("Chat template: yes", "Licence:       mit", "Architecture:  llama"):
            self.assertIn(line, text)

    def test_names_decide_nothing(self):
        self.serve([(safetensors({"a": ("U8", [2])}), "weights.bin"),
                    (gguf({"general.architecture": "x"}, {}), "other")])
        facts = self.inspect()
        self.assertEqual((facts["format"], facts["parameters"]), ("mixed", 2))

    def test_text_from_outside_is_escaped(self):
        self.serve([(safetensors({"a\x1b[31m": ("U8", [1]), "b\n": ("U8", [1])}), "m\x1b.safetensors")])
        result = self.ok("model", "inspect", self.ref, "--tensors")
        self.assertPrintable(result.text)
        self.assertEqual(self.inspect("--tensors")["tensors"][0]["name"], "a\x1b[31m")

    def test_template(self):
        self.serve([(safetensors({"a": ("U8", [2])}), "m.safetensors")])
        result = self.ok("model", "inspect", self.ref, "--format", "go-template={{.parameters}}")
        self.assertEqual(result.out, "2")


class Places(InspectCase):
    """The same model wherever it lies."""

    def setUp(self):
        super().setUp()
        self.weights = safetensors({"w": ("F16", [8])})
        self.config = compact({"model_type": "tiny", "n_positions": 77})

    def check(self, facts, package):
        self.assertEqual([facts[x] for x in ("package", "format", "architecture", "parameters",
                                             "contextLength")],
                         [package, "safetensors", "tiny", 8, 77])
        return facts

    def tar(self, prefix=""):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for name, data in (("config.json", self.config), ("model.safetensors", self.weights)):
                member = tarfile.TarInfo(prefix + name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return out.getvalue()

    def package(self, layers, config_type, artifact_type=..., config=b"{}"):
        entries = []
        for data, media_type, annotations in layers:
            self.registry.blob(data)
            entries.append(layer(data, media_type=media_type, annotations=annotations))
        self.registry.blob(config)
        return self.registry.put("v1", manifest(
            entries, config=layer(config, media_type=config_type), artifactType=artifact_type))

    def test_local_directory_and_file(self):
        self.box.write("m/model.safetensors", self.weights)
        self.box.write("m/config.json", self.config)
        self.box.write("m/.git/config", b"x")
        facts = self.check(self.inspect(ref="./m"), "files")
        self.assertEqual([f["path"] for f in facts["files"]], ["config.json", "model.safetensors"])
        self.assertEqual((facts["digest"], facts["files"][0]["digest"], facts["verified"]),
                         (None, None, False))
        self.assertEqual(self.inspect(ref="./m/model.safetensors")["parameters"], 8)
        self.assertEqual(self.inspect(ref="m/model.safetensors")["parameters"], 8)
        self.fails("model", "inspect", "./nowhere", contains="no such file")

    def test_layout(self):
        self.box.write("model.safetensors", self.weights)
        self.box.write("config.json", self.config)
        self.ok("push", "--oci-layout", "lay:v1", "model.safetensors", "config.json")
        self.check(self.inspect("--oci-layout", ref="lay:v1"), "oras")

    def test_modelpack_under_both_names(self):
        for family in ("cncf", "cnai"):
            with self.subTest(family):
                kind = f"application/vnd.{family}.model."
                self.package([(self.weights, kind + "weight.v1.raw",
                               {f"org.{family}.model.filepath": "model.safetensors"}),
                              (self.config, kind + "weight.config.v1.raw",
                               {f"org.{family}.model.filepath": "config.json"})],
                             kind + "config.v1+json", kind + "manifest.v1+json")
                self.check(self.inspect(), "modelpack")

    def test_archives(self):
        tar = self.tar()
        forms = {"tar": tar, "tar+gzip": gzip.compress(tar)}
        if shutil.which("zstd"):
            forms["tar+zstd"] = subprocess.run(["zstd", "-q"], input=tar, check=True,
                                               capture_output=True).stdout
        for form, data in forms.items():
            with self.subTest(form):
                self.package([(data, f"{MODELPACK}weight.v1.{form}", {FILEPATH: "x"})],
                             MODELPACK + "config.v1+json", MODELPACK + "manifest.v1+json")
                facts = self.check(self.inspect("--tensors"), "modelpack")
                self.assertEqual(facts["tensors"][0]["file"], "model.safetensors")
                self.assertFalse(facts["verified"])

    def test_forms_that_lie(self):
        for form, data in (("raw", self.tar()), ("tar", self.weights)):
            with self.subTest(form):
                self.package([(data, f"{MODELPACK}weight.v1.{form}", {FILEPATH: "x.safetensors"})],
                             MODELPACK + "config.v1+json", MODELPACK + "manifest.v1+json")
                facts = self.inspect("--tensors")
                self.assertEqual([f["path"] for f in facts["files"]],
                                 ["config.json", "model.safetensors"] if form == "raw"
                                 else ["x.safetensors"])
                self.assertEqual(facts["parameters"], 8)
                self.assertEqual(len(facts["warnings"]), 1)

    def test_content_that_is_something_else(self):
        self.serve([(b"\x80\x02}q\x00." + bytes(100), "w.safetensors")])
        facts = self.inspect()
        self.assertEqual((facts["format"], facts["warnings"]), ("other", [
            "w.safetensors: its content is pickle, whatever its name says"]))

    def test_image_through_an_index(self):
        digest = self.package([(self.tar("models/"), "application/vnd.oci.image.layer.v1.tar", {})],
                              "application/vnd.oci.image.config.v1+json")
        size = len(self.registry.manifests[digest][0])
        entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest,
                 "size": size}
        self.registry.put("v1", {"schemaVersion": 2,
                                 "mediaType": "application/vnd.oci.image.index.v1+json",
                                 "manifests": [entry]})
        self.assertEqual(self.check(self.inspect(), "modelcar")["digest"], digest)

    def test_claims_that_differ(self):
        for claim, warned in (("8", False), ("7", False), ("16", True), ("8b", True),
                              ("lots", True)):
            with self.subTest(claim):
                config = compact({"config": {"paramSize": claim, "format": "safetensors"}})
                self.package([(self.weights, MODELPACK + "weight.v1.raw",
                               {FILEPATH: "model.safetensors"})],
                             MODELPACK + "config.v1+json", MODELPACK + "manifest.v1+json", config)
                self.assertEqual(len(self.inspect()["warnings"]), int(warned))


class Shards(InspectCase):
    def serve_shards(self, weight_map, shards):
        index = compact({"metadata": {"total_size": 1.5}, "weight_map": weight_map})
        self.serve([(index, "model.safetensors.index.json")]
                   + [(safetensors(tensors), name) for name, tensors in shards.items()])

    def test_complete(self):
        a, b = (f"model-0000{n}-of-00002.safetensors" for n in (1, 2))
        self.serve_shards({"x": a, "y": b}, {a: {"x": ("U8", [1])}, b: {"y": ("U8", [2])}})
        facts = self.inspect()
        self.assertEqual(facts["shards"], {"expected": 2, "present": 2, "missing": []})
        self.assertEqual(facts["warnings"], [])

    def test_missing_and_disagreeing(self):
        a, b, c = (f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3))
        self.serve_shards({"x": a, "lost": a, "y": b, "moved": b, "gone": c},
                          {a: {"x": ("U8", [1]), "moved": ("U8", [1])},
                           b: {"x": ("U8", [2]), "y": ("U8", [1]), "extra": ("U8", [1])}})
        facts = self.inspect()
        self.assertEqual(facts["shards"], {"expected": 3, "present": 2, "missing": [c]})
        found = "\n".join(facts["warnings"])
        for text in ("1 tensor of the map in no shard: lost", "1 tensor in another shard than the "
                     "map says: moved", "1 tensor in two shards: x",
                     "1 tensor of a shard not in the map: extra"):
            self.assertIn(text, found)
        self.assertEqual(len(facts["warnings"]), 4)

    def test_by_name_alone(self):
        self.serve([(gguf({"general.architecture": "x", "split.no": 0, "split.count": 3},
                          {"a": (0, [1])}), "m-00001-of-00003.gguf"),
                    (gguf({"split.no": 2, "split.count": 3}, {"b": (0, [1])}),
                     "m-00003-of-00003.gguf")])
        facts = self.inspect()
        self.assertEqual(facts["shards"], {"expected": 3, "present": 2,
                                           "missing": ["m-00002-of-00003.gguf"]})
        self.assertEqual(facts["architecture"], "x")

    def test_maps_that_lead_out(self):
        for name in ("../x.safetensors", "a/x.safetensors", ".."):
            with self.subTest(name):
                self.serve_shards({"x": name}, {"x.safetensors": {"x": ("U8", [1])}})
                self.refused(contains="model.safetensors.index.json: ")


class Cost(InspectCase):
    SIZE = 4_700_000_000

    def serve_large(self, count=30, annotate=False):
        """Shards of 4.7 GB whose headers are all that exists."""
        entries, weight_map = [], {}
        for n in range(1, count + 1):
            name = f"model-{n:05}-of-{count:05}.safetensors"
            tensors = {f"model.layers.{n}.mlp.{i}.weight": ("BF16", [2048, 4096]) for i in range(279)}
            weight_map.update(dict.fromkeys(tensors, name))
            head = safetensors(tensors, data=False)
            size = len(head) + 279 * 2048 * 4096 * 2
            self.assertGreater(size, self.SIZE * 0.99)
            digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
            self.registry.on("GET", "/blobs/" + digest, self.beginning(head, size))
            entry = layer(b"", name, digest=digest, size=size)
            if annotate:
                entry["annotations"].update({"dev.coras.header.size": str(len(head)),
                                             "dev.coras.header.digest": sha256(head)})
            entries.append(entry)
        for name, value in (("config.json", {"architectures": ["Big"]}),
                            ("model.safetensors.index.json", {"weight_map": weight_map})):
            entries.append(layer(self.registry.blob(compact(value)), name))
        self.registry.put("v1", manifest(entries))

    @staticmethod
    def beginning(head, size):
        def reply(request):
            first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
            body = (head + bytes(max(0, last + 1 - len(head))))[first:last + 1]
            return Reply(206, {"Content-Range": f"bytes {first}-{last}/{size}"}, body)
        return reply

    def test_a_model_of_thirty_shards(self):
        self.serve_large()
        code = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)")
        result = self.box.run(sys.executable, "-c", code, self.box.bin / "oras", "model", "inspect",
                              self.ref, "--format", "json", check=0)
        facts = json.loads(result.out)
        self.assertEqual(facts["parameters"], 30 * 279 * 2048 * 4096)
        self.assertEqual(facts["shards"], {"expected": 30, "present": 30, "missing": []})
        self.assertEqual((facts["verified"], facts["warnings"]), (False, []))
        self.assertLessEqual(len(self.registry.requests()), 33)
        spans = [r.headers.get("Range") for r in self.registry.requests("GET", "/blobs/")]
        self.assertEqual(spans.count("bytes=0-65535"), 30)
        if not programs.SANITIZED:
            self.assertLess(int(result.err.split()[-1]), 16 * 1024)

    def test_recorded_headers_are_asked_for_exactly_and_verified(self):
        self.serve_large(2, annotate=True)
        facts = self.inspect()
        self.assertTrue(facts["verified"])
        spans = {r.headers.get("Range") for r in self.registry.requests("GET", "/blobs/")}
        self.assertNotIn("bytes=0-65535", spans)

    def test_a_recorded_digest_that_differs(self):
        data = safetensors({"a": ("U8", [100_000])})
        entry = layer(self.registry.blob(data), "m.safetensors")
        entry["annotations"].update({"dev.coras.header.size": str(len(data) - 100_000),
                                     "dev.coras.header.digest": sha256(b"another")})
        self.registry.put("v1", manifest([entry]))
        self.refused(contains=["m.safetensors: ", "digest"])

    def test_long_headers_cost_one_more_request(self):
        tensors = {f"tensor.{i:06}": ("U8", [1]) for i in range(2000)}
        data = safetensors(tensors)
        self.serve([(data, "m.safetensors")])
        self.assertEqual(self.inspect()["tensorCount"], 2000)
        spans = [r.headers.get("Range") for r in self.registry.requests("GET", "/blobs/")]
        self.assertEqual(spans, ["bytes=0-65535", f"bytes=65536-{len(data) - 2000 - 1}"])

    def test_vocabularies_are_read_in_doublings(self):
        data = gguf({"general.architecture": "x", "tokenizer.ggml.tokens": ["token" * 4] * 120_000},
                    {"w": (0, [250_000])})
        self.serve([(data, "m.gguf")])
        self.assertEqual(self.inspect()["tensorCount"], 1)
        spans = [r.headers.get("Range") for r in self.registry.requests("GET", "/blobs/")]
        self.assertEqual(spans[:2], ["bytes=0-1048575", "bytes=1048576-2097151"])
        self.assertEqual(len(spans), 3)


class Servers(InspectCase):
    """What does not serve ranges as it should."""

    def test_whole_files_only(self):
        tensors = {f"tensor.{i:06}": ("U8", [1]) for i in range(2000)}
        data = safetensors(tensors)
        self.serve([(data, "m.safetensors")])
        self.registry.on("GET", "/blobs/", lambda r: Reply(
            200, {}, self.registry.blobs[r.path.rsplit("/", 1)[1]]))
        self.assertEqual(self.inspect()["tensorCount"], 2000)

    def test_another_total(self):
        data = safetensors({"a": ("U8", [100_000])})
        self.serve([(data, "m.safetensors")])
        self.registry.on("GET", "/blobs/", Reply(206, {
            "Content-Range": f"bytes 0-65535/{len(data) + 1}"}, data[:65536]))
        self.refused(contains="other bytes than asked for")


class Hostile(InspectCase):
    """models.md's hostile headers, over HTTP and in bounded memory."""

    def rss(self, *flags):
        code = ("import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]).returncode; "
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); "
                "sys.exit(r)")
        result = self.box.run(sys.executable, "-c", code, self.box.bin / "oras", "model", "inspect",
                              self.ref, *flags, timeout=120)
        if not programs.SANITIZED:
            self.assertLess(int(result.err.split()[-1]), 64 * 1024, result)
        return result

    def test_headers_that_lie(self):
        def head(text, data=b""):
            return struct.pack("<Q", len(text)) + text + data
        two = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
        cases = {
            "length": struct.pack("<Q", 2**63 - 1) + b"{" + bytes(100),
            "beyond the limit": struct.pack("<Q", 10**8 + 1) + b"{" + bytes(100),
            "longer than the file": struct.pack("<Q", 1000) + b"{}" + bytes(100),
            "duplicate": head(two + b"," + two[1:] + b"}", b"x"),
            "overflow": head(b'{"a":{"dtype":"F64","shape":[4294967296,4294967296],'
                             b'"data_offsets":[0,0]}}'),
            "overlap": head(two + b',"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
            "fraction": head(b'{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', b"x"),
            "deep": head(b"{" + b'"a":[' * 1000),
            "trailing": head(two + b"}", b"xyz"),
            "no magic": b"GGU?" + bytes(100),
        }
        for name, data in cases.items():
            with self.subTest(name):
                path = "m.gguf" if name == "no magic" else "m.safetensors"
                self.serve([(data, path)])
                if name == "trailing":
                    self.assertEqual(self.coras("model", "inspect", self.ref).code, 1)
                else:
                    self.refused(contains=path + ": ")

    def test_gguf_counts(self):
        for name, data in {
                "tensors": "474755460300000000000000000000400000000000000000",
                "key": "4747554603000000000000000000000001000000000000000000000000000080",
                "version": "474755460100000000000000000000000000000000000000"}.items():
            with self.subTest(name):
                self.serve([(bytes.fromhex(data), "m.gguf")])
                self.refused(contains="m.gguf: ")

    def test_a_header_of_a_hundred_megabytes(self):
        head = struct.pack("<Q", 10**8) + b"{}" + b" " * (10**8 - 2)
        self.serve([(head, "m.safetensors")])
        self.assertEqual(self.rss().code, 0)


class Libraries(InspectCase):
    """The libraries that models are made with agree with what is told."""

    def setUp(self):
        super().setUp()
        try:
            import numpy
        except ImportError:
            self.skipTest("NOT CHECKED: no numpy (pip install numpy safetensors gguf huggingface_hub)")
        self.numpy = numpy

    def need(self, name):
        try:
            return importlib.import_module(name)
        except ImportError:
            return self.skipTest(f"NOT CHECKED: no {name} (pip install {name})")

    def test_safetensors_writes_what_is_read(self):
        library = self.need("safetensors.numpy")
        np = self.numpy
        tensors = {"a.weight": np.zeros((3, 5), np.float16), "b": np.zeros((), np.int64),
                   "empty": np.zeros((0, 7), np.float32), "ü/..": np.ones((2,), np.bool_)}
        path = self.box.work / "model.safetensors"
        library.save_file(tensors, path, {"format": "pt"})
        facts = self.inspect("--tensors", ref="./model.safetensors")
        self.assertEqual({t["name"]: t["shape"] for t in facts["tensors"]},
                         {name: list(t.shape) for name, t in tensors.items()})
        data = path.read_bytes()
        for tensor in facts["tensors"]:
            wanted = tensors[tensor["name"]].tobytes()
            self.assertEqual(data[tensor["offset"]:tensor["offset"] + tensor["bytes"]], wanted)
        self.assertEqual(facts["parameters"], sum(t.size for t in tensors.values()))
        self.assertEqual(facts["warnings"], [])

    def test_the_hub_client_reads_the_same(self):
        hub = self.need("huggingface_hub")
        data = safetensors({"w": ("BF16", [4, 4]), "v": ("F32", [3])})
        self.box.write("model.safetensors", data)
        facts = self.inspect(ref="./model.safetensors")
        read = hub.parse_local_safetensors_file_metadata(self.box.work / "model.safetensors") \
            if hasattr(hub, "parse_local_safetensors_file_metadata") else None
        if read is None:
            self.skipTest("NOT CHECKED: this huggingface_hub reads no local headers")
        self.assertEqual(facts["dtypes"], dict(read.parameter_count))

    def test_gguf_writes_what_is_read(self):
        library = self.need("gguf")
        np = self.numpy
        path = self.box.work / "model.gguf"
        writer = library.GGUFWriter(path, "llama")
        writer.add_context_length(4096)
        writer.add_file_type(1)
        writer.add_token_list([f"token{i}" for i in range(1000)])
        writer.add_tensor("a", np.zeros((4, 32), np.float32))
        writer.add_tensor("b", np.ones((8,), np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        facts = self.inspect("--tensors", ref="./model.gguf")
        self.assertEqual([facts[x] for x in ("architecture", "contextLength", "quantization")],
                         ["llama", 4096, "F16"])
        reader = library.GGUFReader(path)
        self.assertEqual([(t["name"], t["dtype"], t["shape"], t["offset"], t["bytes"])
                          for t in facts["tensors"]],
                         [(t.name, t.tensor_type.name, [int(n) for n in t.shape],
                           int(t.data_offset), int(t.n_bytes)) for t in reader.tensors])


if __name__ == "__main__":
    main()
