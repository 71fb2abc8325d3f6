/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of unpacking: which path a member's name stands for, and the messages that show names. For
 * unpack_tree.c only.
 */
#ifndef CORAS_ARCHIVE_UNPACK_NAMES_H
#define CORAS_ARCHIVE_UNPACK_NAMES_H

#include "archive/unpack_tree.h"

/* The part of a member's name beneath the title; "" is the directory itself. UNSAFE_ARCHIVE when it
 * is not beneath. */
CORAS_MUST_CHECK int coras_tree_beneath_title(const struct coras_tree *tree, const char *name,
                                              coras_buf *ret, coras_error **err);

/* In quotes, escaped, and not all of one that is very long. */
void coras_tree_put_quoted(coras_buf *out, const char *s);
int coras_tree_fail_outside(const struct coras_tree *tree, const char *what, coras_error **err);
int coras_tree_fail_through_link(const struct coras_tree *tree, const char *name,
                                 coras_error **err);
/* "<operation> <path in the target>: <errno's text>" */
int coras_tree_fail_system(const struct coras_tree *tree, int errnum, const char *operation,
                           const char *rel, coras_error **err);

#endif
