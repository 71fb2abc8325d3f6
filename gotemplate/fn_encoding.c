/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: base64 and base32, as text to text; what cannot be decoded gives the text of the error. */
#include "gotemplate/funcs.h"

/* One alphabet: `bits` per character, `group` characters make whole bytes. */
struct coding {
    const char *name, *alphabet;
    unsigned bits;
    size_t group;
};
static const struct coding base64 = {
    "base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 4};
static const struct coding base32 = {"base32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 8};

static coras_str encode(struct gotmpl_arena *a, const struct coding *c, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    unsigned held = 0, bits = 0;

    for (size_t i = 0; i < s.len; i++) {
        held = (held << 8 | (unsigned char)s.ptr[i]) & 0xffff;
        for (bits += 8; bits >= c->bits; bits -= c->bits)
            gotmpl_putc(&t, c->alphabet[held >> (bits - c->bits) & ((1u << c->bits) - 1)]);
    }
    if (bits)
        gotmpl_putc(&t, c->alphabet[held << (c->bits - bits) & ((1u << c->bits) - 1)]);
    while (t.len % c->group)
        gotmpl_putc(&t, '=');
    return gotmpl_text_str(&t);
}

static coras_str refuse(struct gotmpl_arena *a, const struct coding *c, size_t at)
{
    return gotmpl_format(a, "illegal %s data at input byte %zu", c->name, at);
}

static size_t skip_breaks(coras_str s, size_t i)
{
    while (i < s.len && (s.ptr[i] == '\n' || s.ptr[i] == '\r'))
        i++;
    return i;
}

/* The = signs that complete a group of which `have` characters were read; *ret_end after them. */
static bool check_padding(const struct coding *c, coras_str s, size_t i, size_t have,
                          size_t *ret_end)
{
    bool possible = c->bits == 6 ? have >= 2 : have == 2 || have == 4 || have == 5 || have == 7;

    *ret_end = i;
    if (!possible)
        return false;
    for (size_t k = have; k < c->group; k++) {
        i = skip_breaks(s, i);
        *ret_end = i;
        if (i < s.len && s.ptr[i] != '=')
            *ret_end = i - 1;
        if (i >= s.len || s.ptr[i] != '=')
            return false;
        i++;
    }
    *ret_end = i = skip_breaks(s, i);
    return i == s.len;
}

/* For bad input the text of the error. */
static coras_str decode(struct gotmpl_arena *a, const struct coding *c, coras_str s, bool *ret_bad)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    unsigned held = 0, bits = 0;
    size_t have = 0, end;

    *ret_bad = true;
    for (size_t i = skip_breaks(s, 0); i < s.len; i = skip_breaks(s, i + 1)) {
        const char *digit = s.ptr[i] ? strchr(c->alphabet, s.ptr[i]) : NULL;
        if (s.ptr[i] == '=') {
            *ret_bad = !check_padding(c, s, i, have, &end);
            return *ret_bad ? refuse(a, c, end) : gotmpl_text_str(&t);
        }
        if (!digit)
            return refuse(a, c, i);
        held = (held << c->bits | (unsigned)(digit - c->alphabet)) & 0xffff;
        have = (have + 1) % c->group;
        bits += c->bits;
        if (bits >= 8) {
            bits -= 8;
            gotmpl_putc(&t, (char)(held >> bits & 0xff));
        }
    }
    *ret_bad = have > 0;
    return *ret_bad ? refuse(a, c, s.len - have) : gotmpl_text_str(&t);
}

/* sprig gives the text of the error for what it cannot decode. */
static gotmpl_value decoded(struct gotmpl_arena *a, const struct coding *c, coras_str s)
{
    bool bad;

    return gotmpl_string(decode(a, c, s, &bad));
}

GOTMPL_FN_IS(fn_b64enc, gotmpl_string(encode(a, &base64, v[0].s)));
GOTMPL_FN_IS(fn_b64dec, decoded(a, &base64, v[0].s));
GOTMPL_FN_IS(fn_b32enc, gotmpl_string(encode(a, &base32, v[0].s)));
GOTMPL_FN_IS(fn_b32dec, decoded(a, &base32, v[0].s));

const struct gotmpl_function gotmpl_encoding_functions[] = {
    {"b32dec", "s", fn_b32dec}, {"b32enc", "s", fn_b32enc}, {"b64dec", "s", fn_b64dec},
    {"b64enc", "s", fn_b64enc}, {NULL, NULL, NULL},
};
