# SPDX-License-Identifier: Apache-2.0
"""What a benchmark has measured, as a line for a person and as a table for bench/RESULTS.md."""

import datetime
import os
import platform
import statistics
import subprocess

HEADER = f"{'':22}{'wall s':^26}{'ratio':^13}  {'CPU s':^23}  {'server CPU':^12}{'MiB':^13}{'bound s':>8}"
COLUMNS = f"{'':22}{'ours':>13}{'other':>13}{'min':>6}{'med':>6}   " \
          f"{'ours':>8}{'other':>8}{'ratio':>6} {'ours':>6}{'other':>6} {'ours':>6}{'other':>6}"


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

    def bound(self):
        return self.least("bound", 0) if self.runs.get("bound") else None

    def line(self):
        wall = [f"{self.least(w, 0):6.2f}/{self.median(w, 0):6.2f}" for w in ("ours", "other")]
        bound = self.bound()
        return (f"{self.name:22}{wall[0]}{wall[1]}{self.ratio(self.least, 0):6.2f}"
                f"{self.ratio(self.median, 0):6.2f}   "
                f"{self.median('ours', 1):8.2f}{self.median('other', 1):8.2f}"
                f"{self.ratio(self.median, 1):6.2f} {self.median('ours', 3):6.2f}"
                f"{self.median('other', 3):6.2f} {self.median('ours', 2) / 1024:6.1f}"
                f"{self.median('other', 2) / 1024:6.1f}"
                + (f"{bound:9.2f}" if bound is not None else ""))

    def cells(self):
        bound = self.bound()
        return [self.name] + [
            f"{self.least(w, 0):.2f} / {self.median(w, 0):.2f}" for w in ("ours", "other")] + [
            f"{self.ratio(self.least, 0):.2f} / {self.ratio(self.median, 0):.2f}",
            f"{self.median('ours', 1):.2f} / {self.median('other', 1):.2f}",
            f"{self.ratio(self.median, 1):.2f}",
            f"{self.median('ours', 3):.2f} / {self.median('other', 3):.2f}",
            f"{self.median('ours', 2) / 1024:.0f} / {self.median('other', 2) / 1024:.0f}",
            f"{bound:.2f}" if bound is not None else ""]

    def values(self):
        return {who: [statistics.median(column) for column in zip(*runs)]
                for who, runs in self.runs.items() if runs}


def first_line(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    except OSError:
        return "unknown"


def processor():
    with open("/proc/cpuinfo") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"


def write_table(path, rows, command, programs):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    lines = ["# What was measured", "", f"    {command}", "",
             f"{datetime.date.today()}, {processor()}, {memory} GiB, Linux {platform.release()}; "
             f"load before: {LOAD[0]:.1f}.",
             f"Ours: {first_line(programs['ours'], 'version')}; other: "
             f"{first_line(programs['other'], 'version')}.", "",
             "Seconds; ratios are ours/other. Wall is minimum / median, everything else the median. "
             "The bound is the",
             "fastest run of `bench/bound`, a client that only moves, writes and hashes.", "",
             "| | wall: ours | other | ratio | CPU: ours / other | ratio | server CPU | MiB | bound |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append("| " + " | ".join(row.cells()) + " |")
    notes = [f"- {row.name}, {note}" for row in rows for note in row.note]
    path.write_text("\n".join(lines + ([""] + notes if notes else [])) + "\n")


LOAD = os.getloadavg()
