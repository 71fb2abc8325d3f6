/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hints in the program's own words. The library tells a hint's kind and arguments
 * (coras/hint.h); here its sentences learn of flags, commands and environment variables.
 */
#ifndef CORAS_CLI_APP_HINTS_H
#define CORAS_CLI_APP_HINTS_H

#include "base/buf.h"

/* Append the hint of the error, with its "Hint: " where it has one; nothing without a hint. */
void put_hint(coras_buf *b, const coras_error *error);

#endif
