/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's quoting, and which code points it prints as they are.
 */
#include "gospell/quote.h"

#include <string.h>

#include "base/str.h"
#include "gospell/unicode_print.h"

#define REPLACEMENT 0xfffd /* what decoding gives for bytes that are no UTF-8 */

static void quote_code_point(coras_buf *b, uint32_t cp)
{
    static const char named[] = "abtnvfr"; /* \a is 7, \r is 13 */

    if (cp == '"' || cp == '\\')
        coras_buf_printf(b, "\\%c", (char)cp);
    else if (coras_unicode_is_print(cp))
        coras_utf8_put(b, cp);
    else if (cp >= '\a' && cp <= '\r')
        coras_buf_printf(b, "\\%c", named[cp - '\a']);
    else if (cp < ' ' || cp == 0x7f)
        coras_buf_printf(b, "\\x%02x", (unsigned)cp);
    else if (cp < 0x10000)
        coras_buf_printf(b, "\\u%04x", (unsigned)cp);
    else
        coras_buf_printf(b, "\\U%08x", (unsigned)cp);
}

void coras_go_quote(coras_buf *b, const char *s)
{
    size_t len = strlen(s);

    coras_buf_putc(b, '"');
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        size_t n = coras_utf8_decode(s + i, len - i, &cp);

        if (cp == REPLACEMENT && n == 1) /* a byte that begins nothing valid */
            coras_buf_printf(b, "\\x%02x", (unsigned char)s[i]);
        else
            quote_code_point(b, cp);
        i += n;
    }
    coras_buf_putc(b, '"');
}

char *coras_go_quote_dup(const char *s)
{
    coras_buf b = CORAS_BUF_UNLIMITED;
    char *text = NULL;

    coras_go_quote(&b, s);
    if (coras_buf_take(&b, &text, NULL) < 0)
        coras_buf_clear(&b);
    return text;
}
