# SPDX-License-Identifier: Apache-2.0
"""What a benchmark has measured, as a line for a person and as a table for bench/RESULTS.md."""

import datetime
import os
import platform
import shutil
import statistics
import subprocess

HEADER = f"{'':22}{'wall s':^26}{'ratio':^13}  {'CPU s':^23}  {'server CPU':^12}{'MiB':^13}{'bound s':>8}{'curl s':>8}"
COLUMNS = f"{'':22}{'ours':>13}{'other':>13}{'min':>6}{'med':>6}   " \
          f"{'ours':>8}{'other':>8}{'ratio':>6} {'ours':>6}{'other':>6} {'ours':>6}{'other':>6}"


# What we want to reach at the full size: ratios of wall time and of CPU time, by scenario; where
# one is None, nothing is asked of it. Memory: MIB_WANTED at most, MIB_SCALE with ten thousand names.
WANTED = {
    "push-2g": (0.65, 1.0), "pull-2g": (0.45, 0.68), "nginx-pull-2g": (0.45, 0.68),
    "nginx-pull-4x512m": (0.55, None), "push-1000x64k": (0.5, None),
    "nginx-pull-1000x64k": (0.7, None), "push-dir": (0.35, None), "pull-dir": (0.6, None),
    "cp-to-layout": (0.47, None), "cp-to-registry": (0.9, 1.3), "tls-pull-512m": (0.8, None),
    "tls-push-512m": (0.75, None), "link-pull-64m-capped": (0.3, None),
    "link-pull-200x64k": (0.35, None), "link-push-200x64k": (0.35, None),
}
MIB_WANTED, MIB_SCALE = 16, 64


class Row:
    """One scenario: lists of (wall, cpu, KiB, server CPU) by who."""

    def __init__(self, name, runs, note=None):
        self.name, self.runs, self.note = name, runs, note or []

    def median(self, who, column):
        return statistics.median(run[column] for run in self.runs[who])

    def least(self, who, column):
        return min(run[column] for run in self.runs[who])

    def ratio(self, function, column):
        return function("ours", column) / max(function("other", column), 1e-6)

    def beside(self, who):
        """The fastest run of what shows how fast it could be; None: there was none."""
        return self.least(who, 0) if self.runs.get(who) else None

    def missed(self):
        """What is wanted and was not reached, in words."""
        wall, cpu = WANTED.get(self.name, (None, None))
        mib = MIB_SCALE if self.name.startswith("scale") else MIB_WANTED
        found = (("wall", self.ratio(self.median, 0), wall),
                 ("CPU", self.ratio(self.median, 1), cpu),
                 ("MiB", self.median("ours", 2) / 1024, mib))
        return [f"{what} {have:.2f} instead of {want}" for what, have, want in found
                if want is not None and have > want]

    def wanted(self):
        wall, cpu = WANTED.get(self.name, (None, None))
        told = [text for text in (wall and f"{wall}", cpu and f"CPU {cpu}") if text]
        return ", ".join(told) + (" **missed**" if self.missed() else "")

    def line(self):
        wall = [f"{self.least(w, 0):6.2f}/{self.median(w, 0):6.2f}" for w in ("ours", "other")]
        beside = [self.beside(who) for who in ("bound", "curl")]
        return (f"{self.name:22}{wall[0]}{wall[1]}{self.ratio(self.least, 0):6.2f}"
                f"{self.ratio(self.median, 0):6.2f}   "
                f"{self.median('ours', 1):8.2f}{self.median('other', 1):8.2f}"
                f"{self.ratio(self.median, 1):6.2f} {self.median('ours', 3):6.2f}"
                f"{self.median('other', 3):6.2f} {self.median('ours', 2) / 1024:6.1f}"
                f"{self.median('other', 2) / 1024:6.1f}"
                + "".join(f"{'' if one is None else format(one, '.2f'):>8}" for one in beside))

    def cells(self):
        beside = [self.beside(who) for who in ("bound", "curl")]
        return [self.name] + [
            f"{self.least(w, 0):.2f} / {self.median(w, 0):.2f}" for w in ("ours", "other")] + [
            f"{self.ratio(self.least, 0):.2f} / {self.ratio(self.median, 0):.2f}",
            f"{self.median('ours', 1):.2f} / {self.median('other', 1):.2f}",
            f"{self.ratio(self.median, 1):.2f}",
            f"{self.median('ours', 3):.2f} / {self.median('other', 3):.2f}",
            f"{self.median('ours', 2) / 1024:.0f} / {self.median('other', 2) / 1024:.0f}",
            *("" if one is None else f"{one:.2f}" for one in beside), self.wanted()]

    def values(self):
        return {who: [statistics.median(column) for column in zip(*runs)]
                for who, runs in self.runs.items() if runs}


def first_line(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    except OSError:
        return "unknown"


def nginx_version():
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    try:
        done = subprocess.run([os.environ.get("BENCH_NGINX") or program, "-v"], check=False,
                              capture_output=True, text=True)
        return done.stderr.split(":")[-1].strip()
    except OSError:
        return "no nginx"


def processor():
    with open("/proc/cpuinfo") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"


def write_table(path, rows, command, programs):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    lines = ["# What was measured", "", f"    {command}", "",
             f"On {datetime.date.today()}, on {processor()} and {memory} GiB of memory, Linux "
             f"{platform.release()}, which clients and servers share; load before: {LOAD[0]:.1f}.",
             f"Ours: {first_line(programs['ours'], 'version')}; other: "
             f"{first_line(programs['other'], 'version')}. Origins: docker-registry "
             f"{first_line('docker-registry', '--version').split()[-1]}, "
             f"{nginx_version()}.", "",
             "Seconds; ratios are ours/other. Wall is minimum / median, everything else the median. "
             "The bound is the",
             "fastest run of `bench/bound`, a client that only moves, writes and hashes; curl's "
             "fetches to a file and",
             "does not look. Wanted are ratios of medians of wall and CPU time, and memory of "
             f"{MIB_WANTED} MiB at most, {MIB_SCALE} with",
             "many names; "
             "`docs/internals/transfer.md` says why what is missed is missed.", "",
             "| | wall: ours | other | ratio | CPU: ours / other | ratio | server CPU | MiB | bound "
             "| curl | wanted |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append("| " + " | ".join(row.cells()) + " |")
    notes = [f"- {row.name}, {note}" for row in rows for note in row.note]
    notes += [f"- {row.name} misses: {', '.join(row.missed())}" for row in rows if row.missed()]
    path.write_text("\n".join(lines + ([""] + notes if notes else [])) + "\n")


LOAD = os.getloadavg()
