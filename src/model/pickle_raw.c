/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching other data for imports, backwards from the byte that completes one.
 */
#include "model/pickle_raw.h"

#include <string.h>

#include "base/str.h"
#include "model/pickle_imports.h"

enum {
    MAX_TRIES = 10000,
    STACK_GLOBAL = 0x93,
    SHORT_BINUNICODE = 0x8c,
    MEMOIZE = 0x94,
    MAX_NAME = 200,
};

static bool is_name_byte(unsigned char c)
{
    return coras_is_alnum((char)c) || c == '_' || c == '.';
}

/* The byte `back` bytes before the last one; 0 when there were not so many. */
static unsigned char byte_back(const coras_pickle_raw *r, size_t back)
{
    if (back >= r->at || back >= CORAS_PICKLE_RAW_WINDOW)
        return 0;
    return r->window[(r->at - 1 - back) % CORAS_PICKLE_RAW_WINDOW];
}

static void copy_back(const coras_pickle_raw *r, size_t back, size_t len, char *ret)
{
    for (size_t i = 0; i < len; i++)
        ret[i] = (char)byte_back(r, back + len - 1 - i);
    ret[len] = '\0';
}

static size_t name_length(const coras_pickle_raw *r, size_t back)
{
    size_t len = 0;
    while (len < MAX_NAME && is_name_byte(byte_back(r, back + len)))
        len++;
    return len;
}

static bool is_dangerous_import(coras_pickle_raw *r, const struct coras_pickle_raw_found *found)
{
    r->tries++;
    return coras_pickle_judge(found->module, found->name) == CORAS_SEVERITY_HIGH;
}

/* The last byte is a line feed: "c", a module, a line feed, a name? */
static bool ends_global(coras_pickle_raw *r, struct coras_pickle_raw_found *ret)
{
    size_t name = name_length(r, 1), module_at = name + 2;

    if (name == 0 || byte_back(r, name + 1) != '\n')
        return false;
    copy_back(r, 1, name, ret->name);
    size_t line = name_length(r, module_at);
    for (size_t len = 1; len < line && r->tries < MAX_TRIES; len++) {
        unsigned char opcode = byte_back(r, module_at + len);
        if (opcode != 'c' && opcode != 'i')
            continue;
        copy_back(r, module_at, len, ret->module);
        if (is_dangerous_import(r, ret))
            return true;
    }
    return false;
}

/* A counted text that ends `back` bytes before the last one; how far back it begins, or 0. */
static size_t counted_text(const coras_pickle_raw *r, size_t back, char *ret)
{
    if (byte_back(r, back) == MEMOIZE)
        back++;
    for (size_t len = 1; len <= MAX_NAME && is_name_byte(byte_back(r, back + len - 1)); len++)
        if (byte_back(r, back + len) == len && byte_back(r, back + len + 1) == SHORT_BINUNICODE) {
            copy_back(r, back, len, ret);
            return back + len + 2;
        }
    return 0;
}

static bool ends_stack_global(coras_pickle_raw *r, struct coras_pickle_raw_found *ret)
{
    size_t back = counted_text(r, 1, ret->name);
    return back > 0 && counted_text(r, back, ret->module) > 0 && is_dangerous_import(r, ret);
}

bool coras_pickle_raw_find(coras_pickle_raw *r, const unsigned char *data, size_t len, size_t *used,
                           struct coras_pickle_raw_found *ret)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = data[i];
        r->window[r->at++ % CORAS_PICKLE_RAW_WINDOW] = c;
        if ((c != '\n' && c != STACK_GLOBAL) || r->tries >= MAX_TRIES)
            continue;
        if (c == '\n' ? ends_global(r, ret) : ends_stack_global(r, ret)) {
            *used = i + 1;
            return true;
        }
    }
    *used = len;
    return false;
}
