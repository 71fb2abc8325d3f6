/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coras-serve: the registry as a program of its own, so that no other command loads an HTTP server
 * and a database. `coras serve` starts it by exec, in its own place: process number, standard
 * streams and signals stay those that the caller knows.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/error.h"
#include "serve/server.h"

/* A reader that went away and a limit on file sizes are errors of a write, to be told as such. */
static void ignore_signals_of_writes(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct serve_options options = SERVE_OPTIONS_INIT;
    coras_auto(coras_error) err = NULL;
    int rc;

    ignore_signals_of_writes();
    (void)umask(0077); /* what is private in a registry is so in its directory too */
    rc = serve_options_parse(&options, argv + (argc > 0), &err);
    if (rc == 0)
        rc = serve_until_signal(&options, &err);
    serve_options_clear(&options);
    if (rc == 0)
        return 0;
    fprintf(stderr, "Error: %s\n", coras_error_message(err));
    if (coras_error_hint(err))
        fprintf(stderr, "Hint: %s\n", coras_error_hint(err));
    return 1;
}
