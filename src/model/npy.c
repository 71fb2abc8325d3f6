/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a NumPy array.
 */
#include "model/npy.h"

enum { LENGTH_AT = 8 };

/* The dictionary that describes the array; false when it is cut short. */
static bool find_header(const unsigned char *bytes, size_t len, coras_str *ret)
{
    size_t width = len > LENGTH_AT && bytes[6] == 1 ? 2 : 4, size = 0;

    if (len < LENGTH_AT + width || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return false;
    for (size_t i = width; i-- > 0;)
        size = size << 8 | bytes[LENGTH_AT + i];
    if (size > len - LENGTH_AT - width)
        return false;
    *ret = (coras_str){(const char *)bytes + LENGTH_AT + width, size};
    return true;
}

bool coras_npy_read(const void *head, size_t len, size_t *ret_data_at, bool *ret_objects)
{
    coras_str header;

    if (!find_header(head, len, &header))
        return false;
    *ret_data_at = (size_t)(header.ptr + header.len - (const char *)head);
    /* The type is "O" in quotes, with or without a sign of byte order; fields of records too. */
    *ret_objects =
        memmem(header.ptr, header.len, "|O", 2) || memmem(header.ptr, header.len, "'O'", 3) ||
        memmem(header.ptr, header.len, "\"O\"", 3) || memmem(header.ptr, header.len, "<O", 2) ||
        memmem(header.ptr, header.len, ">O", 2) || memmem(header.ptr, header.len, "=O", 2);
    return true;
}
