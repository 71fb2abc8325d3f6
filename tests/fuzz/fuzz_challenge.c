/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate: the bounds hold, and what is accepted has a scheme and named parameters. */
#include "fuzz.h"

#include "base/limits.h"
#include "auth/challenge.h"
#include "auth/scope.h"

static void check(const coras_challenge *c)
{
    FUZZ_CHECK(*c->scheme && c->len <= CORAS_LIMIT_CHALLENGE_PARAMS);
    for (size_t i = 0; i < c->len; i++) {
        FUZZ_CHECK(*c->items[i].name);
        for (const char *p = c->items[i].name; *p; p++)
            FUZZ_CHECK(!coras_is_upper(*p));
        FUZZ_CHECK(coras_challenge_get(c, c->items[i].name) != NULL);
    }
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_challenges) l = {0};
    coras_auto_value(coras_strlist) scopes = {0};
    coras_auto_value(coras_strlist) clean = {0};

    if (!fuzz_is_text(data, len))
        return false;
    FUZZ_CHECK(coras_challenges_parse(data, &l, NULL) == 0);
    FUZZ_CHECK(l.len <= CORAS_LIMIT_CHALLENGES);
    for (size_t i = 0; i < l.len; i++) {
        const char *scope = coras_challenge_get(&l.items[i], "scope");
        check(&l.items[i]);
        if (scope)
            FUZZ_CHECK(coras_scopes_add_challenge(&scopes, scope, NULL) == 0);
    }
    FUZZ_CHECK(coras_scopes_clean(&scopes, &clean, NULL) == 0);
    return l.len > 0;
}
