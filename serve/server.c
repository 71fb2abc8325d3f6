#include "serve/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/storage/collect.h"
#include "serve/http/front.h"
#include "serve/http/log.h"
#include "serve/storage/root.h"

#define GRACE_SECONDS_DEFAULT   30
#define IDLE_SECONDS_DEFAULT    60
#define MAX_CONNECTIONS_DEFAULT 4096
/* Descriptors beyond those of connections and the blob that each serves. */
#define OTHER_DESCRIPTORS 128
#define HOUSEKEEPING_S    3600
/* Strays come from crashes alone, and the look at every file is long. */
#define STRAYS_S (24 * 3600)

static int check_options(const struct serve_options *o, coras_error **err)
{
    if (!o || o->size != sizeof(*o) || !o->root || !o->listen)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a server needs a root and an address");
    if (!o->tls_cert != !o->tls_key)
        return coras_fail(err, CORAS_ERR_CONFIG, "a certificate and its key go together");
    return 0;
}

static void fill_defaults(struct serve_options *o)
{
    if (o->grace_seconds == 0)
        o->grace_seconds = GRACE_SECONDS_DEFAULT;
    if (o->manifest_limit <= 0)
        o->manifest_limit = CORAS_LIMIT_MANIFEST;
    if (o->idle_seconds <= 0)
        o->idle_seconds = IDLE_SECONDS_DEFAULT;
    if (o->max_connections == 0)
        o->max_connections = MAX_CONNECTIONS_DEFAULT;
}

/* As many connections as there are descriptors for: two each. */
static void fit_connections(struct serve_options *o)
{
    struct rlimit limit;
    rlim_t fit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    fit = limit.rlim_cur > OTHER_DESCRIPTORS + 2 ? (limit.rlim_cur - OTHER_DESCRIPTORS) / 2 : 1;
    if (limit.rlim_cur != RLIM_INFINITY && o->max_connections > fit)
        o->max_connections = (unsigned)fit;
}

static int announce(const struct serve_options *o, const char *address, coras_error **err)
{
    if (o->ready) {
        o->ready(address, o->user);
        return 0;
    }
    if (printf("listening on %s\n", address) < 0 || fflush(stdout) != 0)
        return coras_fail_errno(err, errno, "write standard output");
    return 0;
}

/* When which work is due. What has more to do goes on a second later. */
struct house {
    int64_t collect_ms, strays_ms;
    struct serve_blob_walk walk;
};

static void keep_house(struct serve_registry *r, serve_front *front, struct house *h)
{
    serve_front_tick(front);
    if (coras_now_ms() >= h->collect_ms) {
        serve_sessions_expire(r->sessions, coras_wall_s());
        if (!serve_collect(r, SERVE_COLLECT_GRACE_S))
            h->collect_ms = coras_now_ms() + HOUSEKEEPING_S * 1000;
    }
    if (coras_now_ms() >= h->strays_ms && !serve_collect_strays(r, &h->walk, SERVE_COLLECT_GRACE_S))
        h->strays_ms = coras_now_ms() + STRAYS_S * 1000;
}

/* Until the first signal; then until nothing runs, the grace is over or a second signal comes. */
static void serve(struct serve_registry *r, serve_front *front, const sigset_t *signals)
{
    const struct timespec second = {1, 0}, moment = {0, 20 * 1000000};
    struct house house = {0};
    int64_t deadline_ms;

    do
        keep_house(r, front, &house);
    while (sigtimedwait(signals, NULL, &second) < 0);
    serve_blob_walk_end(&house.walk);
    serve_front_drain(front);
    deadline_ms = coras_now_ms() + (int64_t)r->options.grace_seconds * 1000;
    while (serve_front_running(front) > 0 && coras_now_ms() < deadline_ms) {
        if (sigtimedwait(signals, NULL, &moment) > 0)
            break;
    }
}

static int run(struct serve_registry *r, const sigset_t *signals, coras_error **err)
{
    struct serve_listener listener = SERVE_LISTENER_INIT;
    serve_front *front = NULL;
    int rc = serve_listen(r->options.listen, &listener, err);

    r->loopback_only = listener.loopback;
    if (rc == 0)
        rc = serve_front_start(r, &listener, &front, err);
    if (rc == 0)
        rc = announce(&r->options, listener.address, err);
    if (rc == 0)
        serve(r, front, signals);
    serve_front_stop(front);
    serve_listener_clear(&listener);
    return rc;
}

static int open_and_run(struct serve_registry *r, const sigset_t *signals, coras_error **err)
{
    struct serve_root root = SERVE_ROOT_INIT;
    const struct serve_options *o = &r->options;
    int rc = serve_access_open(o->htpasswd, o->anonymous_read, &r->access, err);

    if (rc == 0)
        rc = serve_root_open(o->root, &root, err);
    if (rc == 0) {
        r->store = root.store;
        r->metadata = root.metadata;
        r->sessions = root.sessions;
        serve_sessions_expire(r->sessions, coras_wall_s()); /* before anybody can go on with one */
        rc = run(r, signals, err);
    }
    serve_root_close(&root);
    serve_access_close(r->access);
    return rc;
}

int serve_until_signal(const struct serve_options *opts, coras_error **err)
{
    struct serve_registry registry = {0};
    sigset_t signals, blocked, before;
    int rc;

    CORAS_TRY(check_options(opts, err));
    registry.options = *opts;
    fill_defaults(&registry.options);
    fit_connections(&registry.options);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    blocked = signals;
    sigaddset(&blocked, SIGPIPE); /* sendfile to a client that went away */
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    rc = open_and_run(&registry, &signals, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}
