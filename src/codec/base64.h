/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard base64 with padding (RFC 4648, 4), for embedded content.
 */
#ifndef CORAS_CODEC_BASE64_H
#define CORAS_CODEC_BASE64_H

#include "base/buf.h"

void coras_base64_put(coras_buf *out, const void *data, size_t len);
/* Append the decoded bytes; false when the text is no base64 (also for missing padding). */
bool coras_base64_decode(coras_buf *out, const char *text, size_t len);

#endif
