# SPDX-License-Identifier: Apache-2.0
"""Machine-learning models and other files in a container registry.

    from coras import OrasClient

    client = OrasClient("registry.example.com")
    client.login("user", password)
    pushed = client.push("myorg/sentiment", "v1", ["model.safetensors", "config.json"])
    client.tag("myorg/sentiment", "v1", "latest")
    files = client.pull("myorg/sentiment", "latest", "model-artifacts")

    path = coras.resolve("oci://registry.example.com/myorg/sentiment:v1")

Everything is done by the program `coras`, which the wheel carries. Nothing is imported before it is used.
"""

TYPE_CHECKING = False  # type checkers know better; importing typing would cost the most of all
if TYPE_CHECKING:
    from typing import Any

    from .aio import AsyncOrasClient as AsyncOrasClient
    from .client import OrasClient as OrasClient
    from .errors import CorasError as CorasError
    from .errors import CorasTimeout as CorasTimeout
    from .program import find_program as find_program
    from .results import Difference as Difference
    from .results import Finding as Finding
    from .results import ModelFacts as ModelFacts
    from .results import ModelPath as ModelPath
    from .results import Progress as Progress
    from .results import Pulled as Pulled
    from .results import Pushed as Pushed
    from .results import Referrer as Referrer
    from .results import Scan as Scan
    from .urls import resolve as resolve

_HOMES = {
    "AsyncOrasClient": "aio",
    "CorasError": "errors",
    "CorasTimeout": "errors",
    "Difference": "results",
    "Finding": "results",
    "ModelFacts": "results",
    "ModelPath": "results",
    "OrasClient": "client",
    "Progress": "results",
    "Pulled": "results",
    "Pushed": "results",
    "Referrer": "results",
    "Scan": "results",
    "find_program": "program",
    "resolve": "urls",
}
__all__ = [
    "AsyncOrasClient",
    "CorasError",
    "CorasTimeout",
    "Difference",
    "Finding",
    "ModelFacts",
    "ModelPath",
    "OrasClient",
    "Progress",
    "Pulled",
    "Pushed",
    "Referrer",
    "Scan",
    "find_program",
    "resolve",
]


def __getattr__(name: str) -> "Any":
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'coras' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted({*globals(), *__all__})
