#include "serve/api/errors.h"

#include "codec/json.h"
#include "serve/http/log.h"

static const struct {
    const char *code;
    int status;
} api_errors[] = {
    [CORAS_API_BLOB_UNKNOWN] = {"BLOB_UNKNOWN", 404},
    [CORAS_API_BLOB_UPLOAD_INVALID] = {"BLOB_UPLOAD_INVALID", 400},
    [CORAS_API_BLOB_UPLOAD_UNKNOWN] = {"BLOB_UPLOAD_UNKNOWN", 404},
    [CORAS_API_DIGEST_INVALID] = {"DIGEST_INVALID", 400},
    [CORAS_API_MANIFEST_BLOB_UNKNOWN] = {"MANIFEST_BLOB_UNKNOWN", 400},
    [CORAS_API_MANIFEST_INVALID] = {"MANIFEST_INVALID", 400},
    [CORAS_API_MANIFEST_UNKNOWN] = {"MANIFEST_UNKNOWN", 404},
    [CORAS_API_NAME_INVALID] = {"NAME_INVALID", 400},
    [CORAS_API_NAME_UNKNOWN] = {"NAME_UNKNOWN", 404},
    [CORAS_API_TAG_INVALID] = {"TAG_INVALID", 400},
    [CORAS_API_SIZE_INVALID] = {"SIZE_INVALID", 400},
    [CORAS_API_RANGE_INVALID] = {"RANGE_INVALID", 416},
    [CORAS_API_PAGINATION_NUMBER_INVALID] = {"PAGINATION_NUMBER_INVALID", 400},
    [CORAS_API_UNAUTHORIZED] = {"UNAUTHORIZED", 401},
    [CORAS_API_DENIED] = {"DENIED", 403},
    [CORAS_API_UNSUPPORTED] = {"UNSUPPORTED", 405},
    [CORAS_API_TOOMANYREQUESTS] = {"TOOMANYREQUESTS", 429},
    [CORAS_API_UNKNOWN] = {"UNKNOWN", 500},
};

void coras_answer_error_status(struct coras_exchange *x, int status, enum coras_api_error error,
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
    coras_answer_body(x, status, "application/json");
}

void coras_answer_error(struct coras_exchange *x, enum coras_api_error error, const char *message,
                        const char *detail)
{
    coras_answer_error_status(x, api_errors[error].status, error, message, detail);
}

void coras_answer_failure(struct coras_exchange *x, const coras_error *err)
{
    coras_log_failure(x->target, coras_error_message(err));
    switch (coras_error_code(err)) {
    case CORAS_ERR_NO_SPACE:
        coras_answer_error_status(x, 507, CORAS_API_DENIED, "no space left in the registry", NULL);
        break;
    case CORAS_ERR_TIMEOUT:
        coras_answer_header(x, "Retry-After", "2");
        coras_answer_error_status(x, 503, CORAS_API_UNKNOWN, "the registry is busy", NULL);
        break;
    default:
        coras_answer_error(x, CORAS_API_UNKNOWN, "internal error", NULL);
        break;
    }
}
