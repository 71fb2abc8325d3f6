# SPDX-License-Identifier: Apache-2.0
"""What a power cut may leave of the files that a program was writing.

The program runs under strace. Its calls become a list of events, and from any prefix of them the
model tells a state that a disk may be found in: what was synced is there, of everything else any
part may be missing.

    data     of a file is durable after fsync or fdatasync of the file
    a name   (made, moved, removed) is durable after fsync of the directory that holds it
    both     are durable after syncfs

Nothing else is believed, also where some file systems do more (a file's first fsync keeps its name
on most of them). A rename happens as a whole or not at all, which is what makes it useful.
"""

import ast
import dataclasses
import os
import re

# What changes files or makes that durable; scan() at the end shows whether one is missing here.
CHANGES = ("openat", "openat2", "open", "mkdir", "mkdirat", "write", "pwrite64", "ftruncate",
           "fallocate", "copy_file_range", "rename", "renameat", "renameat2", "unlink", "unlinkat",
           "rmdir", "link", "linkat", "symlink", "symlinkat",
           "fsync", "fdatasync", "syncfs", "sync")
NEVER = float("inf")


# ---- what happened ----

class Node:
    """A file (its first bytes), a directory (its first names) or a symbolic link."""

    def __init__(self, data=None, names=None, link=None):
        self.data, self.names, self.link = data, names, link


@dataclasses.dataclass(eq=False)
class Event:
    call: str  # as strace wrote it
    durable_from: float = NEVER  # length of the first prefix that makes it durable


@dataclasses.dataclass(eq=False)
class Write(Event):
    node: Node = None
    at: int = 0
    data: bytes = b""


@dataclasses.dataclass(eq=False)
class Truncate(Event):
    node: Node = None
    size: int = 0


@dataclasses.dataclass(eq=False)
class Name(Event):
    """`name` in `holder` becomes `node` (None: goes away), and `gone` (holder, name) goes away."""
    node: Node = None
    holder: Node = None
    name: str = ""
    gone: tuple = None


class Sync(Event):
    pass


# ---- what is found ----

def scan(top):
    """Relative name -> bytes of a file, None for a directory, text for where a link leads."""
    found = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            key = os.path.relpath(path, top)
            if os.path.islink(path):
                found[key] = os.readlink(path)
            elif os.path.isdir(path):
                found[key] = None
            else:
                with open(path, "rb") as file:
                    found[key] = file.read()
    return found


def lay_out(tree, top):
    """Make a tree as scan() tells it."""
    top.mkdir()
    for name, value in sorted(tree.items()):  # a directory sorts before what it holds
        path = top / name
        if value is None:
            path.mkdir()
        elif isinstance(value, str):
            path.symlink_to(value)
        else:
            path.write_bytes(value)


# ---- what a cut does to something that was not synced ----

KEEP, LOSE, ONLY_SIZE = "keep", "lose", "only size"


def lose_all(_):
    return LOSE


def keep_all(_):
    return KEEP


def keep_names(event):
    """Files are there and empty."""
    return KEEP if isinstance(event, Name) else LOSE


def keep_names_and_sizes(event):
    """Files have their length and are full of zeros."""
    return ONLY_SIZE if isinstance(event, Write) else KEEP


def keep_some(random):
    """Any part of it, a write also in part."""
    def choose(event):
        if isinstance(event, Write):
            return random.choice((KEEP, LOSE, ONLY_SIZE, random.randrange(len(event.data) + 1)))
        return random.choice((KEEP, LOSE))
    return choose


def cut_write(data, fate):
    if fate == ONLY_SIZE:
        return b"", len(data)
    return (data, len(data)) if fate == KEEP else (data[:fate], fate)


class Recording:
    """The events of one run below the directory `top`, and the states that a cut may leave."""

    def __init__(self, top, before):
        self.top = os.path.realpath(top)
        self.root = Node(names={})
        for name, value in sorted(before.items()):
            holder, leaf = self._begin_at(name)
            holder.names[leaf] = Node(names={}) if value is None else \
                Node(link=value) if isinstance(value, str) else Node(data=value)
        self.events = []
        self.now = {}  # directory -> its names at this moment
        self.fds, self.offsets = {}, {}  # by descriptor: what it is open for, where write() goes on

    def _begin_at(self, name):
        *parents, leaf = name.split("/")
        holder = self.root
        for parent in parents:
            holder = holder.names[parent]
        return holder, leaf

    # ---- states ----

    def state(self, length, choose):
        """The tree after the first `length` events; `choose` decides what was not synced."""
        names, content = {}, {}
        for event in self.events[:length]:
            fate = KEEP if event.durable_from <= length else choose(event)
            if fate == LOSE or isinstance(event, Sync):
                continue
            if isinstance(event, Name):
                if event.gone:
                    holder, leaf = event.gone
                    names.setdefault(holder, dict(holder.names)).pop(leaf, None)
                inside = names.setdefault(event.holder, dict(event.holder.names))
                if event.node is None:
                    inside.pop(event.name, None)
                else:
                    inside[event.name] = event.node
                continue
            data = content.setdefault(event.node, bytearray(event.node.data))
            if isinstance(event, Write):
                kept, size = cut_write(event.data, fate)
                data.extend(bytes(max(0, event.at + size - len(data))))
                data[event.at:event.at + len(kept)] = kept
            else:
                data.extend(bytes(max(0, event.size - len(data))))
                del data[event.size:]
        return self._walk(self.root, "", names, content)

    def _walk(self, directory, prefix, names, content):
        found = {}
        for name, node in names.get(directory, directory.names).items():
            path = prefix + name
            if node.names is not None:
                found[path] = None
                found.update(self._walk(node, path + "/", names, content))
            elif node.link is not None:
                found[path] = node.link
            else:
                found[path] = bytes(content.get(node, node.data))
        return found

    # ---- reading what strace wrote ----

    def read(self, log):
        """Take the calls of a log of `strace -f -y -o log`."""
        unfinished = {}
        with open(log, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                thread, _, text = line.rstrip("\n").partition(" ")
                text = text.lstrip()
                if text.endswith("<unfinished ...>"):
                    unfinished[thread] = text[:-len("<unfinished ...>")], len(self.events)
                    continue
                began = len(self.events)
                resumed = re.match(r"<\.\.\. \w+ resumed>", text)
                if resumed:
                    head, began = unfinished.pop(thread)
                    text = head + text[resumed.end():]
                self._take(text, began)
        return self

    def _take(self, text, began):
        match = re.match(r"(\w+)\((.*)\) += (\d+)(?:<.*>)?$", text, re.S)
        if not match:
            return  # it failed, or is no call
        call, result = match[1], int(match[3])
        arguments = [a.strip() for a in re.findall(
            r'"[^"\\]*(?:\\.[^"\\]*)*"(?:\.\.\.)?|[^,"]+', match[2], re.S) if a.strip()]
        take = getattr(self, "_" + re.sub(r"(at2?|64)$", "", call))
        take(_Call(self, call, text[:200], arguments, result, began))

    def locate(self, path):
        """(directory, name) of a path, None when it is not below the top."""
        path = os.path.normpath(path)
        if not path.startswith(self.top + "/"):
            return None
        *parents, leaf = path[len(self.top) + 1:].split("/")
        holder = self.root
        for parent in parents:
            holder = self.names_now(holder)[parent]
        return holder, leaf

    def names_now(self, directory):
        return self.now.setdefault(directory, dict(directory.names))

    def _named(self, call, node, place, gone=None):
        holder, leaf = place
        if gone:
            self.names_now(gone[0]).pop(gone[1])
        if node is None:
            self.names_now(holder).pop(leaf)
        else:
            self.names_now(holder)[leaf] = node
        self.events.append(Name(call.text, node=node, holder=holder, name=leaf, gone=gone))

    # ---- one call each ----

    def _open(self, call):
        path = call.path()
        self.offsets[call.result] = 0
        if os.path.normpath(path) == self.top:
            self.fds[call.result] = self.root
            return
        place = self.locate(path)
        if place is None:
            self.fds.pop(call.result, None)
            return
        flags = next(a for a in call.arguments if "O_" in a)
        assert "O_TMPFILE" not in flags and "O_APPEND" not in flags, call.text
        if place[1] not in self.names_now(place[0]):
            self._named(call, Node(data=b""), place)
        elif "O_TRUNC" in flags:
            self.events.append(Truncate(call.text, node=self.names_now(place[0])[place[1]]))
        self.fds[call.result] = self.names_now(place[0])[place[1]]

    def _mkdir(self, call):
        place = self.locate(call.path())
        if place:
            self._named(call, Node(names={}), place)

    def _symlink(self, call):
        place = self.locate(call.path(skip=1))
        if place:
            self._named(call, Node(link=call.string(0)), place)

    def _link(self, call):
        place = self.locate(call.path(skip=call.width))
        if place:
            holder, leaf = self.locate(call.path())
            self._named(call, self.names_now(holder)[leaf], place)

    def _rename(self, call):
        old, new = self.locate(call.path()), self.locate(call.path(skip=call.width))
        assert (old is None) == (new is None) and "RENAME_EXCHANGE" not in call.arguments, call.text
        if old:
            self._named(call, self.names_now(old[0])[old[1]], new, gone=old)

    def _unlink(self, call):
        place = self.locate(call.path())
        if place:
            self._named(call, None, place)

    _rmdir = _unlink

    def _written(self, call, fd, at, data):
        self.events.append(Write(call.text, node=self.fds[fd], at=at, data=data))

    def _write(self, call):
        fd = call.fd(0)
        if fd is not None:
            data = call.string(1)[:call.result]
            self._written(call, fd, self.offsets[fd], data)
            self.offsets[fd] += len(data)

    def _pwrite(self, call):
        fd = call.fd(0)
        if fd is not None:
            self._written(call, fd, int(call.arguments[3]), call.string(1)[:call.result])

    def _copy_file_range(self, call):
        fd = call.fd(2)
        if fd is not None and call.result > 0:
            at = int(re.match(r"\[(\d+)\]", call.arguments[1])[1])
            node = self.fds[call.fd(0)]
            whole = bytearray(node.data)
            for event in self.events:
                if isinstance(event, Write) and event.node is node:
                    whole[event.at:event.at + len(event.data)] = event.data
            data = bytes(whole[at:at + call.result])
            self._written(call, fd, self.offsets[fd], data)
            self.offsets[fd] += len(data)

    def _ftruncate(self, call):
        fd = call.fd(0)
        if fd is not None:
            self.events.append(Truncate(call.text, node=self.fds[fd], size=int(call.arguments[1])))

    def _fallocate(self, call):
        assert call.fd(0) is None or "KEEP_SIZE" in call.arguments[1], call.text

    def _synced(self, call, covers):
        """Of what others do while a sync runs nobody knows whether it is covered."""
        self.events.append(Sync(call.text))
        for event in self.events[:call.began]:
            if covers(event):
                event.durable_from = min(event.durable_from, len(self.events))

    def _fsync(self, call):
        fd = call.fd(0)
        if fd is not None:
            node = self.fds[fd]
            self._synced(call, lambda e: not isinstance(e, Sync) and
                         (e.holder if isinstance(e, Name) else e.node) is node)

    _fdatasync = _fsync

    def _syncfs(self, call):
        if call.fd(0) is not None:
            self._synced(call, lambda _: True)

    def _sync(self, call):
        self._synced(call, lambda _: True)


@dataclasses.dataclass
class _Call:
    recording: Recording
    name: str
    text: str
    arguments: list
    result: int
    began: int

    @property
    def width(self):
        """Arguments that a path takes: with the directory that it is relative to, or without."""
        return 2 if self.name.endswith(("at", "at2")) else 1

    def string(self, index):
        """A text as str where it names something, data as bytes."""
        word = self.arguments[index]
        assert word.endswith('"'), f"strace cut it short: {self.text}"
        data = ast.literal_eval("b" + word)
        return data if self.name in ("write", "pwrite64") else os.fsdecode(data)

    def path(self, skip=0):
        """The absolute path behind `skip` arguments."""
        if self.width == 1:
            return os.path.join(self.recording.top, self.string(skip))
        at = re.fullmatch(r"(?:\d+|AT_FDCWD)<(.*)>", self.arguments[skip])
        return os.path.join(at[1] if at else self.recording.top, self.string(skip + 1))

    def fd(self, index):
        """The number of a descriptor that is below the top."""
        match = re.match(r"(\d+)<(.*?)>", self.arguments[index])
        if not match or not (match[2] + "/").startswith(self.recording.top + "/"):
            return None
        return int(match[1])
