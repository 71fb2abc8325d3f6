/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version: of this program, and what it was built from.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "coras/platform.h"

static int version_run(struct call *call, coras_error **err)
{
    coras_auto_buf ignored = CORAS_BUF_UNLIMITED;
    for (size_t i = 0; i < call->nargs; i++)
        coras_buf_printf(&ignored, "%s%s", i ? "," : "", call->args[i]);
    CORAS_TRY(coras_buf_done(&ignored, err));
    if (call->nargs)
        fprintf(stderr, "warning: `oras version` requires no argument, \"%s\" will be ignored\n",
                ignored.ptr);
    printf("Version: %s\nOS/Arch: %s/%s\n", CORAS_VERSION, coras_host_os(), coras_host_arch());
    return 0;
}

static const struct example version_examples[] = {{"print version", "version"}, {NULL, NULL}};

const struct cmd cmd_version = {
    .name = "version",
    .summary = "Show the <program> version information",
    .examples = version_examples,
    .max_args = ARGS_ANY,
    .run = version_run,
};
