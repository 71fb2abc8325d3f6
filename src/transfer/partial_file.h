/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that holds part of some content, and remembers which part: opened for one writer at a
 * time, continued by a later process. While one connection fills it from its beginning, its length
 * says how far it is. When several fill different parts, a tail behind the place of the last byte
 * lists what is missing. Neither is trusted: the digest over all bytes decides.
 */
#ifndef CORAS_TRANSFER_PARTIAL_FILE_H
#define CORAS_TRANSFER_PARTIAL_FILE_H

#include <sys/stat.h>

#include "transfer/gaps.h"
#include "transfer/run.h"

/* Open or make `name` in `dirfd` and lock it: a second process waits until the first is done. */
CORAS_MUST_CHECK int coras_partial_open(coras_run *run, int dirfd, const char *name, mode_t mode,
                                        int *ret_fd, coras_error **err);

/* What is missing of `size` bytes. A file that says nothing sensible holds nothing. A tail is there
 * afterwards only where the length cannot say it. */
CORAS_MUST_CHECK int coras_partial_missing(int fd, const char *name, int64_t size, coras_gaps *ret,
                                           coras_error **err);

/* Note what is missing while parts arrive out of order. What counts as there is on disk before. */
CORAS_MUST_CHECK int coras_partial_note(int fd, const char *name, int64_t size,
                                        const coras_gaps *missing, coras_error **err);
/* The last note, when nobody writes any more: without a tail where the length can say it, so that a
 * file that misses nothing is as long as its content. */
CORAS_MUST_CHECK int coras_partial_settle(int fd, const char *name, int64_t size,
                                          const coras_gaps *missing, coras_error **err);

/* Whether `wanted` bytes are free on the file system of `fd`; NO_SPACE with the numbers when not.
 */
CORAS_MUST_CHECK int coras_partial_check_room(int fd, int64_t wanted, coras_error **err);
/* Reserve room for all; NO_SPACE with the numbers when there is too little. */
CORAS_MUST_CHECK int coras_partial_reserve(int fd, const char *name, int64_t size,
                                           const coras_gaps *missing, coras_error **err);

/* Completes a NO_SPACE error `rc` with what is missing and what there is. */
int coras_partial_tell_space(int fd, int64_t missing, int rc, coras_error **err);

#endif
