/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is a machine whose states are its own bytes: in a state, what stands there is expected
 * next. The states that a path may have led to are kept as a set, so that a match costs one pass
 * over the path. First the pattern is read once: what kind each byte is, and where a choice goes
 * on.
 */
#include "base/glob.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"

enum { WORD_BITS = 64 };

enum glob_element {
    KIND_END = 0,
    KIND_LITERAL,
    KIND_ANY,          /* ? */
    KIND_STAR,         /* characters of one component */
    KIND_TREE,         /* whole components, each with its "/"; at the start of one of them */
    KIND_IN_COMPONENT, /* the second star of it: within such a component */
    KIND_REST,         /* all that is left of the path */
    KIND_CLASS,
    KIND_OPEN,  /* the start of a choice */
    KIND_COMMA, /* what ends one of several patterns: the choice is over */
    KIND_CLOSE,
};

/* Bits for offsets in a pattern. */
struct states {
    uint64_t words[CORAS_LIMIT_GLOB / WORD_BITS + 1];
};

struct glob {
    const char *text;
    size_t len;
    uint8_t kind[CORAS_LIMIT_GLOB + 1];
    uint16_t next[CORAS_LIMIT_GLOB + 1];  /* where it goes on; of commas: behind the choice */
    uint16_t other[CORAS_LIMIT_GLOB + 1]; /* of "{" and commas: the comma or "}" that follows */
    struct states starts;                 /* where a component of the path may start */
};

static void add_state(struct states *s, size_t i)
{
    s->words[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
}

static bool has_state(const struct states *s, size_t i)
{
    return s->words[i / WORD_BITS] >> i % WORD_BITS & 1;
}

/* ---- reading a pattern ---- */

static const char *const no_end_of_class = "a class without its end \"]\"";

/* Behind one character of a class, which may be escaped; NULL: the pattern ends there. */
static const char *skip_class_character(const char *at, const char *end, uint32_t *ret)
{
    if (at < end && *at == '\\')
        at++;
    return at < end ? at + coras_utf8_decode(at, (size_t)(end - at), ret) : NULL;
}

static const char *start_of_class(const char *at)
{
    at++;
    return *at == '!' || *at == '^' ? at + 1 : at;
}

/* Returns what is wrong, or NULL with the offset behind the class. */
static const char *read_class(const struct glob *g, size_t i, size_t *ret)
{
    const char *end = g->text + g->len;
    const char *at = start_of_class(g->text + i);
    uint32_t c;

    if (at < end && *at == ']')
        return "a class without characters";
    while (at && at < end && *at != ']')
        at = skip_class_character(at, end, &c);
    if (!at || at >= end)
        return no_end_of_class;
    *ret = (size_t)(at + 1 - g->text);
    return NULL;
}

struct glob_reading {
    struct glob *g;
    uint16_t open[CORAS_LIMIT_GLOB_DEPTH]; /* choices that have not ended: where they start */
    uint16_t last[CORAS_LIMIT_GLOB_DEPTH]; /* and their last "{" or comma */
    size_t depth;
};

static const char *open_choice(struct glob_reading *r, size_t i)
{
    if (r->depth == CORAS_LIMIT_GLOB_DEPTH)
        return "choices nest too deep";
    r->open[r->depth] = r->last[r->depth] = (uint16_t)i;
    r->depth++;
    r->g->kind[i] = KIND_OPEN;
    return NULL;
}

static void next_choice(struct glob_reading *r, size_t i)
{
    r->g->kind[i] = KIND_COMMA;
    r->g->other[r->last[r->depth - 1]] = (uint16_t)i;
    r->last[r->depth - 1] = (uint16_t)i;
}

static const char *close_choice(struct glob_reading *r, size_t i)
{
    if (r->depth == 0)
        return "a \"}\" without its \"{\"";
    next_choice(r, i);
    r->depth--;
    for (size_t at = r->g->other[r->open[r->depth]]; at != i; at = r->g->other[at])
        r->g->next[at] = (uint16_t)(i + 1);
    r->g->kind[i] = KIND_CLOSE;
    return NULL;
}

/* A choice starts one with each of its patterns, or with none. */
static bool may_start_component(const struct glob_reading *r, size_t i)
{
    const struct glob *g = r->g;

    if (i == 0 || g->text[i - 1] == '/')
        return true;
    if (g->kind[i - 1] != KIND_OPEN && g->kind[i - 1] != KIND_COMMA)
        return false;
    return has_state(&g->starts, r->open[r->depth - 1]);
}

/* One element that starts at *i; *i moves behind it. Returns what is wrong, or NULL. */
static const char *read_element(struct glob_reading *r, size_t *i)
{
    struct glob *g = r->g;
    size_t at = *i;
    const char *wrong = NULL;

    if (may_start_component(r, at))
        add_state(&g->starts, at);
    *i = at + 1;
    switch (g->text[at]) {
    case '*':
        g->kind[at] = KIND_STAR;
        break;
    case '?':
        g->kind[at] = KIND_ANY;
        break;
    case '[':
        g->kind[at] = KIND_CLASS;
        wrong = read_class(g, at, i);
        break;
    case '{':
        return open_choice(r, at);
    case '}':
        wrong = close_choice(r, at);
        break;
    case '\\':
        g->kind[at] = KIND_LITERAL;
        if (++*i > g->len)
            wrong = "a \"\\\" at the end";
        break;
    default:
        g->kind[at] = KIND_LITERAL;
        if (g->text[at] == ',' && r->depth) {
            next_choice(r, at);
            return NULL; /* its next is known with the end of the choice */
        }
    }
    g->next[at] = (uint16_t)*i;
    return wrong;
}

/* Where the pattern goes on once the choices that end here are over. */
static size_t skip_ends(const struct glob *g, size_t i)
{
    while (g->kind[i] == KIND_COMMA || g->kind[i] == KIND_CLOSE)
        i = g->next[i];
    return i;
}

/* Two stars that are a whole component are more than a star. */
static void read_tree(struct glob *g, size_t i)
{
    if (g->kind[i] != KIND_STAR || g->kind[i + 1] != KIND_STAR || !has_state(&g->starts, i))
        return;
    size_t behind = skip_ends(g, i + 2);
    if (g->kind[behind] == KIND_END) {
        g->kind[i] = KIND_REST;
        g->next[i] = (uint16_t)behind;
    } else if (g->text[behind] == '/') {
        g->kind[i] = KIND_TREE;
        g->kind[i + 1] = KIND_IN_COMPONENT;
        g->next[i] = (uint16_t)(behind + 1);
    }
}

/* Returns what is wrong with the pattern, or NULL. */
static const char *read_pattern(struct glob *g, const char *pattern)
{
    struct glob_reading r = {.g = g};

    g->text = pattern;
    g->len = strnlen(pattern, CORAS_LIMIT_GLOB + 1);
    if (g->len > CORAS_LIMIT_GLOB)
        return "it is too long";
    memset(g->kind, KIND_END, g->len + 1);
    g->starts = (struct states){0};
    for (size_t i = 0; i < g->len;) {
        const char *wrong = read_element(&r, &i);
        if (wrong)
            return wrong;
    }
    if (r.depth)
        return "a \"{\" without its \"}\"";
    for (size_t i = 0; i + 1 < g->len; i++)
        read_tree(g, i);
    return NULL;
}

int coras_glob_check(const char *pattern, coras_error **err)
{
    struct glob g;
    const char *wrong = read_pattern(&g, pattern);

    if (!wrong)
        return 0;
    coras_auto_free char *shown = coras_escape_dup(pattern);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid pattern \"%s\": %s",
                      shown ? shown : "", wrong);
}

/* ---- sets of states ---- */

/* The first state from `i` on; beyond the pattern's end when there is none. */
static size_t first_state(const struct glob *g, const struct states *s, size_t i)
{
    while (i <= g->len) {
        uint64_t left = s->words[i / WORD_BITS] >> i % WORD_BITS;
        if (left)
            return i + (size_t)__builtin_ctzll(left);
        i += WORD_BITS - i % WORD_BITS;
    }
    return i;
}

/* Where one gets from a state without a character of the path: always further to the end. */
static void add_without_character(const struct glob *g, struct states *s, size_t i)
{
    switch (g->kind[i]) {
    case KIND_STAR:
    case KIND_TREE:
    case KIND_REST:
    case KIND_COMMA:
    case KIND_CLOSE:
        add_state(s, g->next[i]);
        break;
    case KIND_OPEN:
        for (size_t choice = i; g->kind[choice] != KIND_CLOSE; choice = g->other[choice])
            add_state(s, choice + 1);
        break;
    default:
        break;
    }
}

static void complete(const struct glob *g, struct states *s)
{
    for (size_t i = first_state(g, s, 0); i <= g->len; i = first_state(g, s, i + 1))
        add_without_character(g, s, i);
}

/* ---- one character ---- */

static bool class_has(const char *at, const char *end, uint32_t c)
{
    bool has = false;

    while (*at != ']') {
        uint32_t low = 0, high;

        at = skip_class_character(at, end, &low);
        high = low;
        if (*at == '-' && at[1] != ']')
            at = skip_class_character(at + 1, end, &high);
        has = has || (low <= c && c <= high);
    }
    return has;
}

static bool class_matches(const struct glob *g, size_t i, uint32_t c)
{
    const char *start = start_of_class(g->text + i);
    bool negated = start != g->text + i + 1;

    return class_has(start, g->text + g->len, c) != negated;
}

/* A character of several bytes is taken byte by byte, since both texts have the same ones. */
static bool is_literal(const struct glob *g, size_t i, const char *c, size_t len, size_t *ret)
{
    size_t at = i + (g->text[i] == '\\');

    if (g->len - at < len || memcmp(g->text + at, c, len) != 0)
        return false;
    *ret = at + len;
    return true;
}

struct character {
    const char *bytes;
    size_t len;
    uint32_t code;
};

static void step(const struct glob *g, size_t i, const struct character *c, struct states *ret)
{
    bool is_slash = c->code == '/';
    size_t behind;

    switch (g->kind[i]) {
    case KIND_LITERAL:
        if (is_literal(g, i, c->bytes, c->len, &behind))
            add_state(ret, behind);
        break;
    case KIND_ANY:
        if (!is_slash)
            add_state(ret, g->next[i]);
        break;
    case KIND_CLASS:
        if (!is_slash && class_matches(g, i, c->code))
            add_state(ret, g->next[i]);
        break;
    case KIND_STAR:
        if (!is_slash)
            add_state(ret, i);
        break;
    case KIND_TREE:
        add_state(ret, is_slash ? i : i + 1);
        break;
    case KIND_IN_COMPONENT:
        add_state(ret, is_slash ? i - 1 : i);
        break;
    case KIND_REST:
        add_state(ret, i);
        break;
    default:
        break;
    }
}

/* ---- a whole path ---- */

static struct states after_character(const struct glob *g, const struct states *now,
                                     const struct character *c)
{
    struct states after = {0};

    for (size_t i = first_state(g, now, 0); i <= g->len; i = first_state(g, now, i + 1))
        step(g, i, c, &after);
    complete(g, &after);
    return after;
}

/* A directory is in its own tree: a "/" with nothing but a tree behind it may stand for nothing. */
static bool is_own_tree(const struct glob *g, size_t i)
{
    if (g->kind[i] != KIND_LITERAL || g->text[i] != '/')
        return false;
    size_t behind = skip_ends(g, i + 1);
    return g->kind[behind] == KIND_REST ||
           (g->kind[behind] == KIND_TREE && g->kind[skip_ends(g, g->next[behind])] == KIND_END);
}

static bool is_over(const struct glob *g, const struct states *s)
{
    bool over = has_state(s, g->len);

    for (size_t i = first_state(g, s, 0); i < g->len && !over; i = first_state(g, s, i + 1))
        over = is_own_tree(g, i);
    return over;
}

bool coras_glob_match(const char *pattern, const char *path)
{
    struct glob g;
    struct states now = {0};
    struct character c;

    if (read_pattern(&g, pattern))
        return false;
    add_state(&now, 0);
    complete(&g, &now);
    for (size_t left = strlen(path); left; left -= c.len) {
        c.bytes = path;
        c.len = coras_utf8_decode(path, left, &c.code);
        now = after_character(&g, &now, &c);
        path += c.len;
    }
    return is_over(&g, &now);
}
