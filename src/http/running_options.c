/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcurl is told before an exchange: the header lines, the transport, TLS, the request.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/running.h"
#include "http/trust.h"

enum {
    CONNECT_TIMEOUT_S = 30, /* as Go's default dialer */
    IDLE_CONNECTION_S = 90, /* as Go's default transport */
    SMALL_BUFFER = 32 * CORAS_KIB,
    SHARED_BUFFER = 128 * CORAS_KIB,
    LARGE_BUFFER = 512 * CORAS_KIB, /* libcurl's largest; measured: smaller ones cost CPU */
    SMALL_UPLOAD_BUFFER = 64 * CORAS_KIB,
    LARGE_UPLOAD_BUFFER = 256 * CORAS_KIB, /* measured: more brings nothing but memory */
};

static int add_line(struct coras_running *x, const char *line, coras_error **err)
{
    struct curl_slist *longer = x->curl->slist_append(x->header_lines, line);

    if (!longer)
        return coras_fail_no_memory(err);
    x->header_lines = longer;
    return 0;
}

static int make_header_lines(struct coras_running *x, coras_error **err)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    const coras_header_list *headers = x->ex->headers;

    for (size_t i = 0; i < headers->len; i++) {
        const struct coras_header_item *h = &headers->items[i];
        coras_wipe(line.ptr, line.len);
        coras_buf_reset(&line);
        /* libcurl's notation: "Name;" sends the header with an empty value. */
        coras_buf_printf(&line, *h->value ? "%s: %s" : "%s;", h->name, h->value);
        CORAS_TRY(coras_buf_done(&line, err));
        CORAS_TRY(add_line(x, line.ptr, err));
    }
    coras_wipe(line.ptr, line.len);
    /* "Name:" keeps libcurl from sending its own. */
    if (!coras_header_list_at(headers, "Accept", 0))
        CORAS_TRY(add_line(x, "Accept:", err));
    /* Without a word a proxy may compress. */
    if (!coras_header_list_at(headers, "Accept-Encoding", 0))
        CORAS_TRY(add_line(x, "Accept-Encoding: identity", err));
    return add_line(
        x, x->ex->request->expect_continue && x->ex->send_body ? "Expect: 100-continue" : "Expect:",
        err);
}

static void set_transport(struct coras_running *x)
{
    const struct coras_http_config *c = &x->http->config;
    const coras_request *req = x->ex->request;
    bool large = req->sink && !req->small;
    int connect_s = c->stall_timeout_s < CONNECT_TIMEOUT_S ? c->stall_timeout_s : CONNECT_TIMEOUT_S;

    CORAS_CURL_SET(x, CURLOPT_NOSIGNAL, 1L);
    CORAS_CURL_SET(x, CURLOPT_NOPROGRESS, 1L);
    CORAS_CURL_SET(x, CURLOPT_PROTOCOLS_STR, "http,https");
    CORAS_CURL_SET(x, CURLOPT_HTTP09_ALLOWED, 0L);
    CORAS_CURL_SET(x, CURLOPT_HTTP_VERSION,
                   (long)CURL_HTTP_VERSION_1_1); /* measured: HTTP/2 costs 20-40 % */
    CORAS_CURL_SET(x, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    CORAS_CURL_SET(x, CURLOPT_FOLLOWLOCATION, 0L);
    CORAS_CURL_SET(x, CURLOPT_TCP_NODELAY, 1L);
    CORAS_CURL_SET(x, CURLOPT_TCP_KEEPALIVE, 1L);
    CORAS_CURL_SET(x, CURLOPT_PATH_AS_IS, 1L);
    CORAS_CURL_SET(x, CURLOPT_CONNECTTIMEOUT, (long)connect_s);
    CORAS_CURL_SET(x, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
    int64_t buffer = !large ? SMALL_BUFFER : req->one_of_many ? SHARED_BUFFER : LARGE_BUFFER;
    CORAS_CURL_SET(x, CURLOPT_BUFFERSIZE, (long)buffer);
    CORAS_CURL_SET(
        x, CURLOPT_UPLOAD_BUFFERSIZE,
        (long)(req->body_length > SMALL_UPLOAD_BUFFER ? LARGE_UPLOAD_BUFFER : SMALL_UPLOAD_BUFFER));
    const char *proxy = coras_proxy_for(x->http->config.environment, &x->url);
    CORAS_CURL_SET(x, CURLOPT_PROXY,
                   proxy ? proxy : ""); /* "" keeps libcurl from reading the environment */
    CORAS_CURL_SET(x, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/* Authorities for the registry and for a proxy; NULL: none of that form. */
static void set_authorities_file(struct coras_running *x, const char *file)
{
    CORAS_CURL_SET(x, CURLOPT_CAINFO, file);
    CORAS_CURL_SET(x, CURLOPT_PROXY_CAINFO, file);
}

static void set_authorities_dir(struct coras_running *x, const char *dir)
{
    CORAS_CURL_SET(x, CURLOPT_CAPATH, dir);
    CORAS_CURL_SET(x, CURLOPT_PROXY_CAPATH, dir);
}

/*
 * --ca-file replaces all; the environment's file and directory replace their half, as in Go. Of the
 * system's own, what the bundle has is in the hashed directory too.
 */
static void set_authorities(struct coras_running *x)
{
    const char *file = x->http->config.environment->authorities_file;
    const char *dir = x->http->config.environment->authorities_dir;
    const char *hashed = coras_trust_hashed_dir();
    bool without_bundle = !file && !dir && hashed;

    if (x->http->config.ca_file) {
        set_authorities_file(x, x->http->config.ca_file);
        set_authorities_dir(x, NULL);
        return;
    }
    if (!file && !without_bundle)
        file = coras_trust_bundle();
    if (file || without_bundle)
        set_authorities_file(x, file);
    if (dir || hashed)
        set_authorities_dir(x, dir ? dir : hashed);
}

/* libcurl's debug function, for what TLS says beside the data. */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *user)
{
    struct coras_running *x = user;

    (void)easy;
    if (type == CURLINFO_SSL_DATA_IN || type == CURLINFO_SSL_DATA_OUT)
        coras_tls_watch_note(&x->tls, type == CURLINFO_SSL_DATA_IN, data, len);
    return 0;
}

static void watch_tls(struct coras_running *x)
{
    CORAS_CURL_SET(x, CURLOPT_VERBOSE, 1L); /* only for the function, which prints nothing */
    CORAS_CURL_SET(x, CURLOPT_DEBUGFUNCTION, on_debug);
    CORAS_CURL_SET(x, CURLOPT_DEBUGDATA, x);
}

/* A proxy that speaks TLS is judged as the registry is: by the same authorities, or not at all. */
static void set_proxy_tls(struct coras_running *x)
{
    const struct coras_http_config *c = &x->http->config;

    CORAS_CURL_SET(x, CURLOPT_PROXY_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
    CORAS_CURL_SET(x, CURLOPT_PROXY_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
}

static void set_tls(struct coras_running *x)
{
    const struct coras_http_config *c = &x->http->config;
    bool through_proxy = coras_proxy_for(x->http->config.environment, &x->url) != NULL;

    if (!x->url.https && !through_proxy)
        return;
    watch_tls(x);
    set_authorities(x);
    set_proxy_tls(x);
    if (!x->url.https)
        return;
    CORAS_CURL_SET(x, CURLOPT_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
    CORAS_CURL_SET(x, CURLOPT_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
    if (c->cert_file && c->key_file && x->ex->own_origin) {
        CORAS_CURL_SET(x, CURLOPT_SSLCERT, c->cert_file);
        CORAS_CURL_SET(x, CURLOPT_SSLKEY, c->key_file);
    }
}

static void set_request(struct coras_running *x)
{
    const struct coras_exchange *ex = x->ex;

    CORAS_CURL_SET(x, CURLOPT_URL, ex->url->text);
    CORAS_CURL_SET(x, CURLOPT_HTTPHEADER, x->header_lines);
    CORAS_CURL_SET(x, CURLOPT_CONNECT_TO, x->connect_to);
    CORAS_CURL_SET(x, CURLOPT_ERRORBUFFER, x->curl_text);
    CORAS_CURL_SET(x, CURLOPT_HEADERFUNCTION, coras_running_on_header);
    CORAS_CURL_SET(x, CURLOPT_HEADERDATA, x);
    CORAS_CURL_SET(x, CURLOPT_WRITEFUNCTION, coras_running_on_body);
    CORAS_CURL_SET(x, CURLOPT_WRITEDATA, x);
    CORAS_CURL_SET(x, CURLOPT_OPENSOCKETFUNCTION, coras_running_on_open_socket);
    CORAS_CURL_SET(x, CURLOPT_OPENSOCKETDATA, x);
    if (coras_running_is_document(x))
        CORAS_CURL_SET(x, CURLOPT_ACCEPT_ENCODING,
                       "gzip"); /* to undo it; what is asked for is a header line */
    if (coras_streq(ex->method, "HEAD")) {
        CORAS_CURL_SET(x, CURLOPT_NOBODY, 1L);
        return;
    }
    if (ex->send_body) {
        CORAS_CURL_SET(x, CURLOPT_UPLOAD, 1L);
        CORAS_CURL_SET(x, CURLOPT_INFILESIZE_LARGE, (curl_off_t)ex->request->body_length);
        CORAS_CURL_SET(x, CURLOPT_READFUNCTION, coras_running_on_read);
        CORAS_CURL_SET(x, CURLOPT_READDATA, x);
        CORAS_CURL_SET(x, CURLOPT_SEEKFUNCTION, coras_running_on_seek);
        CORAS_CURL_SET(x, CURLOPT_SEEKDATA, x);
        CORAS_CURL_SET(x, CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
    }
    CORAS_CURL_SET(x, CURLOPT_CUSTOMREQUEST, ex->method);
}

static int make_connect_to(struct coras_running *x, coras_error **err)
{
    const coras_strlist *rules = x->http->config.connect_to;

    for (size_t i = 0; rules && i < rules->len; i++) {
        struct curl_slist *longer = x->curl->slist_append(x->connect_to, rules->items[i]);
        if (!longer)
            return coras_fail_no_memory(err);
        x->connect_to = longer;
    }
    return 0;
}

int coras_running_set_options(struct coras_running *x, coras_error **err)
{
    CORAS_TRY(make_header_lines(x, err));
    CORAS_TRY(make_connect_to(x, err));
    x->curl->easy_reset(x->handle->easy);
    set_transport(x);
    set_tls(x);
    set_request(x);
    return 0;
}

void coras_running_clear_options(struct coras_running *x)
{
    CORAS_CURL_SET(x, CURLOPT_HTTPHEADER, NULL);
    CORAS_CURL_SET(x, CURLOPT_CONNECT_TO, NULL);
    CORAS_CURL_SET(x, CURLOPT_ERRORBUFFER, NULL);
    CORAS_CURL_SET(x, CURLOPT_OPENSOCKETFUNCTION, NULL);
    CORAS_CURL_SET(x, CURLOPT_VERBOSE, 0L);
    CORAS_CURL_SET(x, CURLOPT_DEBUGDATA, NULL);
    for (struct curl_slist *l = x->header_lines; l; l = l->next)
        coras_wipe(l->data, strlen(l->data));
    x->curl->slist_free_all(x->header_lines);
    x->curl->slist_free_all(x->connect_to);
}
