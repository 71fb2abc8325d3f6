/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error answers: the codes of the distribution API with their statuses, and the JSON around them.
 * Spec: distribution-spec 1.1, "Error Codes".
 */
#ifndef SERVE_API_ERRORS_H
#define SERVE_API_ERRORS_H

#include "serve/http/exchange.h"

enum serve_api_error {
    SERVE_API_BLOB_UNKNOWN,
    SERVE_API_BLOB_UPLOAD_INVALID,
    SERVE_API_BLOB_UPLOAD_UNKNOWN,
    SERVE_API_DIGEST_INVALID,
    SERVE_API_MANIFEST_BLOB_UNKNOWN,
    SERVE_API_MANIFEST_INVALID,
    SERVE_API_MANIFEST_UNKNOWN,
    SERVE_API_NAME_INVALID,
    SERVE_API_NAME_UNKNOWN,
    SERVE_API_TAG_INVALID,
    SERVE_API_SIZE_INVALID,
    SERVE_API_RANGE_INVALID,
    SERVE_API_PAGINATION_NUMBER_INVALID,
    SERVE_API_UNAUTHORIZED,
    SERVE_API_DENIED,
    SERVE_API_UNSUPPORTED,
    SERVE_API_TOOMANYREQUESTS,
    SERVE_API_UNKNOWN
};

/* Answer with an error of the usual status. `detail` may be NULL; both texts may hold foreign text.
 */
void serve_answer_error(struct serve_exchange *x, enum serve_api_error error, const char *message,
                        const char *detail);
/* The same with another status. */
void serve_answer_error_status(struct serve_exchange *x, int status, enum serve_api_error error,
                               const char *message, const char *detail);
/* Answer that the same request may succeed in a moment: 503. */
void serve_answer_busy(struct serve_exchange *x);
/* Answer with what went wrong inside: 507 for a full disk, 503 for a locked database, else 500. The
 * cause goes to the log, not to the client. */
void serve_answer_failure(struct serve_exchange *x, const coras_error *err);

#endif
