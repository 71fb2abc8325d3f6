/*
 * Error answers: the codes of the distribution API with their statuses, and the JSON around them.
 * Spec: distribution-spec 1.1, "Error Codes".
 */
#ifndef CORAS_SERVE_API_ERRORS_H
#define CORAS_SERVE_API_ERRORS_H

#include "serve/http/exchange.h"

enum coras_api_error {
    CORAS_API_BLOB_UNKNOWN,
    CORAS_API_BLOB_UPLOAD_INVALID,
    CORAS_API_BLOB_UPLOAD_UNKNOWN,
    CORAS_API_DIGEST_INVALID,
    CORAS_API_MANIFEST_BLOB_UNKNOWN,
    CORAS_API_MANIFEST_INVALID,
    CORAS_API_MANIFEST_UNKNOWN,
    CORAS_API_NAME_INVALID,
    CORAS_API_NAME_UNKNOWN,
    CORAS_API_TAG_INVALID,
    CORAS_API_SIZE_INVALID,
    CORAS_API_RANGE_INVALID,
    CORAS_API_PAGINATION_NUMBER_INVALID,
    CORAS_API_UNAUTHORIZED,
    CORAS_API_DENIED,
    CORAS_API_UNSUPPORTED,
    CORAS_API_TOOMANYREQUESTS,
    CORAS_API_UNKNOWN
};

/* Answer with an error of the usual status. `detail` may be NULL; both texts may hold foreign text.
 */
void coras_answer_error(struct coras_exchange *x, enum coras_api_error error, const char *message,
                        const char *detail);
/* The same with another status. */
void coras_answer_error_status(struct coras_exchange *x, int status, enum coras_api_error error,
                               const char *message, const char *detail);
/* Answer with what went wrong inside: 507 for a full disk, 503 for a locked database, else 500. The
 * cause goes to the log, not to the client. */
void coras_answer_failure(struct coras_exchange *x, const coras_error *err);

#endif
