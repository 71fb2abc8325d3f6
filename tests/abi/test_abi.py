# SPDX-License-Identifier: Apache-2.0
"""The library as others get it: its symbols, its headers, and programs built against what is installed."""

import json
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import programs
from harness.case import main
from harness.run import Sandbox
from harness.servers import DockerRegistry

SOURCE = programs.SOURCE
BUILD = Path(os.environ.get("CORAS_BUILD") or SOURCE / "build")
HEADERS = sorted(path.name for path in (SOURCE / "include/coras").glob("*.h"))
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
CC = os.environ.get("CC", "cc").split()
EXAMPLES = ["load_model", "pull", "push", "read_range"]
SANITIZED = bool(os.environ.get("CORAS_SANITIZED"))


def output_of(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          capture_output=True, **options).stdout


def declared():
    """The names of all functions that the headers offer."""
    text = "\n".join((SOURCE / "include/coras" / name).read_text() for name in HEADERS)
    return sorted(set(re.findall(r"^CORAS_API[^;{]*?\b(coras_\w+)\(", text, re.M)))


class Symbols(unittest.TestCase):
    maxDiff = None

    def exported(self):
        lines = output_of("nm", "-D", "--defined-only", BUILD / "src/libcoras.so").splitlines()
        return sorted(re.sub("@.*", "", line.split()[2]) for line in lines if " A " not in line)

    def test_exported_symbols_are_those_of_the_list(self):
        listed = (SOURCE / "tests/abi/symbols.txt").read_text().split()
        self.assertEqual(self.exported(), listed)

    def test_the_list_is_what_headers_declare(self):
        self.assertEqual((SOURCE / "tests/abi/symbols.txt").read_text().split(), declared())

    def test_the_archive_claims_no_foreign_names(self):
        lines = output_of("nm", "-g", "--defined-only", BUILD / "src/libcoras.a").splitlines()
        names = [line.split()[2] for line in lines if len(line.split()) == 3]
        self.assertEqual([n for n in names if not n.startswith("coras_")
                          and not n.startswith("__")], [])

    def test_the_archive_holds_its_objects(self):
        self.assertEqual((BUILD / "src/libcoras.a").read_bytes()[:8], b"!<arch>\n")

    def test_the_version_of_the_headers_is_that_of_the_build(self):
        text = (SOURCE / "include/coras/version.h").read_text()
        numbers = [re.search(rf"CORAS_VERSION_{part} (\d+)", text)[1]
                   for part in ("MAJOR", "MINOR", "PATCH")]
        self.assertIn(f"version: '{'.'.join(numbers)}'", (SOURCE / "meson.build").read_text())


def initialisers():
    """A function that makes one of each record that has an _INIT macro."""
    text = "\n".join((SOURCE / "include/coras" / name).read_text() for name in HEADERS)
    names = re.findall(r"#define (CORAS_(\w+)_INIT)\b(?!\()", text)
    lines = [f"coras_{what.lower()} r{i} = {macro}; (void)r{i};" for i, (macro, what) in enumerate(names)
             if what not in ("SIZED", "ZERO")]
    return "#include <coras/coras.h>\nvoid use(void);\nvoid use(void)\n{\n" + "\n".join(lines) + "\n}\n"


class Headers(unittest.TestCase):
    def check(self, compiler, standard, language):
        sources = {name: f"#include <coras/{name}>\n#include <coras/{name}>\n" for name in HEADERS}
        for name, text in [*sources.items(), ("initialisers", initialisers())]:
            with self.subTest(name):
                subprocess.run([*compiler, f"-std={standard}", *STRICT, "-fsyntax-only", "-x",
                                language, "-I", SOURCE / "include", "-"], check=True, text=True,
                               input=text)

    def test_each_alone_is_c99(self):
        self.check(CC, "c99", "c")

    @unittest.skipUnless(shutil.which("c++"), "there is no C++ compiler")
    def test_each_alone_is_cxx17(self):
        self.check(["c++"], "c++17", "c++")

    @unittest.skipUnless(shutil.which("clang"), "there is no clang")
    def test_each_alone_pleases_clang(self):
        self.check(["clang"], "c99", "c")


@unittest.skipIf(SANITIZED, "a library with sanitizers needs programs with them")
@unittest.skipUnless(shutil.which("pkg-config") and shutil.which("meson"), "pkg-config or meson is missing")
class Installed(unittest.TestCase):
    """Builds against an installation below a directory of its own, through pkg-config alone."""

    @classmethod
    def setUpClass(cls):
        cls.box = Sandbox()
        cls.addClassCleanup(cls.box.close)
        cls.root = cls.box.root / "installed"
        output_of("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root)
        cls.found = next(cls.root.rglob("coras.pc"))
        cls.libdir = cls.found.parent.parent

    def flags(self, *options, package="coras"):
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.found.parent),
               "PKG_CONFIG_SYSROOT_DIR": str(self.root)}
        return output_of("pkg-config", *options, package, env=env).split()

    def build(self, source, name, *more, static=False):
        flags = self.flags("--cflags", "--libs", *(["--static"] if static else []))
        if static:  # what a machine without the shared library would take
            flags = [str(self.libdir / "libcoras.a") if flag == "-lcoras" else flag for flag in flags]
        program = self.box.root / name
        output_of(*CC, "-std=c99", "-D_POSIX_C_SOURCE=200809L", *STRICT, source, "-o", program, *more, *flags)
        return program

    def run_program(self, program, *argv, env=None):
        return subprocess.run([program, *argv], cwd=self.box.work, text=False, check=False,
                              capture_output=True, env={"LD_LIBRARY_PATH": str(self.libdir),
                                                        "HOME": str(self.box.root), **(env or {})})

    def ok(self, program, *argv):
        result = self.run_program(program, *argv)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_all_headers_are_installed(self):
        self.assertEqual(sorted(p.name for p in self.root.rglob("include/coras/*")), HEADERS)

    def test_manual_and_completions_are_installed(self):
        names = {path.name for path in self.root.rglob("*") if path.is_file()}
        for name in ["coras.1", "oras.1", "coras-push.1", "coras-repo-tags.1", "coras", "_coras", "_oras",
                     "coras.fish", "oras.fish"]:
            self.assertIn(name, names)
        for name in ["coras", "oras"]:
            for file in self.root.rglob(f"*completions*/{name}*"):
                self.assertIn(name, file.read_text())
                self.assertEqual("coras" in file.read_text(), name == "coras", file)

    def test_the_shared_library_has_its_name(self):
        self.assertIn("libcoras.so.0", output_of("readelf", "-d", self.libdir / "libcoras.so"))

    def check_examples(self, static):
        programs_of = {name: self.build(SOURCE / "examples" / f"{name}.c", f"{name}-{static}", static=static)
                       for name in EXAMPLES}
        with DockerRegistry() as registry:
            where = f"localhost:{registry.port}/models/tiny:v1"
            model = os.urandom(3 << 20)
            self.box.write("model.bin", model)
            self.box.write("tokenizer.json", b"{}")
            digest = self.ok(programs_of["push"], where, "model.bin", "tokenizer.json")
            self.assertRegex(digest, rb"^sha256:[0-9a-f]{64}\n$")
            out = self.ok(programs_of["pull"], where, f"out-{static}")
            self.assertIn(b"model.bin: done", out)
            self.assertEqual((self.box.work / f"out-{static}/model.bin").read_bytes(), model)
            self.assertIn(b"is there already", self.ok(programs_of["pull"], where, f"out-{static}"))
            part = self.ok(programs_of["read_range"], where, "model.bin", "1048576", "4096")
            self.assertEqual(part, model[1048576:1048576 + 4096])
            self.assertEqual(self.ok(programs_of["read_range"], where, "model.bin", "3145728", "0"), b"")
            beyond = self.run_program(programs_of["read_range"], where, "model.bin", "3145728", "1")
            self.assertIn(b"not within a file of 3145728 bytes", beyond.stderr)
            missing = self.run_program(programs_of["read_range"], where, "other.bin", "0", "1")
            self.assertIn(b"other.bin: no file of this name", missing.stderr)
            for name in ("mmproj.gguf", "model.gguf"):
                self.box.write(name, name.encode())
            self.ok(programs_of["push"], where, "mmproj.gguf", "model.gguf")
            loaded = self.ok(programs_of["load_model"], where, f"model-{static}").decode()
            self.assertRegex(loaded, r"^model /\S+/model.gguf\nprojector /\S+/mmproj.gguf\n$")

    @programs.need_docker_registry
    def test_examples_with_the_shared_library(self):
        self.check_examples(static=False)

    @programs.need_docker_registry
    def test_examples_with_the_archive(self):
        self.check_examples(static=True)

    @unittest.skipUnless(shutil.which("pkg-config") and subprocess.run(
        ["pkg-config", "--exists", "jansson"], check=False).returncode == 0, "jansson is not installed")
    def test_the_host_keeps_its_allocator_and_signals(self):
        version = self.flags("--modversion")[0]
        jansson = output_of("pkg-config", "--cflags", "--libs", "jansson").split()
        program = self.build(SOURCE / "tests/abi/own_allocator.c", "own_allocator",
                             f'-DEXPECTED_VERSION="{version}"', *jansson)
        self.layout()
        # Each of these would fail whatever looks at it.
        self.box.write("docker/config.json", b"no JSON")
        result = self.run_program(program, "layout", env={
            "DOCKER_CONFIG": str(self.box.work / "docker"), "REGISTRY_AUTH_FILE": str(self.box.work / "docker"),
            "HTTPS_PROXY": "nonsense://", "SSL_CERT_FILE": "/nonexistent", "TMPDIR": "/nonexistent"})
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    def test_missing_arguments_are_errors(self):
        result = self.run_program(self.build(SOURCE / "tests/abi/arguments.c", "arguments"))
        self.assertEqual((result.returncode, result.stdout), (0, b""))

    def layout(self):
        """A layout with one empty artifact, tagged v1."""
        empty = {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "data": "e30=",
                 "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}
        manifest = json.dumps({"schemaVersion": 2, "config": empty, "layers": [empty],
                               "mediaType": "application/vnd.oci.image.manifest.v1+json",
                               "artifactType": "application/vnd.x"}).encode()
        digest = sha256_of(manifest)
        index = {"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest,
            "size": len(manifest), "annotations": {"org.opencontainers.image.ref.name": "v1"}}]}
        self.box.write("layout/oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        self.box.write("layout/index.json", json.dumps(index).encode())
        self.box.write("layout/blobs/sha256/" + digest.partition(":")[2], manifest)
        self.box.write("layout/blobs/sha256/" + empty["digest"].partition(":")[2], b"{}")


def sha256_of(data):
    import hashlib
    return "sha256:" + hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
