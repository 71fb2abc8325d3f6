/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of content: every beginning has one name, and no byte behind the head changes it. */
#include "fuzz.h"

#include "model/detect.h"

bool fuzz_one(const char *data, size_t len)
{
    enum coras_content_kind kind = coras_content_detect(data, len, (int64_t)len);
    size_t head = len < CORAS_CONTENT_HEAD ? len : CORAS_CONTENT_HEAD;

    FUZZ_CHECK(coras_content_name(kind)[0] != '\0');
    FUZZ_CHECK(coras_content_detect(data, head, (int64_t)len) == kind || len > head);
    return kind != CORAS_CONTENT_UNKNOWN;
}
