/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice to the kernel behind a large transfer (let_go.h).
 */
#include "transfer/let_go.h"

#include <fcntl.h>

enum {
    STEP = 16 * 1024 * 1024,    /* as what is written is put on its way to the disk */
    UNDER_WAY = 2 * STEP,       /* and is not there yet: it would stay */
    ONCE_MORE = 16 * UNDER_WAY, /* what was late is let go with one of the next steps */
};

int64_t coras_let_go_after(int64_t brought, int64_t memory)
{
    if (memory <= 0)
        return 0;
    return brought < memory / 2 ? memory / 2 - brought : 1;
}

void coras_let_go(int fd, int64_t kept, int64_t position, int64_t *done)
{
    int64_t to = position - UNDER_WAY, from = to - ONCE_MORE > kept ? to - ONCE_MORE : kept;

    if (!kept || to <= from || to - *done < STEP)
        return;
    (void)posix_fadvise(fd, from, to - from, POSIX_FADV_DONTNEED); /* advice */
    *done = to;
}
