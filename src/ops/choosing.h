/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation that chooses: what its selection took of the content that it met, so that a
 * selection which takes nothing is told with what there is.
 */
#ifndef CORAS_OPS_CHOOSING_H
#define CORAS_OPS_CHOOSING_H

#include <pthread.h>

#include "base/buf.h"
#include "coras/descriptor.h"
#include "ops/select.h"

typedef struct coras_choosing {
    coras_selection selection; /* const */
    pthread_mutex_t lock;
    /* under lock */
    size_t taken, left;
    int64_t taken_bytes, left_bytes;
    coras_buf names; /* of the first that were left, for people */
    bool more;       /* were left than it names */
} coras_choosing;

/* `given` may be NULL; its lists are borrowed. INVALID_ARGUMENT for a pattern that is none. */
CORAS_MUST_CHECK int coras_choosing_init(coras_choosing *c, const coras_selection *given,
                                         coras_error **err);
void coras_choosing_clear(coras_choosing *c); /* also of a zeroed one */

/* Whether something may be left. */
bool coras_choosing_is_choosy(const coras_choosing *c);

/* The path that content has in its artifact, cleaned: its title, else what a model package calls
 * it. *ret (free) is NULL when it has none. */
CORAS_MUST_CHECK int coras_content_path(const coras_descriptor *desc, char **ret,
                                        coras_error **err);

/* Whether to take content, which is remembered. `path` as of coras_content_path(). Any thread. */
bool coras_choose(coras_choosing *c, const char *path, const coras_descriptor *desc);

/* Whether some of an archive's members may be taken, which are to be chosen one by one. */
bool coras_choose_archive(coras_choosing *c, const coras_descriptor *desc);

/* Whether something was left so far. */
bool coras_choosing_has_left(coras_choosing *c);

/* NOTHING_CHOSEN, with the names of what there is, when nothing was taken. */
CORAS_MUST_CHECK int coras_choosing_check(coras_choosing *c, coras_error **err);

#endif
