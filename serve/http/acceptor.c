/* SPDX-License-Identifier: Apache-2.0 */
/* A thread between the listening socket and those who serve connections. */
#include "serve/http/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/thread.h"
#include "serve/http/log.h"

#define STACK ((size_t)128 * 1024)
/* Descriptors or memory are short: until somebody has given some back. */
#define PAUSE_MS 100

struct serve_acceptor {
    serve_acceptor_take *take; /* const, like all of it */
    void *user;
    int listener;
    int end; /* readable: it ends */
    pthread_t thread;
};

/* Wait for a connection (for a moment only, if it is a pause). false: it ends. */
static bool wait_for_next(const serve_acceptor *a, bool is_pause)
{
    struct pollfd fds[] = {{.fd = a->end, .events = POLLIN},
                           {.fd = is_pause ? -1 : a->listener, .events = POLLIN}};

    (void)poll(fds, 2, is_pause ? PAUSE_MS : -1);
    return fds[0].revents == 0;
}

/* Whether the next may be taken at once: what is wrong is wrong with one connection only. */
static bool goes_on_after(int failure)
{
    return failure == EAGAIN || failure == EINTR || failure == ECONNABORTED || failure == EPERM;
}

static void *run(void *user)
{
    const serve_acceptor *a = user;
    bool is_short = false;

    while (wait_for_next(a, is_short)) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof(address);
        int fd =
            accept4(a->listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int failure = fd < 0 ? errno : 0;

        if (fd >= 0)
            a->take(a->user, fd, (struct sockaddr *)&address, len);
        else if (!is_short && !goes_on_after(failure))
            serve_log_note("no connection can be taken: %s", strerror(failure));
        is_short = fd < 0 && !goes_on_after(failure);
    }
    return NULL;
}

static void destroy(serve_acceptor *a)
{
    coras_close_fd(&a->end);
    coras_close_fd(&a->listener);
    free(a);
}

int serve_acceptor_start(int *listener, serve_acceptor_take *take, void *user, serve_acceptor **ret,
                         coras_error **err)
{
    serve_acceptor *a = coras_new(serve_acceptor);
    int rc;

    if (!a)
        return coras_fail_no_memory(err);
    *a = (serve_acceptor){.take = take, .user = user, .listener = *listener};
    *listener = -1;
    a->end = eventfd(0, EFD_CLOEXEC);
    rc = a->end < 0 ? errno : coras_thread_start(STACK, run, a, &a->thread);
    if (rc != 0) {
        destroy(a);
        return coras_fail_errno(err, rc, "make a thread that takes connections");
    }
    *ret = a;
    return 0;
}

void serve_acceptor_stop(serve_acceptor *a)
{
    if (!a)
        return;
    (void)eventfd_write(a->end, 1);
    pthread_join(a->thread, NULL);
    destroy(a);
}
