/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of peers: for people, and as what counts as one party. */
#include "serve/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "support.h"

static void check_v6(const char *address, const char *peer, const char *network)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6};
    char text[SERVE_PEER_MAX];

    assert_int_equal(inet_pton(AF_INET6, address, &in.sin6_addr), 1);
    serve_peer_address((const struct sockaddr *)&in, text);
    assert_string_equal(text, peer);
    serve_peer_network((const struct sockaddr *)&in, text);
    assert_string_equal(text, network);
}

static void one_host_has_one_network(void **state)
{
    (void)state;
    check_v6("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    check_v6("2001:db8:1:2:ffff::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::");
    check_v6("2001:db8:1:3::1", "2001:db8:1:3::1", "2001:db8:1:3::");
    check_v6("::1", "::1", "::");
}

static void addresses_of_ipv4_stay_apart(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    char text[SERVE_PEER_MAX];

    (void)state;
    check_v6("::ffff:192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1");
    assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &in.sin_addr), 1);
    serve_peer_network((const struct sockaddr *)&in, text);
    assert_string_equal(text, "192.0.2.1");
}

static void others_are_unknown(void **state)
{
    struct sockaddr local = {.sa_family = AF_UNIX};
    char text[SERVE_PEER_MAX];

    (void)state;
    serve_peer_address(NULL, text);
    assert_string_equal(text, "unknown");
    serve_peer_network(&local, text);
    assert_string_equal(text, "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_host_has_one_network),
        cmocka_unit_test(addresses_of_ipv4_stay_apart),
        cmocka_unit_test(others_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
