# SPDX-License-Identifier: Apache-2.0
"""Model packages by hand, as each tool writes them."""

import gzip
import io
import json
import subprocess
import tarfile

from .scripted import EMPTY, IMAGE, TITLE, compact, sha256

CNCF = "application/vnd.cncf.model."
CNAI = "application/vnd.cnai.model."
KIT = "application/vnd.kitops.modelkit."
DOCKER_AI = "application/vnd.docker.ai."
OLLAMA = "application/vnd.ollama.image."
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
PATH = "org.cncf.model.filepath"
OLD_PATH = "org.cnai.model.filepath"
METADATA = "org.cncf.model.file.metadata+json"
OLD_METADATA = "org.cnai.model.file.metadata+json"


def recorded(mode=0o644, mtime="2024-01-02T03:04:05Z", size=0, typeflag=48):
    return json.dumps({"name": "x", "mode": mode, "uid": 0, "gid": 0, "size": size, "mtime": mtime,
                       "typeflag": typeflag})


def tar(*members):
    """A tar of (name, bytes) or (name, bytes, mode), ready TarInfo, or (name, None): a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, data, mode = (*member, 0o644)[:3]
            info = tarfile.TarInfo(name)
            info.mode, info.mtime = mode, 1700000000
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            info.size = len(data or b"")
            archive.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def gzipped(data):
    return gzip.compress(data, 1, mtime=0)


def zstd(data, *flags):
    return subprocess.run(["zstd", "-q", "-c", *flags], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


class Packages:
    """Puts packages into a scripted registry."""

    def __init__(self, registry):
        self.registry = registry

    def layer(self, data, media_type, annotations=None, **members):
        self.registry.blob(data)
        entry = {"mediaType": media_type, "digest": sha256(data), "size": len(data), **members}
        if annotations:
            entry["annotations"] = annotations
        return entry

    def put(self, layers, config=EMPTY, tag="v1", media_type=IMAGE, **members):
        """`config` is a descriptor, or (media type, value)."""
        if isinstance(config, tuple):
            config = self.layer(compact(config[1]), config[0])
        else:
            self.registry.blob(b"{}")
        return self.registry.put(tag, {"schemaVersion": 2, "mediaType": media_type,
                                       "config": config, "layers": layers, **members})

    def modelpack(self, layers, diff_ids=None, family=CNCF, **members):
        ids = [x["digest"] for x in layers] if diff_ids is None else diff_ids
        config = {"descriptor": {"name": "tiny"}, "config": {},
                  "modelfs": {"type": "layers", "diffIds": ids}}
        return self.put(layers, (family + "config.v1+json", config),
                        artifactType=family + "manifest.v1+json", **members)

    def kit(self, layers, kitfile=None, **members):
        return self.put(layers, (KIT + "config.v1+json", kitfile or {"manifestVersion": "1.0.0"}),
                        artifactType=KIT + "manifest.v1+json", **members)

    def docker(self, version, layers, **members):
        config = {"config": {"format": "gguf"}, "descriptor": {},
                  "rootfs": {"type": "rootfs", "diff_ids": [x["digest"] for x in layers]}}
        return self.put(layers, (f"{DOCKER_AI}model.config.v0.{version}+json", config), **members)

    def ollama(self, layers, config=None, **members):
        return self.put(layers, (DOCKER_CONFIG, config or {"model_format": "gguf"}),
                        media_type="application/vnd.docker.distribution.manifest.v2+json", **members)

    def image(self, layers, diff_ids, **members):
        config = {"architecture": "amd64", "os": "linux",
                  "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        return self.put(layers, (IMAGE_CONFIG, config), **members)


__all__ = [name for name in dir() if not name.startswith("_")] + ["TITLE"]
