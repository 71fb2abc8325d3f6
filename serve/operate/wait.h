/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals as requests to the server: to stop, or to read its files again. They are held back from
 * everybody and waited for by the main thread.
 */
#ifndef SERVE_OPERATE_WAIT_H
#define SERVE_OPERATE_WAIT_H

#include <signal.h>
#include "base/common.h"

enum serve_asked {
    SERVE_ASKED_NOTHING,
    SERVE_ASKED_RELOAD, /* SIGHUP */
    SERVE_ASKED_STOP    /* SIGTERM, SIGINT; SIGHUP of a terminal that is gone */
};

struct serve_signals {
    sigset_t set;
    bool had_terminal;
};

/* Hold them back: before there are threads, which inherit it. */
void serve_signals_hold(struct serve_signals *s);
/* Wait for one, no longer than this. */
enum serve_asked serve_signals_wait(const struct serve_signals *s, int64_t timeout_ms);

#endif
