#include "http/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/trace.h"
#include "http/curl_api.h"
#include "http/debug_log.h"
#include "http/failure.h"
#include "http/connection_pool.h"
#include "http/origin_policy.h"
#include "http/proxy.h"
#include "http/trust.h"

enum {
    WAIT_MS = 200,           /* longest wait between two looks at the cancel flag */
    PAUSE_MS = 2000,         /* a longer gap means that we were stopped or blocked, not the net */
    STALL_BYTES = CORAS_KIB, /* less than this in a window is no progress */
    CONNECT_TIMEOUT_S = 30,  /* as Go's default dialer */
    IDLE_CONNECTION_S = 90,  /* as Go's default transport */
    SMALL_BUFFER = 16 * CORAS_KIB,
    LARGE_BUFFER = 512 * CORAS_KIB, /* libcurl's largest; measured: smaller ones cost CPU */
    SMALL_UPLOAD_BUFFER = 64 * CORAS_KIB,
    LARGE_UPLOAD_BUFFER = 256 * CORAS_KIB, /* measured: more brings nothing but memory */
    DEFAULT_BODY_LIMIT = 64 * CORAS_KIB,
};

struct coras_http {
    struct coras_http_config config; /* const after new; strings owned */
    struct coras_proxy_env proxy;    /* const after new */
    struct coras_http_pool pool;
};

/* One exchange while it runs; lives on the stack of the thread that sends. */
struct exchange {
    coras_http *http;
    const struct coras_exchange *ex;
    const struct coras_curl *curl;
    struct coras_http_handle *handle;
    coras_response *response;
    coras_url url;
    struct curl_slist *header_lines;
    size_t header_bytes;
    bool headers_done;
    bool to_sink;
    bool stopped; /* by the sink or by a body limit: the transfer ended early, on purpose */
    int rc;       /* failure of a callback */
    coras_error *error;
    int64_t body_sent;
    struct coras_exchange_end end;
    int64_t window_start_ms, last_look_ms, window_bytes; /* stall detection */
    coras_buf dial;                                      /* address of the last attempt */
    curl_socket_t opened;                                /* its socket */
    int socket_errno;                                    /* why there is none */
    char curl_text[CURL_ERROR_SIZE];
};

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
    http->proxy = coras_proxy_env_get();
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

/* ---- callbacks; they run on the thread that sends ---- */

static bool is_success(const coras_response *r)
{
    return r->status >= 200 && r->status < 300;
}

/* The sender's time in a sink or source must not look like a network that stands still. */
static void forgive_pause(struct exchange *x)
{
    int64_t now = coras_now_ms();

    if (now - x->last_look_ms > PAUSE_MS)
        x->window_start_ms += now - x->last_look_ms;
    x->last_look_ms = now;
}

static int start_headers(struct exchange *x, const char *line, size_t len)
{
    coras_response *r = x->response;
    const char *space = memchr(line, ' ', len);
    int64_t status = 0;

    coras_header_list_clear(&r->headers);
    free(r->status_text);
    r->status_text = NULL;
    if (!space || line + len - space < 4 ||
        !coras_parse_int64((coras_str){space + 1, 3}, &status) || status < 100)
        return coras_fail(&x->error, CORAS_ERR_PROTOCOL, "malformed HTTP status line");
    coras_str text = coras_str_trim((coras_str){space, len - (size_t)(space - line)});
    r->status = (int)status;
    r->status_text = coras_strndup(text.ptr, text.len);
    return r->status_text ? 0 : coras_fail_no_memory(&x->error);
}

static int add_header(struct exchange *x, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);

    if (!colon || colon == line || coras_is_space(line[0]))
        return 0; /* continuation lines and rubbish carry nothing that we use */
    coras_str name = {line, (size_t)(colon - line)};
    coras_str value = coras_str_trim((coras_str){colon + 1, len - name.len - 1});
    return coras_header_list_add(&x->response->headers, name, value, false, &x->error);
}

/* RFC 9112 6.3: what frames the message must not be ambiguous. */
static int check_framing(struct exchange *x)
{
    const coras_header_list *h = &x->response->headers;
    const char *length = coras_header_list_at(h, "Content-Length", 0);
    const char *other;

    if (length && coras_header_list_at(h, "Transfer-Encoding", 0))
        return coras_fail(&x->error, CORAS_ERR_PROTOCOL,
                          "response has both Content-Length and Transfer-Encoding");
    for (size_t i = 1; (other = coras_header_list_at(h, "Content-Length", i)); i++)
        if (!coras_streq(other, length))
            return coras_fail(&x->error, CORAS_ERR_PROTOCOL,
                              "response has two different Content-Length headers");
    return 0;
}

/* Whether libcurl undoes a compression: of documents, since the bytes of a blob are its digest's.
 */
static bool is_document(const struct exchange *x)
{
    return !x->ex->request->sink || x->ex->request->document;
}

/*
 * RFC 9110 8.4: a coding that a proxy has put on although we asked for none. What is undone leaves
 * no trace in the headers, as in Go: their length was that of other bytes.
 */
static int check_coding(struct exchange *x)
{
    coras_header_list *h = &x->response->headers;
    const char *coding = coras_header_list_at(h, "Content-Encoding", 0);

    if (!coding || coras_str_ieq(coding, "identity"))
        return 0;
    if (!coras_header_list_at(h, "Content-Encoding", 1) &&
        (coras_str_ieq(coding, "gzip") || coras_str_ieq(coding, "x-gzip"))) {
        coras_header_list_remove(h, "Content-Encoding");
        coras_header_list_remove(h, "Content-Length");
        return 0;
    }
    if (!is_success(x->response))
        return 0; /* the status says enough */
    coras_auto_free char *shown = coras_escape_dup(coding);
    return coras_fail(&x->error, CORAS_ERR_PROTOCOL,
                      "response has Content-Encoding \"%s\", which was not asked for",
                      shown ? shown : "");
}

static int end_headers(struct exchange *x)
{
    const coras_request *req = x->ex->request;

    if (x->response->status < 200)
        return 0; /* the final answer is still to come */
    x->headers_done = true;
    CORAS_TRY(check_framing(x));
    if (is_document(x))
        CORAS_TRY(check_coding(x));
    if (!is_success(x->response))
        return 0;
    x->to_sink = req->sink != NULL;
    if (x->to_sink && req->accept) {
        int rc = req->accept(req->accept_user, x->response, &x->error);
        x->end.callers_own = rc < 0;
        return rc;
    }
    x->response->body.limit = req->body_limit ? req->body_limit : DEFAULT_BODY_LIMIT;
    return 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t len = size * count;

    if (x->headers_done)
        return len; /* trailers */
    x->header_bytes += len;
    if (x->header_bytes > CORAS_LIMIT_HEADERS)
        x->rc = coras_fail(&x->error, CORAS_ERR_TOO_LARGE, "response headers exceed the limit");
    else if (memchr(line, '\0', len))
        x->rc = coras_fail(&x->error, CORAS_ERR_PROTOCOL, "NUL byte in a response header");
    else if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        x->rc = start_headers(x, line, len);
    else if (len <= 2 && coras_str_trim((coras_str){line, len}).len == 0)
        x->rc = end_headers(x);
    else
        x->rc = add_header(x, line, len);
    return x->rc < 0 ? 0 : len;
}

static size_t to_sink(struct exchange *x, const char *data, size_t len)
{
    const coras_sink *sink = x->ex->request->sink;

    coras_debuglog_keep_body(x->response, data, len);
    x->end.sink_bytes += (int64_t)len;
    int rc = sink->write(sink->user, data, len, &x->error);
    forgive_pause(x);
    if (rc == 0)
        return len;
    x->stopped = rc == CORAS_SINK_STOP;
    x->rc = rc < 0 ? rc : 0;
    x->end.callers_own = rc < 0;
    return 0;
}

static size_t to_buffer(struct exchange *x, const char *data, size_t len)
{
    coras_response *r = x->response;
    size_t room = r->body.limit - r->body.len;

    coras_buf_put(&r->body, data, len < room ? len : room);
    if (r->body.failed) {
        x->rc = coras_buf_done(&r->body, &x->error);
        return 0;
    }
    if (len <= room)
        return len;
    if (is_success(r)) {
        x->rc = coras_fail(&x->error, CORAS_ERR_TOO_LARGE,
                           "response body exceeds the limit of %zu bytes: size exceeds limit",
                           r->body.limit);
    } else {
        r->body_cut = true; /* an error is a sentence: this much of it is enough */
        x->stopped = true;
    }
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t len = size * count;

    if (!len)
        return 0;
    if (coras_cancel_check(x->http->config.cancel, &x->error) < 0) {
        x->rc = CORAS_ERR_CANCELLED;
        return 0;
    }
    x->response->body_received += (int64_t)len;
    return x->to_sink ? to_sink(x, data, len) : to_buffer(x, data, len);
}

static size_t on_read(char *buffer, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    const coras_request *req = x->ex->request;
    size_t cap = size * count, got = 0;
    int64_t left = req->body_length - x->body_sent;

    if (left <= 0)
        return 0;
    if ((int64_t)cap > left)
        cap = (size_t)left;
    x->rc = coras_cancel_check(x->http->config.cancel, &x->error);
    if (x->rc == 0) {
        x->rc = req->source->read_at(req->source->user, buffer, cap,
                                     req->source_offset + x->body_sent, &got, &x->error);
        x->end.callers_own = x->rc < 0;
    }
    forgive_pause(x);
    if (x->rc < 0)
        return CURL_READFUNC_ABORT;
    x->body_sent += (int64_t)got;
    if (req->sent)
        req->sent(req->sent_user, x->body_sent);
    return got;
}

/* libcurl goes back when a kept connection turns out to be dead. What a PATCH has sent may have
 * counted already, and a caller with a plan of its own wants to ask before gigabytes are sent
 * again, so neither is sent twice here. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct exchange *x = user;
    bool once = coras_streq(x->ex->method, "PATCH") || x->ex->request->no_retry;

    if (origin != SEEK_SET || (once && x->body_sent > 0))
        return CURL_SEEKFUNC_FAIL;
    x->body_sent = offset;
    return CURL_SEEKFUNC_OK;
}

static void note_dial(struct exchange *x, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->sa_family == AF_INET) {
        coras_buf_reset(&x->dial);
        memcpy(&in, address, sizeof(in));
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
        coras_buf_printf(&x->dial, "%s:%d", text, ntohs(in.sin_port));
    } else if (address->sa_family == AF_INET6 && !x->dial.len) { /* people know IPv4 better */
        memcpy(&in6, address, sizeof(in6));
        inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
        coras_buf_printf(&x->dial, "[%s]:%d", text, ntohs(in6.sin6_port));
    }
}

/* Why this address must not be talked to; NULL when it may. */
static const char *why_blocked(const struct exchange *x, const struct sockaddr *address)
{
    if (!x->ex->guarded || coras_proxy_for(&x->http->proxy, &x->url))
        return NULL; /* a proxy decides for itself what it reaches */
    const char *prefix = coras_address_blocked(address);
    if (!prefix && x->ex->guard_private && coras_address_private(address))
        prefix = "of private networks";
    return prefix;
}

/* Every connection is made here, so the address that was checked is the one that is used. */
static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *x = user;

    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    note_dial(x, &address->addr);
    const char *prefix = why_blocked(x, &address->addr);
    if (prefix) {
        if (x->rc == 0)
            x->rc =
                coras_fail(&x->error, CORAS_ERR_UNTRUSTED_ORIGIN,
                           "%s host \"%.*s\" resolves to %s, in blocked prefix %s", x->ex->guarded,
                           (int)x->url.host.len, x->url.host.ptr, x->dial.ptr, prefix);
        return CURL_SOCKET_BAD;
    }
    x->opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    x->socket_errno = x->opened < 0 ? errno : 0;
    return x->opened;
}

/* ---- setting up ---- */

static int add_line(struct exchange *x, const char *line, coras_error **err)
{
    struct curl_slist *longer = x->curl->slist_append(x->header_lines, line);

    if (!longer)
        return coras_fail_no_memory(err);
    x->header_lines = longer;
    return 0;
}

static int make_header_lines(struct exchange *x, coras_error **err)
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

static void free_header_lines(struct exchange *x)
{
    for (struct curl_slist *l = x->header_lines; l; l = l->next)
        coras_wipe(l->data, strlen(l->data));
    x->curl->slist_free_all(x->header_lines);
}

#define SET(option, value) x->curl->easy_setopt(x->handle->easy, (option), (value))

static void set_transport(struct exchange *x)
{
    const struct coras_http_config *c = &x->http->config;
    const coras_request *req = x->ex->request;
    bool large = req->sink && !req->small;
    int connect_s = c->stall_timeout_s < CONNECT_TIMEOUT_S ? c->stall_timeout_s : CONNECT_TIMEOUT_S;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* measured: HTTP/2 costs 20-40 % */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)connect_s);
    SET(CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
    SET(CURLOPT_BUFFERSIZE, (long)(large ? LARGE_BUFFER : SMALL_BUFFER));
    SET(CURLOPT_UPLOAD_BUFFERSIZE,
        (long)(req->body_length > SMALL_UPLOAD_BUFFER ? LARGE_UPLOAD_BUFFER : SMALL_UPLOAD_BUFFER));
    const char *proxy = coras_proxy_for(&x->http->proxy, &x->url);
    SET(CURLOPT_PROXY, proxy ? proxy : ""); /* "" keeps libcurl from reading the environment */
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/* --ca-file replaces all; SSL_CERT_FILE and SSL_CERT_DIR replace their half, as in Go. */
static void set_authorities(struct exchange *x)
{
    const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
    const char *hashed;

    if (x->http->config.ca_file) {
        SET(CURLOPT_CAINFO, x->http->config.ca_file);
        SET(CURLOPT_CAPATH, NULL);
        return;
    }
    if (file && *file)
        SET(CURLOPT_CAINFO, file);
    if (dir && *dir)
        SET(CURLOPT_CAPATH, dir);
    if (!(file && *file) && !(dir && *dir) && (hashed = coras_trust_hashed_dir())) {
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAPATH, hashed);
    }
}

static void set_tls(struct exchange *x)
{
    const struct coras_http_config *c = &x->http->config;

    if (!x->url.https)
        return;
    SET(CURLOPT_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
    set_authorities(x);
    if (c->cert_file && c->key_file && x->ex->own_origin) {
        SET(CURLOPT_SSLCERT, c->cert_file);
        SET(CURLOPT_SSLKEY, c->key_file);
    }
}

static void set_request(struct exchange *x, struct curl_slist *connect_to)
{
    const struct coras_exchange *ex = x->ex;

    SET(CURLOPT_URL, ex->url);
    SET(CURLOPT_HTTPHEADER, x->header_lines);
    SET(CURLOPT_CONNECT_TO, connect_to);
    SET(CURLOPT_ERRORBUFFER, x->curl_text);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, x);
    if (is_document(x))
        SET(CURLOPT_ACCEPT_ENCODING, "gzip"); /* to undo it; what is asked for is a header line */
    if (coras_streq(ex->method, "HEAD")) {
        SET(CURLOPT_NOBODY, 1L);
        return;
    }
    if (ex->send_body) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)ex->request->body_length);
        SET(CURLOPT_READFUNCTION, on_read);
        SET(CURLOPT_READDATA, x);
        SET(CURLOPT_SEEKFUNCTION, on_seek);
        SET(CURLOPT_SEEKDATA, x);
        SET(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
    }
    SET(CURLOPT_CUSTOMREQUEST, ex->method);
}

static int make_connect_to(struct exchange *x, struct curl_slist **ret, coras_error **err)
{
    const coras_strlist *rules = x->http->config.connect_to;

    for (size_t i = 0; rules && i < rules->len; i++) {
        struct curl_slist *longer = x->curl->slist_append(*ret, rules->items[i]);
        if (!longer)
            return coras_fail_no_memory(err);
        *ret = longer;
    }
    return 0;
}

/* ---- running ---- */

/* Bytes that have left for the network or come from it. */
static int64_t moved_bytes(struct exchange *x)
{
    curl_off_t uploaded = 0;
    curl_socket_t fd = x->opened;
    int queued = 0;

    x->curl->easy_getinfo(x->handle->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (fd == CURL_SOCKET_BAD) /* libcurl knows the socket of a connection that was kept */
        x->curl->easy_getinfo(x->handle->easy, CURLINFO_ACTIVESOCKET, &fd);
    /* On a slow link the kernel's queue drains long after libcurl has handed the last byte over. */
    if (uploaded && fd != CURL_SOCKET_BAD && ioctl(fd, SIOCOUTQ, &queued) != 0)
        queued = 0;
    return x->response->body_received + uploaded - queued;
}

static bool awaits_answer(const struct exchange *x)
{
    return x->ex->send_body && x->body_sent >= x->ex->request->body_length && !x->headers_done;
}

static int check_stall(struct exchange *x)
{
    const struct coras_http_config *c = &x->http->config;
    /* A registry may hash and move a large blob before it answers the upload. */
    int limit_s = awaits_answer(x) ? c->answer_timeout_s : c->stall_timeout_s;

    forgive_pause(x);
    if (x->last_look_ms - x->window_start_ms < (int64_t)limit_s * 1000)
        return 0;
    int64_t moved = moved_bytes(x);
    if (moved - x->window_bytes < STALL_BYTES) {
        int rc = coras_fail(&x->error, CORAS_ERR_TIMEOUT, "no progress for %d s", limit_s);
        coras_error_set_retryable(&x->error, true);
        coras_hint(&x->error, "ORAS_HTTP_TIMEOUT sets the seconds to wait for progress");
        return rc;
    }
    x->window_start_ms = x->last_look_ms;
    x->window_bytes = moved;
    return 0;
}

static CURLcode result_of(struct exchange *x)
{
    CURLMsg *message;
    int left;

    while ((message = x->curl->multi_info_read(x->handle->multi, &left)))
        if (message->msg == CURLMSG_DONE && message->easy_handle == x->handle->easy)
            return message->data.result;
    return CURLE_OK; /* stopped by ourselves; x->rc says why */
}

static CURLcode run(struct exchange *x)
{
    const struct coras_curl *curl = x->curl;
    int running = 1;

    x->window_start_ms = x->last_look_ms = coras_now_ms();
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
            x->rc = check_stall(x);
        if (x->rc < 0)
            return CURLE_ABORTED_BY_CALLBACK;
        curl->multi_poll(x->handle->multi, NULL, 0, WAIT_MS, NULL);
    }
}

static int fail_transport(struct exchange *x, CURLcode code, coras_error **err)
{
    long os_errno = 0, verify = 0;

    x->curl->easy_getinfo(x->handle->easy, CURLINFO_OS_ERRNO, &os_errno);
    x->curl->easy_getinfo(x->handle->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    struct coras_http_failure f = {
        .url = &x->url,
        .curl_code = (int)code,
        .os_errno = (int)os_errno,
        .socket_errno = x->socket_errno,
        .verify_result = verify,
        .curl_text = *x->curl_text ? x->curl_text : x->curl->easy_strerror(code),
        .dial = x->dial.ptr,
        .through_proxy = coras_proxy_for(&x->http->proxy, &x->url) != NULL,
        .in_headers = x->response->status && !x->headers_done,
    };
    return coras_http_fail(&f, err);
}

/* A refusal says what it says with its headers. distribution 2.8 announces the whole blob's length
 * for the body of a 416; others close the connection on a body that they do not want. */
static bool is_refused(const struct exchange *x)
{
    return x->headers_done && x->response->status >= 400;
}

static int outcome(struct exchange *x, CURLcode code, coras_error **err)
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

static int perform(struct exchange *x, coras_error **err)
{
    struct curl_slist *connect_to = NULL;
    int rc = make_header_lines(x, err);

    if (rc == 0)
        rc = make_connect_to(x, &connect_to, err);
    if (rc == 0) {
        x->curl->easy_reset(x->handle->easy);
        set_transport(x);
        set_tls(x);
        set_request(x, connect_to);
        CURLcode code = run(x);
        if (x->rc == CORAS_ERR_CANCELLED)
            SET(CURLOPT_QUICK_EXIT, 1L); /* do not wait for a resolver thread */
        x->curl->multi_remove_handle(x->handle->multi, x->handle->easy);
        rc = outcome(x, code, err);
        /* What the handle points to is about to go. */
        SET(CURLOPT_HTTPHEADER, NULL);
        SET(CURLOPT_CONNECT_TO, NULL);
        SET(CURLOPT_ERRORBUFFER, NULL);
        SET(CURLOPT_OPENSOCKETFUNCTION, NULL);
    }
    free_header_lines(x);
    x->curl->slist_free_all(connect_to);
    return rc;
}

static int prepare_response(struct exchange *x, coras_error **err)
{
    CORAS_TRY(coras_response_new(&x->response, err));
    x->response->url = coras_strdup(x->ex->url);
    x->response->method = coras_strdup(x->ex->method);
    return x->response->url && x->response->method ? 0 : coras_fail_no_memory(err);
}

int coras_http_exchange(coras_http *http, const struct coras_exchange *ex, coras_response **ret,
                        struct coras_exchange_end *end, coras_error **err)
{
    struct exchange x = {
        .http = http, .ex = ex, .dial = CORAS_BUF_UNLIMITED, .opened = CURL_SOCKET_BAD};
    int rc;

    *end = (struct coras_exchange_end){0};
    CORAS_TRY(coras_curl_load(&x.curl, err));
    CORAS_TRY(coras_url_parse(ex->url, &x.url, err));
    CORAS_TRY(
        coras_http_pool_take(&http->pool, x.curl, &x.url, ex->guarded != NULL, &x.handle, err));
    rc = prepare_response(&x, err);
    if (rc == 0)
        rc = perform(&x, err);
    coras_http_pool_put(&http->pool, x.handle);
    coras_buf_clear(&x.dial);
    *end = x.end;
    if (rc < 0) {
        coras_response_free(x.response);
        return rc;
    }
    *ret = x.response;
    return 0;
}
