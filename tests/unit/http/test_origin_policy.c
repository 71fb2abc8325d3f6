/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a registry may send us to. */
#include <arpa/inet.h>
#include "rows.h"
#include "http/origin_policy.h"

static void inner_addresses_are_blocked(void **state)
{
    static const struct {
        const char *host, *prefix;
    } rows[] = {
        {"8.8.8.8", NULL},
        {"10.0.0.1", NULL},
        {"192.168.1.1", NULL},
        {"100.64.0.1", NULL},
        {"126.255.255.255", NULL},
        {"127.0.0.1", "127.0.0.0/8"},
        {"127.255.255.255", "127.0.0.0/8"},
        {"128.0.0.0", NULL},
        {"0.0.0.0", "0.0.0.0/8"},
        {"169.253.255.255", NULL},
        {"169.254.169.254", "169.254.0.0/16"},
        {"169.255.0.0", NULL},
        {"224.0.0.1", "224.0.0.0/24"},
        {"224.0.1.1", NULL},
        {"100.100.100.200", "100.100.100.200/32"},
        {"100.100.100.201", NULL},
        {"168.63.129.16", "168.63.129.16/32"},
        {"::", "::/128"},
        {"::1", "::1/128"},
        {"::2", NULL},
        {"fe80::1", "fe80::/10"},
        {"febf::1", "fe80::/10"},
        {"fec0::1", NULL},
        {"ff02::1", "ff02::/16"},
        {"fd00:ec2::254", "fd00:ec2::254/128"},
        {"fd00:ec2::23", "fd00:ec2::23/128"},
        {"fd20:ce::254", "fd20:ce::254/128"},
        {"fd00::1", NULL},
        {"2001:db8::1", NULL},
        {"::ffff:127.0.0.1", "127.0.0.0/8"},
        {"::ffff:8.8.8.8", NULL},
        {"64:ff9b::169.254.169.254", "169.254.0.0/16"},
        {"2002:7f00:1::", "127.0.0.0/8"},
        {"2002:808:808::", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        bool is_ipv4 = inet_pton(AF_INET, rows[i].host, &in.sin_addr) == 1;
        IN_ROW(rows[i].host);
        assert_true(is_ipv4 || inet_pton(AF_INET6, rows[i].host, &in6.sin6_addr) == 1);
        const char *prefix =
            coras_address_blocked(is_ipv4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6);
        if (rows[i].prefix)
            assert_string_equal(prefix, rows[i].prefix);
        else
            assert_null(prefix);
    }
}

static void hosts_have_a_zone(void **state)
{
    static const struct {
        const char *host;
        enum coras_zone zone;
    } rows[] = {
        {"localhost", CORAS_ZONE_INNER},         {"127.0.0.1", CORAS_ZONE_INNER},
        {"169.254.169.254", CORAS_ZONE_INNER},   {"8.8.8.8", CORAS_ZONE_PUBLIC},
        {"10.1.2.3", CORAS_ZONE_PRIVATE},        {"172.15.0.1", CORAS_ZONE_PUBLIC},
        {"172.16.0.1", CORAS_ZONE_PRIVATE},      {"172.31.255.255", CORAS_ZONE_PRIVATE},
        {"172.32.0.0", CORAS_ZONE_PUBLIC},       {"192.168.0.1", CORAS_ZONE_PRIVATE},
        {"100.63.255.255", CORAS_ZONE_PUBLIC},   {"100.64.0.1", CORAS_ZONE_PRIVATE},
        {"fd00::1", CORAS_ZONE_PRIVATE},         {"2001:db8::1", CORAS_ZONE_PUBLIC},
        {"::ffff:10.0.0.1", CORAS_ZONE_PRIVATE}, {"::ffff:8.8.8.8", CORAS_ZONE_PUBLIC},
        {"no-such.invalid", CORAS_ZONE_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        IN_ROW(rows[i].host);
        assert_int_equal(coras_host_zone(rows[i].host), rows[i].zone);
    }
}

/* One address inside does not make a host a neighbour. */
static void the_outermost_address_counts(void **state)
{
    static const struct {
        enum coras_zone a, b, outer;
    } rows[] = {
        {CORAS_ZONE_INNER, CORAS_ZONE_INNER, CORAS_ZONE_INNER},
        {CORAS_ZONE_INNER, CORAS_ZONE_PRIVATE, CORAS_ZONE_PRIVATE},
        {CORAS_ZONE_INNER, CORAS_ZONE_PUBLIC, CORAS_ZONE_PUBLIC},
        {CORAS_ZONE_PRIVATE, CORAS_ZONE_PUBLIC, CORAS_ZONE_PUBLIC},
        {CORAS_ZONE_INNER, CORAS_ZONE_UNKNOWN, CORAS_ZONE_INNER},
        {CORAS_ZONE_UNKNOWN, CORAS_ZONE_UNKNOWN, CORAS_ZONE_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        assert_int_equal(coras_zone_outer(rows[i].a, rows[i].b), rows[i].outer);
        assert_int_equal(coras_zone_outer(rows[i].b, rows[i].a), rows[i].outer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_addresses_are_blocked),
        cmocka_unit_test(hosts_have_a_zone),
        cmocka_unit_test(the_outermost_address_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
