/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which end of a copy upstream names, from whom was asked and what went wrong.
 */
#include "cli/compat/copy_side.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

/* Whether the request that failed was to this side's repository. */
static bool was_asked(const coras_error *error, const struct target_options *side)
{
    const char *asked = coras_error_url(error);
    if (!side->registry || !asked)
        return false;
    coras_auto_free char *url = coras_asprintf("://%s/v2/%s/", side->registry, side->repository);
    const char *scheme_end = strchr(asked, ':');
    return url && scheme_end && coras_str_starts(scheme_end, url);
}

/* What only a source is told: that it has not what was asked for, or is not what it should be. */
static bool blames_source(const coras_error *error)
{
    return coras_error_code(error) == CORAS_ERR_NOT_FOUND ||
           coras_error_code(error) == CORAS_ERR_UNSUPPORTED ||
           coras_error_code(error) == CORAS_ERR_UNSUPPORTED_DIGEST;
}

const struct target_options *copy_failed_side(const struct target_options *from_end,
                                              const struct target_options *to_end, bool resolved,
                                              const coras_error *error)
{
    const char *host = coras_error_http_host(error);
    bool from_host = host && from_end->registry && coras_streq(host, from_end->registry);
    bool to_host = host && to_end->registry && coras_streq(host, to_end->registry);
    bool from = from_host || was_asked(error, from_end);
    bool to = to_host || was_asked(error, to_end);
    if (from_host && to_host) /* one registry on both sides: the repository tells */
        return was_asked(error, to_end) && !was_asked(error, from_end) ? to_end : from_end;
    if (to && !from)
        return to_end;
    if (!from && coras_error_code(error) == CORAS_ERR_NO_CREDENTIAL)
        return resolved && to_end->registry ? to_end : from_end;
    return from || blames_source(error) ? from_end : NULL;
}
