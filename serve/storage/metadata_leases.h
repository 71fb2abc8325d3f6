/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: what one of several processes on a database does alone, by a name, for as long as it says
 * so again and again. One whose process is gone runs out. Time is the database's: the clocks of the
 * machines need not agree.
 *
 * A lease keeps processes from doing the same work twice. It is no lock: who holds one may have
 * lost it without knowing, so nothing may become wrong when two hold it.
 */
#ifndef SERVE_STORAGE_METADATA_LEASES_H
#define SERVE_STORAGE_METADATA_LEASES_H

#include "serve/storage/metadata.h"

/* Take it, or keep it, for `for_ms` from now on. EXISTS: another has it. */
CORAS_MUST_CHECK int serve_metadata_take_lease(serve_metadata *m, const char *name, int64_t for_ms,
                                               coras_error **err);
/* Give it back, if it still is ours. */
CORAS_MUST_CHECK int serve_metadata_give_lease(serve_metadata *m, const char *name,
                                               coras_error **err);
/* Whether other processes may use the same database now. */
bool serve_metadata_is_shared(const serve_metadata *m);

#endif
