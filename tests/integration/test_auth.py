# SPDX-License-Identifier: Apache-2.0
"""Logging in and being let in: Basic, Bearer, helpers, files, prompts."""

import base64
import json
import os
import stat
import unittest

from harness import programs
from harness.case import CliCase, main
from harness.registry_case import with_tls
from harness.scripted import Reply, ScriptedRegistry
from harness.servers import PASSWORD, USER, DockerRegistry
from harness.tls import Authority
from harness.token import REFRESH_TOKEN, TokenServer

AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

HELPER = """#!/bin/sh
echo "$1" >> "$HOME/helper.log"
case "$1" in
get) read -r url; echo "$url" >> "$HOME/helper.log"
  [ -e "$HOME/secret" ] || { echo "credentials not found in native keychain"; exit 1; }
  cat "$HOME/secret" ;;
store) cat > "$HOME/stored" ;;
erase) cat > "$HOME/erased" ;;
esac
"""


class AuthCase(CliCase):
    def setUp(self):
        super().setUp()
        self.box.write("f.txt", b"content")
        self.config = self.box.home / ".docker/config.json"

    def write_config(self, value, path=None):
        path = path or self.config
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        path.chmod(0o600)
        return path

    def login(self, *flags, stdin=PASSWORD + "\n", host=None, **options):
        return self.coras("login", host or self.host, "-u", USER, "--password-stdin", *flags,
                          stdin=stdin, **options)


class Upgrade(AuthCase):
    """A registry that is named without TLS and sends everybody to TLS on the same host."""

    def test_login_push_pull(self):
        authority = self.enterContext(Authority())
        secure = with_tls(self.enterContext(ScriptedRegistry()), authority)
        secure.on("GET|HEAD|POST|PUT|PATCH", "/v2/", lambda r: None if r.headers.get("Authorization") ==
                  f"Basic {AUTH}" else Reply(401, {"WWW-Authenticate": 'Basic realm="x"'}))
        plain = self.enterContext(ScriptedRegistry())
        plain.on("GET|HEAD|POST|PUT|PATCH", "/v2/", lambda r: Reply(
            308, {"Location": f"https://localhost:{secure.port}{r.path}"}))
        ca = ["--ca-file", authority.certificate]
        self.assertEqual(self.login(*ca, host=plain.host).code, 0)
        self.ok("push", f"{plain.host}/a:v1", "f.txt", *ca)
        self.ok("pull", f"{plain.host}/a:v1", "-o", "out", *ca)
        self.assertEqual(self.read("out/f.txt"), b"content")
        for request in plain.requests():
            self.assertNotIn("Authorization", request.headers)


@programs.need_docker_registry
class Basic(AuthCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry(auth="basic"))
        cls.host = cls.registry.host

    def test_login_push_pull_logout(self):
        script = ('echo "$TOKEN" | oras login $R --username "$USER" --password-stdin\n'
                  "oras push $R/b/c:v1 f.txt\noras pull $R/b/c:v1 -o out\noras logout $R\n")
        result = self.box.run("sh", "-ec", script, check=0,
                              env={"R": self.host, "USER": USER, "TOKEN": PASSWORD})
        self.assertTrue(result.out.startswith("Login Succeeded\n"), result)
        self.assertEqual(self.read("out/f.txt"), b"content")
        self.assertEqual(self.config.read_text(), '{\n\t"auths": {}\n}')
        self.fails("pull", f"{self.host}/b/c:v1", contains="basic credential not found")

    def test_file_bytes_and_modes(self):
        self.assertEqual(self.login(check=0).out, "Login Succeeded\n")
        self.assertEqual(self.config.read_text(), '{\n\t"auths": {\n\t\t"%s": {\n\t\t\t"auth": "%s"'
                         '\n\t\t}\n\t}\n}' % (self.host, AUTH))
        self.assertEqual(stat.S_IMODE(self.config.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.config.parent.stat().st_mode), 0o700)
        self.assertEqual([p.name for p in self.config.parent.iterdir()], ["config.json"])

    def test_unknown_members_are_kept(self):
        self.write_config({"psFormat": "x", "auths": {"other.example": {"auth": "dTpw", "email": "e"}},
                           "HttpHeaders": {"a": [1, 2.5, None, True]}, "zz": "é<&>"})
        self.login(check=0)
        value = json.loads(self.config.read_text())
        self.assertEqual(value["psFormat"], "x")
        self.assertEqual(value["HttpHeaders"], {"a": [1, 2.5, None, True]})
        self.assertEqual(value["auths"]["other.example"], {"auth": "dTpw", "email": "e"})
        self.assertEqual(value["zz"], "é<&>")
        self.assertEqual(value["auths"][self.host], {"auth": AUTH})
        self.ok("logout", self.host)
        self.assertNotIn(self.host, json.loads(self.config.read_text())["auths"])
        self.assertIn("other.example", json.loads(self.config.read_text())["auths"])

    @programs.need_oras
    def test_same_bytes_as_upstream(self):
        start = {"credsStore2": "x", "auths": {"b.example": {"auth": "dTpw"}}, "a": {"z": 1, "b": []}}
        texts = []
        for program in (self.upstream, self.coras):
            self.write_config(start)
            program("login", self.host, "-u", USER, "--password-stdin", stdin=PASSWORD, check=0)
            login = self.config.read_text()
            program("logout", "b.example", check=0)
            texts.append((login, self.config.read_text()))
        self.assertEqual(texts[0], texts[1])

    @staticmethod
    def codes(running):
        for process in running:
            process.communicate(timeout=60)
        return [process.returncode for process in running]

    def test_logins_at_once_keep_all_entries(self):
        """Also through a link, which is another name of the file."""
        self.write_config({"auths": {"other.example": {"auth": AUTH}}, "HttpHeaders": {"a": "b"}})
        link = self.box.root / "link.json"
        link.symlink_to(self.config)
        port = self.host.rsplit(":", 1)[1]
        names = [f"r{i}.example:{port}" for i in range(12)]
        running = [self.box.popen(programs.CORAS, "login", name, "--plain-http", "--resolve",
                                  f"{name}:127.0.0.1", "-u", USER, "-p", PASSWORD,
                                  *(["--registry-config", link] if i % 2 else []))
                   for i, name in enumerate(names)]
        self.assertEqual(self.codes(running), [0] * len(names))
        value = json.loads(self.config.read_text())
        self.assertEqual(sorted(value["auths"]), sorted([*names, "other.example"]))
        self.assertEqual(value["HttpHeaders"], {"a": "b"})
        self.assertEqual(os.listdir(self.config.parent), ["config.json"])

        running = [self.box.popen(programs.CORAS, "logout", name) for name in names]
        self.assertEqual(self.codes(running), [0] * len(names))
        self.assertEqual(list(json.loads(self.config.read_text())["auths"]), ["other.example"])

    def test_symbolic_link_is_kept(self):
        real = self.write_config({"auths": {}}, self.box.home / "real.json")
        self.config.parent.mkdir(exist_ok=True)
        self.config.symlink_to(real)
        self.login(check=0)
        self.assertTrue(self.config.is_symlink())
        self.assertIn(self.host, real.read_text())

    def test_registry_config(self):
        self.login("--registry-config", "my.json", check=0)
        self.assertFalse(self.config.exists())
        self.assertIn(AUTH, self.read("my.json").decode())
        self.ok("push", "--registry-config", "my.json", f"{self.host}/rc:v1", "f.txt")
        self.fails("pull", "--registry-config", "other.json", f"{self.host}/rc:v1",
                   contains=["Error: basic credential not found",
                             'authentication file at "other.json" is correct'])
        self.ok("pull", "--registry-config", "other.json", "--registry-config", "my.json",
                f"{self.host}/rc:v1", "-o", "out")
        self.ok("logout", "--registry-config", "my.json", self.host)
        self.assertNotIn(AUTH, self.read("my.json").decode())

    def test_docker_config(self):
        where = self.box.work / "dockerdir"
        self.login(check=0, env={"DOCKER_CONFIG": str(where)})
        self.assertIn(AUTH, (where / "config.json").read_text())
        self.ok("push", f"{self.host}/dc:v1", "f.txt", env={"DOCKER_CONFIG": str(where)})

    def test_legacy_members_and_url_keys(self):
        for key, entry in ((f"http://{self.host}/v1/", {"auth": AUTH}),
                           (self.host, {"username": USER, "password": PASSWORD})):
            self.write_config({"auths": {key: entry}})
            self.ok("push", f"{self.host}/leg:v1", "f.txt")

    def test_containers_auth_json(self):
        path = self.write_config({"auths": {self.host: {"auth": AUTH}}}, self.box.home / "auth.json")
        self.ok("push", f"{self.host}/cont:v1", "f.txt", env={"REGISTRY_AUTH_FILE": str(path)})
        runtime = self.box.home / "run"
        self.write_config({"auths": {self.host: {"auth": AUTH}}}, runtime / "containers/auth.json")
        self.ok("push", f"{self.host}/cont:v2", "f.txt", env={"XDG_RUNTIME_DIR": str(runtime)})

    def test_flags(self):
        given = ["-u", USER, "--password-stdin"]
        self.ok("push", *given, f"{self.host}/fl:v1", "f.txt", stdin=PASSWORD)
        self.ok("pull", *given, f"{self.host}/fl:v1", "-o", "out", stdin=PASSWORD + "\r\n")
        shown = self.ok("resolve", "-u", USER, "-p", PASSWORD, f"{self.host}/fl:v1")
        self.assertIn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.",
                      shown.err)
        self.assertFalse(self.config.exists())

    def test_wrong_password(self):
        result = self.login(stdin="wrong\n", check=1)
        self.assertIn("Error response from registry: unauthorized: authentication required",
                      result.err)
        self.assertTrue(result.hint, result)
        self.assertFalse(self.config.exists())

    def test_unauthorized_names_the_file_and_key(self):
        bad = base64.b64encode(f"{USER}:wrong".encode()).decode()
        self.write_config({"auths": {self.host: {"auth": bad}}})
        result = self.fails("pull", f"{self.host}/x:v1", hint=[str(self.config), self.host])
        self.assertNoSecret(["wrong"], result.hint)

    def test_helper(self):
        self.box.script("docker-credential-mine", HELPER)
        self.write_config({"credHelpers": {self.host: "mine"}})
        (self.box.home / "secret").write_text(json.dumps(
            {"ServerURL": self.host, "Username": USER, "Secret": PASSWORD}))
        self.ok("push", f"{self.host}/help:v1", "f.txt")
        self.assertEqual((self.box.home / "helper.log").read_text().split()[:2], ["get", self.host])
        self.login(check=0)
        self.assertEqual(json.loads((self.box.home / "stored").read_text()),
                         {"ServerURL": self.host, "Username": USER, "Secret": PASSWORD})
        self.ok("logout", self.host)
        self.assertEqual((self.box.home / "erased").read_text().strip(), self.host)
        self.assertNotIn(PASSWORD, self.config.read_text())

    def test_helpers_words_are_the_message(self):
        self.box.script("docker-credential-mine", "#!/bin/sh\necho ' it broke '; exit 3\n")
        self.write_config({"credsStore": "mine"})
        result = self.fails("logout", self.host, hint="docker-credential-mine")
        self.assertEqual(result.first_error,
                         f"Error: failed to delete the credential for {self.host}: it broke")

    def test_copy_says_whose_credential_is_missing(self):
        result = self.fails("cp", f"{self.host}/x:v1", f"{self.host}/y:v1")
        self.assertEqual(result.first_error, f'Error from source registry for "{self.host}/x:v1": '
                         "basic credential not found")

    def test_list_without_credential_or_home(self):
        result = self.fails("repo", "ls", self.host,
                            contains=f'authentication file at "{self.config}" is correct')
        self.assertEqual(result.first_error, "Error: basic credential not found")
        result = self.fails("logout", self.host, env={"HOME": ""})
        self.assertEqual(result.first_error,
                         "Error: failed to get user home directory: $HOME is not defined")

    def test_store_wins_over_auths(self):
        self.box.script("docker-credential-mine", HELPER)
        self.write_config({"credsStore": "mine", "auths": {self.host: {"auth": AUTH}}})
        self.fails("pull", f"{self.host}/x:v1", contains="basic credential not found")

    def test_bad_helpers(self):
        cases = {
            "missing": None,
            "../escape": None,
            "noisy": "#!/bin/sh\nwhile :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\n",
            "nojson": "#!/bin/sh\necho hello\n",
            "failing": "#!/bin/sh\necho 'it \033[31mbroke'; exit 3\n",
            "chatty": "#!/bin/sh\nprintf 'a \\033]0;title\\007\\nkey: ' >&2; exit 3\n",
            "talkative": "#!/bin/sh\nhead -c 300000 /dev/zero >&2; exit 1\n",
            "telling": '#!/bin/sh\necho \'{"Username":"u","Secret":"canary-7E1"}\'; exit 1\n',
        }
        for name, text in cases.items():
            with self.subTest(name):
                if text:
                    self.box.script(f"docker-credential-{name}", text)
                self.write_config({"credHelpers": {self.host: name}})
                result = self.fails("pull", f"{self.host}/x:v1", timeout=30)
                self.assertPrintable(result.text)
                self.assertNotIn("canary-7E1", result.text)
                self.assertEqual("key: " in result.err, name == "chatty")

    def test_broken_config_is_left_alone(self):
        for text in ("{", '{"auths": {"%s": {"auth": "no base64!"}}}' % self.host, "[" * 5000,
                     '{"auths": []}', '{"auths": {"%s": 5}}' % self.host, '{"credHelpers": 5}',
                     '{"credHelpers": {"other": []}}', '{"credsStore": {}}'):
            with self.subTest(text[:20]):
                self.write_config(text)
                result = self.fails("pull", f"{self.host}/x:v1")
                self.assertNotIn("basic credential not found", result.err)
                self.assertEqual(self.config.read_text(), text)
        self.write_config("{")
        self.login(check=1)
        self.assertEqual(self.config.read_text(), "{")

    def test_broken_config_is_told_in_upstreams_words(self):
        decode = "failed to decode config file cfg.json: invalid config format: "
        unmarshal = "invalid config format: json: cannot unmarshal "
        cases = (
            ("{", decode + "unexpected EOF"),
            ("not", decode + "invalid character 'o' in literal null (expecting 'u')"),
            ("[]", decode + "json: cannot unmarshal array into Go value of type "
                            "map[string]json.RawMessage"),
            ('{"auths":[]}', "failed to unmarshal auths field: " + unmarshal +
             "array into Go value of type map[string]json.RawMessage"),
            ('{"credsStore":1}', "failed to unmarshal creds store field: " + unmarshal +
             "number into Go value of type string"),
            ('{"credHelpers":{"a":[]}}', "failed to unmarshal cred helpers field: " + unmarshal +
             "array into Go value of type string"),
        )
        options = ["--registry-config", "ok.json", "--registry-config", "cfg.json", self.host]
        for text, words in cases:
            self.box.write("cfg.json", text)
            for command in (["login", "-u", "u", "--password-stdin"], ["logout"], ["repo", "ls"]):
                with self.subTest(text, command=command[0]):
                    result = self.fails(*command, *options, stdin="p")
                    self.assertEqual(result.first_error, f"Error: {words}")
        for text in ("", "null", '{"auths":null}', "{} what follows"):
            with self.subTest(text):
                self.box.write("cfg.json", text)
                self.ok("logout", *options)

    def test_empty_stdin(self):
        self.fails("login", self.host, "-u", USER, "--password-stdin", stdin="", hint="stdin")


@programs.need_docker_registry
class Prompts(AuthCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = cls.serve(DockerRegistry(auth="basic"))
        cls.host = cls.registry.host

    def test_password_is_not_echoed(self):
        result, seen = self.box.run_pty(
            self.box.bin / "oras", "login", self.host,
            feed=[("Username: ", USER + "\n"), ("Password: ", PASSWORD + "\n")])
        self.assertEqual(result.code, 0, seen)
        self.assertIn(b"Login Succeeded", seen)
        self.assertIn(USER.encode(), seen)
        self.assertNotIn(PASSWORD.encode(), seen)
        self.assertIn(AUTH, self.config.read_text())

    def test_echo_is_back_after_interrupt(self):
        result, seen = self.box.run_pty(self.box.bin / "oras", "login", self.host, "-u", USER,
                                        feed=[("Password: ", "\x03")], timeout=15)
        self.assertNotEqual(result.code, 0, seen)
        self.assertTrue(result.echo)

    def test_answers_by_pipe(self):
        result = self.ok("login", self.host, stdin=f"{USER}\n{PASSWORD}\n")
        self.assertTrue(result.out.startswith("Username: Password: "), result)
        self.assertTrue(result.out.endswith("Login Succeeded\n"), result)


@programs.need_docker_registry
class Bearer(AuthCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokens = cls.serve(TokenServer())
        cls.registry = cls.serve(DockerRegistry(auth=cls.tokens))
        cls.host = cls.registry.host

    def setUp(self):
        super().setUp()
        self.tokens.log.clear()
        self.tokens.refuse, self.tokens.anonymous, self.tokens.lifetime = False, True, 300

    def seed(self, repo):
        self.ok("push", "-u", USER, "--password-stdin", f"{self.host}/{repo}:v1", "f.txt",
                stdin=PASSWORD)
        self.tokens.log.clear()

    def test_push_and_pull(self):
        self.login(check=0)
        self.tokens.log.clear()
        self.ok("push", f"{self.host}/t/a:v1", "f.txt")
        self.assertIn("repository:t/a:pull,push", [s for r in self.tokens.log for s in r["scopes"]])
        self.assertLessEqual(len(self.tokens.log), 2)
        self.ok("pull", f"{self.host}/t/a:v1", "-o", "out")
        self.assertEqual(self.read("out/f.txt"), b"content")

    def test_anonymous_pull(self):
        self.seed("t/anon")
        self.ok("pull", f"{self.host}/t/anon:v1", "-o", "out")
        self.assertTrue(all(not r["authorization"] for r in self.tokens.log))
        self.fails("push", f"{self.host}/t/anon:v2", "f.txt")

    def test_one_token_for_many_blobs(self):
        for number in range(20):
            self.box.write(f"n{number}", str(number).encode())
        self.login(check=0)
        self.tokens.log.clear()
        self.ok("push", f"{self.host}/t/many:v1", *(f"n{n}" for n in range(20)))
        self.assertLessEqual(len(self.tokens.log), 3, [r["scopes"] for r in self.tokens.log])

    def test_identity_token(self):
        self.seed("t/id")
        self.write_config({"auths": {self.host: {"identitytoken": REFRESH_TOKEN}}})
        self.ok("pull", f"{self.host}/t/id:v1", "-o", "out")
        self.assertEqual(self.tokens.log[0]["method"], "POST")
        self.assertEqual(self.tokens.log[0]["form"]["grant_type"], ["refresh_token"])
        self.ok("push", "--identity-token-stdin", f"{self.host}/t/id:v2", "f.txt",
                stdin=REFRESH_TOKEN)

    def test_login_with_identity_token(self):
        self.ok("login", self.host, "--identity-token-stdin", stdin=REFRESH_TOKEN + "\n")
        entry = json.loads(self.config.read_text())["auths"][self.host]
        self.assertEqual(entry, {"identitytoken": REFRESH_TOKEN})

    def test_wrong_password(self):
        result = self.login(stdin="wrong", check=1)
        self.assertIn("Error response from registry: unauthorized: the token service says no",
                      result.err)

    def test_token_service_refuses(self):
        self.tokens.refuse = True
        result = self.fails("pull", f"{self.host}/t/none:v1", contains="unauthorized")
        self.assertLessEqual(len(self.tokens.log), 3, result)

    def test_token_expires_on_the_way(self):
        """Tokens of a moment: later requests meet 401 and get a new one."""
        self.tokens.lifetime = 1
        self.login(check=0)
        for number in range(4):
            self.box.write(f"n{number}", os.urandom(2000))
        self.ok("push", "--concurrency", "1", f"{self.host}/t/exp:v1", *(f"n{n}" for n in range(4)))
        self.ok("pull", f"{self.host}/t/exp:v1", "-o", "out")

    def test_registry_token(self):
        self.seed("t/reg")
        token = self.tokens.token(["repository:t/reg:pull"])
        self.write_config({"auths": {self.host: {"registrytoken": token}}})
        self.ok("pull", f"{self.host}/t/reg:v1", "-o", "out")
        self.assertEqual(self.tokens.log, [])

    @unittest.skipUnless(programs.has_command("cp"), "no cp command")
    def test_mount_asks_for_both_scopes(self):
        self.login(check=0)
        self.ok("push", f"{self.host}/t/from:v1", "f.txt")
        self.tokens.log.clear()
        copied = self.ok("cp", f"{self.host}/t/from:v1", f"{self.host}/t/to:v1")
        self.assertIn("Mounted", copied.out)


if __name__ == "__main__":
    main()
