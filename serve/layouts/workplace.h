/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workplace: the directory of a registry that has none of its own, since it serves layouts alone.
 * Uploads on their way are kept there. Where layouts are written it lies among them, hidden, so
 * that finished content moves by a rename; else it is a temporary one that goes at the end.
 */
#ifndef SERVE_LAYOUTS_WORKPLACE_H
#define SERVE_LAYOUTS_WORKPLACE_H

#include "serve/options.h"

typedef struct serve_workplace {
    char *path;        /* NULL: the registry has a directory of its own */
    bool is_temporary; /* to be removed */
} serve_workplace;

/* Make one when `options` name layouts and no directory. */
CORAS_MUST_CHECK int serve_workplace_make(const struct serve_options *options, serve_workplace *ret,
                                          coras_error **err);
void serve_workplace_clear(serve_workplace *w);

#endif
