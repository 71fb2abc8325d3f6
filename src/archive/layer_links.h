/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of several archives: one moved over another, and links turned into files. For layers.c
 * only.
 */
#ifndef CORAS_ARCHIVE_LAYER_LINKS_H
#define CORAS_ARCHIVE_LAYER_LINKS_H

#include "base/common.h"

/* Move what is in `from_fd` into `to_fd`, which becomes empty. What stands in the way is replaced
 * with `replace`, else refused (EXISTS) unless both are directories. */
CORAS_MUST_CHECK int coras_move_layer(int from_fd, int to_fd, bool replace, coras_error **err);

/* Every symbolic link beneath `root_fd` becomes another name of the file that it leads to, or goes
 * away when that is none. UNSAFE_ARCHIVE when it leads out. */
CORAS_MUST_CHECK int coras_flatten_links(int root_fd, coras_error **err);

#endif
