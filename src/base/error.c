/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error as a value: what happened, whose failure it was, what to do about it. Made where
 * something fails, enriched on its way up, never changed once the caller has it.
 */
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "base/alloc.h"
#include "base/hint.h"
#include "base/str.h"

struct coras_error {
    int code;
    bool retryable;
    bool is_static; /* the out-of-memory error: never changed, never freed */
    enum coras_party party;
    enum coras_side side;
    int http_status;
    int64_t retry_after_s; /* what the server asked to wait */
    char *message;
    coras_strlist levels; /* of the message; the cause first */
    enum coras_hint_kind hint_kind;
    char *hint_args[CORAS_HINT_ARGS];
    char *hint;
    char *url;
    char *http_host;
    char *response;
    coras_strlist registry_codes;
};

static char no_memory_text[] = "out of memory";
static coras_error no_memory = {.code = CORAS_ERR_NO_MEMORY,
                                .is_static = true,
                                .party = CORAS_PARTY_LOCAL,
                                .message = no_memory_text};

/* ---- what the public sees ---- */

void coras_error_free(coras_error *error)
{
    if (!error || error->is_static)
        return;
    free(error->message);
    coras_strlist_clear(&error->levels);
    for (size_t i = 0; i < CORAS_HINT_ARGS; i++)
        free(error->hint_args[i]);
    free(error->hint);
    free(error->url);
    free(error->http_host);
    free(error->response);
    coras_strlist_clear(&error->registry_codes);
    free(error);
}

int coras_error_code(const coras_error *error)
{
    return error ? error->code : CORAS_OK;
}

const char *coras_error_name(int code)
{
    switch (code) {
    case CORAS_OK:
        return "OK";
#define CORAS_ERROR_NAME(id, value, name, text)                                                    \
    case value:                                                                                    \
        return name;
        CORAS_ERROR_LIST(CORAS_ERROR_NAME)
#undef CORAS_ERROR_NAME
    default:
        return "UNKNOWN";
    }
}

static const char *default_text(int code)
{
    switch (code) {
#define CORAS_ERROR_TEXT(id, value, name, text)                                                    \
    case value:                                                                                    \
        return text;
        CORAS_ERROR_LIST(CORAS_ERROR_TEXT)
#undef CORAS_ERROR_TEXT
    default:
        return "success";
    }
}

const char *coras_error_message(const coras_error *error)
{
    return error ? error->message : default_text(CORAS_OK);
}

const char *coras_error_level(const coras_error *error, size_t level)
{
    if (error && error->is_static)
        return level == 0 ? error->message : NULL;
    if (!error || level >= error->levels.len)
        return NULL;
    return error->levels.items[error->levels.len - 1 - level];
}

enum coras_party coras_error_party(const coras_error *error)
{
    return error ? error->party : CORAS_PARTY_UNKNOWN;
}

enum coras_side coras_error_side(const coras_error *error)
{
    return error ? error->side : CORAS_SIDE_NONE;
}

const char *coras_error_hint(const coras_error *error)
{
    return error ? error->hint : NULL;
}

enum coras_hint_kind coras_error_hint_kind(const coras_error *error)
{
    return error ? error->hint_kind : CORAS_HINT_NONE;
}

const char *coras_error_hint_argument(const coras_error *error, size_t index)
{
    return error && index < CORAS_HINT_ARGS ? error->hint_args[index] : NULL;
}

int coras_error_http_status(const coras_error *error)
{
    return error ? error->http_status : 0;
}

const char *coras_error_url(const coras_error *error)
{
    return error ? error->url : NULL;
}

const char *coras_error_http_host(const coras_error *error)
{
    return error ? error->http_host : NULL;
}

const char *coras_error_response(const coras_error *error)
{
    return error ? error->response : NULL;
}

const char *coras_error_registry_code(const coras_error *error)
{
    return error && error->registry_codes.len ? error->registry_codes.items[0] : NULL;
}

bool coras_error_has_registry_code(const coras_error *error, const char *code)
{
    return error && coras_strlist_has(&error->registry_codes, code);
}

bool coras_error_is_retryable(const coras_error *error)
{
    return error && error->retryable;
}

/* ---- making ---- */

static char *format_text(const char *fmt, va_list ap) CORAS_PRINTF(1, 0);
static char *format_text(const char *fmt, va_list ap)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0 || !(text = coras_malloc((size_t)len + 1)))
        return NULL;
    (void)vsnprintf(text, (size_t)len + 1, fmt, ap); /* same arguments, same length */
    return text;
}

/* Takes `message`; NULL means that memory ran out when it was made. */
static int fail_take(coras_error **err, int code, char *message)
{
    coras_auto(coras_error) error = message ? coras_new(coras_error) : NULL;

    if (!error) {
        free(message);
        return coras_fail_no_memory(err);
    }
    error->code = code;
    error->message = message;
    if (coras_strlist_add(&error->levels, message, NULL) < 0)
        return coras_fail_no_memory(err);
    *err = coras_steal(&error);
    return code;
}

int coras_fail(coras_error **err, int code, const char *fmt, ...)
{
    va_list ap;
    char *message;

    assert(code < 0);
    if (!err)
        return code;
    assert(!*err);
    va_start(ap, fmt);
    message = format_text(fmt, ap);
    va_end(ap);
    return fail_take(err, code, message);
}

int coras_fail_no_memory(coras_error **err)
{
    if (err) {
        assert(!*err);
        *err = &no_memory;
    }
    return CORAS_ERR_NO_MEMORY;
}

static int errno_code(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return CORAS_ERR_NO_SPACE;
    case ENOENT:
        return CORAS_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return CORAS_ERR_PERMISSION;
    default:
        return CORAS_ERR_IO;
    }
}

/* ---- adding to an error on its way up; a lack of memory leaves the error as it is ---- */

static coras_error *mutable_error(coras_error **err)
{
    return err && *err && !(*err)->is_static ? *err : NULL;
}

/* `level` in front of the message and of the chain; false when memory ran out. */
static bool add_level(coras_error *error, const char *level)
{
    coras_auto_free char *message = coras_asprintf("%s: %s", level, error->message);

    if (!message || coras_strlist_add(&error->levels, level, NULL) < 0)
        return false;
    free(error->message);
    error->message = coras_steal(&message);
    return true;
}

int coras_wrap(coras_error **err, int rc, const char *fmt, ...)
{
    coras_auto_free char *level = NULL;
    va_list ap;

    if (!mutable_error(err))
        return rc;
    va_start(ap, fmt);
    level = format_text(fmt, ap);
    va_end(ap);
    if (level)
        (void)add_level(*err, level);
    return rc;
}

int coras_fail_errno(coras_error **err, int errnum, const char *fmt, ...)
{
    coras_auto(coras_error) error = NULL;
    coras_auto_free char *what = NULL;
    va_list ap;

    if (!err)
        return errno_code(errnum);
    assert(!*err);
    va_start(ap, fmt);
    what = format_text(fmt, ap);
    va_end(ap);
    int rc = fail_take(&error, errno_code(errnum), coras_strdup(coras_errno_text(errnum)));
    if (!what || error->is_static || !add_level(error, what))
        return coras_fail_no_memory(err);
    error->party = CORAS_PARTY_LOCAL;
    *err = coras_steal(&error);
    return rc;
}

void coras_error_set_party(coras_error **err, enum coras_party party)
{
    coras_error *error = mutable_error(err);

    if (error && error->party == CORAS_PARTY_UNKNOWN)
        error->party = party;
}

void coras_error_set_side(coras_error **err, enum coras_side side)
{
    coras_error *error = mutable_error(err);

    if (error && error->side == CORAS_SIDE_NONE)
        error->side = side;
}

int coras_at_side(enum coras_side side, int rc, coras_error **err)
{
    if (rc < 0)
        coras_error_set_side(err, side);
    return rc;
}

/* ---- hints ---- */

void coras_advise_args(coras_error **err, enum coras_hint_kind kind,
                       const char *const args[CORAS_HINT_ARGS])
{
    coras_error *error = mutable_error(err);
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (!error || error->hint)
        return;
    coras_hint_put(&text, coras_hint_pattern(kind), args);
    if (coras_buf_take(&text, &error->hint, NULL) < 0)
        return;
    error->hint_kind = kind;
    for (size_t i = 0; i < CORAS_HINT_ARGS; i++)
        error->hint_args[i] = args[i] ? coras_strdup(args[i]) : NULL;
}

void coras_advise(coras_error **err, enum coras_hint_kind kind)
{
    coras_advise_with(err, kind, NULL);
}

void coras_advise_as(coras_error **err, const coras_error *cause)
{
    if (cause && cause->hint)
        coras_advise_args(err, cause->hint_kind, (const char *const *)cause->hint_args);
}

void coras_hint(coras_error **err, const char *fmt, ...)
{
    coras_auto_free char *text = NULL;
    va_list ap;

    if (!mutable_error(err))
        return;
    va_start(ap, fmt);
    text = format_text(fmt, ap);
    va_end(ap);
    if (text)
        coras_advise_with(err, CORAS_HINT_TEXT, text);
}

/* ---- what else is known ---- */

int coras_error_recode(coras_error **err, int code)
{
    coras_error *error = mutable_error(err);

    if (!error && err && *err)
        return (*err)->code; /* out of memory stays what it is */
    if (error)
        error->code = code;
    return code;
}

void coras_error_set_retryable(coras_error **err, bool retryable)
{
    coras_error *error = mutable_error(err);

    if (error)
        error->retryable = retryable;
}

void coras_error_set_retry_after_s(coras_error **err, int64_t seconds)
{
    coras_error *error = mutable_error(err);

    if (error)
        error->retry_after_s = seconds;
}

int64_t coras_error_retry_after_s(const coras_error *error)
{
    return error ? error->retry_after_s : 0;
}

static void replace(char **slot, const char *value)
{
    free(*slot);
    *slot = value ? coras_strdup(value) : NULL;
}

void coras_error_set_url(coras_error **err, const char *url)
{
    coras_error *error = mutable_error(err);

    if (error)
        replace(&error->url, url);
}

void coras_error_set_http(coras_error **err, int status, const char *host, const char *response,
                          const char *registry_code)
{
    coras_error *error = mutable_error(err);

    if (!error)
        return;
    error->http_status = status;
    replace(&error->http_host, host);
    replace(&error->response, response);
    coras_strlist_clear(&error->registry_codes);
    coras_error_add_registry_code(err, registry_code);
}

void coras_error_add_registry_code(coras_error **err, const char *registry_code)
{
    coras_error *error = mutable_error(err);

    if (error && registry_code &&
        coras_strlist_add(&error->registry_codes, registry_code, NULL) < 0)
        return; /* one code fewer */
}

/* ---- passing on ---- */

static bool copy_text(char **to, const char *from)
{
    *to = from ? coras_strdup(from) : NULL;
    return *to || !from;
}

static bool copy_list(coras_strlist *to, const coras_strlist *from)
{
    for (size_t i = 0; i < from->len; i++)
        if (coras_strlist_add(to, from->items[i], NULL) < 0)
            return false;
    return true;
}

static bool copy_hint(coras_error *to, const coras_error *from)
{
    for (size_t i = 0; i < CORAS_HINT_ARGS; i++)
        if (!copy_text(&to->hint_args[i], from->hint_args[i]))
            return false;
    return copy_text(&to->hint, from->hint);
}

coras_error *coras_error_dup(const coras_error *error)
{
    coras_error *copy;

    if (!error)
        return NULL;
    if (error->is_static || !(copy = coras_new(coras_error)))
        return &no_memory;
    copy->code = error->code;
    copy->retryable = error->retryable;
    copy->party = error->party;
    copy->side = error->side;
    copy->http_status = error->http_status;
    copy->retry_after_s = error->retry_after_s;
    copy->hint_kind = error->hint_kind;
    if (copy_text(&copy->message, error->message) && copy_list(&copy->levels, &error->levels) &&
        copy_hint(copy, error) && copy_text(&copy->url, error->url) &&
        copy_text(&copy->http_host, error->http_host) &&
        copy_text(&copy->response, error->response) &&
        copy_list(&copy->registry_codes, &error->registry_codes))
        return copy;
    coras_error_free(copy);
    return &no_memory;
}

void coras_error_propagate(coras_error **to, coras_error **from)
{
    if (to && !*to)
        *to = *from;
    else
        coras_error_free(*from);
    *from = NULL;
}

void coras_error_clear(coras_error **err)
{
    coras_error_free(*err);
    *err = NULL;
}
