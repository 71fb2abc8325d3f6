/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of flags as Go reads them: booleans, numbers, lists.
 */
#include "cli/options/values.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "gospell/quote.h"

static int fail_number(const char *function, const char *text, const char *why, coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(text);
    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "strconv.%s: parsing %s: %s", function,
                      quoted, why);
}

int value_parse_bool(const char *text, bool *ret, coras_error **err)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(yes); i++) {
        if (coras_streq(text, yes[i]) || coras_streq(text, no[i])) {
            *ret = coras_streq(text, yes[i]);
            return 0;
        }
    }
    return fail_number("ParseBool", text, "invalid syntax", err);
}

/* ---- integers ---- */

static int digit_value(char c)
{
    if (coras_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

/* Cut the base's prefix from the digits. An underscore may follow it. */
static unsigned take_base(const char **digits, bool *ret_prefixed)
{
    const char *s = *digits;
    *ret_prefixed = false;
    if (s[0] != '0' || !s[1])
        return 10;
    *ret_prefixed = true;
    unsigned base = 0;
    switch (s[1] | 0x20) {
    case 'x':
        base = 16;
        break;
    case 'o':
        base = 8;
        break;
    case 'b':
        base = 2;
        break;
    default:
        *digits = s + 1;
        return 8;
    }
    *digits = s + 2;
    return base;
}

/* Go allows `_` only between digits, or between the base's prefix and a digit. */
static bool underscores_ok(const char *digits, bool prefixed)
{
    bool after_digit = prefixed;
    for (const char *s = digits; *s; s++) {
        if (*s == '_' && (!after_digit || digit_value(s[1]) == 99))
            return false;
        after_digit = *s != '_';
    }
    return true;
}

int value_parse_int(const char *text, int64_t *ret, coras_error **err)
{
    const char *s = text;
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    bool prefixed;
    unsigned base = take_base(&s, &prefixed);
    if (!*s || !underscores_ok(s, prefixed))
        return fail_number("ParseInt", text, "invalid syntax", err);
    uint64_t magnitude = 0;
    bool overflow = false;
    for (; *s; s++) {
        if (*s == '_')
            continue;
        unsigned digit = (unsigned)digit_value(*s);
        if (digit >= base)
            return fail_number("ParseInt", text, "invalid syntax", err);
        overflow = overflow || __builtin_mul_overflow(magnitude, base, &magnitude) ||
                   __builtin_add_overflow(magnitude, digit, &magnitude);
    }
    uint64_t bound = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (overflow || magnitude > bound)
        return fail_number("ParseInt", text, "value out of range", err);
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return 0;
}

/* ---- comma-separated values ---- */

static int fail_csv(const char *start, const char *at, const char *why, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "parse error on line 1, column %zu: %s",
                      (size_t)(at - start) + 1, why);
}

/* A field in quotes; *at is behind the opening quote and ends at the comma or the end. */
static int take_quoted(const char *start, const char **at, coras_buf *out, coras_error **err)
{
    static const char why[] = "extraneous or missing \" in quoted-field";
    const char *s = *at;
    for (;; s++) {
        if (!*s)
            return fail_csv(start, s, why, err);
        if (*s == '"' && s[1] != '"')
            break;
        coras_buf_putc(out, *s);
        if (*s == '"')
            s++;
    }
    s++;
    if (*s && *s != ',')
        return fail_csv(start, s - 1, why, err);
    *at = s;
    return 0;
}

int value_split_csv(const char *text,
                    int (*field)(void *user, const char *text, size_t len, coras_error **err),
                    void *user, coras_error **err)
{
    const char *s = text;
    while (*text) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        if (*s == '"') {
            s++;
            CORAS_TRY(take_quoted(text, &s, &out, err));
        } else {
            size_t len = strcspn(s, ",");
            const char *quote = memchr(s, '"', len);
            if (quote)
                return fail_csv(text, quote, "bare \" in non-quoted-field", err);
            coras_buf_put(&out, s, len);
            s += len;
        }
        CORAS_TRY(coras_buf_done(&out, err));
        CORAS_TRY(field(user, out.ptr, out.len, err));
        if (*s++ != ',')
            break;
    }
    return 0;
}
