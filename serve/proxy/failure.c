/* SPDX-License-Identifier: Apache-2.0 */
/* From a failure of the library to a status. */
#include "serve/proxy/failure.h"

#include "serve/api/errors.h"
#include "serve/http/log.h"

bool serve_upstream_has_none(const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    return status == 404 || status == 410 ||
           (status == 0 && coras_error_code(failure) == CORAS_ERR_NOT_FOUND);
}

static void answer_busy(struct serve_exchange *x, const coras_error *failure)
{
    int64_t wait_s = coras_error_retry_after_s(failure);

    serve_answer_header(x, "Retry-After", "%lld", (long long)(wait_s > 0 ? wait_s : 1));
    serve_answer_error(x, SERVE_API_TOOMANYREQUESTS, "the upstream registry is busy", NULL);
}

static void answer_unavailable(struct serve_exchange *x, int status, const char *why)
{
    serve_answer_error_status(x, status, SERVE_API_UNKNOWN, why, NULL);
}

void serve_answer_upstream_failure(struct serve_exchange *x, const coras_error *failure)
{
    serve_log_failure(x->target, coras_error_message(failure));
    if (coras_error_http_status(failure) == 429) {
        answer_busy(x, failure);
        return;
    }
    switch (coras_error_code(failure)) {
    case CORAS_ERR_RATE_LIMITED:
        answer_busy(x, failure);
        break;
    case CORAS_ERR_UNAUTHORIZED:
    case CORAS_ERR_DENIED:
    case CORAS_ERR_NO_CREDENTIAL:
        /* the account of the cache lacks a right, and its operator reads the log */
        serve_answer_error(x, SERVE_API_DENIED, "the upstream registry does not let us", NULL);
        break;
    case CORAS_ERR_TIMEOUT:
        answer_unavailable(x, 504, "the upstream registry does not answer");
        break;
    case CORAS_ERR_CANCELLED:
        answer_unavailable(x, 503, "the registry is going down");
        break;
    case CORAS_ERR_NO_MEMORY:
    case CORAS_ERR_NO_SPACE:
    case CORAS_ERR_IO:
        answer_unavailable(x, 503, "the registry cannot keep it now");
        break;
    default:
        answer_unavailable(x, 502, "the upstream registry fails");
        break;
    }
}
