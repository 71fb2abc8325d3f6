# SPDX-License-Identifier: Apache-2.0
"""Models and files in one registry: every method runs the program once and returns its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from . import calls
from .calls import AnyPath, Files, Model
from .progress import Option
from .registry import Registry
from .run import Call, run

if TYPE_CHECKING:
    from .results import Difference, ModelFacts, ModelPath, Pulled, Pushed, Referrer, Scan

T = TypeVar("T")


class Models:
    """Models: `client.model`. A model is a repository of the client's registry with a tag, or without one a whole
    reference, an oci:// URL or a local path.
    """

    def __init__(self, client: OrasClient) -> None:
        self._settings, self._run = client._settings, client._run

    def inspect(self, model: Model, tag: str | None = None, *, tensors: bool = False) -> ModelFacts:
        """What is in a model, by reading its headers; with `tensors` each of them."""
        return self._run(calls.model_inspect(self._settings, model, tag, tensors))

    def path(
        self,
        model: Model,
        tag: str | None = None,
        *,
        pull: bool = True,
        progress: Option = None,
        timeout: float | None = None,
    ) -> ModelPath:
        """Where an engine finds a model, in the cache that programs share; pulled first unless it is there."""
        return self._run(calls.model_path(self._settings, model, tag, pull), timeout, progress)

    def pull(
        self,
        model: Model,
        tag: str | None = None,
        output_dir: AnyPath = ".",
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        tensors: Sequence[str] | None = None,
        safe: bool = False,
        progress: Option = None,
        timeout: float | None = None,
    ) -> Pulled:
        """Pull a model, whichever tool packed it, into the directory that engines load.

        tensors: patterns of the tensors to take; safe: scan first, and pull nothing that would run code
        """
        call = calls.model_pull(self._settings, model, tag, output_dir, include, exclude, tensors, safe)
        return self._run(call, timeout, progress)

    def push(
        self,
        repo: str,
        tag: str,
        directory: AnyPath,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        progress: Option = None,
        timeout: float | None = None,
    ) -> Pushed:
        """Push a directory as a model that every tool can read (a ModelPack)."""
        call = calls.model_push(self._settings, repo, tag, directory, include, exclude)
        return self._run(call, timeout, progress)

    def diff(self, a: Model, b: Model, *, deep: bool = False) -> Difference:
        """What distinguishes two models; with `deep` also by the bytes of the tensors."""
        return self._run(calls.model_diff(self._settings, a, b, deep))

    def scan(self, model: Model, tag: str | None = None) -> Scan:
        """What a loader of the model would run."""
        return self._run(calls.model_scan(self._settings, model, tag))


class OrasClient(Registry):
    """One registry: see Registry for what it is told when it is made."""

    @cached_property
    def model(self) -> Models:
        """What can be done with models."""
        return Models(self)

    def _run(self, call: Call[T], timeout: float | None = None, progress: Option = None) -> T:
        return run(call, *self._how(timeout, progress))

    def login(self, username: str, password: str) -> None:
        """Check the password, which goes through standard input, and keep it for later calls."""
        self._run(calls.login(self._settings, username, password))

    def logout(self) -> None:
        """Forget the credential of the registry."""
        self._run(calls.logout(self._settings))

    def push(
        self,
        repo: str,
        tag: str,
        files: Files,
        *,
        directory: AnyPath | None = None,
        artifact_type: str | None = None,
        annotations: Mapping[str, str] | None = None,
        progress: Option = None,
        timeout: float | None = None,
    ) -> Pushed:
        """Push files as an artifact; returns what the program prints, with `.digest` and `.reference`.

        files: paths, texts of the form "path:type", pairs (path, type) or a mapping of paths to types. Their names in
        the artifact are relative to `directory`, else to the current directory; of absolute paths to the directory that
        they share.
        """
        call = calls.push(self._settings, repo, tag, files, directory, artifact_type, annotations)
        return self._run(call, timeout, progress)

    def pull(
        self,
        repo: str,
        tag: str,
        output_dir: AnyPath = ".",
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        progress: Option = None,
        timeout: float | None = None,
    ) -> Pulled:
        """Pull into a directory; returns the paths of the files, with `.digest` and `.reference`."""
        call = calls.pull(self._settings, repo, tag, output_dir, include, exclude)
        return self._run(call, timeout, progress)

    def tag(self, repo: str, existing_tag: str, *new_tags: str) -> None:
        """Give an artifact further tags."""
        self._run(calls.tag(self._settings, repo, existing_tag, new_tags))

    def manifest(self, repo: str, tag: str) -> dict[str, Any]:
        """The manifest."""
        return self._run(calls.manifest(self._settings, repo, tag))

    def tags(self, repo: str) -> list[str]:
        """All tags of a repository."""
        return self._run(calls.tags(self._settings, repo))

    def resolve(self, repo: str, tag: str) -> str:
        """The digest that a tag names."""
        return self._run(calls.resolve(self._settings, repo, tag))

    def discover(self, repo: str, tag: str, artifact_type: str | None = None) -> Referrer:
        """An artifact with what refers to it."""
        return self._run(calls.discover(self._settings, repo, tag, artifact_type))

    def attach(
        self,
        repo: str,
        tag: str,
        artifact_type: str,
        files: Files,
        *,
        directory: AnyPath | None = None,
        annotations: Mapping[str, str] | None = None,
        progress: Option = None,
        timeout: float | None = None,
    ) -> Pushed:
        """Attach files to an artifact: results, signatures, a bill of materials."""
        call = calls.attach(self._settings, repo, tag, artifact_type, files, directory, annotations)
        return self._run(call, timeout, progress)

    def copy(
        self,
        repo: str,
        tag: str,
        to: str,
        *,
        recursive: bool = False,
        progress: Option = None,
        timeout: float | None = None,
    ) -> None:
        """Copy to another reference ("other.example.com/repo:tag"), with `recursive` also what refers to it."""
        self._run(calls.copy(self._settings, repo, tag, to, recursive), timeout, progress)

    def delete(self, repo: str, tag: str) -> None:
        """Delete a manifest, with all its tags; that it is not there is no error."""
        self._run(calls.delete(self._settings, repo, tag))
