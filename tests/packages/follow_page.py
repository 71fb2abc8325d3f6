# SPDX-License-Identifier: Apache-2.0
"""Do what a page of docs/ says: run its blocks marked `sh` and `python`, in their order, here. Usage: follow_page.py PAGE"""
import pathlib
import re
import subprocess
import sys

page = pathlib.Path(sys.argv[1])
for kind, script in re.findall(r"^```(sh|python)\n(.*?)^```$", page.read_text(), re.M | re.S):
    print(re.sub("^", "    ", script.rstrip(), flags=re.M), flush=True)
    subprocess.run(["sh", "-euc", script] if kind == "sh" else [sys.executable, "-c", script], check=True)
