/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coras-serve: the registry as a program of its own, so that no other command loads an HTTP server
 * and a database. `coras serve` starts it by exec, in its own place: process number, standard
 * streams and signals stay those that the caller knows.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "serve/doctor/doctor.h"
#include "serve/operate/chores.h"
#include "serve/server.h"

/* A reader that went away and a limit on file sizes are errors of a write, to be told as such. */
static void ignore_signals_of_writes(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static int complain(const coras_error *err)
{
    fprintf(stderr, "Error: %s\n", coras_error_message(err));
    if (coras_error_hint(err))
        fprintf(stderr, "Hint: %s\n", coras_error_hint(err));
    return 1;
}

static int run_server(char **argv)
{
    struct serve_options options = SERVE_OPTIONS_INIT;
    coras_auto(coras_error) err = NULL;
    int rc;

    (void)umask(0077); /* what is private in a registry is so in its directory too */
    rc = serve_options_parse(&options, argv, &err);
    if (rc == 0)
        rc = serve_until_signal(&options, &err);
    serve_options_clear(&options);
    return rc == 0 ? 0 : complain(err);
}

/* Held back by who started us, for the server to take: here they end the program as usual. */
static void let_signals_end_it(void)
{
    sigset_t all;

    sigfillset(&all);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
}

static int run_doctor(char **argv)
{
    coras_auto(coras_error) err = NULL;
    bool is_good = false;

    let_signals_end_it();
    if (serve_doctor_visit(argv, &is_good, &err) < 0)
        return complain(err);
    return is_good ? 0 : 1;
}

static int run_chore(int (*run)(const struct serve_chore *, coras_error **), char **argv)
{
    struct serve_chore chore = SERVE_CHORE_INIT;
    coras_auto(coras_error) err = NULL;
    int rc;

    let_signals_end_it();
    (void)umask(0077);
    rc = serve_chore_parse(&chore, argv, &err);
    if (rc == 0)
        rc = run(&chore, &err);
    serve_chore_clear(&chore);
    return rc == 0 ? 0 : complain(err);
}

int main(int argc, char **argv)
{
    char **rest = argv + (argc > 0);

    ignore_signals_of_writes();
    coras_alloc_for_all();
    if (*rest && coras_streq(*rest, "doctor"))
        return run_doctor(rest + 1);
    if (*rest && coras_streq(*rest, "gc"))
        return run_chore(serve_gc, rest + 1);
    if (*rest && coras_streq(*rest, "verify"))
        return run_chore(serve_verify, rest + 1);
    return run_server(rest);
}
