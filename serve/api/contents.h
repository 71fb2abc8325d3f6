/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents: a registry may hold repositories in several places, its own directory and layouts. Who
 * keeps which repository is decided here.
 */
#ifndef SERVE_API_CONTENTS_H
#define SERVE_API_CONTENTS_H

#include "serve/http/exchange.h"

/* Decide x->content by the repository's name. A layout goes before the registry's own directory,
 * and before whatever an upstream has under the name. */
void serve_exchange_find_content(struct serve_exchange *x);

/* Who keeps a repository that is here, whatever an upstream has under the name. */
serve_content *serve_content_of(struct serve_registry *r, const char *repository);

/* The repositories of all places, as serve_content_ops.repositories. */
CORAS_MUST_CHECK int serve_contents_repositories(struct serve_registry *r, const char *last,
                                                 int64_t limit, coras_strlist *ret, bool *ret_more,
                                                 coras_error **err);

#endif
