/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of GGUF files; the corpus is what the strict reading takes and refuses. */
#include "weight_header.h"

bool fuzz_one(const char *data, size_t len)
{
    return fuzz_header(CORAS_WEIGHT_GGUF, data, len);
}
