# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of one's own: on a unix socket in a temporary directory, gone with its owner."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from urllib.parse import quote

from harness.programs import BUILD

USER = "coras"
PASSWORD = "wonderful secret"


def _program(name):
    """Where Debian has it, or on the path; the newest of several."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(found[0]) if found else shutil.which(name)


POSTGRES, INITDB = _program("postgres"), _program("initdb")
_WAS_BUILT = "SERVE_HAVE_POSTGRES" in (BUILD / "build.ninja").read_text() if (BUILD / "build.ninja").exists() else True


def need_postgres(test):
    if not _WAS_BUILT:
        return unittest.skip("coras was built without PostgreSQL (libpq-dev)")(test)
    return unittest.skipIf(not POSTGRES or not INITDB, "PostgreSQL's server is not installed (apt install postgresql)")(test)


class Postgres:
    """`start()` and `kill()` as often as one likes; what was committed stays until `close()`."""

    def __init__(self, password=False):
        self.top = Path(tempfile.mkdtemp(prefix="coras-pg-"))
        self.log = self.top / "log"
        self.process = None
        # it refuses to run as root
        self.prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(self.top, "nobody", "nogroup")
        self.top.chmod(0o755)
        method = "scram-sha-256" if password else "trust"
        (self.top / "password").write_text(PASSWORD)
        (self.top / "password").chmod(0o644)
        self._run(INITDB, "--no-sync", "-A", method, "-U", USER, "-E", "UTF8", "--locale=C", "-D", "data",
                  "--pwfile=password")

    def _run(self, *command):
        done = subprocess.run([*self.prefix, *command], cwd=self.top, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, POSTGRES, "-D", "data", "-k", str(self.top), "-c", "listen_addresses=", "-c", "fsync=off",
                 "-c", "shared_buffers=16MB", "-c", "max_connections=80", "-c", "logging_collector=off"],
                cwd=self.top, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while self.connect_failure():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        return self

    def connect_failure(self):
        ready = _program("pg_isready") or shutil.which("pg_isready")
        return subprocess.run([ready, "-q", "-h", str(self.top), "-U", USER], check=False).returncode

    def url(self, database="postgres", password=None):
        secret = f":{quote(password)}" if password else ""
        return f"postgres://{USER}{secret}@{quote(str(self.top), safe='')}/{database}"

    def sql(self, text, database="postgres"):
        """What psql prints for it: rows of values divided by |."""
        done = subprocess.run([_program("psql") or "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", text],
                              capture_output=True, text=True, check=False, env={**os.environ, "PGPASSWORD": PASSWORD})
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def database(self, name, password=None):
        """A new one; its URL."""
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name, password)

    def stop(self, number=signal.SIGINT):
        """SIGINT: clients are cut off; SIGQUIT: as if it had crashed."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def freeze(self):
        """Every process of it stands still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for process in [self.process.pid, *map(int, children)]:
            os.kill(process, number)

    def close(self):
        self.stop()
        shutil.rmtree(self.top, ignore_errors=True)
