/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the checksums of tar headers right again, so that mutations get past them: of every block
 * that has ustar's magic.
 */
#ifndef CORAS_TESTS_FUZZ_TAR_CHECKSUMS_H
#define CORAS_TESTS_FUZZ_TAR_CHECKSUMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void fix_tar_checksum(unsigned char *block)
{
    enum { BLOCK = 512, CHECKSUM = 148, CHECKSUM_BYTES = 8 };
    unsigned sum = CHECKSUM_BYTES * ' ';
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_BYTES ? 0 : block[i];
    (void)snprintf((char *)block + CHECKSUM, CHECKSUM_BYTES, "%06o", sum & 0777777);
}

/* A copy to be freed, or NULL. */
static inline char *copy_with_tar_checksums(const char *data, size_t len)
{
    enum { BLOCK = 512, MAGIC = 257 };
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, data, len);
    copy[len] = 0;
    for (size_t at = 0; at + BLOCK <= len; at += BLOCK)
        if (memcmp(copy + at + MAGIC, "ustar", 5) == 0)
            fix_tar_checksum((unsigned char *)copy + at);
    return copy;
}

#endif
