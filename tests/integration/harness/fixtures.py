# SPDX-License-Identifier: Apache-2.0
"""Artifacts with fixed bytes that tests find in a registry or layout before they start."""

import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path

from .scripted import EMPTY, IMAGE, INDEX, TITLE, compact, layer, sha256

CREATED = "org.opencontainers.image.created"
REF_NAME = "org.opencontainers.image.ref.name"
WHEN = {CREATED: "2024-01-01T00:00:00Z"}
UNKNOWN_TYPE = "application/vnd.unknown.artifact.v1"
TAR = "application/vnd.oci.image.layer.v1.tar"
TAR_GZIP = TAR + "+gzip"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OLD_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"

HI, BYE, CFG = b"hello world", b"bye\n", b'{"a":1}'


def make_tar(members):
    """A ustar archive with exactly two zero blocks, as Go writes it.

    members: (name, data) for files, (name, None) for directories, or TarInfo objects.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            name, data = member
            info = tarfile.TarInfo(name)
            info.mtime = 1700000000
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
        end = tar.offset
    return out.getvalue()[:end] + bytes(1024)


def tar_layer(tar, title, **members):
    """(bytes, descriptor) of a packed directory that pull unpacks."""
    data = gzip.compress(tar, 6, mtime=0)
    entry = layer(data, title, TAR_GZIP, **members)
    entry["annotations"]["io.deis.oras.content.digest"] = sha256(tar)
    entry["annotations"]["io.deis.oras.content.unpack"] = "true"
    return data, entry


class Repo:
    """The content of one repository."""

    def __init__(self):
        self.blobs = {}
        self.manifests = []  # (tag or None, bytes, media type), children first
        self.only_layout = False

    def blob(self, data):
        self.blobs[sha256(data)] = data
        return data

    def file(self, data, title=None, media_type=TAR):
        return layer(self.blob(data), title, media_type)

    def add(self, tag, value, media_type=None):
        """Add a manifest; returns its descriptor (mediaType, digest, size)."""
        data = compact(value)
        media_type = media_type or value["mediaType"]
        self.manifests.append((tag, data, media_type))
        return {"mediaType": media_type, "digest": sha256(data), "size": len(data)}

    def artifact(self, tag, layers, artifact_type=UNKNOWN_TYPE, config=None, subject=None,
                 annotations=None):
        self.blob(b"{}")
        value = {"schemaVersion": 2, "mediaType": IMAGE, "artifactType": artifact_type,
                 "config": config or EMPTY, "layers": layers or [EMPTY]}
        if artifact_type is None:
            del value["artifactType"]
        if subject:
            value["subject"] = subject
        value["annotations"] = dict(sorted({**WHEN, **(annotations or {})}.items()))
        return self.add(tag, value)

    def image(self, tag, os, architecture, variant=None, data=b"rootfs", title=None):
        config = {"architecture": architecture, "os": os, "rootfs": {"type": "layers"}}
        if variant:
            config["variant"] = variant
        platform = {"architecture": architecture, "os": os}
        if variant:
            platform["variant"] = variant
        found = self.add(tag, {"schemaVersion": 2, "mediaType": IMAGE,
                               "config": self.file(compact(config), None, IMAGE_CONFIG),
                               "layers": [self.file(data, title, TAR_GZIP)]})
        return {**found, "platform": platform}

    def index(self, tag, manifests, **members):
        return self.add(tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests,
                              **members})

    def referrers_index(self, subject, referrers):
        """The index that the referrers tag schema keeps for registries without the API."""
        tag = subject["digest"].replace(":", "-")
        self.add(tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": referrers})

    # installing ---------------------------------------------------------------------------------

    def install(self, api, repo, referrers_tags):
        """Push by plain HTTP."""
        for digest, data in self.blobs.items():
            api.push_blob(repo, data, digest)
        for tag, data, media_type in self.manifests:
            is_schema = tag is not None and tag.startswith("sha256-")
            if not is_schema or referrers_tags:
                api.push_manifest(repo, tag or sha256(data), data, media_type)

    def install_layout(self, directory):
        """Write an OCI layout."""
        blobs = Path(directory) / "blobs/sha256"
        blobs.mkdir(parents=True)
        entries, tagged = [], set()
        for tag, data, media_type in self.manifests:
            if tag is not None and tag.startswith("sha256-"):
                continue
            entry = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}
            if tag is not None:
                entry["annotations"] = {REF_NAME: tag}
                tagged.add(entry["digest"])
            entries.append(entry)
            (blobs / sha256(data)[7:]).write_bytes(data)
        entries = [e for e in entries if "annotations" in e or e["digest"] not in tagged]
        for digest, data in self.blobs.items():
            (blobs / digest[7:]).write_bytes(data)
        (Path(directory) / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (Path(directory) / "index.json").write_bytes(compact(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))


def _hello(repo):
    repo.artifact("v1", [repo.file(HI, "hi.txt")])
    repo.artifact("v2", [repo.file(HI, "hi.txt", "text/plain"), repo.file(BYE, "bye.txt")],
                  "application/vnd.example+type")
    repo.artifact("latest", [repo.file(HI, "hi.txt")])


def _dir(repo):
    tar = make_tar([("d", None), ("d/a.txt", b"a\n"), ("d/sub", None), ("d/sub/b.txt", b"b\n")])
    data, entry = tar_layer(tar, "d")
    repo.blob(data)
    repo.artifact("v1", [entry])
    plain = dict(entry, annotations={**entry["annotations"], TITLE: "d.tar.gz",
                                     "io.deis.oras.content.unpack": "false"})
    repo.artifact("packed", [plain])


def _dup(repo):
    repo.artifact("v1", [repo.file(HI, "same.txt"), repo.file(BYE, "same.txt")])


def _twice(repo):
    repo.artifact("v1", [repo.file(HI, "a.txt"), repo.file(HI, "b.txt", "text/plain")])


def _same(repo):
    repo.artifact("v1", [repo.file(HI, "one.txt"), repo.file(HI, "two.txt")])
    repo.artifact("unnamed", [repo.file(HI, "one.txt"), repo.file(HI, "one.txt"), repo.file(HI)])


def _unnamed(repo):
    repo.artifact("v1", [repo.file(HI, None, "application/x.one"), repo.file(BYE, "bye.txt")])
    repo.artifact("none", [repo.file(HI, None, "application/x.one")])
    repo.artifact("config", [repo.file(BYE, "bye.txt")], config=repo.file(CFG, None, "application/x"))


def _cfg(repo):
    repo.artifact("v1", [repo.file(HI, "hi.txt")], None,
                  config=repo.file(CFG, None, "application/vnd.me.config"))


def _empty(repo):
    repo.artifact("v1", [])


def _idx(repo):
    amd = repo.image("amd64", "linux", "amd64", None, b"amd64 bytes", "app")
    arm = repo.image("arm64", "linux", "arm64", "v8", b"arm64 bytes", "app")
    repo.index("v1", [amd, arm])
    s390 = repo.image("s390x", "linux", "s390x", None, b"s390x bytes")
    repo.index("v2", [amd, s390], annotations={"k": "v"})
    repo.index("three", [amd, arm, s390])
    repo.index("none", [])


def _nested(repo):
    one = repo.artifact(None, [repo.file(HI, "hi.txt")])
    inner = repo.index("inner", [one])
    two = repo.artifact(None, [repo.file(BYE, "bye.txt")], "application/y")
    repo.index("v1", [inner, two])


def _ref(repo):
    subject = repo.artifact("v1", [repo.file(HI, "hi.txt")])
    listed = []

    def attach(data, title, kind, annotations=None, to=subject):
        found = repo.artifact(None, [repo.file(data, title)] if data else [], kind, subject=to,
                              annotations=annotations)
        return {**found, "annotations": dict(sorted({**WHEN, **(annotations or {})}.items())),
                "artifactType": kind}

    sbom = attach(b"sbom one", "sbom.json", "sbom/example", {"num": "1", "yes": "true"})
    listed += [sbom, attach(b"sig one", "sig.bin", "sig/example", {"k": "v"}),
               attach(b"sig two", "sig.bin", "sig/example", {"k": "w: x"})]
    plain = {k: sbom[k] for k in ("mediaType", "digest", "size")}
    signed = attach(b"sig of sbom", "sig.bin", "sig/example", {"of": "sbom"}, plain)
    repo.referrers_index(plain, [signed])
    repo.referrers_index(subject, listed)


def _child(repo):
    """Referrers of the manifests of an index that has none of its own."""
    amd = repo.image("amd64", "linux", "amd64", None, b"amd64 child", "app")
    arm = repo.image(None, "linux", "arm64", "v8", b"arm64 child", "app")
    index = repo.index("idx", [amd, arm])

    def attach(to, kind, data):
        plain = {k: to[k] for k in ("mediaType", "digest", "size")}
        found = repo.artifact(None, [repo.file(data, "sig.bin")], kind, subject=plain)
        repo.referrers_index(plain, [{**found, "annotations": WHEN, "artifactType": kind}])
        return found

    attach(attach(amd, "sig/one", b"sig of amd64"), "sig/two", b"sig of the sig")
    attach(arm, "sig/one", b"sig of arm64")
    repo.index("outer", [index])


def _foreign(repo):
    """A layer that stays where it is."""
    repo.only_layout = True
    windows = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "size": 7,
               "digest": sha256(b"windows"), "urls": ["http://localhost:1/windows"]}
    repo.add("v1", {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
                    "config": repo.file(CFG, None, "application/vnd.docker.container.image.v1+json"),
                    "layers": [windows, repo.file(HI, None,
                                                  "application/vnd.docker.image.rootfs.diff.tar.gzip")]})


def _tags(repo):
    for number in range(1, 14):
        repo.artifact(f"t{number:02d}", [repo.file(HI, "hi.txt")])
    repo.artifact("sha256-" + "ab" * 32, [repo.file(HI, "hi.txt")])


def _docker(repo):
    def image(tag, architecture, data):
        config = compact({"architecture": architecture, "os": "linux",
                          "rootfs": {"type": "layers", "diff_ids": [sha256(data)]}})
        found = repo.add(tag, {
            "schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
            "config": repo.file(config, None, "application/vnd.docker.container.image.v1+json"),
            "layers": [repo.file(data, None, "application/vnd.docker.image.rootfs.diff.tar.gzip")]})
        return {**found, "platform": {"architecture": architecture, "os": "linux"}}

    amd, arm = image("amd64", "amd64", b"docker amd"), image("arm64", "arm64", b"docker arm")
    repo.add("v1", {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [amd, arm]})


def _old(repo):
    repo.only_layout = True
    repo.add("v1", {"mediaType": OLD_ARTIFACT, "artifactType": "application/x.old",
                    "blobs": [repo.file(HI, "hi.txt")], "annotations": {"k": "v"}})


_MAKERS = {"hello": _hello, "dir": _dir, "dup": _dup, "same": _same, "twice": _twice, "unnamed": _unnamed,
           "cfg": _cfg, "empty": _empty, "idx": _idx, "nested": _nested, "ref": _ref,
           "child": _child, "foreign": _foreign, "tags": _tags, "docker": _docker, "old": _old}

REPOS = {}
for _name, _maker in _MAKERS.items():
    REPOS[_name] = Repo()
    _maker(REPOS[_name])

# Digests by name, for command lines: {hello.v1}, {ref.sbom}, {blob.hi}, …
DIGESTS = {f"{name}.{tag}": sha256(data) for name, repo in REPOS.items()
           for tag, data, _ in repo.manifests if tag}
DIGESTS.update({"blob.hi": sha256(HI), "blob.bye": sha256(BYE), "blob.cfg": sha256(CFG),
                "blob.empty": EMPTY["digest"], "zero": "sha256:" + "0" * 64,
                "ref.sbom": sha256(REPOS["ref"].manifests[1][1]),
                "ref.sig": sha256(REPOS["ref"].manifests[2][1])})

ANN = {"$manifest": {CREATED: "2024-01-01T00:00:00Z", "z": "last", "a": "first"},
       "$config": {"ck": "cv"}, "hi.txt": {"fk": "fv"}, "bye.txt": {TITLE: "renamed.txt"}}

FILES = {
    "hi.txt": HI, "bye.txt": BYE, "hi2.txt": HI, "cfg.json": CFG, "empty.bin": b"",
    "ann.json": json.dumps(ANN).encode(),
    "ann_bad.json": b'{"$manifest": 5}', "ann_no.json": b"no json",
    "ann_dot.json": json.dumps({"$manifest": {CREATED: "2024-01-01T00:00:00Z"},
                                "./hi.txt": {"dot": "yes"}}).encode() + b" trailing",
    "ann_null.json": b"null",
    "ann_twice.json": b'{"$manifest":{"org.opencontainers.image.created":"2024-01-01T00:00:00Z",'
                      b'"a":"1","a":"2"},"hi.txt":{"x":"1"},"hi.txt":{"y":"2"}}',
    "ann_untitled.json": json.dumps({"hi.txt": {TITLE: ""}}).encode(),
    "sub/in.txt": b"inside\n", "text.TAR": b"no archive\n",
    "m.json": compact({"schemaVersion": 2, "mediaType": IMAGE, "artifactType": "application/x.m",
                       "config": EMPTY, "layers": [layer(HI, "hi.txt", TAR)]}),
    "m_notype.json": compact({"schemaVersion": 2, "config": EMPTY, "layers": []}),
    "m_pretty.json": json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": EMPTY,
                                 "layers": [EMPTY], "annotations": {"html": "<&>"}},
                                indent=3).encode(),
}


def write_files(directory):
    """The files that command lines speak of, with fixed times."""
    import os
    for name, data in FILES.items():
        path = Path(directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    top = Path(directory) / "d"
    (top / "sub").mkdir(parents=True)
    (top / "a.txt").write_bytes(b"a\n")
    (top / "sub/b.txt").write_bytes(b"b\n")
    (top / "link").symlink_to("a.txt")
    (top / "a.txt").chmod(0o600)
    for path in (top / "a.txt", top / "sub/b.txt", top / "sub", top):
        os.utime(path, (1700000000, 1700000000))


def copy_layout(name, directory):
    """Install a fixture as a layout."""
    shutil.rmtree(directory, ignore_errors=True)
    REPOS[name].install_layout(directory)
