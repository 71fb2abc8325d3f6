# SPDX-License-Identifier: Apache-2.0
"""The embedded registry on other stores that speak S3: what is said of one holds for each."""

import unittest

import test_server_conformance as judge
import test_server_s3
from harness import programs
from harness.case import main
from harness.stores import Moto, Rclone
from test_server_s3 import StoreCase


@programs.need_rclone
class BlobsOnRclone(test_server_s3.Blobs):
    kind = Rclone


@programs.need_moto
class BlobsOnMoto(test_server_s3.Blobs):
    kind = Moto


@unittest.skipIf(programs.SANITIZED, "slow, and the same code with versitygw")
@programs.need_rclone
@programs.need_conformance
class ConformanceOnRclone(StoreCase):
    kind = Rclone
    options = ("--sparse-index", "--no-redirect")
    access = judge.Conformance.access
    assert_conforms = judge.Conformance.assert_conforms
    test_next_specification = judge.Conformance.test_next_specification


@programs.need_moto
@programs.need_conformance
class ConformanceOnMoto(ConformanceOnRclone):
    kind = Moto


if __name__ == "__main__":
    main()
