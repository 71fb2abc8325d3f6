/* SPDX-License-Identifier: Apache-2.0 */
/* Classes and case of characters, by the C library; see unicode.h for whose locale. */
#include "gotemplate/unicode.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wctype.h>

static locale_t utf8;

static void load_locale(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* 0 when the system has none. Loaded at the first non-ASCII character, kept for the process. */
static locale_t utf8_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load_locale);
    return utf8;
}

static bool in_class(uint32_t c, int (*is)(wint_t, locale_t))
{
    locale_t l = utf8_locale();

    return l && is((wint_t)c, l) != 0;
}

bool gotmpl_is_lower(uint32_t c)
{
    return c < 0x80 ? c >= 'a' && c <= 'z' : in_class(c, iswlower_l);
}

bool gotmpl_is_upper(uint32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : in_class(c, iswupper_l);
}

bool gotmpl_is_digit(uint32_t c)
{
    static const uint16_t zeros[] = {0x660, 0x6f0,  0x7c0,  0x966,  0x9e6, 0xa66, 0xae6,
                                     0xb66, 0xbe6,  0xc66,  0xce6,  0xd66, 0xe50, 0xed0,
                                     0xf20, 0x1040, 0x17e0, 0x1810, 0xff10};

    if (c < 0x80)
        return c >= '0' && c <= '9';
    for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
        if (c >= zeros[i] && c < zeros[i] + 10u)
            return true;
    return false;
}

bool gotmpl_is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    return in_class(c, iswalpha_l) && !gotmpl_is_digit(c);
}

bool gotmpl_is_space(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool gotmpl_is_punct(uint32_t c)
{
    if (c < 0x80)
        return c && strchr("!\"#%&'()*,-./:;?@[\\]_{}", (int)c) != NULL;
    return c == 0xa1 || c == 0xa7 || c == 0xab || c == 0xb6 || c == 0xb7 || c == 0xbb ||
           c == 0xbf || (c >= 0x2010 && c <= 0x2027) ||
           (c >= 0x2030 && c <= 0x205e && c != 0x2044 && c != 0x2052) ||
           (c >= 0x3001 && c <= 0x3003) || (c >= 0x3008 && c <= 0x3011);
}

uint32_t gotmpl_to_upper(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 0x20 : c;
    return utf8_locale() ? (uint32_t)towupper_l((wint_t)c, utf8) : c;
}

uint32_t gotmpl_to_lower(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
    return utf8_locale() ? (uint32_t)towlower_l((wint_t)c, utf8) : c;
}
