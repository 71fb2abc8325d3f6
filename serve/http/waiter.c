/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of those who wait. */
#include "serve/http/waiter.h"

void serve_waiters_add(serve_waiter **list, serve_waiter *waiter)
{
    if (waiter->is_listed)
        return;
    waiter->next = *list;
    waiter->is_listed = true;
    *list = waiter;
}

void serve_waiters_remove(serve_waiter **list, serve_waiter *waiter)
{
    if (!waiter || !waiter->is_listed)
        return;
    while (*list != waiter)
        list = &(*list)->next;
    *list = waiter->next;
    waiter->is_listed = false;
}

void serve_waiters_wake(serve_waiter **list,
                        bool (*is_due)(const serve_waiter *waiter, const void *user),
                        const void *user)
{
    while (*list) {
        serve_waiter *waiter = *list;
        if (is_due && !is_due(waiter, user)) {
            list = &waiter->next;
            continue;
        }
        *list = waiter->next;
        waiter->is_listed = false;
        waiter->wake(waiter->user);
    }
}
