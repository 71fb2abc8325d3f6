/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to codec: the one grammar of JSON, byte by byte. A state machine without recursion, with
 * the words of Go's encoding/json for what is wrong. It accepts what Go accepts; that strings are
 * UTF-8 and keys do not repeat is the business of those who look at them (json_parse.c).
 */
#ifndef CORAS_CODEC_JSON_SCAN_H
#define CORAS_CODEC_JSON_SCAN_H

#include "base/common.h"
#include "base/limits.h"

enum coras_json_event {
    CORAS_JSON_EV_BYTE,  /* inside a token, or its first byte */
    CORAS_JSON_EV_START, /* first byte of a string, number or literal */
    CORAS_JSON_EV_OPEN,  /* { or [ */
    CORAS_JSON_EV_CLOSE, /* } or ] */
    CORAS_JSON_EV_COLON,
    CORAS_JSON_EV_COMMA,
    CORAS_JSON_EV_SPACE,     /* white space between tokens */
    CORAS_JSON_EV_END_SPACE, /* white space after the document */
    CORAS_JSON_EV_ERROR,
};

struct coras_json_scanner {
    int state;           /* enum state of json_scan.c */
    const char *literal; /* what is left of true, false or null */
    const char *word;    /* the whole of it */
    int hex_left;
    unsigned depth;                               /* open objects and arrays */
    unsigned char within[CORAS_LIMIT_JSON_DEPTH]; /* enum within of each of them */
    coras_error **err;
};

/* `err` receives the error that a step or the end finds; may be NULL. */
void coras_json_scan_init(struct coras_json_scanner *s, coras_error **err);
/* Look at one byte. After CORAS_JSON_EV_ERROR the scanner must not be used any more. */
enum coras_json_event coras_json_scan_step(struct coras_json_scanner *s, char c);
/* The code to return after CORAS_JSON_EV_ERROR. */
int coras_json_scan_failed(const struct coras_json_scanner *s);
/* After CORAS_JSON_EV_START or _BYTE: whether the token is the name of a member. */
bool coras_json_scan_in_key(const struct coras_json_scanner *s);
/* Whether a whole document was seen; a number is whole with the blank behind it. */
bool coras_json_scan_is_complete(const struct coras_json_scanner *s);
/* The input is at its end: 0 when the document is complete. */
CORAS_MUST_CHECK int coras_json_scan_finish(struct coras_json_scanner *s);
/* All of the above over a text. */
CORAS_MUST_CHECK int coras_json_scan_check(const char *text, size_t len, coras_error **err);

#endif
