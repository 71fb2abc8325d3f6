# SPDX-License-Identifier: Apache-2.0
"""oci://registry/repository:tag, and what an engine loads for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .progress import Option

SCHEME = "oci://"


class Location(NamedTuple):
    """What a URL names: an artifact, and a file in it ("" for all of it)."""

    registry: str
    repository: str
    tag: str  # or digest
    path: str

    @property
    def reference(self) -> str:
        return f"{self.registry}/{self.repository}{'@' if ':' in self.tag else ':'}{self.tag}"


def is_url(text: object) -> bool:
    return isinstance(text, str) and text.startswith(SCHEME)


def parse(url: str) -> Location:
    """The parts of oci://registry/repository:tag/path; the tag may be a digest (@sha256:...). ValueError otherwise."""
    text = url[len(SCHEME) :] if is_url(url) else url
    registry, _, rest = text.strip("/").partition("/")
    words = rest.split("/")
    for i, word in enumerate(words):
        mark = "@" if "@" in word else ":"
        name, found, tag = word.partition(mark)
        if found and name and tag:
            path = words[i + 1 :]
            if ".." in path or "" in path:  # "" in front would make it absolute
                raise ValueError(f"{url}: the path leads out of the artifact")
            name = name.partition(":")[0]
            return Location(registry, "/".join([*words[:i], name]), tag, "/".join(path))
    raise ValueError(f"{url}: expecting oci://registry/repository:tag or oci://registry/repository@digest")


def resolve(
    url: str | os.PathLike[str],
    *,
    pull: bool = True,
    progress: Option = None,
    timeout: float | None = None,
    program: str | os.PathLike[str] | None = None,
) -> Path:
    """The local path that an engine loads for oci://registry/repository:tag: pulled into the shared cache unless it is
    there. Anything that is no such URL is a path already.
    """
    if not is_url(url):
        return Path(url)
    from .client import OrasClient

    location = parse(str(url))
    client = OrasClient(location.registry, program=program, timeout=timeout, progress=progress)
    found = client.model.path(location.reference, pull=pull)
    return found.path / location.path if location.path else found.path
