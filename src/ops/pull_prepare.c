/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the content of a package's layers to files and trees that only want their names. What a
 * media type says of a layer is a claim: whether it is an archive, and how it is compressed, is
 * read from its first bytes.
 */
#include "ops/pull_prepare.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/stream.h"
#include "base/str.h"
#include "codec/tar.h"
#include "oci/digest.h"
#include "ops/choosing.h"

enum { PIECE_BYTES = 256 * 1024 };

int coras_place_set_recorded(const coras_place *p, int fd, coras_error **err)
{
    const coras_package_entry *e = p->entry;

    if (e && e->has_mtime &&
        futimens(fd, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, e->mtime}) < 0)
        return coras_fail_errno(err, errno, "chtimes %s", p->absolute);
    if (e && e->has_mode && fchmod(fd, e->mode) < 0)
        return coras_fail_errno(err, errno, "chmod %s", p->absolute);
    return 0;
}

/* ---- what content is ---- */

/* The bytes of a place's content: where they landed, or a file that has them already. -1 without an
 * error: another pull of the same was quicker. */
static int open_content(coras_workdir *w, const coras_place *p, int *ret, coras_error **err)
{
    coras_auto_free char *name = NULL;
    int stagefd = -1;

    CORAS_TRY(coras_workdir_stage(w, &p->desc, &stagefd, &name, err));
    *ret = openat(stagefd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret < 0 && errno == ENOENT && p->same_as && p->same_as->right)
        *ret = open(p->same_as->absolute, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return *ret < 0 && errno != ENOENT ? coras_fail_errno(err, errno, "open %s", name) : 0;
}

struct content {
    int fd;
    coras_file_bytes file;
    coras_source source;
    enum coras_compression compression;
    bool is_tar; /* when decompressed */
};

/* As many bytes of the decompressed content as there are, up to `cap`. */
static int read_head(const struct content *c, void *buf, size_t cap, size_t *ret, coras_error **err)
{
    coras_auto(coras_decompressor) plain = NULL;
    size_t got = 1;

    *ret = 0;
    CORAS_TRY(coras_decompressor_new(c->compression, &c->source, &plain, err));
    for (; got > 0 && *ret < cap; *ret += got)
        CORAS_TRY(coras_decompressor_read(plain, (char *)buf + *ret, cap - *ret, &got, err));
    return 0;
}

/* An empty archive, which begins with a zero block, is one only to whom expects one. */
static bool is_tar_block(const void *block, bool expected)
{
    coras_auto_value(coras_tar_decoder) decoder;
    coras_auto(coras_error) failure = NULL;

    coras_tar_decoder_init(&decoder);
    int step = coras_tar_decode_block(&decoder, block, &failure);
    return step == CORAS_TAR_ENTRY || step == CORAS_TAR_RECORD || (step >= 0 && expected);
}

static int look_at(struct content *c, const coras_place *p, coras_error **err)
{
    const coras_package_entry *e = p->entry;
    unsigned char block[CORAS_TAR_BLOCK] = {0};
    size_t len = 0;
    bool is_file = e->form == CORAS_LAYER_RAW && e->compression == CORAS_COMPRESSION_NONE;

    c->file = (coras_file_bytes){.fd = c->fd, .name = p->title};
    c->source = coras_source_file(&c->file, p->desc.size);
    CORAS_TRY(read_head(c, block, sizeof(block), &len, err));
    /* A file may be compressed for reasons of its own. */
    c->compression = is_file ? CORAS_COMPRESSION_NONE : coras_compression_of(block, len);
    if (c->compression != CORAS_COMPRESSION_NONE)
        CORAS_TRY(read_head(c, block, sizeof(block), &len, err));
    c->is_tar = len == sizeof(block) && is_tar_block(block, e->form == CORAS_LAYER_TAR);
    return 0;
}

/* Files that are tars by right. */
static bool may_be_tar(const char *path)
{
    static const char *const ends[] = {".tar", ".nemo", ".mar", ".pt", ".pth"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(ends); i++)
        if (coras_str_ends(path, ends[i]))
            return true;
    return false;
}

/* ---- decompressing ---- */

static int fail_size(const coras_place *p, int code, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(p->title);

    return coras_fail(err, code,
                      "%s: decompressed it has %s bytes than the %lld that were recorded",
                      shown ? shown : "", code == CORAS_ERR_TOO_LARGE ? "more" : "fewer",
                      (long long)p->entry->plain_size);
}

static int copy_plain(coras_workdir *w, const coras_place *p, coras_decompressor *plain,
                      coras_hasher *hasher, int fd, coras_error **err)
{
    coras_auto_free void *piece = coras_malloc(PIECE_BYTES);
    int64_t left = p->entry->plain_size, total = 0;
    size_t len = 1;

    if (!piece)
        return coras_fail_no_memory(err);
    while (len > 0) {
        CORAS_TRY(coras_run_check(w->run, err));
        CORAS_TRY(coras_decompressor_read(plain, piece, PIECE_BYTES, &len, err));
        total += (int64_t)len;
        if (left >= 0 && total > left)
            return fail_size(p, CORAS_ERR_TOO_LARGE, err);
        if (hasher)
            coras_hasher_update(hasher, piece, len);
        CORAS_TRY(coras_write_named(fd, p->absolute, piece, len, err));
    }
    return left >= 0 && total < left ? fail_size(p, CORAS_ERR_SIZE_MISMATCH, err) : 0;
}

/* Content that is called compressed and is not has the size and the digest that it was recorded
 * with, too. */
static int check_uncompressed(const coras_place *p, coras_error **err)
{
    const coras_package_entry *e = p->entry;
    coras_auto_free char *shown = coras_escape_dup(p->title);

    if (e->form == CORAS_LAYER_RAW && e->plain_size >= 0 && e->plain_size != p->desc.size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH,
                          "%s: it has %lld bytes, and %lld were recorded", shown ? shown : "",
                          (long long)p->desc.size, (long long)e->plain_size);
    if (e->has_diff_id && !coras_digest_equal(&e->diff_id, &p->desc.digest))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                          "%s: it is not compressed and has another digest than the package says",
                          shown ? shown : "");
    return 0;
}

static int check_plain_digest(const coras_place *p, coras_hasher *hasher, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(p->title);
    coras_digest digest;

    if (!hasher)
        return 0;
    coras_hasher_final(hasher, &digest);
    if (coras_digest_equal(&digest, &p->entry->diff_id))
        return 0;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                      "%s: decompressed it has another digest than the package says",
                      shown ? shown : "");
}

static int decompress(coras_workdir *w, coras_place *p, const struct content *c, coras_error **err)
{
    coras_auto(coras_decompressor) plain = NULL;
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_fd fd = coras_temp_create(w->stagefd, O_WRONLY, w->file_mode, p->prepared);

    if (fd < 0) {
        p->prepared[0] = '\0';
        return coras_fail_errno(err, errno, "make a file in %s", w->absolute);
    }
    CORAS_TRY(coras_decompressor_new(c->compression, &c->source, &plain, err));
    if (p->entry->has_diff_id)
        CORAS_TRY(coras_hasher_new(p->entry->diff_id.algorithm, &hasher, err));
    CORAS_TRY(copy_plain(w, p, plain, hasher, fd, err));
    CORAS_TRY(check_plain_digest(p, hasher, err));
    CORAS_TRY(coras_place_set_recorded(p, fd, err));
    return w->run->options->no_sync ? 0 : coras_fsync(fd, p->absolute, err);
}

/* ---- archives ---- */

struct choosing_members {
    coras_choosing *choosing;
    const coras_descriptor *desc; /* of the archive */
};

static bool takes_member(void *user, const char *path)
{
    const struct choosing_members *m = user;

    return coras_choose(m->choosing, path, m->desc);
}

static int add_to_tree(coras_workdir *w, const coras_place *p, const struct content *c,
                       coras_error **err)
{
    const coras_package_entry *e = p->entry;
    bool is_packed = c->compression != CORAS_COMPRESSION_NONE;
    bool is_choosy = e->form == CORAS_LAYER_TAR && coras_choosing_is_choosy(w->choosing);
    struct choosing_members members = {w->choosing, &p->desc};
    const struct coras_layer_input input = {.fd = c->fd,
                                            .size = p->desc.size,
                                            .compression = c->compression,
                                            .tar_digest =
                                                is_packed && e->has_diff_id ? &e->diff_id : NULL,
                                            .below = e->form == CORAS_LAYER_TAR ? e->path : "",
                                            .strip = e->strip,
                                            .cancel = &w->run->stop,
                                            .takes = is_choosy ? takes_member : NULL,
                                            .user = &members};

    if (!w->layers)
        CORAS_TRY(coras_layers_new(w->stagefd, w->absolute, &w->layers, err));
    int rc = coras_layers_add(w->layers, &input, err);
    if (rc < 0) {
        char digest[CORAS_DIGEST_TEXT_MAX];
        return coras_wrap(err, rc, "failed to extract layer %s to %s",
                          coras_digest_format(&p->desc.digest, digest), w->absolute);
    }
    return 0;
}

/* A layer that was called an archive and is one file. */
static int turn_into_file(coras_workdir *w, coras_place *p, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (!p->entry->file_path || p->entry->strip)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE,
                          "layer %s is called an archive, and is none",
                          coras_digest_format(&p->desc.digest, digest));
    p->in_tree = p->is_root = false;
    return coras_workdir_move(w, p, p->entry->file_path, err);
}

static int prepare_content(coras_workdir *w, coras_place *p, struct content *c, coras_error **err)
{
    const coras_package_entry *e = p->entry;

    CORAS_TRY(look_at(c, p, err));
    if (e->compression != CORAS_COMPRESSION_NONE && c->compression == CORAS_COMPRESSION_NONE)
        CORAS_TRY(check_uncompressed(p, err));
    if (c->is_tar && (p->in_tree || (e->is_claim && !may_be_tar(p->title)))) {
        p->in_tree = true;
        return add_to_tree(w, p, c, err);
    }
    if (p->in_tree)
        CORAS_TRY(turn_into_file(w, p, err));
    /* What it says of itself decides; of a file that is called plain it says nothing. */
    return c->compression != CORAS_COMPRESSION_NONE && e->compression != CORAS_COMPRESSION_NONE
               ? decompress(w, p, c, err)
               : 0;
}

static int prepare_place(coras_workdir *w, coras_place *p, coras_error **err)
{
    struct content c = {.fd = -1};

    if (p->right || p->unpack || !p->entry || (!p->is_opaque && !p->entry->is_claim))
        return 0;
    CORAS_TRY(open_content(w, p, &c.fd, err));
    if (c.fd < 0 && p->is_opaque)
        return coras_fail(err, CORAS_ERR_CHANGED, "%s: its content was taken away meanwhile",
                          p->absolute);
    int rc = c.fd < 0 ? 0 : prepare_content(w, p, &c, err);
    coras_close_fd(&c.fd);
    return rc;
}

/* ---- all of them ---- */

/* A file may not stand where an archive has put something. */
static int check_beside_tree(const coras_workdir *w, const coras_place *p, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_fd fd = -1;

    if (p->in_tree || !p->relative)
        return 0;
    int rc = coras_open_beneath(coras_layers_root(w->layers), p->relative,
                                O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, &fd, &failure);
    if (rc == CORAS_ERR_NOT_FOUND)
        return 0;
    coras_auto_free char *shown = coras_escape_dup(p->title);
    return coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name: an archive has it too",
                      shown ? shown : "");
}

static int fail_nothing(const coras_workdir *w, coras_error **err)
{
    const coras_strlist *others = coras_layers_others(w->layers);
    coras_auto_buf list = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < others->len; i++) {
        coras_buf_puts(&list, i ? ", " : "");
        coras_escape(&list, others->items[i], strlen(others->items[i]), CORAS_LIMIT_COMPONENT);
    }
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "the archives of the package hold no file of a model; there is: %s",
                      list.len ? list.ptr : "nothing at all");
}

static int complete_tree(coras_workdir *w, coras_error **err)
{
    bool has_files = coras_layers_has_files(w->layers);

    for (size_t i = 0; i < w->places.len; i++) {
        has_files |= !w->places.items[i]->in_tree;
        CORAS_TRY(check_beside_tree(w, w->places.items[i], err));
    }
    CORAS_TRY(coras_choosing_check(w->choosing, err));
    return has_files ? coras_layers_complete(w->layers, err) : fail_nothing(w, err);
}

int coras_prepare_places(coras_workdir *w, coras_error **err)
{
    for (size_t i = 0; i < w->places.len; i++)
        CORAS_TRY(prepare_place(w, w->places.items[i], err));
    return w->layers ? complete_tree(w, err) : 0;
}

void coras_prepared_clear(coras_workdir *w)
{
    for (size_t i = 0; i < w->places.len; i++)
        if (w->places.items[i]->prepared[0])
            (void)unlinkat(w->stagefd, w->places.items[i]->prepared, 0); /* if it has no name yet */
    coras_layers_free(w->layers);
    w->layers = NULL;
}
