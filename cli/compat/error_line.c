/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The prefix of the error line, and how much of the chain of messages follows it.
 */
#include "cli/compat/error_line.h"

#include "base/str.h"

#define RESPONSE "Error response from registry:"

/* docker.io is asked under another name; a token service speaks for its registry. */
static bool is_own_response(const char *registry, const coras_error *error)
{
    const char *host = coras_error_http_host(error);
    if (!registry || !host)
        return false;
    if (coras_error_code(error) == CORAS_ERR_UNAUTHORIZED)
        return true;
    if (coras_streq(registry, host))
        return true;
    return coras_streq(registry, "docker.io") && coras_streq(host, "registry-1.docker.io");
}

/* "not found" of a registry or layout, not a missing file of this machine. */
static bool is_not_found(const coras_error *error)
{
    return coras_error_code(error) == CORAS_ERR_NOT_FOUND &&
           coras_error_party(error) != CORAS_PARTY_LOCAL;
}

struct error_line error_line_of(const struct call *call, const coras_error *error)
{
    struct error_line line = {call->error_prefix ? call->error_prefix : ERROR_PREFIX,
                              coras_error_message(error)};
    const char *response = coras_error_response(error);
    bool own_words =
        call->scope != SCOPE_LOCAL && response && is_own_response(call->registry, error);
    bool found_nothing = call->scope == SCOPE_TARGET && !response && is_not_found(error);

    if (own_words)
        line.message = response;
    if ((own_words || found_nothing) && !call->error_prefix)
        line.prefix = RESPONSE;
    return line;
}
