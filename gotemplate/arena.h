/*
 * Memory and failure of one parse or one run. Everything a template makes lives in an arena with a
 * ceiling and is released at once. A failure leaves by longjmp to the function that made the arena,
 * as Go's engine leaves by panic: nothing else owns memory, so nothing leaks, and the evaluator
 * reads without a check after every step.
 */
#ifndef CORAS_GOTEMPLATE_ARENA_H
#define CORAS_GOTEMPLATE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include "base/str.h"

struct tpl_block;

struct tpl_arena {
    struct tpl_block *blocks;
    size_t used, limit; /* bytes */
    jmp_buf *failure;   /* where a failure goes; set before the first allocation */
    int code;           /* of the failure */
    const char *message;
    coras_buf scratch; /* for functions that write to a buffer; emptied by each user */
};
#define TPL_ARENA(max_bytes, where)                                                                \
    {                                                                                              \
        .limit = (max_bytes), .failure = (where), .scratch = CORAS_BUF_UNLIMITED                   \
    }

void tpl_arena_clear(struct tpl_arena *a);
/* Forget what was allocated after the mark. */
struct tpl_mark {
    struct tpl_block *block;
    size_t used;
};
struct tpl_mark tpl_arena_mark(const struct tpl_arena *a);
void tpl_arena_release(struct tpl_arena *a, struct tpl_mark mark);
/* Zeroed; never NULL. */
void *tpl_alloc(struct tpl_arena *a, size_t size);
void *tpl_alloc_array(struct tpl_arena *a, size_t count, size_t size);
/* Copy of `old` (len items) with room for `cap`. */
void *tpl_regrow(struct tpl_arena *a, const void *old, size_t len, size_t cap, size_t size);
coras_str tpl_dup(struct tpl_arena *a, const char *s, size_t len); /* NUL-terminated */
coras_str tpl_format(struct tpl_arena *a, const char *fmt, ...) CORAS_PRINTF(2, 3);

/* Run `work` and return; false when it failed. For callers that own other memory, who then
 * release it and go on with tpl_raise_again(). */
bool tpl_guard(struct tpl_arena *a, void (*work)(struct tpl_arena *a, void *user), void *user);
_Noreturn void tpl_raise_again(struct tpl_arena *a);
_Noreturn void tpl_raise(struct tpl_arena *a, int code, const char *message);
/* Fail with a message of the template's author's making or Go's. */
_Noreturn void tpl_fail(struct tpl_arena *a, const char *fmt, ...) CORAS_PRINTF(2, 3);

/* Text under construction. */
struct tpl_text {
    struct tpl_arena *arena;
    char *ptr;
    size_t len, cap;
};
#define TPL_TEXT(a)                                                                                \
    {                                                                                              \
        .arena = (a)                                                                               \
    }
char *tpl_reserve(struct tpl_text *t, size_t len); /* room for len more at the result */
void tpl_put(struct tpl_text *t, const char *s, size_t len);
void tpl_puts(struct tpl_text *t, const char *s);
void tpl_put_str(struct tpl_text *t, coras_str s);
void tpl_putc(struct tpl_text *t, char c);
void tpl_put_rune(struct tpl_text *t, uint32_t cp);
void tpl_printf(struct tpl_text *t, const char *fmt, ...) CORAS_PRINTF(2, 3);
coras_str tpl_text_str(struct tpl_text *t); /* NUL-terminated; the text may still grow */
/* strconv.Quote; with `backquote` as %#q prints it. */
void tpl_put_quoted(struct tpl_text *t, coras_str s, char quote, bool ascii_only);

bool tpl_str_same(coras_str a, coras_str b);
int tpl_str_compare(coras_str a, coras_str b); /* byte order */
static inline coras_str tpl_sub(coras_str s, size_t from, size_t to)
{
    return (coras_str){s.ptr + from, to - from};
}
#define TPL_NOT_FOUND SIZE_MAX
size_t tpl_find(coras_str s, coras_str needle); /* TPL_NOT_FOUND; 0 for an empty needle */
bool tpl_has_prefix(coras_str s, const char *prefix);

#endif
