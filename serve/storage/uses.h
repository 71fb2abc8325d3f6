/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses: when each blob was read last, and which are being read, so that a cache that is full knows
 * what to give up. Kept in memory exactly; the database hears of it now and then, for after a
 * restart.
 *
 * Threads: everything may be called by any thread.
 */
#ifndef SERVE_STORAGE_USES_H
#define SERVE_STORAGE_USES_H

#include "coras/digest.h"
#include "serve/storage/metadata.h"

typedef struct serve_uses serve_uses;

serve_uses *serve_uses_new(void); /* NULL when out of memory */
void serve_uses_free(serve_uses *u);

/* All of these do nothing without `u`. */
/* It is read now. */
void serve_uses_note(serve_uses *u, const coras_digest *digest);
/* The same, until as many calls of serve_uses_release(). */
void serve_uses_hold(serve_uses *u, const coras_digest *digest);
void serve_uses_release(serve_uses *u, const coras_digest *digest);
bool serve_uses_is_held(serve_uses *u, const coras_digest *digest);
/* Tell the database what it has not heard yet; what it could not be told it is told the next time.
 */
CORAS_MUST_CHECK int serve_uses_save(serve_uses *u, serve_metadata *m, coras_error **err);

#endif
