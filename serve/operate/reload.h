/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading files again while the server runs (SIGHUP). Each part that stands on a file adds how it
 * is read again; a part whose new file is wrong keeps what it had, and says so.
 *
 * Threads: parts are added before requests come; serve_reload_all() is for one thread.
 */
#ifndef SERVE_OPERATE_RELOAD_H
#define SERVE_OPERATE_RELOAD_H

#include "base/common.h"

#define SERVE_RELOADS_MAX 16

typedef int serve_reload_fn(void *user, coras_error **err);

struct serve_reloads {
    struct {
        const char *what;
        serve_reload_fn *reload;
        void *user;
    } parts[SERVE_RELOADS_MAX];
    size_t count;
};

/* `what` ("passwords and rules") is for the log; it and `user` are borrowed. */
void serve_reload_add(struct serve_reloads *r, const char *what, serve_reload_fn *reload,
                      void *user);
/* Read all files again, and say in the log what came of it. */
void serve_reload_all(const struct serve_reloads *r);

#endif
