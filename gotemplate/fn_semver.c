/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: semverCompare, constraints on versions: ">=1.2, <2", "~1.4 || ^3", "1.2 - 1.9". */
#include "gotemplate/funcs.h"
#include "gotemplate/semver.h"

/* One comparison. Which parts the text left open (absent, x or *) changes what operators mean. */
struct constraint {
    coras_str sign;
    struct gotmpl_semver version;
    bool any_open, minor_open, patch_open;
};

struct constraint_reader {
    struct gotmpl_arena *a;
    coras_str s; /* constraints that must all hold */
    size_t pos;
};

static void skip_blanks(struct constraint_reader *r)
{
    while (r->pos < r->s.len && coras_is_space(r->s.ptr[r->pos]))
        r->pos++;
}

_Noreturn static void refuse(const struct constraint_reader *r)
{
    gotmpl_fail(r->a, "improper constraint: %.*s", (int)r->s.len, r->s.ptr);
}

static coras_str take_sign(struct constraint_reader *r)
{
    static const char *const signs[] = {"!=", ">=", "=>", "<=", "=<", "~>",
                                        "=",  ">",  "<",  "~",  "^"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(signs); i++)
        if (gotmpl_has_prefix(gotmpl_sub(r->s, r->pos, r->s.len), signs[i])) {
            r->pos += strlen(signs[i]);
            return coras_str_of(signs[i]);
        }
    return CORAS_STR("");
}

static bool is_open(coras_str part)
{
    return part.len == 0 || (!coras_is_digit(part.ptr[0]) && part.len == 1);
}

struct version_filling {
    const struct gotmpl_semver_parts *parts;
    struct gotmpl_semver *into;
};

static void fill(struct gotmpl_arena *a, void *user)
{
    struct version_filling *f = user;

    gotmpl_semver_fill(a, f->parts, f->into);
}

static struct constraint take_comparison(struct constraint_reader *r, coras_str sign)
{
    struct constraint c = {.sign = sign};
    struct gotmpl_semver_parts parts;

    if (!gotmpl_semver_scan(r->s, &r->pos, "xX*", &parts))
        refuse(r);
    c.minor_open = !is_open(parts.numbers[0]) && is_open(parts.numbers[1]);
    c.patch_open = !is_open(parts.numbers[0]) && !c.minor_open && is_open(parts.numbers[2]);
    c.any_open = is_open(parts.numbers[0]) || c.minor_open || c.patch_open;
    for (size_t i = 0, open = 0; i < 3; i++) {
        open |= is_open(parts.numbers[i]);
        parts.numbers[i] = open ? CORAS_STR("") : parts.numbers[i];
    }
    if (!gotmpl_guard(r->a, fill, &(struct version_filling){&parts, &c.version}))
        gotmpl_fail(r->a, "constraint parser error");
    return c;
}

/* " - " between two versions. */
static bool take_dash(struct constraint_reader *r)
{
    size_t start = r->pos;

    skip_blanks(r);
    if (r->pos > start && r->pos + 1 < r->s.len && r->s.ptr[r->pos] == '-' &&
        coras_is_space(r->s.ptr[r->pos + 1])) {
        r->pos++;
        skip_blanks(r);
        return true;
    }
    r->pos = start;
    return false;
}

/* ---- what the operators mean ---- */

static bool not_equal(const struct constraint *c, const struct gotmpl_semver *v)
{
    const struct gotmpl_semver *w = &c->version;

    if (!c->any_open)
        return gotmpl_semver_compare(v, w) != 0;
    if (w->major != v->major)
        return true;
    if (c->minor_open)
        return false;
    return w->minor != v->minor || (!c->patch_open && w->patch != v->patch);
}

static bool greater(const struct constraint *c, const struct gotmpl_semver *v)
{
    const struct gotmpl_semver *w = &c->version;

    if (!c->any_open)
        return gotmpl_semver_compare(v, w) > 0;
    if (v->major != w->major)
        return v->major > w->major;
    return c->patch_open && v->minor > w->minor;
}

static bool less_or_equal(const struct constraint *c, const struct gotmpl_semver *v)
{
    const struct gotmpl_semver *w = &c->version;

    if (!c->any_open)
        return gotmpl_semver_compare(v, w) <= 0;
    if (v->major > w->major)
        return false;
    return !(v->major == w->major && v->minor > w->minor && !c->minor_open);
}

static bool tilde(const struct constraint *c, const struct gotmpl_semver *v)
{
    const struct gotmpl_semver *w = &c->version;

    if (gotmpl_semver_compare(v, w) < 0)
        return false;
    if (w->major == 0 && w->minor == 0 && w->patch == 0 && !c->minor_open && !c->patch_open)
        return true;
    return v->major == w->major && (v->minor == w->minor || c->minor_open);
}

static bool caret(const struct constraint *c, const struct gotmpl_semver *v)
{
    const struct gotmpl_semver *w = &c->version;

    if (gotmpl_semver_compare(v, w) < 0)
        return false;
    if (w->major > 0 || c->minor_open)
        return v->major == w->major;
    if (v->major > 0)
        return false;
    if (w->minor > 0 || c->patch_open)
        return v->minor == w->minor;
    return v->minor == 0 && w->patch == v->patch;
}

static bool holds(const struct constraint *c, const struct gotmpl_semver *v)
{
    int order = gotmpl_semver_compare(v, &c->version);

    if (coras_str_eq(c->sign, "!="))
        return not_equal(c, v);
    if (coras_str_eq(c->sign, ">"))
        return greater(c, v);
    if (coras_str_eq(c->sign, "<"))
        return order < 0;
    if (coras_str_eq(c->sign, ">=") || coras_str_eq(c->sign, "=>"))
        return order >= 0;
    if (coras_str_eq(c->sign, "<=") || coras_str_eq(c->sign, "=<"))
        return less_or_equal(c, v);
    if (coras_str_eq(c->sign, "^"))
        return caret(c, v);
    return c->any_open || (c->sign.len && c->sign.ptr[0] == '~') ? tilde(c, v) : order == 0;
}

/* ---- several ---- */

struct verdict {
    const struct gotmpl_semver *version;
    bool all_hold, with_pre;
};

static void weigh(struct verdict *verdict, struct constraint c)
{
    verdict->all_hold &= holds(&c, verdict->version);
    verdict->with_pre |= c.version.pre.len > 0;
}

/* Constraints separated by blanks or commas; a pre-release has to be asked for. */
static bool all_hold(struct gotmpl_arena *a, coras_str s, const struct gotmpl_semver *v)
{
    struct constraint_reader r = {.a = a, .s = s};
    struct verdict verdict = {.version = v, .all_hold = true};
    size_t end;

    do {
        coras_str sign;
        struct constraint c;
        skip_blanks(&r);
        sign = take_sign(&r);
        skip_blanks(&r);
        c = take_comparison(&r, sign);
        if (sign.len == 0 && take_dash(&r)) {
            c.sign = CORAS_STR(">=");
            weigh(&verdict, take_comparison(&r, CORAS_STR("<=")));
        }
        weigh(&verdict, c);
        end = r.pos;
        skip_blanks(&r);
        if (r.pos < s.len && s.ptr[r.pos] == ',')
            r.pos++;
        if (r.pos == end && end < s.len)
            refuse(&r);
    } while (r.pos < s.len);
    return verdict.all_hold && (v->pre.len == 0 || verdict.with_pre);
}

/* Whether one of the alternatives between || holds. All are read, for their mistakes. */
static bool any_holds(struct gotmpl_arena *a, coras_str s, const struct gotmpl_semver *v)
{
    bool good = false;

    for (;;) {
        size_t at = gotmpl_find(s, CORAS_STR("||"));
        good |= all_hold(a, gotmpl_sub(s, 0, at == GOTMPL_NOT_FOUND ? s.len : at), v);
        if (at == GOTMPL_NOT_FOUND)
            return good;
        s = gotmpl_sub(s, at + 2, s.len);
    }
}

GOTMPL_FN(fn_semver_compare)
{
    static const struct gotmpl_semver none;
    struct gotmpl_semver version;

    any_holds(a, v[0].s, &none); /* its mistakes are reported before those of the version */
    gotmpl_semver_parse(a, v[1].s, &version);
    return gotmpl_bool(any_holds(a, v[0].s, &version));
}

const struct gotmpl_function gotmpl_semver_functions[] = {
    {"semverCompare", "ss", fn_semver_compare},
    {NULL, NULL, NULL},
};
