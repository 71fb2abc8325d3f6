"""The machine itself fails: streams, disks, descriptors, threads. Rows F33-F43 of the threat model."""

import os

from harness.case import CliCase, main
from harness.scripted import ScriptedRegistry

MIB = 1 << 20


class SystemCase(CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.serve_here(ScriptedRegistry())
        self.ref = f"{self.registry.host}/a:v1"
        self.data = os.urandom(3 * MIB)

    def serve_artifact(self, *more):
        self.registry.artifact("v1", [(self.data, "big.bin"), (b"small", "sub/small"), *more])

    def shell(self, script, **options):
        return self.box.run("bash", "-c", script, env={"REF": self.ref}, **options)


class Streams(SystemCase):
    """F43: what could not be said is a failure, whatever was done on disk."""

    COMMANDS = ("pull $REF -o out", "pull $REF -o out --format json", "resolve $REF",
                "manifest fetch $REF", "repo tags ${REF%:v1}", "discover $REF", "version", "help")

    def test_reader_went_away(self):
        self.serve_artifact()
        for command in self.COMMANDS:
            with self.subTest(command):
                # The pipe's reader has ended before the program starts.
                result = self.shell(f"exec 3> >(exit); wait $!; oras {command} >&3")
                self.assertEqual(result.code, 1, result)
                self.assertEqual(result.err, "Error: write /dev/stdout: broken pipe\n")
        self.assertEqual(self.read("out/big.bin"), self.data)
        self.no_leftovers("out", but=["big.bin", "sub/", "sub/small"])

    def test_closed_streams_do_not_become_files_of_ours(self):
        """A closed stdout must not be the number of a socket or of a file of the artifact."""
        self.serve_artifact()
        for command in self.COMMANDS:
            with self.subTest(command):
                result = self.shell(f"oras {command} >&-")
                self.assertEqual(result.code, 1, result)
                self.assertIn("write /dev/stdout: bad file descriptor", result.err)
        self.box.run("rm", "-rf", "out")
        result = self.shell("oras pull $REF -o out <&- 2>&-")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/big.bin"), self.data)
        self.assertEqual(self.read("out/sub/small"), b"small")

    def test_stderr_went_away(self):
        self.serve_artifact()
        result = self.shell("exec 3> >(exit); wait $!; oras pull --debug $REF -o out 2>&3")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read("out/big.bin"), self.data)


if __name__ == "__main__":
    main()
