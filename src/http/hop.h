/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hop of a request: headers composed for its origin, repeated as the retry policy allows.
 */
#ifndef CORAS_HTTP_HOP_H
#define CORAS_HTTP_HOP_H

#include "http/send.h"

struct coras_hop {
    const char *method;
    char *text; /* of `url`; owned */
    coras_url url;
    bool send_body;
    bool left; /* the origin of the secrets was left: none from here on, even if a later hop
                  comes back */
    const char *guarded; /* see struct coras_exchange; likewise */
    bool guard_private;
};

CORAS_MUST_CHECK int coras_hop_send(const struct coras_send *s, const struct coras_hop *hop,
                                    coras_response **ret, coras_error **err);

#endif
