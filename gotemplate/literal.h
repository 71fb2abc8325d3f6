/*
 * Go's literals and strconv: numbers with prefixes and underscores, quoted strings and characters.
 */
#ifndef CORAS_GOTEMPLATE_LITERAL_H
#define CORAS_GOTEMPLATE_LITERAL_H

#include "gotemplate/ast.h"

enum tpl_parsed { TPL_PARSED, TPL_BAD_SYNTAX, TPL_OUT_OF_RANGE };

/* base 0 takes 0x, 0o, 0b, a leading 0 and underscores. Out of range gives the nearest value. */
enum tpl_parsed tpl_parse_uint(coras_str s, int base, uint64_t *ret);
enum tpl_parsed tpl_parse_int(coras_str s, int base, int64_t *ret);
/* Out of range gives an infinity. */
enum tpl_parsed tpl_parse_float(coras_str s, double *ret);

/* A string or raw string literal with its quotes; false when its syntax is invalid. */
bool tpl_unquote(struct tpl_arena *a, coras_str s, coras_str *ret);
/* A number or character constant; false with a message. */
bool tpl_parse_number(struct tpl_arena *a, coras_str s, struct tpl_number *ret, coras_str *message);

#endif
