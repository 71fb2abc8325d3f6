# SPDX-License-Identifier: Apache-2.0
"""Tags, repositories, referrers, deleting: pages, fallbacks and what they must not do."""

import json

from harness import programs
from harness.case import main
from harness.proxy import Fault, FaultProxy
from harness.registry_case import RegistryCase
from harness.scripted import EMPTY, IMAGE, INDEX, Reply, ScriptedRegistry, compact, manifest, sha256
from harness.servers import DockerRegistry, registry3

JSON = {"Content-Type": "application/json"}


def error(code, message="no"):
    return compact({"errors": [{"code": code, "message": message}]})


def names(*items, link=None, key="tags"):
    headers = dict(JSON)
    if link is not None:
        headers["Link"] = link
    return Reply(200, headers, compact({"name": "a/b", key: list(items)}))


class Pages(RegistryCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(ScriptedRegistry())

    def tags(self, *argv, **more):
        return self.lines("tags", self.server, "a/b", *argv, **more)

    def pages(self, *replies):
        """Replies by the number of the request."""
        left = list(replies)
        self.server.on("GET", "/tags/list", lambda r: left.pop(0) if left else Reply(500))

    def test_links_are_followed_as_they_are(self):
        self.pages(names("a", "b", link='</v2/a/b/tags/list?last=b&n=2>; rel="next"'),
                   names("c", link="<list?next_page=x%3D%3d>; rel=next"), names("d"))
        self.assertEqual(self.tags(), ["a", "b", "c", "d"])
        self.assertEqual([r.path for r in self.server.requests()],
                         ["/v2/a/b/tags/list", "/v2/a/b/tags/list?last=b&n=2",
                          "/v2/a/b/tags/list?next_page=x%3D%3d"])

    def test_several_headers_and_relations(self):
        self.pages(names("a", link=['</first>; rel="first"', '</v2/x>; rel=prev, </v2/a/b/tags/list'
                                    '?last=a>; rel="next"']), names("b"))
        self.assertEqual(self.tags(), ["a", "b"])

    def test_absolute_links_of_the_same_origin(self):
        self.pages(names("a", link=f"<http://{self.server.host}/v2/a/b/tags/list?last=a>"),
                   names("b"))
        self.assertEqual(self.tags(), ["a", "b"])

    def test_links_to_another_origin_are_refused(self):
        for link in ("http://other.example/v2/a/b/tags/list?last=a", "//other.example/x",
                     f"https://{self.server.host}/v2/a/b/tags/list"):
            with self.subTest(link):
                self.server.rules.clear()
                self.pages(names("a", link=f"<{link}>; rel=next"))
                self.fails("tags", self.server, "a/b", code="UNTRUSTED_ORIGIN",
                           contains=f'invalid next link "{link}": not the same origin as')

    def test_a_link_that_repeats_ends_it(self):
        self.server.on("GET", "/tags/list", names("a", link="</v2/a/b/tags/list?x>; rel=next"))
        self.fails("tags", self.server, "a/b", code="PROTOCOL", contains="followed before")
        self.assertEqual(len(self.server.requests()), 2)

    def test_the_visitor_stops_it(self):
        self.server.on("GET", "/tags/list", names("a", "b", link="</v2/y>; rel=next"))
        self.assertEqual(self.tags("", 1), ["a"])
        self.assertEqual(len(self.server.requests()), 1)

    def test_empty_lists(self):
        for body in ({"name": "a/b", "tags": None}, {"name": "a/b", "tags": []}, {"name": "a/b"}):
            with self.subTest(body):
                self.server.rules.clear()
                self.server.on("GET", "/tags/list", Reply(200, JSON, compact(body)))
                self.assertEqual(self.tags(), [])

    def test_what_is_no_list_is_said(self):
        for body in (b"<html>", b"[]", b'{"tags":{}}', b'{"tags":[1]}', error("UNKNOWN")):
            with self.subTest(body):
                self.server.rules.clear()
                self.server.on("GET", "/tags/list", Reply(200, JSON, body))
                self.fails("tags", self.server, "a/b", code="PROTOCOL")

    def test_last_is_asked_for(self):
        """What a registry makes of it is its own: distribution 2 ignores it."""
        self.pages(names("c", "B", "d"))
        self.assertEqual(self.tags("b"), ["c", "B", "d"])
        self.assertEqual(self.server.requests()[0].path, "/v2/a/b/tags/list?last=b")

    def test_names_that_are_none_do_not_reach_the_terminal(self):
        self.pages(names("a", "\x1b[2Jx", "", "b c", "d"))
        result = self.run_driver("tags", self.server, "a/b", check=0)
        self.assertEqual(result.out.split(), ["a", "d"])
        self.assertIn("warning", result.err)
        self.assertNotIn("\x1b", result.err)

    def test_a_missing_repository_is_an_answer_of_the_registry(self):
        self.server.on("GET", "/tags/list", Reply(404, {}, error("NAME_UNKNOWN", "who")))
        self.fails("tags", self.server, "a/b", code="NOT_FOUND", contains="name unknown: who")

    def test_the_catalog_is_paged_the_same_way(self):
        left = [names("a", "b/c", key="repositories", link="</v2/_catalog?last=b%2Fc>; rel=next"),
                names("d", key="repositories")]
        self.server.on("GET", "/v2/_catalog", lambda r: left.pop(0))
        self.assertEqual(self.lines("catalog", self.server, "x", ""), ["a", "b/c", "d"])
        self.assertEqual(self.server.requests()[1].path, "/v2/_catalog?last=b%2Fc")


class ReferrersApi(RegistryCase):
    SUBJECT = sha256(b"subject")

    def setUp(self):
        super().setUp()
        self.server = self.serve(ScriptedRegistry())

    def entry(self, number, kind="t/one", **members):
        return {"mediaType": IMAGE, "digest": sha256(b"%d" % number), "size": 1,
                **({"artifactType": kind} if kind else {}), **members}

    def index(self, *entries, headers=None, **members):
        return Reply(200, {"Content-Type": INDEX, **(headers or {})},
                     compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries),
                              **members}))

    def referrers(self, *argv, **more):
        lines = self.lines("referrers", self.server, "a/b", self.SUBJECT, 7, IMAGE, *argv, **more)
        return [json.loads(line)["digest"] for line in lines]

    def digests(self, *numbers):
        return [sha256(b"%d" % n) for n in numbers]

    def test_one_request_and_its_pages_without_repetitions(self):
        self.server.on("GET", "page2", self.index(self.entry(2), self.entry(3)))
        self.server.on("GET", "/referrers/", self.index(
            self.entry(1), self.entry(2), headers={"Link": "<?page2>; rel=next"}))
        self.assertEqual(self.referrers(), self.digests(1, 2, 3))
        first = self.server.requests()[0]
        self.assertEqual(first.path, f"/v2/a/b/referrers/{self.SUBJECT}")
        self.assertEqual(first.headers["Accept"], INDEX)

    def test_the_filter_is_applied_here_unless_it_was_there(self):
        both = self.entry(1, "t/one"), self.entry(2, "t/two")
        for headers, members, want in (
                ({}, {}, (2,)), ({"OCI-Filters-Applied": "a, artifactType"}, {}, (1, 2)),
                ({}, {"annotations": {"org.opencontainers.referrers.filtersApplied":
                                      "artifactType"}}, (1, 2))):
            with self.subTest(headers=headers, members=members):
                self.server.rules.clear()
                self.server.on("GET", "/referrers/", self.index(*both, headers=headers, **members))
                self.assertEqual(self.referrers("t/two"), self.digests(*want))
        self.assertTrue(self.server.requests()[0].path.endswith("?artifactType=t%2Ftwo"))

    def test_an_entry_without_type_is_looked_into(self):
        digest = self.server.put("x", manifest([], artifactType="t/two"))
        size = len(self.server.manifests[digest][0])
        self.server.on("GET", "/referrers/", self.index(
            {"mediaType": IMAGE, "digest": digest, "size": size}, self.entry(9, None)))
        self.assertEqual(self.referrers("t/two"), [digest])

    def fallback(self):
        """Serve one entry under the referrers tag."""
        value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [self.entry(7)]}
        self.server.put(self.SUBJECT.replace(":", "-"), value)

    def test_what_is_not_the_api_means_the_tag(self):
        self.fallback()
        web = self.serve(ScriptedRegistry())
        web.on("GET", "", Reply(429))
        for name, reply in (
                ("404", Reply(404, {"Content-Type": "text/plain"}, b"404 page not found")),
                ("404 json", Reply(404, JSON, error("NOT_FOUND"))), ("405", Reply(405)),
                ("other type", Reply(200, JSON, b'{"manifests":[]}')),
                ("a web page elsewhere, as GHCR", Reply(303, {"Location": f"http://{web.host}/x"}))):
            with self.subTest(name):
                self.server.rules.clear()
                self.server.on("GET", "/referrers/", reply)
                self.assertEqual(self.referrers(), self.digests(7))
        self.assertEqual(web.requests(), [])

    def test_a_missing_repository_is_an_error(self):
        self.server.on("GET", "/referrers/", Reply(404, JSON, error("NAME_UNKNOWN", "who")))
        self.fails("referrers", self.server, "a/b", self.SUBJECT, 7, IMAGE, code="NOT_FOUND",
                   contains="name unknown: who")

    def test_modes(self):
        self.fallback()
        self.server.on("GET", "/referrers/", self.index(self.entry(1)))
        self.assertEqual(self.referrers(env={"DRIVER_REFERRERS": "tag"}), self.digests(7))
        self.assertEqual(self.referrers(env={"DRIVER_REFERRERS": "api"}), self.digests(1))
        self.server.rules.clear()
        self.fails("referrers", self.server, "a/b", self.SUBJECT, 7, IMAGE, code="UNSUPPORTED",
                   env={"DRIVER_REFERRERS": "api"})

    def test_something_else_under_the_tag_is_no_list(self):
        self.server.put(self.SUBJECT.replace(":", "-"), manifest([]))
        self.assertEqual(self.referrers(), [])


class ReferrersTag:
    """The list that clients keep themselves, on registries without the API."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve_class(cls.make())

    def subject(self, repo):
        found = self.put_manifest(self.server, repo, "v1", annotations={"repo": repo})
        return {k: found[k] for k in ("mediaType", "digest", "size")}

    def attach(self, repo, subject, number, server=None, env=None):
        return self.put_manifest(server or self.server, repo, subject=subject, env=env,
                                 artifactType="t/x", annotations={"n": str(number)})

    def listed(self, repo, subject):
        lines = self.lines("referrers", self.server, repo, subject["digest"], subject["size"],
                           IMAGE)
        return [json.loads(line) for line in lines]

    def tag(self, subject):
        return subject["digest"].replace(":", "-")

    def test_attached_manifests_are_listed_with_what_they_say(self):
        subject = self.subject("r/a")
        one, two = self.attach("r/a", subject, 1), self.attach("r/a", subject, 2)
        found = self.listed("r/a", subject)
        self.assertEqual([d["digest"] for d in found], [one["digest"], two["digest"]])
        self.assertEqual((found[0]["artifactType"], found[0]["annotations"]), ("t/x", {"n": "1"}))
        upstream_reads = json.loads(self.api(self.server).manifest("r/a", self.tag(subject))[2])
        self.assertEqual(upstream_reads["mediaType"], INDEX)

    def test_the_same_again_changes_nothing(self):
        subject = self.subject("r/again")
        self.attach("r/again", subject, 1)
        with FaultProxy(self.server.port) as proxy:
            self.attach("r/again", subject, 1, proxy)
            self.assertEqual(len(proxy.requests("PUT", "/manifests/")), 1)

    def test_a_superseded_list_is_deleted(self):
        subject = self.subject("r/old")
        self.attach("r/old", subject, 1)
        before = self.api(self.server).digest("r/old", self.tag(subject))
        self.attach("r/old", subject, 2)
        self.assertIsNone(self.api(self.server).digest("r/old", before))
        self.assertIsNotNone(self.api(self.server).digest("r/old", self.tag(subject)))

    def test_a_list_that_cannot_be_deleted_is_no_failure(self):
        subject = self.subject("r/keep")
        self.attach("r/keep", subject, 1)
        with FaultProxy(self.server.port) as proxy:
            proxy.add(Fault("", "DELETE", status=405))
            self.attach("r/keep", subject, 2, proxy)
        self.assertEqual(len(self.listed("r/keep", subject)), 2)

    def test_another_writer_in_between_loses_nothing(self):
        subject = self.subject("r/race")

        def other(_):
            self.attach("r/race", subject, 99)
        with FaultProxy(self.server.port) as proxy:
            # the other writer's list is replaced by ours, which must notice: after our reading,
            # before our checking
            fault = Fault(self.tag(subject), "PUT", times=1, call=other)
            proxy.add(fault)
            mine = self.attach("r/race", subject, 1, proxy)
        self.assertIn(mine["digest"], [d["digest"] for d in self.listed("r/race", subject)])

    def test_our_list_replaced_right_after_is_written_again(self):
        subject = self.subject("r/lost")
        empty = compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": []})

        def replace(request):
            if request.method == "GET" and replaced:
                self.api(self.server).push_manifest("r/lost", self.tag(subject), empty, INDEX)
            replaced.append(request)
        replaced = []
        with FaultProxy(self.server.port) as proxy:
            proxy.add(Fault(self.tag(subject), "GET", times=2, call=replace))
            mine = self.attach("r/lost", subject, 1, proxy)
        self.assertEqual([d["digest"] for d in self.listed("r/lost", subject)], [mine["digest"]])

    def test_our_list_replaced_after_we_looked_is_written_again(self):
        """By somebody who read the list before ours was there, and is slow."""
        subject = self.subject("r/slow")
        first = self.attach("r/slow", subject, 1)
        listed = self.api(self.server).manifest("r/slow", self.tag(subject))[2]

        def replace(_):
            self.api(self.server).push_manifest("r/slow", self.tag(subject), listed + b" ", INDEX)
        with FaultProxy(self.server.port) as proxy:
            proxy.add(Fault("", "DELETE", times=1, call=replace))
            mine = self.attach("r/slow", subject, 2, proxy)
        self.assertEqual([d["digest"] for d in self.listed("r/slow", subject)],
                         [first["digest"], mine["digest"]])

    def test_a_list_of_what_is_gone_is_mended(self):
        """docker-registry refuses an index that names a manifest that was deleted."""
        subject = self.subject("r/gone")
        one, two = self.attach("r/gone", subject, 1), self.attach("r/gone", subject, 2)
        self.api(self.server).request("DELETE", f"/v2/r/gone/manifests/{one['digest']}")
        three = self.attach("r/gone", subject, 3)
        self.assertEqual([d["digest"] for d in self.listed("r/gone", subject)],
                         [two["digest"], three["digest"]])

    def test_a_users_own_tag_is_not_overwritten(self):
        subject = self.subject("r/own")
        self.put_manifest(self.server, "r/own", self.tag(subject), annotations={"mine": "yes"})
        before = self.api(self.server).digest("r/own", self.tag(subject))
        self.box.write("ref.json", compact({
            "schemaVersion": 2, "mediaType": IMAGE, "config": EMPTY, "layers": [],
            "subject": subject}))
        self.fails("put", self.server, "r/own", "ref.json", IMAGE, code="EXISTS",
                   contains="names something else")
        self.assertEqual(self.api(self.server).digest("r/own", self.tag(subject)), before)

    def test_deleting_takes_the_entry_away(self):
        subject = self.subject("r/del")
        one, two = self.attach("r/del", subject, 1), self.attach("r/del", subject, 2)
        self.ok("delete", self.server, "r/del", one["digest"], one["size"], IMAGE)
        self.assertEqual([d["digest"] for d in self.listed("r/del", subject)], [two["digest"]])
        self.ok("delete", self.server, "r/del", two["digest"], two["size"], IMAGE)
        self.assertEqual(self.listed("r/del", subject), [])
        self.assertIsNone(self.api(self.server).digest("r/del", self.tag(subject)))

    def test_with_the_api_alone_no_list_is_kept(self):
        subject = self.subject("r/api")
        self.attach("r/api", subject, 1, env={"DRIVER_REFERRERS": "api"})
        self.assertIsNone(self.api(self.server).digest("r/api", self.tag(subject)))

    def test_many_at_once_lose_nothing(self):
        subject = self.subject("r/many")
        self.ok("attach-many", self.server, "r/many", "v1")
        found = sorted(d["annotations"]["n"] for d in self.listed("r/many", subject))
        self.assertEqual(found, [f"{w}.{r}" for w in range(8) for r in range(4)])

    def test_upstream_and_we_keep_one_list(self):
        if not programs.ORAS:
            self.skipTest("oras is not installed")
        subject = self.subject("r/both")
        self.box.write("f", "x")
        for number in (1, 2):
            self.attach("r/both", subject, number)
            self.box.run(programs.ORAS, "attach", "--plain-http", "--artifact-type", "t/up",
                         "--annotation", f"n={number}",
                         f"{self.server.ip_host}/r/both:v1", "f", check=0)
        self.assertEqual([d["artifactType"] for d in self.listed("r/both", subject)],
                         ["t/x", "t/up"] * 2)
        found = self.box.run(programs.ORAS, "discover", "--plain-http", "--format", "json",
                             f"{self.server.ip_host}/r/both:v1", check=0)
        found = json.loads(found.out)
        self.assertEqual(len(found.get("referrers") or found["manifests"]), 4)


@programs.need(programs.DOCKER_REGISTRY, "docker-registry")
class OnDistribution2(ReferrersTag, RegistryCase):
    make = staticmethod(DockerRegistry)


@programs.need(programs.REGISTRY3, "registry")
class OnDistribution3(ReferrersTag, RegistryCase):
    make = staticmethod(registry3)


class Deleting(RegistryCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(ScriptedRegistry())

    def delete(self, *argv, **more):
        return self.run_driver("delete", self.server, "a/b", *argv, **more)

    def test_the_media_type_decides_where(self):
        self.server.on("DELETE", "/blobs/", Reply(202))
        self.delete(sha256(b"x"), 1, "application/octet-stream", check=0)
        self.assertEqual([(r.method, r.path) for r in self.server.requests()],
                         [("DELETE", f"/v2/a/b/blobs/{sha256(b'x')}")])

    def test_any_success_will_do(self):
        for status in (200, 202, 204):
            self.server.rules.clear()
            self.server.on("DELETE", "", Reply(status))
            self.delete(sha256(b"x"), 1, "application/octet-stream", check=0)

    def test_without_subject_the_api_is_not_asked_for(self):
        data = compact(manifest([]))
        digest = self.server.put("v1", data)
        self.delete(digest, len(data), IMAGE, check=0)
        self.assertEqual([r.method for r in self.server.requests()], ["GET", "DELETE"])

    def test_with_the_api_the_registry_keeps_its_lists(self):
        index = compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": []})
        self.server.on("GET", "/referrers/", Reply(200, {"Content-Type": INDEX}, index))
        data = compact(manifest([], subject={"mediaType": IMAGE, "digest": sha256(b"s"), "size": 1}))
        digest = self.server.put("v1", data)
        self.delete(digest, len(data), IMAGE, check=0)
        self.assertEqual([(r.method, r.path.rsplit("/", 1)[1]) for r in self.server.requests()],
                         [("GET", digest), ("GET", "sha256:" + "0" * 64), ("DELETE", digest)])

    def test_missing_and_forbidden(self):
        gone, forbidden = Reply(404, JSON, error("BLOB_UNKNOWN")), Reply(405, JSON,
                                                                         error("UNSUPPORTED"))
        self.server.on("DELETE", "", gone)
        self.assertIn("not found", self.delete(sha256(b"x"), 1, "a/b", check=1).out)
        self.server.rules.clear()
        self.server.on("DELETE", "", forbidden)
        self.assertIn("storage.delete.enabled", self.delete(sha256(b"x"), 1, "a/b", check=1).out)


if __name__ == "__main__":
    main()
