# SPDX-License-Identifier: Apache-2.0
"""python -m coras: the program itself."""

import os
import sys

from .program import find_program

if __name__ == "__main__":
    program = find_program()
    os.execv(program, [program, *sys.argv[1:]])
