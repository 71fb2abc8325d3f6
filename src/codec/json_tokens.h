/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that is larger than the memory for it: the text arrives in pieces, and each bracket, name
 * and value is told as soon as it is whole. As strict as coras_json_parse() about UTF-8 and
 * surrogates; that names repeat is the listener's to see. Memory: one text of at most `max_text`
 * bytes, whatever the document is.
 */
#ifndef CORAS_CODEC_JSON_TOKENS_H
#define CORAS_CODEC_JSON_TOKENS_H

#include "base/str.h"

enum coras_json_token_kind {
    CORAS_JSON_TOKEN_OPEN_OBJECT,
    CORAS_JSON_TOKEN_OPEN_ARRAY,
    CORAS_JSON_TOKEN_CLOSE, /* of either */
    CORAS_JSON_TOKEN_KEY,
    CORAS_JSON_TOKEN_STRING,
    CORAS_JSON_TOKEN_NUMBER, /* as it is written */
    CORAS_JSON_TOKEN_WORD,   /* true, false, null */
};

struct coras_json_token {
    enum coras_json_token_kind kind;
    coras_str text; /* decoded; borrowed until the listener returns */
    bool cut;       /* the text is longer, and what is beyond max_text was dropped */
    unsigned depth; /* objects and arrays around it; a bracket counts for itself */
};

struct coras_json_tokens_options {
    unsigned max_depth;
    size_t max_text;
    int64_t offset; /* of the first byte in its file, for messages */
    int code;       /* of errors about the text */
    int (*token)(void *user, const struct coras_json_token *token, coras_error **err);
    void *user;
};

typedef struct coras_json_tokens coras_json_tokens;
CORAS_MUST_CHECK int coras_json_tokens_new(const struct coras_json_tokens_options *options,
                                           coras_json_tokens **ret, coras_error **err);
/* Errors are those of the text ("byte 12: ..."), NO_MEMORY and the listener's. */
CORAS_MUST_CHECK int coras_json_tokens_feed(coras_json_tokens *t, const char *text, size_t len,
                                            coras_error **err);
/* The text is at its end. */
CORAS_MUST_CHECK int coras_json_tokens_finish(coras_json_tokens *t, coras_error **err);
/* Where the next byte will lie in its file. */
int64_t coras_json_tokens_offset(const coras_json_tokens *t);
void coras_json_tokens_free(coras_json_tokens *t);
CORAS_DEFINE_AUTO(coras_json_tokens, coras_json_tokens_free)

#endif
