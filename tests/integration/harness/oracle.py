# SPDX-License-Identifier: Apache-2.0
"""Upstream's program and ours, side by side on equal registries.

A table (tests/integration/tables/*.txt) has one command line on each line:

    [options] push @a:v1 hi.txt {C}

`@name:ref` is a target: a repository of this line alone, or the layout directory `name`. The names
of fixtures.REPOS are there before the command runs. `<@name` and `>@name` are the two ends of cp,
backup and restore write `@name`. `{C}` gives a fixed creation date, `{hello.v1}` the digest of a
fixture's tag, `{REG}` the registry's host, `{P}` host and path prefix. What `--input` names is there as a layout.
` ;; ` separates commands that run one after the other; all are compared.

Options, in brackets before the command, separated by blanks:

    docker serve layout   where to run (default: all three); `none` for no target
    to=layout             cp: the destination is a layout (or to=docker for a layout source)
    stdin=TEXT            standard input (Python escapes)
    env=NAME=VALUE        environment
    loose                 digests may differ between the programs (directories, dates)
    codes                 compare exit codes only
    firstline             of stderr compare only the first line
    nostate               do not compare what is left in registry and directory
    sorted                compare stdout as a set of lines, without the pieces of a tree
    early                 ours refuses before it starts, upstream on the way: no stdout compared
    anyname               two names have one content: which is transferred is chance
"""

import difflib
import json
import os
import re
import shlex
import shutil
import tempfile
import unittest
from pathlib import Path

from . import fixtures, programs
from .run import Sandbox
from .servers import Api, CorasServe, DockerRegistry, registry3

TABLES = Path(__file__).resolve().parents[1] / "tables"
SELF = bool(os.environ.get("CORAS_ORACLE_SELF"))  # upstream on both sides: checks the tables
BACKENDS = ("docker", "serve", "layout")
MEMORY, MEMORY_LEAST = Path("/dev/shm"), 512 << 20
STATUS = re.compile(r"^(Uploading|Uploaded|Exists|Skipped|Downloading|Downloaded|Processing|Restored"
                    r"|Copying|Copied|Mounted|Pulling|Pulled|Pushing|Pushed) +[0-9a-f]{12} "
                    r"|^Tagged ")


class Row:
    def __init__(self, number, text):
        self.number, self.text = number, text
        options, self.stdin, self.env, self.to = [], None, {}, None
        command = text
        if text.startswith("["):
            inner, command = _bracket(text)
            for word in shlex.split(inner):
                if word.startswith("stdin="):
                    self.stdin = word[6:].encode().decode("unicode_escape")
                elif word.startswith("env="):
                    name, _, value = word[4:].partition("=")
                    self.env[name] = value
                elif word.startswith("to="):
                    self.to = word[3:]
                else:
                    options.append(word)
        self.options = set(options)
        self.commands = [shlex.split(part) for part in command.split(" ;; ")]
        chosen = [b for b in BACKENDS if b in self.options]
        self.backends = ("none",) if "none" in self.options else tuple(chosen) or BACKENDS
        known = {"none", "loose", "codes", "firstline", "nostate", "sorted", "anyname", "early", *BACKENDS}
        if self.options - known:
            raise ValueError(f"unknown options {self.options - known} in {text}")

    def has(self, option):
        return option in self.options

    def fixtures(self):
        words = re.findall(r"(?:@|\{P\}/)([a-z]+)", self.text)
        return sorted({w for w in words if w in fixtures.REPOS})

    def layouts(self):
        """Fixtures that a command reads as a layout whatever the backend."""
        words = re.findall(r"--input[ =](?:\./)?([a-z]+)", self.text)
        return sorted({w for w in words if w in fixtures.REPOS})


def _bracket(text):
    """Split '[options] command'; brackets within quotes do not count."""
    end = text.index("] ")
    return text[1:end], text[end + 2:]


def load(table):
    rows = []
    for number, line in enumerate((TABLES / f"{table}.txt").read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            rows.append(Row(number, line.strip()))
    return rows


class Side:
    """One program with registries of its own."""

    def __init__(self, program, parent, name):
        self.program = program
        self.sandbox = Sandbox(parent, name)
        self.sandbox.link("oras", program)
        self.servers, self.apis = {}, {}
        self.templates = set()

    def server(self, backend):
        if backend not in self.servers:
            if backend == "docker":
                server = DockerRegistry()
            else:
                server = registry3() if SELF and not CorasServe.alone else CorasServe()
            self.servers[backend] = server.start()
            self.apis[backend] = Api(server.host)
        return self.servers[backend]

    def close(self):
        for server in self.servers.values():
            server.close()

    # one row ------------------------------------------------------------------------------------

    def prepare(self, row, backend, name):
        self.cwd = self.sandbox.work / name
        self.cwd.mkdir()
        fixtures.write_files(self.cwd)
        for repo in row.fixtures():
            self._install(row, backend, repo, name)
        for repo in row.layouts():
            if not (self.cwd / repo).exists():
                fixtures.REPOS[repo].install_layout(self.cwd / repo)

    def _install(self, row, backend, repo, name):
        content = fixtures.REPOS[repo]
        if backend in ("docker", "serve") and not content.only_layout:
            self.server(backend)
            if backend == "docker":
                self._install_in_docker(content, repo, name)
            else:
                content.install(self.apis[backend], f"{name}/{repo}", SELF and not CorasServe.alone)
        if backend == "layout" or "{P}" not in row.text:
            content.install_layout(self.cwd / repo)

    def _repositories(self):
        """Where docker-registry has them: a tree of links to blobs for each."""
        return self.servers["docker"].root / "data/docker/registry/v2/repositories"

    def _install_in_docker(self, content, repo, name):
        """Pushed once, copied for each line: the registry takes far longer for a push than a line takes."""
        if repo not in self.templates:
            content.install(self.apis["docker"], f"templates/{repo}", True)
            self.templates.add(repo)
        shutil.copytree(self._repositories() / "templates" / repo, self._repositories() / name / repo)

    def forget(self, name):
        """For every list of repositories docker-registry walks through all of them."""
        if "docker" in self.servers:
            shutil.rmtree(self._repositories() / name, ignore_errors=True)

    def expand(self, row, backend, name, words):
        host = self.server(backend).host if backend in ("docker", "serve") else "localhost:1"
        values = {"C": "--annotation=" + fixtures.CREATED + "=2024-01-01T00:00:00Z",
                  "REG": host, "P": f"{host}/{name}", "CWD": str(self.cwd), **fixtures.DIGESTS}
        argv = []
        for word in words:
            word = re.sub(r"\{([\w.]+)\}", lambda m: values.get(m[1], m[0]), word)
            match = re.match(r"([<>]?)@([a-z].*)", word)
            if not match:
                argv.append(word)
                continue
            side = backend
            if match[1] == ">" and row.to:
                side = row.to
            flag = {"": "", "<": "from-", ">": "to-"}[match[1]]
            if side == "layout":
                argv += [f"--{flag}oci-layout", match[2]]
            else:
                argv.append(f"{self.server(side).host}/{name}/{match[2]}")
        return argv

    def run(self, row, backend, name, words):
        argv = self.expand(row, backend, name, words)
        return self.sandbox.run(self.sandbox.bin / "oras", *argv, cwd=self.cwd, env=row.env,
                                stdin=row.stdin, timeout=120)

    def normal(self, text, row):
        for server in self.servers.values():
            text = text.replace(server.host, "REG").replace(server.ip_host, "REG")
        text = text.replace(str(self.cwd), "$CWD").replace(str(self.sandbox.root), "$ROOT")
        text = re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z(?<!2024-01-01T00:00:00Z)", "TIME", text)
        text = re.sub(r"\bin (\d+h)?(\d+m)?[\d.]+(s|ms|µs)\b", "in DURATION", text)
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
        text = re.sub(r"(oras-backup-|oras_file_|oras-config-)\d+", r"\1N", text)
        if row.has("loose"):
            text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:DIGEST", text)
            text = re.sub(r"\b[0-9a-f]{12}\b", "DIG12", text)
            text = re.sub(r'"size": ?\d+', '"size": N', text)
            text = re.sub(r"\([\d.]+ +[KM]?B\)", "(SIZE)", text)
        return text

    def stdout(self, result, row):
        lines = self.normal(result.out, row).split("\n")
        if row.has("sorted"):
            return sorted(line.lstrip("├└│─ ") for line in lines)
        if row.has("anyname"):
            lines = [re.sub(r"\S+\.txt$", "NAME", x) if STATUS.match(x) else x for x in lines]
        status = sorted(line for line in lines if STATUS.match(line) or " DIG12 " in line)
        return [x for x in lines if x not in status] + ["-- unordered:"] + status

    def stderr(self, result, row):
        text = self.normal(result.err, row)
        text = re.split(r"(?m)^Hint: ", text)[0]
        text = re.sub(r"(?m)^WARNING! Annotations in .*\n", "", text)  # upstream drops them silently
        lines = text.rstrip("\n").split("\n")
        return lines[:1] if row.has("firstline") else lines

    def state(self, row, backend, name):
        """Digests left in the registries, names and bytes left in the directory."""
        found = {}
        for kind, api in self.apis.items():
            if kind not in (backend, row.to):
                continue
            for repo in api.catalog():
                if repo.startswith(name + "/"):
                    tags = {t: self._tag(api, repo, t, d) for t, d in api.tags(repo).items()}
                    found[f"{kind} {repo}"] = sorted(tags) if row.has("loose") else tags
            if kind == "docker" and not row.has("loose"):
                found["revisions"] = self._revisions(name)
        for path in sorted(self.cwd.rglob("*")):
            key = str(path.relative_to(self.cwd))
            if path.is_symlink():
                found[key] = f"link {os.readlink(path)}"
            elif path.name == "index.json":
                found[key] = self.normal(_sorted_index(path), row)
            elif path.suffix.lower() == ".tar":
                found[key] = "archive"
            elif "/ingest" in key or path.name.endswith(".lock"):
                continue  # working files of the layout
            elif path.is_file() and not (row.has("loose") and "blobs" in key):
                text = path.read_bytes().decode("latin-1")
                found[key] = self.normal(f"{path.stat().st_mode & 0o777:o} {text}", row)
            elif path.is_dir():
                found[key + "/"] = "dir"
        return found

    @staticmethod
    def _tag(api, repo, tag, digest):
        """A tag's digest; of a referrers tag the entries, for upstream's order is random."""
        if not re.fullmatch(r"sha256-[0-9a-f]{64}", tag):
            return digest
        value = json.loads(api.manifest(repo, tag)[2])
        return sorted(json.dumps(entry) for entry in value.get("manifests", []))

    def _revisions(self, name):
        """What docker-registry holds of blobs and manifests, tagged or not."""
        top = self._repositories() / name
        store = self._repositories().parent
        found = []
        for path in top.rglob("link"):
            if "/revisions/" in str(path) or "/_layers/" in str(path):
                found.append(str(path.parent.relative_to(top)))
        return sorted(key for key in found if not _is_referrers_index(store, key.rsplit("/", 1)[1]))


def _is_referrers_index(store, hexes):
    path = store / "blobs/sha256" / hexes[:2] / hexes / "data"
    data = path.read_bytes() if path.exists() else b""
    return b'"manifests":[{' in data and b'"artifactType"' in data and b'"annotations"' in data


def _sorted_index(path):
    """index.json with its entries in a fixed order: upstream's is random.

    What an entry without a tag says beside its digest depends in upstream on the order in which
    things arrived, so it does not count.
    """
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        return path.read_text(errors="replace")
    if isinstance(value.get("manifests"), list):
        for entry in value["manifests"]:
            if "org.opencontainers.image.ref.name" not in entry.get("annotations", {}):
                for member in ("annotations", "artifactType", "platform"):
                    entry.pop(member, None)
        value["manifests"].sort(key=lambda e: json.dumps(e, sort_keys=True))
    elif value.get("manifests", 0) is None:
        value["manifests"] = []
    return json.dumps(value)


def difference(upstream, ours):
    """Readable difference of two lists or dictionaries, '' when equal."""
    if upstream == ours:
        return ""
    if isinstance(upstream, dict):
        lines = []
        for key in sorted(set(upstream) | set(ours)):
            if upstream.get(key) != ours.get(key):
                lines.append(f"  {key}:\n    upstream {upstream.get(key)!r:.1500}\n"
                             f"    ours     {ours.get(key)!r:.1500}")
        return "\n".join(lines)
    return "\n".join(difflib.unified_diff(upstream, ours, "upstream", "ours", lineterm="", n=4))


def use_memory():
    """Thousands of small files come and go: a disk's file system takes longer for them than the programs do."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_LEAST:
        tempfile.tempdir = str(MEMORY)


@programs.need_oras
@programs.need_coras
@programs.need_docker_registry
class OracleCase(unittest.TestCase):
    maxDiff = None
    table = None

    @classmethod
    def setUpClass(cls):
        use_memory()
        cls.parent = tempfile.mkdtemp(prefix="coras-test-")
        cls.upstream = Side(programs.ORAS, cls.parent, "up")
        cls.ours = Side(programs.ORAS if SELF else programs.CORAS, cls.parent, "us")

    @classmethod
    def tearDownClass(cls):
        cls.upstream.close()
        cls.ours.close()
        shutil.rmtree(cls.parent, ignore_errors=True)

    def check_row(self, row, backend):
        if backend == "serve" and not SELF and not CorasServe.available():
            self.skipTest("no serve command")
        name = f"r{row.number:03d}{backend[0]}"
        for side in (self.upstream, self.ours):
            side.prepare(row, backend, name)
            self.addCleanup(side.forget, name)
        problems = []
        for words in row.commands:
            up = self.upstream.run(row, backend, name, words)
            us = self.ours.run(row, backend, name, words)
            problems += self._compare(row, up, us)
        if not row.has("codes") and not row.has("nostate"):
            problems.append(difference(self.upstream.state(row, backend, name),
                                       self.ours.state(row, backend, name)))
        problems = [p for p in problems if p]
        if problems:
            self.fail(f"{self.table}.txt:{row.number} on {backend}: {row.text}\n"
                      + "\n".join(problems) + f"\n{us}")

    def _compare(self, row, up, us):
        problems = []
        if up.code != us.code:
            problems.append(f"exit code: upstream {up.code}, ours {us.code}\n"
                            f"upstream's stderr: {up.err[:1000]}")
        if not row.has("codes"):
            if not row.has("early"):
                problems.append(difference(self.upstream.stdout(up, row),
                                           self.ours.stdout(us, row)))
            problems.append(difference(self.upstream.stderr(up, row), self.ours.stderr(us, row)))
        return problems


def table_tests(table):
    """A test case with one method for each line and backend of a table."""
    methods = {"table": table}
    # Under sanitizers every sixth: each is a command line that takes the ways of many others.
    for row in load(table)[::6 if programs.SANITIZED else 1]:
        for backend in row.backends:
            def method(self, row=row, backend=backend):
                self.check_row(row, backend)
            method.__doc__ = f"{row.text} ({backend})"
            methods[f"test_{row.number:03d}_{backend}"] = method
    return type(f"Oracle_{table}", (OracleCase,), methods)
