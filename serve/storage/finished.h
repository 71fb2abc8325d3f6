/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads that ended well lately: a client whose last answer was lost repeats its request, and is
 * answered as if it was the first.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef SERVE_STORAGE_FINISHED_H
#define SERVE_STORAGE_FINISHED_H

#include "oci/digest.h"

typedef struct serve_finished serve_finished;

serve_finished *serve_finished_new(void); /* NULL when out of memory */
void serve_finished_free(serve_finished *f);
/* The session `id` of this repository became the blob `digest`. */
void serve_finished_note(serve_finished *f, const char *id, const char *repository,
                         const coras_digest *digest);
bool serve_finished_has(serve_finished *f, const char *id, const char *repository,
                        const coras_digest *digest);

#endif
