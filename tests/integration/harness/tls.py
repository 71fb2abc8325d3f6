# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority, made with the openssl command."""

import subprocess
import tempfile
from pathlib import Path


def _openssl(*args, **options):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL, **options)


class ServerCertificate:
    def __init__(self, certificate, key):
        self.certificate, self.key = Path(certificate), Path(key)


class Authority:
    """A CA in its own temporary directory; `certificate` is what --ca-file wants."""

    def __init__(self, name="coras test CA"):
        self.temp = tempfile.TemporaryDirectory(prefix="coras-test-ca-")
        self.root = Path(self.temp.name)
        self.certificate, self.key = self.root / "ca.pem", self.root / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", "30",
                 "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")

    def issue(self, name="server", hosts=("DNS:localhost", "IP:127.0.0.1"), client=False):
        key, request = self.root / f"{name}.key", self.root / f"{name}.csr"
        certificate, extensions = self.root / f"{name}.pem", self.root / f"{name}.ext"
        usage = "clientAuth" if client else "serverAuth"
        extensions.write_text(f"subjectAltName={','.join(hosts)}\nextendedKeyUsage={usage}\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                 "-CAcreateserial", "-out", certificate, "-days", "30", "-extfile", extensions)
        return ServerCertificate(certificate, key)

    def close(self):
        self.temp.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
