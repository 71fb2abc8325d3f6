# SPDX-License-Identifier: Apache-2.0
"""Where the programs are. A program that is missing makes its tests skip, with its name."""

import functools
import os
import shutil
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("CORAS_BUILD", SOURCE / "build"))
# The programs under test carry sanitizers, which are slow, and keep what was freed.
SANITIZED = bool(os.environ.get("CORAS_SANITIZED")) or any(w in BUILD.name for w in ("asan", "tsan"))
# How many times as long they may take.
SLOWNESS = 3 if SANITIZED else 1

measures_memory = unittest.skipIf(SANITIZED, "sanitizers have memory of their own")
expects_speed = unittest.skipIf(SANITIZED, "a sanitizer makes everything slow")


def _first(*candidates):
    for name in candidates:
        if not name:
            continue
        path = shutil.which(str(name))
        if path:
            return os.path.abspath(path)
    return None


def _oracle(variable, name):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return _first(os.environ.get(variable), SOURCE / "build/oracles/bin" / name,
                  cache / "coras-oracles/bin" / name)


CORAS = _first(os.environ.get("CORAS"), SOURCE / "build/cli/coras", SOURCE / "build/coras", "coras")
ORAS = _oracle("CORAS_TEST_ORAS", "oras")
CRANE = _oracle("CORAS_TEST_CRANE", "crane")
REGISTRY3 = _oracle("CORAS_TEST_REGISTRY", "registry")
CONFORMANCE = _oracle("CORAS_TEST_CONFORMANCE", "conformance")
VERSITYGW = _oracle("CORAS_TEST_VERSITYGW", "versitygw")
RCLONE = _oracle("CORAS_TEST_RCLONE", "rclone")
MOTO_PYTHON = _oracle("CORAS_TEST_MOTO_PYTHON", "../moto/bin/python")
DOCKER_REGISTRY = _first("docker-registry")
SKOPEO = _first("skopeo")
PODMAN = _first("podman")
CONTAINERD = _first("containerd") if _first("ctr") else None
DOCKERD = _first("dockerd") if _first("docker") and CONTAINERD else None
REGCTL = _oracle("CORAS_TEST_REGCTL", "regctl") or _first("regctl")
# A Python with huggingface_hub, safetensors and gguf; Docker's library of models.
MODEL_PYTHON = _oracle("CORAS_TEST_MODEL_PYTHON", "../models/bin/python")
DOCKER_MODEL = _oracle("CORAS_TEST_DOCKER_MODEL", "docker_model")


def need(program, name):
    """Decorator and guard: skip when `program` was not found."""
    return unittest.skipIf(program is None, f"{name} is not installed (see scripts/oracles)")


need_coras = need(CORAS, "coras (set CORAS)")
need_oras = need(ORAS, "upstream oras")
need_crane = need(CRANE, "crane")
need_skopeo = need(SKOPEO, "skopeo")
need_podman = need(PODMAN, "podman")
need_containerd = need(CONTAINERD, "containerd with ctr")
need_dockerd = need(DOCKERD, "dockerd with docker and containerd")
need_regctl = need(REGCTL, "regctl")
need_docker_registry = need(DOCKER_REGISTRY, "docker-registry")
need_registry3 = need(REGISTRY3, "distribution 3's registry")
need_model_python = unittest.skipIf(MODEL_PYTHON is None, "a Python with huggingface_hub, "
                                    "safetensors and gguf is missing (see scripts/model-oracles)")
need_docker_model = unittest.skipIf(DOCKER_MODEL is None, "docker_model, the library of Docker's "
                                    "model runner, is missing (see scripts/model-oracles)")
need_versitygw = need(VERSITYGW, "versitygw, a store that speaks S3,")
need_rclone = unittest.skipIf(RCLONE is None, "rclone, whose `serve s3` is a store, is missing (see scripts/store-oracles)")
need_moto = unittest.skipIf(MOTO_PYTHON is None, "a Python with moto, a store of tests, is missing (see scripts/store-oracles)")
need_conformance = need(CONFORMANCE, "the conformance runner of the distribution specification")


@functools.lru_cache(maxsize=None)
def has_command(name):
    """Whether the program under test knows a command (so that a build without it skips)."""
    if CORAS is None:
        return False
    done = subprocess.run([CORAS, name, "--help"], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0 and f" {name}" in done.stdout.split("Flags:")[0]
