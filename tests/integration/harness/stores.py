# SPDX-License-Identifier: Apache-2.0
"""Stores that speak S3, on a port of their own, with one bucket.

Three of them, which differ in what they make of an ETag, of parts, of conditions and of errors: versitygw, `rclone serve
s3` and moto. Tests look into them by S3 too, with requests that are signed here.
"""

import datetime
import hashlib
import hmac
import http.client
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from .programs import MOTO_PYTHON, RCLONE, VERSITYGW
from .waiting import wait_until

KEY_ID = "coras-test"
SECRET = "a-secret-of-the-tests"
BUCKET = "blobs"
REGION = "us-east-1"


def credentials():
    """The environment of a program that is to find them."""
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(method, host, path, query, body, secret=SECRET):
    """The headers of a request as it has to be signed (AWS Signature Version 4)."""
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope, payload = f"{date[:8]}/{REGION}/s3/aws4_request", hashlib.sha256(body).hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = (f"{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{date}\n\n"
                 f"{names}\n{payload}")
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for step in (*scope.split("/"), text):
        key = _hmac(key, step)
    return {"x-amz-date": date, "x-amz-content-sha256": payload, "Authorization":
            f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope},SignedHeaders={names},Signature={key.hex()}"}


class Store:
    """versitygw on a directory."""

    def __init__(self):
        self.secret = SECRET  # from the next start on
        self.top = Path(tempfile.mkdtemp(prefix="coras-store-"))
        (self.top / BUCKET).mkdir()
        self.port = free_port()
        self.process = None
        self.start()

    def command(self):
        return [VERSITYGW, "--port", f"127.0.0.1:{self.port}", "--access", KEY_ID, "--secret", self.secret,
                "--keep-alive", "--quiet", "posix", str(self.top)]

    def start(self):
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.top)})
        wait_until(self.answers, self.process)

    def answers(self):
        try:
            self.ask("GET", "/")
            return True
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method, path, query="", body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            host = f"127.0.0.1:{self.port}"
            connection.request(method, f"{path}?{query}" if query else path, body, signed(method, host, path, query, body, self.secret))
            reply = connection.getresponse()
            return reply.status, reply.read().decode(errors="replace")
        finally:
            connection.close()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def objects(self):
        """Sizes of what is in the bucket, by key."""
        status, text = self.ask("GET", f"/{BUCKET}", "list-type=2")
        assert status == 200, text
        return {re.search("<Key>(.*?)</Key>", entry)[1]: int(re.search("<Size>(.*?)</Size>", entry)[1])
                for entry in re.findall("<Contents>(.*?)</Contents>", text, re.S)}

    def parts(self):
        """Keys of objects of which parts were sent, and that are not whole."""
        status, text = self.ask("GET", f"/{BUCKET}", "uploads=")
        assert status == 200, text
        return [re.search("<Key>(.*?)</Key>", entry)[1] for entry in re.findall("<Upload>(.*?)</Upload>", text, re.S)]

    def write(self, key, data):
        """Put it there behind everybody's back."""
        status, text = self.ask("PUT", f"/{BUCKET}/{quote(key)}", body=data)
        assert status == 200, text

    def remove(self, key):
        status, text = self.ask("DELETE", f"/{BUCKET}/{quote(key)}")
        assert status in (200, 204), text

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def close(self):
        self.stop()
        shutil.rmtree(self.top, ignore_errors=True)


class Rclone(Store):
    """`rclone serve s3` on a directory. It keeps parts in its memory."""

    def command(self):
        return [RCLONE, "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY_ID},{SECRET}",
                "--config", "/dev/null", "--vfs-cache-mode", "off", str(self.top)]


class Moto(Store):
    """moto's server: everything is in its memory, and nobody's signature is checked."""

    def command(self):
        return [MOTO_PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def start(self):
        super().start()
        self.ask("PUT", f"/{BUCKET}")
