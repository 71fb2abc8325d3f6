# SPDX-License-Identifier: Apache-2.0
"""The action and the CI files in examples/ci do what their first lines say, step by step, against a true registry."""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import unittest

from harness import programs, workflow
from harness.case import CliCase, main
from harness.servers import PASSWORD, USER, DockerRegistry

SOURCE = programs.SOURCE
FOLDER = SOURCE / "examples/ci"
GITHUB = sorted(FOLDER.glob("github-*.yml"))
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "none")
TRAIN = ("import os, sys\nos.mkdir(sys.argv[2])\nfor name in 'model.safetensors config.json tokenizer.json'.split():\n"
         "    open(os.path.join(sys.argv[2], name), 'w').write(name + os.environ['SEED'])\n")


class Written(unittest.TestCase):
    def test_what_people_write_reaches_shells_through_the_environment(self):
        for path in [*GITHUB, SOURCE / "action.yml"]:
            document = workflow.parse(path.read_text())
            jobs = document.get("jobs", {"action": document.get("runs")}).values()
            for step in [step for job in jobs for step in job["steps"]]:
                with self.subTest(path.name, step=step.get("name")):
                    self.assertNotIn("${{", step.get("run", ""))

    def test_permissions_are_the_least(self):
        for path in GITHUB:
            self.assertEqual(workflow.parse(path.read_text())["permissions"],
                             {"contents": "read", "packages": "write"}, path)

    def test_actionlint_has_nothing_to_say(self):
        found = shutil.which("actionlint")
        if not found:
            self.skipTest("actionlint is missing: go install github.com/rhysd/actionlint/cmd/actionlint@latest")
        done = subprocess.run([found, "-color=false", *GITHUB, *(SOURCE / ".github/workflows").glob("*.yml")],
                              capture_output=True, text=True, check=False)
        # Whose repository the action is in, the reader of an example fills in.
        self.assertEqual("", done.stdout, done.stderr)


@unittest.skipIf(programs.SANITIZED, "the steps are those of scripts: what they call has tests of its own")
class Case(CliCase):
    """A registry with a password, and a release of the program under test."""

    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(DockerRegistry(auth="basic"))
        self.box.write("train.py", TRAIN.encode())
        self.release = self.box.root / "release"
        self.release.mkdir()
        archive = self.release / f"coras_0.1.0_linux_{MACHINE}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(programs.CORAS, "coras")
        self.sum = hashlib.sha256(archive.read_bytes()).hexdigest()
        for name in ("coras", "oras"):
            (self.box.bin / name).unlink(missing_ok=True)

    def text(self, path):
        return path.read_text().replace("ghcr.io", self.registry.host)

    def resolve(self, tag):
        done = self.box.run(programs.CORAS, "resolve", f"{self.registry.host}/{self.repository}:{tag}")
        return done.out.strip() if done.code == 0 else None


@programs.need_docker_registry
class GitHub(Case):
    repository = "acme/models/sentiment"

    def runner(self, seed="1", ref="v1.0.0", sha=None):
        context = {"github.action_path": str(SOURCE), "github.action_repository": "acme/coras", "github.actor": USER,
                   "github.repository_owner": "ACME", "github.server_url": "https://github.com",
                   "github.ref_name": ref, "github.sha": "0123456789abcdef" * 2, "secrets.GITHUB_TOKEN": PASSWORD}
        env = {**self.box.env, "RUNNER_TEMP": str(self.box.root / "runner"), "SEED": seed}
        action = workflow.parse((SOURCE / "action.yml").read_text())
        shutil.rmtree(self.box.work / "model", ignore_errors=True)
        return workflow.Runner(self.box.work, env, context,
                               lambda step: (action, {"sha256": sha or self.sum, "download": str(self.release)}))

    def run_file(self, name, inputs=None, **options):
        self.runner(**options).run(workflow.parse(self.text(FOLDER / f"github-{name}.yml")), **(inputs or {}))

    def test_train_promote_roll_back(self):
        self.run_file("train")
        first = self.resolve("v1.0.0")
        self.assertRegex(first, "^sha256:")
        self.assertEqual([first, first], [self.resolve("latest"), self.resolve("sha-0123456789ab")])
        self.run_file("promote", {"version": "v1.0.0", "environment": "staging"})
        self.run_file("train", seed="2", ref="v2.0.0")
        second = self.resolve("latest")
        self.assertEqual([first, second], [self.resolve("staging"), self.resolve("v2.0.0")])
        with self.assertRaises(subprocess.CalledProcessError):  # not in staging yet
            self.run_file("promote", {"version": "v2.0.0", "environment": "production"})
        self.assertIsNone(self.resolve("production"))
        self.run_file("promote", {"version": "v2.0.0", "environment": "staging"})
        self.run_file("promote", {"version": "v2.0.0", "environment": "production"})
        self.assertEqual([second, second], [self.resolve("staging"), self.resolve("production")])
        self.run_file("rollback", {"version": "", "environment": "staging"})
        self.run_file("rollback", {"version": "v1.0.0", "environment": "production"})
        self.assertEqual([first, first], [self.resolve("staging"), self.resolve("production")])

    def test_another_archive_is_not_installed(self):
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            self.run_file("train", sha="0" * 64)
        self.assertIn(b"nothing was installed", caught.exception.stderr)
        self.assertEqual([], list(self.box.root.rglob("bin/coras")))

    def test_without_a_known_sum_nothing_is_installed(self):
        done = self.box.run(SOURCE / "packaging/ci/install", env={"CORAS_VERSION": "9.9.9",
                                                                  "CORAS_DOWNLOAD": str(self.release)})
        self.assertEqual(1, done.code)
        self.assertIn("no SHA-256", done.err)


@programs.need_docker_registry
class GitLab(Case):
    repository = "acme/app/models/sentiment"

    def setUp(self):
        super().setUp()
        text = (FOLDER / "gitlab-ci.yml").read_text().replace("/usr/local/bin", str(self.box.bin))
        self.document = workflow.parse(text)
        # What a container would have: a package manager, and the network.
        self.script("apt-get", "exit 0")
        self.script("curl", f'cp "{self.release}/$(basename "$4")" "$3"')

    def script(self, name, text):
        path = self.box.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def job(self, name):
        """A job with what it extends below it."""
        job = self.document[name]
        return {**self.job(job["extends"]), **job} if "extends" in job else job

    def run_job(self, name, tag="v1.0.0", seed="1"):
        job = self.job(name)
        host = self.registry.host
        env = {**self.box.env, **self.document["variables"], "CORAS_SHA256": self.sum, "SEED": seed,
               "CI_REGISTRY": host, "CI_REGISTRY_USER": USER, "CI_REGISTRY_PASSWORD": PASSWORD,
               "CI_REGISTRY_IMAGE": f"{host}/acme/app", "CI_COMMIT_TAG": tag, "CI_COMMIT_SHA": "0123456789abcdef" * 2,
               "CI_COMMIT_SHORT_SHA": "01234567", "CI_JOB_STAGE": job["stage"]}
        shutil.rmtree(self.box.work / "model", ignore_errors=True)
        lines = [re.sub(r"_linux_amd64", f"_linux_{MACHINE}", line) for line in [*job["before_script"], *job["script"]]]
        subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(lines)], cwd=self.box.work, env=env, check=True,
                       timeout=120, capture_output=True)

    def test_train_promote_roll_back(self):
        self.run_job("push")
        first = self.resolve("v1.0.0")
        self.assertRegex(first, "^sha256:")
        self.assertEqual([first, first], [self.resolve("latest"), self.resolve("sha-01234567")])
        self.run_job("to staging")
        self.run_job("push", tag="v2.0.0", seed="2")
        self.run_job("to staging", tag="v2.0.0")
        self.run_job("to production", tag="v2.0.0")
        self.assertEqual([self.resolve("v2.0.0")] * 2, [self.resolve("staging"), self.resolve("production")])
        self.run_job("back in staging", tag="v2.0.0")
        self.assertEqual(first, self.resolve("staging"))


if __name__ == "__main__":
    main()
