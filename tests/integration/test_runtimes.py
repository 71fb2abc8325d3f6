# SPDX-License-Identifier: Apache-2.0
"""Container runtimes and other people's clients: against the registry, and through it as a cache."""

import json

from harness import programs
from harness.case import CliCase, main
from harness.runtimes import Containerd, Docker, Podman, push_image
from harness.servers import HTPASSWD, PASSWORD, USER, Api, CorasServe, DockerRegistry

BASIC = {"Authorization": "Basic YWxpY2U6d29uZGVyLWNhbmFyeS03RjM="}  # USER:PASSWORD
NATIVE = ("--snapshotter", "native")


class RuntimeCase(CliCase):
    def setUp(self):
        super().setUp()
        if not CorasServe.available():
            self.skipTest("coras serve is not built")


class AsRegistry(RuntimeCase):
    """Only for users with passwords."""

    def setUp(self):
        super().setUp()
        users = self.box.write("users", HTPASSWD.encode())
        self.server = self.serve_here(CorasServe("--htpasswd", users))
        self.host = self.server.ip_host
        self.api = Api(self.host, BASIC)
        self.digest = push_image(self.api, "team/image", "v1")
        self.name = f"{self.host}/team/image"

    @programs.need_podman
    def test_podman(self):
        podman = Podman(self.box)
        insecure = "--tls-verify=false"
        self.assertIn("unauthorized", podman.run("pull", insecure, f"{self.name}:v1").err)
        self.assertNotEqual(podman.run("login", insecure, "-u", USER, "-p", "wrong", self.host).code, 0)
        podman.run("login", insecure, "-u", USER, "-p", PASSWORD, self.host, check=0)
        podman.run("pull", insecure, f"{self.name}:v1", check=0)
        podman.run("pull", insecure, f"{self.name}@{self.digest}", check=0)
        podman.run("tag", f"{self.name}:v1", f"{self.host}/team/pushed:v2", check=0)
        podman.run("push", insecure, f"{self.host}/team/pushed:v2", check=0)
        podman.run("push", insecure, "--format", "v2s2", f"{self.host}/team/pushed:v2",
                   f"docker://{self.host}/team/pushed:docker", check=0)
        self.assertEqual(list(self.api.tags("team/pushed")), ["docker", "v2"])
        listed = podman.run("search", insecure, "--list-tags", f"{self.host}/team/pushed", check=0)
        self.assertEqual([line.split()[1] for line in listed.out.splitlines()], ["TAG", "docker", "v2"])
        podman.run("manifest", "create", "both", check=0)
        podman.run("manifest", "add", insecure, "--all", "both", f"docker://{self.name}:v1", check=0)
        podman.run("manifest", "push", insecure, "--all", "both", f"docker://{self.host}/team/both:v1", check=0)
        index = json.loads(self.api.manifest("team/both", "v1")[2])
        self.assertEqual([entry["platform"]["architecture"] for entry in index["manifests"]], ["amd64", "arm64"])

    @programs.need_containerd
    def test_containerd(self):
        with Containerd(self.box) as containerd:
            login = ("--plain-http", "--user", f"{USER}:{PASSWORD}")
            self.assertNotEqual(containerd.run("images", "pull", *NATIVE, "--plain-http", f"{self.name}:v1").code, 0)
            containerd.run("images", "pull", *NATIVE, *login, "--all-platforms", f"{self.name}:v1", check=0)
            self.assertIn(self.digest, containerd.run("images", "ls", check=0).out)
            pushed = f"{self.host}/team/pushed:v2"
            containerd.run("images", "tag", f"{self.name}:v1", pushed, check=0)
            containerd.run("images", "push", *login, pushed, check=0)
            self.assertEqual(self.api.digest("team/pushed", "v2"), self.digest)
            containerd.run("images", "push", *login, pushed, check=0)  # all of it is there

    @programs.need_dockerd
    def test_docker(self):
        with Docker(self.box) as docker:
            self.assertNotEqual(docker.run("pull", f"{self.name}:v1").code, 0)
            docker.run("login", "-u", USER, "-p", PASSWORD, self.host, check=0)
            docker.run("pull", f"{self.name}:v1", check=0)
            docker.run("pull", f"{self.name}@{self.digest}", check=0)
            pushed = f"{self.host}/team/pushed:v2"
            docker.run("tag", f"{self.name}:v1", pushed, check=0)
            docker.run("push", pushed, check=0)
            docker.run("rmi", pushed, check=0)
            docker.run("pull", pushed, check=0)

    @programs.need_regctl
    def test_regctl(self):
        def regctl(*argv, **options):
            return self.box.run(programs.REGCTL, *argv, check=0, **options).out
        regctl("registry", "set", self.host, "--tls", "disabled", "--skip-check")
        regctl("registry", "login", self.host, "--user", USER, "--pass", PASSWORD)
        self.assertEqual(regctl("image", "digest", f"{self.name}:v1").strip(), self.digest)
        regctl("image", "copy", f"{self.name}:v1", f"{self.host}/team/copy:v1")
        regctl("image", "copy", f"{self.name}:v1", "ocidir://layout:v1")
        regctl("image", "copy", "ocidir://layout:v1", f"{self.host}/team/back:v1")
        self.assertEqual(self.api.digest("team/back", "v1"), self.digest)
        self.box.write("sbom.json", b"{}")
        regctl("artifact", "put", "--artifact-type", "application/sbom", "-f", "sbom.json",
               "--subject", f"{self.host}/team/copy:v1")
        self.assertIn("application/sbom", regctl("artifact", "list", f"{self.host}/team/copy:v1"))
        regctl("image", "copy", "--referrers", "--digest-tags", f"{self.host}/team/copy:v1",
               f"{self.host}/team/signed:v1")
        self.assertIn("application/sbom", regctl("artifact", "list", f"{self.host}/team/signed:v1"))
        for tag in ("v2", "v3"):
            regctl("image", "copy", f"{self.host}/team/copy:v1", f"{self.host}/team/copy:{tag}")
        regctl("tag", "delete", f"{self.host}/team/copy:v2")
        self.assertEqual(regctl("tag", "ls", f"{self.host}/team/copy").split(), ["v1", "v3"])
        self.assertIn("team/signed", regctl("repo", "ls", self.host).split())
        regctl("manifest", "delete", f"{self.host}/team/copy@{self.digest}")
        self.assertEqual(regctl("tag", "ls", f"{self.host}/team/copy"), "")


@programs.need_docker_registry
class AsCache(RuntimeCase):
    """Of a registry with passwords, which the clients do not know."""

    def setUp(self):
        super().setUp()
        self.origin = self.serve_here(DockerRegistry(auth="basic"))
        config = self.box.write("auth.json", json.dumps({"auths": {
            self.origin.host: {"auth": BASIC["Authorization"].split()[1]}}}).encode())
        url = f"http://{self.origin.host}"
        self.cache = self.serve_here(CorasServe("--registry-config", config, "--proxy", f"docker.io={url}",
                                                "--proxy", f"hub.example={url}", "--proxy", url))
        self.host = self.cache.ip_host
        self.digest = push_image(Api(self.origin.ip_host, BASIC), "library/image", "v1")
        self.seen = len(self.origin.requests())

    def transfers(self):
        """What the origin has sent of content, by path."""
        return [path.split("?")[0] for method, path, status in self.origin.requests()[self.seen:]
                if method == "GET" and status == 200 and "/library/image/" in path]

    def assert_sent_once(self):
        self.wait_until(lambda: len(self.transfers()) >= 4)  # it writes them down when they are over
        paths = self.transfers()
        self.assertEqual((len(paths), len(set(paths))), (4, 4))  # index, manifest, config, layer

    @programs.need_podman
    def test_podman(self):
        mirror = f'[[registry.mirror]]\nlocation = "{self.host}/hub.example"\ninsecure = true\n'
        podman = Podman(self.box, f'[[registry]]\nprefix = "hub.example"\nlocation = "hub.example"\n{mirror}')
        for reference in (":v1", f"@{self.digest}", ":v1"):
            podman.run("pull", f"hub.example/library/image{reference}", check=0)
            podman.run("rmi", "--all", "--force", check=0)
        self.assert_sent_once()

    @programs.need_containerd
    def test_containerd(self):
        text = (f'server = "http://127.0.0.1:1"\n[host."http://{self.host}"]\n'
                'capabilities = ["pull", "resolve"]\n')
        with Containerd(self.box) as containerd:
            for registry in ("hub.example", "docker.io", "_default"):
                flags = containerd.hosts(registry, text)
            for name in ("hub.example/library/image:v1", "docker.io/library/image:v1",
                         f"hub.example/library/image@{self.digest}"):
                containerd.run("images", "pull", *NATIVE, *flags, name, check=0)
                containerd.run("images", "rm", "--sync", name, check=0)
            self.assertEqual(len(set(self.transfers())), 4)
            # a registry that the cache was not told of: no answer of another one's
            other = containerd.run("images", "pull", *NATIVE, *flags, "other.example/library/image:v1")
            self.assertNotEqual(other.code, 0)

    @programs.need_dockerd
    def test_docker(self):
        with Docker(self.box, **{"registry-mirrors": [f"http://{self.host}"]}) as docker:
            docker.run("pull", "image:v1", check=0)
            docker.run("rmi", "image:v1", check=0)
            docker.run("pull", f"image@{self.digest}", check=0)
        self.assert_sent_once()

    @programs.need_regctl
    def test_regctl(self):
        self.box.run(programs.REGCTL, "registry", "set", self.host, "--tls", "disabled", check=0)
        for repository in ("hub.example/library/image", "docker.io/image", "library/image"):
            self.box.run(programs.REGCTL, "image", "copy", f"{self.host}/{repository}:v1",
                         f"ocidir://{repository.replace('/', '-')}:v1", check=0)
            listed = self.box.run(programs.REGCTL, "tag", "ls", f"{self.host}/{repository}", check=0)
            self.assertEqual(listed.out, "v1\n")


if __name__ == "__main__":
    main()
