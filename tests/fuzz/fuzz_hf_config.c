/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: facts are text or absent, and memory is that of the document. */
#include "fuzz.h"

#include "base/alloc.h"
#include "model/hf_config.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_hf_config) config = {0};
    int rc;

    coras_alloc_count_start();
    rc = coras_hf_config_read(data, len, &config, NULL);
    FUZZ_CHECK(coras_alloc_count_stop() <= 32768 + 64 * len);
    if (rc == 0)
        FUZZ_CHECK(config.context_length == -1 || config.context_length > 0);
    return rc == 0;
}
