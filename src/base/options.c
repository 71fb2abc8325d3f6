/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading option records that may be shorter or longer than ours (options.h).
 */
#include "base/options.h"

#include <string.h>
#include "base/error.h"

int coras_options_read(void *known, size_t size, const void *given, coras_error **err)
{
    size_t has;

    if (!given)
        return 0;
    memcpy(&has, given, sizeof(has));
    if (has < sizeof(has))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "options without size");
    memcpy(known, given, has < size ? has : size);
    memcpy(known, &size, sizeof(size));
    return 0;
}

int coras_missing_argument(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
}
