# SPDX-License-Identifier: Apache-2.0
"""The client for asyncio: the same methods as coroutines. Cancelling one ends the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from . import calls
from .calls import AnyPath, Files, Model
from .progress import Option
from .registry import Registry
from .run import Call
from .run_async import run_async

if TYPE_CHECKING:
    from .results import Difference, ModelFacts, ModelPath, Pulled, Pushed, Referrer, Scan

T = TypeVar("T")


class AsyncModels:
    """Models: `client.model`. A model is a repository of the client's registry with a tag, or without one a whole
    reference, an oci:// URL or a local path.
    """

    def __init__(self, client: AsyncOrasClient) -> None:
        self._settings, self._run = client._settings, client._run

    async def inspect(self, model: Model, tag: str | None = None, *, tensors: bool = False) -> ModelFacts:
        """What is in a model, by reading its headers; with `tensors` each of them."""
        return await self._run(calls.model_inspect(self._settings, model, tag, tensors))

    async def path(
        self,
        model: Model,
        tag: str | None = None,
        *,
        pull: bool = True,
        progress: Option = None,
        timeout: float | None = None,
    ) -> ModelPath:
        """Where an engine finds a model, in the cache that programs share; pulled first unless it is there."""
        return await self._run(calls.model_path(self._settings, model, tag, pull), timeout, progress)

    async def pull(
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
        return await self._run(call, timeout, progress)

    async def push(
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
        return await self._run(call, timeout, progress)

    async def diff(self, a: Model, b: Model, *, deep: bool = False) -> Difference:
        """What distinguishes two models; with `deep` also by the bytes of the tensors."""
        return await self._run(calls.model_diff(self._settings, a, b, deep))

    async def scan(self, model: Model, tag: str | None = None) -> Scan:
        """What a loader of the model would run."""
        return await self._run(calls.model_scan(self._settings, model, tag))


class AsyncOrasClient(Registry):
    """One registry, for asyncio: see Registry for what it is told when it is made."""

    @cached_property
    def model(self) -> AsyncModels:
        """What can be done with models."""
        return AsyncModels(self)

    async def _run(self, call: Call[T], timeout: float | None = None, progress: Option = None) -> T:
        return await run_async(call, *self._how(timeout, progress))

    async def login(self, username: str, password: str) -> None:
        """Check the password, which goes through standard input, and keep it for later calls."""
        await self._run(calls.login(self._settings, username, password))

    async def logout(self) -> None:
        """Forget the credential of the registry."""
        await self._run(calls.logout(self._settings))

    async def push(
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
        return await self._run(call, timeout, progress)

    async def pull(
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
        return await self._run(call, timeout, progress)

    async def tag(self, repo: str, existing_tag: str, *new_tags: str) -> None:
        """Give an artifact further tags."""
        await self._run(calls.tag(self._settings, repo, existing_tag, new_tags))

    async def manifest(self, repo: str, tag: str) -> dict[str, Any]:
        """The manifest."""
        return await self._run(calls.manifest(self._settings, repo, tag))

    async def tags(self, repo: str) -> list[str]:
        """All tags of a repository."""
        return await self._run(calls.tags(self._settings, repo))

    async def resolve(self, repo: str, tag: str) -> str:
        """The digest that a tag names."""
        return await self._run(calls.resolve(self._settings, repo, tag))

    async def discover(self, repo: str, tag: str, artifact_type: str | None = None) -> Referrer:
        """An artifact with what refers to it."""
        return await self._run(calls.discover(self._settings, repo, tag, artifact_type))

    async def attach(
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
        return await self._run(call, timeout, progress)

    async def copy(
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
        await self._run(calls.copy(self._settings, repo, tag, to, recursive), timeout, progress)

    async def delete(self, repo: str, tag: str) -> None:
        """Delete a manifest, with all its tags; that it is not there is no error."""
        await self._run(calls.delete(self._settings, repo, tag))
