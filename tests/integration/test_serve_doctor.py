# SPDX-License-Identifier: Apache-2.0
"""coras serve doctor: which configurations of container runtimes use a mirror, and which only look so."""

import json
import os
import unittest

from embedded import PROGRAM, Server
from harness.case import CliCase, main
from harness.servers import free_port

V3 = 'plugins."io.containerd.cri.v1.images".registry'
V2 = 'plugins."io.containerd.grpc.v1.cri".registry'
CERTS = "/etc/containerd/certs.d"


@unittest.skipUnless(PROGRAM.exists(), "built without the registry")
class Doctor(CliCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cache = Server().start()
        cls.addClassCleanup(cls.cache.close)
        cls.mirror = f"http://{cls.cache.host}"

    def file(self, path, text):
        self.box.write("node" + path, text.replace("MIRROR", self.mirror).encode())

    def look(self, *flags):
        """The findings but notes, and the exit code."""
        (self.box.work / "node").mkdir(exist_ok=True)
        result = self.coras("serve", "doctor", "--root", "node", "--format", "json", *flags)
        report = json.loads(result.out)
        self.assertEqual(report["good"], result.code == 0, report)
        return [f for f in report["findings"] if f["verdict"] != "note"], result.code

    def verdicts(self, *flags):
        findings, code = self.look(*flags)
        return [(f["runtime"], f.get("registry"), f["verdict"]) for f in findings], code

    def containerd(self, text, version=3):
        self.file("/etc/containerd/config.toml", f"version = {version}\n{text}")

    def hosts(self, registry="docker.io", text='[host."MIRROR"]\ncapabilities = ["pull", "resolve"]\n'):
        self.file(f"{CERTS}/{registry}/hosts.toml", text)

    def assert_uses(self, runtime="containerd", registry="docker.io"):
        self.assertEqual(self.verdicts(), ([(runtime, registry, "uses")], 0))

    def assert_bypassed(self, *words, verdict="bypassed", flags=()):
        findings, code = self.look(*flags)
        self.assertEqual((findings[0]["verdict"], code), (verdict, 1), findings)
        for word in words:
            self.assertIn(word, json.dumps(findings[0]).replace('\\"', '"'))
        return findings[0]

    def test_nothing_is_there(self):
        self.assertEqual(self.look(), ([], 0))
        result = self.coras("serve", "doctor", "--root", "node")
        self.assertEqual((result.code, result.out), (0, "no container runtime is configured on this node\n"))

    def test_versions_of_containerd(self):
        self.hosts()
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.assert_uses()
        self.containerd(f'[{V2}]\nconfig_path = "{CERTS}"\n', 2)
        self.assert_uses()
        self.containerd(f'[plugins.cri.registry]\nconfig_path = "{CERTS}"\n', 1)
        self.assert_uses()

    def test_a_table_of_another_version_is_told(self):
        self.hosts()
        self.containerd(f'[{V2}]\nconfig_path = "{CERTS}"\n')
        finding = self.assert_bypassed("version 3", "version 2", "config.toml:2")
        self.assertEqual(finding["write"], {"file": "/etc/containerd/config.toml",
                                            "lines": f'[{V3}]\n  config_path = "{CERTS}"\n'})
        self.file("/etc/containerd/config.toml", "version = 3\n" + finding["write"]["lines"])
        self.assert_uses()  # the advice is right

    def test_no_configuration_or_no_path(self):
        self.file("/usr/bin/containerd", "")
        self.assert_bypassed("there is no configuration", "version = 2")
        self.containerd("")
        self.assert_bypassed("config_path is not set")
        self.containerd(f'disabled_plugins = ["cri"]\n[{V3}]\n')
        self.assertEqual(self.look(), ([], 0))

    def test_a_list_of_directories(self):
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}:/etc/docker/certs.d"\n')
        self.assert_bypassed("is a list", f'config_path = "{CERTS}"')

    def test_imports_count_and_the_later_wins(self):
        self.hosts()
        self.containerd(f'imports = ["conf.d/*.toml"]\n[{V3}]\nconfig_path = "/nowhere"\n')
        self.file("/etc/containerd/conf.d/a.toml", f'version = 3\n[{V3}]\nconfig_path = "{CERTS}"\n')
        self.file("/etc/containerd/conf.d/b.txt", "nonsense")
        self.assert_uses()
        self.file("/etc/containerd/conf.d/c.toml", "nonsense")
        self.assertEqual(self.verdicts()[0][0], ("containerd", None, "broken"))
        self.assertIn("c.toml:1: a key without =", self.look()[0][0]["message"])

    def test_imports_of_imports(self):
        self.hosts()
        self.containerd('imports = ["/etc/elsewhere/a.toml", "config.toml"]\n')
        self.file("/etc/elsewhere/a.toml", 'version = 3\nimports = ["b.toml"]\n')
        self.file("/etc/elsewhere/b.toml", f'version = 3\nimports = ["a.toml"]\n[{V3}]\nconfig_path = "{CERTS}"\n')
        self.assert_uses()
        self.file("/etc/elsewhere/b.toml", f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.assert_bypassed("of version 1 (as when it states none)", "b.toml:1")
        self.containerd(f'imports = ["missing.toml"]\n[{V3}]\nconfig_path = "{CERTS}"\n')
        self.assert_bypassed("missing.toml", verdict="broken")  # containerd does not start

    def test_spellings_of_hosts(self):
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.file(f"{CERTS}/README", "no directory, no registry")
        host = self.cache.host
        for text in (f'[host."{self.mirror}"]\ncapabilities = []\n', f"[host.'{self.mirror}/']\n",
                     f'host."{self.mirror}".capabilities = ["pull", "resolve"]\n', f'[ host . "{self.mirror}" ]\r\n',
                     f'[host."{self.mirror}/v2"]\n', f'[host."{self.mirror}/v2/docker.io"]\noverride_path = true\n',
                     f'host = {{"{self.mirror}" = {{skip_verify = false}}}}\n', f'server = "{self.mirror}"\n',
                     f'[host."http://127.0.0.1:1"]\ncapabilities = ["push"]\n[host."{self.mirror}"]\n'):
            self.hosts(text=text)
            self.assert_uses()
        for text, words in ((f'[host."{host}"]\n', ("does not answer", f"https://{host}")),  # no scheme means https
                            (f'[host."{self.mirror}/docker.io"]\n', ("404", "/docker.io/v2/")),
                            (f'[host."{self.mirror}/docker.io"]\noverride_path = true\n', ("404", "/docker.io/"))):
            self.hosts(text=text)
            self.assert_bypassed(*words, verdict="silent")

    def test_the_old_form(self):
        old = f'[{V2}.mirrors."docker.io"]\nendpoint = ["MIRROR"]\n'
        self.containerd(old, 2)
        self.assert_uses()
        self.containerd(f'[{V2}]\nconfig_path = "{CERTS}"\n{old}', 2)
        self.assert_bypassed("both set", verdict="broken")
        for others in ('[{}.mirrors."ghcr.io"]\nendpoint = ["MIRROR"]\n', '[{}.mirrors."docker.io"]\nendpoint = []\n'):
            self.containerd(others.format(V2), 2)
            findings, code = self.look()
            self.assertEqual((findings[-1]["verdict"], code), ("bypassed", 1))
            # not the newer form, which would be too much beside the older one
            self.assertEqual(findings[-1]["write"]["lines"],
                             f'[{V2}.mirrors."docker.io"]\n  endpoint = ["http://127.0.0.1:5000"]\n')

    def test_hosts(self):
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.hosts("ghcr.io")
        self.assertEqual(self.verdicts(), ([("containerd", "ghcr.io", "uses"),
                                            ("containerd", "docker.io", "bypassed")], 1))
        self.hosts("_default")
        self.assertEqual(self.verdicts(), ([("containerd", None, "uses"), ("containerd", "ghcr.io", "uses")], 0))
        self.hosts("ghcr.io", '[host."MIRROR"]\ncapabilities = ["pull"]\n')
        self.assertIn("tags are asked of the registry itself", self.look()[0][1]["message"])
        self.hosts("ghcr.io", '[host."MIRROR"]\ncapabilities = ["push"]\n')
        self.assertEqual(self.verdicts()[0][1], ("containerd", "ghcr.io", "bypassed"))
        self.hosts("ghcr.io", 'server = "https://ghcr.io"\n')
        self.assertEqual(self.verdicts()[0][1], ("containerd", "ghcr.io", "bypassed"))
        self.hosts("ghcr.io", "[host.\n")
        self.assertEqual(self.verdicts()[0][1], ("containerd", None, "broken"))
        self.hosts("ghcr.io", 'server = "MIRROR"\n')
        self.hosts("reg.example_5000_")
        self.assertEqual(self.verdicts()[0][1:], [("containerd", "ghcr.io", "uses"),
                                                  ("containerd", "reg.example:5000", "uses")])

    def test_a_mirror_that_does_not_answer(self):
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.hosts(text=f'[host."http://127.0.0.1:{free_port()}"]\n')
        self.assert_bypassed("does not answer", "connection refused", verdict="silent")

    def test_another_mirror_than_the_one_asked_about(self):
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.hosts()
        self.assert_bypassed(self.mirror, verdict="other", flags=("--mirror", "http://10.9.8.7:5000"))
        self.assertEqual(self.look("--mirror", self.mirror)[1], 0)
        self.fails("serve", "doctor", "--mirror", "nonsense", contains="--mirror must be a URL")

    def test_docker(self):
        daemon = "/etc/docker/daemon.json"
        self.file(daemon, '{"registry-mirrors": ["MIRROR"]}')
        self.assert_uses("docker")
        self.file(daemon, "{}")
        self.assert_bypassed("registry-mirrors is not set", '"registry-mirrors": ["http://127.0.0.1:5000"]')
        self.file(daemon, "[]")
        self.assert_bypassed("no JSON object", verdict="broken")
        self.file(daemon, "{")
        self.assert_bypassed(verdict="broken")
        for wrong in ('"MIRROR"', "[5]", '["127.0.0.1:5000"]', "{}"):
            self.file(daemon, f'{{"registry-mirrors": {wrong}}}')
            self.assert_bypassed(verdict="broken")
        self.file(daemon, '{"registry-mirrors": []}')
        self.assert_bypassed("registry-mirrors is not set")
        self.file(daemon, '{"registry-mirrors": ["MIRROR/path"]}')
        self.assert_bypassed("has a path")
        self.file(daemon, '{"registry-mirrors": ["http://10.9.8.7:5000"]}')
        self.assert_bypassed("insecure-registries")

    def process(self, name, started_s, *words):
        self.file("/proc/stat", "cpu 1 2 3\nbtime 1000\n")
        self.file("/proc/77/comm", name + "\n")
        self.file("/proc/77/cmdline", "\0".join([name, *words]) + "\0")
        ticks = (started_s - 1000) * os.sysconf("SC_CLK_TCK")
        self.file("/proc/77/stat", f"77 ({name}) S " + "0 " * 18 + f"{ticks} 0 0\n")

    def test_what_runs_now(self):
        self.hosts()
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.process("containerd", 1_000_000_000)
        self.assertEqual(self.verdicts()[0], [("containerd", "docker.io", "uses"), ("containerd", None, "bypassed")])
        self.assertIn("restart it", self.look()[0][1]["message"])
        self.process("containerd", 4_000_000_000)
        self.assert_uses()

    def test_words_of_dockerd(self):
        self.file("/etc/docker/daemon.json", "{}")
        self.process("dockerd", 2000, f"--registry-mirror={self.mirror}")
        self.assert_uses("docker")
        self.process("dockerd", 2000, "--registry-mirror", self.mirror)
        self.assert_uses("docker")

    def test_podman(self):
        conf = "/etc/containers/registries.conf"
        self.file(conf, 'unqualified-search-registries = ["docker.io"]\n')
        finding = self.assert_bypassed("no file has a [[registry]]", flags=())
        self.file(finding["write"]["file"],
                  finding["write"]["lines"].replace("127.0.0.1:5000", self.cache.host))
        self.assert_uses("podman, CRI-O")
        self.file("/etc/containers/registries.conf.d/900.conf", '[[registry]]\nlocation = "docker.io"\n')
        self.assert_bypassed("it has no mirror", "900.conf:1")
        self.file("/etc/containers/registries.conf.d/900.conf",
                  '[[registry]]\nlocation = "docker.io"\npull-from-mirror = "all"\n')
        self.assert_bypassed("CRI-O refuses", verdict="broken")

    def test_podman_of_an_account(self):
        mirrored = ('[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\n'
                    f'location = "{self.cache.host}/docker.io"\ninsecure = true\n')
        system, own = "/etc/containers/registries.conf", f"{self.box.home}/.config/containers/registries.conf"
        self.file(system, mirrored)
        self.file(own + ".d/1.conf", '[[registry]]\nlocation = "docker.io"\n')
        self.assert_bypassed("it has no mirror", "registries.conf.d/1.conf:1")  # the later wins
        self.file(own + ".d/1.conf", "")
        self.assert_uses("podman")
        self.file(own, "")  # in place of all that is the system's
        finding = self.assert_bypassed("no file has a [[registry]]")
        self.assertEqual(finding["write"]["file"], own + ".d/050-mirror.conf")
        self.file(own, mirrored)
        self.file(system, "")
        self.assert_uses("podman")
        self.file("/etc/crio/crio.conf", "")  # which is nobody's account
        self.assertEqual(self.verdicts(), ([("podman", "docker.io", "uses"), ("CRI-O", "docker.io", "bypassed")], 1))
        self.file(system, mirrored)
        self.assertEqual(self.verdicts()[1], 0)

    def test_text_says_what_to_write(self):
        self.hosts()
        self.containerd(f'[{V2}]\nconfig_path = "{CERTS}"\n')
        text = self.coras("serve", "doctor", "--root", "node").out
        self.assertIn("containerd: bypassed: the file is of version 3", text)
        self.assertIn(f"    write to /etc/containerd/config.toml:\n        [{V3}]\n", text)
        self.assertIn("note: `ctr` reads none of this", text)

    def test_hostile_text_is_escaped(self):
        self.containerd(f'[{V3}]\nconfig_path = "{CERTS}"\n')
        self.hosts("evil\x1b[31m", '[host."MIRROR"]\n')
        self.hosts("docker.io", '[host."http://a\\u001b[2J/"]\n')
        result = self.coras("serve", "doctor", "--root", "node")
        self.assertEqual(result.code, 1)
        self.assertPrintable(result.out)


if __name__ == "__main__":
    main()
