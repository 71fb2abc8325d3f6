# SPDX-License-Identifier: Apache-2.0
"""The embedded registry: who may do what per repository, and the ways around it that there must not be."""

import tempfile
from pathlib import Path

from embedded import ServerCase, digest, image
from harness.case import main
from harness.servers import PASSWORD, USER
from test_server_access import basic

HASH = "$2y$05$y2lQrNnnQ0RV7sBeFZPQce935rzS2af10jYwtOAzt0E5Nq22sSmRe"  # of PASSWORD
RULES = """
group team = alice bob
deny  group:team push,delete team/frozen
allow group:team all         team/**
allow user:carol pull        team/open
allow user:dave  push        drop
allow everyone   pull,list   public/**
"""
ALICE, BOB, CAROL, DAVE = (basic(user, PASSWORD) for user in (USER, "bob", "carol", "dave"))


class Rules(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory()
        folder = Path(cls.files.name)
        (folder / "users").write_text("".join(f"{name}:{HASH}\n" for name in (USER, "bob", "carol", "dave")))
        (folder / "rules").write_text("allow user:alice all **\n" + RULES)
        cls.options = (f"--htpasswd={folder}/users", f"--rules={folder}/rules")
        super().setUpClass()
        cls.layer, cls.secret = b"layer of all", b"layer of team"
        for repository, layers in (("public/a", [cls.layer]), ("team/open", [cls.layer, cls.secret]),
                                   ("team/frozen", [cls.secret]), ("other", [cls.layer])):
            for data in (b"{}", *layers):
                location = cls.ask("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
                assert cls.ask("PUT", f"{location}?digest={digest(data)}", data).status == 201
            assert cls.ask("PUT", f"/v2/{repository}/manifests/v1", image(layers)).status == 201

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.files.cleanup()

    @classmethod
    def ask(cls, method, path, body=None, who=ALICE, **headers):
        if method == "PUT" and "/manifests/" in path:
            headers["Content-Type"] = "application/vnd.oci.image.manifest.v1+json"
        return cls.server.request(method, path, body, {**(who or {}), **headers})

    def status(self, method, path, who, body=None):
        return self.ask(method, path, body, who).status

    def everything(self, repository):
        """Each way to touch a repository."""
        blob = digest(self.secret)
        return (("GET", f"/v2/{repository}/tags/list"), ("GET", f"/v2/{repository}/manifests/v1"),
                ("HEAD", f"/v2/{repository}/manifests/v1"), ("GET", f"/v2/{repository}/blobs/{blob}"),
                ("HEAD", f"/v2/{repository}/blobs/{blob}"), ("GET", f"/v2/{repository}/referrers/{blob}"),
                ("POST", f"/v2/{repository}/blobs/uploads/"), ("PUT", f"/v2/{repository}/manifests/v2"),
                ("DELETE", f"/v2/{repository}/manifests/v1"), ("DELETE", f"/v2/{repository}/blobs/{blob}"))

    def test_who_has_no_right_learns_nothing(self):
        """What is there and what is not are told in the same words."""
        for there, absent in (("other", "others"), ("team/frozen", "team/absent")):
            for (method, path), (_, path_of_absent) in zip(self.everything(there), self.everything(absent)):
                for who in (CAROL, DAVE, None):
                    first, second = self.ask(method, path, who=who), self.ask(method, path_of_absent, who=who)
                    self.assertEqual(first.status, second.status, path)
                    self.assertEqual(first.body.replace(there.encode(), b"N"),
                                     second.body.replace(absent.encode(), b"N"))
                    expected = 401 if who is None else 404 if method in ("GET", "HEAD") else 403
                    self.assertEqual(first.status, expected, (method, path))
                    self.assertEqual("WWW-Authenticate" in first.headers, who is None)

    def test_each_action_is_a_right_of_its_own(self):
        blob = digest(self.secret)
        self.assertEqual(self.status("GET", "/v2/team/frozen/manifests/v1", BOB), 200)
        self.assertEqual(self.status("PUT", "/v2/team/frozen/manifests/v1", BOB, image([self.secret])), 403)
        self.assertEqual(self.status("DELETE", "/v2/team/frozen/manifests/v1", BOB), 403)
        self.assertEqual(self.status("POST", "/v2/team/frozen/blobs/uploads/", BOB), 403)
        self.assertEqual(self.status("GET", f"/v2/team/open/blobs/{blob}", CAROL), 200)
        self.assertEqual(self.status("GET", "/v2/team/open/tags/list", CAROL), 403)
        self.assertEqual(self.status("POST", "/v2/team/open/blobs/uploads/", CAROL), 403)
        self.assertEqual(self.status("POST", "/v2/drop/blobs/uploads/", DAVE), 202)
        self.assertEqual(self.status("HEAD", f"/v2/drop/blobs/{blob}", DAVE), 404)

    def test_nobody_in_particular(self):
        reply = self.ask("GET", "/v2/", who=None)
        self.assertEqual((reply.status, reply.headers["WWW-Authenticate"]), (200, 'Basic realm="coras"'))
        self.assertEqual(self.status("GET", "/v2/public/a/manifests/v1", None), 200)
        self.assertEqual(self.status("GET", "/v2/public/a/tags/list", None), 200)
        self.assertEqual(self.status("POST", "/v2/public/a/blobs/uploads/", None), 401)
        self.assertEqual(self.status("GET", "/v2/public/a/manifests/v1", basic(USER, "wrong")), 401)

    def test_catalog_names_what_may_be_listed(self):
        for who, names in ((None, ["public/a"]), (CAROL, ["public/a"]), (BOB, ["public/a", "team/frozen", "team/open"]),
                           (ALICE, ["other", "public/a", "team/frozen", "team/open"])):
            self.assertEqual(self.ask("GET", "/v2/_catalog", who=who).json["repositories"], names)
        # a page ends where something visible does, and there is no further one behind the last of these
        reply = self.ask("GET", "/v2/_catalog?n=1", who=BOB)
        self.assertEqual((reply.json["repositories"], reply.headers["Link"]),
                         (["public/a"], '</v2/_catalog?last=public%2Fa&n=1>; rel="next"'))
        reply = self.ask("GET", "/v2/_catalog?n=1", who=CAROL)
        self.assertEqual((reply.json["repositories"], reply.headers["Link"]), (["public/a"], None))
        self.assertEqual(self.ask("GET", "/v2/_catalog?last=n", who=None).json["repositories"], ["public/a"])
        self.assertEqual(self.ask("GET", "/v2/_catalog?last=public/a", who=None).json["repositories"], [])

    def test_pages_show_what_may_be_seen(self):
        for who, seen, hidden in ((CAROL, "public/a", "team/frozen"), (BOB, "team/frozen", "/r/other"),
                                  (None, "public/a", "team/")):
            page = self.ask("GET", "/", who=who, Accept="text/html").body.decode()
            self.assertIn(seen, page)
            self.assertNotIn(hidden, page)
        for path in ("/r/other", "/r/other:v1", f"/r/other@{digest(image([self.layer]))}"):
            for who, status in ((ALICE, 200), (CAROL, 404), (None, 401)):
                self.assertEqual(self.ask("GET", path, who=who, Accept="text/html").status, status, path)

    def test_mounting_needs_the_right_to_pull_the_source(self):
        blob = digest(self.secret)
        for source in ("&from=team/frozen", "&from=team/absent", "", "&from=", "&from=public/../team/frozen",
                       "&from=team%2Ffrozen", "&from=TEAM/FROZEN"):
            reply = self.ask("POST", f"/v2/drop/blobs/uploads/?mount={blob}{source}", who=DAVE)
            self.assertEqual(reply.status, 202, source)
        reply = self.ask("POST", f"/v2/drop/blobs/uploads/?mount={digest(self.layer)}&from=public/a", who=DAVE)
        self.assertEqual(reply.status, 201)
        self.assertEqual(self.status("POST", f"/v2/team/open/blobs/uploads/?mount={blob}&from=team/frozen", BOB), 201)

    def test_other_spellings_of_a_name(self):
        for name in ("Other", "OTHER", "%6Fther", "oth%65r", "./other", "public/../other", "public/%2e%2e/other",
                     "public%2F..%2Fother", "other%2F", "/other", "other/", "public/a/../../other", "other%00",
                     "public/a%2F..%2F..%2Fother", "public\\..\\other", "other;public/a", "public//../other"):
            for who in (BOB, CAROL, None):
                for path in (f"/v2/{name}/manifests/v1", f"/v2/{name}/tags/list", f"/v2/{name}/blobs/{digest(self.layer)}"):
                    self.assertIn(self.status("GET", path, who), (400, 401, 404), path)
                    self.assertIn(self.status("HEAD", path, who), (400, 401, 404), path)
        for query in ("?ns=public", "?ns=localhost", "?from=public/a", "?name=public/a"):
            self.assertIn(self.status("GET", "/v2/other/manifests/v1" + query, BOB), (400, 404), query)
        for name in ("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix"):
            self.assertEqual(self.ask("GET", "/v2/other/manifests/v1", who=BOB, **{name: "/v2/public/a/manifests/v1"}).status,
                             404)

    def test_a_session_is_of_its_repository_and_user(self):
        location = self.ask("POST", "/v2/drop/blobs/uploads/", who=DAVE).headers["Location"]
        session = location.rsplit("/", 1)[1]
        self.assertEqual(self.status("GET", location, DAVE), 204)
        for repository, who, expected in (("team/open", BOB, 404), ("drop", BOB, 403), ("drop", ALICE, 404),
                                          ("public/a", DAVE, 403), ("drop", None, 401), ("other", ALICE, 404)):
            path = f"/v2/{repository}/blobs/uploads/{session}"
            for method in ("GET", "PATCH", "DELETE"):
                self.assertEqual(self.status(method, path, who, b"x" if method == "PATCH" else None), expected, path)
            self.assertEqual(self.status("PUT", f"{path}?digest={digest(b'')}", who, b""), expected, path)
        self.assertEqual(self.status("PATCH", location, DAVE, b"x"), 202)

    def test_wrong_methods_and_paths_are_judged_too(self):
        self.assertEqual(self.status("POST", "/v2/other/manifests/v1", CAROL), 403)
        self.assertEqual(self.status("BREW", "/v2/other/manifests/v1", CAROL), 403)
        self.assertEqual(self.status("GET", "/v2/other/nothing/v1", CAROL), 404)
        self.assertEqual(self.status("GET", "/v2/other/manifests/" + "x" * 200, CAROL), 400)
        self.assertEqual(self.status("GET", "/v2/other/manifests/v1", basic("carol:x", PASSWORD)), 401)


class Alone(ServerCase):
    """Rules without passwords: everybody is nobody in particular."""

    def test_without_passwords(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("allow anonymous pull,push,list a\nallow users all **\n")
            file.flush()
            server = self.new_server(f"--rules={file.name}").start()
        server.push_image("a", "v1")
        self.assertEqual(server.request("GET", "/v2/a/tags/list").status, 200)
        self.assert_error(server.request("DELETE", "/v2/a/manifests/v1"), 403, "DENIED")
        self.assert_error(server.request("POST", "/v2/b/blobs/uploads/"), 403, "DENIED")
        reply = server.request("GET", "/v2/b/tags/list", headers=ALICE)
        self.assert_error(reply, 404, "NAME_UNKNOWN")
        self.assertNotIn("WWW-Authenticate", reply.headers)

    def test_a_wrong_line_ends_the_start(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("\nallow users write **\n")
            file.flush()
            with self.assertRaisesRegex(RuntimeError, r":2: not one of pull, push, delete, list, all: write"):
                self.new_server(f"--rules={file.name}").start()


if __name__ == "__main__":
    main()
