/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client hears when an upstream fails. Each of these sends clients to their next registry;
 * none tells them where the upstream is, and none asks them to log in for its sake.
 */
#ifndef SERVE_PROXY_FAILURE_H
#define SERVE_PROXY_FAILURE_H

#include "serve/http/exchange.h"

/*
 * The status that a failure came with; 0: none. A token service that is missing has said nothing of
 * what was asked for: that counts as 502.
 */
int serve_upstream_status(const coras_error *failure);
/* Whether the upstream has said that there is no such thing. */
bool serve_upstream_has_none(const coras_error *failure);
/* Answer with a failure that is not that one. */
void serve_answer_upstream_failure(struct serve_exchange *x, const coras_error *failure);

#endif
