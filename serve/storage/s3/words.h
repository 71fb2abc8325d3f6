/* SPDX-License-Identifier: Apache-2.0 */
/* What a store says when it refuses, and what an operator can do about it. */
#ifndef SERVE_STORAGE_S3_WORDS_H
#define SERVE_STORAGE_S3_WORDS_H

#include "http/http.h"

/* ": CODE: MESSAGE (ADVICE)", each where there is one, made harmless. New string; NULL without
 * memory. */
char *serve_s3_words(const coras_response *r);
/* Whether what this code of an error tells passes by itself; NULL: it does not. */
bool serve_s3_code_passes(const char *code);

#endif
