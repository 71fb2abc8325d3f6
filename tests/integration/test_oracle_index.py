# SPDX-License-Identifier: Apache-2.0
"""The lines of tables/index.txt through upstream's program and ours."""

from harness.case import main
from harness.oracle import table_tests

Oracle = table_tests("index")

if __name__ == "__main__":
    main()
