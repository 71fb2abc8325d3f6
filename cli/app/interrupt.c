/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first interrupt cancels what runs and lets it tidy up; the second ends the program.
 */
#include "cli/app/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"

/* A signal handler has no argument of ours; these two are written before it is installed. */
static coras_cancel *interrupted;
static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
    if (interrupts++ > 0)
        _exit(128 + number);
    atomic_store(&interrupted->requested, true);
}

static void set_handler(void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    /* No SA_RESTART: a read from the terminal ends with the signal. */
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

void interrupt_install(coras_cancel *cancel)
{
    interrupted = cancel;
    interrupts = 0;
    set_handler(on_signal);
}

void interrupt_remove(void)
{
    set_handler(SIG_DFL);
}

int interrupt_wait_readable(int fd, coras_error **err)
{
    sigset_t ours, before;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    /* Held back until ppoll lets them through, so that none falls between check and wait. */
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    int n = 0, saved = 0;
    while (!coras_cancelled(interrupted)) {
        n = ppoll(&poll_fd, 1, NULL, &before);
        saved = errno;
        if (n >= 0 || saved != EINTR)
            break;
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    CORAS_TRY(coras_cancel_check(interrupted, err));
    return n < 0 ? coras_fail_errno(err, saved, "poll") : 0;
}
