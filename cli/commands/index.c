/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest index create and manifest index update.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/options/outfile.h"
#include "cli/output/metadata.h"
#include "cli/options/packer.h"
#include "cli/options/targetref.h"
#include "coras/index.h"
#include "coras/reference.h"
#include "cli/app/auto.h"
#include "cli/output/text.h"

struct index_state {
    struct common_options common;
    struct target_options target;
    struct packer_options packer; /* create: --annotation only */
    struct opt_bool pretty;
    struct opt_string artifact_type;
    struct opt_string output;
    /* update */
    struct opt_list add;
    struct opt_list merge;
    struct opt_list remove;
    struct opt_list tag;
};

#define INDEX_AT(member) OPT_AT(struct index_state, member)
#define OUTPUT_OPTION                                                                              \
    {                                                                                              \
        "output", 'o', OPT_STRING, 0, INDEX_AT(output), NULL,                                      \
            "file `path` to write the created index to, use - for stdout", NULL                    \
    }
static const struct opt create_options[] = {
    {"artifact-type", 0, OPT_STRING, 0, INDEX_AT(artifact_type), NULL,
     "artifact type for overall index", NULL},
    OUTPUT_OPTION,
    OPT_END,
};
static const struct opt update_options[] = {
    {"artifact-type", 0, OPT_STRING, 0, INDEX_AT(artifact_type), NULL,
     "new artifact type for overall index", NULL},
    {"add", 0, OPT_LIST, 0, INDEX_AT(add), NULL, "manifests to add to the index", NULL},
    {"merge", 0, OPT_LIST, 0, INDEX_AT(merge), NULL, "indexes to be merged into the index", NULL},
    {"remove", 0, OPT_LIST, 0, INDEX_AT(remove), NULL,
     "manifests to remove from the index, must be digests", NULL},
    {"tag", 0, OPT_LIST, 0, INDEX_AT(tag), NULL, "extra tags for the updated index", NULL},
    OUTPUT_OPTION,
    OPT_END,
};
static const struct opt_use create_groups[] = {
    {debug_options, INDEX_AT(common), NULL, NULL},
    TARGET_GROUPS(struct index_state, target),
    {annotation_options, INDEX_AT(packer), NULL, NULL},
    {pretty_options, INDEX_AT(pretty), NULL, NULL},
    {create_options, 0, NULL, NULL},
    {0},
};
static const struct opt_use update_groups[] = {
    {debug_options, INDEX_AT(common), NULL, NULL},
    TARGET_GROUPS(struct index_state, target),
    {pretty_options, INDEX_AT(pretty), NULL, NULL},
    {update_options, 0, NULL, NULL},
    {0},
};

static void index_clear(void *state)
{
    struct index_state *s = state;
    target_clear(&s->target);
    packer_clear(&s->packer);
}

/* ---- status lines ---- */

static void print_step(enum coras_index_step step, const coras_digest *digest, const char *name,
                       void *user)
{
    static const char *const words[] = {
        [CORAS_INDEX_FETCHING] = "Fetching ", [CORAS_INDEX_FETCHED] = "Fetched  ",
        [CORAS_INDEX_REMOVED] = "Removed  ",  [CORAS_INDEX_ADDED] = "Added    ",
        [CORAS_INDEX_MERGED] = "Merged   ",
    };
    const struct index_state *s = user;
    char text[CORAS_DIGEST_TEXT_MAX];
    if (outfile_is_stdout(s->output.value))
        return;
    if (digest)
        coras_digest_format(digest, text);
    if (!digest)
        printf("%s %s\n", words[step], name);
    else if (!name || coras_streq(name, text))
        printf("%s %s\n", words[step], text);
    else
        printf("%s %s %s\n", words[step], text, name);
}

/* ---- the result ---- */

static int push_index(struct index_state *s, const coras_descriptor *desc, const char *bytes,
                      const char *reference, const char *shown, coras_error **err)
{
    CORAS_TRY(coras_push_manifest(s->target.target, desc, bytes, reference, err));
    printf("Pushed    [%s] %s\n", target_kind(&s->target), shown);
    for (size_t i = 0; i < s->target.extra_tags.len; i++) {
        const char *tag = s->target.extra_tags.items[i];
        CORAS_TRY(coras_push_manifest(s->target.target, desc, bytes, tag, err));
        printf("Tagged %s\n", tag);
    }
    return 0;
}

/* The index goes to stdout, to a file, or to the target under `reference`. */
static int deliver(struct index_state *s, const coras_descriptor *desc, const char *bytes,
                   const char *reference, const char *shown, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    size_t len = (size_t)desc->size;
    if (outfile_is_stdout(s->output.value))
        return content_print(bytes, len, s->pretty.value, err);
    if (*s->output.value)
        CORAS_TRY(outfile_save(s->output.value, bytes, len, err));
    else
        CORAS_TRY(push_index(s, desc, bytes, reference, shown, err));
    printf("Digest: %s\n", coras_digest_format(&desc->digest, digest));
    return 0;
}

static coras_index_options library_options(struct index_state *s)
{
    coras_index_options options = CORAS_INDEX_OPTIONS_INIT;
    options.artifact_type = s->artifact_type.set ? s->artifact_type.value : NULL;
    options.annotations = &s->packer.manifest;
    options.on_step = print_step;
    options.user = s;
    options.remove = (const char *const *)s->remove.items;
    options.add = (const char *const *)s->add.items;
    options.merge = (const char *const *)s->merge.items;
    return options;
}

static bool is_digest(const char *reference)
{
    coras_digest digest;
    return coras_digest_parse(reference, &digest, NULL) == 0;
}

/* ---- create ---- */

static int create_prepare(struct call *call, coras_error **err)
{
    struct index_state *s = call->state;
    CORAS_TRY(target_parse_tags(call, &s->target, call->args[0], err));
    return parse_annotation_flags(&s->packer.annotation, &s->packer.manifest, err);
}

static int create_run(struct call *call, coras_error **err)
{
    struct index_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;
    char digest[CORAS_DIGEST_TEXT_MAX];
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    coras_index_options options = library_options(s);
    if (!*s->artifact_type.value)
        options.artifact_type = NULL;
    CORAS_TRY(coras_index_create(s->target.target, (const char *const *)(call->args + 1), &options,
                                 &desc, &bytes, err));
    if (!outfile_is_stdout(s->output.value))
        printf("Packed    %s %s\n", short_digest(&desc.digest, digest), desc.media_type);
    /* A digest as reference cannot be that of the new index, which has its own. */
    bool by_digest = !s->target.reference || is_digest(s->target.reference);
    return deliver(s, &desc, bytes, by_digest ? NULL : s->target.reference, s->target.raw, err);
}

#define SOURCE_DIGEST "sha256:99e4703fbf30916f549cd6bfa9cdbab614b5392fbe64fdee971359a77073cdf9"
static const char *const create_aliases[] = {"pack", NULL};
static const struct example create_examples[] = {
    {"Create an index of two manifests and push it without a tag",
     "manifest index create localhost:5000/hello linux-amd64 linux-arm64"},
    {"Create an index of two manifests and tag it 'v1'",
     "manifest index create localhost:5000/hello:v1 linux-amd64 linux-arm64"},
    {"Name one manifest by tag and one by digest",
     "manifest index create localhost:5000/hello:v1 linux-amd64 " SOURCE_DIGEST},
    {"Create an index under several tags",
     "manifest index create localhost:5000/hello:tag1,tag2,tag3 linux-amd64 "
     "linux-arm64 " SOURCE_DIGEST},
    {"Create an index with an annotation",
     "manifest index create localhost:5000/hello:v1 linux-amd64 --annotation \"key=val\""},
    {"Create an index with an artifact type",
     "manifest index create --artifact-type=\"application/vnd.example+type\" "
     "localhost:5000/hello linux-amd64"},
    {"Create an index in the OCI image layout 'layout-dir' and tag it 'v1'",
     "manifest index create layout-dir:v1 linux-amd64 " SOURCE_DIGEST " --oci-layout"},
    {"Write an index to 'index.json' and push nothing",
     "manifest index create localhost:5000/hello linux-amd64 linux-arm64 --output index.json"},
    {"Write an index to stdout and push nothing",
     "manifest index create localhost:5000/hello linux-arm64 --output - --pretty"},
    {NULL, NULL},
};

const struct cmd cmd_index_create = {
    .name = "create",
    .use = "[flags] <target>[:<tag[,<tag>][...]] <sources>[{<tag>|<digest>}...]",
    .summary = "[Experimental] Create and push an index from provided manifests",
    .about = "[Experimental] Create and push an index from provided manifests. All manifests "
             "should be in the same repository",
    .examples = create_examples,
    .aliases = create_aliases,
    .options = create_groups,
    .state_size = sizeof(struct index_state),
    .min_args = 1,
    .max_args = ARGS_ANY,
    .role = "the destination index to create.",
    .prepare = create_prepare,
    .run = create_run,
    .clear = index_clear,
};

/* ---- update ---- */

static int take_tags(struct index_state *s, coras_error **err)
{
    for (size_t i = 0; i < s->tag.len; i++) {
        const char *tag = s->tag.items[i];
        CORAS_TRY(target_add_extra_tag(&s->target, tag, strlen(tag), err));
    }
    return 0;
}

static int update_prepare(struct call *call, coras_error **err)
{
    struct index_state *s = call->state;
    if (s->tag.set && s->output.set)
        return fail_exclusive("--tag", "--output", err);
    for (size_t i = 0; i < s->remove.len; i++) {
        coras_digest digest;
        if (coras_digest_parse(s->remove.items[i], &digest, NULL) < 0)
            return coras_fail(err, CORAS_ERR_INVALID_DIGEST, "remove: %s is not a digest",
                              s->remove.items[i]);
    }
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    return take_tags(s, err);
}

static int update_run(struct call *call, coras_error **err)
{
    struct index_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;
    char digest[CORAS_DIGEST_TEXT_MAX];
    common_apply(&s->common);
    if (!s->add.set && !s->merge.set && !s->remove.set && !s->artifact_type.set) {
        puts("Nothing to update as no change is requested");
        return 0;
    }
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    const coras_index_options options = library_options(s);
    CORAS_TRY(
        coras_index_update(s->target.target, s->target.reference, &options, &desc, &bytes, err));
    if (!outfile_is_stdout(s->output.value))
        printf("Updated   %s\n", coras_digest_format(&desc.digest, digest));
    /* An index that was named by its digest keeps that digest; the new one has its own. */
    if (is_digest(s->target.reference))
        return deliver(s, &desc, bytes, NULL, s->target.path, err);
    return deliver(s, &desc, bytes, s->target.reference, s->target.raw, err);
}

#define INDEX_DIGEST                                                                               \
    "localhost:5000/hello@sha256:99e4703fbf30916f549cd6bfa9cdbab614b5392fbe64fdee971359a77073cdf9"
#define ENTRY_DIGEST "sha256:fd6ed2f36b5465244d5dc86cb4e7df0ab8a9d24adc57825099f522fe009a22bb"
static const struct example update_examples[] = {
    {"Add two manifests to the index 'v1' and remove one; the tag moves to the new index",
     "manifest index update localhost:5000/hello:v1 --add linux-amd64 --add linux-arm64 "
     "--remove " ENTRY_DIGEST},
    {"Make a new index from one that is named by its digest",
     "manifest index update " INDEX_DIGEST " --add linux-amd64 --remove " ENTRY_DIGEST},
    {"Append the manifests of the index 'v2-windows' to the index 'v2'",
     "manifest index update localhost:5000/hello:v2 --merge v2-windows"},
    {"Update an index and tag the result 'v2.1.0' and 'v2'",
     "manifest index update " INDEX_DIGEST " --add linux-amd64 --tag \"v2.1.0\" --tag \"v2\""},
    {"Update an index of the OCI image layout 'layout-dir' and tag the result 'v2'",
     "manifest index update layout-dir:v1 --add linux-arm64 --tag \"v2\" --oci-layout"},
    {"Write the changed index to 'index.json' and push nothing",
     "manifest index update localhost:5000/hello:v2 --add v2-linux-amd64 --output index.json"},
    {"Write the changed index to stdout and push nothing",
     "manifest index update localhost:5000/hello:v2 --remove " ENTRY_DIGEST " --output - --pretty"},
    {"Give an index another artifact type", "manifest index update localhost:5000/hello:v1 "
                                            "--artifact-type=\"application/vnd.example+type\""},
    {"Take the artifact type away",
     "manifest index update localhost:5000/hello:v1 --artifact-type=\"\""},
    {NULL, NULL},
};

const struct cmd cmd_index_update = {
    .name = "update",
    .use = "<index>{:<tag>|@<digest>} [{--add|--merge|--remove} <manifest>{<tag>|<digest>}] [...]",
    .summary = "[Experimental] Update and push an image index",
    .about = "[Experimental] Update and push an image index. All manifests should be in the same "
             "repository",
    .examples = update_examples,
    .options = update_groups,
    .state_size = sizeof(struct index_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target index to update",
    .prepare = update_prepare,
    .run = update_run,
    .clear = index_clear,
};
