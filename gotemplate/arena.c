/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, failure and text of one parse or run; see arena.h. */
#include "gotemplate/arena.h"

#include <assert.h>
#include "base/alloc.h"
#include "gospell/unicode_print.h"

struct gotmpl_block {
    struct gotmpl_block *next;
    size_t used, cap;
    max_align_t data[];
};

#ifdef __SANITIZE_ADDRESS__ /* every allocation is a block of its own, so that overruns show */
enum { FIRST_BLOCK = 0, LARGEST_BLOCK = 0 };
#else
enum { FIRST_BLOCK = 8 * 1024, LARGEST_BLOCK = 1024 * 1024 };
#endif

void gotmpl_arena_clear(struct gotmpl_arena *a)
{
    while (a->blocks) {
        struct gotmpl_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
    coras_buf_clear(&a->scratch);
}

void gotmpl_step(struct gotmpl_arena *a, uint64_t steps)
{
    if (steps > a->steps_left)
        gotmpl_raise(a, CORAS_ERR_TOO_LARGE, "the template takes too long");
    a->steps_left -= steps;
}

bool gotmpl_guard(struct gotmpl_arena *a, void (*work)(struct gotmpl_arena *a, void *user),
                  void *user)
{
    jmp_buf here, *outer = a->failure;

    a->failure = &here;
    if (setjmp(here) == 0) {
        work(a, user);
        a->failure = outer;
        return true;
    }
    a->failure = outer;
    return false;
}

_Noreturn void gotmpl_raise_again(struct gotmpl_arena *a)
{
    longjmp(*a->failure, 1);
}

_Noreturn void gotmpl_raise(struct gotmpl_arena *a, int code, const char *message)
{
    a->code = code;
    a->message = message;
    longjmp(*a->failure, 1);
}

_Noreturn void gotmpl_fail(struct gotmpl_arena *a, const char *fmt, ...)
{
    va_list ap;
    coras_str message;

    va_start(ap, fmt);
    message = gotmpl_vformat(a, fmt, ap);
    va_end(ap);
    gotmpl_raise(a, CORAS_ERR_INVALID_ARGUMENT, message.ptr);
}

static struct gotmpl_block *add_block(struct gotmpl_arena *a, size_t size)
{
    size_t cap = a->blocks ? a->blocks->cap * 2 : FIRST_BLOCK;
    struct gotmpl_block *b;

    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    if (cap < size)
        cap = size;
    if (cap > a->limit - a->used)
        cap = size;
    if (cap > a->limit - a->used)
        gotmpl_raise(a, CORAS_ERR_TOO_LARGE, "the template needs too much memory");
    b = coras_calloc(1, sizeof(*b) + cap);
    if (!b)
        gotmpl_raise(a, CORAS_ERR_NO_MEMORY, "out of memory");
    b->cap = cap;
    b->next = a->blocks;
    a->blocks = b;
    a->used += cap;
    return b;
}

void *gotmpl_alloc(struct gotmpl_arena *a, size_t size)
{
    enum { ALIGN = _Alignof(max_align_t) };
    struct gotmpl_block *b = a->blocks;
    void *p;

    if (size > a->limit)
        gotmpl_raise(a, CORAS_ERR_TOO_LARGE, "the template needs too much memory");
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (!b || size > b->cap - b->used)
        b = add_block(a, size);
    p = (char *)b->data + b->used;
    b->used += size;
    return p;
}

void *gotmpl_alloc_array(struct gotmpl_arena *a, size_t count, size_t size)
{
    size_t total;

    if (!coras_mul_size(count, size, &total))
        total = SIZE_MAX;
    return gotmpl_alloc(a, total);
}

void *gotmpl_regrow(struct gotmpl_arena *a, const void *old, size_t len, size_t cap, size_t size)
{
    void *grown = gotmpl_alloc_array(a, cap, size);

    if (len)
        memcpy(grown, old, len * size);
    return grown;
}

coras_str gotmpl_dup(struct gotmpl_arena *a, const char *s, size_t len)
{
    char *copy = gotmpl_alloc(a, len + 1);

    if (len)
        memcpy(copy, s, len);
    return (coras_str){copy, len};
}

coras_str gotmpl_vformat(struct gotmpl_arena *a, const char *fmt, va_list ap)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    len = len < 0 ? 0 : len;
    text = gotmpl_alloc(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return (coras_str){text, (size_t)len};
}

coras_str gotmpl_format(struct gotmpl_arena *a, const char *fmt, ...)
{
    va_list ap;
    coras_str s;

    va_start(ap, fmt);
    s = gotmpl_vformat(a, fmt, ap);
    va_end(ap);
    return s;
}

char *gotmpl_reserve(struct gotmpl_text *t, size_t len)
{
    enum { FIRST_BYTES = 64 };

    if (len >= SIZE_MAX / 4)
        gotmpl_alloc(t->arena, SIZE_MAX); /* raises */
    if (t->cap - t->len <= len) {
        size_t cap = t->cap ? t->cap * 2 : FIRST_BYTES;
        if (cap < t->len + len + 1)
            cap = t->len + len + 1;
        t->ptr = gotmpl_regrow(t->arena, t->ptr, t->len, cap, 1);
        t->cap = cap;
    }
    return t->ptr + t->len;
}

void gotmpl_put(struct gotmpl_text *t, const char *s, size_t len)
{
    if (len == 0)
        return;
    memcpy(gotmpl_reserve(t, len), s, len);
    t->len += len;
}

void gotmpl_puts(struct gotmpl_text *t, const char *s)
{
    gotmpl_put(t, s, strlen(s));
}

void gotmpl_put_str(struct gotmpl_text *t, coras_str s)
{
    gotmpl_put(t, s.ptr, s.len);
}

void gotmpl_putc(struct gotmpl_text *t, char c)
{
    *gotmpl_reserve(t, 1) = c;
    t->len++;
}

void gotmpl_put_rune(struct gotmpl_text *t, uint32_t cp)
{
    char bytes[4];
    size_t n = 0;

    if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        cp = 0xfffd;
    if (cp < 0x80) {
        bytes[n++] = (char)cp;
    } else if (cp < 0x800) {
        bytes[n++] = (char)(0xc0 | cp >> 6);
        bytes[n++] = (char)(0x80 | (cp & 0x3f));
    } else if (cp < 0x10000) {
        bytes[n++] = (char)(0xe0 | cp >> 12);
        bytes[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
        bytes[n++] = (char)(0x80 | (cp & 0x3f));
    } else {
        bytes[n++] = (char)(0xf0 | cp >> 18);
        bytes[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
        bytes[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
        bytes[n++] = (char)(0x80 | (cp & 0x3f));
    }
    gotmpl_put(t, bytes, n);
}

void gotmpl_printf(struct gotmpl_text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    gotmpl_put_str(t, gotmpl_vformat(t->arena, fmt, ap));
    va_end(ap);
}

void gotmpl_put_scratch(struct gotmpl_text *t)
{
    coras_buf *b = &t->arena->scratch;

    if (b->failed)
        gotmpl_raise(t->arena, b->failed, "out of memory");
    gotmpl_put(t, b->ptr, b->len);
    coras_buf_reset(b);
}

coras_str gotmpl_text_str(struct gotmpl_text *t)
{
    *gotmpl_reserve(t, 1) = '\0';
    return (coras_str){t->ptr, t->len};
}

static void put_quoted_rune(struct gotmpl_text *t, uint32_t cp, char quote, bool ascii_only)
{
    static const char named[] = "abtnvfr"; /* \a is 7, \r is 13 */

    if (cp == (uint32_t)quote || cp == '\\') {
        gotmpl_putc(t, '\\');
        gotmpl_putc(t, (char)cp);
    } else if ((cp < 0x80 || !ascii_only) && coras_unicode_is_print(cp)) {
        gotmpl_put_rune(t, cp);
    } else if (cp >= '\a' && cp <= '\r') {
        gotmpl_putc(t, '\\');
        gotmpl_putc(t, named[cp - '\a']);
    } else if (cp < ' ' || cp == 0x7f) {
        gotmpl_printf(t, "\\x%02x", (unsigned)cp);
    } else {
        gotmpl_printf(t, cp < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)cp);
    }
}

void gotmpl_put_quoted(struct gotmpl_text *t, coras_str s, char quote, bool ascii_only)
{
    gotmpl_putc(t, quote);
    for (size_t i = 0; i < s.len;) {
        uint32_t cp;
        size_t n = coras_utf8_decode(s.ptr + i, s.len - i, &cp);
        if (n == 1 && cp == 0xfffd)
            gotmpl_printf(t, "\\x%02x", (unsigned char)s.ptr[i]);
        else
            put_quoted_rune(t, cp, quote, ascii_only);
        i += n;
    }
    gotmpl_putc(t, quote);
}

bool gotmpl_str_same(coras_str a, coras_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int gotmpl_str_compare(coras_str a, coras_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

size_t gotmpl_find(coras_str s, coras_str needle)
{
    const char *at;

    if (needle.len == 0)
        return 0;
    at = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return at ? (size_t)(at - s.ptr) : GOTMPL_NOT_FOUND;
}

bool gotmpl_has_prefix(coras_str s, const char *prefix)
{
    size_t len = strlen(prefix);

    return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}
