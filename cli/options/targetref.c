/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an argument and options to an open target; the one place where a cache is put before it.
 */
#include "cli/options/targetref.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/errors.h"
#include "cli/options/fileref.h"
#include "cli/app/help.h"
#include "coras/reference.h"
#include "gospell/quote.h"

const struct opt target_options_table[] = {
    {"oci-layout", 0, OPT_BOOL, 0, OPT_AT(struct target_options, oci_layout), NULL,
     "set <desc>target as an OCI image layout", NULL},
    {"oci-layout-path", 0, OPT_STRING, 0, OPT_AT(struct target_options, oci_layout_path), NULL,
     "[Experimental] set the path for the <desc>OCI image layout target", NULL},
    OPT_END,
};

static const char *option_prefix(const struct target_options *t)
{
    return t->prefix ? t->prefix : "";
}

static const char *advice(const struct target_options *t)
{
    return t->advice ? t->advice : "";
}

static int set_text(char **slot, const char *text, size_t len, coras_error **err)
{
    *slot = coras_strndup(text, len);
    return *slot ? 0 : coras_fail_no_memory(err);
}

/* ---- parsing ---- */

/* `<path>[:<tag>]` or `<path>@<digest>`. */
static int parse_layout_argument(struct target_options *t, coras_error **err)
{
    const char *at = strrchr(t->raw, '@');
    if (at) {
        CORAS_TRY(set_text(&t->path, t->raw, (size_t)(at - t->raw), err));
        return at[1] ? set_text(&t->reference, at + 1, strlen(at + 1), err) : 0;
    }
    const char *tag = NULL;
    coras_auto(coras_error) cause = NULL;
    if (fileref_split(t->raw, &t->path, &tag, &cause) < 0)
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "%s\ninvalid reference",
                          coras_error_message(cause));
    return *tag ? set_text(&t->reference, tag, strlen(tag), err) : 0;
}

static int parse_layout(struct target_options *t, coras_error **err)
{
    t->is_layout = true;
    if (!t->oci_layout.value) {
        CORAS_TRY(
            set_text(&t->path, t->oci_layout_path.value, strlen(t->oci_layout_path.value), err));
        return *t->raw ? set_text(&t->reference, t->raw, strlen(t->raw), err) : 0;
    }
    if (t->remote.headers.len)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "custom header flags cannot be used on an OCI image layout target");
    return parse_layout_argument(t, err);
}

/* When only capital letters are wrong with the name, say how it would be right. */
static void hint_lower_case(const char *raw, coras_error **err)
{
    coras_reference parsed = {0};
    coras_auto_free char *lower = coras_strdup(raw);
    char *at = lower ? strchr(lower, '/') : NULL;
    for (; at && *at && *at != ':' && *at != '@'; at++)
        if (coras_is_upper(*at))
            *at = (char)(*at + ('a' - 'A'));
    if (at && !coras_streq(lower, raw) && coras_reference_parse(lower, &parsed, NULL) == 0)
        coras_advise_with(err, CORAS_HINT_LOWER_CASE, lower);
    coras_reference_clear(&parsed);
}

static int fail_reference(const struct target_options *t, const coras_error *cause,
                          coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(t->raw);
    if (!quoted)
        return coras_fail_no_memory(err);
    int rc = coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                        "%s: %s\n%sPlease make sure the provided reference is in the form of "
                        "<registry>/<repo>[:tag|@digest]",
                        quoted, coras_error_message(cause), advice(t));
    hint_lower_case(t->raw, err);
    return rc;
}

static int parse_repository(struct target_options *t, coras_error **err)
{
    coras_reference parsed = {0};
    coras_auto(coras_error) cause = NULL;
    if (coras_reference_parse(t->raw, &parsed, &cause) < 0)
        return fail_reference(t, cause, err);
    t->path = coras_asprintf("%s/%s", parsed.registry, parsed.repository);
    t->registry = coras_steal(&parsed.registry);
    t->repository = coras_steal(&parsed.repository);
    t->reference = coras_steal(&parsed.reference);
    coras_reference_clear(&parsed);
    return t->path ? 0 : coras_fail_no_memory(err);
}

/* Whose failures are the registry's. A layout given by --oci-layout-path counts, as upstream has
 * it; one given by --oci-layout does not. */
static int set_error_scope(struct call *call, const struct target_options *t, coras_error **err)
{
    if (t->is_layout && t->oci_layout.value)
        return 0;
    call->scope = SCOPE_TARGET;
    if (!t->registry || call->registry)
        return 0;
    return set_text(&call->registry, t->registry, strlen(t->registry), err);
}

static int fail_layout_options(const struct target_options *t, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "--%soci-layout-path, --%soci-layout cannot be used at the same time",
                      option_prefix(t), option_prefix(t));
}

int target_parse(struct call *call, struct target_options *t, const char *raw, coras_error **err)
{
    if (t->oci_layout.set && t->oci_layout_path.set)
        return fail_layout_options(t, err);
    CORAS_TRY(set_text(&t->raw, raw, strlen(raw), err));
    if (t->oci_layout.value || *t->oci_layout_path.value) {
        CORAS_TRY(parse_layout(t, err));
    } else {
        CORAS_TRY(parse_repository(t, err));
        CORAS_TRY(remote_check(&t->remote, t->prefix, err));
    }
    return set_error_scope(call, t, err);
}

int target_add_extra_tag(struct target_options *t, const char *tag, size_t len, coras_error **err)
{
    if (len == 0)
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "empty extra tag");
    coras_auto_free char *name = coras_strndup(tag, len);
    if (!name)
        return coras_fail_no_memory(err);
    int rc = coras_tag_validate(name, err);
    if (rc < 0)
        return coras_wrap(err, rc, "invalid extra tag");
    return coras_strlist_add(&t->extra_tags, name, err);
}

int target_parse_first(struct call *call, struct target_options *t, const char *raw,
                       coras_error **err)
{
    coras_auto_free char *first = coras_strndup(raw, strcspn(raw, ","));
    return first ? target_parse(call, t, first, err) : coras_fail_no_memory(err);
}

int tag_items(const coras_strlist *tags, const char ***ret, coras_error **err)
{
    if (!tags->len)
        return 0;
    *ret = coras_calloc(tags->len + 1, sizeof(**ret));
    if (!*ret)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < tags->len; i++)
        (*ret)[i] = tags->items[i];
    return 0;
}

int target_parse_extra(struct target_options *t, const char *raw, coras_error **err)
{
    for (const char *at = raw + strcspn(raw, ","); *at == ',';) {
        size_t len = strcspn(at + 1, ",");
        CORAS_TRY(target_add_extra_tag(t, at + 1, len, err));
        at += len + 1;
    }
    return tag_items(&t->extra_tags, &t->extra_tag_items, err);
}

int target_parse_tags(struct call *call, struct target_options *t, const char *raw,
                      coras_error **err)
{
    CORAS_TRY(target_parse_first(call, t, raw, err));
    return target_parse_extra(t, raw, err);
}

void target_clear(struct target_options *t)
{
    coras_target_close(t->target);
    coras_target_close(t->store);
    coras_target_close(t->origin);
    coras_client_free(t->client);
    remote_clear(&t->remote);
    free(t->raw);
    free(t->path);
    free(t->registry);
    free(t->repository);
    free(t->reference);
    free(t->extra_tag_items);
    coras_strlist_clear(&t->extra_tags);
}

/* ---- opening ---- */

static int check_layout_exists(const struct target_options *t, coras_error **err)
{
    struct stat st;
    if (stat(t->path, &st) == 0)
        return 0;
    int saved = errno;
    coras_auto_free char *raw = coras_go_quote_dup(t->raw);
    coras_auto_free char *path = coras_go_quote_dup(t->path);
    if (!raw || !path)
        return coras_fail_no_memory(err);
    return coras_fail_errno(err, saved, "invalid argument %s: failed to find path %s: stat %s", raw,
                            path, t->path);
}

int target_open(struct call *call, struct target_options *t, enum coras_layout_mode mode,
                const struct opt_list *base_resolve, coras_error **err)
{
    if (t->is_layout) {
        if (mode == CORAS_LAYOUT_READ)
            CORAS_TRY(check_layout_exists(t, err));
        return coras_layout_open(t->path, mode, &t->target, err);
    }
    CORAS_TRY(
        remote_client(call, &t->remote, t->distribution_spec.value, base_resolve, &t->client, err));
    CORAS_TRY(coras_repository_open(t->client, t->registry, t->repository, &t->target, err));
    if (mode == CORAS_LAYOUT_WRITE)
        coras_target_will_write(t->target);
    return 0;
}

const char *cache_directory(void)
{
    const char *directory = getenv("ORAS_CACHE");

    return directory && *directory ? directory : NULL;
}

static int put_cache_before(struct target_options *t, const char *directory, coras_error **err)
{
    CORAS_TRY(coras_layout_open(directory, CORAS_LAYOUT_WRITE, &t->store, err));
    t->origin = coras_steal(&t->target);
    return coras_cache_open(t->origin, t->store, &t->target, err);
}

int target_open_source(struct call *call, struct target_options *t,
                       const struct opt_list *base_resolve, coras_error **err)
{
    const char *directory = cache_directory();

    CORAS_TRY(target_open(call, t, CORAS_LAYOUT_READ, base_resolve, err));
    return directory ? put_cache_before(t, directory, err) : 0;
}

/* ---- what commands ask ---- */

const char *target_kind(const struct target_options *t)
{
    return t->is_layout ? "oci-layout" : "registry";
}

static int fail_incomplete(const struct call *call, const struct target_options *t,
                           const char *missing, const char *form, coras_error **err)
{
    coras_auto_free char *message = coras_asprintf("\"%s\": no %s specified", t->raw, missing);
    coras_auto_free char *text =
        coras_asprintf("%sPlease specify a reference in the form of %s. Run \"%s -h\" for more "
                       "options and examples",
                       advice(t), form, call->path);
    if (!message || !text)
        return coras_fail_no_memory(err);
    return fail_usage(call, message, text, err);
}

int target_require_reference(const struct call *call, const struct target_options *t,
                             coras_error **err)
{
    if (t->reference)
        return 0;
    return fail_incomplete(call, t, "tag or digest", "\"<name>:<tag>\" or \"<name>@<digest>\"",
                           err);
}

int target_require_digest(const struct call *call, const struct target_options *t,
                          coras_digest *ret, coras_error **err)
{
    if (!t->reference)
        return fail_incomplete(call, t, "digest", "\"<name>@<digest>\"", err);
    return coras_digest_parse(t->reference, ret, err);
}
