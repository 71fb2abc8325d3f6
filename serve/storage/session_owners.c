/* SPDX-License-Identifier: Apache-2.0 */
/* Counting whose the sessions are. */
#include "serve/storage/session_owners.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

static void owner_free(void *p)
{
    struct serve_session_owner *owner = p;

    if (!owner)
        return;
    free(owner->name);
    free(owner);
}

coras_map *serve_session_owners_new(void)
{
    return coras_map_new(owner_free);
}

struct serve_session_owner *serve_session_owner_find(coras_map *owners, const char *name,
                                                     coras_error **err)
{
    struct serve_session_owner *owner = coras_map_get(owners, name);

    if (owner)
        return owner;
    owner = coras_new(struct serve_session_owner);
    if (owner)
        owner->name = coras_strdup(name);
    if (!owner || !owner->name) {
        owner_free(owner);
        coras_fail_no_memory(err);
        return NULL;
    }
    if (coras_map_set(owners, name, owner, err) < 0) {
        owner_free(owner);
        return NULL;
    }
    return owner;
}

void serve_session_owner_leave(coras_map *owners, struct serve_session_owner *owner)
{
    if (--owner->sessions == 0)
        (void)coras_map_remove(owners, owner->name);
}
