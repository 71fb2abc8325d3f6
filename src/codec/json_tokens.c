/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in pieces (json_tokens.h): the scanner says where tokens begin and end, this file decodes
 * what is in them.
 */
#include "codec/json_tokens.h"

#include "base/alloc.h"
#include "base/error.h"
#include "codec/json_scan.h"

struct coras_json_tokens {
    struct coras_json_tokens_options options;
    struct coras_json_scanner scan;
    int64_t offset; /* of the byte that is looked at */
    enum coras_json_token_kind kind;
    bool in_token;
    unsigned depth; /* of the token */
    coras_buf text;
    bool cut;
    /* Inside a string: */
    bool escaped;        /* behind a backslash */
    unsigned hex_left;   /* digits that a \u still has */
    uint32_t hex;        /* those seen */
    uint32_t high;       /* the first half of a pair; 0: none waits */
    unsigned bytes_left; /* of a code point in UTF-8 */
    unsigned byte_count;
    char bytes[CORAS_UTF8_MAX];
};

int coras_json_tokens_new(const struct coras_json_tokens_options *options, coras_json_tokens **ret,
                          coras_error **err)
{
    coras_json_tokens *t = coras_new(coras_json_tokens);

    if (!t)
        return coras_fail_no_memory(err);
    t->options = *options;
    t->offset = options->offset;
    t->text = (coras_buf)CORAS_BUF_INIT(options->max_text);
    coras_json_scan_init(&t->scan, NULL);
    *ret = t;
    return 0;
}

void coras_json_tokens_free(coras_json_tokens *t)
{
    if (!t)
        return;
    coras_buf_clear(&t->text);
    free(t);
}

int64_t coras_json_tokens_offset(const coras_json_tokens *t)
{
    return t->offset;
}

static int refuse(const coras_json_tokens *t, const char *why, coras_error **err)
{
    return coras_fail(err, t->options.code, "byte %lld: %s", (long long)t->offset, why);
}

/* The scanner's error as one of ours. */
static int refuse_grammar(const coras_json_tokens *t, coras_error **err)
{
    int code = coras_json_scan_failed(&t->scan);

    if (code != CORAS_ERR_INVALID_JSON)
        return code;
    (void)coras_wrap(err, code, "byte %lld", (long long)t->offset);
    return err ? coras_error_recode(err, t->options.code) : t->options.code;
}

/* Keep what fits; a code point is kept whole or not at all. */
static void put(coras_json_tokens *t, const char *bytes, size_t len)
{
    t->cut = t->cut || len > t->options.max_text - t->text.len;
    if (!t->cut)
        coras_buf_put(&t->text, bytes, len);
}

static void put_code_point(coras_json_tokens *t, uint32_t cp)
{
    char text[CORAS_UTF8_MAX];

    put(t, text, coras_utf8_encode(cp, text));
}

static int end_hex(coras_json_tokens *t, coras_error **err)
{
    bool is_high = t->hex >= 0xd800 && t->hex <= 0xdbff;
    bool is_low = t->hex >= 0xdc00 && t->hex <= 0xdfff;

    if (is_low != (t->high != 0))
        return refuse(t, "half of a surrogate pair", err);
    if (is_high)
        t->high = t->hex;
    else if (is_low)
        put_code_point(t, 0x10000 + ((t->high - 0xd800) << 10) + (t->hex - 0xdc00));
    else
        put_code_point(t, t->hex);
    if (is_low)
        t->high = 0;
    return 0;
}

static int take_hex(coras_json_tokens *t, char c, coras_error **err)
{
    uint32_t digit = coras_is_digit(c) ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);

    t->hex = t->hex << 4 | digit;
    return --t->hex_left ? 0 : end_hex(t, err);
}

static int take_escape(coras_json_tokens *t, char c, coras_error **err)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *named = strchr(names, c); /* the byte is no NUL: the scanner took it */

    t->escaped = false;
    if (c == 'u') {
        t->hex_left = 4;
        t->hex = 0;
        return 0;
    }
    if (t->high)
        return refuse(t, "half of a surrogate pair", err);
    put(t, named ? &values[named - names] : &c, 1);
    return 0;
}

/* A byte of a code point that takes several. */
static int take_wide(coras_json_tokens *t, unsigned char c, coras_error **err)
{
    if (t->byte_count == 0)
        t->bytes_left = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    else if ((c & 0xc0) != 0x80)
        return refuse(t, "invalid UTF-8", err);
    t->bytes[t->byte_count++] = (char)c;
    if (--t->bytes_left > 0)
        return 0;
    if (!coras_utf8_valid(t->bytes, t->byte_count))
        return refuse(t, "invalid UTF-8", err);
    put(t, t->bytes, t->byte_count);
    t->byte_count = 0;
    return 0;
}

static int tell(coras_json_tokens *t, enum coras_json_token_kind kind, unsigned depth,
                coras_error **err)
{
    struct coras_json_token token = {kind, {t->text.ptr, t->text.len}, t->cut, depth};

    t->in_token = false;
    if (t->text.failed)
        return coras_buf_done(&t->text, err);
    CORAS_TRY(t->options.token(t->options.user, &token, err));
    coras_buf_reset(&t->text);
    t->cut = false;
    return 0;
}

static int take_string(coras_json_tokens *t, char c, coras_error **err)
{
    if (t->hex_left)
        return take_hex(t, c, err);
    if (t->escaped)
        return take_escape(t, c, err);
    if (c == '\\') {
        t->escaped = true;
        return t->byte_count ? refuse(t, "invalid UTF-8", err) : 0;
    }
    if (t->high)
        return refuse(t, "half of a surrogate pair", err);
    if (t->byte_count || (unsigned char)c >= 0x80)
        return take_wide(t, (unsigned char)c, err);
    if (c == '"')
        return tell(t, t->kind, t->depth, err);
    put(t, &c, 1);
    return 0;
}

static int take_byte(coras_json_tokens *t, char c, coras_error **err)
{
    if (t->kind == CORAS_JSON_TOKEN_KEY || t->kind == CORAS_JSON_TOKEN_STRING)
        return take_string(t, c, err);
    put(t, &c, 1);
    return 0;
}

static int begin_token(coras_json_tokens *t, char c)
{
    t->in_token = true;
    t->depth = t->scan.depth;
    if (c == '"') {
        t->kind = coras_json_scan_in_key(&t->scan) ? CORAS_JSON_TOKEN_KEY : CORAS_JSON_TOKEN_STRING;
        return 0;
    }
    t->kind = c == '-' || coras_is_digit(c) ? CORAS_JSON_TOKEN_NUMBER : CORAS_JSON_TOKEN_WORD;
    put(t, &c, 1);
    return 0;
}

static int open_level(coras_json_tokens *t, char c, coras_error **err)
{
    if (t->scan.depth > t->options.max_depth)
        return refuse(t, "nested too deeply", err);
    return tell(t, c == '{' ? CORAS_JSON_TOKEN_OPEN_OBJECT : CORAS_JSON_TOKEN_OPEN_ARRAY,
                t->scan.depth, err);
}

static int step(coras_json_tokens *t, char c, coras_error **err)
{
    enum coras_json_event event = coras_json_scan_step(&t->scan, c);

    if (event == CORAS_JSON_EV_ERROR)
        return refuse_grammar(t, err);
    if (event == CORAS_JSON_EV_BYTE)
        return take_byte(t, c, err);
    if (t->in_token) /* a number or a word ends with what is behind it */
        CORAS_TRY(tell(t, t->kind, t->depth, err));
    switch (event) {
    case CORAS_JSON_EV_START:
        return begin_token(t, c);
    case CORAS_JSON_EV_OPEN:
        return open_level(t, c, err);
    case CORAS_JSON_EV_CLOSE:
        return tell(t, CORAS_JSON_TOKEN_CLOSE, t->scan.depth + 1, err);
    default:
        return 0;
    }
}

/* How many bytes mean nothing but themselves: plain ones in a string, spaces behind the document.
 * The scanner need not see them; its state is the same before and after. */
static size_t plain_bytes(const coras_json_tokens *t, const char *text, size_t len)
{
    bool in_string = t->in_token && t->kind != CORAS_JSON_TOKEN_NUMBER &&
                     t->kind != CORAS_JSON_TOKEN_WORD && !t->hex_left && !t->escaped && !t->high &&
                     t->byte_count == 0;
    size_t n = 0;

    if (in_string)
        while (n < len && text[n] >= ' ' && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
            n++;
    else if (!t->in_token && coras_json_scan_is_complete(&t->scan))
        while (n < len && text[n] == ' ')
            n++;
    return n;
}

/* Take a run of such bytes; those that do not fit are dropped. */
static size_t take_plain(coras_json_tokens *t, const char *text, size_t len)
{
    size_t n = plain_bytes(t, text, len);
    size_t room = t->options.max_text - t->text.len;

    if (t->in_token && !t->cut)
        put(t, text, n < room ? n : room);
    t->cut = t->cut || (t->in_token && n > room);
    t->offset += (int64_t)n;
    return n;
}

int coras_json_tokens_feed(coras_json_tokens *t, const char *text, size_t len, coras_error **err)
{
    t->scan.err = err;
    for (size_t i = 0; i < len; i++) {
        i += take_plain(t, text + i, len - i);
        if (i == len)
            break;
        CORAS_TRY(step(t, text[i], err));
        t->offset++;
    }
    return 0;
}

int coras_json_tokens_finish(coras_json_tokens *t, coras_error **err)
{
    t->scan.err = err;
    if (coras_json_scan_finish(&t->scan) < 0)
        return refuse_grammar(t, err);
    return t->in_token ? tell(t, t->kind, t->depth, err) : 0;
}
