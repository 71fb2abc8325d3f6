/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of several processes on one database and one store, one fetches a blob from its upstream: it has
 * the lease of the fill, and keeps it while bytes come. The others wait for it a moment, which is
 * long enough for most blobs; after that they fetch for themselves, since their readers wait. A
 * process that dies leaves a lease that runs out.
 */
#ifndef SERVE_PROXY_FILL_LEASE_H
#define SERVE_PROXY_FILL_LEASE_H

#include "serve/proxy/filler_impl.h"

/* Before anything is fetched. EXISTS: another process has stored it meanwhile. */
CORAS_MUST_CHECK int serve_fill_lease_begin(struct serve_filler *w, coras_error **err);
/* While bytes come. */
void serve_fill_lease_keep(struct serve_filler *w);
/* The fill is over, however it ended. */
void serve_fill_lease_end(struct serve_filler *w);

#endif
