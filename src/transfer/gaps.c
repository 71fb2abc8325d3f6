/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of some content that are missing, in order: added, taken away, merged.
 */
#include "transfer/gaps.h"

#include <string.h>

static void remove_at(coras_gaps *g, size_t i)
{
    memmove(&g->items[i], &g->items[i + 1], (g->len - i - 1) * sizeof(g->items[0]));
    g->len--;
}

/* Join the two neighbours with the least between them. */
static void make_room(coras_gaps *g)
{
    size_t best = 0;

    for (size_t i = 1; i + 1 < g->len; i++)
        if (g->items[i + 1].start - g->items[i].end < g->items[best + 1].start - g->items[best].end)
            best = i;
    g->items[best].end = g->items[best + 1].end;
    remove_at(g, best + 1);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void coras_gaps_add(coras_gaps *g, int64_t start, int64_t end)
{
    if (start >= end)
        return;
    if (g->len == CORAS_GAPS_MAX)
        make_room(g);
    size_t at = 0;
    while (at < g->len && g->items[at].end < start)
        at++;
    while (at < g->len && g->items[at].start <= end) {
        start = smaller(start, g->items[at].start);
        end = larger(end, g->items[at].end);
        remove_at(g, at);
    }
    memmove(&g->items[at + 1], &g->items[at], (g->len - at) * sizeof(g->items[0]));
    g->items[at] = (coras_gap){start, end};
    g->len++;
}

bool coras_gaps_take(coras_gaps *g, int64_t longest, coras_gap *ret)
{
    if (g->len == 0)
        return false;
    coras_gap *first = &g->items[0];
    *ret = *first;
    if (longest <= 0 || first->end - first->start <= longest) {
        remove_at(g, 0);
        return true;
    }
    ret->end = first->start + longest;
    first->start = ret->end;
    return true;
}

int64_t coras_gaps_sum(const coras_gaps *g)
{
    int64_t sum = 0;

    for (size_t i = 0; i < g->len; i++)
        sum += g->items[i].end - g->items[i].start;
    return sum;
}

bool coras_gaps_are_valid(const coras_gaps *g, int64_t size)
{
    int64_t reached = -1;

    if (g->len > CORAS_GAPS_MAX)
        return false;
    for (size_t i = 0; i < g->len; i++) {
        const coras_gap *gap = &g->items[i];
        if (gap->start <= reached || gap->end <= gap->start || gap->end > size)
            return false;
        reached = gap->end;
    }
    return true;
}
