/* SPDX-License-Identifier: Apache-2.0 */
/* From failures to kinds, and from kinds to answers. */
#include "serve/proxy/said.h"

#include <inttypes.h>
#include "serve/api/errors.h"
#include "serve/proxy/failure.h"

static enum serve_said_kind kind_of_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return SERVE_SAID_DENIED;
    case 404:
    case 410:
        return SERVE_SAID_ABSENT;
    case 429:
        return SERVE_SAID_BUSY;
    case 408:
    case 504:
        return SERVE_SAID_LATE;
    default:
        return status >= 500 ? SERVE_SAID_NOTHING : SERVE_SAID_NONSENSE;
    }
}

static enum serve_said_kind kind_of_code(int rc)
{
    switch (rc) {
    case 0:
        return SERVE_SAID_YES;
    case CORAS_ERR_NOT_FOUND:
        return SERVE_SAID_ABSENT;
    case CORAS_ERR_UNAUTHORIZED:
    case CORAS_ERR_DENIED:
    case CORAS_ERR_NO_CREDENTIAL:
        return SERVE_SAID_DENIED;
    case CORAS_ERR_CONNECT:
    case CORAS_ERR_TLS:
        return SERVE_SAID_NOTHING;
    case CORAS_ERR_RATE_LIMITED:
        return SERVE_SAID_BUSY;
    case CORAS_ERR_TIMEOUT:
        return SERVE_SAID_LATE;
    case CORAS_ERR_NO_MEMORY:
    case CORAS_ERR_INTERNAL:
    case CORAS_ERR_CONFIG:
    case CORAS_ERR_IO:
    case CORAS_ERR_NO_SPACE:
        return SERVE_SAID_FAILED;
    case CORAS_ERR_CANCELLED: /* the end of this process */
        return SERVE_SAID_DOWN;
    default:
        return SERVE_SAID_NONSENSE;
    }
}

struct serve_said serve_said_of(int rc, const coras_error *failure)
{
    int status = rc < 0 ? serve_upstream_status(failure) : 0;
    int64_t asked_s = rc < 0 ? coras_error_retry_after_s(failure) : 0;
    struct serve_said said = {status > 0 ? kind_of_status(status) : kind_of_code(rc), 0};

    if (status == 503 && asked_s > 0)
        said.kind = SERVE_SAID_BUSY;
    if (asked_s > 0)
        said.wait_ms = asked_s * 1000;
    return said;
}

struct serve_said serve_said_unasked(enum serve_upstream_state state, int64_t wait_ms)
{
    return (struct serve_said){state == SERVE_UPSTREAM_BUSY ? SERVE_SAID_BUSY : SERVE_SAID_DOWN,
                               wait_ms};
}

bool serve_said_allows_stale(struct serve_said said)
{
    switch (said.kind) {
    case SERVE_SAID_YES:
    case SERVE_SAID_ABSENT:
    case SERVE_SAID_DENIED:
    case SERVE_SAID_WAIT:
        return false;
    default:
        return true;
    }
}

static void tell_wait(struct serve_exchange *x, int64_t wait_ms)
{
    if (wait_ms > 0)
        serve_answer_header(x, "Retry-After", "%" PRId64, (wait_ms + 999) / 1000);
}

static void answer_absent(struct serve_exchange *x)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    bool is_blob = x->route.kind == SERVE_ROUTE_BLOB;
    const char *what = x->route.tag ? x->route.tag : coras_digest_format(&x->route.digest, text);

    if (x->route.kind == SERVE_ROUTE_TAGS)
        serve_answer_error(x, SERVE_API_NAME_UNKNOWN, "repository name not known to registry",
                           x->asked);
    else
        serve_answer_error(x, is_blob ? SERVE_API_BLOB_UNKNOWN : SERVE_API_MANIFEST_UNKNOWN,
                           is_blob ? "blob unknown to this repository" : "manifest unknown", what);
}

void serve_said_answer(struct serve_exchange *x, struct serve_said said)
{
    static const struct {
        int status;
        enum serve_api_error code;
        const char *message;
    } rows[] = {
        [SERVE_SAID_DENIED] = {403, SERVE_API_DENIED,
                               "the registry behind this cache refuses access to this cache"},
        [SERVE_SAID_BUSY] = {429, SERVE_API_TOOMANYREQUESTS,
                             "the registry behind this cache wants fewer requests"},
        [SERVE_SAID_NOTHING] = {502, SERVE_API_UNKNOWN,
                                "the registry behind this cache does not answer"},
        [SERVE_SAID_LATE] = {504, SERVE_API_UNKNOWN,
                             "the registry behind this cache does not answer in time"},
        [SERVE_SAID_DOWN] = {503, SERVE_API_UNKNOWN,
                             "the registry behind this cache did not answer a moment ago"},
        [SERVE_SAID_NONSENSE] = {502, SERVE_API_UNKNOWN,
                                 "the registry behind this cache gave a wrong answer"},
        [SERVE_SAID_FAILED] = {503, SERVE_API_UNKNOWN, "this cache cannot ask its registry"},
    };

    if (said.kind == SERVE_SAID_ABSENT) {
        answer_absent(x);
        return;
    }
    if (said.kind == SERVE_SAID_BUSY || said.kind == SERVE_SAID_DOWN)
        tell_wait(x, said.wait_ms > 0 ? said.wait_ms : 1000);
    serve_answer_error_status(x, rows[said.kind].status, rows[said.kind].code,
                              rows[said.kind].message, NULL);
}
