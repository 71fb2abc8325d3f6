/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: an accepted text is the one way to write its value, and safe in paths and URLs. */
#include "fuzz.h"

#include "base/str.h"
#include "oci/digest.h"

bool fuzz_one(const char *data, size_t len)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_digest d;

    if (!fuzz_is_text(data, len) || coras_digest_parse(data, &d, NULL) < 0)
        return false;
    FUZZ_CHECK(strcmp(coras_digest_format(&d, text), data) == 0);
    for (const char *c = data; *c; c++)
        FUZZ_CHECK(coras_is_lower(*c) || coras_is_digit(*c) || *c == ':');
    coras_digest_referrers_tag(&d, text);
    FUZZ_CHECK(strlen(text) <= 128);
    return true;
}
