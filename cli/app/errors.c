/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error line that ends a command: its prefix says whose words it repeats.
 */
#include "cli/app/errors.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/app/error_json.h"
#include "cli/app/help.h"
#include "cli/app/hints.h"
#include "cli/compat/error_line.h"
#include "gospell/quote.h"

static void put_count(coras_buf *out, const struct cmd *cmd)
{
    coras_buf_printf(out, "%s %zu argument%s",
                     cmd->max_args == cmd->min_args ? "exactly" : "at least", cmd->min_args,
                     cmd->min_args == 1 ? "" : "s");
}

int fail_argument_count(const struct call *call, coras_error **err)
{
    coras_auto_buf count = CORAS_BUF_UNLIMITED, usage = CORAS_BUF_UNLIMITED;
    put_count(&count, call->cmd);
    help_put_use_line(&usage, call->cmd, call->path);
    CORAS_TRY(coras_buf_done(&count, err));
    CORAS_TRY(coras_buf_done(&usage, err));
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "\"%s\" requires %s but got %zu\nUsage: %s\nPlease specify %s as %s. "
                      "Run \"%s -h\" for more options and examples",
                      call->path, count.ptr, call->nargs, usage.ptr, count.ptr, call->cmd->role,
                      call->path);
}

int fail_usage(const struct call *call, const char *message, const char *advice, coras_error **err)
{
    coras_auto_buf usage = CORAS_BUF_UNLIMITED;
    help_put_use_line(&usage, call->cmd, call->path);
    CORAS_TRY(coras_buf_done(&usage, err));
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s\nUsage: %s\n%s", message, usage.ptr,
                      advice);
}

int fail_exclusive(const char *a, const char *b, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s, %s cannot be used at the same time", a,
                      b);
}

/* ---- the error line ---- */

/* Which credentials were looked at in vain. */
static void print_credential_advice(const struct call *call, const coras_error *error)
{
    if (coras_error_code(error) != CORAS_ERR_NO_CREDENTIAL)
        return;
    coras_auto_free char *quoted = call->auth_file ? coras_go_quote_dup(call->auth_file) : NULL;
    fprintf(stderr,
            "Please check whether the registry credential stored in the authentication file%s%s is "
            "correct\n",
            quoted ? " at " : "", quoted ? quoted : "");
}

/* Names of files and words of flags are in messages as they are. */
static void print_safely(const char *prefix, const char *text)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    coras_escape_lines(&shown, text, strlen(text));
    fprintf(stderr, "%s%s\n", prefix, coras_buf_done(&shown, NULL) == 0 ? shown.ptr : text);
}

static void print_hint(const coras_error *error)
{
    coras_auto_buf hint = CORAS_BUF_UNLIMITED;

    put_hint(&hint, error);
    if (hint.len)
        print_safely("", hint.ptr);
}

void report_error(const struct call *call, const coras_error *error)
{
    const struct error_line line = error_line_of(call, error);

    if (wants_error_json(call) && print_error_json(&line, error))
        return;
    fprintf(stderr, "%s ", line.prefix);
    print_safely("", line.message);
    print_credential_advice(call, error);
    print_hint(error);
}
