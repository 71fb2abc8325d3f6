/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, by libmicrohttpd, and the life of what serves them. */
#include <sys/socket.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/http/certificate.h"
#include "serve/http/front_impl.h"

/* Half of it is the receive buffer. The library clears all of it between two requests, so every
 * open connection costs it in full, and every request the time. A head must fit in too: real ones
 * have some KiB. */
#define CONNECTION_MEMORY (32 * CORAS_KIB)
/* Address space. */
#define THREAD_STACK (2 * CORAS_MIB)
/* Connections that were cut and are not yet gone, beside those that are allowed. */
#define LEAVING_MAX 64
/* Of all blocks into which uploads come in. */
#define BLOCKS_BYTES (16 * CORAS_MIB)
/* Threads that serve connections: one for each processor; two at least, since a file that is not in
 * memory keeps one waiting for the disk. */
#define LOOPS_LEAST 2
#define LOOPS_MOST  8

/* The older versions are broken (RFC 8996); the library itself still takes them. Not const: the
 * library's option holds a plain pointer. */
static char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

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

static void pause_connection(void *connection)
{
    MHD_suspend_connection(connection);
}

static void resume_connection(void *connection)
{
    MHD_resume_connection(connection);
}

void serve_front_tick(serve_front *f)
{
    serve_clients_tick(f->clients);
}

/* ---- requests ---- */

/* Runs when the request line was read; the target is still as it was sent. */
static void *on_request_line(void *user, const char *target, struct MHD_Connection *connection)
{
    return serve_request_new(user, target, connection);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **slot)
{
    (void)user;
    (void)connection;
    (void)url;
    (void)version;
    return *slot ? serve_request_step(*slot, method, data, len) : MHD_NO;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)connection;
    (void)why;
    if (*slot)
        serve_request_completed(*slot);
    *slot = NULL;
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

static unsigned loop_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (processors < LOOPS_LEAST)
        return LOOPS_LEAST;
    return processors < LOOPS_MOST ? (unsigned)processors : LOOPS_MOST;
}

/* The library shares its limit out between its threads beforehand, and connections may come to one
 * of them alone: clients.c keeps the real one. */
static unsigned library_limit(const struct serve_options *o)
{
    int64_t limit = (o->max_connections + LEAVING_MAX) * loop_count();

    return limit < INT32_MAX ? (unsigned)limit : INT32_MAX;
}

static int start_daemon(struct serve_front *f, int fd, coras_error **err)
{
    const struct serve_options *o = &f->registry->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, serve_certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (o->tls_cert)
        flags |= MHD_USE_TLS;
    f->daemon = MHD_start_daemon(
        flags, 0, on_accept, f, on_request, f, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, loop_count(),
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, f, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        f, MHD_OPTION_NOTIFY_CONNECTION, on_connection, f, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)o->idle, MHD_OPTION_CONNECTION_LIMIT, library_limit(o),
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, o->tls_cert ? tls : none,
        MHD_OPTION_END);
    if (!f->daemon)
        return coras_fail(err, CORAS_ERR_CONFIG, "the HTTP server does not start");
    return 0;
}

static int open_parts(struct serve_front *f, coras_error **err)
{
    const struct serve_options *o = &f->registry->options;
    const struct serve_parking_ops ops = {pause_connection, resume_connection};

    f->clients = serve_clients_new(&(struct serve_client_limits){
        .idle_ms = o->idle * 1000,
        .most = o->max_connections,
        .most_per_address = o->max_connections_per_address,
    });
    f->blocks = serve_budget_new(BLOCKS_BYTES);
    if (!f->clients || !f->blocks)
        return coras_fail_no_memory(err);
    CORAS_TRY(serve_parking_open(&ops, &f->parking, err));
    return serve_workers_open(&f->workers, err);
}

int serve_front_start(struct serve_registry *registry, struct serve_listener *listener,
                      serve_front **ret, coras_error **err)
{
    coras_auto(serve_front) f = coras_new(serve_front);
    const struct serve_options *o = &registry->options;

    if (!f)
        return coras_fail_no_memory(err);
    f->registry = registry;
    CORAS_TRY(open_parts(f, err));
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

/* The library cannot end while connections sleep: first nobody falls asleep any more but those that
 * a worker wakes, then the workers finish. */
static void stop_daemon(serve_front *f)
{
    atomic_store(&f->stopping, true);
    serve_clients_cut(f->clients);
    serve_parking_stop(f->parking);
    serve_workers_stop(f->workers);
    MHD_stop_daemon(f->daemon);
}

void serve_front_stop(serve_front *f)
{
    if (!f)
        return;
    if (f->daemon)
        stop_daemon(f);
    serve_workers_close(f->workers);
    serve_parking_close(f->parking);
    serve_clients_free(f->clients);
    serve_budget_free(f->blocks);
    serve_certificate_clear();
    free(f);
}
