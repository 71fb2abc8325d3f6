# SPDX-License-Identifier: Apache-2.0
"""The Python package, against a real registry, with the program of this build."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import types
import unittest
from pathlib import Path
from unittest import mock

from harness import programs
from harness.case import CliCase, main
from harness.servers import PASSWORD, USER, CorasServe, DockerRegistry, can_serve
from harness.waiting import wait_until

SOURCE = Path(__file__).resolve().parents[2] / "python" / "src"
sys.path.insert(0, str(SOURCE))
import coras  # noqa: E402
import coras.calls  # noqa: E402
import coras.run  # noqa: E402
import coras.run_async  # noqa: E402
import coras.vllm  # noqa: E402
from coras import urls  # noqa: E402

try:
    import fsspec
except ImportError:
    fsspec = None


def oldest_python():
    """A Python 3.9, the oldest that the package promises to run on; None where there is none."""
    for path in ("python3.9", *map(str, Path.home().glob(".pyenv/versions/3.9.*/bin/python"))):
        with contextlib.suppress(OSError):
            if not subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode:
                return path
    return None


OLDEST_PYTHON = oldest_python()  # while the home directory is still the real one

# Each method once, waited for and awaited; the same text runs on any Python.
EVERYTHING = """
import asyncio, pathlib, sys
import coras, coras.vllm
host, repo = sys.argv[1:]
client, later = coras.OrasClient(host, timeout=60), coras.AsyncOrasClient(host, timeout=60)
pushed = client.push(repo, "v1", [pathlib.Path("config.json"), "model.safetensors:application/vnd.safetensors"])
client.tag(repo, "v1", "v2")
client.attach(repo, "v1", "application/vnd.eval", {"config.json": "application/json"})
assert client.pull(repo, "v2", "out", progress=lambda each: None).digest == pushed.digest == client.resolve(repo, "v1")
assert client.model is client.model and client.model.scan(repo, "v1")
assert [each.artifact_type for each in client.discover(repo, "v1").referrers] == ["application/vnd.eval"]
async def again():
    assert await later.manifest(repo, "v1") == client.manifest(repo, "v1")
    assert (await later.pull(repo, "v1", "out2")).digest == pushed.digest
    assert await later.model.scan(repo, "v1")
    try:
        await later.resolve(repo, "none")
    except coras.CorasError as error:
        return error.code
print(sys.version_info[:2], asyncio.run(again()), sorted(client.tags(repo)))
"""


def is_running(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@unittest.skipUnless(can_serve(), "coras serve is not built")
class Package(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(CorasServe())

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.dict(os.environ, {**self.box.env, "CORAS": str(programs.CORAS)}))
        self.enterContext(contextlib.chdir(self.box.work))
        self.box.write("model.safetensors", os.urandom(300_000))
        self.box.write("config.json", b"{}\n")
        self.repo = self.id().rpartition(".")[2]
        self.client = coras.OrasClient(registry=self.registry.host)

    def push(self, tag="v1"):
        return self.client.push(self.repo, tag, ["model.safetensors:application/vnd.safetensors", "config.json"])

    def test_programs_for_a_small_wrapper_run_unchanged(self):
        client = coras.OrasClient(self.registry.host)
        text = client.push(repo=self.repo, tag="v1", files=["model.safetensors:application/vnd.safetensors", "config.json"])
        self.assertIn(f"Pushed [registry] {self.registry.host}/{self.repo}:v1", text)
        self.assertIn("Digest: sha256:", text)
        client.pull(self.repo, "v1", output_dir="out")
        self.assertEqual(self.read("out", "model.safetensors"), self.read("model.safetensors"))
        client.tag(self.repo, "v1", "latest", "prod")
        manifest = client.manifest(self.repo, "latest")
        self.assertEqual(manifest["layers"][0]["mediaType"], "application/vnd.safetensors")
        with self.assertRaises(RuntimeError) as caught:
            client.pull("no/such", "v1")
        self.assertIn("not found", str(caught.exception))

    @unittest.skipUnless(OLDEST_PYTHON, "there is no Python 3.9 here: the oldest promised one is not tried")
    def test_the_oldest_python(self):
        script = ["-W", "error", "-c", EVERYTHING, self.registry.host, self.repo]
        result = self.box.run(OLDEST_PYTHON, *script, env={"PYTHONPATH": str(SOURCE), "CORAS": str(programs.CORAS)}, check=0)
        self.assertEqual(result.out.strip(), "(3, 9) NOT_FOUND ['v1', 'v2']")

    def test_results(self):
        pushed = self.push()
        self.assertEqual(pushed.reference, f"{self.registry.host}/{self.repo}@{pushed.digest}")
        self.assertEqual(self.client.resolve(self.repo, "v1"), pushed.digest)
        self.assertEqual(self.client.resolve(self.repo, pushed.digest), pushed.digest)
        pulled = self.client.pull(self.repo, "v1", Path("out"), include=["*.json"])
        self.assertEqual(pulled, [self.box.work / "out/config.json"])
        self.assertEqual(pulled.digest, pushed.digest)
        attached = self.client.attach(self.repo, "v1", "application/vnd.eval", [Path("config.json")], annotations={"a": "b=c"})
        [referrer] = self.client.discover(self.repo, "v1").referrers
        self.assertEqual((referrer.digest, referrer.artifact_type), (attached.digest, "application/vnd.eval"))
        self.assertEqual(referrer.annotations["a"], "b=c")
        self.client.copy(self.repo, "v1", f"{self.registry.host}/{self.repo}-copy:v2", recursive=True)
        self.assertEqual(self.client.tags(f"{self.repo}-copy"), ["v2"])
        self.client.delete(f"{self.repo}-copy", "v2")
        with self.assertRaises(coras.CorasError) as caught:
            self.client.resolve(f"{self.repo}-copy", "v2")
        self.assertEqual(caught.exception.code, "NOT_FOUND")
        self.assertTrue(caught.exception.hint)
        self.assertEqual(caught.exception.exit_code, 1)

    @programs.need_docker_registry
    def test_logging_in_and_out(self):
        with DockerRegistry(auth="basic") as registry:
            client = coras.OrasClient(registry.host, registry_config=self.box.home / "auth.json")
            with self.assertRaises(coras.CorasError) as caught:
                client.login("user", "wrong")
            self.assertEqual((caught.exception.code, caught.exception.status), ("UNAUTHORIZED", 401))
            client.login(USER, PASSWORD)
            client.push("a", "v1", ["config.json"])
            client.logout()
            with self.assertRaises(coras.CorasError) as caught:
                client.tags("a")
            self.assertEqual(caught.exception.code, "NO_CREDENTIAL")

    def test_names_of_absolute_paths_are_relative(self):
        elsewhere = self.box.home / "models"
        (elsewhere / "sub").mkdir(parents=True)
        (elsewhere / "sub/a:b.bin").write_bytes(b"a")
        (elsewhere / "c.bin").write_bytes(b"c")
        self.client.push(self.repo, "v1", {elsewhere / "sub/a:b.bin": "x/y", str(elsewhere / "c.bin"): None})
        layers = self.client.manifest(self.repo, "v1")["layers"]
        self.assertEqual([(each["annotations"]["org.opencontainers.image.title"], each["mediaType"]) for each in layers],
                         [("sub/a:b.bin", "x/y"), ("c.bin", "application/vnd.oci.image.layer.v1.tar")])
        self.client.push(self.repo, "v2", [Path("c.bin")], directory=elsewhere)
        self.assertEqual(self.client.pull(self.repo, "v2", "out"), [self.box.work / "out/c.bin"])
        self.client.push(self.repo, "v3", ["sub/a:b.bin", "c.bin:x/z"], directory=elsewhere)
        self.assertEqual([each["annotations"]["org.opencontainers.image.title"] for each in self.client.manifest(self.repo, "v3")["layers"]],
                         ["sub/a:b.bin", "c.bin"])

    def test_names_that_look_like_options(self):
        self.box.write("--insecure", b"a")
        self.box.write("-m/config.json", b"{}")
        self.client.push(self.repo, "v1", ["--insecure"], progress=lambda each: None)
        self.assertEqual(self.client.pull(self.repo, "v1", "-out"), [self.box.work / "-out/--insecure"])
        self.client.model.push(self.repo, "v2", "-m")
        with self.assertRaises(coras.CorasError) as caught:
            self.client.tag(self.repo, "v1", "--debug")
        self.assertEqual(caught.exception.code, "INVALID_REFERENCE")

    def test_progress(self):
        told = []
        self.client.push(self.repo, "v1", ["model.safetensors"], progress=told.append)
        self.assertEqual((told[0].event, told[-1].event), ("begin", "done"))
        self.assertEqual(told[-1].bytes, told[-1].total)
        self.assertIn("model.safetensors", {each.name for each in told})
        bars = []

        class Tqdm:
            def __init__(self, total, **_):
                self.n, self.total, self.closed = 0, total, False
                bars.append(self)

            def update(self, n):
                self.n += n

            def close(self):
                self.closed = True

        with mock.patch.dict(sys.modules, {"tqdm": types.ModuleType("tqdm"), "tqdm.auto": mock.Mock(tqdm=Tqdm)}):
            self.client.pull(self.repo, "v1", "out", progress=True)
        self.assertEqual([(bar.n == bar.total > 300_000, bar.closed) for bar in bars], [(True, True)])

    def test_models(self):
        self.box.write("m/config.json", b'{"model_type":"tiny"}')
        header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
        self.box.write("m/model.safetensors", len(header).to_bytes(8, "little") + header + bytes(8))
        pushed = self.client.model.push(self.repo, "v1", self.box.work / "m")
        facts = self.client.model.inspect(self.repo, "v1", tensors=True)
        self.assertEqual((facts.digest, facts.parameters, facts.tensors[0].name), (pushed.digest, 2, "w"))
        found = self.client.model.path(self.repo, "v1")
        self.assertEqual((found.format, found.digest), ("safetensors", pushed.digest))
        self.assertTrue((Path(found) / "model.safetensors").is_file())
        self.assertEqual(coras.resolve(f"oci://{self.registry.host}/{self.repo}:v1", pull=False), found.path)
        self.assertEqual(len(self.client.model.pull(self.repo, "v1", "out", safe=True)), 2)
        self.assertFalse(self.client.model.diff((self.repo, "v1"), Path("out")))
        self.box.write("out/config.json", b'{"model_type":"other"}')
        changed = self.client.model.diff((self.repo, "v1"), Path("out"))
        self.assertEqual([(each.a, each.b) for each in changed.config], [("tiny", "other")])
        self.box.write("out/pytorch_model.bin", b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.")
        scan = self.client.model.scan(Path("out"))
        self.assertEqual([(each.file, each.severity) for each in scan.findings], [("pytorch_model.bin", "high")])

    def test_asyncio(self):
        self.push()

        async def both():
            client = coras.AsyncOrasClient(self.registry.host)
            return await asyncio.gather(client.tags(self.repo), client.pull(self.repo, "v1", "out"),
                                        client.model.scan(self.repo, "v1"))

        tags, files, scan = asyncio.run(both())
        self.assertEqual((tags, len(files), [each.kind for each in scan.findings]), (["v1"], 2, ["name"]))

    def test_a_range_of_a_blob(self):
        self.push()
        whole = self.read("model.safetensors")
        digest = self.client.manifest(self.repo, "v1")["layers"][0]["digest"]
        blob = f"{self.registry.host}/{self.repo}@{digest}"
        for first, last in ((0, 0), (100, 4_999), (299_990, 400_000), (300_000, 300_001)):
            call = coras.calls.blob_range(self.client._settings, self.repo, digest, first, last)
            self.assertEqual(self.client._run(call), whole[first:last + 1])
        for wrong in ("5", "5-4", "-5-6", "x-y"):
            self.fails("blob", "fetch", "--output", "-", "--range", wrong, blob, contains="expecting <first>-<last>")
        self.fails("blob", "fetch", "--output", "f", "--range", "0-1", blob, contains="--range needs")

    def test_vllm_sees_paths(self):
        """A stand-in of vLLM's arguments, with the hook as it is there."""
        self.box.write("m/config.json", b'{"model_type":"tiny"}')
        header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
        self.box.write("m/model.safetensors", len(header).to_bytes(8, "little") + header + bytes(8))
        self.client.model.push(self.repo, "v1", "m")

        class EngineArgs:
            def __init__(self, model, tokenizer=None):
                self.model, self.tokenizer, self.served_model_name = model, tokenizer, None

            def create_model_config(self):
                return (self.model, self.tokenizer, self.served_model_name)

            def create_engine_config(self, usage_context=None):
                return (usage_context, self.create_model_config())

        arguments = types.ModuleType("vllm.engine.arg_utils")
        arguments.EngineArgs = EngineArgs
        with mock.patch.dict(sys.modules, {"vllm": types.ModuleType("vllm"), "vllm.engine": types.ModuleType("vllm.engine"),
                                           "vllm.engine.arg_utils": arguments}):
            coras.vllm.register()
            coras.vllm.register()
        url = f"oci://{self.registry.host}/{self.repo}:v1"
        usage, (model, tokenizer, served) = EngineArgs(url, url).create_engine_config("here")
        self.assertEqual((usage, served), ("here", url))
        self.assertTrue(Path(model, "model.safetensors").is_file())
        self.assertEqual(tokenizer, model)
        self.assertEqual(EngineArgs("org/name").create_model_config(), ("org/name", None, None))

    @unittest.skipUnless(fsspec, "fsspec is not installed: its file system is not tested")
    def test_file_system(self):
        from coras.filesystem import OciFileSystem
        self.box.write("data/deep/part.csv", b"a,b\n1,2\n")
        self.client.push(self.repo, "v1", ["model.safetensors", "data/deep/part.csv"])
        fsspec.register_implementation("oci", OciFileSystem, clobber=True)
        base = f"oci://{self.registry.host}/{self.repo}:v1"
        with fsspec.open(f"{base}/data/deep/part.csv") as file:
            self.assertEqual(file.read(), b"a,b\n1,2\n")
        fs = fsspec.filesystem("oci")
        self.assertEqual([name.rpartition(":v1/")[2] for name in fs.ls(base, detail=False)], ["data", "model.safetensors"])
        self.assertEqual([name.rpartition(":v1/")[2] for name in fs.find(base)], ["data/deep/part.csv", "model.safetensors"])
        whole = self.read("model.safetensors")
        with fs.open(f"{base}/model.safetensors", block_size=10_000) as file:
            file.seek(200_000)
            self.assertEqual(file.read(100), whole[200_000:200_100])
            file.seek(-5, 2)
            self.assertEqual(file.read(), whole[-5:])
        self.assertEqual(fs.cat_file(f"{base}/model.safetensors", -3), whole[-3:])
        self.assertEqual(fs.size(f"{base}/model.safetensors"), len(whole))
        fs.get(f"{base}/model.safetensors", "got.bin")
        self.assertEqual(self.read("got.bin"), whole)
        [blob] = [path for path in self.registry.data.rglob(fs.info(f"{base}/model.safetensors")["digest"][7:])
                  if path.is_file()]
        blob.chmod(0o600)
        blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # what the registry holds is damaged
        self.assertEqual(len(fs.cat_file(f"{base}/model.safetensors", 0, 10)), 10)
        for read in (lambda: fs.cat_file(f"{base}/model.safetensors"), lambda: fs.get(f"{base}/model.safetensors", "bad.bin")):
            with self.assertRaises(coras.CorasError):
                read()
        self.assertFalse(Path("bad.bin").exists())
        fs.get(f"{base}/data", "tree", recursive=True)
        self.assertEqual(self.read("tree", "deep", "part.csv"), b"a,b\n1,2\n")
        for missing in (f"{base}/none", f"oci://{self.registry.host}/none:v1/x"):
            with self.assertRaises(FileNotFoundError):
                fs.info(missing)


class Child(CliCase):
    """What becomes of the program, told by one that does as it is bid."""

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.object(coras.run, "GRACE_S", 0.5))
        self.enterContext(mock.patch.object(coras.run_async, "GRACE_S", 0.5))

    def program(self, script):
        path = self.box.work / "program"
        path.write_text(f"#!/bin/sh\necho $$ > {self.box.work}/pid.new\nmv {self.box.work}/pid.new {self.box.work}/pid\n{script}\n")
        path.chmod(0o755)
        return path

    def pid(self):
        return int((self.box.work / "pid").read_text())

    def test_time_out_leaves_no_child(self):
        for script in ("exec sleep 60", "trap '' TERM\nwhile :; do sleep 0.1; done"):
            program, seconds = self.program(script), 0.25
            (self.box.work / "pid").unlink(missing_ok=True)
            while not (self.box.work / "pid").exists():  # on a busy machine it takes its time to begin
                seconds *= 2
                with self.assertRaises(coras.CorasTimeout) as caught:
                    coras.OrasClient("r.example", program=program, timeout=seconds).tags("a")
            self.assertIsInstance(caught.exception, TimeoutError)
            self.assertEqual(caught.exception.code, "TIMEOUT")
            self.assertFalse(is_running(self.pid()))

    def test_a_failing_callback_leaves_no_child(self):
        script = """echo '{"event":"begin"}' >&2\nexec sleep 60"""

        def fail(progress):
            raise ValueError(progress.event)

        client = coras.OrasClient("r.example", program=self.program(script), progress=fail)
        with self.assertRaisesRegex(ValueError, "begin"):
            client.pull("a", "v1")
        self.assertFalse(is_running(self.pid()))

    def test_cancelling_leaves_no_child(self):
        client = coras.AsyncOrasClient("r.example", program=self.program("exec sleep 60"))

        async def cancel():
            task = asyncio.ensure_future(client.pull("a", "v1"))
            while not (self.box.work / "pid").exists():
                await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            with self.assertRaises(coras.CorasTimeout):
                await client.pull("a", "v1", timeout=0.3)

        asyncio.run(cancel())
        wait_until(lambda: not is_running(self.pid()))

    def test_passwords_are_on_stdin_alone(self):
        secret = "very-secret-word"
        script = f'echo "$@" > {self.box.work}/argv; env > {self.box.work}/env; cat > {self.box.work}/stdin'
        client = coras.OrasClient("r.example", program=self.program(script))
        client.login("me", secret)
        self.assertEqual(self.read("stdin").decode(), secret)
        self.assertNoSecret([secret], self.read("argv").decode(), self.read("env").decode())
        self.assertIn("--username me --password-stdin -- r.example", self.read("argv").decode())

    def test_an_error_that_is_no_object(self):
        client = coras.OrasClient("r.example", program=self.program("echo 'Error: broken' >&2; exit 3"))
        with self.assertRaisesRegex(coras.CorasError, "^Error: broken$") as caught:
            client.tags("a")
        self.assertEqual((caught.exception.code, caught.exception.exit_code), ("UNKNOWN", 3))

    def test_a_program_that_is_not_there(self):
        with mock.patch.dict(os.environ, {"PATH": "/nowhere"}), mock.patch.object(coras.program, "_candidates", list):
            os.environ.pop("CORAS", None)
            with self.assertRaises(coras.CorasError) as caught:
                coras.find_program()
        self.assertEqual(caught.exception.code, "NO_PROGRAM")


class Import(unittest.TestCase):
    def run_python(self, code):
        return subprocess.run([sys.executable, "-I", "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {code}"],
                              check=True, capture_output=True, text=True).stdout

    def test_import_loads_nothing_that_is_not_used(self):
        heavy = "{'asyncio', 'json', 'subprocess', 'dataclasses', 'fsspec', 'tqdm', 'pathlib', 'inspect'}"
        self.assertEqual(self.run_python(f"before = set(sys.modules); import coras; print(({heavy} & set(sys.modules)) - before)"), "set()\n")
        self.assertEqual(self.run_python("from coras import OrasClient; print(sorted({'asyncio', 'fsspec', 'tqdm'} & set(sys.modules)))"), "[]\n")

    def check(self, *argv):
        if not shutil.which(argv[0]):
            self.skipTest(f"{argv[0]} is not installed: the package is not checked by it")
        done = subprocess.run(argv, cwd=SOURCE.parent, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_types(self):
        self.check("mypy", "--cache-dir", os.devnull, "src/coras", "backend")

    def test_lint(self):
        self.check("ruff", "check", "--no-cache", ".")
        self.check("ruff", "format", "--no-cache", "--check", ".")

    def test_every_name_is_there(self):
        self.run_python("import coras; [getattr(coras, name) for name in dir(coras)]; assert coras.OrasClient in vars(coras).values()")

    def test_urls(self):
        for url, parts in (
                ("oci://localhost:5000/a/b:v1", ("localhost:5000", "a/b", "v1", "")),
                ("oci://r.io/a:v1/x/y.bin", ("r.io", "a", "v1", "x/y.bin")),
                ("oci://r.io/a/b@sha256:00/x", ("r.io", "a/b", "sha256:00", "x")),
                ("oci://r.io/a:v1@sha256:00", ("r.io", "a", "sha256:00", ""))):
            self.assertEqual(tuple(urls.parse(url)), parts)
        for url in ("oci://r.io/a", "oci://r.io", "oci://", "oci://r.io/a:", "oci://r.io/a:v1/../../x", "oci://r.io/a:v1/b/..",
                    "oci://r.io/a:v1//etc/passwd", "oci://r.io/a@sha256:00/b//c"):
            with self.assertRaises(ValueError):
                urls.parse(url)
        self.assertEqual(coras.resolve("/some/where"), Path("/some/where"))


if __name__ == "__main__":
    main()
