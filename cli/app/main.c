/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the command, running it, and what is left to do at the end.
 */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/str.h"
#include "cli/app/command.h"
#include "cli/app/interrupt.h"

/* The program speaks of itself by the name that it was called with. */
static const char *program_name(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
    const char *base = slash ? slash + 1 : argv0;
    return base && coras_streq(base, "oras") ? "oras" : "coras";
}

/*
 * A standard stream that the caller closed must not become the number of a socket or of a file of
 * ours: text would go into it. Open for reading, so that writing there still fails and is told.
 */
static void occupy_standard_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* A reader that went away and a limit on file sizes are errors of a write, to be told as such. */
static void ignore_signals_of_writes(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* Each thread's own part of the heap keeps what the thread has freed, and most threads here wait
 * for a registry: two parts do for all. */
static void keep_memory_together(void)
{
#ifdef __GLIBC__
    enum { PARTS = 2 };
    (void)mallopt(M_ARENA_MAX, PARTS);
#endif
}

int main(int argc, char **argv)
{
    static coras_cancel cancel; /* reached from the signal handler */
    occupy_standard_streams();
    ignore_signals_of_writes();
    coras_alloc_for_all();
    keep_memory_together();
    interrupt_install(&cancel);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int code = cli_run(program_name(argc > 0 ? argv[0] : NULL), argc, argv, &cancel);
    interrupt_remove();
    return code;
}
