/* SPDX-License-Identifier: Apache-2.0 */
/* Views of text, character classes, numbers, lists of strings. */
#include "base/str.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"

bool coras_str_eq(coras_str a, const char *b)
{
    size_t len = strlen(b);

    return a.len == len && (len == 0 || memcmp(a.ptr, b, len) == 0);
}

bool coras_str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool coras_str_ends(const char *s, const char *suffix)
{
    size_t len = strlen(s), tail = strlen(suffix);

    return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

static char lower(char c)
{
    return coras_is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

bool coras_str_ieq(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++)
        b++;
    return *a == '\0' && *b == '\0';
}

bool coras_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool coras_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool coras_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool coras_is_alnum(char c)
{
    return coras_is_lower(c) || coras_is_upper(c) || coras_is_digit(c);
}

bool coras_is_hex_lower(char c)
{
    return coras_is_digit(c) || (c >= 'a' && c <= 'f');
}

bool coras_is_hex(char c)
{
    return coras_is_hex_lower(c) || (c >= 'A' && c <= 'F');
}

bool coras_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool coras_parse_int64(coras_str s, int64_t *ret)
{
    int64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!coras_is_digit(s.ptr[i]) || __builtin_mul_overflow(n, 10, &n) ||
            !coras_add_int64(n, s.ptr[i] - '0', &n))
            return false;
    }
    *ret = n;
    return true;
}

coras_str coras_str_trim(coras_str s)
{
    while (s.len && coras_is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && coras_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool coras_str_next_line(coras_str *rest, coras_str *ret)
{
    const char *newline = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t used;

    if (rest->len == 0)
        return false;
    *ret = (coras_str){rest->ptr, newline ? (size_t)(newline - rest->ptr) : rest->len};
    used = ret->len + (newline ? 1 : 0);
    *rest = (coras_str){rest->ptr + used, rest->len - used};
    return true;
}

/* ---- lists ---- */

void coras_strlist_clear(coras_strlist *l)
{
    for (size_t i = 0; i < l->len; i++)
        free(l->items[i]);
    free(l->items);
    *l = (coras_strlist){0};
}

int coras_strlist_add(coras_strlist *l, const char *s, coras_error **err)
{
    return coras_strlist_addn(l, s, strlen(s), err);
}

int coras_strlist_addn(coras_strlist *l, const char *s, size_t len, coras_error **err)
{
    char *copy = coras_strndup(s, len);

    if (!copy || coras_vec_grow(l, 1) < 0) {
        free(copy);
        return coras_fail_no_memory(err);
    }
    l->items[l->len++] = copy;
    return 0;
}

bool coras_strlist_has(const coras_strlist *l, const char *s)
{
    for (size_t i = 0; i < l->len; i++) {
        if (coras_streq(l->items[i], s))
            return true;
    }
    return false;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void coras_strlist_sort(coras_strlist *l)
{
    if (l->len > 1)
        qsort(l->items, l->len, sizeof(*l->items), compare_text);
}
