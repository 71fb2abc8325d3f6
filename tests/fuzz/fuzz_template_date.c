/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates: the first line is a layout, the rest a date by it. What is accepted is written as RFC 3339
 * and read again as the same moment.
 */
#include "fuzz.h"

#include "gotemplate/times.h"

enum { BYTES = 1024 * 1024 };

struct input {
    coras_str layout, text;
    bool accepted;
};

static void check(struct gotmpl_arena *a, void *user)
{
    struct input *in = user;
    coras_str problem, text;
    const struct gotmpl_time *t, *again;

    t = gotmpl_time_parse(a, in->layout, in->text, &gotmpl_zone_utc, &problem);
    in->accepted = t != NULL;
    if (!t) {
        FUZZ_CHECK(gotmpl_has_prefix(problem, "parsing time "));
        return;
    }
    (void)gotmpl_time_format(a, t, in->layout);
    text = gotmpl_time_rfc3339(a, t);
    again = gotmpl_time_parse(a, CORAS_STR("2006-01-02T15:04:05.999999999Z07:00"), text,
                              &gotmpl_zone_utc, &problem);
    if (again && t->offset % 60 == 0) /* a shift may lead out of the years 0 to 9999 */
        FUZZ_CHECK(again->sec == t->sec && again->nsec == t->nsec);
}

bool fuzz_one(const char *data, size_t len)
{
    jmp_buf unused;
    struct gotmpl_arena a = GOTMPL_ARENA(BYTES, &unused);
    const char *line = memchr(data, '\n', len);
    size_t end = line ? (size_t)(line - data) : len;
    struct input in = {.layout = {data, end}, .text = {data + end, len - end}};

    if (line)
        in.text = gotmpl_sub(in.text, 1, in.text.len);
    FUZZ_CHECK(gotmpl_guard(&a, check, &in) || a.code == CORAS_ERR_TOO_LARGE);
    gotmpl_arena_clear(&a);
    return in.accepted;
}
