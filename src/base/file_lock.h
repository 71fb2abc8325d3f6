/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping other processes of ours out for a while, by flock() on a file or directory that both
 * know. The lock goes with the descriptor: closing it, or dying, gives it back.
 */
#ifndef CORAS_BASE_FILE_LOCK_H
#define CORAS_BASE_FILE_LOCK_H

#include "base/cancel.h"

/*
 * Wait until nobody else has it. 0; 1 when this file system knows no locks; TIMEOUT after
 * CORAS_LIMIT_LOCK_SECONDS, with `what` ("the layout") in the message; CANCELLED.
 */
CORAS_MUST_CHECK int coras_file_lock(int fd, const char *what, const coras_cancel *cancel,
                                     coras_error **err);

#endif
