#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models in a registry from Python, by running the `oras` program: login, push, pull, tag, manifest.

    client = Oras("registry.example.com", plain_http=False)
    client.login("user", password)
    digest = client.push("myorg/models/sentiment:v1.0", {
        "model.safetensors": "application/vnd.safetensors", "config.json": "application/json"})
    client.tag("myorg/models/sentiment:v1.0", "latest")
    paths = client.pull("myorg/models/sentiment:latest", "model-artifacts")

Only Python's standard library is needed. Secrets go through standard input, never on the command
line; errors become OrasError with the program's own words and advice.
"""

import json
import subprocess


class OrasError(RuntimeError):
    """The program failed: `returncode`, `stderr`."""

    def __init__(self, argv, returncode, stderr):
        super().__init__(stderr.strip() or f"{argv[0]} ended with {returncode}")
        self.argv, self.returncode, self.stderr = argv, returncode, stderr


class Oras:
    """One registry, spoken to through one program (`oras`, or the path of another)."""

    def __init__(self, registry, program="oras", plain_http=False, registry_config=None):
        self.registry, self.program = registry, program
        self.flags = ["--plain-http"] if plain_http else []
        if registry_config:
            self.flags += ["--registry-config", str(registry_config)]

    def _run(self, *arguments, stdin=None, cwd=None):
        argv = [self.program, *map(str, arguments)]
        done = subprocess.run(argv, input=stdin or "", cwd=cwd, text=True, capture_output=True,
                              check=False)
        if done.returncode:
            raise OrasError(argv, done.returncode, done.stderr)
        return done.stdout

    def _reference(self, name):
        return f"{self.registry}/{name}"

    def login(self, username, password):
        """Check the password and keep it for the following calls."""
        self._run("login", *self.flags, "--username", username, "--password-stdin", self.registry,
                  stdin=password)

    def logout(self):
        flags = [f for f in self.flags if f != "--plain-http"]
        self._run("logout", *flags, self.registry)

    def push(self, name, files, directory=None, annotations=None, artifact_type=None):
        """Push files, a mapping of path to media type (None: default); returns the digest."""
        options = [part for key, value in (annotations or {}).items()
                   for part in ("--annotation", f"{key}={value}")]
        if artifact_type:
            options += ["--artifact-type", artifact_type]
        paths = [f"{path}:{kind}" if kind else path for path, kind in files.items()]
        shown = self._run("push", *self.flags, "--format", "json", *options, self._reference(name),
                          *paths, cwd=directory)
        return json.loads(shown)["digest"]

    def pull(self, name, output="."):
        """Pull into a directory; returns the paths of the files."""
        shown = self._run("pull", *self.flags, "--format", "json", "--output", output,
                          self._reference(name))
        return [entry["path"] for entry in json.loads(shown)["files"]]

    def tag(self, name, *tags):
        """Give an artifact further tags."""
        self._run("tag", *self.flags, self._reference(name), *tags)

    def tags(self, repository):
        shown = self._run("repo", "tags", *self.flags, "--format", "json",
                          self._reference(repository))
        return json.loads(shown)["tags"]

    def manifest(self, name):
        """The manifest as a dictionary."""
        return json.loads(self._run("manifest", "fetch", *self.flags, self._reference(name)))

    def resolve(self, name):
        return self._run("resolve", *self.flags, self._reference(name)).strip()
