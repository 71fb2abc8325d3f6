/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question that `blob delete` and `manifest delete` ask, and the rules around it.
 */
#ifndef CORAS_CLI_APP_CONFIRM_H
#define CORAS_CLI_APP_CONFIRM_H

#include "cli/options/targetref.h"

struct delete_options {
    struct opt_bool force;
    struct opt_bool descriptor;
    struct opt_bool pretty;
};

/* --descriptor needs --force. */
CORAS_MUST_CHECK int delete_check(const struct delete_options *d, coras_error **err);
/*
 * What to do when `what` ("blob", "manifest") could not be resolved with `rc`: 0 when its absence
 * is fine (and was said), otherwise the error.
 */
CORAS_MUST_CHECK int delete_missing(struct call *call, const struct delete_options *d,
                                    const struct target_options *t, const char *what, int rc,
                                    coras_error **err);
/* Ask (unless --force) and delete; prints the result. `suffix` ends the question. */
CORAS_MUST_CHECK int delete_confirmed(const struct delete_options *d,
                                      const struct target_options *t, const coras_descriptor *desc,
                                      const char *what, const char *suffix, coras_error **err);

#endif
