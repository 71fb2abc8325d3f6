# SPDX-License-Identifier: Apache-2.0
"""Every command of docs/models.md works as it stands."""

import json
import re
import struct
import unittest
from pathlib import Path

from harness.case import CliCase, main
from harness.servers import CorasServe, can_serve

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


def blocks():
    """(heading, script) of each block that is marked as shell."""
    heading, found = "", []
    for match in re.finditer(r"^## ([^\n]*)$|^```sh\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        heading = match[1] or heading
        if match[2]:
            found.append((heading, match[2]))
    return found


def safetensors(**tensors):
    """A file of F32 tensors: name=[elements, ...]."""
    header, data = {}, b""
    for name, shape in tensors.items():
        count = 1
        for length in shape:
            count *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *range(count))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


@unittest.skipUnless(can_serve(), "coras serve is not built")
class Page(CliCase):
    def test_commands(self):
        server = self.serve_here(CorasServe())
        self.box.link("coras", self.box.bin / "oras")
        self.box.write("tiny-llm/config.json", b'{"architectures":["TinyForCausalLM"],"model_type":"tiny",'
                                               b'"max_position_embeddings":128,"torch_dtype":"float32"}\n')
        self.box.write("tiny-llm/model.safetensors", safetensors(**{"embed.weight": [8, 4], "lm_head.weight": [8, 4]}))
        self.box.write("tiny-llm/tokenizer.json", b'{"version":"1.0"}\n')
        self.assertTrue(blocks())
        for heading, script in blocks():
            with self.subTest(heading):
                script = script.replace("localhost:5000", server.host)
                self.box.run("sh", "-euc", script, check=0)


if __name__ == "__main__":
    main()
