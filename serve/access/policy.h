/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy: what the files say at one moment, users and rules together. It never changes; when the
 * files do, another takes its place, and the old one goes with the last request that holds it.
 */
#ifndef SERVE_ACCESS_POLICY_H
#define SERVE_ACCESS_POLICY_H

#include <stdatomic.h>
#include "serve/access/htpasswd.h"
#include "serve/access/rules.h"

typedef struct serve_policy {
    atomic_uint holders;
    serve_htpasswd *passwords; /* NULL: nobody can log in */
    serve_rules *rules;        /* NULL: who is known may do everything */
} serve_policy;

/* Read both files; NULL for none. CONFIG names file and line. */
CORAS_MUST_CHECK int serve_policy_read(const char *htpasswd, const char *rules, serve_policy **ret,
                                       coras_error **err);
serve_policy *serve_policy_ref(serve_policy *p);
void serve_policy_unref(serve_policy *p);
CORAS_DEFINE_AUTO(serve_policy, serve_policy_unref)

#endif
