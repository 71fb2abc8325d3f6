/* SPDX-License-Identifier: Apache-2.0 */
/* How a repository is asked. */
#include "registry/manner.h"

#include "base/alloc.h"
#include "base/error.h"
#include "registry/registry.h"

int coras_registry_behave(coras_target *t, const coras_registry_manner *manner, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto_free char *via = manner->via ? coras_strdup(manner->via) : NULL;
    coras_auto_free char *query = manner->query ? coras_strdup(manner->query) : NULL;

    if ((manner->via && !via) || (manner->query && !query))
        return coras_fail_no_memory(err);
    coras_registry_manner_clear(r);
    r->manner = *manner;
    r->manner.via = r->via = coras_steal(&via);
    r->manner.query = r->query = coras_steal(&query);
    return 0;
}

void coras_registry_manner_clear(coras_registry *r)
{
    free(r->via);
    free(r->query);
    r->via = r->query = NULL;
}

void coras_registry_set_limits(coras_target *t, int silence_s, int64_t deadline_ms)
{
    coras_registry_manner *m = &coras_registry_of(t)->manner;

    m->silence_s = silence_s;
    m->deadline_ms = deadline_ms;
}

void coras_registry_manner_apply(const coras_registry_manner *manner, coras_request *req)
{
    req->via = manner->via;
    req->no_retry = manner->once;
    req->silence_s = manner->silence_s;
    req->deadline_ms = manner->deadline_ms;
}
