# SPDX-License-Identifier: Apache-2.0
"""Hosts with several addresses, and hosts outside: which address a message names, who may send us where."""

import unittest

from harness import namespace, programs
from harness.case import main
from harness.net import NetCase
from harness.namespace import ADDRESSES
from harness.scripted import Reply, ScriptedRegistry

LOOPBACK = "127.0.0.1"
PUBLIC, PRIVATE = ADDRESSES["public"], ADDRESSES["private"]


def setUpModule():
    namespace.enter()


class Named(ScriptedRegistry):
    """Answers at one address, under a name that need not be localhost."""

    def __init__(self, name, address):
        super().__init__(host=address)
        self.name = name

    @property
    def host(self):
        return f"{self.name}.test:{self.port}"


class Refused(NetCase):
    """Nobody listens at port 1."""

    def first_lines(self, *argv):
        programs.need(programs.ORAS, "oras")
        return [self.box.run(program, *argv, timeout=60, check=1).first_error
                for program in (programs.ORAS, programs.CORAS)]

    def test_two_addresses_of_localhost(self):
        namespace.hosts()
        theirs, ours = self.first_lines("pull", "localhost:1/a:v1")
        self.assertIn("dial tcp [::1]:1: connect: connection refused", theirs)
        self.assertEqual(ours, theirs)

    def test_one_address_of_localhost(self):
        namespace.hosts("127.0.0.1 localhost\n")
        theirs, ours = self.first_lines("pull", "localhost:1/a:v1")
        self.assertIn("dial tcp 127.0.0.1:1: connect: connection refused", theirs)
        self.assertEqual(ours, theirs)

    def test_several_addresses_of_another_host(self):
        for addresses in ([LOOPBACK, PUBLIC], [PUBLIC, LOOPBACK], ["::1", PUBLIC]):
            namespace.hosts(two=addresses)
            theirs, ours = self.first_lines("pull", "--plain-http", "two.test:1/a:v1")
            self.assertEqual(ours, theirs, addresses)

    def test_proxy_with_two_addresses(self):
        namespace.hosts()
        for proxy in ("http://localhost:1", "http://u:p@localhost:1/"):
            outcome, = self.run_driver("--registry", "r.test", "--plain-http", 1, "--no-retry", "GET",
                                       "http://r.test/v2/", env={"HTTP_PROXY": proxy})[0]
            self.assertIn("proxyconnect tcp: dial tcp [::1]:1: connect: connection refused",
                          outcome["message"])


class Zones(NetCase):
    """A registry must not send us to places that only this machine can reach."""

    def redirecting(self, name, address, target):
        server = self.serve(Named(name, address))
        server.on("GET", "/v2/a", Reply(307, {"Location": f"http://{target.host}/data"}))
        return server

    def target(self, address, name=None):
        server = self.serve(Named(name, address) if name else ScriptedRegistry(host=address))
        server.on("GET", "/data", Reply(200, {}, b"data"))
        return server

    def get(self, server, *options, **more):
        return self.send(server, "GET", "/v2/a", "--sink", "--plain-http", 1, *options, **more)

    def test_public_registry_may_not_point_inside(self):
        namespace.hosts(public=[PUBLIC], other=[ADDRESSES["public2"]])
        inside = self.target(LOOPBACK)
        outcome = self.get(self.redirecting("public", PUBLIC, inside))
        self.assertEqual(outcome.get("code"), "UNTRUSTED_ORIGIN", outcome)
        self.assertIn("redirect target host", outcome["message"])
        self.assertEqual(inside.requests(), [])
        outside = self.target(ADDRESSES["public2"], "other")
        self.assertEqual(self.get(self.redirecting("public", PUBLIC, outside))["rc"], 0)

    def test_an_inner_address_of_its_own_does_not_change_that(self):
        namespace.hosts(two=[LOOPBACK, PUBLIC])
        inside = self.target(LOOPBACK)
        outcome = self.get(self.redirecting("two", PUBLIC, inside))
        self.assertEqual(outcome.get("code"), "UNTRUSTED_ORIGIN", outcome)
        self.assertEqual(inside.requests(), [])

    def test_nor_does_a_name_that_turns_inside_meanwhile(self):
        namespace.hosts(turning=[PUBLIC])
        inside = self.target(LOOPBACK)
        server = self.redirecting("turning", PUBLIC, inside)

        def turn(request):
            namespace.hosts(turning=[LOOPBACK])
        server.rules.insert(0, ("GET", server.rules[0][1], turn))
        outcome = self.get(server)
        self.assertEqual(outcome.get("code"), "UNTRUSTED_ORIGIN", outcome)
        self.assertEqual(inside.requests(), [])

    def test_token_service_inside(self):
        namespace.hosts(public=[PUBLIC], private=[PRIVATE], here=[LOOPBACK], other=[PRIVATE])
        allow = "--allow-private-token-service"
        for registry, service, options, allowed in (
                ("public", "private", [], False), ("public", "private", [allow], True),
                ("public", "here", [allow], False), ("other", "private", [], True)):
            with self.subTest(f"{registry} {service} {options}"):
                address = {"public": PUBLIC, "other": PRIVATE}[registry]
                tokens = self.serve(Named(service, {"private": PRIVATE, "here": LOOPBACK}[service]))
                tokens.on("GET", "/token", Reply(200, {}, b'{"token":"T"}'))
                server = self.serve(Named(registry, address))
                challenge = {"WWW-Authenticate": f'Bearer realm="http://{tokens.host}/token",service="s"'}
                server.on("GET", "/v2/a", lambda r, challenge=challenge: None
                          if r.headers.get("Authorization") else Reply(401, challenge))
                server.on("GET", "/v2/a", Reply(200))
                outcome = self.get(server, "--user", "u", "--password", "p", *options)
                if allowed:
                    self.assertEqual(outcome["rc"], 0, outcome)
                    continue
                self.assertEqual(outcome.get("code"), "UNTRUSTED_ORIGIN", outcome)
                self.assertIn("bearer realm host", outcome["message"])
                self.assertEqual(tokens.requests(), [])
                self.assertEqual("PRIVATE_TOKEN_SERVICE" in outcome.get("hint", ""), service == "private")

    def test_a_kept_connection_does_not_lead_to_a_token_service_inside(self):
        """Storage in a private network is nothing forbidden; the same place may not serve tokens."""
        namespace.hosts(public=[PUBLIC], private=[PRIVATE])
        inside = self.target(PRIVATE, "private")
        inside.on("GET", "/token", Reply(200, {}, b'{"token":"T"}'))
        server = self.redirecting("public", PUBLIC, inside)
        challenge = {"WWW-Authenticate": f'Bearer realm="http://{inside.host}/token",service="s"'}
        server.rules.insert(0, ("GET", server.rules[0][1], lambda r: Reply(401, challenge)
                                if len(server.requests()) > 1 else None))
        outcomes, _ = self.run_driver("--registry", server.host, "--plain-http", 1, "--repeat", 2, "--sink",
                                      "GET", f"http://{server.host}/v2/a")
        self.assertEqual([o.get("code") for o in outcomes], [None, "UNTRUSTED_ORIGIN"], outcomes)
        self.assertEqual(inside.requests(path="/token"), [])

    def test_registry_on_this_machine_may(self):
        namespace.hosts(here=[LOOPBACK])
        self.assertEqual(self.get(self.redirecting("here", LOOPBACK, self.target(LOOPBACK)))["rc"], 0)


if __name__ == "__main__":
    main()
