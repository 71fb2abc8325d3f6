/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help: the help of another command.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "cli/app/help.h"

/* "[`foo` `bar`]", and the usage of the root. Not an error, as far as the exit code goes. */
static int unknown_topic(const struct call *call, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_buf_puts(&text, "Unknown help topic [");
    for (size_t i = 0; i < call->nargs; i++)
        coras_buf_printf(&text, "%s`%s`", i ? " " : "", call->args[i]);
    coras_buf_puts(&text, "]\n");
    help_put_usage(&text, &cmd_root, call->program, false);
    CORAS_TRY(coras_buf_done(&text, err));
    fputs(text.ptr, stderr);
    return 0;
}

static int help_run(struct call *call, coras_error **err)
{
    const struct cmd *topic = NULL;
    coras_auto_free char *path = NULL;
    coras_auto_free char **rest = NULL;
    size_t rest_len = 0;
    if (cmd_find(call->program, call->args, call->nargs, &topic, &path, &rest, &rest_len, NULL) < 0)
        return unknown_topic(call, err);
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    help_put(&text, topic, call->program, path);
    CORAS_TRY(coras_buf_done(&text, err));
    fputs(text.ptr, stdout);
    return 0;
}

const struct cmd cmd_help = {
    .name = "help",
    .use = "[command]",
    .summary = "Help about any command",
    .about = "Help provides help for any command in the application.\n"
             "Simply type <program> help [path to command] for full details.",
    .max_args = ARGS_ANY,
    .flags = CMD_NO_SUGGESTION,
    .run = help_run,
};
