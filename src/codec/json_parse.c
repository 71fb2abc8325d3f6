/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON into values (declared in json.h). One grammar decides what is JSON (json_scan.c);
 * what is built here is laid out beforehand, so that a document costs at most sixteen times its
 * size whatever it consists of:
 *
 *     one block: [ root ][ nodes ............ ][ decoded strings ...... ]
 *
 * The first look counts values, the second fills the block. The children of an object or array lie
 * side by side. Until it closes they wait on a stack that grows down from the end of the nodes,
 * while finished ones fill them from the start: both together are never more than were counted.
 */
#include "codec/json_node.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include "base/alloc.h"
#include "base/error.h"
#include "codec/json_scan.h"
#include "codec/json_string.h"

enum { NO_PARENT = -1 };

struct rules {
    bool first_only;   /* what follows the first value is ignored */
    bool last_counts;  /* of equal keys; else they are refused */
    bool all_real;     /* every number is a double */
    bool replace_text; /* what is no UTF-8 becomes U+FFFD; else it is refused */
};

struct builder {
    const struct rules *rules;
    const char *text;
    size_t len; /* of the first value */
    size_t at;  /* where the next token is looked for */
    coras_json *nodes;
    size_t placed;   /* nodes that have their place, from the start */
    size_t top;      /* first node that waits for its container to close */
    size_t open;     /* innermost open container; (size_t)NO_PARENT: none */
    char *free_text; /* where the next string goes */
    const char *key; /* of the value that comes next */
    locale_t locale;
    coras_error **err;
};

static int fail_here(const struct builder *b, const char *why)
{
    size_t line = 1;

    for (size_t i = 0; i < b->at; i++)
        line += b->text[i] == '\n';
    return coras_fail(b->err, CORAS_ERR_INVALID_JSON, "line %zu: %s", line, why);
}

/* ---- the first look ---- */

struct count {
    size_t nodes;
    size_t text; /* bytes that the strings may need, with their ends */
    size_t len;  /* of the first value */
};

static void count_byte(struct count *n, const struct coras_json_scanner *s,
                       enum coras_json_event ev, char c)
{
    if (ev == CORAS_JSON_EV_OPEN || (ev == CORAS_JSON_EV_START && !coras_json_scan_in_key(s)))
        n->nodes++;
    if (ev == CORAS_JSON_EV_BYTE || ev == CORAS_JSON_EV_START)
        n->text += (unsigned char)c < 0x80 ? 1 : CORAS_JSON_BYTE_GROWTH;
}

static int check_and_count(struct builder *b, struct count *n)
{
    coras_auto(coras_error) why = NULL;
    struct coras_json_scanner s;
    enum coras_json_event ev = CORAS_JSON_EV_SPACE;
    bool done = false;

    coras_json_scan_init(&s, &why);
    for (b->at = 0; b->at < b->len && ev != CORAS_JSON_EV_ERROR && !done; b->at++) {
        ev = coras_json_scan_step(&s, b->text[b->at]);
        count_byte(n, &s, ev, b->text[b->at]);
        done = b->rules->first_only && coras_json_scan_is_complete(&s);
    }
    n->len = b->at;
    if (ev == CORAS_JSON_EV_ERROR || (!done && coras_json_scan_finish(&s) < 0))
        return coras_error_code(why) == CORAS_ERR_NO_MEMORY
                   ? coras_fail_no_memory(b->err)
                   : fail_here(b, coras_error_message(why));
    return 0;
}

/* ---- the second look: the text is known to be JSON ---- */

static coras_json *push(struct builder *b, enum coras_json_type type)
{
    coras_json *node = &b->nodes[--b->top];

    *node = (coras_json){.key = b->key, .type = (unsigned char)type};
    b->key = NULL;
    return node;
}

static void open_container(struct builder *b, enum coras_json_type type)
{
    push(b, type)->parent = b->open;
    b->open = b->top;
}

/* Children wait with the last one first; afterwards they lie in order at their place. */
static void place_children(struct builder *b, size_t count)
{
    coras_json *waiting = &b->nodes[b->top];

    for (size_t i = 0; i < count / 2; i++) {
        coras_json swapped = waiting[i];
        waiting[i] = waiting[count - 1 - i];
        waiting[count - 1 - i] = swapped;
    }
    memmove(&b->nodes[b->placed], waiting, count * sizeof(*waiting));
}

static int close_container(struct builder *b)
{
    coras_json *node = &b->nodes[b->open];
    size_t count = b->open - b->top, parent = node->parent;

    place_children(b, count);
    node->items = &b->nodes[b->placed];
    node->len = (uint32_t)count;
    b->placed += count;
    b->top = b->open;
    b->open = parent;
    if (node->type != CORAS_JSON_OBJECT)
        return 0;
    return coras_json_settle_keys(node, b->rules->last_counts, b->err);
}

static size_t literal_len(const struct builder *b)
{
    size_t i = b->at + 1;

    while (b->text[i] != '"')
        i += b->text[i] == '\\' ? 2 : 1;
    return i + 1 - b->at;
}

static bool is_key_next(const struct builder *b)
{
    return b->open != (size_t)NO_PARENT && b->nodes[b->open].type == CORAS_JSON_OBJECT && !b->key;
}

static int take_string(struct builder *b)
{
    size_t len = literal_len(b);
    unsigned flaws = 0;
    char *decoded = b->free_text;

    b->free_text += coras_json_decode((coras_str){b->text + b->at, len}, decoded, &flaws) + 1;
    if (flaws & CORAS_JSON_HAS_NUL)
        return fail_here(b, "NUL character in a string");
    if (flaws && !b->rules->replace_text)
        return fail_here(b, "invalid UTF-8 in a string");
    b->at += len;
    if (is_key_next(b))
        b->key = decoded;
    else
        push(b, CORAS_JSON_STRING)->string = decoded;
    return 0;
}

static int take_number(struct builder *b)
{
    const char *start = b->text + b->at;
    size_t len = 0, limit = b->len - b->at;
    bool real = b->rules->all_real;
    char *copy = b->free_text; /* its bytes were counted as well */

    for (; len < limit && start[len] && strchr("+-.eE0123456789", start[len]); len++)
        real = real || start[len] == '.' || start[len] == 'e' || start[len] == 'E';
    memcpy(copy, start, len);
    copy[len] = '\0';
    errno = 0;
    coras_json *node = push(b, real ? CORAS_JSON_REAL : CORAS_JSON_INT);
    if (real)
        node->real = strtod_l(copy, NULL, b->locale);
    else
        node->integer = strtoll(copy, NULL, 10);
    if (real ? !isfinite(node->real) : errno == ERANGE)
        return fail_here(b, "number out of range");
    b->at += len;
    return 0;
}

static void take_word(struct builder *b)
{
    char c = b->text[b->at];

    if (c == 'n')
        push(b, CORAS_JSON_NULL);
    else
        push(b, CORAS_JSON_BOOL)->boolean = c == 't';
    b->at += c == 'f' ? 5 : 4;
}

static int take_token(struct builder *b)
{
    switch (b->text[b->at]) {
    case '{':
        open_container(b, CORAS_JSON_OBJECT);
        break;
    case '[':
        open_container(b, CORAS_JSON_ARRAY);
        break;
    case '}':
    case ']':
        CORAS_TRY(close_container(b));
        break;
    case '"':
        return take_string(b);
    case 't':
    case 'f':
    case 'n':
        take_word(b);
        return 0;
    case '-':
        return take_number(b);
    default:
        if (coras_is_digit(b->text[b->at]))
            return take_number(b);
        break; /* white space, comma, colon */
    }
    b->at++;
    return 0;
}

static int build(struct builder *b, const struct count *n, coras_json **ret)
{
    size_t nodes_bytes, bytes;
    coras_auto_free coras_json *block = NULL;

    if (n->nodes > UINT32_MAX || !coras_mul_size(n->nodes + 1, sizeof(*block), &nodes_bytes) ||
        !coras_add_size(nodes_bytes, n->text + 1, &bytes) || !(block = coras_malloc(bytes)))
        return coras_fail_no_memory(b->err);
    b->nodes = block + 1;
    b->top = n->nodes;
    b->open = (size_t)NO_PARENT;
    b->free_text = (char *)block + nodes_bytes;
    b->len = n->len;
    for (b->at = 0; b->at < b->len;)
        CORAS_TRY(take_token(b));
    *block = b->nodes[b->top];
    *ret = coras_steal(&block);
    return 0;
}

static int parse(const char *text, size_t len, const struct rules *rules, coras_json **ret,
                 coras_error **err)
{
    struct builder b = {.rules = rules, .text = text, .len = len, .err = err};
    struct count n = {0};

    CORAS_TRY(check_and_count(&b, &n));
    b.locale = newlocale(LC_ALL_MASK, "C", NULL); /* the program's may write 1.5 as 1,5 */
    if (!b.locale)
        return coras_fail_no_memory(err);
    int rc = build(&b, &n, ret);
    freelocale(b.locale);
    return rc;
}

int coras_json_parse(const char *text, size_t len, coras_json **ret, coras_error **err)
{
    static const struct rules rules = {0};

    return parse(text, len, &rules, ret, err);
}

int coras_json_parse_any(const char *text, size_t len, coras_json **ret, coras_error **err)
{
    static const struct rules rules = {.last_counts = true, .all_real = true, .replace_text = true};

    return parse(text, len, &rules, ret, err);
}

int coras_json_parse_prefix(const char *text, size_t len, coras_json **ret, coras_error **err)
{
    static const struct rules rules = {
        .first_only = true, .last_counts = true, .replace_text = true};

    return parse(text, len, &rules, ret, err);
}

void coras_json_free(coras_json *root)
{
    free(root);
}
