/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where something small is kept in the cache directory between processes: a file for each thing, in
 * a folder for each kind, called by a hash since names of hosts and repositories are no file names.
 */
#ifndef CORAS_CLIENT_REMEMBERED_H
#define CORAS_CLIENT_REMEMBERED_H

#include "base/common.h"

/* The folder, which is made when missing; NULL: it cannot be, or memory is short (free). */
char *coras_remembered_dir(const char *cache_dir, const char *kind);
/* The file in it (free). */
char *coras_remembered_path(const char *dir, const char *name);

#endif
