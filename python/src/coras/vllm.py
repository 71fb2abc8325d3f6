# SPDX-License-Identifier: Apache-2.0
"""vLLM: `vllm serve oci://registry/repository:tag`.

vLLM calls register() in each of its processes (entry point group vllm.general_plugins). From then on what builds the
engine's configuration sees local paths in place of oci:// URLs; the model keeps its URL as the name it is served under.
"""

from __future__ import annotations

import functools
from typing import Any

# What of an engine's arguments may name a model, and the methods that read them first.
MODELS = ("model", "tokenizer", "hf_config_path")
METHODS = ("create_engine_config", "create_model_config")


def localize(arguments: Any) -> None:
    """Replace the URLs in the arguments of an engine by paths."""
    from .urls import is_url, resolve

    if is_url(getattr(arguments, "model", None)) and getattr(arguments, "served_model_name", "") is None:
        arguments.served_model_name = arguments.model
    for name in MODELS:
        if is_url(getattr(arguments, name, None)):
            setattr(arguments, name, str(resolve(getattr(arguments, name))))


def _wrap(kind: Any, name: str) -> None:
    original = getattr(kind, name, None)
    if original is None or getattr(original, "resolves_oci", False):
        return

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        localize(self)
        return original(self, *args, **kwargs)

    marked: Any = method
    marked.resolves_oci = True
    setattr(kind, name, marked)


def register() -> None:
    """Called by vLLM, once or several times in a process."""
    import importlib

    kind = importlib.import_module("vllm.engine.arg_utils").EngineArgs
    for name in METHODS:
        _wrap(kind, name)
