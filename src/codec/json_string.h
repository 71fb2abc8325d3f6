/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to codec: string literals of JSON that the scanner has accepted.
 */
#ifndef CORAS_CODEC_JSON_STRING_H
#define CORAS_CODEC_JSON_STRING_H

#include "base/str.h"

/* Bytes that one byte of a literal may become: U+FFFD for one that is no UTF-8. */
#define CORAS_JSON_BYTE_GROWTH 3

enum coras_json_flaw {
    CORAS_JSON_HAS_NUL = 1, /* what follows it is lost to whoever takes the text for a C string */
    CORAS_JSON_HAS_NO_UTF8 = 2, /* or half of a surrogate pair; U+FFFD stands for it */
};

/*
 * Decode a literal, given with its quotes, into `out`, which has room for CORAS_JSON_BYTE_GROWTH
 * bytes for each of the literal's; NUL-terminated. Returns the length and adds what was found to
 * *flaws.
 */
size_t coras_json_decode(coras_str literal, char *out, unsigned *flaws);

#endif
