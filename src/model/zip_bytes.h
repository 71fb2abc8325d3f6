/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Little-endian numbers of zip archives.
 */
#ifndef CORAS_MODEL_ZIP_BYTES_H
#define CORAS_MODEL_ZIP_BYTES_H

#include <stdint.h>

static inline uint32_t coras_zip_u16(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)(b[0] | b[1] << 8);
}

static inline uint32_t coras_zip_u32(const char *p)
{
    return coras_zip_u16(p) | coras_zip_u16(p + 2) << 16;
}

static inline uint64_t coras_zip_u64(const char *p)
{
    return coras_zip_u32(p) | (uint64_t)coras_zip_u32(p + 4) << 32;
}

#endif
