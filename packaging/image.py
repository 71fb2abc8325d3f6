#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make a container image of the static program, without a daemon. Usage: image.py VERSION DIST LAYOUT

Takes each coras_VERSION_linux_ARCH.tar.gz in DIST, makes of it one layer and a configuration, and lets coras itself put
them into the OCI layout LAYOUT: an image for each architecture and an index under the tags VERSION and latest. From there
`coras cp --from-oci-layout LAYOUT:VERSION REGISTRY/REPOSITORY:VERSION` takes it to any registry.

In the image are the program with its licences, the certificates of this machine's authorities, and nothing else; it runs as user 65532.
The same files give the same bytes. The program that is called is $CORAS, else coras in PATH.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tarfile
import tempfile
import time

USER = 65532
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
STORE, TEXTS = "var/lib/coras", "usr/share/doc/coras"
LICENCES = ("LICENSE", "NOTICE", "THIRD-PARTY")
ARCHITECTURES = ("amd64", "arm64")
MOMENT = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
PASSWD = f"coras:x:{USER}:{USER}:coras:/{STORE}:/nonexistent\n"


def authorities():
    paths = ssl.get_default_verify_paths()
    for path in (paths.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if path and os.path.exists(path):
            return pathlib.Path(path).read_bytes()
    sys.exit("image: no certificates of authorities on this machine (package ca-certificates)")


def files_of(archive):
    """The program and the licences of what is inside it, by their names."""
    with tarfile.open(archive) as tar:
        return {name: tar.extractfile(name).read() for name in ("coras", *LICENCES)}


def layer(files):
    """The files of the image as a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        def add(name, kind=tarfile.DIRTYPE, mode=0o755, owner=0, data=b"", target=""):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime, info.size, info.linkname = kind, mode, MOMENT, len(data), target
            info.uid = info.gid = owner
            tar.addfile(info, io.BytesIO(data))

        for name in ("etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/bin", "usr/share", "usr/share/doc", TEXTS, "var", "var/lib"):
            add(name)
        add(STORE, mode=0o700, owner=USER)
        add("tmp", mode=0o1777)
        add("etc/passwd", tarfile.REGTYPE, 0o644, data=PASSWD.encode())
        add("etc/ssl/certs/ca-certificates.crt", tarfile.REGTYPE, 0o644, data=authorities())
        add("usr/bin/coras", tarfile.REGTYPE, 0o755, data=files["coras"])
        add("usr/bin/oras", tarfile.SYMTYPE, 0o777, target="coras")
        for name in LICENCES:
            add(f"{TEXTS}/{name}", tarfile.REGTYPE, 0o644, data=files[name])
    return out.getvalue()


def configuration(version, architecture, tar):
    return {
        "architecture": architecture, "os": "linux",
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(MOMENT)),
        "config": {
            "User": f"{USER}:{USER}", "WorkingDir": f"/{STORE}", "Entrypoint": ["/usr/bin/coras"], "Cmd": ["help"],
            "Env": ["PATH=/usr/bin", f"HOME=/{STORE}"], "Volumes": {f"/{STORE}": {}}, "ExposedPorts": {"5000/tcp": {}},
            "Labels": {"org.opencontainers.image.title": "coras", "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "Apache-2.0"}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
    }


class Layout:
    """The layout, filled by coras."""

    def __init__(self, path):
        self.path, self.program = path, os.environ.get("CORAS") or "coras"

    def run(self, *words):
        subprocess.run([self.program, *words], check=True, stdout=subprocess.DEVNULL)

    def push_blob(self, media_type, data):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            self.run("blob", "push", "--oci-layout", f"{self.path}@{digest}", file.name)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def push_image(self, version, architecture, files):
        tar = layer(files)
        config = json.dumps(configuration(version, architecture, tar), indent=1).encode()
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.push_blob(CONFIG, config),
                    "layers": [self.push_blob(LAYER, gzip.compress(tar, 9, mtime=0))]}
        with tempfile.NamedTemporaryFile("w") as file:
            json.dump(manifest, file, indent=1)
            file.flush()
            self.run("manifest", "push", "--oci-layout", "--media-type", MANIFEST, f"{self.path}:{architecture}", file.name)


def main():
    version, dist, path = sys.argv[1:]
    found = {arch: pathlib.Path(dist, f"coras_{version}_linux_{arch}.tar.gz") for arch in ARCHITECTURES}
    found = {arch: archive for arch, archive in found.items() if archive.exists()}
    if not found:
        sys.exit(f"image: no coras_{version}_linux_*.tar.gz in {dist} (scripts/release makes them)")
    layout = Layout(path)
    for architecture, archive in found.items():
        layout.push_image(version, architecture, files_of(archive))
    layout.run("manifest", "index", "create", "--oci-layout", f"{path}:{version},latest", *found)
    print(f"{path}:{version}")


if __name__ == "__main__":
    main()
