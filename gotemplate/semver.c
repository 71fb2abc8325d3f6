#include "gotemplate/semver.h"

#include "gotemplate/literal.h"
#include "gotemplate/regex.h"

#define TAIL                                                                                       \
    "(-([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?"                                                   \
    "(\\+([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?"
#define LOOSE_VERSION "^v?([0-9]+)(\\.[0-9]+)?(\\.[0-9]+)?" TAIL "$"
#define NUMBER_OR_X   "[0-9|x|X|\\*]+"
#define X_VERSION     "v?(" NUMBER_OR_X ")(\\." NUMBER_OR_X ")?(\\." NUMBER_OR_X ")?" TAIL
#define OPERATOR      "=||!=|>|<|>=|=>|<=|=<|~|~>|\\^"

enum { SLOTS = 64 };

static struct tpl_regex *pattern(struct tpl_arena *a, const char *expr)
{
    const char *problem = NULL;
    struct tpl_regex *re = tpl_regex_compile(a, coras_str_of(expr), &problem);

    if (!re)
        tpl_fail(a, "%s", problem);
    return re;
}

/* Text of a group; empty when it took no part. */
static coras_str group(coras_str s, const size_t *slots, size_t n)
{
    if (slots[2 * n] == TPL_NOT_FOUND)
        return CORAS_STR("");
    return tpl_sub(s, slots[2 * n], slots[2 * n + 1]);
}

static uint64_t segment(struct tpl_arena *a, coras_str s)
{
    uint64_t n = 0;

    if (s.len && s.ptr[0] == '.')
        s = tpl_sub(s, 1, s.len);
    if (s.len && tpl_parse_uint(s, 10, &n) != TPL_PARSED)
        tpl_fail(a,
                 "error parsing version segment: strconv.ParseUint: parsing \"%.*s\": value out of "
                 "range",
                 (int)s.len, s.ptr);
    return n;
}

void tpl_semver_check_prerelease(struct tpl_arena *a, coras_str s)
{
    for (size_t i = 0; i <= s.len;) {
        size_t end = i;
        bool digits = true;
        while (end < s.len && s.ptr[end] != '.')
            digits &= coras_is_digit(s.ptr[end++]);
        if (digits && end - i > 1 && s.ptr[i] == '0')
            tpl_fail(a, "version segment starts with 0");
        i = end + 1;
    }
}

static const struct tpl_semver *parse_version(struct tpl_arena *a, struct tpl_regex *re,
                                              coras_str s)
{
    struct tpl_semver *v = tpl_alloc(a, sizeof(*v));
    size_t slots[SLOTS];

    if (!tpl_regex_match(a, re, s, 0, slots))
        tpl_fail(a, "invalid semantic version");
    v->original = s;
    v->major = segment(a, group(s, slots, 1));
    v->minor = segment(a, group(s, slots, 2));
    v->patch = segment(a, group(s, slots, 3));
    v->pre = group(s, slots, 5);
    v->metadata = group(s, slots, 8);
    tpl_semver_check_prerelease(a, v->pre);
    return v;
}

const struct tpl_semver *tpl_semver_parse(struct tpl_arena *a, coras_str s)
{
    return parse_version(a, pattern(a, LOOSE_VERSION), s);
}

coras_str tpl_semver_string(struct tpl_arena *a, const struct tpl_semver *v)
{
    struct tpl_text t = TPL_TEXT(a);

    if (!v)
        return CORAS_STR("<nil>");
    tpl_printf(&t, "%llu.%llu.%llu", (unsigned long long)v->major, (unsigned long long)v->minor,
               (unsigned long long)v->patch);
    if (v->pre.len) {
        tpl_putc(&t, '-');
        tpl_put_str(&t, v->pre);
    }
    if (v->metadata.len) {
        tpl_putc(&t, '+');
        tpl_put_str(&t, v->metadata);
    }
    return tpl_text_str(&t);
}

bool tpl_semver_same(const struct tpl_semver *x, const struct tpl_semver *y)
{
    if (!x || !y)
        return x == y;
    return x->major == y->major && x->minor == y->minor && x->patch == y->patch &&
           tpl_str_same(x->pre, y->pre) && tpl_str_same(x->metadata, y->metadata) &&
           tpl_str_same(x->original, y->original);
}

static coras_str take_part(coras_str *s)
{
    size_t dot = tpl_find(*s, CORAS_STR("."));
    coras_str part = tpl_sub(*s, 0, dot == TPL_NOT_FOUND ? s->len : dot);

    *s = tpl_sub(*s, dot == TPL_NOT_FOUND ? s->len : dot + 1, s->len);
    return part;
}

/* One identifier of a pre-release: numbers before words, a missing one before any. */
static int compare_part(coras_str x, coras_str y)
{
    uint64_t nx = 0, ny = 0;
    bool x_number, y_number;

    if (x.len == 0 || y.len == 0)
        return (x.len > 0) - (y.len > 0);
    x_number = tpl_parse_uint(x, 10, &nx) == TPL_PARSED;
    y_number = tpl_parse_uint(y, 10, &ny) == TPL_PARSED;
    if (x_number && y_number)
        return (nx > ny) - (nx < ny);
    if (x_number != y_number)
        return x_number ? -1 : 1;
    return tpl_str_compare(x, y);
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

static int compare_numbers(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

int tpl_semver_compare(const struct tpl_semver *x, const struct tpl_semver *y)
{
    int order = compare_numbers(x->major, y->major);

    if (!order)
        order = compare_numbers(x->minor, y->minor);
    if (!order)
        order = compare_numbers(x->patch, y->patch);
    if (!order)
        order = compare_pre(x->pre, y->pre);
    return (order > 0) - (order < 0);
}

/* ---- constraints ---- */

/* One comparison. Which parts the text left open (absent, x or *) changes what operators mean. */
struct constraint {
    coras_str operator;
    const struct tpl_semver *version;
    bool any_open, minor_open, patch_open;
};

static bool is_x(coras_str s)
{
    if (s.len && s.ptr[0] == '.')
        s = tpl_sub(s, 1, s.len);
    return s.len == 0 || coras_str_eq(s, "x") || coras_str_eq(s, "X") || coras_str_eq(s, "*");
}

/* The expressions of the grammar, compiled once for each check. */
struct grammar {
    struct tpl_arena *a;
    struct tpl_regex *range, *all, *one, *whole, *version;
};

static struct grammar compile_grammar(struct tpl_arena *a)
{
    return (struct grammar){
        .a = a,
        .range = pattern(a, "\\s*(" X_VERSION ")\\s+-\\s+(" X_VERSION ")\\s*"),
        .all = pattern(a, "^(\\s*(" OPERATOR ")\\s*(" X_VERSION ")\\s*)((?:\\s+|,\\s*)(" OPERATOR
                          ")\\s*(" X_VERSION ")\\s*)*$"),
        .one = pattern(a, "(" OPERATOR ")\\s*(" X_VERSION ")"),
        .whole = pattern(a, "^\\s*(" OPERATOR ")\\s*(" X_VERSION ")\\s*$"),
        .version = pattern(a, LOOSE_VERSION),
    };
}

struct reading {
    struct tpl_regex *re;
    coras_str text;
    const struct tpl_semver **ret;
};

static void read_version(struct tpl_arena *a, void *user)
{
    struct reading *r = user;

    *r->ret = parse_version(a, r->re, r->text);
}

static struct constraint parse_constraint(const struct grammar *g, coras_str s)
{
    struct tpl_arena *a = g->a;
    struct constraint c = {0};
    size_t slots[SLOTS];
    coras_str major, minor, patch, tail;

    if (s.len == 0) {
        c.version = parse_version(g->a, g->version, CORAS_STR("0.0.0"));
        c.operator= CORAS_STR("");
        c.any_open = true;
        return c;
    }
    if (!tpl_regex_match(a, g->whole, s, 0, slots))
        tpl_fail(a, "improper constraint: %.*s", (int)s.len, s.ptr);
    c.operator= group(s, slots, 1);
    major = group(s, slots, 3);
    minor = group(s, slots, 4);
    patch = group(s, slots, 5);
    tail = group(s, slots, 6);
    if (is_x(major)) {
        c.any_open = true;
        s = tpl_format(a, "0.0.0%.*s", (int)tail.len, tail.ptr);
    } else if (is_x(minor)) {
        c.any_open = c.minor_open = true;
        s = tpl_format(a, "%.*s.0.0%.*s", (int)major.len, major.ptr, (int)tail.len, tail.ptr);
    } else if (is_x(patch)) {
        c.any_open = c.patch_open = true;
        s = tpl_format(a, "%.*s%.*s.0%.*s", (int)major.len, major.ptr, (int)minor.len, minor.ptr,
                       (int)tail.len, tail.ptr);
    } else {
        s = group(s, slots, 2);
    }
    if (!tpl_guard(a, read_version, &(struct reading){g->version, s, &c.version}))
        tpl_fail(a, "constraint parser error");
    return c;
}

static bool satisfies_not_equal(const struct constraint *c, const struct tpl_semver *v)
{
    const struct tpl_semver *w = c->version;

    if (!c->any_open)
        return tpl_semver_compare(v, w) != 0;
    if (w->major != v->major)
        return true;
    if (c->minor_open)
        return false;
    if (w->minor != v->minor)
        return true;
    if (c->patch_open)
        return (v->pre.len || w->pre.len) && compare_pre(v->pre, w->pre) != 0;
    return w->patch != v->patch || tpl_semver_compare(v, w) != 0;
}

static bool satisfies_greater(const struct constraint *c, const struct tpl_semver *v)
{
    const struct tpl_semver *w = c->version;

    if (!c->any_open)
        return tpl_semver_compare(v, w) > 0;
    if (v->major != w->major)
        return v->major > w->major;
    if (c->minor_open)
        return false;
    if (c->patch_open)
        return v->minor > w->minor;
    return tpl_semver_compare(v, w) > 0;
}

static bool satisfies_less_or_equal(const struct constraint *c, const struct tpl_semver *v)
{
    const struct tpl_semver *w = c->version;

    if (!c->any_open)
        return tpl_semver_compare(v, w) <= 0;
    if (v->major > w->major)
        return false;
    return !(v->major == w->major && v->minor > w->minor && !c->minor_open);
}

static bool satisfies_tilde(const struct constraint *c, const struct tpl_semver *v)
{
    const struct tpl_semver *w = c->version;

    if (tpl_semver_compare(v, w) < 0)
        return false;
    if (w->major == 0 && w->minor == 0 && w->patch == 0 && !c->minor_open && !c->patch_open)
        return true;
    return v->major == w->major && (v->minor == w->minor || c->minor_open);
}

static bool satisfies_caret(const struct constraint *c, const struct tpl_semver *v)
{
    const struct tpl_semver *w = c->version;

    if (tpl_semver_compare(v, w) < 0)
        return false;
    if (w->major > 0 || c->minor_open)
        return v->major == w->major;
    if (v->major > 0)
        return false;
    if (w->minor > 0 || c->patch_open)
        return v->minor == w->minor;
    return v->minor == 0 && w->patch == v->patch;
}

static bool satisfies(const struct constraint *c, const struct tpl_semver *v, bool with_pre)
{
    coras_str op = c->operator;

    if (v->pre.len && !with_pre)
        return false;
    if (coras_str_eq(op, "!="))
        return satisfies_not_equal(c, v);
    if (coras_str_eq(op, ">"))
        return satisfies_greater(c, v);
    if (coras_str_eq(op, "<"))
        return tpl_semver_compare(v, c->version) < 0;
    if (coras_str_eq(op, ">=") || coras_str_eq(op, "=>"))
        return tpl_semver_compare(v, c->version) >= 0;
    if (coras_str_eq(op, "<=") || coras_str_eq(op, "=<"))
        return satisfies_less_or_equal(c, v);
    if (coras_str_eq(op, "~") || coras_str_eq(op, "~>"))
        return satisfies_tilde(c, v);
    if (coras_str_eq(op, "^"))
        return satisfies_caret(c, v);
    return c->any_open ? satisfies_tilde(c, v) : tpl_semver_compare(v, c->version) == 0;
}

/* Constraints that must all hold, separated by blanks or commas. */
static bool satisfies_all(const struct grammar *g, coras_str s, const struct tpl_semver *v)
{
    struct constraint *all = tpl_alloc_array(g->a, s.len + 1, sizeof(*all));
    size_t slots[SLOTS], count = 0;
    bool with_pre = false, good = true;

    if (!tpl_regex_match(g->a, g->all, s, 0, slots))
        tpl_fail(g->a, "improper constraint: %.*s", (int)s.len, s.ptr);
    for (size_t pos = 0; pos < s.len && tpl_regex_match(g->a, g->one, s, pos, slots);
         pos = slots[1]) {
        all[count] = parse_constraint(g, group(s, slots, 0));
        with_pre |= all[count++].version->pre.len > 0;
    }
    for (size_t i = 0; i < count; i++)
        good &= satisfies(&all[i], v, with_pre);
    return good;
}

/* "1.2 - 2.0" is ">= 1.2, <= 2.0 ". */
static coras_str rewrite_ranges(const struct grammar *g, coras_str s)
{
    struct tpl_text t = TPL_TEXT(g->a);
    size_t slots[SLOTS], pos = 0;

    while (pos < s.len && tpl_regex_match(g->a, g->range, s, pos, slots)) {
        coras_str low = group(s, slots, 1), high = group(s, slots, 11);
        tpl_put_str(&t, tpl_sub(s, pos, slots[0]));
        tpl_printf(&t, ">= %.*s, <= %.*s ", (int)low.len, low.ptr, (int)high.len, high.ptr);
        pos = slots[1];
    }
    tpl_put_str(&t, tpl_sub(s, pos, s.len));
    return tpl_text_str(&t);
}

/* Whether one of the alternatives between || holds. All are parsed, for their mistakes. */
static bool satisfies_any(const struct grammar *g, coras_str s, const struct tpl_semver *v)
{
    bool good = false;

    for (;;) {
        size_t at = tpl_find(s, CORAS_STR("||"));
        good |= satisfies_all(g, tpl_sub(s, 0, at == TPL_NOT_FOUND ? s.len : at), v);
        if (at == TPL_NOT_FOUND)
            return good;
        s = tpl_sub(s, at + 2, s.len);
    }
}

bool tpl_semver_satisfies(struct tpl_arena *a, coras_str constraint, coras_str version)
{
    static const struct tpl_semver none;
    struct tpl_mark mark = tpl_arena_mark(a);
    struct grammar g = compile_grammar(a);
    coras_str rest = rewrite_ranges(&g, constraint);
    bool good;

    satisfies_any(&g, rest, &none); /* mistakes in it are reported before those of the version */
    good = satisfies_any(&g, rest, parse_version(a, g.version, version));
    tpl_arena_release(a, mark);
    return good;
}
