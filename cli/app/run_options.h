/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a run, from the call of a command: how many transfers, who hears of them, what
 * ends them.
 */
#ifndef CORAS_CLI_APP_RUN_OPTIONS_H
#define CORAS_CLI_APP_RUN_OPTIONS_H

#include "cli/app/auto.h"
#include "cli/app/command.h"
#include "cli/app/environment.h"
#include "cli/output/display.h"
#include "coras/ops.h"

/* As many transfers at a time as the flag says (NULL: the usual number), and no more connections
 * when it was given; events to the display. */
static inline coras_run_options
run_options(const struct call *call, const struct opt_int *concurrency, struct display *display)
{
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    int64_t n = concurrency ? concurrency->value : 0;
    run.concurrency = n > INT32_MAX ? INT32_MAX : n < 0 ? 0 : (int)n;
    run.connections = concurrency && concurrency->set ? run.concurrency : 0;
    run.on_event = display_event;
    run.user = display;
    run.cancel = call->cancel;
    run.environment = environment();
    return run;
}

#endif
