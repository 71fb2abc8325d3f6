# SPDX-License-Identifier: Apache-2.0
"""A small wrapper of oras as people have it in their pipelines, and a program for such a wrapper: it runs with the wrapper,
which finds the `oras` that the wheel brought, and with coras.OrasClient in its place."""

import json
import os
import subprocess
import sys

import coras


class Wrapper:
    def __init__(self, registry="ghcr.io"):
        self.registry = registry

    def _run(self, *args, stdin=None):
        result = subprocess.run(["oras", *args], input=stdin, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"oras failed: {result.stderr}")
        return result.stdout

    def login(self, username, password):
        self._run("login", self.registry, "-u", username, "--password-stdin", stdin=password)

    def push(self, repo, tag, files):
        return self._run("push", f"{self.registry}/{repo}:{tag}", *files)

    def pull(self, repo, tag, output_dir="."):
        return self._run("pull", f"{self.registry}/{repo}:{tag}", "-o", output_dir)

    def tag(self, repo, existing_tag, *new_tags):
        self._run("tag", f"{self.registry}/{repo}:{existing_tag}", *new_tags)

    def manifest(self, repo, tag):
        return json.loads(self._run("manifest", "fetch", f"{self.registry}/{repo}:{tag}"))


def pipeline(client, repo):
    """What a training job does."""
    with open("weights.bin", "wb") as file:
        file.write(os.urandom(100_000))
    with open("metrics.json", "w") as file:
        json.dump({"accuracy": 0.93}, file)
    text = client.push(repo=repo, tag="v1", files=["weights.bin:application/octet-stream", "metrics.json:application/json"])
    assert "Digest: sha256:" in text, text
    client.tag(repo, "v1", "latest", "prod")
    client.pull(repo, "prod", output_dir="fetched")
    with open("weights.bin", "rb") as pushed, open("fetched/weights.bin", "rb") as pulled:
        assert pushed.read() == pulled.read()
    layers = client.manifest(repo, tag="latest")["layers"]
    assert [each["annotations"]["org.opencontainers.image.title"] for each in layers] == ["weights.bin", "metrics.json"]
    try:
        client.manifest(repo, "no-such-tag")
    except RuntimeError as error:
        assert "not found" in str(error), error
    else:
        raise AssertionError("no such tag, and no error")


pipeline(Wrapper(registry=sys.argv[1]), "wrapped")
pipeline(coras.OrasClient(registry=sys.argv[1]), "wrapped")
