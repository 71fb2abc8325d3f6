/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions: the first line is the expression, the rest a text to search. What Go's
 * syntax allows, PCRE2 compiles or finds too large; a match lies within the text, its groups within
 * it.
 */
#include "fuzz.h"

#include "gotemplate/regex.h"

enum { BYTES = 32 * 1024 * 1024 };

struct input {
    coras_str expr, text;
    bool compiled;
};

static void search(struct gotmpl_arena *a, void *user)
{
    struct input *in = user;
    const char *problem;
    struct gotmpl_regex *re = gotmpl_regex_compile(a, in->expr, &problem);
    size_t groups, *slots;

    in->compiled = re != NULL;
    if (!re) {
        FUZZ_CHECK(strncmp(problem, "error parsing regexp: ", 22) == 0);
        return;
    }
    groups = gotmpl_regex_groups(re)->len;
    slots = gotmpl_alloc_array(a, 2 * groups, sizeof(*slots));
    if (!coras_utf8_valid(in->text.ptr, in->text.len) ||
        !gotmpl_regex_match(a, re, in->text, 0, slots))
        return;
    FUZZ_CHECK(slots[0] <= slots[1] && slots[1] <= in->text.len);
    for (size_t i = 0; i < groups; i++)
        FUZZ_CHECK(slots[2 * i] == GOTMPL_NOT_FOUND ||
                   (slots[2 * i] <= slots[2 * i + 1] && slots[2 * i + 1] <= in->text.len));
}

bool fuzz_one(const char *data, size_t len)
{
    jmp_buf unused;
    struct gotmpl_arena a = GOTMPL_ARENA(BYTES, &unused);
    const char *line = memchr(data, '\n', len);
    size_t end = line ? (size_t)(line - data) : len;
    struct input in = {.expr = {data, end}, .text = {data + end, len - end}};

    FUZZ_CHECK(gotmpl_guard(&a, search, &in) || a.code == CORAS_ERR_TOO_LARGE);
    gotmpl_arena_clear(&a);
    return in.compiled;
}
