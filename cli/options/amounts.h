/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes and spans of time as people write them: "20GB", "512M", "30d", "12h".
 */
#ifndef CORAS_CLI_OPTIONS_AMOUNTS_H
#define CORAS_CLI_OPTIONS_AMOUNTS_H

#include "base/common.h"

/* Bytes; K, M, G and T are powers of 1024, with or without "B" or "iB". */
CORAS_MUST_CHECK int amount_parse_bytes(const char *text, int64_t *ret, coras_error **err);
/* Seconds; s, m, h, d and w, which must be there unless it is 0. */
CORAS_MUST_CHECK int amount_parse_seconds(const char *text, int64_t *ret, coras_error **err);
/* The same as checks of options. */
int amount_check_bytes(const char *text, coras_error **err);
int amount_check_seconds(const char *text, coras_error **err);

#endif
