/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: cleaning is idempotent; what may be opened beneath a root is clean and never leaves it. */
#include "fuzz.h"

#include <errno.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_free char *clean = NULL;
    coras_auto_free char *again = NULL;
    coras_auto_fd root = -1;
    coras_auto_fd fd = -1;

    if (!fuzz_is_text(data, len))
        return false;
    clean = coras_path_clean(data);
    FUZZ_CHECK(clean);
    again = coras_path_clean(clean);
    FUZZ_CHECK(again && strcmp(clean, again) == 0);
    root =
        open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* nothing to find in it */
    if (coras_open_beneath(root, data, O_RDONLY, 0, &fd, NULL) == CORAS_ERR_UNSAFE_PATH)
        return false;
    FUZZ_CHECK(strcmp(clean, data) == 0);
    FUZZ_CHECK(clean[0] != '/' && strcmp(clean, ".") != 0);
    FUZZ_CHECK(strcmp(clean, "..") != 0 && strncmp(clean, "../", 3) != 0);
    FUZZ_CHECK(len <= CORAS_LIMIT_PATH);
    return true;
}
