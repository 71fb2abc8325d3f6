/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in quotes, as Go writes it in messages.
 */
#ifndef CORAS_GOSPELL_QUOTE_H
#define CORAS_GOSPELL_QUOTE_H

#include "base/buf.h"

/* Append the text as Go's %q prints it (strconv.Quote). */
void coras_go_quote(coras_buf *b, const char *s);
char *coras_go_quote_dup(const char *s);

#endif
