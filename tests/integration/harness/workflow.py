# SPDX-License-Identifier: Apache-2.0
"""Workflow files of CI systems, read and run as far as our examples go.

The YAML that is understood: mappings, lists, block scalars, flow lists of plain words, comments. What is not understood
is an error and never skipped.
"""

import re
import subprocess


class Lines:
    """The lines of a document that say something, and where the reader is."""

    def __init__(self, text):
        self.lines = text.splitlines()
        self.at = 0

    def skip_blank(self):
        while self.at < len(self.lines) and re.match(r"\s*(#.*)?$", self.lines[self.at]):
            self.at += 1

    def indent(self):
        """Of the next line that says something; -1 at the end."""
        self.skip_blank()
        if self.at == len(self.lines):
            return -1
        line = self.lines[self.at]
        return len(line) - len(line.lstrip())

    def take(self):
        self.skip_blank()
        self.at += 1
        return self.lines[self.at - 1]


def scalar(text):
    text = re.sub(r"\s+#.*", "", text).strip()
    if text.startswith("[") and text.endswith("]"):
        return [scalar(part) for part in text[1:-1].split(",") if part.strip()]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def block_scalar(lines, parent, folded):
    taken = []
    while lines.at < len(lines.lines):
        line = lines.lines[lines.at]
        if line.strip() and len(line) - len(line.lstrip()) <= parent:
            break
        taken.append(line)
        lines.at += 1
    depth = min(len(line) - len(line.lstrip()) for line in taken if line.strip())
    taken = [line[depth:] for line in taken]
    return " ".join(line.strip() for line in taken if line.strip()) if folded else "\n".join(taken) + "\n"


def value_of(rest, lines, parent):
    rest = rest.strip()
    if rest in ("|", ">-"):
        return block_scalar(lines, parent, rest == ">-")
    if rest and not rest.startswith("#"):
        return scalar(rest)
    return node(lines, parent + 1) if lines.indent() > parent else ""


def mapping(lines, depth):
    result = {}
    while lines.indent() == depth and not lines.lines[lines.at].lstrip().startswith("- "):
        match = re.match(r"\s*([^:\s][^:]*):(?:\s+(.*))?$", lines.take())
        result[match[1]] = value_of(match[2] or "", lines, depth)
    return result


def sequence(lines, depth):
    result = []
    while lines.indent() == depth and lines.lines[lines.at].lstrip().startswith("- "):
        rest = lines.lines[lines.at].lstrip()[2:]
        if re.match(r"[\w-]+:(\s|$)", rest):  # a mapping whose first line is this one
            lines.lines[lines.at] = " " * (depth + 2) + rest
            result.append(mapping(lines, depth + 2))
        else:
            lines.at += 1
            result.append(value_of(rest, lines, depth))
    return result


def node(lines, least):
    depth = lines.indent()
    assert depth >= least, lines.at
    is_list = lines.lines[lines.at].lstrip().startswith("- ")
    return sequence(lines, depth) if is_list else mapping(lines, depth)


def parse(text):
    lines = Lines(text)
    result = node(lines, 0)
    assert lines.indent() == -1, f"line {lines.at + 1} is not understood"
    return result


class Runner:
    """Runs the steps of GitHub's workflows in a directory. `action(step)` gives what a `uses:` of ours stands for."""

    def __init__(self, directory, env, context, action):
        self.directory, self.env, self.context, self.action = directory, dict(env), context, action
        self.files = {name: directory.parent / name.lower() for name in ("GITHUB_ENV", "GITHUB_PATH",
                                                                         "GITHUB_STEP_SUMMARY")}
        for path in self.files.values():
            path.write_text("")

    def fill(self, text, context):
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda match: context[match[1]], text)

    def holds(self, condition, context):
        name, operator, value = re.fullmatch(r"([\w.]+) (==|!=) '(.*)'", condition).groups()
        return (context[name] == value) == (operator == "==")

    def environment(self, *layers, context):
        env = {**self.env, **{name: str(path) for name, path in self.files.items()}}
        for layer in layers:
            env.update({name: self.fill(text, context) for name, text in layer.items()})
        env.update(line.split("=", 1) for line in self.files["GITHUB_ENV"].read_text().splitlines())
        path = [*reversed(self.files["GITHUB_PATH"].read_text().splitlines()), env["PATH"]]
        return {**env, "PATH": ":".join(path)}

    def run_steps(self, steps, env, context):
        for step in steps:
            if "if" in step and not self.holds(step["if"], context):
                continue
            if "uses" in step:
                if not step["uses"].startswith("actions/checkout@"):
                    self.run_action(step, context)
                continue
            subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], cwd=self.directory, check=True, timeout=120,
                           env=self.environment(env, step.get("env", {}), context=context), capture_output=True)

    def run_action(self, step, context):
        action, inputs = self.action(step)
        given = {name: self.fill(text, context) for name, text in {**step.get("with", {}), **inputs}.items()}
        inner = {**context, **{f"inputs.{name}": self.fill(given.get(name, what.get("default", "")), context)
                               for name, what in action["inputs"].items()}}
        self.run_steps(action["runs"]["steps"], {}, inner)

    def run(self, workflow, **inputs):
        context = {**self.context, **{f"inputs.{name}": value for name, value in inputs.items()}}
        for job in workflow["jobs"].values():
            self.run_steps(job["steps"], job.get("env", {}), context)
