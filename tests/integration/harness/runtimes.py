# SPDX-License-Identifier: Apache-2.0
"""Container runtimes with everything of theirs below one directory: containerd, docker, podman."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import unittest

from . import programs
from .scripted import compact
from .waiting import wait_until

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _descriptor(data, media_type):
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _layer(text):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in (("hello.txt", text.encode()), ("random", os.urandom(200_000))):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return plain.getvalue()


def push_image(api, repository, tag):
    """An index of two platforms; the digest of the index, and the file of this platform's layer."""
    entries = []
    for architecture in ("amd64", "arm64"):
        plain = _layer(architecture)
        packed = gzip.compress(plain)
        config = compact({"architecture": architecture, "os": "linux", "config": {},
                          "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]}})
        for blob in (packed, config):
            api.push_blob(repository, blob, _digest(blob))
        manifest = compact({"schemaVersion": 2, "mediaType": MANIFEST, "config": _descriptor(config, CONFIG),
                            "layers": [_descriptor(packed, LAYER)]})
        api.push_manifest(repository, _digest(manifest), manifest, MANIFEST)
        entries.append({**_descriptor(manifest, MANIFEST),
                        "platform": {"architecture": architecture, "os": "linux"}})
    index = compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
    api.push_manifest(repository, tag, index, INDEX)
    return _digest(index)


class _Daemon(contextlib.AbstractContextManager):
    """A program that is ready when its client gets an answer."""

    def __init__(self, box):
        self.box = box
        self.top = box.root / type(self).__name__.lower()
        self.top.mkdir()
        self.socket = self.top / "socket"
        self.process = None

    def __enter__(self):
        with open(self.top / "log", "wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.box.env, cwd=self.top)
        try:
            wait_until(self.answers, seconds=40)
        except AssertionError:
            self.stop()
            log = (self.top / "log").read_text(errors="replace")[-600:]
            raise unittest.SkipTest(f"{type(self).__name__} does not run here: {log}") from None
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended")
        return self.box.run(*self.client, "version").code == 0

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __exit__(self, *_):
        self.stop()

    def run(self, *argv, **options):
        return self.box.run(*self.client, *argv, **options)


class Containerd(_Daemon):
    @property
    def client(self):
        return ("ctr", "--address", self.socket, "--namespace", "tests")

    def command(self):
        without = [f"io.containerd.snapshotter.v1.{name}" for name in ("btrfs", "zfs", "devmapper", "aufs")]
        (self.top / "config.toml").write_text(
            f'version = 2\nroot = "{self.top}/root"\nstate = "{self.top}/state"\n'
            f'disabled_plugins = {json.dumps(["io.containerd.grpc.v1.cri", *without])}\n'
            f'[grpc]\naddress = "{self.socket}"\n[ttrpc]\naddress = "{self.socket}.ttrpc"\n')
        return [programs.CONTAINERD, "--config", str(self.top / "config.toml")]

    def hosts(self, registry, text):
        """Its hosts.toml for a registry; the flag that names the directory of all."""
        folder = self.top / "certs.d" / registry
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hosts.toml").write_text(text)
        return ("--hosts-dir", self.top / "certs.d")


class Docker(_Daemon):
    def __init__(self, box, **settings):
        super().__init__(box)
        (self.top / "daemon.json").write_text(json.dumps(settings))

    @property
    def client(self):
        return ("docker", "--host", f"unix://{self.socket}")

    def command(self):
        return [programs.DOCKERD, "--config-file", str(self.top / "daemon.json"), "--data-root", str(self.top / "data"),
                "--exec-root", str(self.top / "exec"), "--pidfile", str(self.top / "pid"), "--host",
                f"unix://{self.socket}", "--storage-driver", "vfs", "--iptables=false", "--ip6tables=false",
                "--bridge=none"]


class Podman:
    """No daemon: a store, and a configuration of registries."""

    def __init__(self, box, registries=""):
        self.box = box
        self.top = box.root / "podman"
        self.top.mkdir()
        (self.top / "registries.conf").write_text(registries)
        (self.top / "auth.json").write_text("{}")
        policy = box.home / ".config/containers/policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        if self.run("info").code != 0:
            raise unittest.SkipTest("podman does not run here: " + self.run("info").err[-300:])

    def run(self, *argv, **options):
        return self.box.run("podman", "--root", self.top / "root", "--runroot", self.top / "run",
                            "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", *argv,
                            env={"CONTAINERS_REGISTRIES_CONF": str(self.top / "registries.conf"),
                                 "REGISTRY_AUTH_FILE": str(self.top / "auth.json"),
                                 "XDG_RUNTIME_DIR": str(self.top)}, **options)
