/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for signals. */
#include "serve/operate/wait.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* Whether there is a terminal that this process belongs to. */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

void serve_signals_hold(struct serve_signals *s)
{
    sigemptyset(&s->set);
    sigaddset(&s->set, SIGTERM);
    sigaddset(&s->set, SIGINT);
    sigaddset(&s->set, SIGHUP);
    s->had_terminal = has_terminal();
    pthread_sigmask(SIG_BLOCK, &s->set, NULL);
}

/* SIGHUP has two meanings: whoever started the server by hand and closes the window wants it to
 * end, and everybody else wants the files read again. */
enum serve_asked serve_signals_wait(const struct serve_signals *s, int64_t timeout_ms)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
    int number = sigtimedwait(&s->set, NULL, &timeout);

    if (number < 0)
        return SERVE_ASKED_NOTHING;
    if (number == SIGHUP && !(s->had_terminal && !has_terminal()))
        return SERVE_ASKED_RELOAD;
    return SERVE_ASKED_STOP;
}
