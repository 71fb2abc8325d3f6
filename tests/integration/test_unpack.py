# SPDX-License-Identifier: Apache-2.0
"""Directories that pull unpacks, made by others: honest ones arrive, traps do not spring."""

import gzip
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.fixtures import make_tar, tar_layer
from harness.programs import measures_memory
from harness.scripted import ScriptedRegistry, layer, manifest, sha256


def member(name, data=b"", kind=tarfile.REGTYPE, link="", mode=0o644, mtime=1700000000, **pax):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, mode, mtime
    info.size = len(data)
    info.pax_headers = pax
    return info, data


def archive(*members, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if data else None)
        end = tar.offset
    return out.getvalue()[:end] + bytes(1024)


OWN_MOUNTS = ["unshare", "--mount", "--map-root-user"]


def can_mount():
    return shutil.which("unshare") and not subprocess.run([*OWN_MOUNTS, "true"], check=False, capture_output=True).returncode


LINK, HARD, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


class UnpackCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.outside = self.box.root / "outside.txt"
        self.outside.write_bytes(b"precious")

    def serve(self, tar, data=None, **annotations):
        blob, entry = tar_layer(tar, "d")
        if data is not None:  # other compressed bytes than a plain gzip of the tar
            blob = data
            entry.update(digest=sha256(data), size=len(data))
        entry["annotations"].update(annotations)
        self.registry.blob(blob)
        self.registry.put("v1", manifest([entry]))

    def pull(self, **options):
        return self.coras("pull", f"{self.registry.host}/a:v1", "-o", "out", timeout=60, **options)

    def refused(self, tar, **options):
        """Nothing under the final name, nothing outside, no leftovers."""
        self.serve(tar, **options)
        result = self.pull()
        self.assertEqual(result.code, 1, result)
        self.assertPrintable(result.text)
        self.assertEqual(self.outside.read_bytes(), b"precious")
        self.assertFalse((self.box.work / "out/d").exists(), self.names("out"))
        for name in ("evil", "x", "out/evil", "out/x"):
            self.assertFalse((self.box.work / name).exists(), name)
        return result


class Honest(UnpackCase):
    def test_plain(self):
        self.serve(make_tar([("d", None), ("d/a", b"a"), ("d/sub", None), ("d/sub/b", b"b" * 70000)]))
        result = self.pull()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/d/sub/b"), b"b" * 70000)
        self.assertEqual((self.box.work / "out/d/a").stat().st_mtime, 1700000000)

    def test_modes_and_links(self):
        self.serve(archive(
            member("d", kind=DIR, mode=0o755), member("d/run", b"#!", mode=0o4755),
            member("d/private", b"p", mode=0o600), member("d/locked", kind=DIR, mode=0o500),
            member("d/locked/in", b"i", mode=0o400), member("d/soft", kind=LINK, link="run"),
            member("d/deep", kind=DIR, mode=0o755),
            member("d/deep/up", kind=LINK, link="../private"),
            member("d/hard", kind=HARD, link="d/private")))
        result = self.pull()
        self.assertEqual(result.code, 0, result)
        modes = {n: stat.S_IMODE(os.lstat(self.box.work / "out/d" / n).st_mode)
                 for n in ("run", "private", "locked", "locked/in")}
        self.assertEqual(modes, {"run": 0o755, "private": 0o600, "locked": 0o500, "locked/in": 0o400})
        self.assertEqual(os.readlink(self.box.work / "out/d/soft"), "run")
        self.assertEqual(self.read("out/d/deep/up"), b"p")
        self.assertEqual(self.read("out/d/hard"), b"p")

    @unittest.skipUnless(can_mount(), "no mount namespaces here: nothing is pulled onto mount points")
    def test_other_file_systems_below_the_output_directory(self):
        tar = archive(member("d/sub/f", b"new" * 100000, mode=0o755), member("d/sub/l", kind=LINK, link="f"),
                      member("d/sub/deeper", kind=DIR, mode=0o750), member("d/sub/deeper/g", b"g"))
        blob, entry = tar_layer(tar, "d")
        self.registry.blob(blob)
        plain = layer(self.registry.blob(b"plain"), "d2/plain.txt")
        self.registry.put("v1", manifest([entry, plain]))
        pull = f'"{programs.CORAS}" pull {self.registry.host}/a:v1 -o out'
        for point, before in (("out/d", "touch out/d/kept"), ("out/d/sub", "echo old >out/d/sub/f"), ("out", "mkdir out/d"),
                              ("out/d2", ":"), ("out/d/sub/deeper", ":")):
            with self.subTest(point=point):
                script = (f"rm -rf out seen; mkdir -p {point} && mount -t tmpfs none {point} && {before} && {pull} && "
                          "mkdir seen && cp -a out/. seen && ls -A out")
                result = self.box.run(*OWN_MOUNTS, "sh", "-c", script, check=0)
                self.assertEqual(self.read("seen/d/sub/f"), b"new" * 100000)
                self.assertEqual(os.readlink(self.box.work / "seen/d/sub/l"), "f")
                self.assertEqual((self.read("seen/d/sub/deeper/g"), self.read("seen/d2/plain.txt")), (b"g", b"plain"))
                self.assertEqual(os.stat(self.box.work / "seen/d/sub/f").st_mtime, 1700000000)
                self.assertEqual([n for n in self.names("seen") if ".coras-" in n], [], result)

    @unittest.skipUnless(can_mount(), "no mount namespaces here: nothing is pulled onto mount points")
    def test_a_new_directory_on_another_file_system(self):
        blob, entry = tar_layer(archive(member("m/d", kind=DIR, mode=0o750), member("m/d/f", b"f")), "m/d")
        self.registry.blob(blob)
        self.registry.put("v1", manifest([entry]))
        script = (f'mkdir -p out/m && mount -t tmpfs none out/m && "{programs.CORAS}" pull {self.registry.host}/a:v1 -o out && '
                  "cp -a out/. seen")
        self.box.run(*OWN_MOUNTS, "sh", "-c", script, check=0)
        self.assertEqual([n for n in self.names("seen") if not n.endswith("/")], ["m/d/f"])

    def test_deep_directories(self):
        """As deep as may be: into what is there, with no larger stack than the released program's."""
        deep = "d" + "/a" * 255
        self.serve(archive(member(deep + "/f", b"old")))
        self.assertEqual(self.pull().code, 0)
        self.serve(archive(member(deep + "/f", b"new")))
        stack = 8192 if programs.SANITIZED else 1024
        limited = f"ulimit -s {stack}; exec {programs.CORAS} pull {self.registry.host}/a:v1 -o out"
        self.box.run("sh", "-c", limited, check=0)
        self.assertEqual(self.read("out", deep, "f"), b"new")

    def test_while_others_rename(self):
        """What a path with ".." leads to the kernel does not say while anything on the machine is renamed."""
        links = [member(f"d/l{i}", kind=LINK, link="a/../f") for i in range(2000)]
        self.serve(archive(member("d/a", kind=DIR, mode=0o755), member("d/f", b"f"), *links))
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else self.box.work  # no journal that the pull would wait for
        place = self.enterContext(tempfile.TemporaryDirectory(dir=memory))
        loop = "import os\nopen('a', 'w').close()\nwhile True:\n os.rename('a', 'b')\n os.rename('b', 'a')"
        other = subprocess.Popen([sys.executable, "-c", loop], cwd=place)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.assertEqual(self.pull().code, 0)

    def test_title_that_goes_up(self):
        """With -T also the members of an archive begin with the two dots."""
        tar = archive(member("../d", kind=DIR, mode=0o755), member("../d/a", b"a"),
                      member("../d/hard", kind=HARD, link="../d/a"),
                      member("../d/soft", kind=LINK, link="a"))
        blob, entry = tar_layer(tar, "../d")
        self.registry.blob(blob)
        self.registry.put("v1", manifest([entry]))
        ref = f"{self.registry.host}/a:v1"
        self.fails("pull", ref, "-o", "out/x", contains="path traversal disallowed")
        self.ok("pull", ref, "-o", "out/x", "-T")
        self.assertEqual(self.read("out/d/hard"), b"a")
        for name in ("../d/../evil", "../../d/evil", "../d/../../evil"):
            blob, entry = tar_layer(archive(member(name, b"evil")), "../d")
            self.registry.blob(blob)
            self.registry.put("v2", manifest([entry]))
            self.fails("pull", f"{self.registry.host}/a:v2", "-o", "out/x", "-T",
                       contains="is outside of")
            self.assertEqual([n for n in self.names() if "evil" in n], [])

    def serve_here_directory(self, tar, *more):
        blob, entry = tar_layer(tar, ".")
        self.registry.blob(blob)
        self.registry.put("v1", manifest([entry, *more]))

    def test_archive_of_the_output_directory_itself(self):
        """What `push .` makes; Python's names begin with ./ and Go's do not."""
        for prefix in ("", "./"):
            self.box.run("rm", "-rf", "real", "out")
            (self.box.work / "real").mkdir()
            (self.box.work / "out").symlink_to("real")
            self.box.write("real/kept", b"kept")
            self.serve_here_directory(archive(
                member(".", kind=DIR, mode=0o755), member(prefix + "a", b"a"),
                member(prefix + "sub", kind=DIR, mode=0o755), member(prefix + "sub/b", b"b"),
                member(prefix + "l", kind=LINK, link="sub/b")))
            for more in ((), ("-T",)):
                result = self.coras("pull", f"{self.registry.host}/a:v1", "-o", "out", *more,
                                    "--format", "json")
                self.assertEqual(result.code, 0, result)
                self.assertEqual(json.loads(result.out)["files"][0]["path"],
                                 f"{self.box.work}/out/")
                self.assertTrue((self.box.work / "out").is_symlink())
                self.assertEqual(self.names("real"), ["a", "kept", "l", "sub/", "sub/b"])
        self.fails("pull", f"{self.registry.host}/a:v1", "-o", "out", "-k",
                   contains="overwrite disallowed")
        self.ok("pull", f"{self.registry.host}/a:v1", "-o", "fresh", "-k")

    def test_archive_of_the_output_directory_cannot_leave_it(self):
        data = b"honest"
        honest = layer(self.registry.blob(data), "honest.bin")
        staged = f".coras-partial/sha256-{sha256(data)[7:]}.partial"
        for name, kind, link in (("../evil", tarfile.REGTYPE, ""), ("/evil", tarfile.REGTYPE, ""),
                                 ("a/../../evil", tarfile.REGTYPE, ""), ("l", LINK, "../outside.txt"),
                                 ("l", LINK, "/etc/passwd"), ("h", HARD, "../outside.txt"),
                                 (staged, tarfile.REGTYPE, ""), ("./" + staged, tarfile.REGTYPE, "")):
            with self.subTest(name):
                self.serve_here_directory(
                    archive(member(name, b"" if link else b"evil", kind, link)), honest)
                result = self.pull()
                self.assertEqual(result.code, 1, result)
                self.assertEqual(self.names("out"), [], result)

    def test_one_archive_as_directory_and_as_files(self):
        """Each name has its own descriptor, whatever the order."""
        tar = make_tar([("d", None), ("d/a", b"content")])
        blob, packed = tar_layer(tar, "d")
        first, second = (layer(blob, title, kind)
                         for title, kind in (("1.tgz", "x/one"), ("2.tgz", "x/two")))
        second["annotations"]["k"] = "v"
        self.registry.blob(blob)
        for order in ([packed, first, second], [first, packed, second], [first, second, packed]):
            self.registry.put("v1", manifest(order))
            self.box.run("rm", "-rf", "out")
            for _ in range(2):  # the second pull finds the files right
                result = self.pull()
                self.assertEqual(result.code, 0, result)
                self.assertEqual(self.names("out"), ["1.tgz", "2.tgz", "d/", "d/a"])
                self.assertEqual(self.read("out/2.tgz"), blob)
        self.box.run("rm", "-rf", "out")
        result = self.pull()
        self.assertEqual(sorted(line.split()[2] for line in result.out.splitlines()
                                if line.startswith(("Downloaded ", "Restored ")))[:3],
                         ["1.tgz", "2.tgz", "application/vnd.oci.image.manifest.v1+json"], result)
        files = json.loads(self.ok("pull", f"{self.registry.host}/a:v1", "--format", "json").out)
        self.assertEqual([(f["mediaType"], f["annotations"].get("k")) for f in files["files"]],
                         [("x/one", None), ("x/two", "v"), (packed["mediaType"], None)])

    def test_c35_padding_and_members(self):
        """Archives of GNU tar and Python end in more zeroes; gzip may have several members."""
        tar = make_tar([("d", None), ("d/a", b"content")])
        padded = tar + bytes(-len(tar) % 10240)
        middle = len(tar) // 2
        for name, whole, data in (("padded", padded, None),
                                  ("members", tar, gzip.compress(tar[:middle]) +
                                   gzip.compress(tar[middle:]))):
            with self.subTest(name):
                self.box.run("rm", "-rf", "out")
                self.serve(whole, data)
                result = self.pull()
                self.assertEqual(result.code, 0, result)
                self.assertEqual(self.read("out/d/a"), b"content")

    def test_long_names(self):
        names = ["d/" + "long" * 20 + "/" + "name" * 20, "d/" + "é" * 100, "d/" + "x" * 200]
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            self.box.run("rm", "-rf", "out")
            self.serve(archive(member("d", kind=DIR, mode=0o755), member(os.path.dirname(names[0]),
                               kind=DIR, mode=0o755), *(member(n, b"n") for n in names), form=form))
            result = self.pull()
            self.assertEqual(result.code, 0, result)
            for name in names:
                self.assertEqual(self.read("out", name), b"n")

    def test_c42_many_members(self):
        self.serve(archive(member("d", kind=DIR, mode=0o755),
                           *(member(f"d/{n}") for n in range(20000))))
        result = self.pull()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(len(os.listdir(self.box.work / "out/d")), 20000)

    def test_unpack_false_keeps_the_archive(self):
        tar = make_tar([("d", None), ("d/a", b"a")])
        self.serve(tar, **{"io.deis.oras.content.unpack": "false",
                           "org.opencontainers.image.title": "d.tgz"})
        self.assertEqual(self.pull().code, 0)
        self.assertEqual(gzip.decompress(self.read("out/d.tgz")), tar)

    def test_replaces_an_older_directory(self):
        self.serve(make_tar([("d", None), ("d/a", b"new")]))
        self.box.write("out/d/a", b"old")
        result = self.pull()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/d/a"), b"new")


class Hostile(UnpackCase):
    top = member("d", kind=DIR, mode=0o755)

    def test_deeper_than_any_stack(self):
        for deep in ("d" + "/a" * 257, "d" + "/a" * 2000):
            self.refused(archive(self.top, member(deep, b"evil")))

    def test_c21_names_outside(self):
        for name in ("../evil", "d/../../evil", "/tmp/coras-evil", "e/x", "d/../evil", ".."):
            with self.subTest(name):
                self.refused(archive(self.top, member(name, b"evil")))
        self.assertFalse(os.path.exists("/tmp/coras-evil"))

    def test_c22_c23_through_links(self):
        root = str(self.box.root)
        self.refused(archive(self.top, member("d/l", kind=LINK, link=".."), member("d/l/evil", b"x")))
        self.refused(archive(self.top, member("d/l", kind=LINK, link=root),
                             member("d/l/outside.txt", b"x")))
        self.refused(archive(self.top, member("d/a", kind=DIR, mode=0o755),
                             member("d/a/b", kind=LINK, link=".."),
                             member("d/a/b/c", kind=LINK, link=".."), member("d/c/../evil", b"x")))
        chain = [self.top] + [member(f"d/{'x/' * n}x", kind=DIR, mode=0o755) for n in range(3)]
        self.refused(archive(*chain, member("d/y", kind=LINK, link="x/x/x"),
                             member("d/z", kind=LINK, link="y/../../../../.."),
                             member("d/z/evil", b"evil")))

    def test_c24_c25_links_outside(self):
        for link in ("/etc/passwd", "../../outside.txt", "../..", "a/../../.."):
            with self.subTest(link):
                self.refused(archive(self.top, member("d/l", kind=LINK, link=link)))

    def test_c26_c27_c28_hard_links(self):
        self.box.write("d/secret", b"s")
        for link in (str(self.outside), "../../outside.txt", "d/nope", "/etc/passwd"):
            with self.subTest(link):
                self.refused(archive(self.top, member("d/h", kind=HARD, link=link)))
        info, _ = member("d/h", kind=HARD, link="d/a")
        info.size = 4
        body = archive(self.top, member("d/a", b"aaaa"))[:-1024] + info.tobuf() + b"evil".ljust(
            512, b"\0") + bytes(1024)
        self.serve(body)
        if self.pull().code == 0:
            self.assertEqual(self.read("out/d/a"), b"aaaa")

    def test_c29_file_over_a_link(self):
        self.serve(archive(self.top, member("d/t", b"target"), member("d/l", kind=LINK, link="t"),
                           member("d/l", b"file")))
        if self.pull().code == 0:
            self.assertEqual(self.read("out/d/t"), b"target")
            self.assertEqual(self.read("out/d/l"), b"file")

    def test_c31_special_files_are_not_made(self):
        for kind in (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
            self.serve(archive(self.top, member("d/special", kind=kind), member("d/a", b"a")))
            self.assertEqual(self.pull().code, 1)
            self.assertFalse(os.path.lexists(self.box.work / "out/d"))

    def test_c34_c35_c37_broken_streams(self):
        tar = make_tar([("d", None), ("d/a", os.urandom(50000))])
        good = gzip.compress(tar)
        cases = {"cut": good[:-30], "bytes after gzip": good + b"evil trailer",
                 "bytes after the end": gzip.compress(tar + b"evil" * 200), "not gzip": b"x" * 1000,
                 "gzip of no tar": gzip.compress(b"no tar" * 1000), "empty": b"",
                 "plain tar": tar, "bad crc": good[:-8] + b"\0\0\0\0" + good[-4:]}
        for name, data in cases.items():
            with self.subTest(name):
                self.refused(tar, data=data)

    def test_c36_inner_digest(self):
        tar = make_tar([("d", None), ("d/a", b"a")])
        result = self.refused(tar, **{"io.deis.oras.content.digest": sha256(b"other")})
        self.assertIn("content digest mismatch", result.err)

    def test_c38_c39_c40_sizes(self):
        for size in ("-1", str(2**63), "99999999999999999999", "x"):
            with self.subTest(size):
                self.refused(archive(self.top, member("d/a", b"a", size=size)))
        self.refused(archive(self.top, member("d/a", b"a", comment="x" * (3 << 20))))
        info, _ = member("d/a", b"a")
        info.size = 1 << 33
        self.refused(archive(self.top)[:-1024] + info.tobuf(tarfile.GNU_FORMAT) + b"a" * 512)

    def test_c43_other_compressions(self):
        import bz2
        import lzma
        tar = make_tar([("d", None), ("d/a", b"a")])
        for data in (lzma.compress(tar), bz2.compress(tar)):
            self.refused(tar, data=data)

    def test_two_archives_make_no_link_that_leads_out(self):
        """The second bends the way of a link that the first has made, and that was good then."""
        self.serve(archive(self.top, member("d/a", kind=DIR, mode=0o755),
                           member("d/a/x", kind=DIR, mode=0o755),
                           member("d/a/s", kind=LINK, link="x"),
                           member("d/a/l", kind=LINK, link="s/../../a")))
        self.assertEqual(self.pull().code, 0)
        self.serve(archive(self.top, member("d/a", kind=DIR, mode=0o755),
                           member("d/a/s", kind=LINK, link="."), member("d/new", b"new")))
        result = self.pull()
        self.assertEqual(result.code, 1, result)
        self.assertIn("may lead out", result.err)
        self.assertEqual(os.readlink(self.box.work / "out/d/a/s"), "x")
        self.assertFalse((self.box.work / "out/d/new").exists())

    def peak_kib(self):
        """Peak memory of a pull."""
        program = ("import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True)\n"
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        result = self.box.run(sys.executable, "-c", program, self.box.bin / "oras", "pull",
                              f"{self.registry.host}/a:v1", "-o", "out", check=0)
        shutil.rmtree(self.box.work / "out")
        return int(result.out.split()[-1])

    @measures_memory
    def test_memory_does_not_grow_with_the_members(self):
        self.serve(archive(self.top))
        few = self.peak_kib()
        info, _ = member("d/" + "x" * 90, kind=DIR, mode=0o755)
        self.serve(archive(self.top)[:-1024] + info.tobuf(tarfile.USTAR_FORMAT) * 100000 + bytes(1024))
        self.assertLess(self.peak_kib(), few + 8 * 1024)

    def test_link_in_the_way(self):
        """The directory's own name is a link that leads away: replaced, not followed."""
        elsewhere = self.box.root / "elsewhere"
        elsewhere.mkdir()
        (self.box.work / "out").mkdir()
        (self.box.work / "out/d").symlink_to(elsewhere)
        self.serve(make_tar([("d", None), ("d/a", b"a")]))
        self.pull()
        self.assertEqual(list(elsewhere.iterdir()), [])


if __name__ == "__main__":
    main()
