/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing `<registry>/<repository>[:<tag>,<tag>,...]`.
 */
#include "cli/options/repotags.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "coras/reference.h"
#include "gospell/quote.h"

static int fail_quoted(const char *format, const char *text, coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(text);
    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "%s %s", format, quoted);
}

static int fail_tag(const char *tag, const char *raw, const coras_error *cause, coras_error **err)
{
    coras_auto_free char *quoted_tag = coras_go_quote_dup(tag);
    coras_auto_free char *quoted_raw = coras_go_quote_dup(raw);
    if (!quoted_tag || !quoted_raw)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid tag %s in reference %s: %s",
                      quoted_tag, quoted_raw, coras_error_message(cause));
}

static int parse_name(struct target_options *t, const char *first, char **ret_tag,
                      coras_error **err)
{
    coras_reference parsed = {0};
    coras_auto(coras_error) cause = NULL;
    if (coras_reference_parse(first, &parsed, &cause) < 0) {
        coras_auto_free char *quoted = coras_go_quote_dup(first);
        if (!quoted)
            return coras_fail_no_memory(err);
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid reference %s: %s", quoted,
                          coras_error_message(cause));
    }
    t->path = coras_asprintf("%s/%s", parsed.registry, parsed.repository);
    t->registry = coras_steal(&parsed.registry);
    t->repository = coras_steal(&parsed.repository);
    *ret_tag = coras_steal(&parsed.reference);
    coras_reference_clear(&parsed);
    return t->path ? 0 : coras_fail_no_memory(err);
}

static int add_tag(struct repo_tags *r, const char *raw, const char *tag, size_t len,
                   coras_error **err)
{
    coras_auto_free char *name = coras_strndup(tag, len);
    coras_auto(coras_error) cause = NULL;
    if (!name)
        return coras_fail_no_memory(err);
    if (!len)
        return fail_quoted("empty tag in reference", raw, err);
    if (coras_tag_validate(name, &cause) < 0)
        return fail_tag(name, raw, cause, err);
    return coras_strlist_add(&r->tags, name, err);
}

static int parse_argument(struct repo_tags *r, const char *raw, coras_error **err)
{
    coras_auto_free char *tag = NULL;
    size_t first_len = strcspn(raw, ",");
    coras_auto_free char *first = coras_strndup(raw, first_len);
    if (!first)
        return coras_fail_no_memory(err);
    if (!*raw)
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "artifact reference cannot be empty");
    if (strchr(raw, '@'))
        return fail_quoted("digest references are not supported:", raw, err);
    CORAS_TRY(parse_name(&r->target, first, &tag, err));
    if (!tag && !raw[first_len])
        return 0;
    CORAS_TRY(add_tag(r, raw, tag ? tag : "", tag ? strlen(tag) : 0, err));
    for (const char *at = raw + first_len; *at == ',';) {
        size_t len = strcspn(at + 1, ",");
        CORAS_TRY(add_tag(r, raw, at + 1, len, err));
        at += len + 1;
    }
    return tag_items(&r->tags, &r->tag_items, err);
}

int repo_tags_parse(struct call *call, struct repo_tags *r, const char *raw, coras_error **err)
{
    CORAS_TRY(parse_argument(r, raw, err));
    CORAS_TRY(remote_check(&r->target.remote, NULL, err));
    call->scope = SCOPE_RESPONSES;
    call->registry = coras_strdup(r->target.registry);
    return call->registry ? 0 : coras_fail_no_memory(err);
}

void repo_tags_clear(struct repo_tags *r)
{
    target_clear(&r->target);
    coras_strlist_clear(&r->tags);
    free(r->tag_items);
}
