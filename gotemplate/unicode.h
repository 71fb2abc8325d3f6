/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicode classes and case mapping for templates, from the C library's UTF-8 locale; ASCII when
 * there is none. The program's own locale stays "C".
 */
#ifndef GOTMPL_UNICODE_H
#define GOTMPL_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

bool gotmpl_is_letter(uint32_t c);
bool gotmpl_is_digit(uint32_t c);
bool gotmpl_is_upper(uint32_t c);
bool gotmpl_is_lower(uint32_t c);
bool gotmpl_is_space(uint32_t c); /* unicode.IsSpace */
bool gotmpl_is_punct(uint32_t c); /* unicode.IsPunct: no symbols such as $ + < = > ^ ` | ~ */
uint32_t gotmpl_to_upper(uint32_t c);
uint32_t gotmpl_to_lower(uint32_t c);

#endif
