/* SPDX-License-Identifier: Apache-2.0 */
/* When a further connection is worth its cost. */
#include "support.h"
#include "transfer/growth.h"

enum { TICK_MS = 50, MIB = 1024 * 1024 };
#define GIB ((int64_t)1024 * MIB)

/* A download of `size` bytes over a link; what became of the number of connections. */
struct link {
    int64_t each, all; /* bytes a second: of one connection, of all together */
};

static unsigned connections_after(const struct link *link, int64_t size, int64_t seconds)
{
    struct coras_growth growth = {0};
    int64_t bytes = 0;
    unsigned connections = 1;

    coras_growth_start(&growth, 0, 0);
    for (int64_t now = 0; now < seconds * 1000 && bytes < size; now += TICK_MS) {
        int64_t rate = link->each * connections < link->all ? link->each * connections : link->all;
        bytes += rate * TICK_MS / 1000;
        switch (coras_growth_look(&growth, connections, bytes, size - bytes, now)) {
        case CORAS_GROWTH_MORE:
            connections++;
            break;
        case CORAS_GROWTH_LESS:
            connections--;
            break;
        case CORAS_GROWTH_KEEP:
            break;
        }
    }
    return connections;
}

static void connections_follow_the_link(void **state)
{
    static const struct {
        const char *name;
        struct link link;
        int64_t size, seconds;
        unsigned connections;
    } rows[] = {
        {"each is capped", {50LL * MIB, 10 * GIB}, 10 * GIB, 20, 4},
        {"before the first look", {50LL * MIB, 10 * GIB}, 10 * GIB, 1, 1},
        {"the link is full with one", {50LL * MIB, 50LL * MIB}, 10 * GIB, 20, 1},
        {"the link is full with two", {50LL * MIB, 100LL * MIB}, 10 * GIB, 20, 2},
        {"two are little more than one", {50LL * MIB, 60LL * MIB}, 10 * GIB, 20, 1},
        {"one is fast", {GIB, 10 * GIB}, 100 * GIB, 20, 1},
        {"little is left", {50LL * MIB, 10 * GIB}, 100LL * MIB, 20, 1},
        {"soon over", {150LL * MIB, 10 * GIB}, 400LL * MIB, 20, 1},
        {"slow and large", {1LL * MIB, 10 * GIB}, GIB, 20, 4},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        unsigned n = connections_after(&rows[i].link, rows[i].size, rows[i].seconds);
        if (n != rows[i].connections)
            fail_msg("%s: %u connections", rows[i].name, n);
    }
}

/* A registry's cache may serve the first bytes faster than its storage the rest. */
static void a_connection_that_becomes_slow_gets_help(void **state)
{
    struct coras_growth growth = {0};

    (void)state;
    coras_growth_start(&growth, 0, 0);
    assert_int_equal(coras_growth_look(&growth, 1, GIB, 90 * GIB, 1000), CORAS_GROWTH_KEEP);
    assert_int_equal(coras_growth_look(&growth, 1, GIB + 50 * MIB, 89 * GIB, 2000),
                     CORAS_GROWTH_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_follow_the_link),
        cmocka_unit_test(a_connection_that_becomes_slow_gets_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
