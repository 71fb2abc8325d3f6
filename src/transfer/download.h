/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One blob from a target into a partial file (partial_file.h): filled by one or several connections
 * (fill.h), resumed where an earlier try of this or another process stopped, hashed behind the
 * writes, verified whole.
 */
#ifndef CORAS_TRANSFER_DOWNLOAD_H
#define CORAS_TRANSFER_DOWNLOAD_H

#include "transfer/run.h"

/* Shorter content is fetched whole again; from this size on a partial file is continued. */
#define CORAS_DOWNLOAD_RESUMED_BYTES (1024 * 1024)

struct coras_download {
    coras_run *run;
    coras_target *from;
    const coras_descriptor *desc;
    const coras_transfer *transfer; /* progress, retrying; may be NULL */
    int dirfd;
    const char *partial; /* name in dirfd; must carry the digest */
    mode_t mode;         /* of a new file, before the umask */
    bool sync;           /* fsync before returning */
};

/*
 * Returns 0 with the file complete and verified. On DIGEST_MISMATCH and SIZE_MISMATCH the partial
 * file is removed (its bytes are wrong, not merely few); on other failures it stays for the next
 * try.
 */
CORAS_MUST_CHECK int coras_download(const struct coras_download *d, coras_error **err);

/* Whether a download that failed with this code has left something that the next one can go on
 * from: an interruption or a lack does, wrong bytes do not. */
bool coras_download_can_resume(int rc);

#endif
