/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to answer: which requests are quick, and who does the others. */
#include "serve/http/exchange.h"

/*
 * Looking up what is kept here costs less than to hand it over to another thread and back, as long
 * as that is a question to a database and a file in this machine.
 */
static bool is_quick(const struct serve_exchange *x)
{
    if (x->route_error != SERVE_ROUTE_OK)
        return true;
    if (x->registry->layouts || !x->registry->own.content.is_near)
        return false;
    switch (x->route.kind) {
    case SERVE_ROUTE_BASE:
    case SERVE_ROUTE_SITE_STYLE:
        return true;
    case SERVE_ROUTE_MANIFEST:
        return x->method == SERVE_GET || x->method == SERVE_HEAD;
    case SERVE_ROUTE_BLOB: /* who asks whether it is there may push, which is noted */
        return x->method == SERVE_GET;
    default:
        return false;
    }
}

enum serve_work serve_exchange_work(const struct serve_exchange *x)
{
    if (is_quick(x))
        return SERVE_WORK_NONE;
    if (x->place.upstream &&
        (x->route.kind == SERVE_ROUTE_TAGS || x->route.kind == SERVE_ROUTE_REFERRERS))
        return SERVE_WORK_ORIGIN;
    if (x->method == SERVE_GET || x->method == SERVE_HEAD)
        return SERVE_WORK_READ;
    /* its body comes first */
    return x->route.kind == SERVE_ROUTE_MANIFEST && x->method == SERVE_PUT && !x->registry->layouts
               ? SERVE_WORK_NONE
               : SERVE_WORK_WRITE;
}

/* What a manifest names may have to come from an upstream. */
enum serve_work serve_exchange_end_work(const struct serve_exchange *x)
{
    return x->place.upstream && !x->upload ? SERVE_WORK_ORIGIN : SERVE_WORK_WRITE;
}
