/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's literals and strconv: numbers with prefixes and underscores, quoted strings and characters.
 */
#ifndef GOTMPL_LITERAL_H
#define GOTMPL_LITERAL_H

#include "gotemplate/ast.h"

enum gotmpl_parsed { GOTMPL_PARSED, GOTMPL_BAD_SYNTAX, GOTMPL_OUT_OF_RANGE };

/* base 0 takes 0x, 0o, 0b, a leading 0 and underscores. Out of range gives the nearest value. */
enum gotmpl_parsed gotmpl_parse_uint(coras_str s, int base, uint64_t *ret);
enum gotmpl_parsed gotmpl_parse_int(coras_str s, int base, int64_t *ret);
/* Out of range gives an infinity. */
enum gotmpl_parsed gotmpl_parse_float(coras_str s, double *ret);

/* A string or raw string literal with its quotes; false when its syntax is invalid. */
bool gotmpl_unquote(struct gotmpl_arena *a, coras_str s, coras_str *ret);
/* A number or character constant; false with a message. */
bool gotmpl_parse_number(struct gotmpl_arena *a, coras_str s, struct gotmpl_number *ret,
                         coras_str *message);

#endif
