/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns for paths: the first line is one, the rest a path. What is accepted matches without
 * trouble; a text whose every byte is escaped matches itself, and a tree matches everything.
 */
#include "fuzz.h"

#include "base/glob.h"
#include "base/limits.h"

static void check_escaped(const char *path, size_t len)
{
    char pattern[CORAS_LIMIT_GLOB + 1];

    if (len > CORAS_LIMIT_GLOB / 2)
        return;
    for (size_t i = 0; i < len; i++) {
        pattern[2 * i] = '\\';
        pattern[2 * i + 1] = path[i];
        if (path[i] & 0x80)
            return;
    }
    pattern[2 * len] = '\0';
    FUZZ_CHECK(coras_glob_match(pattern, path));
}

bool fuzz_one(const char *data, size_t len)
{
    char pattern[CORAS_LIMIT_GLOB + 2] = "";
    const char *line = memchr(data, '\n', len);

    if (!fuzz_is_text(data, len) || !line || (size_t)(line - data) >= sizeof(pattern))
        return false;
    memcpy(pattern, data, (size_t)(line - data));
    bool is_pattern = coras_glob_check(pattern, NULL) == 0;
    bool matches = coras_glob_match(pattern, line + 1);
    FUZZ_CHECK(is_pattern || !matches);
    FUZZ_CHECK(coras_glob_match("**", line + 1));
    check_escaped(line + 1, len - (size_t)(line + 1 - data));
    return is_pattern;
}
