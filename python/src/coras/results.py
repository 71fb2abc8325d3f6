# SPDX-License-Identifier: Apache-2.0
"""What operations return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Progress:
    """Something happened. `bytes` and `total` are those of `digest`, in "total" and "done" those of everything.

    event: "begin", "hashing", "start", "progress", "retry", "end", "failed", "total", "tagged", "kept", "done"
    rate: bytes a second; left: seconds until the end, or None while nobody knows
    fields: the whole line
    """

    event: str
    name: str | None
    digest: str | None
    bytes: int
    total: int
    rate: int
    left: int | None
    fields: dict[str, Any]


class Pushed(str):
    """The text that the program prints, with `digest` and `reference` ("registry/repo@digest")."""

    digest: str
    reference: str
    fields: dict[str, Any]

    def __new__(cls, text: str, digest: str, reference: str, fields: dict[str, Any]) -> Pushed:
        self = super().__new__(cls, text)
        self.digest, self.reference, self.fields = digest, reference, fields
        return self


class Pulled(list[Path]):
    """The paths of the files, with `digest` and `reference` ("registry/repo@digest")."""

    digest: str
    reference: str

    def __init__(self, files: Iterable[Path], digest: str, reference: str) -> None:
        super().__init__(files)
        self.digest, self.reference = digest, reference


@dataclass(frozen=True)
class Referrer:
    """A manifest and what refers to it: signatures, bills of materials, results."""

    reference: str
    digest: str
    artifact_type: str
    size: int
    annotations: dict[str, str]
    referrers: list[Referrer]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Referrer:
        return cls(
            fields["reference"],
            fields["digest"],
            fields.get("artifactType", ""),
            fields.get("size", 0),
            dict(fields.get("annotations") or {}),
            [cls.of(each) for each in fields.get("referrers") or []],
        )


@dataclass(frozen=True)
class ModelFile:
    """A file of a model."""

    path: str
    size: int
    digest: str | None


@dataclass(frozen=True)
class Tensor:
    """A tensor, and where its bytes are."""

    name: str
    dtype: str
    shape: list[int]
    file: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class ModelFacts:
    """What is in a model. `fields` is the whole object that the program prints."""

    reference: str
    digest: str | None
    package: str | None
    format: str | None
    architecture: str | None
    parameters: int | None
    tensor_count: int | None
    dtypes: dict[str, int]
    files: list[ModelFile]
    total_size: int
    verified: bool
    warnings: list[str]
    tensors: list[Tensor] | None
    fields: dict[str, Any]

    @classmethod
    def of(cls, fields: dict[str, Any]) -> ModelFacts:
        tensors = fields.get("tensors")
        return cls(
            reference=fields["reference"],
            digest=fields.get("digest"),
            package=fields.get("package"),
            format=fields.get("format"),
            architecture=fields.get("architecture"),
            parameters=fields.get("parameters"),
            tensor_count=fields.get("tensorCount"),
            dtypes=dict(fields.get("dtypes") or {}),
            files=[ModelFile(f["path"], f["size"], f.get("digest")) for f in fields.get("files") or []],
            total_size=fields.get("totalSize", 0),
            verified=bool(fields.get("verified")),
            warnings=list(fields.get("warnings") or []),
            tensors=None
            if tensors is None
            else [Tensor(t["name"], t["dtype"], list(t["shape"]), t["file"], t["offset"], t["bytes"]) for t in tensors],
            fields=fields,
        )


@dataclass(frozen=True)
class ModelPath:
    """What an engine loads: a directory, or a file where `format` is "gguf". May stand wherever a path may."""

    path: Path
    digest: str
    reference: str
    format: str

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> ModelPath:
        return cls(Path(fields["path"]), fields["digest"], fields["reference"], fields["format"])


@dataclass(frozen=True)
class ChangedTensor:
    """A tensor that two models have and that differs in `what`: "dtype", "shape", "bytes"."""

    name: str
    what: list[str]


@dataclass(frozen=True)
class ChangedValue:
    """A value of a JSON document that differs; None where it is absent."""

    path: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Changes:
    """Names that one side has and the other has not."""

    added: list[str]
    removed: list[str]
    changed: list[str]


@dataclass(frozen=True)
class Difference:
    """What distinguishes two models. False when nothing does."""

    a: str
    b: str
    files: Changes
    tensors_added: list[str]
    tensors_removed: list[str]
    tensors_changed: list[ChangedTensor]
    config: list[ChangedValue]

    def __bool__(self) -> bool:
        lists = (self.tensors_added, self.tensors_removed, self.tensors_changed, self.config)
        return any(lists) or bool(self.files.added or self.files.removed or self.files.changed)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Difference:
        files, tensors = fields["files"], fields["tensors"]
        return cls(
            fields["a"],
            fields["b"],
            Changes(files["added"], files["removed"], files["changed"]),
            tensors["added"],
            tensors["removed"],
            [ChangedTensor(t["name"], t["what"]) for t in tensors["changed"]],
            [ChangedValue(v["path"], v["a"], v["b"]) for v in fields["config"]],
        )


@dataclass(frozen=True)
class Finding:
    """Something in a model that runs code, or hides it. severity: "high", "medium", "low"."""

    file: str
    offset: int
    kind: str
    severity: str
    detail: str


@dataclass(frozen=True)
class Scan:
    """What a scan has found, and which files it could read. False when it has found nothing."""

    reference: str
    digest: str | None
    findings: list[Finding]
    looked: list[str]
    not_looked: list[str]

    def __bool__(self) -> bool:
        return bool(self.findings)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Scan:
        return cls(
            fields["reference"],
            fields.get("digest"),
            [Finding(f["file"], f["offset"], f["kind"], f["severity"], f["detail"]) for f in fields["findings"]],
            list(fields["looked"]),
            list(fields["notLooked"]),
        )
