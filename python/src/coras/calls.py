# SPDX-License-Identifier: Apache-2.0
"""From the arguments of a method to the words of the program, and from what it prints to a result.

The synchronous and the asynchronous client share these: a method builds a call, the client runs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

from .run import Call

if TYPE_CHECKING:
    from .results import Difference, ModelFacts, ModelPath, Pulled, Pushed, Referrer, Scan

T = TypeVar("T")
AnyPath = Union[str, "os.PathLike[str]"]
Files = Union[Mapping[str, Optional[str]], Iterable[Union[AnyPath, tuple[AnyPath, Optional[str]]]]]
Model = Union[AnyPath, tuple[str, str]]


class Settings:
    """Which registry, and how to reach it."""

    def __init__(
        self,
        registry: str,
        plain_http: bool | None = None,  # None: as the program decides, which is plain for localhost
        insecure: bool = False,
        ca_file: AnyPath | None = None,
        registry_config: AnyPath | None = None,
    ) -> None:
        self.registry = registry
        self.plain_http, self.insecure = plain_http, insecure
        self.ca_file, self.registry_config = ca_file, registry_config

    def flags(self, end: str = "") -> list[str]:
        """`end`: "from-" or "to-" for commands with two."""
        words = []
        if self.plain_http is not None:
            words.append(f"--{end}plain-http={'true' if self.plain_http else 'false'}")
        if self.insecure:
            words.append(f"--{end}insecure")
        if self.ca_file is not None:
            words += [f"--{end}ca-file", os.fspath(self.ca_file)]
        return words + self.config_flags(end)

    def config_flags(self, end: str = "") -> list[str]:
        return [] if self.registry_config is None else [f"--{end}registry-config", os.fspath(self.registry_config)]

    def reference(self, repo: str, tag: str | None = None) -> str:
        if tag is None:
            return f"{self.registry}/{repo}"
        return f"{self.registry}/{repo}{'@' if ':' in tag else ':'}{tag}"

    def model(self, model: Model, tag: str | None = None) -> str:
        """With a tag a repository of this registry; without one a whole reference, an oci:// URL or a local path."""
        if isinstance(model, tuple):
            return self.reference(*model)
        text = os.fspath(model)
        if tag is not None:
            return self.reference(text, tag)
        if text.startswith("oci://"):
            return text[len("oci://") :]
        if isinstance(model, os.PathLike) and not os.path.isabs(text):
            return os.path.join(".", text)
        return text

    def words(self, *command: str) -> list[str]:
        return [*command, "--error-format", "json", *self.flags()]


def _result(kind: str, out: bytes) -> Any:
    """A result of that name. Its module is loaded when there is one: it costs more than the others together."""
    from . import results

    return getattr(results, kind).of(_object(out))


def _object(out: bytes) -> dict[str, Any]:
    import json

    value = json.loads(out)
    assert isinstance(value, dict)
    return value


def _nothing(out: bytes) -> None:
    del out


# ---- files that go up ----


def _pairs(files: Files, base: str | None) -> list[tuple[str, str | None]]:
    """Paths and types. A text may have its type behind a colon, as on the command line."""
    if isinstance(files, Mapping):
        return [(os.fspath(path), kind) for path, kind in files.items()]
    pairs: list[tuple[str, str | None]] = []
    for each in [files] if isinstance(files, (str, os.PathLike)) else files:
        if isinstance(each, tuple):
            pairs.append((os.fspath(each[0]), each[1]))
        elif isinstance(each, str):
            path, colon, kind = each.rpartition(":")
            pairs.append((path, kind) if colon and not os.path.exists(os.path.join(base or "", each)) else (each, None))
        else:
            pairs.append((os.fspath(each), None))
    return pairs


def _file_words(files: Files, directory: AnyPath | None) -> tuple[list[str], str | None]:
    """Words for the files, and the directory that they are relative to: names in an artifact are relative."""
    base = None if directory is None else os.fspath(directory)
    pairs = _pairs(files, base)
    if base is None and any(os.path.isabs(path) for path, _ in pairs):
        base = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path, _ in pairs])
        pairs = [(os.path.relpath(os.path.abspath(path), base), kind) for path, kind in pairs]
    elif base is not None:
        pairs = [(os.path.relpath(path, base) if os.path.isabs(path) else path, kind) for path, kind in pairs]
    return [f"{path}:{kind or ''}" if kind or ":" in path else path for path, kind in pairs], base


def _annotation_words(annotations: Mapping[str, str] | None) -> list[str]:
    return [word for key, value in (annotations or {}).items() for word in ("--annotation", f"{key}={value}")]


def _repeated(flag: str, values: Sequence[str] | None) -> list[str]:
    return [word for value in values or () for word in (flag, value)]


def _pushed(out: bytes, shown: str) -> Pushed:
    from .results import Pushed

    fields = _object(out)
    text = f"Pushed [registry] {shown}\nArtifactType: {fields.get('artifactType', '')}\nDigest: {fields['digest']}\n"
    return Pushed(text, fields["digest"], fields["reference"], fields)


def _pulled(out: bytes) -> Pulled:
    from pathlib import Path

    from .results import Pulled

    fields = _object(out)
    reference = fields["reference"]
    return Pulled([Path(f["path"]) for f in fields["files"]], reference.rpartition("@")[2], reference)


# ---- the registry ----


def login(s: Settings, username: str, password: str) -> Call[None]:
    argv = [*s.words("login"), "--username", username, "--password-stdin"]
    return Call(argv, [s.registry], _nothing, stdin=password)


def logout(s: Settings) -> Call[None]:
    return Call(["logout", "--error-format", "json", *s.config_flags()], [s.registry], _nothing)


def push(
    s: Settings,
    repo: str,
    tag: str,
    files: Files,
    directory: AnyPath | None,
    artifact_type: str | None,
    annotations: Mapping[str, str] | None,
) -> Call[Pushed]:
    words, cwd = _file_words(files, directory)
    reference = s.reference(repo, tag)
    kind = ["--artifact-type", artifact_type] if artifact_type else []
    argv = [*s.words("push"), "--format", "json", *kind, *_annotation_words(annotations)]
    return Call(argv, [reference, *words], lambda out: _pushed(out, reference), cwd=cwd, tells_progress=True)


def pull(
    s: Settings,
    repo: str,
    tag: str,
    output_dir: AnyPath,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
) -> Call[Pulled]:
    chosen = [*_repeated("--include", include), *_repeated("--exclude", exclude)]
    argv = [*s.words("pull"), "--format", "json", "--output", os.fspath(output_dir), *chosen]
    return Call(argv, [s.reference(repo, tag)], _pulled, tells_progress=True)


def tag(s: Settings, repo: str, existing_tag: str, new_tags: Sequence[str]) -> Call[None]:
    return Call(s.words("tag"), [s.reference(repo, existing_tag), *new_tags], _nothing)


def tags(s: Settings, repo: str) -> Call[list[str]]:
    argv = [*s.words("repo", "tags"), "--format", "json"]
    return Call(argv, [s.reference(repo)], lambda out: list(_object(out)["tags"] or []))


def manifest(s: Settings, repo: str, tag: str) -> Call[dict[str, Any]]:
    return Call(s.words("manifest", "fetch"), [s.reference(repo, tag)], _object)


def resolve(s: Settings, repo: str, tag: str) -> Call[str]:
    return Call(s.words("resolve"), [s.reference(repo, tag)], lambda out: out.decode().strip())


def discover(s: Settings, repo: str, tag: str, artifact_type: str | None) -> Call[Referrer]:
    kind = ["--artifact-type", artifact_type] if artifact_type else []
    argv = [*s.words("discover"), "--format", "json", *kind]
    return Call(argv, [s.reference(repo, tag)], lambda out: _result("Referrer", out))


def attach(
    s: Settings,
    repo: str,
    tag: str,
    artifact_type: str,
    files: Files,
    directory: AnyPath | None,
    annotations: Mapping[str, str] | None,
) -> Call[Pushed]:
    words, cwd = _file_words(files, directory)
    reference = s.reference(repo, tag)
    argv = [*s.words("attach"), "--format", "json", "--artifact-type", artifact_type, *_annotation_words(annotations)]
    return Call(argv, [reference, *words], lambda out: _pushed(out, reference), cwd=cwd, tells_progress=True)


def copy(s: Settings, repo: str, tag: str, to: str, recursive: bool) -> Call[None]:
    """To another registry go the credentials alone: how that is reached is its own affair."""
    target = s.model(to)
    same = target.startswith(s.registry + "/")
    argv = ["cp", "--error-format", "json", *s.flags("from-"), *(s.flags("to-") if same else s.config_flags("to-"))]
    argv += ["--recursive"] if recursive else []
    return Call(argv, [s.reference(repo, tag), target], _nothing, tells_progress=True)


def delete(s: Settings, repo: str, tag: str) -> Call[None]:
    return Call([*s.words("manifest", "delete"), "--force"], [s.reference(repo, tag)], _nothing)


# ---- content, for the file system ----


def blob(s: Settings, repo: str, digest: str) -> Call[bytes]:
    """All of it, verified."""
    return Call([*s.words("blob", "fetch"), "--output", "-"], [s.reference(repo, digest)], lambda out: out)


def blob_save(s: Settings, repo: str, digest: str, path: AnyPath) -> Call[None]:
    """Into a file, which appears when it was verified."""
    return Call([*s.words("blob", "fetch"), "--output", os.fspath(path)], [s.reference(repo, digest)], _nothing)


def blob_range(s: Settings, repo: str, digest: str, first: int, last: int) -> Call[bytes]:
    argv = [*s.words("blob", "fetch"), "--output", "-", "--range", f"{first}-{last}"]
    return Call(argv, [s.reference(repo, digest)], lambda out: out)


# ---- models ----


def model_inspect(s: Settings, model: Model, tag: str | None, tensors: bool) -> Call[ModelFacts]:
    argv = [*s.words("model", "inspect"), "--format", "json", *(["--tensors"] if tensors else [])]
    return Call(argv, [s.model(model, tag)], lambda out: _result("ModelFacts", out))


def model_path(s: Settings, model: Model, tag: str | None, pull: bool) -> Call[ModelPath]:
    argv = [*s.words("model", "path"), *([] if pull else ["--no-pull"])]
    return Call(argv, [s.model(model, tag)], lambda out: _result("ModelPath", out), tells_progress=True)


def model_pull(
    s: Settings,
    model: Model,
    tag: str | None,
    output_dir: AnyPath,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
    tensors: Sequence[str] | None,
    safe: bool,
) -> Call[Pulled]:
    argv = [*s.words("model", "pull"), "--format", "json", "--output", os.fspath(output_dir)]
    argv += [*_repeated("--include", include), *_repeated("--exclude", exclude), *_repeated("--tensor", tensors)]
    argv += ["--safe"] if safe else []
    return Call(argv, [s.model(model, tag)], _pulled, tells_progress=True)


def model_push(
    s: Settings,
    repo: str,
    tag: str,
    directory: AnyPath,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
) -> Call[Pushed]:
    reference = s.reference(repo, tag)
    argv = [*s.words("model", "push"), "--format", "json"]
    argv += [*_repeated("--include", include), *_repeated("--exclude", exclude)]
    operands = [reference, os.fspath(directory)]
    return Call(argv, operands, lambda out: _pushed(out, reference), tells_progress=True)


def model_diff(s: Settings, a: Model, b: Model, deep: bool) -> Call[Difference]:
    argv = [*s.words("model", "diff"), "--format", "json", *(["--deep"] if deep else [])]
    return Call(argv, [s.model(a), s.model(b)], lambda out: _result("Difference", out))


def model_scan(s: Settings, model: Model, tag: str | None) -> Call[Scan]:
    argv = [*s.words("model", "scan"), "--format", "json"]
    return Call(argv, [s.model(model, tag)], lambda out: _result("Scan", out))
