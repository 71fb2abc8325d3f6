/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of link_header.h.
 */
#include "registry/link_header.h"

static bool at(const coras_str *s, char c)
{
    return s->len && *s->ptr == c;
}

static void skip(coras_str *s, size_t n)
{
    s->ptr += n;
    s->len -= n;
}

static void skip_blanks(coras_str *s)
{
    while (s->len && coras_is_space(*s->ptr))
        skip(s, 1);
}

/* Up to one of the bytes in `ends`, or the end. */
static coras_str take_until(coras_str *s, const char *ends)
{
    coras_str taken = {s->ptr, 0};

    while (taken.len < s->len && !memchr(ends, taken.ptr[taken.len], strlen(ends)))
        taken.len++;
    skip(s, taken.len);
    return taken;
}

/* A quoted string without its quotes; escapes are left in, no relation has one. */
static coras_str take_quoted(coras_str *s)
{
    coras_str taken = {s->ptr + 1, 0};

    skip(s, 1);
    while (s->len && *s->ptr != '"') {
        size_t n = *s->ptr == '\\' && s->len > 1 ? 2 : 1;
        taken.len += n;
        skip(s, n);
    }
    if (s->len)
        skip(s, 1);
    return taken;
}

static bool word_is(coras_str word, const char *name)
{
    return word.len == strlen(name) && strncasecmp(word.ptr, name, word.len) == 0;
}

/* rel="prev next" has several relations. */
static bool has_relation(coras_str value, const char *name)
{
    while (value.len) {
        skip_blanks(&value);
        if (word_is(take_until(&value, " \t"), name))
            return true;
    }
    return false;
}

/* The parameters of one link, up to the comma behind it. */
static bool take_params_is_next(coras_str *s)
{
    bool has_rel = false, next = false;

    for (skip_blanks(s); s->len && !at(s, ','); skip_blanks(s)) {
        coras_str value = {"", 0};
        if (at(s, ';'))
            skip(s, 1);
        skip_blanks(s);
        coras_str name = coras_str_trim(take_until(s, "=;,"));
        if (at(s, '=')) {
            skip(s, 1);
            skip_blanks(s);
            value = at(s, '"') ? take_quoted(s) : coras_str_trim(take_until(s, ";,"));
        }
        if (!has_rel && word_is(name, "rel")) { /* RFC 8288, 3.3: the first one counts */
            has_rel = true;
            next = has_relation(value, "next");
        }
        take_until(s, ";,"); /* rubbish behind a quoted value */
    }
    return next || !has_rel;
}

bool coras_link_next(const char *header, coras_str *ret)
{
    coras_str s = coras_str_of(header);

    while (s.len) {
        take_until(&s, "<");
        if (!s.len)
            return false;
        skip(&s, 1);
        coras_str target = take_until(&s, ">");
        if (!s.len)
            return false;
        skip(&s, 1);
        if (take_params_is_next(&s)) {
            *ret = coras_str_trim(target);
            return true;
        }
    }
    return false;
}
