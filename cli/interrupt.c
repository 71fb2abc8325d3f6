#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"

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
