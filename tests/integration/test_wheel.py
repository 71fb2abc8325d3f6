# SPDX-License-Identifier: Apache-2.0
"""The Python package as people get it: a wheel that carries the program, and the sdist."""

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import unittest
import venv
import zipfile
from pathlib import Path
from unittest import mock

from harness import programs
from harness.case import CliCase, main
from harness.servers import CorasServe, can_serve

TOP = Path(__file__).resolve().parents[2]
HAS_PIP = importlib.util.find_spec("pip") is not None


def load_backend():
    spec = importlib.util.spec_from_file_location("coras_build", TOP / "python/backend/coras_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Wheel(CliCase):
    def build(self, directory, *given):
        done = subprocess.run([TOP / "scripts/wheel", "--output", directory, *given], capture_output=True, text=True, check=True)
        return [Path(line) for line in done.stdout.splitlines()]

    def stripped(self):
        """The program without what only debuggers read, which makes this test quick."""
        path = self.box.work / "program"
        if not shutil.which("strip") or subprocess.run(["strip", "-o", path, programs.CORAS], check=False).returncode:
            shutil.copy(programs.CORAS, path)
        return path

    def static_program(self, machine):
        """As much of one as its header: one segment, and none that asks for an interpreter."""
        header = bytearray(64 + 56)
        header[:6] = b"\x7fELF\x02\x01"
        header[18:20] = machine.to_bytes(2, "little")
        header[32:40] = (64).to_bytes(8, "little")
        header[54:58] = (56).to_bytes(2, "little") + (1).to_bytes(2, "little")
        header[64] = 1
        path = self.box.work / "static"
        path.write_bytes(header)
        return path

    def test_versions_agree(self):
        version = re.search(r"version: '([^']+)'", (TOP / "meson.build").read_text())[1]
        self.assertEqual(load_backend()._project()["version"], version)

    @unittest.skipUnless(HAS_PIP and can_serve(), "pip or coras serve is missing: wheels are not installed")
    def test_installed(self):
        wheel, sdist = self.build(self.box.work / "dist", self.stripped())
        place = self.box.work / "venv"
        venv.create(place)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", place / "bin/python"]
        subprocess.run([*pip, "install", "-q", "--no-index", wheel], check=True)
        environment = {"PATH": f"{place}/bin:/usr/bin:/bin", "CORAS": ""}
        for name in ("coras", "oras"):
            self.assertEqual((place / "bin" / name).read_bytes()[:4], b"\x7fELF")
            self.assertIn(f"\n  {name} push", self.box.run(place / "bin" / name, "help", "push", check=0).out)
        registry = self.serve_here(CorasServe())
        self.box.write("a.bin", os.urandom(1000))
        script = f"""
import coras, importlib.metadata
assert coras.find_program() == {str(place / "bin/coras")!r}, coras.find_program()
client = coras.OrasClient({registry.host!r})
client.push("a", "v1", ["a.bin"])
assert client.pull("a", "v1", "out")[0].read_bytes() == open("a.bin", "rb").read()
found = importlib.metadata.distribution("coras-oci")
print(sorted((point.group, point.name, point.load().__name__) for point in found.entry_points if point.group != "fsspec.specs"))
"""
        result = self.box.run(place / "bin/python", "-W", "error", "-c", script, env=environment, check=0)
        self.assertEqual(result.out.strip(), "[('vllm.general_plugins', 'coras', 'register')]")
        self.assertEqual(self.box.run(place / "bin/python", "-m", "coras", "version", env=environment, check=0).out.split()[0], "Version:")
        # The sdist builds, without a network and without a program.
        subprocess.run([*pip, "wheel", "-q", "--no-index", "-w", self.box.work / "again", sdist], check=True)
        [pure] = (self.box.work / "again").iterdir()
        self.assertTrue(pure.name.endswith("-py3-none-any.whl"))
        subprocess.run([*pip, "uninstall", "-q", "-y", "coras-oci"], check=True)
        self.assertFalse((place / "bin/coras").exists())

    def test_the_same_files_give_the_same_bytes(self):
        program = self.static_program(62)
        first = {path.name: path.read_bytes() for path in self.build(self.box.work / "1", program)}
        second = {path.name: path.read_bytes() for path in self.build(self.box.work / "2", program)}
        self.assertEqual(first, second)

    def test_a_release_becomes_a_wheel(self):
        """Of a static program, taken out of its tarball, for each architecture."""
        backend = load_backend()
        for machine, arch in ((62, "x86_64"), (183, "aarch64")):
            header = bytearray(self.static_program(machine).read_bytes())
            tarball = self.box.work / "coras_0.1.0_linux_any.tar.gz"
            with tarfile.open(tarball, "w:gz") as archive:
                for name, data, mode in (("LICENSE", b"text", 0o644), ("THIRD-PARTY", b"theirs", 0o644),
                                         ("oras", b"a small one", 0o755), ("coras", bytes(header), 0o755)):
                    info = tarfile.TarInfo(name)
                    info.size, info.mode = len(data), mode
                    archive.addfile(info, io.BytesIO(data))
            tarball.with_name("coras_0.1.0_linux_any.spdx.json").write_bytes(b"{}")
            wheel, sdist = self.build(self.box.work / arch, tarball)
            self.assertIn(f"manylinux_2_17_{arch}", wheel.name)
            self.assertIn(f"musllinux_1_1_{arch}", wheel.name)
            with zipfile.ZipFile(wheel) as archive:
                scripts = [each for each in archive.infolist() if ".data/scripts/" in each.filename]
                self.assertEqual([(os.path.basename(each.filename), each.external_attr >> 16 & 0o777) for each in scripts],
                                 [("coras", 0o755), ("oras", 0o755)])
                self.assertEqual([archive.read(each) for each in scripts], [bytes(header), b"a small one"])
                about = {each.filename.partition(".dist-info/")[2]: archive.read(each) for each in archive.infolist()}
            self.assertEqual((about["licenses/LICENSE"], about["licenses/THIRD-PARTY"], about["sboms/coras.spdx.json"]),
                             (b"text", b"theirs", b"{}"))
            with tarfile.open(sdist) as archive:
                self.assertIn("LICENSE", {os.path.basename(name) for name in archive.getnames()})
            header[64] = 3
            self.assertEqual(backend._platform(bytes(header)), f"linux_{arch}")

    def test_what_is_no_program(self):
        for text in (b"#!/bin/sh\n", b""):
            self.box.write("text", text)
            with self.assertRaisesRegex(ValueError, "not an ELF file"), mock.patch.dict(os.environ, CORAS_WHEEL_PROGRAM=str(self.box.work / "text")):
                load_backend().build_wheel(str(self.box.work))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
