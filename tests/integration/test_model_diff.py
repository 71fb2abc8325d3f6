# SPDX-License-Identifier: Apache-2.0
"""What `model diff` tells of two models, and what it reads for it."""

import json

from harness.case import CliCase, main
from harness.scripted import ScriptedRegistry, compact
from harness.weights import gguf, safetensors


class Diff(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.a, self.b = (f"{self.registry.host}/m:{tag}" for tag in ("a", "b"))

    def serve(self, tag, files):
        self.registry.artifact(tag, [(data, path) for path, data in files.items()])

    def diff(self, *flags, a=None, b=None):
        result = self.ok("model", "diff", a or self.a, b or self.b, "--format", "json", *flags)
        return json.loads(result.out)

    def test_everything_that_can_differ(self):
        base = {"same": ("F16", [4]), "type": ("F16", [4]), "shape": ("F16", [4]),
                "gone": ("U8", [1])}
        other = {"same": ("F16", [4]), "type": ("BF16", [4]), "shape": ("F16", [2, 2]),
                 "new": ("U8", [1])}
        self.serve("a", {"m.safetensors": safetensors(base), "old.txt": b"x", "same.txt": b"s",
                         "config.json": compact({"n": 1, "r": {"f": 1.0, "g": 2}, "x": [1]}),
                         "tokenizer_config.json": compact({"bos": "<s>"})})
        self.serve("b", {"m.safetensors": safetensors(other), "new.txt": b"x", "same.txt": b"s",
                         "config.json": compact({"r": {"g": 2, "f": 2.5}, "n": 1, "y": None}),
                         "tokenizer_config.json": compact({"bos": "<b>"})})
        self.assertEqual(self.diff(), {
            "a": self.a, "b": self.b,
            "files": {"added": ["new.txt"], "removed": ["old.txt"],
                      "changed": ["m.safetensors", "config.json", "tokenizer_config.json"]},
            "tensors": {"added": ["new"], "removed": ["gone"],
                        "changed": [{"name": "type", "what": ["dtype"]},
                                    {"name": "shape", "what": ["shape"]}]},
            "config": [{"path": "r.f", "a": 1.0, "b": 2.5}, {"path": "x", "a": [1], "b": None},
                       {"path": "y", "a": None, "b": None},
                       {"path": "tokenizer_config.json:bos", "a": "<s>", "b": "<b>"}]})
        text = self.ok("model", "diff", self.a, self.b).out.splitlines()
        self.assertIn("~ tensor type: dtype", text)
        self.assertIn("~ config r.f: 1 -> 2.5", text)

    def test_equal_files_are_not_read(self):
        data = safetensors({"w": ("U8", [100_000])})
        self.serve("a", {"m.safetensors": data})
        self.serve("b", {"renamed.safetensors": data})
        found = self.diff("--deep")
        self.assertEqual((found["files"]["added"], found["tensors"]["added"]),
                         (["renamed.safetensors"], []))
        self.assertEqual(self.registry.requests("GET", "/blobs/"), [])
        self.assertEqual(self.ok("model", "diff", self.a, self.a).out, "No differences\n")

    def test_bytes_only_when_asked_for(self):
        data = safetensors({"one": ("U8", [3_000_000]), "two": ("U8", [3_000_000])})
        changed = data[:-1] + b"\x01"
        self.serve("a", {"m.safetensors": data})
        self.serve("b", {"m.safetensors": changed})
        self.assertEqual(self.diff()["tensors"]["changed"], [])
        self.assertEqual(self.diff("--deep")["tensors"]["changed"],
                         [{"name": "two", "what": ["bytes"]}])

    def test_metadata_of_headers(self):
        for tag, name, context in (("a", "one", 1), ("b", "two\n", 2)):
            self.serve(tag, {"m.gguf": gguf({"general.architecture": "x", "general.name": name,
                                             "x.context_length": context}, {"w": (0, [1])})})
        self.assertEqual(self.diff()["config"],
                         [{"path": "m.gguf:general.name", "a": "one", "b": "two\n"},
                          {"path": "m.gguf:x.context_length", "a": 1, "b": 2}])
        self.assertPrintable(self.ok("model", "diff", self.a, self.b).out)

    def test_a_local_directory_and_a_registry(self):
        data = safetensors({"w": ("U8", [10])})
        self.serve("a", {"m.safetensors": data, "config.json": b'{"n":1}'})
        self.box.write("m/m.safetensors", data)
        self.box.write("m/config.json", b'{"n":2}')
        found = self.diff(b="./m")
        self.assertEqual(found["files"], {"added": [], "removed": [], "changed": ["config.json"]})
        self.assertEqual(found["config"], [{"path": "n", "a": 1, "b": 2}])


if __name__ == "__main__":
    main()
