/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories become content: named and described, directories packed. Files stay to be
 * hashed when it is known where they go (push.c), unless their digests are remembered.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "codec/date.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vec.h"
#include "coras/reference.h"
#include "transfer/digest_cache.h"
#include "transfer/run.h"
#include "oci/platform.h"
#include "ops/artifact.h"
#include "ops/hub_cache.h"
#include "archive/pack_dir.h"

static void item_clear(struct coras_artifact_item *item)
{
    coras_descriptor_clear(&item->desc);
    coras_local_file_clear(&item->file);
    coras_buf_clear(&item->memory);
}

static void item_init(struct coras_artifact_item *item)
{
    *item = (struct coras_artifact_item){.file = {.fd = -1}, .memory = CORAS_BUF_UNLIMITED};
}

void coras_artifact_free(coras_artifact *a)
{
    if (!a)
        return;
    item_clear(&a->config);
    for (size_t i = 0; i < a->layers.len; i++)
        item_clear(&a->layers.items[i]);
    free(a->layers.items);
    coras_map_free(a->names);
    coras_annotations_clear(&a->annotations);
    coras_descriptor_clear(&a->subject);
    free(a->artifact_type);
    if (a->config_writer.release)
        a->config_writer.release(a->config_writer.user);
    free(a);
}

int coras_artifact_new(coras_artifact **ret, coras_error **err)
{
    coras_artifact *a = coras_new(coras_artifact);

    if (!a)
        return coras_fail_no_memory(err);
    item_init(&a->config);
    *ret = a;
    return 0;
}

/* ---- one file ---- */

static int set_media_type(coras_descriptor *desc, const char *media_type, coras_error **err)
{
    free(desc->media_type);
    desc->media_type = coras_strdup(media_type);
    return desc->media_type ? 0 : coras_fail_no_memory(err);
}

/* /dev/null: the usual way to say "an empty config" of some type. */
static bool is_empty_device(int fd, const struct stat *st)
{
    char byte;
    return S_ISCHR(st->st_mode) && read(fd, &byte, 1) == 0;
}

/* `path` is absolute. */
static int open_input(const char *path, int *ret, struct stat *ret_st, coras_error **err)
{
    if (stat(path, ret_st) < 0)
        return coras_fail_errno(err, errno, "stat %s", path);
    /* O_NONBLOCK: a FIFO must not hang us before it is refused. */
    coras_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    if (fstat(fd, ret_st) < 0)
        return coras_fail_errno(err, errno, "stat %s", path);
    if (!S_ISREG(ret_st->st_mode) && !S_ISDIR(ret_st->st_mode) && !is_empty_device(fd, ret_st))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "%s is neither a file nor a directory",
                          path);
    *ret = fd;
    fd = -1;
    return 0;
}

static int add_regular(struct coras_artifact_item *item, int *fd, const char *name, int64_t size,
                       const coras_run *run, coras_error **err)
{
    item->desc.size = size;
    CORAS_TRY(coras_local_file_take(fd, name, 0, size, &item->file, err));
    item->file.cache_dir = coras_run_environment(run)->cache_dir;
    coras_local_file_recall(&item->file);
    if (item->file.known)
        item->desc.digest = item->file.digest;
    return 0;
}

static int pack_directory(const struct coras_artifact_item *item, const char *path,
                          const char *name, const coras_run *run, struct coras_packed_dir *ret,
                          coras_error **err)
{
    coras_auto_free char *hub_blobs = coras_hub_blobs_of(path);
    struct coras_pack_dir_options options = {
        .outside = item->follow_links ? CORAS_OUTSIDE_FOLLOWED : CORAS_OUTSIDE_REFUSED,
        .follow_into = hub_blobs,
        .cancel = run->options->cancel,
        .temporary_dir = coras_run_environment(run)->temporary_dir,
    };
    int rc = coras_pack_directory(path, name, &options, ret, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to generate descriptor from %s", path) : 0;
}

static int add_directory(struct coras_artifact_item *item, const char *path, const char *name,
                         const coras_run *run, coras_error **err)
{
    struct coras_packed_dir packed = {.fd = -1};
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(pack_directory(item, path, name, run, &packed, err));
    CORAS_TRY(coras_local_file_take(&packed.fd, name, 0, packed.size, &item->file, err));
    item->file.known = true;
    item->file.digest = item->desc.digest = packed.digest;
    item->desc.size = packed.size;
    CORAS_TRY(coras_annotations_set(&item->desc.annotations, CORAS_ANN_CONTENT_DIGEST,
                                    coras_digest_format(&packed.tar_digest, text), err));
    return coras_annotations_set(&item->desc.annotations, CORAS_ANN_CONTENT_UNPACK, "true", err);
}

/*
 * The bytes of a path, without a name. `media_type` NULL or "": the default for what it is. The
 * path is cleaned as text, like the name that comes from it: "file/" is the file.
 */
static int add_path(struct coras_artifact_item *item, const char *given, const char *name,
                    const char *media_type, const coras_run *run, coras_error **err)
{
    coras_auto_fd fd = -1;
    struct stat st;

    coras_auto_free char *absolute = coras_path_abs(given);
    const char *path = absolute ? absolute : given;
    CORAS_TRY(open_input(path, &fd, &st, err));
    bool directory = S_ISDIR(st.st_mode);
    if (!media_type || !*media_type)
        media_type = directory ? CORAS_MT_OCI_LAYER_GZIP : CORAS_MT_OCI_LAYER;
    CORAS_TRY(set_media_type(&item->desc, media_type, err));
    if (directory)
        return add_directory(item, path, name, run, err);
    CORAS_TRY(add_regular(item, &fd, name, st.st_size, run, err));
    if (absolute)
        coras_local_file_rest(&item->file, absolute);
    return 0;
}

/* ---- layers ---- */

/* The name a file has in the artifact: its title annotation, else its cleaned path. */
static int name_of_file(const coras_file *file, char **ret, coras_error **err)
{
    const char *title =
        file->annotations ? coras_annotations_get(file->annotations, CORAS_ANN_TITLE) : NULL;
    *ret = title ? coras_strdup(title) : coras_path_clean(file->path);
    return *ret ? 0 : coras_fail_no_memory(err);
}

static int claim_name(coras_artifact *a, const char *name, coras_error **err)
{
    if (!a->names)
        a->names = coras_map_new(NULL);
    if (!a->names)
        return coras_fail_no_memory(err);
    if (coras_map_has(a->names, name))
        return coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name", name);
    return coras_map_set(a->names, name, a, err);
}

static struct coras_artifact_item *new_layer(coras_artifact *a)
{
    if (coras_vec_grow(&a->layers, 1) < 0)
        return NULL;
    struct coras_artifact_item *item = &a->layers.items[a->layers.len++];
    item_init(item);
    item->follow_links = a->follow_links;
    return item;
}

static int add_layer(coras_artifact *a, const coras_file *file, coras_run *run, coras_error **err)
{
    coras_auto_free char *name = NULL;
    CORAS_TRY(name_of_file(file, &name, err));
    coras_run_post(run, CORAS_EVENT_PREPARING, NULL, 0, name);
    coras_run_deliver(run);
    if (!*name)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing name");
    CORAS_TRY(claim_name(a, name, err));
    struct coras_artifact_item *item = new_layer(a);
    if (!item)
        return coras_fail_no_memory(err);
    CORAS_TRY(add_path(item, file->path, name, file->media_type, run, err));
    CORAS_TRY(coras_annotations_set(&item->desc.annotations, CORAS_ANN_TITLE, name, err));
    if (file->annotations)
        CORAS_TRY(coras_annotations_merge(&item->desc.annotations, file->annotations, err));
    return 0;
}

/* The layer of an artifact without files: 1.1 wants one, 1.0 has none. */
static int add_empty_layer(coras_artifact *a, coras_error **err)
{
    if (a->image_spec == CORAS_IMAGE_SPEC_V1_0)
        return 0;
    struct coras_artifact_item *item = new_layer(a);
    if (!item)
        return coras_fail_no_memory(err);
    coras_buf_puts(&item->memory, CORAS_EMPTY_JSON);
    CORAS_TRY(coras_buf_done(&item->memory, err));
    return coras_descriptor_empty(NULL, true, &item->desc, err);
}

static int take_expected(struct coras_artifact_item *item, int *fd, const char *name, int64_t size,
                         const coras_digest *expected, coras_error **err)
{
    item->desc.size = size;
    item->desc.digest = *expected;
    CORAS_TRY(coras_local_file_take(fd, name, 0, size, &item->file, err));
    item->file.has_expected = true;
    item->file.digest = *expected;
    return 0;
}

int coras_artifact_take_file(coras_artifact *a, int *fd, const char *name, const char *media_type,
                             const coras_digest *expected, const coras_run *run,
                             struct coras_artifact_item **ret, coras_error **err)
{
    coras_auto_fd taken = *fd;
    struct stat st;

    *fd = -1;
    struct coras_artifact_item *item = new_layer(a);
    if (!item)
        return coras_fail_no_memory(err);
    if (fstat(taken, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    CORAS_TRY(set_media_type(&item->desc, media_type, err));
    CORAS_TRY(coras_annotations_set(&item->desc.annotations, CORAS_ANN_TITLE, name, err));
    *ret = item;
    return expected ? take_expected(item, &taken, name, st.st_size, expected, err)
                    : add_regular(item, &taken, name, st.st_size, run, err);
}

/* ---- config ---- */

int coras_artifact_take_config_writer(coras_artifact *a, const char *media_type,
                                      const struct coras_config_writer *writer, coras_error **err)
{
    a->config_writer = *writer;
    a->has_config_file = true;
    return set_media_type(&a->config.desc, media_type, err);
}

int coras_artifact_finish_config(coras_artifact *a, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    if (!a->config_writer.write || a->config.desc.digest.algorithm != CORAS_DIGEST_NONE)
        return 0;
    coras_buf_reset(&a->config.memory);
    CORAS_TRY(a->config_writer.write(a->config_writer.user, a, &a->config.memory, err));
    CORAS_TRY(coras_descriptor_of_bytes(a->config.desc.media_type, a->config.memory.ptr,
                                        a->config.memory.len, &desc, err));
    a->config.desc.digest = desc.digest;
    a->config.desc.size = desc.size;
    return 0;
}

static int config_from_platform(coras_artifact *a, const coras_platform *p, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(&a->config.memory, 0);
    coras_jw_object(&w);
    coras_jw_member(&w, "architecture", p->architecture);
    coras_jw_member(&w, "os", p->os);
    coras_jw_member_opt(&w, "os.version", p->os_version);
    coras_jw_member_opt(&w, "variant", p->variant);
    coras_jw_end_object(&w);
    CORAS_TRY(coras_buf_done(&a->config.memory, err));
    return coras_descriptor_of_bytes(CORAS_MT_OCI_CONFIG, a->config.memory.ptr,
                                     a->config.memory.len, &a->config.desc, err);
}

/* No config of the user's: the content `{}`, typed as the specification in use wants it. */
static int config_empty(coras_artifact *a, coras_error **err)
{
    bool v1_1 = a->image_spec == CORAS_IMAGE_SPEC_V1_1;
    const char *media_type = v1_1               ? NULL
                             : a->artifact_type ? a->artifact_type
                                                : CORAS_MT_UNKNOWN_CONFIG;
    coras_buf_puts(&a->config.memory, CORAS_EMPTY_JSON);
    CORAS_TRY(coras_buf_done(&a->config.memory, err));
    return coras_descriptor_empty(media_type, v1_1, &a->config.desc, err);
}

static int make_config(coras_artifact *a, const coras_pack_options *pack, coras_run *run,
                       coras_error **err)
{
    if (pack->config_path) {
        const char *type =
            pack->config_media_type ? pack->config_media_type : CORAS_MT_UNKNOWN_CONFIG;
        a->has_config_file = true;
        a->config.follow_links = a->follow_links;
        CORAS_TRY(add_path(&a->config, pack->config_path, pack->config_path, type, run, err));
        /* A config is never unpacked, also when it is a directory. */
        coras_annotations_clear(&a->config.desc.annotations);
    } else if (pack->platform) {
        CORAS_TRY(config_from_platform(a, pack->platform, err));
    } else {
        CORAS_TRY(config_empty(a, err));
    }
    if (pack->config_annotations)
        CORAS_TRY(
            coras_annotations_merge(&a->config.desc.annotations, pack->config_annotations, err));
    return 0;
}

/* ---- the artifact ---- */

static int take_options(coras_artifact *a, const coras_pack_options *pack, coras_error **err)
{
    a->image_spec = pack->image_spec;
    a->follow_links = pack->follow_links;
    if (pack->artifact_type && !(a->artifact_type = coras_strdup(pack->artifact_type)))
        return coras_fail_no_memory(err);
    if (pack->annotations)
        CORAS_TRY(coras_annotations_copy(&a->annotations, pack->annotations, err));
    if (pack->subject) {
        a->has_subject = true;
        CORAS_TRY(coras_descriptor_copy(&a->subject, pack->subject, err));
    }
    return 0;
}

static int add_created(coras_artifact *a, coras_error **err)
{
    coras_auto_buf now = CORAS_BUF_UNLIMITED;
    if (coras_annotations_get(&a->annotations, CORAS_ANN_CREATED))
        return 0;
    coras_format_rfc3339(&now, coras_wall_s());
    CORAS_TRY(coras_buf_done(&now, err));
    return coras_annotations_set(&a->annotations, CORAS_ANN_CREATED, now.ptr, err);
}

static int prepare(coras_artifact *a, const coras_file *files, size_t count,
                   const coras_pack_options *pack, coras_run *run, coras_error **err)
{
    CORAS_TRY(take_options(a, pack, err));
    CORAS_TRY(make_config(a, pack, run, err));
    for (size_t i = 0; i < count; i++) {
        CORAS_TRY(coras_run_check(run, err));
        CORAS_TRY(add_layer(a, &files[i], run, err));
    }
    if (count == 0) {
        CORAS_TRY(add_empty_layer(a, err));
        coras_run_post(run, CORAS_EVENT_EMPTY_ARTIFACT, NULL, 0, NULL);
    }
    coras_run_deliver(run);
    return add_created(a, err);
}

int coras_artifact_prepare(const coras_file *files, size_t count, const coras_pack_options *pack,
                           const coras_run_options *run_options, coras_artifact **ret,
                           coras_error **err)
{
    coras_pack_options known = CORAS_PACK_OPTIONS_INIT;

    if ((count && !files) || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_options_read(&known, sizeof(known), pack, err));
    coras_auto(coras_artifact) a = NULL;
    CORAS_TRY(coras_artifact_new(&a, err));
    coras_auto_value(coras_run) run;
    coras_run_init(&run, run_options);
    CORAS_TRY(prepare(a, files, count, &known, &run, err));
    *ret = coras_steal(&a);
    return 0;
}
