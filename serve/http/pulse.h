/* SPDX-License-Identifier: Apache-2.0 */
/* Something that is done again and again as long as it is needed, by a thread of its own. */
#ifndef SERVE_HTTP_PULSE_H
#define SERVE_HTTP_PULSE_H

#include "base/common.h"

typedef struct serve_pulse serve_pulse;

struct serve_pulse_ops {
    bool (*is_needed)(void *user); /* asked about once a second while it is not */
    void (*beat)(void *user);
    int beat_ms; /* from one to the next */
};

CORAS_MUST_CHECK int serve_pulse_start(const struct serve_pulse_ops *ops, void *user,
                                       serve_pulse **ret, coras_error **err);
/* Nothing is called any more when it returns. NULL allowed. */
void serve_pulse_stop(serve_pulse *p);

#endif
