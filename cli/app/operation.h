/*
 * What commands that run an operation of the library share.
 */
#ifndef CORAS_CLI_APP_OPERATION_H
#define CORAS_CLI_APP_OPERATION_H

#include "cli/app/environment.h"
#include "cli/app/auto.h"
#include "cli/options/optgroups.h"
#include "cli/output/display.h"
#include "coras/ops.h"

/* Options of a run: as many transfers at a time as the flag says (NULL: the usual number), events
 * to the display. */
static inline coras_run_options
run_options(const struct call *call, const struct opt_int *concurrency, struct display *display)
{
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    int64_t n = concurrency ? concurrency->value : 0;
    run.concurrency = n > INT32_MAX ? INT32_MAX : n < 0 ? 0 : (int)n;
    run.on_event = display_event;
    run.user = display;
    run.cancel = call->cancel;
    run.environment = environment();
    return run;
}

#define FORCE_COPY_HELP                                                                            \
    "force a deep traversal of the destination graph before tagging the root; useful when the "    \
    "destination is partially populated (e.g. by a registry cache)"

/* Display of the commands that upload; `format` NULL: text. */
struct display *upload_display(const struct common_options *common,
                               const struct format_options *format, const struct opt_bool *no_tty,
                               void (*headline)(void *user), void *user);

#endif
