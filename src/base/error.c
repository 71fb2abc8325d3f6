#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "base/alloc.h"

struct coras_error {
    int code;
    bool retryable;
    bool is_static; /* the out-of-memory error: never changed, never freed */
    int http_status;
    int64_t retry_after_s; /* what the server asked to wait */
    char *message;
    char *hint;
    char *http_host;
    char *response;
    char *registry_code;
};

static char no_memory_text[] = "out of memory";
static coras_error no_memory = {
    .code = CORAS_ERR_NO_MEMORY, .is_static = true, .message = no_memory_text};

/* ---- what the public sees ---- */

void coras_error_free(coras_error *error)
{
    if (!error || error->is_static)
        return;
    free(error->message);
    free(error->hint);
    free(error->http_host);
    free(error->response);
    free(error->registry_code);
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

const char *coras_error_hint(const coras_error *error)
{
    return error ? error->hint : NULL;
}

int coras_error_http_status(const coras_error *error)
{
    return error ? error->http_status : 0;
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
    return error ? error->registry_code : NULL;
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
    coras_error *error = message ? coras_new(coras_error) : NULL;

    if (!error) {
        free(message);
        return coras_fail_no_memory(err);
    }
    error->code = code;
    error->message = message;
    *err = error;
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
    default:
        return CORAS_ERR_IO;
    }
}

int coras_fail_errno(coras_error **err, int errnum, const char *fmt, ...)
{
    coras_auto_free char *what = NULL;
    va_list ap;

    if (!err)
        return errno_code(errnum);
    assert(!*err);
    va_start(ap, fmt);
    what = format_text(fmt, ap);
    va_end(ap);
    if (!what)
        return coras_fail_no_memory(err);
    return fail_take(err, errno_code(errnum),
                     coras_asprintf("%s: %s", what, coras_errno_text(errnum)));
}

/* ---- adding to an error on its way up; a lack of memory leaves the error as it is ---- */

static coras_error *mutable_error(coras_error **err)
{
    return err && *err && !(*err)->is_static ? *err : NULL;
}

int coras_wrap(coras_error **err, int rc, const char *fmt, ...)
{
    coras_error *error = mutable_error(err);
    coras_auto_free char *level = NULL;
    char *message;
    va_list ap;

    if (!error)
        return rc;
    va_start(ap, fmt);
    level = format_text(fmt, ap);
    va_end(ap);
    message = level ? coras_asprintf("%s: %s", level, error->message) : NULL;
    if (message) {
        free(error->message);
        error->message = message;
    }
    return rc;
}

void coras_hint(coras_error **err, const char *fmt, ...)
{
    coras_error *error = mutable_error(err);
    va_list ap;

    if (!error || error->hint)
        return;
    va_start(ap, fmt);
    error->hint = format_text(fmt, ap);
    va_end(ap);
}

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

void coras_error_set_http(coras_error **err, int status, const char *host, const char *response,
                          const char *registry_code)
{
    coras_error *error = mutable_error(err);

    if (!error)
        return;
    error->http_status = status;
    replace(&error->http_host, host);
    replace(&error->response, response);
    replace(&error->registry_code, registry_code);
}

/* ---- passing on ---- */

static bool copy_text(char **to, const char *from)
{
    *to = from ? coras_strdup(from) : NULL;
    return *to || !from;
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
    copy->http_status = error->http_status;
    copy->retry_after_s = error->retry_after_s;
    if (copy_text(&copy->message, error->message) && copy_text(&copy->hint, error->hint) &&
        copy_text(&copy->http_host, error->http_host) &&
        copy_text(&copy->response, error->response) &&
        copy_text(&copy->registry_code, error->registry_code))
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
