/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 of the standard alphabet, as RFC 4648 has it: padded, without line breaks, and refusing
 * what another writer would have written differently.
 */
#include "codec/base64.h"

#include "base/str.h"

void coras_base64_put(coras_buf *out, const void *data, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = data;

    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16;
        char text[4];
        if (have > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (have > 2)
            bits |= in[i + 2];
        for (int k = 0; k < 4; k++)
            text[k] = (size_t)k <= have ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
        coras_buf_put(out, text, 4);
    }
}

static int value_of(char c)
{
    if (coras_is_upper(c))
        return c - 'A';
    if (coras_is_lower(c))
        return c - 'a' + 26;
    if (coras_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool coras_base64_decode(coras_buf *out, const char *text, size_t len)
{
    if (len % 4)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        size_t padding = 0;
        uint32_t bits = 0;
        if (i + 4 == len && text[i + 3] == '=')
            padding = text[i + 2] == '=' ? 2 : 1;
        for (size_t k = 0; k < 4; k++) {
            int value = k < 4 - padding ? value_of(text[i + k]) : 0;
            if (value < 0)
                return false;
            bits = bits << 6 | (uint32_t)value;
        }
        const char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        coras_buf_put(out, bytes, 3 - padding);
    }
    return true;
}
