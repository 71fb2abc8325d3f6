/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to codec: what a coras_json is.
 */
#ifndef CORAS_CODEC_JSON_NODE_H
#define CORAS_CODEC_JSON_NODE_H

#include "codec/json.h"

struct coras_json {
    const char *key; /* of a member, decoded; else NULL */
    union {
        const char *string;
        int64_t integer;
        double real;
        bool boolean;
        coras_json *items; /* children, in document order */
        size_t parent;     /* while it is open: index of the container around it */
    };
    uint32_t len; /* children */
    unsigned char type;
};

/*
 * Once all members of an object are there: of equal keys the last counts, or they are refused with
 * INVALID_JSON. Takes time and memory in proportion to the keys, whatever they are.
 */
CORAS_MUST_CHECK int coras_json_settle_keys(coras_json *object, bool last_counts,
                                            coras_error **err);

#endif
