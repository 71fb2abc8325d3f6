/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making errors. `*err` must be NULL on entry of the function that fails first (asserted), so
 * no error is ever overwritten; `err == NULL` is allowed everywhere. All functions that return int
 * return the code, so that a failing line reads `return coras_fail(err, CORAS_ERR_X, "...")`.
 *
 * Messages: lower case, no full stop, no "failed to" unless upstream's text has it; each level adds
 * only what it knows. Text from outside (registry, archive, file content) must pass
 * coras_escape() first.
 */
#ifndef CORAS_BASE_ERROR_H
#define CORAS_BASE_ERROR_H

#include "base/common.h"

int coras_fail(coras_error **err, int code, const char *fmt, ...) CORAS_PRINTF(3, 4);

/* Out of memory: a static error, so reporting it cannot fail. */
int coras_fail_no_memory(coras_error **err);

/*
 * A failed system call: code from errno (ENOSPC, EDQUOT -> NO_SPACE, ENOENT -> NOT_FOUND, EACCES,
 * EPERM, EROFS -> PERMISSION, else IO), the party is this machine,
 * message "<fmt>: <Go's spelling of the errno text>" ("open x: no such file or directory"). Save
 * errno before calls that may change it and pass it here.
 */
int coras_fail_errno(coras_error **err, int errnum, const char *fmt, ...) CORAS_PRINTF(3, 4);

/* Text of an errno the way Go prints it: lower-case ("connection refused"). Static storage. */
const char *coras_errno_text(int errnum);

/* Put a level in front: message becomes "<fmt>: <message>". Returns the error's code (rc). */
int coras_wrap(coras_error **err, int rc, const char *fmt, ...) CORAS_PRINTF(3, 4);

/*
 * What the level nearest to the cause knows stays: each of these does nothing when the error has
 * one already.
 */
void coras_error_set_party(coras_error **err, enum coras_party party);
void coras_error_set_side(coras_error **err, enum coras_side side);
/* The same for a result: a failure is that side's unless it is known to be the other's. Returns rc.
 */
int coras_at_side(enum coras_side side, int rc, coras_error **err);
/* A hint; arguments are copied, NULL is an absent one. Text from outside passes coras_escape(). */
void coras_advise(coras_error **err, enum coras_hint_kind kind);
void coras_advise_args(coras_error **err, enum coras_hint_kind kind,
                       const char *const args[CORAS_HINT_ARGS]);
#define coras_advise_with(err, kind, ...)                                                          \
    coras_advise_args((err), (kind), (const char *const[CORAS_HINT_ARGS]){__VA_ARGS__})
/* The hint of another error, such as the one that this one replaces. */
void coras_advise_as(coras_error **err, const coras_error *cause);
/* Advice that no kind fits: for programs, which have no other programs to tell it to. */
void coras_hint(coras_error **err, const char *fmt, ...) CORAS_PRINTF(2, 3);

/* Replace the code, keeping the messages. Returns the new code. */
int coras_error_recode(coras_error **err, int code);

void coras_error_set_retryable(coras_error **err, bool retryable);
void coras_error_set_retry_after_s(coras_error **err, int64_t seconds);

/* The response behind an error: `response` is the rendered text (coras_error_response()),
 * `registry_code` may be NULL. Strings are copied. */
void coras_error_set_http(coras_error **err, int status, const char *host, const char *response,
                          const char *registry_code);
/*
 * The URL of the request that failed, without its secrets; of requests within requests (a token for
 * an upload) the outermost one. NULL when there was none.
 */
void coras_error_set_url(coras_error **err, const char *url);
const char *coras_error_url(const coras_error *error);
/* A further code of the same body. */
void coras_error_add_registry_code(coras_error **err, const char *registry_code);

/* Copy for handing one failure to several waiters; NULL gives NULL. */
coras_error *coras_error_dup(const coras_error *error);

/* Move *from to *to when `to` wants it and holds nothing yet; otherwise free it. *from = NULL. */
void coras_error_propagate(coras_error **to, coras_error **from);

/* Drop an error that was handled; *err = NULL. */
void coras_error_clear(coras_error **err);

#endif
