# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say: the Python wrapper, bench, scripts."""

import importlib.util
import json
import os
import subprocess
import unittest
from pathlib import Path

from harness import programs
from harness.case import CliCase, main
from harness.servers import PASSWORD, USER, DockerRegistry

SOURCE = programs.SOURCE
BUILD, QUICK = programs.BUILD, programs.SANITIZED  # quick: nothing that builds or runs for long


@programs.need_docker_registry
class PythonWrapper(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry(auth="basic"))
        spec = importlib.util.spec_from_file_location("wrapper", SOURCE / "examples/python_wrapper.py")
        cls.wrapper = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.wrapper)

    def setUp(self):
        super().setUp()
        self.box.write("m/model.safetensors", os.urandom(5000))
        self.box.write("m/config.json", b"{}")
        self.client = self.wrapper.Oras(self.registry.host, self.box.bin / "oras", plain_http=True,
                                        registry_config=self.box.root / "auth.json")

    def test_everything(self):
        self.client.login(USER, PASSWORD)
        name = "myorg/models/sentiment"
        digest = self.client.push(f"{name}:v1.0", {"model.safetensors": "application/vnd.safetensors",
                                                   "config.json": None}, self.box.work / "m",
                                  {"team": "nlp"}, "application/vnd.model")
        self.client.tag(f"{name}:v1.0", "latest", "stable")
        self.assertEqual(sorted(self.client.tags(name)), ["latest", "stable", "v1.0"])
        self.assertEqual(self.client.resolve(f"{name}:latest"), digest)
        manifest = self.client.manifest(f"{name}:latest")
        self.assertEqual(manifest["artifactType"], "application/vnd.model")
        self.assertEqual(manifest["annotations"]["team"], "nlp")
        paths = self.client.pull(f"{name}:latest", self.box.work / "out")
        self.assertEqual([Path(p).name for p in paths], ["model.safetensors", "config.json"])
        self.assertEqual(Path(paths[0]).read_bytes(), self.read("m/model.safetensors"))
        self.client.logout()
        with self.assertRaises(self.wrapper.OrasError) as caught:
            self.client.resolve(f"{name}:latest")
        self.assertIn("basic credential not found", str(caught.exception))

    def test_wrong_password(self):
        with self.assertRaises(self.wrapper.OrasError) as caught:
            self.client.login(USER, "wrong")
        self.assertIn("unauthorized", str(caught.exception))


class Scripts(CliCase):
    @unittest.skipIf(QUICK or not (BUILD / "bench/sink").exists(), "no benchmark helpers here")
    @programs.need_docker_registry
    @programs.need_oras
    def test_bench_runs(self):
        done = self.box.run(SOURCE / "bench/run", "--scale", "0.002", "--rounds", "1", "--json",
                            "r.json", check=0, timeout=300,
                            env={"OURS": programs.CORAS, "OTHER": programs.ORAS,
                                 "BUILD": str(BUILD)})
        results = json.loads(self.read("r.json"))
        self.assertIn("pull-2g", results, done)
        self.assertIn("cp-mount", results, done)

    @unittest.skipUnless(programs.has_command("serve"), "no serve command")
    @unittest.skipIf(QUICK or BUILD != SOURCE / "build", "runs in build/ only")
    def test_quickstart(self):
        done = self.box.run(SOURCE / "scripts/quickstart", env={"NO_DEPS": "1"}, timeout=500, check=0)
        self.assertIn("all files came back identical", done.out)
        self.assertIn("Skipped", done.out)

    def test_model_is_a_true_safetensors_file(self):
        program = BUILD / "examples/make-model"
        if not program.exists():
            self.skipTest("make-model is not built")
        subprocess.run([program, self.box.work / "m"], check=True)
        data = self.read("m/model.safetensors")
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        header.pop("__metadata__")
        self.assertEqual(max(t["data_offsets"][1] for t in header.values()), len(data) - 8 - length)
        for tensor in header.values():
            elements = 1
            for size in tensor["shape"]:
                elements *= size
            self.assertEqual(elements * 4, tensor["data_offsets"][1] - tensor["data_offsets"][0])
        for name in ("config.json", "tokenizer.json"):
            json.loads(self.read("m", name))


if __name__ == "__main__":
    main()
