# SPDX-License-Identifier: Apache-2.0
"""The formats' own libraries: what they write is read alike, and they read what is written here."""

import json
import unittest

from harness import programs
from harness.case import CliCase, main

WRITE = """
import gguf, numpy, random, safetensors.numpy
random.seed(1)
rng = numpy.random.default_rng(1)
tensors = {}
for i in range(40):
    shape = [random.choice([0, 1, 3, 8, 16]) for _ in range(random.randint(0, 3))]
    dtype = random.choice(["f4", "f2", "u1", "i8", "?", "i2"])
    tensors[f"layer.{i}.x" + "\\u00e9" * (i % 7 == 0)] = \\
        numpy.ascontiguousarray(numpy.asarray(rng.random(shape) * 10).astype(dtype)).reshape(shape)
safetensors.numpy.save_file(tensors, "m.safetensors", metadata={"format": "pt", 'k"\\n': "\\u00fc<>&"})
w = gguf.GGUFWriter("m.gguf", "llama")
w.add_context_length(4096)
w.add_file_type(15)
w.add_token_list([f"t{i}" for i in range(1000)])
w.add_token_scores([0.5] * 1000)
w.add_array("flags", [True, False])
w.add_bool("flag", True)
for i in range(10):
    w.add_tensor(f"blk.{i}.w", rng.random((4, 64)).astype("f4" if i % 2 else "f2"))
kind = gguf.GGMLQuantizationType.Q8_0
w.add_tensor("blk.q.w", gguf.quants.quantize(rng.random((4, 64)).astype("f4"), kind), raw_dtype=kind)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
"""
READ_GGUF = """
import gguf, json
reader = gguf.GGUFReader("m.gguf")
print(json.dumps([[t.name, t.tensor_type.name, [int(n) for n in t.shape], int(t.data_offset),
                   int(t.n_bytes)] for t in reader.tensors]))
"""
READ_SAFETENSORS = """
import hashlib, json, safetensors, sys
with safetensors.safe_open(sys.argv[1], "np") as f:
    tensors = {}
    for name in f.keys():
        value = f.get_tensor(name)
        tensors[name] = [list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
    print(json.dumps([f.metadata(), tensors]))
"""


@programs.need_model_python
class Libraries(CliCase):
    def setUp(self):
        super().setUp()
        self.python(WRITE)

    def python(self, code, *args):
        return self.box.run("env", programs.MODEL_PYTHON, "-c", code, *args, check=0).out

    def tensors(self, path):
        out = self.ok("model", "inspect", "./" + path, "--tensors", "--format", "json").out
        facts = json.loads(out)
        self.assertEqual(facts["warnings"], [])
        return {t["name"]: t for t in facts["tensors"]}

    def test_gguf(self):
        ours = self.tensors("m.gguf")
        theirs = json.loads(self.python(READ_GGUF))
        self.assertEqual([[t["name"], t["dtype"], t["shape"], t["offset"], t["bytes"]]
                          for t in ours.values()], theirs)

    def test_safetensors(self):
        ours = self.tensors("m.safetensors")
        _, theirs = json.loads(self.python(READ_SAFETENSORS, "m.safetensors"))
        self.assertEqual({n: t["shape"] for n, t in ours.items()}, {n: t[0] for n, t in theirs.items()})

    def test_chosen_tensors(self):
        self.ok("push", "--oci-layout", "lay:v1", "m.safetensors")
        self.ok("model", "pull", "--oci-layout", "lay:v1", "-o", "out", "--tensor", "layer.[0-9].*")
        metadata, every = json.loads(self.python(READ_SAFETENSORS, "m.safetensors"))
        chosen = {n: t for n, t in every.items() if len(n.split(".")[1]) == 1}
        self.assertEqual(len(chosen), 10)
        self.assertEqual(json.loads(self.python(READ_SAFETENSORS, "out/m.safetensors")),
                         [metadata, chosen])


if __name__ == "__main__":
    main()
