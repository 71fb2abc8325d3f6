/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections are worth their cost. */
#include "support.h"
#include "transfer/growth.h"

enum { TICK_MS = 10, MIB = 1024 * 1024, LATENCY_MS = 40 };
#define GIB ((int64_t)1024 * MIB)

/* A link and what goes over it. */
struct link {
    int64_t each, all; /* bytes a second: of one connection, of all together */
    unsigned own;      /* connections that are there anyway; 0: one */
    unsigned limit;    /* 0: the usual */
    unsigned expected; /* from another time; 0: nothing is known */
    bool is_busy;
    bool is_here; /* who sends is on the machine too */
};

/* How a download went. */
struct outcome {
    unsigned connections; /* at the end */
    unsigned most;
    int64_t ms;
};

struct download {
    struct coras_growth growth;
    const struct link *link;
    unsigned asked, open;
    int64_t opens_ms; /* when those that were asked for bring something */
};

/* As many as are wanted, a moment later; none of the own ones goes. */
static void follow(struct download *d, unsigned wanted, int64_t now)
{
    unsigned own = d->link->own ? d->link->own : 1;

    wanted = wanted > own ? wanted : own;
    if (wanted < d->open)
        d->open = d->asked = wanted;
    if (wanted > d->asked) {
        d->asked = wanted;
        d->opens_ms = now + LATENCY_MS;
    }
    if (d->asked > d->open && now >= d->opens_ms)
        d->open = d->asked;
}

static struct outcome run(const struct link *link, int64_t size, int64_t seconds)
{
    struct download d = {.link = link, .open = link->own ? link->own : 1};
    struct outcome out = {0};
    int64_t bytes = 0;

    d.asked = d.open;
    coras_growth_start(&d.growth, link->limit ? link->limit : CORAS_GROWTH_CONNECTIONS_MAX,
                       link->expected);
    for (; out.ms < seconds * 1000 && bytes < size; out.ms += TICK_MS) {
        int64_t rate = link->each * d.open < link->all ? link->each * d.open : link->all;
        bytes += rate * TICK_MS / 1000;
        const struct coras_growth_facts facts = {.open = d.open,
                                                 .bytes = bytes,
                                                 .missing = size - bytes,
                                                 .latency_ms = LATENCY_MS,
                                                 .machine_is_busy = link->is_busy,
                                                 .sender_is_here = link->is_here};
        follow(&d, coras_growth_look(&d.growth, &facts, out.ms), out.ms);
        out.most = d.open > out.most ? d.open : out.most;
    }
    out.connections = d.open;
    return out;
}

static void connections_follow_the_link(void **state)
{
    static const struct {
        const char *name;
        struct link link;
        int64_t size, seconds;
        unsigned connections, most;
    } rows[] = {
        {"each is capped", {50LL * MIB, 10 * GIB}, 100 * GIB, 20, 8, 8},
        {"slow and large", {1LL * MIB, 10 * GIB}, GIB, 20, 8, 8},
        {"the link is full with one", {50LL * MIB, 50LL * MIB}, 10 * GIB, 2, 1, 2},
        {"the link is full with two", {50LL * MIB, 100LL * MIB}, 10 * GIB, 2, 2, 4},
        {"the link is full with three", {50LL * MIB, 150LL * MIB}, 10 * GIB, 2, 4, 8},
        {"two are little more than one", {50LL * MIB, 60LL * MIB}, 10 * GIB, 2, 1, 2},
        {"one is fast", {GIB, 10 * GIB}, 100 * GIB, 20, 1, 1},
        {"the machine is busy", {100LL * MIB, 10 * GIB, .is_busy = true}, 100 * GIB, 20, 1, 1},
        {"busy, and the link is slow", {10LL * MIB, GIB, .is_busy = true}, 100 * GIB, 20, 8, 8},
        {"busy with itself", {20LL * MIB, GIB, .is_busy = true, .is_here = true}, GIB, 20, 1, 1},
        {"idle, by itself", {20LL * MIB, GIB, .is_here = true}, 10 * GIB, 20, 8, 8},
        {"a link in between", {10LL * MIB, GIB, .is_busy = true, .is_here = true}, GIB, 9, 8, 8},
        {"the user allows two", {50LL * MIB, 10 * GIB, .limit = 2}, 10 * GIB, 2, 2, 2},
        {"three blobs at a time", {50LL * MIB, 10 * GIB, .own = 3}, 10 * GIB, 5, 8, 8},
        {"which fill the link", {50LL * MIB, 150LL * MIB, .own = 3}, 10 * GIB, 2, 3, 6},
        {"known from another time", {50LL * MIB, 10 * GIB, .expected = 8}, GIB, 1, 8, 8},
        {"known, but not allowed", {5LL * MIB, GIB, .expected = 8, .limit = 2}, GIB, 5, 2, 2},
        {"soon over", {150LL * MIB, 10 * GIB}, 40LL * MIB, 20, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct outcome out = run(&rows[i].link, rows[i].size, rows[i].seconds);
        if (out.connections != rows[i].connections)
            fail_msg("%s: %u connections", rows[i].name, out.connections);
        if (out.most != rows[i].most)
            fail_msg("%s: %u connections at most", rows[i].name, out.most);
    }
}

/* 100 Mbit/s for each, 64 MiB: 5.4 s by one, 0.7 s by eight. */
static void it_is_decided_soon(void **state)
{
    static const struct link link = {12LL * MIB, GIB};
    static const struct link known = {12LL * MIB, GIB, .expected = 8};

    (void)state;
    assert_in_range(run(&link, 64LL * MIB, 20).ms, 0, 1500);
    assert_in_range(run(&known, 64LL * MIB, 20).ms, 0, 750);
    assert_in_range(run(&link, 8LL * MIB, 20).most, 2, 8);
}

/* A trial that brought nothing is made again, but less and less often. */
static void a_link_may_change(void **state)
{
    struct link link = {50LL * MIB, 50LL * MIB};
    struct coras_growth growth;
    int64_t bytes = 0, trials = 0;
    unsigned open = 1;

    (void)state;
    coras_growth_start(&growth, 8, 1);
    for (int64_t now = 0; now < 60000; now += TICK_MS) {
        const struct coras_growth_facts facts = {
            open, bytes += link.all * TICK_MS / 1000, 100 * GIB, LATENCY_MS, false, false};
        unsigned wanted = coras_growth_look(&growth, &facts, now);
        trials += wanted > open;
        open = wanted;
    }
    assert_int_equal(open, 1);
    assert_in_range(trials, 5, 8);
}

/* A registry's cache may serve the first bytes faster than its storage the rest. */
static void a_connection_that_becomes_slow_gets_help(void **state)
{
    struct coras_growth growth;
    int64_t bytes = 0;
    unsigned wanted = 1;

    (void)state;
    coras_growth_start(&growth, 8, 1);
    for (int64_t now = 0; now < 2000; now += TICK_MS) {
        int64_t rate = now < 1000 ? GIB : 50LL * MIB;
        const struct coras_growth_facts facts = {
            1, bytes += rate * TICK_MS / 1000, 100 * GIB, LATENCY_MS, false, false};
        wanted = coras_growth_look(&growth, &facts, now);
        assert_true(wanted == 1 || now > 1000);
        if (wanted > 1)
            break;
    }
    assert_int_equal(wanted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_follow_the_link),
        cmocka_unit_test(it_is_decided_soon),
        cmocka_unit_test(a_link_may_change),
        cmocka_unit_test(a_connection_that_becomes_slow_gets_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
