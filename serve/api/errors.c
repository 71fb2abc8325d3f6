/* SPDX-License-Identifier: Apache-2.0 */
/* Error answers as JSON. */
#include "serve/api/errors.h"

#include "codec/json.h"
#include "serve/http/log.h"

static const struct {
    const char *code;
    int status;
} api_errors[] = {
    [SERVE_API_BLOB_UNKNOWN] = {"BLOB_UNKNOWN", 404},
    [SERVE_API_BLOB_UPLOAD_INVALID] = {"BLOB_UPLOAD_INVALID", 400},
    [SERVE_API_BLOB_UPLOAD_UNKNOWN] = {"BLOB_UPLOAD_UNKNOWN", 404},
    [SERVE_API_DIGEST_INVALID] = {"DIGEST_INVALID", 400},
    [SERVE_API_MANIFEST_BLOB_UNKNOWN] = {"MANIFEST_BLOB_UNKNOWN", 400},
    [SERVE_API_MANIFEST_INVALID] = {"MANIFEST_INVALID", 400},
    [SERVE_API_MANIFEST_UNKNOWN] = {"MANIFEST_UNKNOWN", 404},
    [SERVE_API_NAME_INVALID] = {"NAME_INVALID", 400},
    [SERVE_API_NAME_UNKNOWN] = {"NAME_UNKNOWN", 404},
    [SERVE_API_TAG_INVALID] = {"TAG_INVALID", 400},
    [SERVE_API_SIZE_INVALID] = {"SIZE_INVALID", 400},
    [SERVE_API_RANGE_INVALID] = {"RANGE_INVALID", 416},
    [SERVE_API_PAGINATION_NUMBER_INVALID] = {"PAGINATION_NUMBER_INVALID", 400},
    [SERVE_API_UNAUTHORIZED] = {"UNAUTHORIZED", 401},
    [SERVE_API_DENIED] = {"DENIED", 403},
    [SERVE_API_UNSUPPORTED] = {"UNSUPPORTED", 405},
    [SERVE_API_TOOMANYREQUESTS] = {"TOOMANYREQUESTS", 429},
    [SERVE_API_UNKNOWN] = {"UNKNOWN", 500},
};

void serve_answer_error_status(struct serve_exchange *x, int status, enum serve_api_error error,
                               const char *message, const char *detail)
{
    coras_buf *body = &x->answer.body;
    coras_json_writer w = CORAS_JSON_WRITER(body, 0);

    coras_buf_reset(body);
    coras_jw_object(&w);
    coras_jw_key(&w, "errors");
    coras_jw_array(&w);
    coras_jw_object(&w);
    coras_jw_member(&w, "code", api_errors[error].code);
    coras_jw_member(&w, "message", message);
    coras_jw_member_opt(&w, "detail", detail);
    coras_jw_end_object(&w);
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    serve_answer_body(x, status, "application/json");
}

void serve_answer_error(struct serve_exchange *x, enum serve_api_error error, const char *message,
                        const char *detail)
{
    serve_answer_error_status(x, api_errors[error].status, error, message, detail);
}

void serve_answer_busy(struct serve_exchange *x)
{
    serve_answer_header(x, "Retry-After", "2");
    serve_answer_error_status(x, 503, SERVE_API_UNKNOWN, "the registry is busy", NULL);
}

void serve_answer_failure(struct serve_exchange *x, const coras_error *err)
{
    serve_log_failure(x->target, coras_error_message(err));
    serve_metrics_add(x->registry->metrics, SERVE_METRIC_FAILURES, NULL, 1);
    switch (coras_error_code(err)) {
    case CORAS_ERR_NO_SPACE:
        serve_answer_error_status(x, 507, SERVE_API_DENIED, "no space left in the registry", NULL);
        break;
    case CORAS_ERR_TIMEOUT:
    case CORAS_ERR_CONNECT: /* the store of the blobs */
    case CORAS_ERR_CONFIG:  /* a layout that is damaged, or half copied */
        serve_answer_busy(x);
        break;
    case CORAS_ERR_INVALID_REFERENCE: /* the place of a repository is taken */
        serve_answer_error(x, SERVE_API_NAME_INVALID, coras_error_message(err), NULL);
        break;
    default:
        serve_answer_error(x, SERVE_API_UNKNOWN, "internal error", NULL);
        break;
    }
}
