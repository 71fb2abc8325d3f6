/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing lists of token scopes into one canonical form.
 */
#include "auth/scope.h"

#include "base/alloc.h"
#include "base/error.h"

/* "type:name" and "actions" of a scope; false for another shape. The name may hold colons. */
static bool split(const char *scope, coras_str *resource, coras_str *actions)
{
    const char *first = strchr(scope, ':');
    const char *last = strrchr(scope, ':');

    if (!first || first == last)
        return false;
    *resource = (coras_str){scope, (size_t)(last - scope)};
    *actions = coras_str_of(last + 1);
    return true;
}

static int add_actions(coras_strlist *l, coras_str actions, coras_error **err)
{
    while (actions.len) {
        const char *comma = memchr(actions.ptr, ',', actions.len);
        size_t n = comma ? (size_t)(comma - actions.ptr) : actions.len;
        coras_auto_free char *action = coras_strndup(actions.ptr, n);
        if (!action)
            return coras_fail_no_memory(err);
        if (*action && !coras_strlist_has(l, action))
            CORAS_TRY(coras_strlist_add(l, action, err));
        n += comma != NULL;
        actions.ptr += n;
        actions.len -= n;
    }
    return 0;
}

static int unite(const coras_strlist *in, coras_str resource, coras_strlist *out, coras_error **err)
{
    coras_auto_value(coras_strlist) actions = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_str other, more;

    for (size_t i = 0; i < in->len; i++)
        if (split(in->items[i], &other, &more) && other.len == resource.len &&
            memcmp(other.ptr, resource.ptr, other.len) == 0)
            CORAS_TRY(add_actions(&actions, more, err));
    if (!actions.len)
        return 0;
    coras_strlist_sort(&actions);
    coras_buf_put(&text, resource.ptr, resource.len);
    if (coras_strlist_has(&actions, "*")) {
        coras_buf_puts(&text, ":*");
    } else {
        for (size_t i = 0; i < actions.len; i++)
            coras_buf_printf(&text, "%c%s", i ? ',' : ':', actions.items[i]);
    }
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_strlist_has(out, text.ptr) ? 0 : coras_strlist_add(out, text.ptr, err);
}

int coras_scopes_clean(const coras_strlist *in, coras_strlist *out, coras_error **err)
{
    coras_str resource, actions;

    for (size_t i = 0; i < in->len; i++) {
        if (split(in->items[i], &resource, &actions))
            CORAS_TRY(unite(in, resource, out, err));
        else if (*in->items[i] && !coras_strlist_has(out, in->items[i]))
            CORAS_TRY(coras_strlist_add(out, in->items[i], err));
    }
    coras_strlist_sort(out);
    return 0;
}

int coras_scopes_add_challenge(coras_strlist *l, const char *text, coras_error **err)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        if (n)
            CORAS_TRY(coras_strlist_addn(l, text, n, err));
        text += n + (text[n] == ' ');
    }
    return 0;
}

void coras_scopes_put(coras_buf *b, const coras_strlist *l)
{
    for (size_t i = 0; i < l->len; i++) {
        coras_buf_puts(b, i ? " " : "");
        coras_buf_puts(b, l->items[i]);
    }
}

char *coras_scopes_repository(const char *const *scopes)
{
    static const char type[] = "repository:";

    for (; scopes && *scopes; scopes++) {
        const char *name = *scopes + sizeof(type) - 1;
        const char *end = strrchr(*scopes, ':');
        if (coras_str_starts(*scopes, type) && end > name)
            return coras_strndup(name, (size_t)(end - name));
    }
    return NULL;
}
