/* SPDX-License-Identifier: Apache-2.0 */
/* One part after the other, each by itself. */
#include "serve/operate/reload.h"

#include "base/error.h"
#include "serve/http/log.h"

void serve_reload_add(struct serve_reloads *r, const char *what, serve_reload_fn *reload,
                      void *user)
{
    if (r->count == SERVE_RELOADS_MAX)
        return;
    r->parts[r->count].what = what;
    r->parts[r->count].reload = reload;
    r->parts[r->count++].user = user;
}

void serve_reload_all(const struct serve_reloads *r)
{
    for (size_t i = 0; i < r->count; i++) {
        coras_auto(coras_error) err = NULL;
        if (r->parts[i].reload(r->parts[i].user, &err) == 0)
            serve_log_note("reloaded: %s", r->parts[i].what);
        else
            serve_log_note("not reloaded: %s: %s; what was read before goes on to hold",
                           r->parts[i].what, coras_error_message(err));
    }
}
