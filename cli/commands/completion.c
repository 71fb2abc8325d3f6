/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion: scripts for shells, and the hidden command that they call.
 */
#include <stdio.h>

#include "base/error.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "cli/app/completion.h"
#include "cli/app/help.h"

/* ---- the scripts ---- */

struct completion_state {
    struct opt_bool no_descriptions;
};

static const struct opt completion_options[] = {
    {"no-descriptions", 0, OPT_BOOL, 0, offsetof(struct completion_state, no_descriptions), NULL,
     "disable completion descriptions", NULL},
    {0},
};
static const struct opt_use completion_groups[] = {{completion_options, 0, NULL, NULL}, {0}};

static int script_run(struct call *call, coras_error **err)
{
    const struct completion_state *state = call->state;
    const char *request = state->no_descriptions.value ? "__completeNoDesc" : "__complete";
    static const char mark[] = "<request>";
    const char *script = completion_script(call->cmd->name);
    const char *at = strstr(script, mark);
    coras_auto_buf head = CORAS_BUF_UNLIMITED, text = CORAS_BUF_UNLIMITED;
    coras_buf_put(&head, script, (size_t)(at - script));
    coras_buf_puts(&head, request);
    coras_buf_puts(&head, at + sizeof(mark) - 1);
    CORAS_TRY(coras_buf_done(&head, err));
    help_put_text(&text, head.ptr, call->program);
    CORAS_TRY(coras_buf_done(&text, err));
    fputs(text.ptr, stdout);
    return 0;
}

#define SHELL_COMMAND(shell, setup, more_flags)                                                    \
    {                                                                                              \
        .name = shell, .summary = "Generate the autocompletion script for " shell,                 \
        .about = "Generate the autocompletion script for " shell ".\n\n" setup                     \
                 "\nStart a new shell for this setup to take effect.",                             \
        .options = completion_groups, .state_size = sizeof(struct completion_state),               \
        .flags = CMD_NO_FILES | (more_flags), .run = script_run                                    \
    }

static const struct cmd completion_bash =
    SHELL_COMMAND("bash",
                  "In the running shell:\n\n\tsource <(<program> completion bash)\n\n"
                  "For every new shell (needs the package bash-completion):\n\n"
                  "\t<program> completion bash > /etc/bash_completion.d/<program>\n",
                  CMD_PLAIN_USAGE);
static const struct cmd completion_zsh =
    SHELL_COMMAND("zsh",
                  "In the running shell:\n\n\tsource <(<program> completion zsh)\n\n"
                  "For every new shell (completion must be on: autoload -U compinit; compinit):\n\n"
                  "\t<program> completion zsh > \"${fpath[1]}/_<program>\"\n",
                  0);
static const struct cmd completion_fish =
    SHELL_COMMAND("fish",
                  "In the running shell:\n\n\t<program> completion fish | source\n\n"
                  "For every new shell:\n\n"
                  "\t<program> completion fish > ~/.config/fish/completions/<program>.fish\n",
                  0);
static const struct cmd completion_powershell =
    SHELL_COMMAND("powershell",
                  "In the running shell:\n\n"
                  "\t<program> completion powershell | Out-String | Invoke-Expression\n\n"
                  "For every new shell, add the output of that command to your profile.\n",
                  0);

static const struct cmd *const shells[] = {
    &completion_bash, &completion_fish, &completion_powershell, &completion_zsh, NULL,
};

const struct cmd cmd_completion = {
    .name = "completion",
    .summary = "Generate the autocompletion script for the specified shell",
    .about = "Generate the autocompletion script for <program> for the specified shell.\n"
             "See each sub-command's help for details on how to use the generated script.",
    .children = shells,
};

/* ---- what the scripts ask ---- */

static int print_candidates(struct call *call, bool with_text, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) problem = NULL;
    if (!call->nargs)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "requires at least 1 arg(s), only received 0");
    enum complete_directive directive =
        complete_words(call->program, call->args, call->nargs, &out, &problem);
    CORAS_TRY(coras_buf_done(&out, err));
    if (problem)
        fprintf(stderr, "[Debug] [Error] %s\n", coras_error_message(problem));
    for (const char *line = out.ptr; *line;) {
        size_t len = strcspn(line, "\n");
        size_t shown = with_text ? len : strcspn(line, "\t");
        printf("%.*s\n", (int)shown, line);
        line += len + 1;
    }
    printf(":%d\n", directive);
    fprintf(stderr, "Completion ended with directive: %s\n",
            directive == COMPLETE_NO_FILES ? "ShellCompDirectiveNoFileComp"
                                           : "ShellCompDirectiveDefault");
    return 0;
}

static int complete_run(struct call *call, coras_error **err)
{
    return print_candidates(call, true, err);
}

static int complete_no_desc_run(struct call *call, coras_error **err)
{
    return print_candidates(call, false, err);
}

#define REQUEST_COMMAND(request, function)                                                         \
    {                                                                                              \
        .name = request, .summary = "Request shell completion choices", .max_args = ARGS_ANY,      \
        .flags = CMD_HIDDEN | CMD_RAW_ARGS, .run = function                                        \
    }
const struct cmd cmd_complete = REQUEST_COMMAND("__complete", complete_run);
const struct cmd cmd_complete_no_desc = REQUEST_COMMAND("__completeNoDesc", complete_no_desc_run);
