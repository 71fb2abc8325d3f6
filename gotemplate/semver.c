/* SPDX-License-Identifier: Apache-2.0 */
/* Semantic versions: reading and comparing them. Constraints are in fn_semver.c.
 */
#include "gotemplate/semver.h"

#include "gotemplate/literal.h"

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* A number, or what stands for any. */
static coras_str take_number(coras_str s, size_t *at, const char *open)
{
    size_t from = *at;

    while (*at < s.len && (coras_is_digit(s.ptr[*at]) || is_one_of(s.ptr[*at], open)))
        ++*at;
    return gotmpl_sub(s, from, *at);
}

/* The mark and identifiers between dots; empty and nothing taken when they are not there. */
static coras_str take_identifiers(coras_str s, size_t *at, char mark)
{
    size_t from = *at + 1, end = from;

    if (*at >= s.len || s.ptr[*at] != mark)
        return CORAS_STR("");
    for (size_t i = from; i < s.len; i++) {
        if (coras_is_alnum(s.ptr[i]) || s.ptr[i] == '-')
            end = i + 1;
        else if (s.ptr[i] != '.' || end != i || i == from)
            break;
    }
    if (end > from)
        *at = end;
    return gotmpl_sub(s, from, end);
}

bool gotmpl_semver_scan(coras_str s, size_t *at, const char *open, struct gotmpl_semver_parts *ret)
{
    size_t pos = *at;

    *ret = (struct gotmpl_semver_parts){0};
    pos += pos < s.len && s.ptr[pos] == 'v';
    for (size_t i = 0; i < 3; i++) {
        size_t from = pos + (i > 0);
        if (i > 0 && (pos >= s.len || s.ptr[pos] != '.'))
            break;
        ret->numbers[i] = take_number(s, &from, open);
        if (ret->numbers[i].len == 0)
            break;
        pos = from;
    }
    if (ret->numbers[0].len == 0)
        return false;
    ret->pre = take_identifiers(s, &pos, '-');
    (void)take_identifiers(s, &pos, '+');
    *at = pos;
    return true;
}

static uint64_t number(struct gotmpl_arena *a, coras_str s)
{
    uint64_t n = 0;

    if (s.len && gotmpl_parse_uint(s, 10, &n) != GOTMPL_PARSED)
        gotmpl_fail(a,
                    "error parsing version segment: strconv.ParseUint: parsing \"%.*s\": value out "
                    "of range",
                    (int)s.len, s.ptr);
    return n;
}

static coras_str take_part(coras_str *s)
{
    size_t dot = gotmpl_find(*s, CORAS_STR("."));
    coras_str part = gotmpl_sub(*s, 0, dot == GOTMPL_NOT_FOUND ? s->len : dot);

    *s = gotmpl_sub(*s, dot == GOTMPL_NOT_FOUND ? s->len : dot + 1, s->len);
    return part;
}

static bool is_number(coras_str s)
{
    uint64_t n;

    return gotmpl_parse_uint(s, 10, &n) != GOTMPL_BAD_SYNTAX;
}

void gotmpl_semver_fill(struct gotmpl_arena *a, const struct gotmpl_semver_parts *parts,
                        struct gotmpl_semver *ret)
{
    ret->major = number(a, parts->numbers[0]);
    ret->minor = number(a, parts->numbers[1]);
    ret->patch = number(a, parts->numbers[2]);
    ret->pre = parts->pre;
    for (coras_str rest = parts->pre; rest.len;) {
        coras_str part = take_part(&rest);
        if (part.len > 1 && part.ptr[0] == '0' && is_number(part))
            gotmpl_fail(a, "version segment starts with 0");
    }
}

void gotmpl_semver_parse(struct gotmpl_arena *a, coras_str s, struct gotmpl_semver *ret)
{
    struct gotmpl_semver_parts parts;
    size_t end = 0;

    if (!gotmpl_semver_scan(s, &end, "", &parts) || end != s.len)
        gotmpl_fail(a, "invalid semantic version");
    gotmpl_semver_fill(a, &parts, ret);
}

/* One identifier of a pre-release: numbers before words, a missing one before any. */
static int compare_part(coras_str x, coras_str y)
{
    uint64_t nx = 0, ny = 0;
    bool x_number, y_number;

    if (x.len == 0 || y.len == 0)
        return (x.len > 0) - (y.len > 0);
    x_number = gotmpl_parse_uint(x, 10, &nx) == GOTMPL_PARSED;
    y_number = gotmpl_parse_uint(y, 10, &ny) == GOTMPL_PARSED;
    if (x_number && y_number)
        return (nx > ny) - (nx < ny);
    if (x_number != y_number)
        return x_number ? -1 : 1;
    return gotmpl_str_compare(x, y);
}

static int compare_pre(coras_str x, coras_str y)
{
    if (x.len == 0 || y.len == 0) /* a release comes after its pre-releases */
        return (x.len == 0) - (y.len == 0);
    while (x.len || y.len) {
        coras_str px = take_part(&x), py = take_part(&y);
        int order = compare_part(px, py);
        if (order)
            return order;
    }
    return 0;
}

int gotmpl_semver_compare(const struct gotmpl_semver *x, const struct gotmpl_semver *y)
{
    const uint64_t pairs[3][2] = {{x->major, y->major}, {x->minor, y->minor}, {x->patch, y->patch}};
    int order;

    for (size_t i = 0; i < 3; i++)
        if (pairs[i][0] != pairs[i][1])
            return pairs[i][0] < pairs[i][1] ? -1 : 1;
    order = compare_pre(x->pre, y->pre);
    return (order > 0) - (order < 0);
}
