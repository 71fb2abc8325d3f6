/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: who may do what in which repository, as lines of a file:
 *
 *     group team = alice bob
 *     deny  group:team  push,delete  released-*
 *     allow group:team  all          models-*
 *     allow everyone    pull,list    public-*
 *
 * The first line that names the person, the action and the repository decides; what no line names
 * is denied. A person is user:NAME, group:NAME, users (whoever has logged in), anonymous (whoever
 * has not) or everyone. Repositories are patterns (base/glob.h), several in one line.
 *
 * Pure, and const once parsed.
 */
#ifndef SERVE_ACCESS_RULES_H
#define SERVE_ACCESS_RULES_H

#include "base/common.h"

typedef struct serve_rules serve_rules;

/* What can be allowed; a set of them is their sum. */
enum serve_action {
    SERVE_ACTION_PULL = 1,   /* manifests, blobs, referrers */
    SERVE_ACTION_PUSH = 2,   /* uploads, manifests, tags */
    SERVE_ACTION_DELETE = 4, /* manifests, tags, blobs */
    SERVE_ACTION_LIST = 8,   /* its tags, and its own name in the catalog */
    SERVE_ACTION_ALL = 15
};

/* CONFIG names the line and what is wrong in it. `name` is for messages. */
CORAS_MUST_CHECK int serve_rules_parse(const char *text, size_t len, const char *name,
                                       serve_rules **ret, coras_error **err);
void serve_rules_free(serve_rules *r);
CORAS_DEFINE_AUTO(serve_rules, serve_rules_free)

/* The actions that `user` (NULL: nobody has logged in) may do in the repository. */
unsigned serve_rules_actions(const serve_rules *r, const char *user, const char *repository);
/* Whether there is a line that allows `user` anything anywhere. */
bool serve_rules_allow_some(const serve_rules *r, const char *user);

#endif
