/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splitting `<file>[:<media type>]`.
 */
#include "cli/options/fileref.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "gospell/quote.h"

int fileref_split(const char *text, char **ret_path, const char **ret_type, coras_error **err)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    if (len == 0) {
        coras_auto_free char *quoted = coras_go_quote_dup(text);
        if (!quoted)
            return coras_fail_no_memory(err);
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "found empty file path in %s", quoted);
    }
    char *path = coras_strndup(text, len);
    if (!path)
        return coras_fail_no_memory(err);
    *ret_path = path;
    *ret_type = colon ? colon + 1 : "";
    return 0;
}
