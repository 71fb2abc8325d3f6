/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the probes. */
#include "serve/operate/health.h"

#include <stdatomic.h>
#include "base/alloc.h"
#include "codec/json.h"

struct health_probe {
    const char *name;
    serve_probe_fn *run;
    void *user;
    bool is_outside;
};
struct serve_health {
    struct health_probe probes[SERVE_PROBES_MAX]; /* const below `count` */
    atomic_size_t count;
    atomic_bool draining;
};

serve_health *serve_health_new(void)
{
    return coras_new(serve_health);
}

void serve_health_free(serve_health *h)
{
    free(h);
}

void serve_health_add(serve_health *h, const char *name, serve_probe_fn *probe, void *user)
{
    size_t count = h ? atomic_load(&h->count) : SERVE_PROBES_MAX;

    if (count == SERVE_PROBES_MAX)
        return;
    h->probes[count] = (struct health_probe){name, probe, user, false};
    atomic_store(&h->count, count + 1);
}

void serve_health_add_outside(serve_health *h, const char *name, serve_probe_fn *probe, void *user)
{
    if (h && h->count < SERVE_PROBES_MAX)
        h->probes[h->count++] = (struct health_probe){name, probe, user, true};
}

void serve_health_drain(serve_health *h)
{
    atomic_store(&h->draining, true);
}

static const char *status_word(bool failed, bool missing, bool draining)
{
    if (failed)
        return "failed";
    if (draining)
        return "stopping";
    return missing ? "waiting" : "ok";
}

struct serve_health_state serve_health_check(serve_health *h, coras_buf *out)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(out ? out : &text, 0);
    bool failed = false, missing = false, draining = atomic_load(&h->draining);

    coras_jw_object(&w);
    coras_jw_key(&w, "checks");
    coras_jw_object(&w);
    for (size_t i = 0; i < atomic_load(&h->count); i++) {
        bool part_failed = false;
        const char *state = h->probes[i].run(h->probes[i].user, &part_failed);
        if (state)
            coras_jw_member(&w, h->probes[i].name, state);
        failed = failed || (part_failed && !h->probes[i].is_outside);
        missing = missing || part_failed;
    }
    coras_jw_end_object(&w);
    coras_jw_member(&w, "status", status_word(failed, missing, draining));
    coras_jw_end_object(&w);
    return (struct serve_health_state){!failed, !missing && !draining};
}
