/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP by libmicrohttpd: its callbacks fill the exchange and send what comes of it. */
#include "serve/http/front.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/http/certificate.h"
#include "serve/http/clients.h"
#include "serve/http/log.h"

/* Half of it is the receive buffer: pieces of an upload have this size at most. The library clears
 * all of it between two requests, so every open connection costs it in full, and every request the
 * time. A head must fit in too: real ones have some KiB. */
#define CONNECTION_MEMORY (40 * CORAS_KIB)
/* Address space; the JSON parser may nest 2048 deep. */
#define THREAD_STACK (2 * CORAS_MIB)
/* What is read and thrown away so that a refused client finds its answer. */
#define DRAIN_FAILED_BYTES  (64 * CORAS_MIB) /* an upload that went wrong on the way */
#define DRAIN_REFUSED_BYTES (8 * CORAS_MIB)  /* more than any manifest */
#define DRAIN_NOBODY_BYTES  (64 * CORAS_KIB)
#define HEADERS_MAX         128
/* Of a body that comes into being while it is sent; each such connection has one of these. */
#define STREAM_BLOCK (32 * CORAS_KIB)
/* Connections that were cut and are not yet gone, beside those that are allowed. */
#define LEAVING_MAX 64

/* The older versions are broken (RFC 8996); the library itself still takes them. Not const: the
 * library's option holds a plain pointer. */
static char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct serve_front {
    struct serve_registry *registry;
    struct MHD_Daemon *daemon;
    atomic_uint running;
    atomic_bool draining;
    serve_clients *clients;
};

/* One request. */
struct request {
    struct serve_front *front;
    serve_client *client; /* NULL: without a watch over it */
    struct serve_exchange exchange;
    const char *method;
    int64_t began_ms;
    bool begun; /* the head was looked at */
    int64_t drained;
    int64_t streamed; /* bytes of a body that came into being meanwhile */
};

/* ---- connections ---- */

static enum MHD_Result on_accept(void *user, const struct sockaddr *address, socklen_t len)
{
    const struct serve_front *f = user;

    (void)len;
    return serve_clients_admit(f->clients, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *user, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    const struct serve_front *f = user;
    const union MHD_ConnectionInfo *fd, *address;

    serve_metrics_add(f->registry->metrics, SERVE_METRIC_CONNECTIONS, NULL,
                      what == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
    if (what != MHD_CONNECTION_NOTIFY_STARTED) {
        serve_client_end(f->clients, *slot);
        *slot = NULL;
        return;
    }
    fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (fd)
        *slot = serve_client_start(f->clients, (int)fd->connect_fd,
                                   address ? address->client_addr : NULL);
}

void serve_front_tick(serve_front *f)
{
    serve_clients_tick(f->clients);
}

/* ---- requests ---- */

static serve_client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* Reading from it and writing to it fail from now on. Its request must be alive: the descriptor is
 * closed after that. */
static void cut_client(void *user)
{
    const serve_client *c = user;

    (void)shutdown(c->fd, SHUT_RDWR);
}

/* Runs when the request line was read; the target is still as it was sent. */
static void *on_request_line(void *user, const char *target, struct MHD_Connection *connection)
{
    struct serve_front *f = user;
    struct request *r = coras_new(struct request);

    if (!r)
        return NULL;
    r->front = f;
    r->client = client_of(connection);
    r->began_ms = coras_now_ms();
    serve_exchange_init(&r->exchange, f->registry);
    r->exchange.target = coras_strdup(target);
    if (r->client)
        r->exchange.client = (struct serve_session_holder){cut_client, r->client};
    r->exchange.peer = r->client ? r->client->peer : "unknown";
    r->exchange.network = r->client ? r->client->network : "unknown";
    return r;
}

/* Bytes of body that the client was to get. */
static int64_t sent_bytes(const struct request *r)
{
    const struct serve_exchange *x = &r->exchange;
    const struct serve_answer *a = &x->answer;

    if (a->stream.user)
        return r->streamed;
    /* the descriptor is the response's by now: its length tells that there was one */
    return x->method == SERVE_HEAD ? 0 : a->length + (int64_t)a->body.len;
}

static void count_request(const struct request *r, int64_t ms)
{
    const struct serve_exchange *x = &r->exchange;
    serve_metrics *m = x->registry->metrics;
    const struct serve_labels labels = {
        .method = x->method, .route = x->route.kind, .code = x->answer.status};

    serve_metrics_add(m, SERVE_METRIC_REQUESTS, &labels, 1);
    serve_metrics_took(m, SERVE_METRIC_REQUEST_SECONDS, &labels, ms);
    serve_metrics_add(m, SERVE_METRIC_RECEIVED_BYTES, NULL, x->received);
    serve_metrics_add(m, SERVE_METRIC_SENT_BYTES, NULL, sent_bytes(r));
    serve_metrics_add(m, SERVE_METRIC_RUNNING, NULL, -1);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why)
{
    struct serve_front *f = user;
    struct request *r = *slot;
    struct serve_exchange *x;

    (void)why;
    if (!r)
        return;
    x = &r->exchange;
    if (f->registry->options.access_log && r->begun) {
        serve_log_request(&(struct serve_log_request){
            .peer = x->peer,
            .user = x->user,
            .method = r->method,
            .target = x->target,
            .user_agent = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "User-Agent"),
            .status = x->answer.status,
            .received = x->received,
            .sent = sent_bytes(r),
            .ms = coras_now_ms() - r->began_ms,
            .as_json = f->registry->options.access_log_json,
        });
    }
    serve_client_enter(f->clients, r->client, SERVE_PHASE_WAITING);
    if (r->begun) {
        count_request(r, coras_now_ms() - r->began_ms);
        atomic_fetch_sub(&f->running, 1);
    }
    serve_exchange_clear(x);
    free(r);
    *slot = NULL;
}

static void enter(const struct request *r, enum serve_phase phase)
{
    serve_client_enter(r->front->clients, r->client, phase);
}

/* Nobody speaks while waiting for an answer but the next request, which is none of ours yet; an end
 * is one. */
static bool is_gone(void *connection)
{
    const serve_client *c = client_of(connection);
    struct pollfd poll_fd = {.fd = c ? c->fd : -1, .events = POLLRDHUP};

    return c && poll(&poll_fd, 1, 0) > 0 &&
           (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static const char *header_of(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* ---- heads that two parties could read differently ---- */

struct head_check {
    unsigned headers, lengths, codings, hosts, authorizations;
    bool bad;
    int64_t content_length;
};

static enum MHD_Result check_header(void *user, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct head_check *check = user;
    coras_str text = coras_str_trim(coras_str_of(value ? value : ""));

    (void)kind;
    check->headers++;
    if (coras_str_ieq(name, "Content-Length")) {
        check->lengths++;
        if (!coras_parse_int64(text, &check->content_length))
            check->bad = true;
    } else if (coras_str_ieq(name, "Transfer-Encoding")) {
        check->codings++;
        if (text.len != 7 || strncasecmp(text.ptr, "chunked", 7) != 0)
            check->bad = true;
    } else if (coras_str_ieq(name, "Host")) {
        check->hosts++;
    } else if (coras_str_ieq(name, "Authorization")) {
        check->authorizations++;
    }
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f) /* "Name : value", folded lines */
            check->bad = true;
    }
    return MHD_YES;
}

/* false: the head is ambiguous, the connection must not go on. Spec: RFC 9112 6.3. */
static bool check_head(struct MHD_Connection *connection, struct serve_exchange *x)
{
    struct head_check check = {.content_length = -1};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, check_header, &check);
    x->content_length = check.content_length;
    return !check.bad && check.headers <= HEADERS_MAX && check.lengths <= 1 && check.codings <= 1 &&
           check.lengths + check.codings <= 1 && check.hosts <= 1 && check.authorizations <= 1;
}

/* ---- answers ---- */

static ssize_t read_stream(void *user, uint64_t at, char *buffer, size_t cap)
{
    struct request *r = user;
    const struct serve_stream *s = &r->exchange.answer.stream;
    ssize_t got = s->read ? s->read(s->user, (int64_t)at, buffer, cap) : -1;

    if (got > 0)
        r->streamed += got;
    if (got == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return got < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : got;
}

/* The exchange closes the stream: it outlives the response. */
static struct MHD_Response *make_stream_response(struct request *r)
{
    int64_t length = r->exchange.answer.length;

    return MHD_create_response_from_callback(length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)length,
                                             STREAM_BLOCK, read_stream, r, NULL);
}

static struct MHD_Response *make_response(struct request *r)
{
    struct serve_answer *a = &r->exchange.answer;
    struct MHD_Response *response;

    if (a->stream.user)
        return make_stream_response(r);
    if (a->fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64((uint64_t)a->length, a->fd,
                                                           (uint64_t)a->offset);
        if (response)
            a->fd = -1; /* closed with the response */
        return response;
    }
    /* the text lives as long as the exchange, which outlives the response */
    return MHD_create_response_from_buffer(a->body.len, a->body.ptr, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct request *r)
{
    struct serve_answer *a = &r->exchange.answer;
    struct MHD_Response *response;
    enum MHD_Result queued;

    if (a->incomplete || a->body.failed)
        return MHD_NO;
    response = make_response(r);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < a->header_count; i++)
        (void)MHD_add_response_header(response, a->headers[i].name, a->headers[i].value);
    if (a->close || atomic_load(&r->front->draining))
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enter(r, SERVE_PHASE_SENDING);
    queued = MHD_queue_response(connection, (unsigned)a->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result refuse_head(struct MHD_Connection *connection, struct request *r)
{
    r->exchange.answer.close = true;
    r->exchange.answer.status = 400;
    coras_buf_puts(&r->exchange.answer.body, "malformed request\n");
    return send_answer(connection, r);
}

/* How much of a body may come after it is known to be in vain. */
static int64_t drain_limit(const struct serve_exchange *x)
{
    if (x->answer.status == 401)
        return DRAIN_NOBODY_BYTES;
    return x->answer.status != 0 ? DRAIN_REFUSED_BYTES : DRAIN_FAILED_BYTES;
}

/*
 * An answer that is known before the body: a short body is read first, since closing a connection
 * on bytes that are still coming may destroy the answer on its way. A client that waits for "100
 * continue" is answered at once.
 */
static bool drains_body(const struct serve_exchange *x, struct MHD_Connection *connection)
{
    bool chunked = header_of(connection, "Transfer-Encoding") != NULL;

    if (header_of(connection, "Expect"))
        return false;
    return chunked || (x->content_length > 0 && x->content_length <= drain_limit(x));
}

static enum MHD_Result begin_request(struct MHD_Connection *connection, struct request *r,
                                     const char *method)
{
    struct serve_exchange *x = &r->exchange;
    bool has_body;

    r->begun = true;
    atomic_fetch_add(&r->front->running, 1);
    serve_metrics_add(x->registry->metrics, SERVE_METRIC_RUNNING, NULL, 1);
    r->method = method;
    enter(r, SERVE_PHASE_WORKING);
    if (!x->target)
        return MHD_NO;
    x->method = serve_method_of(method);
    x->connection = connection;
    x->header = header_of;
    x->is_gone = is_gone;
    if (!check_head(connection, x))
        return refuse_head(connection, r);
    serve_exchange_begin(x);
    enter(r, x->answer.status != 0 ? SERVE_PHASE_DRAINING
             : x->body_wanted      ? SERVE_PHASE_COLLECTING
                                   : SERVE_PHASE_RECEIVING);
    has_body = x->content_length > 0 || header_of(connection, "Transfer-Encoding");
    if (x->answer.status == 0 || !has_body || drains_body(x, connection))
        return MHD_YES; /* on_request() sends the answer after the body */
    x->answer.close = true;
    return send_answer(connection, r);
}

static enum MHD_Result take_body(struct request *r, const char *data, size_t *len)
{
    struct serve_exchange *x = &r->exchange;

    serve_exchange_data(x, data, *len);
    if (x->answer.status != 0 || x->body_error || x->body_too_large || x->no_room) {
        enter(r, SERVE_PHASE_DRAINING);
        r->drained += (int64_t)*len;
        if (r->drained > drain_limit(x))
            return MHD_NO;
    }
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **slot)
{
    struct request *r = *slot;

    (void)user;
    (void)url;
    (void)version;
    if (!r)
        return MHD_NO;
    if (!r->begun)
        return begin_request(connection, r, method);
    if (*len > 0)
        return take_body(r, data, len);
    enter(r, SERVE_PHASE_WORKING);
    serve_exchange_end(&r->exchange);
    return send_answer(connection, r);
}

/* Targets are decoded by routes.c, once. */
static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

static void on_library_log(void *user, const char *fmt, va_list ap)
{
    /* complaints about clients that went away or sent nonsense: nobody's business */
    (void)user;
    (void)fmt;
    (void)ap;
}

/* ---- life ---- */

static int start_daemon(struct serve_front *f, int fd, coras_error **err)
{
    const struct serve_options *o = &f->registry->options;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, serve_certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (o->tls_cert)
        flags |= MHD_USE_TLS;
    f->daemon = MHD_start_daemon(
        flags, 0, on_accept, f, on_request, f, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, f,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, f, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        f, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->idle, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->max_connections + LEAVING_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, o->tls_cert ? tls : none, MHD_OPTION_END);
    if (!f->daemon)
        return coras_fail(err, CORAS_ERR_CONFIG, "the HTTP server does not start");
    return 0;
}

int serve_front_start(struct serve_registry *registry, struct serve_listener *listener,
                      serve_front **ret, coras_error **err)
{
    coras_auto(serve_front) f = coras_new(serve_front);
    const struct serve_options *o = &registry->options;

    if (!f)
        return coras_fail_no_memory(err);
    f->registry = registry;
    f->clients = serve_clients_new(&(struct serve_client_limits){
        .idle_ms = o->idle * 1000,
        .most = o->max_connections,
        .most_per_address = o->max_connections_per_address,
    });
    if (!f->clients)
        return coras_fail_no_memory(err);
    if (o->tls_cert)
        CORAS_TRY(serve_certificate_load(o->tls_cert, o->tls_key, err));
    CORAS_TRY(start_daemon(f, listener->fd, err));
    listener->fd = -1;
    *ret = coras_steal(&f);
    return 0;
}

void serve_front_drain(serve_front *f)
{
    MHD_socket fd;

    atomic_store(&f->draining, true);
    fd = MHD_quiesce_daemon(f->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

unsigned serve_front_running(serve_front *f)
{
    return atomic_load(&f->running);
}

void serve_front_stop(serve_front *f)
{
    if (!f)
        return;
    if (f->daemon)
        MHD_stop_daemon(f->daemon);
    serve_clients_free(f->clients);
    serve_certificate_clear();
    free(f);
}
