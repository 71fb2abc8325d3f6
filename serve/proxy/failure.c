/* SPDX-License-Identifier: Apache-2.0 */
/* From a failure of the library to an answer. */
#include "serve/proxy/failure.h"

#include "serve/http/log.h"
#include "serve/proxy/said.h"

int serve_upstream_status(const coras_error *failure)
{
    int status = coras_error_http_status(failure);
    bool is_refusal = status == 401 || status == 403 || status == 429;

    if (coras_error_party(failure) != CORAS_PARTY_TOKEN_SERVICE || status < 400 || is_refusal)
        return status;
    return status < 500 ? 502 : status;
}

bool serve_upstream_has_none(const coras_error *failure)
{
    int status = serve_upstream_status(failure);

    return status == 404 || status == 410 ||
           (status == 0 && coras_error_code(failure) == CORAS_ERR_NOT_FOUND);
}

void serve_answer_upstream_failure(struct serve_exchange *x, const coras_error *failure)
{
    serve_log_failure(x->target, coras_error_message(failure));
    serve_said_answer(x, serve_said_of(coras_error_code(failure), failure));
}
