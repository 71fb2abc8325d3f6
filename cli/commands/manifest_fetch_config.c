/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest fetch-config: an image's config.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/random.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cli/app/commands.h"
#include "cli/app/auto.h"
#include "cli/options/outfile.h"
#include "cli/output/metadata.h"
#include "cli/options/targetref.h"
#include "coras/ops.h"

struct config_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct opt_bool descriptor;
    struct opt_bool pretty;
    struct opt_string output;
};

static const struct opt config_options[] = {
    {"output", 'o', OPT_STRING, 0, OPT_AT(struct config_state, output), NULL,
     "file `path` to write the fetched config to, use - for stdout", NULL},
    OPT_END,
};
static const struct opt_use config_groups[] = {
    {debug_options, offsetof(struct config_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct config_state, common), NULL, NULL},
    TARGET_GROUPS(struct config_state, target),
    {platform_options, offsetof(struct config_state, platform), NULL, NULL},
    {descriptor_options, offsetof(struct config_state, descriptor), NULL, NULL},
    {pretty_options, offsetof(struct config_state, pretty), NULL, NULL},
    {config_options, 0, NULL, NULL},
    {0},
};

static int config_prepare(struct call *call, coras_error **err)
{
    struct config_state *s = call->state;
    if (outfile_is_stdout(s->output.value) && s->descriptor.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--output -` cannot be used with `--descriptor` at the same time");
    CORAS_TRY(platform_check(&s->platform, err));
    return target_parse(call, &s->target, call->args[0], err);
}

static int print_config(const struct config_state *s, const coras_descriptor *config,
                        coras_error **err)
{
    if (config->size > CORAS_LIMIT_MANIFEST) {
        char digest[CORAS_DIGEST_TEXT_MAX];
        coras_digest_format(&config->digest, digest);
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "config size %lld exceeds the limit of %d bytes: size exceeds limit\nTo "
                          "download a large config, use \"oras blob fetch --output <file> "
                          "<repository>@%s\"",
                          (long long)config->size, CORAS_LIMIT_MANIFEST, digest);
    }
    coras_auto_free char *bytes = NULL;
    CORAS_TRY(coras_fetch_bytes(s->target.target, config, CORAS_LIMIT_MANIFEST, &bytes, err));
    return content_print(bytes, (size_t)config->size, s->pretty.value, err);
}

/* ---- to a file: verified in a temporary file beside it, then renamed ---- */

struct temporary {
    char *path;
    int fd;
};

static int write_temporary(void *user, const void *data, size_t len, coras_error **err)
{
    return coras_write_full(((struct temporary *)user)->fd, data, len, err);
}

static int open_temporary(const char *path, struct temporary *ret, coras_error **err)
{
    const char *base = coras_path_base(path);
    bool bare = base == path;
    ret->path = coras_asprintf("%.*soras-config-%u", bare ? 2 : (int)(base - path),
                               bare ? "./" : path, coras_random_below(UINT32_MAX));
    if (!ret->path)
        return coras_fail_no_memory(err);
    ret->fd = open(ret->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ret->fd < 0)
        return coras_fail_errno(err, errno, "open %s", ret->path);
    return 0;
}

static int finish_temporary(struct temporary *t, const char *path, coras_error **err)
{
    if (fchmod(t->fd, 0644) == 0 && rename(t->path, path) == 0)
        return 0;
    return coras_fail_errno(err, errno == EISDIR ? EEXIST : errno, "rename %s %s", t->path, path);
}

static int save_config(const struct config_state *s, const coras_descriptor *config,
                       coras_error **err)
{
    struct temporary temporary = {.fd = -1};
    int rc = open_temporary(s->output.value, &temporary, err);
    if (rc == 0) {
        rc = coras_fetch_blob(s->target.target, config, write_temporary, &temporary, err);
        if (rc == 0)
            rc = coras_fsync(temporary.fd, temporary.path, err);
        if (rc == 0)
            rc = finish_temporary(&temporary, s->output.value, err);
        if (rc < 0)
            (void)unlink(temporary.path);
        close(temporary.fd);
    }
    free(temporary.path);
    return rc;
}

static int config_run(struct call *call, coras_error **err)
{
    struct config_state *s = call->state;
    coras_auto_value(coras_descriptor) config = CORAS_DESCRIPTOR_INIT;
    common_apply(&s->common);
    CORAS_TRY(target_open_source(call, &s->target, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    CORAS_TRY(coras_resolve_config(s->target.target, s->target.reference,
                                   platform_wanted(&s->platform), &config, err));
    bool to_file = *s->output.value && !outfile_is_stdout(s->output.value);
    if (to_file)
        CORAS_TRY(save_config(s, &config, err));
    if (s->descriptor.value)
        return descriptor_print(&config, s->pretty.value, err);
    return to_file ? 0 : print_config(s, &config, err);
}

static void config_clear(void *state)
{
    struct config_state *s = state;
    target_clear(&s->target);
    coras_platform_clear(&s->platform.platform);
}

static const char *const config_aliases[] = {"get-config", NULL};
static const struct example config_examples[] = {
    {"Print the config of an image", "manifest fetch-config localhost:5000/hello:v1"},
    {"Print the config for one platform",
     "manifest fetch-config --platform 'linux/arm/v5' localhost:5000/hello:v1"},
    {"Print the config with line breaks and indentation",
     "manifest fetch-config --pretty localhost:5000/hello:v1"},
    {"Save the config", "manifest fetch-config --output config.json localhost:5000/hello:v1"},
    {"Print the descriptor of the config",
     "manifest fetch-config --descriptor localhost:5000/hello:v1"},
    {"Print the descriptor of the config with line breaks and indentation",
     "manifest fetch-config --descriptor --pretty localhost:5000/hello:v1"},
    {NULL, NULL},
};

const struct cmd cmd_manifest_fetch_config = {
    .name = "fetch-config",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "Fetch the config of a manifest from a registry or an OCI image layout",
    .examples = config_examples,
    .aliases = config_aliases,
    .options = config_groups,
    .state_size = sizeof(struct config_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the manifest config to fetch",
    .prepare = config_prepare,
    .run = config_run,
    .clear = config_clear,
};
