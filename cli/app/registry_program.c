/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the program of the registry, handing over the options, and making way for it. */
#include "cli/app/registry_program.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "cli/app/interrupt.h"
#include "cli/options/options.h"

/*
 * Where it was installed; for the program of a build tree, where that tree has it. Nothing is
 * looked for beside whatever this program was copied to: who may write there is unknown.
 */
static const char *find_program(void)
{
    coras_auto_buf self = CORAS_BUF_INIT(CORAS_LIMIT_PATH);
    ssize_t len;

    if (!coras_buf_reserve(&self, CORAS_LIMIT_PATH - 1))
        return CORAS_SERVE_PROGRAM;
    len = readlink("/proc/self/exe", self.ptr, CORAS_LIMIT_PATH - 1);
    if (len > 0 && coras_str_eq((coras_str){self.ptr, (size_t)len}, CORAS_BUILD_PROGRAM))
        return CORAS_BUILD_SERVE_PROGRAM;
    return CORAS_SERVE_PROGRAM;
}

struct arguments {
    void *state;
    struct opt_list words;
    coras_error *error;
};

static void add_argument(struct arguments *a, const char *name, const char *value)
{
    coras_auto_free char *word =
        coras_asprintf("--%s%s%s", name, value ? "=" : "", value ? value : "");

    if (!word)
        coras_fail_no_memory(&a->error);
    else
        (void)!opt_list_add(&a->words, word, strlen(word), &a->error);
}

/* Arguments can be read by everybody on the machine: what may hold a password goes over in a pipe,
 * which takes it whole. */
static void add_secret(struct arguments *a, const char *name, const char *value)
{
    coras_auto_free char *option = coras_asprintf("%s-fd", name);
    coras_auto_free char *number = NULL;
    int ends[2];

    if (pipe(ends) < 0) {
        coras_fail_errno(&a->error, errno, "make a pipe");
        return;
    }
    number = coras_asprintf("%d", ends[0]);
    if (!option || !number)
        coras_fail_no_memory(&a->error);
    else if (strlen(value) > PIPE_BUF)
        coras_fail(&a->error, CORAS_ERR_INVALID_ARGUMENT, "--%s is too long", name);
    else if (coras_write_full(ends[1], value, strlen(value), &a->error) == 0)
        add_argument(a, option, number);
    (void)close(ends[1]);
}

/* The program takes each option of the table under its long name, with the value made explicit. */
static bool pass_option(struct opt_ref ref, void *user)
{
    struct arguments *a = user;
    const void *value = opt_value(ref, a->state);
    coras_auto_free char *number = NULL;

    switch (ref.opt->kind) {
    case OPT_BOOL:
        if (((const struct opt_bool *)value)->value)
            add_argument(a, ref.opt->name, NULL);
        break;
    case OPT_INT:
        number = coras_asprintf("%" PRId64, ((const struct opt_int *)value)->value);
        add_argument(a, ref.opt->name, number ? number : "");
        break;
    case OPT_STRING:
        if (*((const struct opt_string *)value)->value && (ref.opt->flags & OPT_SECRET))
            add_secret(a, ref.opt->name, ((const struct opt_string *)value)->value);
        else if (*((const struct opt_string *)value)->value)
            add_argument(a, ref.opt->name, ((const struct opt_string *)value)->value);
        break;
    default:
        for (size_t i = 0; i < ((const struct opt_list *)value)->len && !a->error; i++)
            add_argument(a, ref.opt->name, ((const struct opt_list *)value)->items[i]);
        break;
    }
    return !a->error;
}

#ifdef CORAS_SERVE_INSIDE
int serve_main(int argc, char **argv); /* main() of serve/main.c */

/* In place of another program: what is inside, with signals as it would find them. */
static void run(const char *program, char **argv)
{
    (void)program;
    interrupt_remove();
    exit(serve_main(1, argv));
}
#else
static void run(const char *program, char **argv)
{
    execv(program, argv);
}
#endif

/* Not to return on success: the program takes this one's place, or is inside and ends it. */
static int execute(const char *program, char **argv, coras_cancel *cancel, coras_error **err)
{
    sigset_t ours, before;
    int saved;

    /* held back from here on, and seen by the program: none is lost in between */
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    CORAS_TRY(coras_cancel_check(cancel, err));
    run(program, argv);
    saved = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (saved != ENOENT)
        return coras_fail_errno(err, saved, "run %s", program);
    coras_fail(err, CORAS_ERR_UNSUPPORTED, "the program of this command, %s, is not installed",
               program);
    coras_hint(err, "it comes with coras; where a distribution splits packages, with one named "
                    "coras-serve");
    return CORAS_ERR_UNSUPPORTED;
}

static void clear_words(struct opt_list *words)
{
    for (size_t i = 0; i < words->len; i++)
        free(words->items[i]);
    free(words->items);
}

int registry_program_run(struct call *call, const char *mode, coras_error **err)
{
    const char *program = find_program();
    struct arguments a = {.state = call->state};
    int rc;

    if (!*CORAS_SERVE_PROGRAM)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "this %s was built without its registry (-Dserver=disabled)",
                          call->program);
    (void)!opt_list_add(&a.words, program, strlen(program), &a.error);
    if (mode && !a.error)
        (void)!opt_list_add(&a.words, mode, strlen(mode), &a.error);
    if (!a.error)
        opt_each(call->cmd, pass_option, &a);
    if (a.error) {
        rc = coras_error_code(a.error);
        coras_error_propagate(err, &a.error);
    } else {
        rc = execute(program, a.words.items, call->cancel, err);
    }
    clear_words(&a.words);
    return rc;
}
