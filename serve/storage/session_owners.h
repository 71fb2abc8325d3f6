/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who shares the room for upload sessions, and how many each has: a user, or the address of nobody
 * in particular. They are in the map, by name, as long as they have sessions.
 */
#ifndef SERVE_STORAGE_SESSION_OWNERS_H
#define SERVE_STORAGE_SESSION_OWNERS_H

#include "base/map.h"

struct serve_session_owner {
    char *name;
    size_t sessions;
};

coras_map *serve_session_owners_new(void); /* NULL when out of memory */
/* The owner of that name, made when it is new; NULL with *err set. */
struct serve_session_owner *serve_session_owner_find(coras_map *owners, const char *name,
                                                     coras_error **err);
/* One session less. */
void serve_session_owner_leave(coras_map *owners, struct serve_session_owner *owner);

#endif
