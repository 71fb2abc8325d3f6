# SPDX-License-Identifier: Apache-2.0
"""What the integration tests stand on: servers, faults, program runners, comparison.

Only Python's standard library is used. The programs come from the environment:

    CORAS               the program under test (default: build/cli/coras, then PATH)
    CORAS_TEST_ORAS     upstream's oras, the oracle
    CORAS_TEST_CRANE    crane
    CORAS_TEST_REGISTRY distribution 3's registry
"""
