# SPDX-License-Identifier: Apache-2.0
"""What the program says without any registry: help of every command, and completion, next to
upstream's. Descriptions are our own words; usage lines, aliases and flags are the interface."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import programs
from harness.case import main

OURS_ONLY = {"cache", "explain", "model", "serve"}
EVERYWHERE = {"--error-format", "--progress"}
SELECTION = {"--dry-run", "--exclude", "--include", "--media-type"}
OUR_FLAGS = {"attach": {"--follow-links"}, "backup": {"--no-sync"}, "blob_fetch": {"--range"},
             "cp": SELECTION, "pull": {"--no-sync", *SELECTION}, "push": {"--follow-links"}}
COMMANDS = """attach backup blob blob_delete blob_fetch blob_push completion completion_bash
completion_fish completion_powershell completion_zsh cp discover help login logout manifest
manifest_delete manifest_fetch manifest_fetch-config manifest_index manifest_index_create
manifest_index_update manifest_push pull push repo repo_ls repo_tags resolve restore tag
version""".split()


def run(program, *argv):
    done = subprocess.run([program, *argv], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout, done.stderr


def flag_rows(text, left_out):
    """(flag, words) of the help's list; columns may be elsewhere since ours has more flags."""
    rows = []
    for line in text.splitlines():
        if re.match(r" {2,6}-", line):
            rows.append(re.sub(r" {2,}", "  ", line.strip()))
        elif rows:
            rows[-1] += "\n" + line.strip()
    return [row for row in rows if not left_out & set(row.split("  ")[0].split())]


def command_rows(text):
    return [re.sub(r" +", " ", line.strip()) for line in text.splitlines()
            if line.split() and line.split()[0] not in OURS_ONLY]


class Help:
    """The parts of the help text of a command, without the flags that only we have."""

    def __init__(self, text, command):
        left_out = EVERYWHERE | OUR_FLAGS.get(command, set())
        head, _, rest = ("\n" + text).partition("\nUsage:\n")
        self.about = head.strip()
        self.examples = [e for e in head.split("\nExample - ")[1:] if not left_out & set(e.split())]
        usage, _, flags = rest.partition("\nFlags:\n")
        self.usage, _, commands = usage.partition("\nAvailable Commands:\n")
        self.commands = command_rows(commands)
        flags, _, self.footer = flags.partition("\nUse \"")
        self.flags = flag_rows(flags, left_out)


@programs.need_coras
@programs.need_oras
class Offline(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.oras = str(Path(cls.directory.name) / "oras")
        os.symlink(programs.CORAS, cls.oras)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def both(self, *argv):
        return run(programs.ORAS, *argv), run(self.oras, *argv)

    def test_help_has_upstreams_usage_and_flags(self):
        for name in [""] + COMMANDS:
            with self.subTest(command=name):
                theirs, ours = self.both(*name.split("_"), "--help")
                self.assertEqual((0, ""), (ours[0], ours[2]))
                theirs, ours = Help(theirs[1], name), Help(ours[1], name)
                self.assertEqual(theirs.usage, ours.usage)
                self.assertEqual(theirs.commands, ours.commands)
                self.assertEqual(theirs.flags, ours.flags)
                self.assertEqual(theirs.footer, ours.footer)

    def test_help_has_as_many_examples_and_the_same_marks(self):
        for name in COMMANDS:
            with self.subTest(command=name):
                theirs, ours = self.both(*name.split("_"), "--help")
                theirs, ours = Help(theirs[1], name), Help(ours[1], name)
                self.assertEqual(len(theirs.examples), len(ours.examples))
                mark = re.compile(r"^\[\w+\]|")
                self.assertEqual(mark.match(theirs.about)[0], mark.match(ours.about)[0])

    def test_flag_columns_line_up(self):
        text = run(self.oras, "push", "--help")[1].partition("\nFlags:\n")[2]
        starts = {re.match(r"( {2,6}-.*? {3,})\S", line).end(1)
                  for line in text.splitlines() if re.match(r" {2,6}-", line)}
        self.assertEqual(1, len(starts))
        further = [line for line in text.splitlines() if line.startswith(" " * 10)]
        self.assertEqual(3, len(further))
        for line in further:
            self.assertEqual(starts, {len(line) - len(line.lstrip())})

    def test_help_command_gives_the_same_text(self):
        for name in COMMANDS:
            with self.subTest(command=name):
                words = name.split("_")
                self.assertEqual(run(self.oras, *words, "--help"), run(self.oras, "help", *words))

    def test_program_speaks_by_its_own_name(self):
        code, out, err = run(programs.CORAS, "pull")
        self.assertEqual((1, ""), (code, out))
        self.assertIn('"coras pull" requires exactly 1 argument', err)
        self.assertIn("Usage: coras pull", err)
        self.assertIn("  coras push ", run(programs.CORAS, "push", "--help")[1])

    def test_completion_candidates(self):
        lines = [["pul"], ["repo", ""], ["repo", "t"], ["manifest", "fetch", "--med"],
                 ["push", "--oci"], ["push", "--format", ""], ["pull", ""], ["completion", ""],
                 ["help", "re"], ["cp", "--from-reg"], ["nothing", ""], ["login", "--pass"],
                 ["-"], ["--h"], ["x"], ["repository"], ["completion", "x"],
                 ["completion", "bash", ""], ["help", "manifest", ""], ["help", "nothing", ""],
                 ["repo", "x", ""], ["repo", "tags", "-"], ["pull", "--debug", "--d"],
                 ["push", "-a", "x=y", "-"], ["push", "--artifact-type", "x", "--arti"],
                 ["push", "-do", ""], ["push", "--output", ""], ["push", "--output="],
                 ["push", "--debug=", ""], ["pull", "-h", ""], ["pull", "--", "-"],
                 ["pull", "--debug", ""], ["attach", ""], ["attach", "x", "--"],
                 ["attach", "--artifact-type=x", "--anno"], ["backup", ""], ["restore", "-"], []]
        for request in ("__complete", "__completeNoDesc"):
            for words in lines:
                with self.subTest(request=request, words=words):
                    theirs, ours = self.both(request, *words)
                    left_out = EVERYWHERE | OUR_FLAGS.get(words[0] if words else "", set())
                    extra = re.compile(rf"(?m)^({'|'.join(left_out)})(\t.*)?\n")
                    self.assertEqual(theirs, (ours[0], extra.sub("", ours[1]), ours[2]))

    def test_completion_scripts_ask_for_candidates(self):
        for shell in ("bash", "zsh", "fish", "powershell"):
            with self.subTest(shell=shell):
                self.assertIn(" __complete ", run(self.oras, "completion", shell)[1])
                self.assertIn(" __completeNoDesc ",
                              run(self.oras, "completion", shell, "--no-descriptions")[1])

    def test_bash_completes_with_the_script(self):
        program = f'''PATH="{self.directory.name}:$PATH"
source <(oras completion bash)
COMP_WORDS=(oras repo t) COMP_CWORD=2
__start_oras
echo "${{COMPREPLY[@]}}"'''
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual("tags\n", done.stdout, done.stderr)

    @unittest.skipIf(shutil.which("fish") is None, "fish is not installed")
    def test_fish_completes_with_the_script(self):
        asked = [("oras pu", "pull\npush\n"), ("oras repo t", "tags\n"),
                 ("oras push x a.t", "a.txt\n"),
                 ("oras push --annotation-file=a.t", "--annotation-file=a.txt\n")]
        (Path(self.directory.name) / "a.txt").touch()
        for line, words in asked:
            with self.subTest(line):
                program = f"oras completion fish | source; complete -C '{line}'"
                done = subprocess.run(["fish", "--no-config", "-c", program], capture_output=True,
                                      text=True, timeout=60, check=False, cwd=self.directory.name,
                                      env={**os.environ, "HOME": self.directory.name, "PATH":
                                           f"{self.directory.name}:{os.environ['PATH']}"})
                self.assertEqual(words, re.sub(r"\t.*", "", done.stdout), done.stderr)

    def test_version_has_the_lines_that_scripts_read(self):
        out = run(self.oras, "version")[1]
        self.assertRegex(out, r"(?m)^Version: +\d+\.\d+\.\d+")
        theirs = re.search(r"(?m)^OS/Arch: +(\S+)$", run(programs.ORAS, "version")[1])
        self.assertEqual(theirs[1], re.search(r"(?m)^OS/Arch: +(\S+)$", out)[1])

    def manual(self):
        """The pages that are installed, by name."""
        with tempfile.TemporaryDirectory() as directory:
            self.assertEqual((0, "", ""), run(programs.CORAS, "__man", directory))
            return {path.name: path.read_text() for path in Path(directory).iterdir()}

    def test_manual_has_every_command_and_flag(self):
        pages = self.manual()
        overview = pages.pop("coras.1")
        self.assertEqual(overview, run(programs.CORAS, "__man")[1])
        for name in COMMANDS:
            help_text = Help(run(programs.CORAS, *name.split("_"), "--help")[1], None)
            if help_text.commands:
                continue
            title = f"coras-{name.replace('_', '-')}"
            page = pages.pop(f"{title}.1").replace("\\-", "-")
            self.assertIn(f".BR {title} (1)\n", overview.replace("\\-", "-"))
            for row in help_text.flags:
                flag = re.search(r"--[\w-]+", row)[0]
                if flag != "--help":
                    self.assertIn(flag, page, name)

    @unittest.skipIf(shutil.which("groff") is None, "groff is not installed")
    def test_manual_is_clean(self):
        pages = "".join(self.manual().values())
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z"], input=pages, text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_full_output_device_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.oras, "version"], stdout=full, stderr=subprocess.PIPE,
                                  timeout=60, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn(b"no space left on device", done.stderr)


if __name__ == "__main__":
    main()
