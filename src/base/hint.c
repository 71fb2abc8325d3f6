/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and plain sentences of the kinds of hints, and how a sentence is filled with arguments.
 */
#include "base/hint.h"

#include <string.h>

const char *coras_hint_name(enum coras_hint_kind kind)
{
    switch (kind) {
    case CORAS_HINT_NONE:
        return "NONE";
#define CORAS_HINT_NAME(id, value, name, text)                                                     \
    case id:                                                                                       \
        return name;
        CORAS_HINT_LIST(CORAS_HINT_NAME)
#undef CORAS_HINT_NAME
    default:
        return "UNKNOWN";
    }
}

const char *coras_hint_pattern(enum coras_hint_kind kind)
{
    switch (kind) {
#define CORAS_HINT_PATTERN(id, value, name, text)                                                  \
    case id:                                                                                       \
        return text;
        CORAS_HINT_LIST(CORAS_HINT_PATTERN)
#undef CORAS_HINT_PATTERN
    case CORAS_HINT_NONE:
    default:
        return NULL;
    }
}

/* The argument that `%N` at `at` names, or NULL. */
static const char *argument(const char *at, const char *const args[CORAS_HINT_ARGS])
{
    int place = at[1] - '1';

    return place >= 0 && place < CORAS_HINT_ARGS ? args[place] : NULL;
}

/* Words without braces, up to `end`. */
static void put_words(coras_buf *b, const char *at, const char *end,
                      const char *const args[CORAS_HINT_ARGS])
{
    while (at < end) {
        const char *value = *at == '%' ? argument(at, args) : NULL;
        if (value)
            coras_buf_puts(b, value);
        else if (*at != '%')
            coras_buf_putc(b, *at);
        at += *at == '%' && at + 1 < end ? 2 : 1;
    }
}

static bool has_all(const char *at, const char *end, const char *const args[CORAS_HINT_ARGS])
{
    for (; at < end; at++)
        if (*at == '%' && !argument(at, args))
            return false;
    return true;
}

void coras_hint_put(coras_buf *b, const char *pattern, const char *const args[CORAS_HINT_ARGS])
{
    while (*pattern) {
        const char *open = pattern + strcspn(pattern, "{");
        put_words(b, pattern, open, args);
        if (!*open)
            return;
        const char *close = open + strcspn(open, "}");
        const char *bar = open + strcspn(open, "|}");
        if (has_all(open, bar, args))
            put_words(b, open + 1, bar, args);
        else if (bar < close)
            put_words(b, bar + 1, close, args);
        pattern = *close ? close + 1 : close;
    }
}
