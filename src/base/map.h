/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash maps with string keys (copied) and pointer values (not owned unless `release` is set).
 * Seeded per process, so that colliding keys cannot be prepared by an outsider.
 */
#ifndef CORAS_BASE_MAP_H
#define CORAS_BASE_MAP_H

#include "base/common.h"

typedef struct coras_map coras_map;
coras_map *coras_map_new(void (*release)(void *value)); /* NULL when out of memory */
void coras_map_free(coras_map *m);
void *coras_map_get(const coras_map *m, const char *key);
bool coras_map_has(const coras_map *m, const char *key);
/* Insert or replace (the old value is released). */
CORAS_MUST_CHECK int coras_map_set(coras_map *m, const char *key, void *value, coras_error **err);
bool coras_map_remove(coras_map *m, const char *key);
/* Remove every entry whose value the callback chooses; NULL: all. */
void coras_map_drop(coras_map *m, bool (*is_chosen)(const void *value));
size_t coras_map_len(const coras_map *m);
/* Visit in no particular order until the callback returns false. */
void coras_map_each(const coras_map *m, bool (*visit)(const char *key, void *value, void *user),
                    void *user);
CORAS_DEFINE_AUTO(coras_map, coras_map_free)

#endif
