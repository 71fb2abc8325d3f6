/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions with Go's (RE2) syntax, by PCRE2. The syntax is read here (regex_syntax.c),
 * which refuses in Go's words what RE2 has not (look-around, back references, control verbs), and
 * written for PCRE2 in a form that means the same there. PCRE2 tries alternatives one after the
 * other, so a search ends at a limit where RE2 would go on.
 */
#ifndef GOTMPL_REGEX_H
#define GOTMPL_REGEX_H

#include "gotemplate/arena.h"

struct gotmpl_regex; /* compiled; lives in the arena */

/* Groups of an expression: the whole match, then what parentheses capture. */
struct gotmpl_regex_groups {
    coras_str *items; /* names; empty for a group without */
    size_t len, cap;
};

/* NULL with the reason in Go's words. The same text is compiled once for each arena. */
struct gotmpl_regex *gotmpl_regex_compile(struct gotmpl_arena *a, coras_str expr,
                                          const char **ret_problem);
const struct gotmpl_regex_groups *gotmpl_regex_groups(const struct gotmpl_regex *re);
/* The first match at or after `from` in valid UTF-8; slots gets two offsets for each group,
 * GOTMPL_NOT_FOUND where a group took no part. Raises when the search takes too long. */
bool gotmpl_regex_match(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str text,
                        size_t from, size_t *slots);

/* regex_syntax.c: the expression for PCRE2. Raises in Go's words. `knows` tells whether there is a
 * Unicode class of that name. */
coras_str gotmpl_regex_translate(struct gotmpl_arena *a, coras_str expr,
                                 bool (*knows)(struct gotmpl_arena *a, coras_str name),
                                 struct gotmpl_regex_groups *ret_groups);

#endif
