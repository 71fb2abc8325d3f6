/* SPDX-License-Identifier: Apache-2.0 */
/* The way in for libFuzzer. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *copy = malloc(len + 1); /* of exact size, so that reading beyond it is seen */

    if (!copy)
        return 0;
    if (len)
        memcpy(copy, data, len);
    copy[len] = '\0';
    (void)fuzz_one(copy, len);
    free(copy);
    return 0;
}
