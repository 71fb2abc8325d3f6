/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and failure of one parse or one run. Everything a template makes lives in an arena with a
 * ceiling and is released at once. A failure leaves by longjmp to the function that made the arena,
 * as Go's engine leaves by panic: nothing else owns memory, so nothing leaks, and the evaluator
 * reads without a check after every step.
 */
#ifndef GOTMPL_ARENA_H
#define GOTMPL_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include "base/str.h"
#include "gotemplate/bounds.h"

struct gotmpl_block;
struct gotmpl_regex;

struct gotmpl_arena {
    struct gotmpl_block *blocks;
    size_t used, limit; /* bytes */
    jmp_buf *failure;   /* where a failure goes; set before the first allocation */
    int code;           /* of the failure */
    const char *message;
    uint64_t steps_left;
    struct gotmpl_regex *regexes; /* compiled so far */
    coras_buf scratch;            /* for functions that write to a buffer; emptied by each user */
};
#define GOTMPL_ARENA(max_bytes, where)                                                             \
    {                                                                                              \
        .limit = (max_bytes), .failure = (where), .steps_left = GOTMPL_LIMIT_STEPS,                \
        .scratch = CORAS_BUF_UNLIMITED                                                             \
    }

void gotmpl_arena_clear(struct gotmpl_arena *a);
/* Count work; raises when the run has done too much of it. */
void gotmpl_step(struct gotmpl_arena *a, uint64_t steps);
/* Zeroed; never NULL. */
void *gotmpl_alloc(struct gotmpl_arena *a, size_t size);
void *gotmpl_alloc_array(struct gotmpl_arena *a, size_t count, size_t size);
/* Copy of `old` (len items) with room for `cap`. */
void *gotmpl_regrow(struct gotmpl_arena *a, const void *old, size_t len, size_t cap, size_t size);
/* Room for one more in a vector { items, len, cap } that the arena holds. */
#define gotmpl_grow(arena, vec)                                                                    \
    do {                                                                                           \
        if ((vec)->len == (vec)->cap) {                                                            \
            (vec)->cap = (vec)->cap ? (vec)->cap * 2 : 8;                                          \
            (vec)->items =                                                                         \
                gotmpl_regrow(arena, (vec)->items, (vec)->len, (vec)->cap, sizeof(*(vec)->items)); \
        }                                                                                          \
    } while (0)
coras_str gotmpl_dup(struct gotmpl_arena *a, const char *s, size_t len); /* NUL-terminated */
coras_str gotmpl_vformat(struct gotmpl_arena *a, const char *fmt, va_list ap) CORAS_PRINTF(2, 0);
coras_str gotmpl_format(struct gotmpl_arena *a, const char *fmt, ...) CORAS_PRINTF(2, 3);

/* Run `work` and return; false when it failed. For callers that own other memory, who then
 * release it and go on with gotmpl_raise_again(). */
bool gotmpl_guard(struct gotmpl_arena *a, void (*work)(struct gotmpl_arena *a, void *user),
                  void *user);
_Noreturn void gotmpl_raise_again(struct gotmpl_arena *a);
_Noreturn void gotmpl_raise(struct gotmpl_arena *a, int code, const char *message);
/* Fail with a message of the template's author's making or Go's. */
_Noreturn void gotmpl_fail(struct gotmpl_arena *a, const char *fmt, ...) CORAS_PRINTF(2, 3);

/* Text under construction. */
struct gotmpl_text {
    struct gotmpl_arena *arena;
    char *ptr;
    size_t len, cap;
};
#define GOTMPL_TEXT(a)                                                                             \
    {                                                                                              \
        .arena = (a)                                                                               \
    }
char *gotmpl_reserve(struct gotmpl_text *t, size_t len); /* room for len more at the result */
void gotmpl_put(struct gotmpl_text *t, const char *s, size_t len);
void gotmpl_puts(struct gotmpl_text *t, const char *s);
void gotmpl_put_str(struct gotmpl_text *t, coras_str s);
void gotmpl_putc(struct gotmpl_text *t, char c);
void gotmpl_put_rune(struct gotmpl_text *t, uint32_t cp);
void gotmpl_printf(struct gotmpl_text *t, const char *fmt, ...) CORAS_PRINTF(2, 3);
/* What a function of base wrote to the scratch buffer, which is empty afterwards. */
void gotmpl_put_scratch(struct gotmpl_text *t);
coras_str gotmpl_text_str(struct gotmpl_text *t); /* NUL-terminated; the text may still grow */
/* strconv.Quote; with `backquote` as %#q prints it. */
void gotmpl_put_quoted(struct gotmpl_text *t, coras_str s, char quote, bool ascii_only);

bool gotmpl_str_same(coras_str a, coras_str b);
int gotmpl_str_compare(coras_str a, coras_str b); /* byte order */
static inline coras_str gotmpl_sub(coras_str s, size_t from, size_t to)
{
    return (coras_str){s.ptr + from, to - from};
}
#define GOTMPL_NOT_FOUND SIZE_MAX
size_t gotmpl_find(coras_str s, coras_str needle); /* GOTMPL_NOT_FOUND; 0 for an empty needle */
bool gotmpl_has_prefix(coras_str s, const char *prefix);

#endif
