/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judgement of a link by its text (link_target.h).
 */
#include "archive/link_target.h"

#include <stdbool.h>
#include <string.h>

enum coras_link_verdict coras_judge_link(const char *target, long depth)
{
    bool went_down = false, ask = false;
    if (*target == '/')
        return CORAS_LINK_OUTSIDE;
    while (*target) {
        size_t len = strcspn(target, "/");
        if (len == 2 && memcmp(target, "..", 2) == 0) {
            if (--depth < 0)
                return CORAS_LINK_OUTSIDE;
            ask |= went_down;
        } else if (len > 0 && !(len == 1 && *target == '.')) {
            depth++;
            went_down = true;
        }
        target += len;
        target += *target == '/';
    }
    return ask ? CORAS_LINK_ASK_KERNEL : CORAS_LINK_INSIDE;
}
