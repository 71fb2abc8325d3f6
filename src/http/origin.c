/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about where a registry is. Its own connections tell best: a name may be made to
 * point to this machine for the moment in which somebody looks it up.
 */
#include "base/alloc.h"
#include "http/send.h"

void coras_origin_free(struct coras_origin *origin)
{
    if (!origin)
        return;
    free(origin->base_url);
    free(origin);
}

static enum coras_zone look_up(struct coras_origin *origin)
{
    int known = atomic_load(&origin->looked_up);

    if (!known) {
        coras_auto_free char *host = coras_strndup(origin->url.host.ptr, origin->url.host.len);
        known = (host ? (int)coras_host_zone(host) : CORAS_ZONE_UNKNOWN) + 1;
        atomic_store(&origin->looked_up, known);
    }
    return (enum coras_zone)(known - 1);
}

enum coras_zone coras_origin_met(const struct coras_origin *origin)
{
    return (enum coras_zone)atomic_load(&origin->met);
}

enum coras_zone coras_origin_zone(struct coras_origin *origin)
{
    enum coras_zone met = coras_origin_met(origin);

    return met ? met : look_up(origin);
}

void coras_origin_note(struct coras_origin *origin, enum coras_zone zone)
{
    int met = atomic_load(&origin->met), outer;

    do {
        outer = (int)coras_zone_outer((enum coras_zone)met, zone);
    } while (outer != met && !atomic_compare_exchange_weak(&origin->met, &met, outer));
}
