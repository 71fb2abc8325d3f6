# SPDX-License-Identifier: Apache-2.0
"""oci:// for fsspec: pandas, datasets and others open files in a registry by URL, and read only the bytes they need.

    pandas.read_parquet("oci://registry.example.com/data/prices:v1/prices.parquet")

Reading only. A part of a file is not covered by its digest; whole files are (`get`, `cat`).
"""

from __future__ import annotations

import os
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from . import calls
from .client import OrasClient
from .errors import CorasError
from .urls import SCHEME, Location, parse

TITLE = "org.opencontainers.image.title"
MODEL_PATH = "org.cncf.model.filepath"


class OciFile(AbstractBufferedFile):  # type: ignore[misc]
    """A file that is read by ranges."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        fs: OciFileSystem = self.fs
        return fs.read_range(self.path, start, end)


class OciFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Files of artifacts: oci://registry/repository:tag/path. Options are those of OrasClient."""

    protocol = "oci"
    root_marker = ""
    cachable = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        names = ("plain_http", "insecure", "ca_file", "registry_config", "program", "timeout")
        self._options = {name: options[name] for name in names if name in options}
        self._known: dict[str, list[dict[str, Any]]] = {}

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        text = str(path)
        return (text[len(SCHEME) :] if text.startswith(SCHEME) else text).strip("/")

    def _client(self, place: Location) -> OrasClient:
        return OrasClient(place.registry, **self._options)

    def _files(self, place: Location) -> list[dict[str, Any]]:
        """The files of an artifact, asked for once."""
        known = self._known.get(place.reference)
        if known is not None:
            return known
        try:
            manifest = self._client(place).manifest(place.repository, place.tag)
        except CorasError as error:
            if error.code == "NOT_FOUND":
                raise FileNotFoundError(str(error)) from error
            raise
        files = []
        for layer in manifest.get("layers") or []:
            notes = layer.get("annotations") or {}
            name = notes.get(MODEL_PATH) or notes.get(TITLE)
            if name:
                name = f"{place.reference}/{name}"
                files.append({"name": name, "size": layer["size"], "type": "file", "digest": layer["digest"]})
        self._known[place.reference] = files
        return files

    def _find(self, path: str) -> tuple[Location, dict[str, Any] | None]:
        place = parse(self._strip_protocol(path))
        wanted = f"{place.reference}/{place.path}"
        return place, next((each for each in self._files(place) if each["name"] == wanted), None)

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        place, file = self._find(path)
        if file:
            return file
        name = f"{place.reference}/{place.path}".rstrip("/")
        if place.path and not any(each["name"].startswith(name + "/") for each in self._files(place)):
            raise FileNotFoundError(f"{SCHEME}{name}")
        return {"name": name, "size": 0, "type": "directory"}

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        place, file = self._find(path)
        if file:
            return [file] if detail else [file["name"]]
        above = f"{place.reference}/{place.path}".rstrip("/") + "/"
        found: dict[str, dict[str, Any]] = {}
        for each in self._files(place):
            if not each["name"].startswith(above):
                continue
            word, slash, _ = each["name"][len(above) :].partition("/")
            found[word] = {"name": above + word, "size": 0, "type": "directory"} if slash else each
        if not found and place.path:
            raise FileNotFoundError(f"{SCHEME}{above[:-1]}")
        entries = [found[word] for word in sorted(found)]
        return entries if detail else [each["name"] for each in entries]

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """Bytes from `start` to before `end` of a file."""
        place, file = self._find(path)
        if file is None:
            raise FileNotFoundError(f"{SCHEME}{path}")
        end = min(end, file["size"])
        if start >= end:
            return b""
        client = self._client(place)
        if (start, end) == (0, file["size"]):
            return client._run(calls.blob(client._settings, place.repository, file["digest"]))
        return client._run(calls.blob_range(client._settings, place.repository, file["digest"], start, end - 1))

    def get_file(self, rpath: str, lpath: Any, callback: Any = None, outfile: Any = None, **kwargs: Any) -> None:
        place, file = self._find(rpath)
        if file is None or outfile is not None or not isinstance(lpath, (str, os.PathLike)):
            super().get_file(rpath, lpath, **kwargs)
            return
        os.makedirs(os.path.dirname(os.path.abspath(lpath)), exist_ok=True)
        client = self._client(place)
        client._run(calls.blob_save(client._settings, place.repository, file["digest"], lpath))

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Any = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **kwargs: Any,
    ) -> OciFile:
        if mode != "rb":
            raise NotImplementedError("artifacts do not change: push a new one")
        info = self.info(path)
        if info["type"] != "file":
            raise IsADirectoryError(f"{SCHEME}{path}")
        size = info["size"]
        return OciFile(self, path, mode, block_size or "default", cache_options=cache_options, size=size, **kwargs)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        info = self.info(path)
        size = info["size"]
        first = 0 if start is None else max(0, start + size if start < 0 else start)
        last = size if end is None else end + size if end < 0 else end
        return self.read_range(path, first, last)
