/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content that is larger than memory would push everything else out of the page cache, and its own
 * beginning too. What has been hashed, and lies behind what is to stay, is let go.
 */
#ifndef CORAS_TRANSFER_LET_GO_H
#define CORAS_TRANSFER_LET_GO_H

#include "base/common.h"

/* How much may stay of content before which an operation has brought so many bytes: half of memory
 * in all. At least 1; 0: all of it, since nobody knows how much memory there is. */
int64_t coras_let_go_after(int64_t brought, int64_t memory);

/* Bytes [0, position) of the file are needed no more. Lets go of those after `kept` (0: of none)
 * that are on the disk by now; `*done` is how far that has been tried, at first 0. */
void coras_let_go(int fd, int64_t kept, int64_t position, int64_t *done);

#endif
