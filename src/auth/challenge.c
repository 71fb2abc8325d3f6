/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of WWW-Authenticate.
 */
#include "auth/challenge.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"

static void challenge_clear(coras_challenge *c)
{
    coras_vec_foreach (p, c) {
        free(p->name);
        free(p->value);
    }
    free(c->items);
    free(c->scheme);
    *c = (coras_challenge){0};
}
CORAS_DEFINE_AUTO_VALUE(coras_challenge, challenge_clear)

void coras_challenges_clear(coras_challenges *l)
{
    coras_vec_foreach (c, l)
        challenge_clear(c);
    free(l->items);
    *l = (coras_challenges){0};
}

const char *coras_challenge_get(const coras_challenge *c, const char *name)
{
    for (size_t i = 0; i < c->len; i++)
        if (coras_streq(c->items[i].name, name))
            return c->items[i].value;
    return NULL;
}

const coras_challenge *coras_challenges_find(const coras_challenges *l, const char *scheme)
{
    for (size_t i = 0; i < l->len; i++)
        if (coras_streq(l->items[i].scheme, scheme))
            return &l->items[i];
    return NULL;
}

/* RFC 9110 5.6.2: tchar. */
static bool is_token_char(char c)
{
    return c && (coras_is_alnum(c) || strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static const char *skip_token(const char *p)
{
    while (is_token_char(*p))
        p++;
    return p;
}

static const char *skip_separators(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == ',')
        p++;
    return p;
}

/* After garbage: to the next comma outside quotes. */
static const char *skip_element(const char *p)
{
    bool quoted = false;

    for (; *p && (quoted || *p != ','); p++) {
        if (*p == '\\' && quoted && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return p;
}

static char *lower_dup(const char *s, size_t len)
{
    char *copy = coras_strndup(s, len);

    for (char *p = copy; p && *p; p++)
        if (coras_is_upper(*p))
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* quoted-string with the opening quote at p; NULL when it does not end. */
static const char *read_quoted(const char *p, coras_buf *value)
{
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
        coras_buf_putc(value, *p);
    }
    return *p == '"' ? p + 1 : NULL;
}

static int add_param(coras_challenge *c, const char *name, size_t name_len, const coras_buf *value,
                     coras_error **err)
{
    struct coras_challenge_param param;

    if (coras_vec_grow(c, 1) < 0)
        return coras_fail_no_memory(err);
    param.name = lower_dup(name, name_len);
    param.value = coras_strndup(value->ptr, value->len);
    if (!param.name || !param.value) {
        free(param.name);
        free(param.value);
        return coras_fail_no_memory(err);
    }
    c->items[c->len++] = param;
    return 0;
}

/*
 * One `name = value` at p. Returns 1 with *end behind it, 0 when no parameter stands there, and
 * -1 in *ret_bad for one that is broken.
 */
static int read_param(const char *p, coras_challenge *c, const char **end, bool *bad,
                      coras_error **err)
{
    coras_auto_buf value = CORAS_BUF_INIT(CORAS_LIMIT_CHALLENGE);
    const char *name_end = skip_token(p);
    const char *equals = skip_blanks(name_end);

    if (name_end == p || *equals != '=')
        return 0;
    const char *q = skip_blanks(equals + 1);
    if (*q == '"') {
        q = read_quoted(q, &value);
    } else {
        const char *value_end = skip_token(q);
        if (value_end == q)
            return 0; /* "abc==": token68, not a parameter */
        coras_buf_put(&value, q, (size_t)(value_end - q));
        q = value_end;
    }
    if (!q || c->len >= CORAS_LIMIT_CHALLENGE_PARAMS) {
        *bad = true;
        *end = q ? q : p + strlen(p);
        return 1;
    }
    *end = q;
    CORAS_TRY(coras_buf_done(&value, err));
    CORAS_TRY(add_param(c, p, (size_t)(name_end - p), &value, err));
    return 1;
}

/* Parameters of one challenge, up to the next scheme or the end. */
static int read_params(const char *p, coras_challenge *c, const char **end, bool *bad,
                       coras_error **err)
{
    for (;;) {
        p = skip_separators(p);
        int rc = read_param(p, c, &p, bad, err);
        CORAS_TRY(rc);
        if (rc == 0)
            break;
        p = skip_blanks(p);
        if (*p && *p != ',') {
            *bad = true;
            p = skip_element(p);
        }
    }
    *end = p;
    return 0;
}

/* token68 after a scheme ("Negotiate abc=="): characters, then only '=' up to a comma or the end.
 */
static const char *skip_token68(const char *p)
{
    const char *q = p;

    while (*q && (coras_is_alnum(*q) || strchr("-._~+/", *q)))
        q++;
    while (q > p && *q == '=')
        q++;
    const char *after = skip_blanks(q);
    return q > p && (!*after || *after == ',') ? after : p;
}

static int read_challenge(const char *p, coras_challenges *l, const char **end, coras_error **err)
{
    coras_auto_value(coras_challenge) c = {0};
    const char *scheme_end = skip_token(p);
    bool bad = false;

    if (scheme_end == p ||
        (*scheme_end && *scheme_end != ' ' && *scheme_end != '\t' && *scheme_end != ',')) {
        *end = skip_element(p);
        return 0;
    }
    c.scheme = lower_dup(p, (size_t)(scheme_end - p));
    if (!c.scheme)
        return coras_fail_no_memory(err);
    const char *q = skip_blanks(scheme_end);
    if (*q != ',')
        q = skip_token68(q);
    CORAS_TRY(read_params(q, &c, end, &bad, err));
    if (bad || l->len >= CORAS_LIMIT_CHALLENGES)
        return 0;
    if (coras_vec_grow(l, 1) < 0)
        return coras_fail_no_memory(err);
    l->items[l->len++] = c;
    c = (coras_challenge){0};
    return 0;
}

int coras_challenges_parse(const char *header, coras_challenges *l, coras_error **err)
{
    const char *p = header;

    if (strlen(header) > CORAS_LIMIT_CHALLENGE)
        return 0;
    while (*(p = skip_separators(p)))
        CORAS_TRY(read_challenge(p, l, &p, err));
    return 0;
}
