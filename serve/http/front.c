/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, by libmicrohttpd, and the life of what serves them. */
#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/processor.h"
#include "serve/http/certificate.h"
#include "serve/http/front_impl.h"

/* Address space. */
#define THREAD_STACK (2 * CORAS_MIB)
/* Connections that were cut and are not yet gone, beside those that are allowed. */
#define LEAVING_MAX 64
/* Of all blocks into which uploads come in. */
#define BLOCKS_BYTES (16 * CORAS_MIB)
/* One loop for each processor; two at least, since a file that is not in memory keeps one waiting
 * for the disk. */
#define LOOPS_LEAST 2
/* From one waking of the loops to the next. */
#define BEAT_MS 50
/* Connections of one address, if nothing else was said. */
#define PER_ADDRESS 256

/* The older versions are broken (RFC 8996); the library itself still takes them. Not const: the
 * library's option holds a plain pointer. */
static char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* ---- connections ---- */

/* Loops take turns. The library closes what it does not take. */
static void take_connection(void *user, int fd, const struct sockaddr *address, socklen_t len)
{
    serve_front *f = user;

    if (!serve_clients_admit(f->clients, fd, address))
        close(fd);
    else if (MHD_add_connection(f->loops[f->turn++ % f->loop_count].daemon, fd, address, len) !=
             MHD_YES)
        serve_clients_refuse(f->clients, fd);
}

static void count_connections(const serve_front *f, int more)
{
    serve_metrics_add(f->registry->metrics, SERVE_METRIC_CONNECTIONS, NULL, more);
}

static void start_connection(const serve_front *f, struct MHD_Connection *connection, void **slot)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (fd)
        *slot = serve_client_start(f->clients, (int)fd->connect_fd);
    if (*slot)
        count_connections(f, 1);
}

/* Those without a client are ours (see wake.h). */
static void on_connection(void *user, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    const serve_front *f = user;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        start_connection(f, connection, slot);
    } else if (*slot) {
        count_connections(f, -1);
        serve_client_end(f->clients, *slot);
        *slot = NULL;
    }
}

/* ---- waking loops ---- */

static bool may_have_full_rounds(void *user)
{
    const serve_front *f = user;

    /* what the library tells itself counts as well */
    return serve_clients_count(f->clients) >= SERVE_EVENTS_AT_ONCE / 2;
}

static void wake_loops(void *user)
{
    serve_front *f = user;

    for (unsigned i = 0; i < f->loop_count; i++)
        serve_loop_wake(&f->loops[i]);
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
    return *slot ? serve_request_step(*slot, method, version, data, len) : MHD_NO;
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

static unsigned wanted_loops(void)
{
    unsigned processors = coras_processors();

    if (processors < LOOPS_LEAST)
        return LOOPS_LEAST;
    return processors < SERVE_LOOPS_MOST ? processors : SERVE_LOOPS_MOST;
}

/* Those that are left may all be of one loop: clients.c keeps the real limit. */
static unsigned library_limit(const struct serve_options *o)
{
    int64_t limit = o->max_connections + LEAVING_MAX;

    return limit < INT32_MAX ? (unsigned)limit : INT32_MAX;
}

static int start_loop(struct serve_front *f, coras_error **err)
{
    const struct serve_options *o = &f->registry->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, serve_certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_Daemon *loop;

    if (o->tls_cert)
        flags |= MHD_USE_TLS;
    loop = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, f, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, f, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        f, MHD_OPTION_NOTIFY_CONNECTION, on_connection, f, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVE_CONNECTION_MEMORY,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)o->idle, MHD_OPTION_CONNECTION_LIMIT, library_limit(o),
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, o->tls_cert ? tls : none,
        MHD_OPTION_END);
    if (!loop)
        return coras_fail(err, CORAS_ERR_CONFIG, "the HTTP server does not start");
    f->loops[f->loop_count++] = (struct serve_loop){.daemon = loop, .wake_fd = -1};
    return 0;
}

static int start_loops(struct serve_front *f, coras_error **err)
{
    const struct serve_pulse_ops pulse = {may_have_full_rounds, wake_loops, BEAT_MS};
    unsigned wanted = wanted_loops();

    for (unsigned i = 0; i < wanted; i++)
        CORAS_TRY(start_loop(f, err));
    return serve_pulse_start(&pulse, f, &f->pulse, err);
}

/* A loopback address may stand for many: a proxy before us, or the programs of a node. It has half.
 */
static struct serve_client_limits client_limits(const struct serve_options *o)
{
    int64_t own = o->max_connections_per_address;

    return (struct serve_client_limits){
        .idle_ms = o->idle * 1000,
        .most = o->max_connections,
        .most_per_address = own < 0 ? PER_ADDRESS : own,
        .most_per_loopback = own < 0 ? (o->max_connections + 1) / 2 : own,
    };
}

static int open_parts(struct serve_front *f, coras_error **err)
{
    const struct serve_client_limits limits = client_limits(&f->registry->options);
    const struct serve_parking_ops ops = {pause_connection, resume_connection};

    f->clients = serve_clients_new(&limits);
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
    CORAS_TRY(start_loops(f, err));
    CORAS_TRY(serve_acceptor_start(&listener->fd, take_connection, f, &f->acceptor, err));
    *ret = coras_steal(&f);
    return 0;
}

/* Nobody is there who could take a connection then. */
static void stop_accepting(serve_front *f)
{
    serve_acceptor_stop(f->acceptor);
    f->acceptor = NULL;
}

void serve_front_drain(serve_front *f)
{
    atomic_store(&f->draining, true);
    stop_accepting(f);
}

unsigned serve_front_running(serve_front *f)
{
    return atomic_load(&f->running);
}

static void stop_waking(serve_front *f)
{
    serve_pulse_stop(f->pulse);
    for (unsigned i = 0; i < f->loop_count; i++)
        serve_loop_settle(&f->loops[i]);
}

/* The library cannot end while connections sleep: first nobody falls asleep any more but those that
 * a worker wakes, then the workers finish. */
static void stop_loops(serve_front *f)
{
    stop_waking(f); /* the end wakes loops as well */
    atomic_store(&f->stopping, true);
    serve_clients_cut(f->clients);
    serve_parking_stop(f->parking);
    serve_workers_stop(f->workers);
    for (unsigned i = 0; i < f->loop_count; i++)
        MHD_stop_daemon(f->loops[i].daemon);
}

void serve_front_stop(serve_front *f)
{
    if (!f)
        return;
    stop_accepting(f);
    if (f->loop_count > 0)
        stop_loops(f);
    serve_workers_close(f->workers);
    serve_parking_close(f->parking);
    serve_clients_free(f->clients);
    serve_budget_free(f->blocks);
    serve_certificate_clear();
    free(f);
}
