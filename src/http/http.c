/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object that holds connections, and an exchange from its beginning to its outcome.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/failure.h"
#include "http/running.h"

enum { WAIT_MS = 200 }; /* longest wait between two looks at the cancel flag */

/* ---- the object ---- */

static void config_clear(struct coras_http_config *c)
{
    free((char *)(uintptr_t)c->ca_file);
    free((char *)(uintptr_t)c->cert_file);
    free((char *)(uintptr_t)c->key_file);
}

int coras_http_new(const struct coras_http_config *config, coras_http **ret, coras_error **err)
{
    coras_http *http = coras_new(coras_http);

    if (!http)
        return coras_fail_no_memory(err);
    coras_http_pool_init(&http->pool);
    http->config = *config;
    http->config.ca_file = config->ca_file ? coras_strdup(config->ca_file) : NULL;
    http->config.cert_file = config->cert_file ? coras_strdup(config->cert_file) : NULL;
    http->config.key_file = config->key_file ? coras_strdup(config->key_file) : NULL;
    http->config.environment = coras_environment_or_none(config->environment);
    if ((config->ca_file && !http->config.ca_file) ||
        (config->cert_file && !http->config.cert_file) ||
        (config->key_file && !http->config.key_file)) {
        coras_http_free(http);
        return coras_fail_no_memory(err);
    }
    *ret = http;
    return 0;
}

void coras_http_free(coras_http *http)
{
    if (!http)
        return;
    coras_http_pool_clear(&http->pool);
    config_clear(&http->config);
    free(http);
}

/* ---- running ---- */

static CURLcode result_of(struct coras_running *x)
{
    CURLMsg *message;
    int left;

    while ((message = x->curl->multi_info_read(x->handle->multi, &left)))
        if (message->msg == CURLMSG_DONE && message->easy_handle == x->handle->easy)
            return message->data.result;
    return CURLE_OK; /* stopped by ourselves; x->rc says why */
}

static CURLcode run(struct coras_running *x)
{
    const struct coras_curl *curl = x->curl;
    int running = 1;

    coras_running_watch(x);
    if (curl->multi_add_handle(x->handle->multi, x->handle->easy) != CURLM_OK)
        return CURLE_FAILED_INIT;
    for (;;) {
        if (curl->multi_perform(x->handle->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (!running)
            return result_of(x);
        if (x->rc == 0)
            x->rc = coras_cancel_check(x->http->config.cancel, &x->error);
        if (x->rc == 0)
            x->rc = coras_running_check_stall(x);
        if (x->rc < 0)
            return CURLE_ABORTED_BY_CALLBACK;
        curl->multi_poll(x->handle->multi, NULL, 0, WAIT_MS, NULL);
    }
}

/* Whose addresses were tried. */
static coras_str dialed_host(const struct coras_running *x)
{
    const char *proxy = coras_proxy_for(x->http->config.environment, &x->url);

    return proxy ? coras_proxy_host(proxy) : x->url.host;
}

static int fail_transport(struct coras_running *x, CURLcode code, coras_error **err)
{
    long os_errno = 0, verify = 0, proxy_verify = 0, proxy_status = 0;

    x->curl->easy_getinfo(x->handle->easy, CURLINFO_OS_ERRNO, &os_errno);
    x->curl->easy_getinfo(x->handle->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    x->curl->easy_getinfo(x->handle->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &proxy_verify);
    x->curl->easy_getinfo(x->handle->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    struct coras_http_failure f = {
        .url = &x->url,
        .curl_code = (int)code,
        .os_errno = (int)os_errno,
        .socket_errno = x->socket_errno,
        .verify_result = proxy_verify > 1 ? proxy_verify : verify,
        .tls = x->tls,
        .proxy_status = (int)proxy_status,
        .curl_text = *x->curl_text ? x->curl_text : x->curl->easy_strerror(code),
        .dial = coras_dialed_named(&x->dialed, dialed_host(x)),
        .through_proxy = coras_proxy_for(x->http->config.environment, &x->url) != NULL,
        .in_headers = x->response->status && !x->headers_done,
    };
    return coras_http_fail(&f, err);
}

/* A refusal says what it says with its headers. distribution 2.8 announces the whole blob's length
 * for the body of a 416; others close the connection on a body that they do not want. */
static bool is_refused(const struct coras_running *x)
{
    return x->headers_done && x->response->status >= 400;
}

static int outcome(struct coras_running *x, CURLcode code, coras_error **err)
{
    if (x->rc < 0) {
        coras_error_propagate(err, &x->error);
        return x->rc;
    }
    if (code != CURLE_OK && !x->stopped && !is_refused(x))
        return fail_transport(x, code, err);
    if (!x->headers_done) {
        int rc = coras_fail(err, CORAS_ERR_CONNECT, "EOF");
        coras_error_set_retryable(err, true);
        return rc;
    }
    return 0;
}

/* The address that was connected to, not one that the name has by now. A proxy's says nothing. */
static void note_peer(struct coras_running *x)
{
    char *address = NULL;

    if (!coras_proxy_for(x->http->config.environment, &x->url) &&
        x->curl->easy_getinfo(x->handle->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK &&
        address)
        x->end.peer = coras_literal_zone(address);
}

static int perform(struct coras_running *x, coras_error **err)
{
    int rc = coras_running_set_options(x, err);

    if (rc == 0) {
        CURLcode code = run(x);
        if (x->rc == CORAS_ERR_CANCELLED) /* do not wait for a resolver thread */
            CORAS_CURL_SET(x, CURLOPT_QUICK_EXIT, 1L);
        x->curl->multi_remove_handle(x->handle->multi, x->handle->easy);
        note_peer(x);
        rc = outcome(x, code, err);
    }
    coras_running_clear_options(x);
    return rc;
}

static int prepare_response(struct coras_running *x, coras_error **err)
{
    CORAS_TRY(coras_response_new(&x->response, err));
    CORAS_TRY(coras_url_copy(x->ex->url, &x->response->url, &x->response->at, err));
    x->response->method = coras_strdup(x->ex->method);
    return x->response->method ? 0 : coras_fail_no_memory(err);
}

static enum coras_http_guard guard_of(const struct coras_exchange *ex)
{
    if (!ex->guarded)
        return CORAS_GUARD_NONE;
    return ex->guard_private ? CORAS_GUARD_PRIVATE : CORAS_GUARD_INNER;
}

int coras_http_exchange(coras_http *http, const struct coras_exchange *ex, coras_response **ret,
                        struct coras_exchange_end *end, coras_error **err)
{
    struct coras_running x = {.http = http, .ex = ex, .url = *ex->url, .opened = CURL_SOCKET_BAD};
    int rc;

    *end = (struct coras_exchange_end){0};
    CORAS_TRY(coras_curl_load(&x.curl, err));
    CORAS_TRY(coras_http_pool_take(&http->pool, x.curl, &x.url, guard_of(ex), &x.handle, err));
    rc = prepare_response(&x, err);
    if (rc == 0)
        rc = perform(&x, err);
    coras_http_pool_put(&http->pool, x.handle);
    *end = x.end;
    if (rc < 0) {
        coras_response_free(x.response);
        return rc;
    }
    *ret = x.response;
    return 0;
}
