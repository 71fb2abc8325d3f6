# SPDX-License-Identifier: Apache-2.0
"""What runs code in a model: pickles by Python's own writer, archives by its own zipfile, lies by hand."""

import collections
import functools
import gzip
import io
import json
import os
import pathlib
import pickle
import pickletools
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

from harness.case import CliCase, main
from harness.fixtures import make_tar
from harness.scripted import ScriptedRegistry, layer, manifest, sha256

LEVELS = {"low": 1, "medium": 2, "high": 3}
ORDERED = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01."


class Calls:
    """What pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


EVIL = Calls(os.system, "id")


def archive(*members, pack=zipfile.ZIP_STORED, wide=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", pack) as z:
        for name, data in members:
            with z.open(zipfile.ZipInfo(name) if pack == zipfile.ZIP_STORED else name, "w",
                        force_zip64=wide) as member:
                member.write(data)
    return out.getvalue()


def torch(pickled, numbers=1000, **options):
    return archive(("archive/data.pkl", pickled), ("archive/data/0", bytes(numbers)),
                   ("archive/version", b"3\n"), **options)


def safetensors():
    head = json.dumps({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}).encode()
    return struct.pack("<Q", len(head)) + head + b"ab"


def gguf(template):
    def text(value):
        return struct.pack("<Q", len(value)) + value
    pairs = {b"general.architecture": b"llama", b"tokenizer.chat_template": template}
    body = b"".join(text(k) + struct.pack("<I", 8) + text(v) for k, v in pairs.items())
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body
    return data + bytes(-len(data) % 32)


def npy(descr, data):
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


class ScanCase(CliCase):
    def scan(self, target, *options, exit_code=0):
        result = self.coras("model", "scan", target, "--format", "json", *options, check=exit_code)
        return json.loads(result.out)

    def scan_file(self, name, data):
        path = self.box.work / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        found = self.scan("./m/" + name)
        path.unlink()
        return found

    def worst(self, found):
        return max((LEVELS[f["severity"]] for f in found["findings"]), default=0)

    def expect(self, name, data, severity, *details):
        found = self.scan_file(name, data)
        self.assertEqual(self.worst(found), LEVELS.get(severity, 0), (name, found))
        for detail in details:
            self.assertIn(detail, json.dumps(found["findings"]), name)
        return found


class Pickles(ScanCase):
    def test_python_writes_them_in_six_protocols(self):
        for protocol in range(6):
            self.expect("a.pkl", pickle.dumps(EVIL, protocol), "high", "posix.system")
            self.expect("a.pkl", pickle.dumps([1, {"a": 2.5}, "x"], protocol), "low")
            behind = pickle.dumps((list(range(3000)), "s" * 100000, {i: str(i) for i in range(3000)}, EVIL),
                                  protocol)
            found = self.expect("a.pkl", behind, "high", "posix.system")
            at = next(p for o, a, p in pickletools.genops(behind)
                      if o.name in ("GLOBAL", "STACK_GLOBAL") and p > 1000)
            self.assertEqual(found["findings"][0]["offset"], at)

    def test_names_decide_nothing(self):
        for name in "weights.safetensors", "model.gguf", "config.json", "README.md", "noext":
            for protocol in 0, 2, 5:
                self.expect(name, pickle.dumps(EVIL, protocol), "high", "posix.system")
        found = self.expect("weights.safetensors", ORDERED, "high", "the name says otherwise")
        self.assertEqual({f["kind"] for f in found["findings"]}, {"name", "pickle"})

    def test_levels(self):
        self.expect("a.bin", ORDERED, "low", "collections.OrderedDict")
        self.expect("a.bin", b"\x80\x02cmylib\nNet\n)R.", "medium", "mylib.Net")
        self.expect("a.bin", b"\x80\x04\x8c\x02os\x8c\x01s\x8c\x05ystem\x86\x93.", "high")
        self.expect("a.bin", pickle.dumps(functools.partial(print, 1)), "high", "functools.partial")
        for text in b"N.B. see the paper.\n", b"class A:\nimport os\n", b".DS_Store\n", b"0.5 1.0\n":
            self.expect("notes", text, None)

    def test_behind_a_stop_and_broken(self):
        self.expect("a.pkl", pickle.dumps(1) + pickle.dumps(EVIL, 0), "high", "posix.system")
        for protocol in 0, 2, 4:
            whole = pickle.dumps(EVIL, protocol)
            found = self.expect("a.pkl", whole[:-3], "high", "posix.system")
            self.assertEqual(found["looked"], ["a.pkl"])
            self.assertEqual(found["notLooked"], ["a.pkl"])

    def test_compressed_and_arrays(self):
        for pack in gzip.compress, zlib.compress:
            self.expect("a.joblib", pack(pickle.dumps([0] * 100000 + [EVIL])), "high", "posix.system")
        self.expect("a.npy", npy("'|O'", pickle.dumps(EVIL)), "high", "posix.system")
        self.expect("a.npy", npy("'<f4'", bytes(4)), None)
        self.expect("a.npz", archive(("x.npy", npy("'|O'", pickle.dumps(EVIL)))), "high", "x.npy")


class Archives(ScanCase):
    def test_torch(self):
        for options in {}, {"pack": zipfile.ZIP_DEFLATED}, {"wide": True}:
            found = self.expect("a.pt", torch(pickle.dumps(EVIL, 2), **options), "high",
                                "archive/data.pkl", "posix.system")
            self.assertEqual((found["looked"], found["notLooked"]), (["a.pt"], []))
            self.expect("a.pt", torch(ORDERED, **options), "low", "collections.OrderedDict")
        data = torch(pickle.dumps(EVIL, 2))
        offset = self.scan_file("a.pt", data)["findings"][0]["offset"]
        self.assertEqual(data[offset:offset + 6], b"cposix")

    def test_lies(self):
        good = torch(ORDERED)
        self.expect("a.pt", b"#!/bin/sh\n" + good, "medium", "10 bytes before")
        self.expect("a.pt", good[:-30], "high", "no end record")
        at = good.index(b"PK\1\2")
        self.expect("a.pt", good[:at + 20] + b"\xff\xff\xff\x7f" * 2 + good[at + 28:], "high",
                    "beyond the end of the members")
        two = archive(("a/data.pkl", ORDERED), ("b/data.pkl", pickle.dumps(EVIL, 2)))
        self.expect("a.pt", two.replace(b"b/data.pkl", b"a/data.pkl"), "high", "two members have one name")
        self.expect("a.pt", two.replace(b"PK\3\4", b"XX\3\4"), "high")
        self.expect("a.pt", two.replace(b"b/data.pkl", b"c/data.pkl", 1), "high", "another name")
        self.expect("a.zip", archive(("../../x.txt", b"x")), "high", "leaves the archive")
        bomb = archive(("a/data.pkl", ORDERED + bytes(50_000_000)), pack=zipfile.ZIP_DEFLATED)
        self.expect("a.pt", bomb, "low")
        at = bomb.index(b"PK\1\2")
        self.expect("a.pt", bomb[:at + 24] + struct.pack("<I", 100) + bomb[at + 28:], "high", "inflates to more")

    def test_archives_in_archives(self):
        inner = torch(pickle.dumps(EVIL, 2))
        found = self.expect("m.nemo", make_tar([("a.yaml", b"x: 1\n"), ("weights.ckpt", inner)]), "high", "posix.system")
        self.assertEqual(found["looked"], ["m.nemo"])
        self.expect("m.zip", archive(("x.pt", inner)), "high", "posix.system")
        self.expect("m.zip", archive(("x.pt", inner), pack=zipfile.ZIP_DEFLATED), "medium", "an archive in an archive")
        self.expect("m.tar", make_tar([("../x", b"a")]), "high", "leaves the archive")
        self.expect("m.tar", make_tar([("x", b"a")])[:700], None)

    def test_keras(self):
        def keras(*layers):
            config = {"module": "keras", "class_name": "Functional", "config": {"layers": layers}}
            return archive(("metadata.json", b"{}"), ("config.json", json.dumps(config).encode()))
        self.expect("m.keras", keras({"module": "keras.layers", "class_name": "Dense"}), None)
        self.expect("m.keras", keras({"module": "keras.layers", "class_name": "Lambda"}), "medium", "Lambda")
        self.expect("m.keras", keras({"module": "os", "class_name": "system"}), "high", "os.system")


class Others(ScanCase):
    def test_code_that_a_configuration_names(self):
        work = self.box.work / "m"
        work.mkdir()
        config = {"auto_map": {"AutoModel": "modeling_x.Net", "AutoTokenizer": ["else/where--tok.T", None]}}
        (work / "config.json").write_text(json.dumps(config))
        (work / "modeling_x.py").write_text("import os\n")
        (work / "tools.py").write_text("import os\n")
        found = {(f["file"], f["severity"]) for f in self.scan("./m")["findings"]}
        self.assertEqual(found, {("config.json", "medium"), ("modeling_x.py", "medium"), ("tools.py", "low")})

    def test_modules_of_sentence_transformers(self):
        for name, severity in ("sentence_transformers.models.Pooling", None), ("custom_st.Net", "medium"):
            self.expect("modules.json", json.dumps([{"idx": 0, "path": "", "type": name}]).encode(), severity)

    def test_templates(self):
        plain = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
        out = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
        for text, severity in (plain, "low"), (out, "high"), ("{{ lipsum() }}", "medium"):
            self.expect("chat_template.jinja", text.encode(), severity)
            self.expect("tokenizer_config.json", json.dumps({"chat_template": text}).encode(), severity)
            several = {"chat_template": [{"name": "default", "template": plain}, {"name": "t", "template": text}]}
            self.expect("tokenizer_config.json", json.dumps(several).encode(), severity)
            self.expect("model.gguf", gguf(text.encode()), severity)

    def test_links_that_leave(self):
        work = self.box.work / "m"
        work.mkdir()
        (work / "a").write_text("hello")
        (work / "in").symlink_to("a")
        (work / "out").symlink_to("/etc/passwd")
        found = [(f["file"], f["kind"], f["severity"]) for f in self.scan("./m")["findings"]]
        self.assertEqual(found, [("out", "link", "high")])

    def test_executables_and_data(self):
        self.expect("libx.so", b"\x7fELF\x02\x01\x01" + bytes(100), "medium", "executable")
        self.expect("notes.txt", b"\x7fELF\x02\x01\x01" + bytes(100), "high")
        self.expect("run", b"#!/bin/sh\nid\n", "medium")
        self.expect("model.safetensors", safetensors(), None)
        self.expect("model.safetensors", safetensors() + b"more", "medium")
        self.expect("m.onnx", b"\x08\x08\x12\x07pytorch" + bytes(50), None)
        self.expect("m.onnx", b"\x08\x08\x12\x07pytorch\x0a\x08location\x12\x0b../../../xy" + bytes(5000), "high")
        self.expect("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(90000) + b'{"class_name": "Lambda"', "medium")
        found = self.expect("w.bin", bytes([255, 254, 1, 2]) * 100000, None)
        self.assertEqual(found["notLooked"], ["w.bin"])

    def test_exit_codes(self):
        (self.box.work / "a.pkl").write_bytes(b"\x80\x02cmylib\nNet\n)R.")
        for level, code in ("low", 2), ("medium", 2), ("high", 0):
            self.coras("model", "scan", "./a.pkl", "--fail-on", level, check=code)
        self.ok("model", "scan", "./a.pkl")
        self.fails("model", "scan", "./a.pkl", "--fail-on", "bad", contains="low, medium or high")
        self.fails("model", "scan", "./absent", contains="no such file")

    def test_text_is_escaped_and_promises_nothing(self):
        (self.box.work / "a\x1b[31m.pkl").write_bytes(b"cmy\x1b]0;x\x07lib\nNet\n.")
        out = self.ok("model", "scan", ".").out
        self.assertPrintable(out)
        self.assertIn("my\\x1b]0;x\\x07lib.Net", out)
        self.assertNotIn("safe", out.replace("safetensors", ""))


class Remote(ScanCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())

    def put(self, *layers):
        self.registry.artifact("v1", layers)
        return f"{self.registry.host}/m:v1"

    def test_reads_the_directory_and_the_pickle(self):
        reference = self.put((torch(pickle.dumps(EVIL, 2), numbers=30_000_000), "model.pt"),
                             (safetensors(), "model.safetensors"))
        found = self.scan(reference)
        self.assertEqual([f["detail"] for f in found["findings"]], ["archive/data.pkl: imports posix.system"])
        self.assertEqual(found["looked"], ["model.pt", "model.safetensors"])
        self.assertTrue(found["digest"].startswith("sha256:"))
        gets = self.registry.requests("GET", "/blobs/")
        ranges = [r.headers["Range"][6:].split("-") for r in gets if "Range" in r.headers]
        self.assertLessEqual(len(gets) - len(ranges), 1)  # the small file, whole
        size = sum(int(b) - int(a) + 1 for a, b in ranges)
        self.assertLess(size, 300_000)
        self.assertLess(len(gets), 8)

    def tar(self, *members):
        tar = make_tar(members)
        entry = layer(tar, media_type="application/vnd.cncf.model.weight.v1.tar")
        self.registry.blob(tar)
        self.registry.blob(b"{}")
        self.registry.put("v1", manifest([entry], artifactType="application/vnd.cncf.model.manifest.v1+json"))
        return {(f["file"], f["kind"], f["severity"]) for f in self.scan(f"{self.registry.host}/m:v1")["findings"]}

    def test_members_of_tar_layers(self):
        found = self.tar(("sub/model.pkl", pickle.dumps(EVIL, 4)), ("a.txt", b"hello"))
        self.assertEqual(found, {("sub/model.pkl", "pickle", "high")})

    def test_links_and_names_in_tar_layers(self):
        def link(name, to):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            return info
        found = self.tar(("a.txt", b"hello"), link("in", "a.txt"), link("sub/out", "../../x"), link("abs", "/etc/passwd"),
                         ("../y", b"z"))
        self.assertEqual(found, {("sub/out", "link", "high"), ("abs", "link", "high"), ("../y", "path", "high")})

    def test_a_careful_pull_moves_no_weights(self):
        weights = torch(pickle.dumps(EVIL, 2), numbers=3_000_000)
        reference = self.put((weights, "model.pt"), (b"hello", "a.txt"))
        self.fails("model", "pull", reference, "--safe", "-o", "out",
                   contains=["model.pt (high)", "posix.system"])
        self.assertFalse((self.box.work / "out").exists() and self.names("out"))
        sizes = [r.headers.get("Range") for r in self.registry.requests("GET", sha256(weights))]
        self.assertNotIn(None, sizes)
        reference = self.put((safetensors(), "model.safetensors"), (ORDERED, "x.bin"))
        self.ok("model", "pull", reference, "--safe", "-o", "out")
        self.assertEqual(self.names("out"), ["model.safetensors", "x.bin"])

    def test_names_that_leave_are_findings(self):
        found = self.scan(self.put((b"x", "../evil")), "--fail-on", "high", exit_code=2)
        self.assertEqual([(f["kind"], f["severity"]) for f in found["findings"]], [("path", "high")])
        self.assertTrue(found["notLooked"])

    def test_what_fails_is_an_error(self):
        self.fails("model", "scan", f"{self.registry.host}/m:absent", contains="absent")


class RealFiles(ScanCase):
    """Weights that others have made: nothing in them is worse than a pickle with harmless imports."""

    def test_wheels(self):
        wheels = sorted(pathlib.Path("~/.cache/coras-oracles/wheels").expanduser().glob("*.whl"))
        if not wheels:
            self.skipTest("NO WHEELS: pip download --no-deps -d ~/.cache/coras-oracles/wheels lpips silero-vad")
        seen = 0
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as z:
                for name in z.namelist():
                    if not name.endswith((".pth", ".jit", ".onnx", ".safetensors")):
                        continue
                    found = self.scan_file(os.path.basename(name), z.read(name))
                    expected = "low" if name.endswith((".pth", ".jit")) else "none"
                    self.assertEqual(self.worst(found), LEVELS.get(expected, 0), (name, found))
                    self.assertEqual(found["notLooked"], [], name)
                    seen += 1
        self.assertGreater(seen, 0)


class Oracle(ScanCase):
    """Another scanner must not see more than we do."""

    def test_picklescan(self):
        try:
            from picklescan.scanner import scan_pickle_bytes
        except ImportError:
            self.skipTest("PICKLESCAN IS NOT INSTALLED: nothing was compared")
        levels = {"innocuous": 1, "suspicious": 2, "dangerous": 3}
        weak = {"_codecs.encode"} | {f"{m}.{n}" for m in ("builtins", "__builtin__")
                                     for n in ("set", "frozenset", "range", "xrange")}
        seed = random.Random(1)
        things = [EVIL, Calls(eval, "1"), Calls(getattr, "a", "b"), collections.OrderedDict(a=1), {1, 2},
                  Calls(subprocess.Popen, ["id"]), functools.partial(print), b"x" * 300, range(3), sys.intern("a")]
        for _ in range(60):
            picked = [seed.choice(things) for _ in range(seed.randrange(1, 6))]
            data = b"".join(pickle.dumps(picked, seed.randrange(6)) for _ in range(seed.randrange(1, 3)))
            if seed.random() < 0.3:
                data = data[:seed.randrange(len(data))]
            ours = self.scan_file("a.pkl", data)["findings"]
            for theirs in scan_pickle_bytes(io.BytesIO(data), "x").globals:
                name = f"{theirs.module}.{theirs.name}"
                mine = [LEVELS[f["severity"]] for f in ours if name in f["detail"]]
                if not mine and "unknown" in name:
                    mine = [3 for f in ours if f["severity"] == "high"]
                known = bool(mine) or (name in weak or levels[theirs.safety.value] == 1)
                self.assertTrue(known, (name, data, ours))
                if name not in weak:
                    self.assertGreaterEqual(max(mine, default=1), levels[theirs.safety.value], (name, data))


if __name__ == "__main__":
    main()
