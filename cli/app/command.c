/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing the arguments of one command: its options, its checks, its run.
 */
#include "cli/app/command.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/app/environment.h"
#include "cli/app/errors.h"
#include "cli/app/help.h"
#include "cli/output/report.h"

typedef struct call call_state;

static int print_help(const struct call *call, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    help_put(&text, call->cmd, call->program, call->path);
    CORAS_TRY(coras_buf_done(&text, err));
    fputs(text.ptr, stdout);
    return 0;
}

static int check_argument_count(const struct call *call, coras_error **err)
{
    const struct cmd *cmd = call->cmd;
    if (call->nargs >= cmd->min_args && call->nargs <= cmd->max_args)
        return 0;
    if (!cmd->role)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "unknown command \"%s\" for \"%s\"",
                          call->args[cmd->max_args], call->path);
    return fail_argument_count(call, err);
}

/* The steps of a command whose options are parsed, in the order of their errors. */
static int run_parsed(struct call *call, coras_error **err)
{
    const struct cmd *cmd = call->cmd;
    if (cmd->check_args)
        CORAS_TRY(cmd->check_args(call, err));
    CORAS_TRY(check_argument_count(call, err));
    if (cmd->prepare)
        CORAS_TRY(cmd->prepare(call, err));
    CORAS_TRY(opt_check_required(cmd, call->state, err));
    return cmd->run(call, err);
}

static int run_words(struct call *call, char **words, size_t count, coras_error **err)
{
    struct opt_result parsed = {0};
    coras_auto_free char **args = NULL;
    int rc = opt_parse(call->cmd, words, count, call->state, &parsed, err);
    args = parsed.args;
    CORAS_TRY(rc);
    for (unsigned i = 0; i < parsed.deprecated_uses; i++)
        fputs("Flag --verbose has been deprecated, and will be removed in a future release.\n",
              stderr);
    if (parsed.help || !call->cmd->run)
        return print_help(call, err);
    char *none[] = {NULL};
    call->args = args ? args : none;
    call->nargs = parsed.nargs;
    rc = run_parsed(call, err);
    call->args = NULL;
    return rc;
}

static void call_clear(call_state *call)
{
    if (call->state) {
        if (call->cmd->clear)
            call->cmd->clear(call->state);
        opt_clear_values(call->cmd, call->state);
    }
    free(call->state);
    free(call->path);
    free(call->registry);
    free(call->error_prefix);
    free(call->auth_file);
    report_free(call->report);
}
CORAS_DEFINE_AUTO_VALUE(call_state, call_clear)

static int find_and_run(struct call *call, char **words, size_t count, coras_error **err)
{
    coras_auto_free char **rest = NULL;
    size_t rest_len = 0;
    CORAS_TRY(environment_read(err));
    CORAS_TRY(
        cmd_find(call->program, words, count, &call->cmd, &call->path, &rest, &rest_len, err));
    call->state = coras_calloc(1, call->cmd->state_size ? call->cmd->state_size : 1);
    if (!call->state)
        return coras_fail_no_memory(err);
    return run_words(call, rest, rest_len, err);
}

/* What is still in stdout's buffer must reach its reader, or the run has failed. */
static int flush_output(coras_error **err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return coras_fail_errno(err, errno, "write /dev/stdout");
}

int cli_run(const char *program, int argc, char **argv, coras_cancel *cancel)
{
    coras_auto_value(call_state) call = {.program = program, .cmd = &cmd_root, .cancel = cancel};
    coras_auto(coras_error) error = NULL;
    int rc = find_and_run(&call, argv + 1, argc > 0 ? (size_t)argc - 1 : 0, &error);
    if (rc < 0)
        (void)fflush(stdout); /* what was said before the failure comes first */
    else
        rc = flush_output(&error);
    if (rc < 0)
        report_error(&call, error);
    else
        report_done(call.report);
    environment_forget();
    return rc < 0 ? 1 : call.exit_code;
}
