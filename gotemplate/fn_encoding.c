/* sprig: base64, base32 and checksums. */
#include "gotemplate/funcs.h"

#include "base/error.h"
#include "oci/digest.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

/* One alphabet: `bits` per character, `group` characters make whole bytes. */
struct coding {
    const char *name, *alphabet;
    unsigned bits;
    size_t group;
};
static const struct coding base64 = {
    "base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 4};
static const struct coding base32 = {"base32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 8};

static coras_str encode(struct tpl_arena *a, const struct coding *c, coras_str s)
{
    struct tpl_text t = TPL_TEXT(a);
    unsigned held = 0, bits = 0;

    for (size_t i = 0; i < s.len; i++) {
        held = (held << 8 | (unsigned char)s.ptr[i]) & 0xffff;
        for (bits += 8; bits >= c->bits; bits -= c->bits)
            tpl_putc(&t, c->alphabet[held >> (bits - c->bits) & ((1u << c->bits) - 1)]);
    }
    if (bits)
        tpl_putc(&t, c->alphabet[held << (c->bits - bits) & ((1u << c->bits) - 1)]);
    while (t.len % c->group)
        tpl_putc(&t, '=');
    return tpl_text_str(&t);
}

static coras_str refuse(struct tpl_arena *a, const struct coding *c, size_t at)
{
    return tpl_format(a, "illegal %s data at input byte %zu", c->name, at);
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
static coras_str decode(struct tpl_arena *a, const struct coding *c, coras_str s, bool *ret_bad)
{
    struct tpl_text t = TPL_TEXT(a);
    unsigned held = 0, bits = 0;
    size_t have = 0, end;

    *ret_bad = true;
    for (size_t i = skip_breaks(s, 0); i < s.len; i = skip_breaks(s, i + 1)) {
        const char *digit = s.ptr[i] ? strchr(c->alphabet, s.ptr[i]) : NULL;
        if (s.ptr[i] == '=') {
            *ret_bad = !check_padding(c, s, i, have, &end);
            return *ret_bad ? refuse(a, c, end) : tpl_text_str(&t);
        }
        if (!digit)
            return refuse(a, c, i);
        held = (held << c->bits | (unsigned)(digit - c->alphabet)) & 0xffff;
        have = (have + 1) % c->group;
        bits += c->bits;
        if (bits >= 8) {
            bits -= 8;
            tpl_putc(&t, (char)(held >> bits & 0xff));
        }
    }
    *ret_bad = have > 0;
    return *ret_bad ? refuse(a, c, s.len - have) : tpl_text_str(&t);
}

coras_str tpl_base64_encode(struct tpl_arena *a, coras_str s)
{
    return encode(a, &base64, s);
}

coras_str tpl_base64_decode(struct tpl_arena *a, coras_str s)
{
    bool bad;
    coras_str decoded = decode(a, &base64, s, &bad);

    if (bad)
        tpl_fail(a, "%s", decoded.ptr);
    return decoded;
}

/* sprig gives the text of the error for what it cannot decode. */
static tpl_value decoded(struct tpl_arena *a, const struct coding *c, coras_str s)
{
    bool bad;

    return tpl_string(decode(a, c, s, &bad));
}

FN(fn_b64enc)
{
    (void)argc;
    return tpl_string(encode(a, &base64, v[0].s));
}

FN(fn_b64dec)
{
    (void)argc;
    return decoded(a, &base64, v[0].s);
}

FN(fn_b32enc)
{
    (void)argc;
    return tpl_string(encode(a, &base32, v[0].s));
}

FN(fn_b32dec)
{
    (void)argc;
    return decoded(a, &base32, v[0].s);
}

static tpl_value sha2(struct tpl_arena *a, int algorithm, coras_str s)
{
    coras_digest digest;
    char text[CORAS_DIGEST_TEXT_MAX];

    if (coras_digest_of(algorithm, s.ptr, s.len, &digest, NULL) < 0)
        tpl_raise(a, CORAS_ERR_NO_MEMORY, "out of memory");
    coras_digest_hex(&digest, text);
    return tpl_string(tpl_dup(a, text, strlen(text)));
}

FN(fn_sha256sum)
{
    (void)argc;
    return sha2(a, CORAS_SHA256, v[0].s);
}

FN(fn_sha512sum)
{
    (void)argc;
    return sha2(a, CORAS_SHA512, v[0].s);
}

static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t w[80], s[5];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < 80; i++) {
        uint32_t f, k, next;
        if (i < 20) {
            f = (s[1] & s[2]) | (~s[1] & s[3]);
            k = 0x5a827999;
        } else if (i < 40 || i >= 60) {
            f = s[1] ^ s[2] ^ s[3];
            k = i < 40 ? 0x6ed9eba1 : 0xca62c1d6;
        } else {
            f = (s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3]);
            k = 0x8f1bbcdc;
        }
        next = rotate(s[0], 5) + f + s[4] + k + w[i];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = rotate(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (int i = 0; i < 5; i++)
        state[i] += s[i];
}

/* FIPS 180-4. A fingerprint for templates only; nothing of ours trusts it. */
FN(fn_sha1sum)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    size_t len = v[0].s.len, padded = (len + 8) / 64 * 64 + 64;
    unsigned char *data = tpl_alloc(a, padded);
    uint64_t bits = (uint64_t)len * 8;
    struct tpl_text t = TPL_TEXT(a);

    (void)argc;
    memcpy(data, v[0].s.ptr, len);
    data[len] = 0x80;
    for (int i = 0; i < 8; i++)
        data[padded - 1 - (size_t)i] = (unsigned char)(bits >> (8 * i));
    for (size_t i = 0; i < padded; i += 64)
        sha1_block(state, data + i);
    for (int i = 0; i < 5; i++)
        tpl_printf(&t, "%08x", state[i]);
    return tpl_string(tpl_text_str(&t));
}

FN(fn_adler32sum)
{
    uint32_t low = 1, high = 0;

    (void)argc;
    for (size_t i = 0; i < v[0].s.len; i++) {
        low = (low + (unsigned char)v[0].s.ptr[i]) % 65521;
        high = (high + low) % 65521;
    }
    return tpl_string(tpl_format(a, "%u", high << 16 | low));
}

const struct tpl_function tpl_encoding_functions[] = {
    {"adler32sum", "s", fn_adler32sum},
    {"b32dec", "s", fn_b32dec},
    {"b32enc", "s", fn_b32enc},
    {"b64dec", "s", fn_b64dec},
    {"b64enc", "s", fn_b64enc},
    {"sha1sum", "s", fn_sha1sum},
    {"sha256sum", "s", fn_sha256sum},
    {"sha512sum", "s", fn_sha512sum},
    {NULL, NULL, NULL},
};
