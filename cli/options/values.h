/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of option values to values, accepted and refused in the way and the words of Go's strconv
 * and encoding/csv.
 */
#ifndef CORAS_CLI_OPTIONS_VALUES_H
#define CORAS_CLI_OPTIONS_VALUES_H

#include "base/common.h"

/* 1 t T true TRUE True 0 f F false FALSE False. */
CORAS_MUST_CHECK int value_parse_bool(const char *text, bool *ret, coras_error **err);
/* ParseInt with base 0: sign, 0x, 0o, 0b, leading 0 for octal, underscores between digits. */
int value_parse_int(const char *text, int64_t *ret, coras_error **err);
/* The first CSV record of a text, field by field. Empty text: no field. */
CORAS_MUST_CHECK int value_split_csv(const char *text,
                                     int (*field)(void *user, const char *text, size_t len,
                                                  coras_error **err),
                                     void *user, coras_error **err);

#endif
