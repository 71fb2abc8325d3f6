# SPDX-License-Identifier: Apache-2.0
"""Running programs: as a pipe, on a pseudo-terminal, and what they left behind."""

import dataclasses
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import programs

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer"
                       r"|: runtime error: ")


class SanitizerReport(AssertionError):
    """The program under test broke a rule of C."""


@dataclasses.dataclass
class Result:
    argv: list
    code: int
    out: str
    err: str
    out_bytes: bytes = b""
    seconds: float = 0.0
    echo: bool = True  # run_pty: whether the terminal echoes at the end

    @property
    def text(self):
        return self.out + self.err

    @property
    def first_error(self):
        """First line of stderr that is not a warning."""
        lines = [x for x in self.err.splitlines() if x and not x.startswith("WARNING!")]
        return lines[0] if lines else ""

    @property
    def hint(self):
        """The advice lines, '' when there are none."""
        at = re.search(r"^Hint:", self.err, re.M)
        return self.err[at.start():] if at else ""

    @property
    def digest(self):
        """The digest of the line `Digest: …`."""
        match = re.search(r"^Digest: (\S+)$", self.out, re.M)
        return match[1] if match else None

    def __str__(self):
        return (f"$ {' '.join(self.argv)}\nexit {self.code} after {self.seconds:.2f} s\n"
                f"--- stdout\n{self.out[:4000]}--- stderr\n{self.err[:4000]}---")


def scrub(environment):
    """An environment without anything that changes what the programs do."""
    dropped = ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "ORAS_CACHE", "ORAS_HTTP_TIMEOUT",
               "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_RUNTIME_DIR", "NO_COLOR",
               "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "no_proxy",
               "all_proxy", "ALL_PROXY", "SOURCE_DATE_EPOCH")
    return {k: v for k, v in environment.items() if k not in dropped}


class Sandbox:
    """A directory with a home of its own in which programs run."""

    def __init__(self, parent=None, name=None):
        if parent is None:
            self.temp = tempfile.TemporaryDirectory(prefix="coras-test-")
            self.root = Path(self.temp.name)
        else:
            self.temp = None
            self.root = Path(parent) / name
        self.home, self.work, self.bin = (self.root / n for n in ("home", "work", "bin"))
        for path in (self.home, self.work, self.bin):
            path.mkdir(parents=True)
        self.env = {**scrub(os.environ), "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TZ": "UTC",
                    "XDG_CACHE_HOME": str(self.root / "cache"), "TMPDIR": str(self.root / "tmp"),
                    "PATH": f"{self.bin}:{os.environ['PATH']}"}
        (self.root / "tmp").mkdir()

    def close(self):
        if self.temp is not None:
            self._writable()
            self.temp.cleanup()

    def _writable(self):
        for top, names, _ in os.walk(self.root):
            for name in names:
                path = os.path.join(top, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o755)

    def link(self, name, program):
        """Make `name` runnable as another name of a program."""
        path = self.bin / name
        if path.is_symlink():
            path.unlink()
        path.symlink_to(program)
        return path

    def script(self, name, text):
        """Put an executable script on the PATH."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def write(self, name, data=b"", mode=None, mtime=None):
        """Make a file below the working directory."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        if mode is not None:
            path.chmod(mode)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def run(self, *argv, stdin=None, env=None, cwd=None, timeout=60, check=None):
        """Run a program; `check` asserts the exit code when given."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        began = time.monotonic()
        process = self.popen(*argv, env=env, cwd=cwd,
                             stdin=subprocess.DEVNULL if data is None else subprocess.PIPE)
        try:
            out, err = process.communicate(data, timeout * programs.SLOWNESS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{argv} did not end within {timeout * programs.SLOWNESS} s\n"
                                 f"{out.decode(errors='replace')[-2000:]}\n"
                                 f"{err.decode(errors='replace')[-2000:]}") from None
        result = Result([str(a) for a in argv], process.returncode,
                        out.decode(errors="surrogateescape"), err.decode(errors="surrogateescape"),
                        out, time.monotonic() - began)
        return self._checked(result, check)

    @staticmethod
    def _checked(result, check):
        if SANITIZER.search(result.err):
            raise SanitizerReport(str(result))
        if check is not None and result.code != check:
            raise AssertionError(f"expected exit code {check}\n{result}")
        return result

    def popen(self, *argv, env=None, cwd=None, **options):
        """Start a program and leave it running."""
        options.setdefault("stdin", subprocess.DEVNULL)
        argv = [str(a) for a in argv]
        if os.sep not in argv[0]:
            argv[0] = shutil.which(argv[0], path=self.env["PATH"]) or argv[0]
        # Exec by full path but keep the name: programs speak of themselves by it.
        return subprocess.Popen([os.path.basename(argv[0]), *argv[1:]], executable=argv[0],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=cwd or self.work, env={**self.env, **(env or {})}, **options)

    def run_pty(self, *argv, feed=(), env=None, cwd=None, timeout=60, stdout_pipe=False, size=(24, 100),
                interrupt=None):
        """Run on a pseudo-terminal. `feed`: (text to wait for, text to type) pairs.

        stdout_pipe: stdout is a pipe and only stdin and stderr are the terminal.
        interrupt: when this text shows, SIGINT goes to the program.
        Returns (Result, bytes seen on the terminal).
        """
        import fcntl
        import struct
        import termios
        argv = [str(a) for a in argv]
        if os.sep not in argv[0]:
            argv[0] = shutil.which(argv[0], path=self.env["PATH"]) or argv[0]
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))
        began = time.monotonic()
        process = subprocess.Popen(
            [os.path.basename(argv[0]), *argv[1:]], executable=argv[0], stdin=slave, stderr=slave,
            stdout=subprocess.PIPE if stdout_pipe else slave, cwd=cwd or self.work,
            env={**self.env, **(env or {})}, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        seen, out, feed = b"", b"", list(feed)
        sources = [master] + ([process.stdout.fileno()] if stdout_pipe else [])
        deadline, position = began + timeout * programs.SLOWNESS, 0
        while sources:
            if time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"{argv} did not end in {timeout * programs.SLOWNESS} s; saw {seen[-2000:]!r}")
            for fd in select.select(sources, [], [], 0.2)[0]:
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    sources.remove(fd)
                elif fd == master:
                    seen += data
                else:
                    out += data
            shown = seen + out
            if feed and (at := shown.find(feed[0][0].encode(), position if not stdout_pipe else 0)) >= 0:
                position = at + len(feed[0][0])
                os.write(master, feed.pop(0)[1].encode())
            if interrupt is not None and interrupt.encode() in seen:
                process.send_signal(signal.SIGINT)
                interrupt = None
        process.wait(10)
        echo = bool(termios.tcgetattr(master)[3] & termios.ECHO)
        os.close(master)
        if stdout_pipe:
            process.stdout.close()
        text = seen.decode(errors="surrogateescape")
        result = Result(argv, process.returncode,
                        (out if stdout_pipe else seen).decode(errors="surrogateescape"), text, out,
                        time.monotonic() - began, echo)
        return self._checked(result, None), seen

    def tree(self, *parts):
        """What lies below a directory: relative name -> description."""
        return tree(self.work.joinpath(*parts))


def tree(top):
    found = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = Path(directory) / name
            key = str(path.relative_to(top))
            if path.is_symlink():
                found[key] = f"link {os.readlink(path)}"
            elif path.is_dir():
                found[key + "/"] = f"dir {path.stat().st_mode & 0o7777:o}"
            elif path.is_file():
                mode = path.stat().st_mode & 0o7777
                found[key] = f"file {mode:o} {path.read_bytes()!r:.200}"
            else:
                found[key] = "special"
    return found


def ours(sandbox, *argv, **options):
    """The program under test, called by the name `oras` through a link."""
    if not (sandbox.bin / "oras").exists():
        sandbox.link("oras", programs.CORAS)
    return sandbox.run(sandbox.bin / "oras", *argv, **options)
