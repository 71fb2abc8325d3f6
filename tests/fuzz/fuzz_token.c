/* SPDX-License-Identifier: Apache-2.0 */
/* Token answers: an accepted token can stand in a header line. */
#include "fuzz.h"

#include "auth/token.h"

bool fuzz_one(const char *data, size_t len)
{
    struct coras_token_reply reply = {0};

    if (coras_token_parse((coras_str){data, len}, 1795492800, &reply, NULL) < 0) {
        FUZZ_CHECK(!reply.token);
        return false;
    }
    FUZZ_CHECK(*reply.token && reply.expires_in_s >= 10);
    for (const char *p = reply.token; *p; p++)
        FUZZ_CHECK(*p > ' ' && *p < 0x7f);
    coras_free_secret(reply.token);
    return true;
}
