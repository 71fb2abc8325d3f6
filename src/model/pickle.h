/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pickles, read without being loaded: which functions and classes would a loader import? The bytes
 * are fed in order, in pieces of any size; long data is passed over and not kept. Several pickles
 * may follow one another (as in files of torch.save before 1.6), and pickles inside of byte strings
 * are read too. What breaks is reported up to there, because a loader would have gone as far.
 */
#ifndef CORAS_MODEL_PICKLE_H
#define CORAS_MODEL_PICKLE_H

#include "base/common.h"
#include "coras/model_scan.h"

typedef struct coras_pickle coras_pickle;

typedef struct coras_pickle_import {
    int64_t offset;   /* of the opcode, from the first byte that was fed */
    const char *what; /* "module.name" escaped, or why nobody can say; borrowed */
    enum coras_severity severity;
} coras_pickle_import;

typedef struct coras_pickle_visitor {
    /* Each import once. 0, or a negative code with *err set that ends the reading. */
    int (*import)(void *user, const coras_pickle_import *import, coras_error **err);
    void *user;
} coras_pickle_visitor;

/* How far it was understood. */
typedef struct coras_pickle_summary {
    int64_t pickles;   /* that ended with STOP */
    int64_t broken_at; /* offset of what ended a pickle in its middle; -1 */
    int64_t raw_at;    /* offset behind the last pickle, where other data follows; -1 */
} coras_pickle_summary;

/* The visitor is copied. */
CORAS_MUST_CHECK int coras_pickle_new(const coras_pickle_visitor *visitor, coras_pickle **ret,
                                      coras_error **err);
CORAS_MUST_CHECK int coras_pickle_feed(coras_pickle *p, const void *data, size_t len,
                                       coras_error **err);
/* There are no more bytes. */
CORAS_MUST_CHECK int coras_pickle_finish(coras_pickle *p, coras_pickle_summary *ret,
                                         coras_error **err);
void coras_pickle_free(coras_pickle *p);
CORAS_DEFINE_AUTO(coras_pickle, coras_pickle_free)

#endif
