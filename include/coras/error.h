/**
 * @file coras/error.h
 * Errors: a stable code for programs, a chain of messages and a hint for people.
 *
 * Every fallible function of the library returns 0, or a negative `CORAS_ERR_*` that equals
 * coras_error_code(*err). Its last parameter is `coras_error **err`: NULL when the caller does not
 * want the details, otherwise the address of a pointer that is NULL on entry. On failure the
 * pointer is set to an error that the caller owns and releases with coras_error_free().
 */
#ifndef CORAS_ERROR_H
#define CORAS_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CORAS_API        __attribute__((visibility("default")))
#define CORAS_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CORAS_API
#define CORAS_MUST_CHECK
#endif

/** One row per error: identifier, value, name for programs, what it means. */
#define CORAS_ERROR_LIST(X)                                                                        \
    X(CORAS_ERR_NO_MEMORY, -1, "NO_MEMORY", "out of memory")                                       \
    X(CORAS_ERR_INVALID_ARGUMENT, -2, "INVALID_ARGUMENT", "invalid argument")                      \
    X(CORAS_ERR_IO, -3, "IO", "input/output error")                                                \
    X(CORAS_ERR_NO_SPACE, -4, "NO_SPACE", "no space left on device")                               \
    X(CORAS_ERR_NOT_FOUND, -5, "NOT_FOUND", "not found")                                           \
    X(CORAS_ERR_EXISTS, -6, "EXISTS", "already exists")                                            \
    X(CORAS_ERR_INVALID_REFERENCE, -7, "INVALID_REFERENCE", "invalid reference")                   \
    X(CORAS_ERR_INVALID_DIGEST, -8, "INVALID_DIGEST", "invalid digest")                            \
    X(CORAS_ERR_INVALID_MANIFEST, -9, "INVALID_MANIFEST", "invalid manifest")                      \
    X(CORAS_ERR_INVALID_JSON, -10, "INVALID_JSON", "invalid JSON")                                 \
    X(CORAS_ERR_DIGEST_MISMATCH, -11, "DIGEST_MISMATCH", "mismatched digest")                      \
    X(CORAS_ERR_SIZE_MISMATCH, -12, "SIZE_MISMATCH", "mismatched size")                            \
    X(CORAS_ERR_TOO_LARGE, -13, "TOO_LARGE", "size exceeds limit")                                 \
    X(CORAS_ERR_UNSAFE_PATH, -14, "UNSAFE_PATH", "unsafe path")                                    \
    X(CORAS_ERR_UNSAFE_ARCHIVE, -15, "UNSAFE_ARCHIVE", "unsafe archive")                           \
    X(CORAS_ERR_UNTRUSTED_ORIGIN, -16, "UNTRUSTED_ORIGIN", "untrusted origin")                     \
    X(CORAS_ERR_UNAUTHORIZED, -17, "UNAUTHORIZED", "unauthorized")                                 \
    X(CORAS_ERR_DENIED, -18, "DENIED", "denied")                                                   \
    X(CORAS_ERR_HTTP, -19, "HTTP", "HTTP error response")                                          \
    X(CORAS_ERR_CONNECT, -20, "CONNECT", "cannot connect")                                         \
    X(CORAS_ERR_TLS, -21, "TLS", "TLS failure")                                                    \
    X(CORAS_ERR_TIMEOUT, -22, "TIMEOUT", "timed out")                                              \
    X(CORAS_ERR_PROTOCOL, -23, "PROTOCOL", "protocol violation")                                   \
    X(CORAS_ERR_CONFIG, -24, "CONFIG", "invalid configuration")                                    \
    X(CORAS_ERR_UNSUPPORTED, -25, "UNSUPPORTED", "unsupported")                                    \
    X(CORAS_ERR_CHANGED, -26, "CHANGED", "changed while it was read")                              \
    X(CORAS_ERR_CANCELLED, -27, "CANCELLED", "cancelled")                                          \
    X(CORAS_ERR_RANGE, -28, "RANGE", "byte range not served")                                      \
    X(CORAS_ERR_INTERNAL, -29, "INTERNAL", "internal error")

/** Error codes; values are stable, new ones are appended. 0 is success. */
enum coras_error_code {
    CORAS_OK = 0,
#define CORAS_ERROR_ENUM(id, value, name, text) id = (value),
    CORAS_ERROR_LIST(CORAS_ERROR_ENUM)
#undef CORAS_ERROR_ENUM
};

/** An error. Immutable once returned; may be read from any thread. */
typedef struct coras_error coras_error;

/** Release an error. NULL is allowed. */
CORAS_API void coras_error_free(coras_error *error);

/** The `CORAS_ERR_*` of an error; CORAS_OK for NULL. */
CORAS_API int coras_error_code(const coras_error *error);

/** Stable name of a code, such as "NOT_FOUND"; "UNKNOWN" for a value that is no code. */
CORAS_API const char *coras_error_name(int code);

/**
 * The messages from operation to cause, joined by ": ".
 * @return borrowed, valid until coras_error_free(); never NULL. Text from the network in it is
 *         bounded and escaped, so it may be printed on a terminal.
 */
CORAS_API const char *coras_error_message(const coras_error *error);

/** What to do about it, one or more lines without a final newline; NULL when there is no advice. */
CORAS_API const char *coras_error_hint(const coras_error *error);

/** HTTP status of the response that caused the error; 0 when there was none. */
CORAS_API int coras_error_http_status(const coras_error *error);

/** Host (with port) that sent the failing response; NULL when there was none. */
CORAS_API const char *coras_error_http_host(const coras_error *error);

/**
 * The error response alone, without the messages of the levels above: the registry's own words
 * ("denied: no way"), or `METHOD "URL": response status code 500: Internal Server Error`.
 * NULL unless an HTTP error response caused the error.
 */
CORAS_API const char *coras_error_response(const coras_error *error);

/** First error code of the registry's body, as sent ("MANIFEST_UNKNOWN"); NULL when none. */
CORAS_API const char *coras_error_registry_code(const coras_error *error);

/** Whether the same call may succeed when it is repeated later. */
CORAS_API bool coras_error_is_retryable(const coras_error *error);

#ifdef __cplusplus
}
#endif
#endif
