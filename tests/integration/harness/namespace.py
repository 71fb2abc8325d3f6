# SPDX-License-Identifier: Apache-2.0
"""A network of the test's own: addresses and names that the machine need not have.

Linux lets a process leave the network and the mounts of the others. After enter() this process and
what it starts see a loopback interface with ADDRESSES and a table of hosts that hosts() writes.
"""

import ctypes
import os
import subprocess
import tempfile
import unittest

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
ADDRESSES = {"public": "203.0.113.7", "public2": "203.0.113.8", "private": "10.98.7.6"}
TWO_ADDRESSES = "127.0.0.1 localhost\n::1 localhost\n"  # as Debian and every container have it

_table = None


def _map_user(uid, gid):
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as f:
            f.write(text)


def _run(*argv):
    subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def enter():
    """Leave, for good: once per process, before threads. Skips the tests where that is forbidden."""
    global _table
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET | (0 if uid == 0 else CLONE_NEWUSER)) != 0:
        raise unittest.SkipTest(f"no namespaces here: {os.strerror(ctypes.get_errno())}")
    if uid != 0:
        _map_user(uid, gid)
    _table = tempfile.NamedTemporaryFile("w", prefix="coras-test-hosts-")
    try:
        _run("mount", "--make-rprivate", "/")
        _run("mount", "--bind", _table.name, "/etc/hosts")
        _run("ip", "link", "set", "lo", "up")
        for address in ADDRESSES.values():
            _run("ip", "address", "add", address + "/32", "dev", "lo")
    except (OSError, subprocess.CalledProcessError) as failure:
        raise unittest.SkipTest(f"no network of our own: {failure}") from failure
    hosts()


def hosts(text=TWO_ADDRESSES, **names):
    """What /etc/hosts says from now on: the text, and a name for each list of addresses."""
    for name, addresses in names.items():
        text += "".join(f"{address} {name}.test\n" for address in addresses)
    _table.seek(0)
    _table.truncate()
    _table.write(text)
    _table.flush()
