# SPDX-License-Identifier: Apache-2.0
"""Stores that speak S3, on a port of their own, with one bucket."""

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from .programs import VERSITYGW
from .waiting import wait_until

KEY_ID = "coras-test"
SECRET = "a secret of the tests"
BUCKET = "blobs"


def credentials():
    """The environment of a program that is to find them."""
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Store:
    """versitygw on a directory: each object is a file of its key's name."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix="coras-store-"))
        (self.top / BUCKET).mkdir()
        self.port = free_port()
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [VERSITYGW, "--port", f"127.0.0.1:{self.port}", "--access", KEY_ID, "--secret", SECRET,
             "--keep-alive", "--quiet", "posix", str(self.top)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.top)})
        wait_until(self.answers, self.process)

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return True
        except OSError:
            return False

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def objects(self):
        """Sizes of what is in the bucket, by key."""
        bucket = self.top / BUCKET
        return {str(path.relative_to(bucket)): path.stat().st_size for path in bucket.rglob("*")
                if path.is_file() and not str(path.relative_to(bucket)).startswith(".sgwtmp")}

    def parts(self):
        """Sizes of what was sent of objects that are not whole."""
        return [path.stat().st_size for path in (self.top / BUCKET).rglob(".sgwtmp/multipart/**/*")
                if path.is_file()]

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def close(self):
        self.stop()
        shutil.rmtree(self.top, ignore_errors=True)
