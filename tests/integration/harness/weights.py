# SPDX-License-Identifier: Apache-2.0
"""Weight files for tests, written from the formats' descriptions."""

import json
import math
import struct

BITS = {"U8": 8, "I8": 8, "BOOL": 8, "F8_E4M3": 8, "F16": 16, "BF16": 16, "F32": 32, "I32": 32,
        "F64": 64, "I64": 64, "F4": 4}


def safetensors(tensors, metadata=None, data=True):
    """A file of {name: (dtype, shape)} in this order, zeros inside; `data=False`: its header."""
    header, at = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape) in tensors.items():
        size = math.prod(shape) * BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + (bytes(at) if data else b"")


BLOCKS = {0: (1, 4), 1: (1, 2), 8: (32, 34), 12: (256, 144), 24: (1, 1), 30: (1, 2)}


def _string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value):
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if isinstance(value, list):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_string, value))
    return struct.pack("<II", 4, value)


def gguf(metadata, tensors, version=3):
    """A file of {key: text, list of texts or number} and {name: (type id, shape)}."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        out += _string(key) + _value(value)
    at = 0
    for name, (kind, shape) in tensors.items():
        out += _string(name) + struct.pack("<I", len(shape))
        out += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, at)
        elements, size = BLOCKS[kind]
        at += math.prod(shape) // elements * size
        at += -at % 32
    out += bytes(-len(out) % 32) if tensors else b""
    return out + bytes(at)
