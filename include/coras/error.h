/* SPDX-License-Identifier: Apache-2.0 */
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
#include <stddef.h>
#include <stdint.h>

#include "coras/hint.h"

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

/** For the `_INIT` macros of records that grow: everything zero, and `size` that of the record as
 * this program knows it. */
#ifdef __cplusplus
#define CORAS_SIZED_INIT(type)                                                                     \
    ([]() {                                                                                        \
        type sized_ = type();                                                                      \
        sized_.size = sizeof(type);                                                                \
        return sized_;                                                                             \
    }())
/** For records that are all zero when they are empty. */
#define CORAS_ZERO_INIT                                                                            \
    {                                                                                              \
    }
#else
#define CORAS_SIZED_INIT(type)                                                                     \
    {                                                                                              \
        .size = sizeof(type)                                                                       \
    }
#define CORAS_ZERO_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }
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
    X(CORAS_ERR_INTERNAL, -29, "INTERNAL", "internal error")                                       \
    X(CORAS_ERR_UNSUPPORTED_DIGEST, -30, "UNSUPPORTED_DIGEST", "unsupported digest algorithm")     \
    X(CORAS_ERR_NO_CREDENTIAL, -31, "NO_CREDENTIAL", "no credential")                              \
    X(CORAS_ERR_PERMISSION, -32, "PERMISSION", "permission denied by the system")                  \
    X(CORAS_ERR_RATE_LIMITED, -33, "RATE_LIMITED", "too many requests")                            \
    X(CORAS_ERR_NO_PLATFORM, -34, "NO_PLATFORM", "no such platform")                               \
    X(CORAS_ERR_NOT_AN_INDEX, -35, "NOT_AN_INDEX", "not an index")                                 \
    X(CORAS_ERR_INVALID_MODEL, -36, "INVALID_MODEL", "not the model file that it claims to be")    \
    X(CORAS_ERR_NOTHING_CHOSEN, -37, "NOTHING_CHOSEN", "nothing matches the selection")            \
    X(CORAS_ERR_UNSAFE_MODEL, -38, "UNSAFE_MODEL", "a model that runs code of its own")

/** Error codes; values are stable, new ones are appended. 0 is success. */
enum coras_error_code {
    CORAS_OK = 0,
#define CORAS_ERROR_ENUM(id, value, name, text) id = (value),
    CORAS_ERROR_LIST(CORAS_ERROR_ENUM)
#undef CORAS_ERROR_ENUM
};

/** An error. Immutable once returned; may be read from any thread. */
typedef struct coras_error coras_error;

/**
 * Release an error that a function has given out.
 *
 * @param error  may be NULL
 *
 * Thread-safe for distinct errors; nobody may look at the error any more.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API void coras_error_free(coras_error *error);

/**
 * The code of an error, which is also what the failed function returned.
 *
 * @param error  borrowed; may be NULL
 * @return one of `CORAS_ERR_*`, below 0; CORAS_OK for NULL
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API int coras_error_code(const coras_error *error);

/**
 * The stable name of a code, for logs and for other languages.
 *
 * @param code  a value of enum coras_error_code
 * @return text such as "NOT_FOUND"; "UNKNOWN" for a value that is no code. Static, not to be freed
 *
 * Never blocks. Any thread.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_name(int code);

/** Whose failure it was: who has to do something before the same call can succeed. */
enum coras_party {
    CORAS_PARTY_UNKNOWN = 0,
    CORAS_PARTY_LOCAL,         /**< this machine: its files, memory, or what the caller asked for */
    CORAS_PARTY_REGISTRY,      /**< the registry, or the layout that stands for one */
    CORAS_PARTY_TOKEN_SERVICE, /**< the service that gives the registry's tokens */
    CORAS_PARTY_PROXY,         /**< the proxy between here and the registry */
    CORAS_PARTY_ELSEWHERE      /**< a host to which the registry redirected */
};

/** Which end of an operation with two targets failed. */
enum coras_side { CORAS_SIDE_NONE = 0, CORAS_SIDE_SOURCE, CORAS_SIDE_DESTINATION };

/**
 * Whose failure it was, so whom to ask for help.
 *
 * @param error  borrowed; may be NULL
 * @return the party; CORAS_PARTY_UNKNOWN for NULL
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API enum coras_party coras_error_party(const coras_error *error);

/**
 * Which end of an operation with two targets failed.
 *
 * The side and the party answer different questions: a token service has failed, and it is the
 * source's.
 *
 * @param error  borrowed; may be NULL
 * @return the side; CORAS_SIDE_NONE for NULL, for operations with one target, and where both ends
 *         are at fault or neither is
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API enum coras_side coras_error_side(const coras_error *error);

/**
 * The messages from operation to cause, joined by ": ".
 *
 * Text from the network in it is bounded and escaped, so it may be printed on a terminal. It is for
 * people: no program should look for words in it.
 *
 * @param error  borrowed; may be NULL
 * @return borrowed, valid until coras_error_free(); never NULL
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_message(const coras_error *error);

/**
 * One message of the chain.
 *
 * Level 0 is the operation, the last one the cause.
 *
 * @param error  borrowed; may be NULL
 * @param level  counted from 0
 * @return borrowed, valid until coras_error_free(); NULL beyond the last level
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_level(const coras_error *error, size_t level);

/**
 * What to do about it, as a plain sentence for people.
 *
 * @param error  borrowed; may be NULL
 * @return borrowed, valid until coras_error_free(), without a final newline; NULL when there is no
 *         advice
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_hint(const coras_error *error);

/**
 * What kind of advice there is, for programs that word it themselves.
 *
 * @param error  borrowed; may be NULL
 * @return the kind; CORAS_HINT_NONE when there is no advice
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API enum coras_hint_kind coras_error_hint_kind(const coras_error *error);

/**
 * An argument of the hint: a name, a path, a number.
 *
 * coras/hint.h says for each kind what its arguments are.
 *
 * @param error  borrowed; may be NULL
 * @param index  counted from 0
 * @return borrowed, valid until coras_error_free(); NULL when it is absent
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_hint_argument(const coras_error *error, size_t index);

/**
 * The stable name of a kind of hint, for logs and for other languages.
 *
 * @param kind  a value of enum coras_hint_kind
 * @return text such as "LOG_IN"; "UNKNOWN" for a value that is none. Static, not to be freed
 *
 * Never blocks. Any thread.
 * Since 0.1.
 * Source: src/base/hint.c.
 */
CORAS_API const char *coras_hint_name(enum coras_hint_kind kind);

/**
 * The HTTP status of the answer that caused the error.
 *
 * @param error  borrowed; may be NULL
 * @return 100 to 599; 0 when no answer caused it
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API int coras_error_http_status(const coras_error *error);

/**
 * Who sent the failing answer.
 *
 * @param error  borrowed; may be NULL
 * @return host, with a port where one was given; borrowed, valid until coras_error_free(); NULL
 *         when no answer caused the error
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_http_host(const coras_error *error);

/**
 * The error answer alone, without the messages of the levels above: the registry's own words
 * ("denied: no way"), or `METHOD "URL": response status code 500: Internal Server Error`.
 *
 * @param error  borrowed; may be NULL
 * @return borrowed, valid until coras_error_free(); NULL unless an HTTP error answer caused the
 *         error
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_response(const coras_error *error);

/**
 * The first error code in the body of the registry's answer, as sent.
 *
 * @param error  borrowed; may be NULL
 * @return text such as "MANIFEST_UNKNOWN"; borrowed, valid until coras_error_free(); NULL when
 *         there was none
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API const char *coras_error_registry_code(const coras_error *error);

/**
 * Whether the body of the registry's answer lists a code, first or not.
 *
 * @param error  borrowed; may be NULL
 * @param code   such as "BLOB_UNKNOWN"; borrowed, compared exactly
 * @return true when it does
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API bool coras_error_has_registry_code(const coras_error *error, const char *code);

/**
 * Whether the same call may succeed when it is repeated later.
 *
 * The library has tried again already where that promised to help.
 *
 * @param error  borrowed; may be NULL
 * @return true when it may
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API bool coras_error_is_retryable(const coras_error *error);

/**
 * How long the other side wants to be left alone.
 *
 * @param error  borrowed; may be NULL
 * @return seconds; 0 when it did not say
 *
 * Never blocks. Any thread may read an error, several at a time.
 * Since 0.1.
 * Source: src/base/error.c.
 */
CORAS_API int64_t coras_error_retry_after_s(const coras_error *error);

#ifdef __cplusplus
}
#endif
#endif
