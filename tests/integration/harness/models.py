# SPDX-License-Identifier: Apache-2.0
"""Weight files made by hand, and the JSON schema of ModelPack's config."""

import json
import struct

DTYPE_BYTES = {"U8": 1, "I8": 1, "F16": 2, "BF16": 2, "F32": 4, "I32": 4, "I64": 8}


def safetensors_raw(header, data=b""):
    """A file of this header text (bytes) and data: whatever they say."""
    return struct.pack("<Q", len(header)) + header + data


def safetensors(tensors, metadata=None, fill=b"\1"):
    """tensors: name -> (dtype, shape)."""
    header, at = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (dtype, shape) in tensors.items():
        size = DTYPE_BYTES[dtype]
        for n in shape:
            size *= n
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return safetensors_raw(text, (fill * at)[:at])


def _text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(metadata, tensors=(), version=3):
    """metadata: key -> text, int (u32) or bool; tensors: names of F32 tensors of 4 elements."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        out += _text(key)
        if isinstance(value, str):
            out += struct.pack("<I", 8) + _text(value)
        elif isinstance(value, bool):
            out += struct.pack("<I?", 7, value)
        else:
            out += struct.pack("<II", 4, value)
    for i, name in enumerate(tensors):
        out += _text(name) + struct.pack("<IQIQ", 1, 4, 0, 32 * i)
    if not tensors:
        return out
    out += bytes(-len(out) % 32)
    return out + bytes(32 * len(tensors) - 16)


# ---- the config of ModelPack: schema/config-schema.json of model-spec 0.0.7 ----

_STRING, _STRINGS, _DATE, _FLAG = "string", ["string"], "date", "flag"
_MODALITIES = {"text", "image", "audio", "video", "embedding", "other"}
_DESCRIPTOR = {"createdAt": _DATE, "authors": _STRINGS, "family": _STRING, "name": _STRING,
               "docURL": _STRING, "sourceURL": _STRING, "version": _STRING, "revision": _STRING,
               "vendor": _STRING, "licenses": _STRINGS, "title": _STRING, "description": _STRING}
_CONFIG = {"architecture": _STRING, "format": _STRING, "paramSize": _STRING, "precision": _STRING,
           "quantization": _STRING, "capabilities": dict}
_CAPABILITIES = {"inputTypes": _STRINGS, "outputTypes": _STRINGS, "knowledgeCutoff": _DATE,
                 "reasoning": _FLAG, "toolUsage": _FLAG, "reward": _FLAG, "languages": _STRINGS}


def _check_members(test, value, members):
    test.assertIsInstance(value, dict)
    for key, member in value.items():
        kind = members[key]  # no additional properties
        if kind is _FLAG:
            test.assertIsInstance(member, bool)
        elif kind is _STRINGS:
            test.assertTrue(all(isinstance(x, str) for x in member), member)
        elif kind is _DATE:
            test.assertRegex(member, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
        elif kind is _STRING:
            test.assertTrue(isinstance(member, str) and member, key)


def check_modelpack_config(test, config, layers):
    """Every rule of the schema, and that diffIds are the digests of these raw layers."""
    test.assertEqual(set(config), {"descriptor", "config", "modelfs"})
    _check_members(test, config["descriptor"], _DESCRIPTOR)
    _check_members(test, config["config"], _CONFIG)
    capabilities = config["config"].get("capabilities", {})
    _check_members(test, capabilities, _CAPABILITIES)
    for key in ("inputTypes", "outputTypes"):
        test.assertLessEqual(set(capabilities.get(key, [])), _MODALITIES)
    test.assertEqual(config["modelfs"], {"type": "layers",
                                         "diffIds": [layer["digest"] for layer in layers]})
