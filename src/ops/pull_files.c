/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which place a name of an artifact has below the output directory, and whether it may be written.
 */
#include "ops/pull_files.h"

#include <errno.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "transfer/local_file.h"
#include "oci/digest.h"
#include "oci/mediatype.h"
#include "ops/pull_commit.h"
#include "ops/pull_prepare.h"
#include "ops/pull_stage.h"
#include "archive/pack_dir.h"

static void place_free(coras_place *p)
{
    coras_descriptor_clear(&p->desc);
    free(p->title);
    free(p->relative);
    free(p->absolute);
    free(p);
}

/* ---- open and close ---- */

int coras_workdir_open(coras_workdir *w, coras_run *run, const coras_pull_options *opts,
                       coras_error **err)
{
    const char *output = opts->output && *opts->output ? opts->output : ".";

    *w = (coras_workdir){
        .run = run, .opts = opts, .dir_mode = 0777, .file_mode = 0666, .dirfd = -1, .stagefd = -1};
    pthread_mutex_init(&w->lock, NULL);
    w->absolute = coras_path_abs(output);
    w->titles = coras_map_new(NULL);
    w->contents = coras_map_new(free);
    if (!w->absolute || !w->titles || !w->contents) {
        coras_workdir_close(w);
        return coras_fail_no_memory(err);
    }
    w->missing_dirs = coras_missing_dirs(w->absolute);
    return 0;
}

void coras_workdir_close(coras_workdir *w)
{
    coras_stage_clean(w);
    coras_close_fd(&w->stagefd);
    coras_close_fd(&w->dirfd);
    for (size_t i = 0; i < w->places.len; i++)
        place_free(w->places.items[i]);
    free(w->places.items);
    coras_map_free(w->titles);
    coras_map_free(w->contents);
    free(w->absolute);
    pthread_mutex_destroy(&w->lock);
}

/* ---- names ---- */

static int fail_traversal(coras_error **err)
{
    int rc = coras_fail(err, CORAS_ERR_UNSAFE_PATH,
                        "failed to resolve path for writing: path traversal disallowed");
    coras_advise(err, CORAS_HINT_ALLOW_PATH_TRAVERSAL);
    return rc;
}

/* The part of `path` below `dir`; NULL when it is not below. Both cleaned and absolute. */
static const char *below(const char *dir, const char *path)
{
    size_t len = strlen(dir);
    if (coras_streq(dir, "/"))
        return path[1] ? path + 1 : NULL;
    if (strncmp(dir, path, len) != 0 || path[len] != '/')
        return NULL;
    return path + len + 1;
}

static int locate(const coras_workdir *w, coras_place *p, coras_error **err)
{
    if (p->in_tree)
        p->absolute = coras_strdup(w->absolute);
    else
        p->absolute = p->title[0] == '/' ? coras_path_clean(p->title)
                                         : coras_path_join(w->absolute, p->title);
    if (!p->absolute)
        return coras_fail_no_memory(err);
    const char *relative = below(w->absolute, p->absolute);
    if (relative && !(p->relative = coras_strdup(relative)))
        return coras_fail_no_memory(err);
    return 0;
}

struct wish {
    const coras_descriptor *content, *desc;
    const char *title;
    const coras_package_entry *entry;
};

static int describe(coras_place *p, const struct wish *wish, coras_error **err)
{
    const coras_package_entry *entry = wish->entry;
    const char *unpack = coras_annotations_get(&wish->desc->annotations, CORAS_ANN_CONTENT_UNPACK);

    CORAS_TRY(coras_descriptor_copy(&p->desc, wish->desc, err));
    p->content = wish->content;
    p->entry = entry;
    p->in_tree = entry && entry->form == CORAS_LAYER_TAR && !entry->has_prefix;
    p->unpack = (!entry || entry->has_prefix) && unpack && coras_streq(unpack, "true");
    p->is_root = p->in_tree || (p->unpack && coras_streq(wish->title, "."));
    p->is_opaque =
        p->in_tree || p->unpack || (entry && entry->compression != CORAS_COMPRESSION_NONE);
    p->title = coras_strdup(wish->title);
    return p->title ? 0 : coras_fail_no_memory(err);
}

static int make_place(const coras_workdir *w, const struct wish *wish, coras_place **ret,
                      coras_error **err)
{
    coras_place *p = coras_new(coras_place);
    if (!p)
        return coras_fail_no_memory(err);
    int rc = describe(p, wish, err);
    if (rc == 0)
        rc = locate(w, p, err);
    if (rc < 0) {
        place_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

/* ---- places of one content ---- */

/* lock held; NULL: it has none */
static struct coras_content_places *places_of(const coras_workdir *w, const coras_digest *digest)
{
    char key[CORAS_DIGEST_TEXT_MAX];

    return coras_map_get(w->contents, coras_digest_format(digest, key));
}

/* lock held; the same, made when there is none */
static int need_places(coras_workdir *w, const coras_digest *digest,
                       struct coras_content_places **ret, coras_error **err)
{
    struct coras_content_places *places = places_of(w, digest);
    char key[CORAS_DIGEST_TEXT_MAX];

    if (!places) {
        places = coras_new(struct coras_content_places);
        if (!places)
            return coras_fail_no_memory(err);
        int rc = coras_map_set(w->contents, coras_digest_format(digest, key), places, err);
        if (rc < 0) {
            free(places);
            return rc;
        }
    }
    *ret = places;
    return 0;
}

/* lock held; whose bytes the place takes: a file rather than an unpacked directory, because a file
 * can be copied */
static void join_places(struct coras_content_places *places, coras_place *p)
{
    p->same_as = places->file ? places->file : places->archive;
    if (!places->first)
        places->first = p;
    if (p->is_opaque)
        places->archive = p;
    else if (!places->file)
        places->file = p;
    places->count++;
}

coras_place *coras_workdir_first(coras_workdir *w, const coras_descriptor *content)
{
    pthread_mutex_lock(&w->lock);
    const struct coras_content_places *places = places_of(w, &content->digest);
    coras_place *first = places ? places->first : NULL;
    pthread_mutex_unlock(&w->lock);
    return first && first->content == content ? first : NULL;
}

/* lock held; takes the place */
static int insert_place(coras_workdir *w, coras_place *p, coras_place **ret, coras_error **err)
{
    const coras_place *other = p->in_tree ? NULL : coras_map_get(w->titles, p->absolute);
    struct coras_content_places *places = NULL;
    int rc = 0;

    *ret = NULL;
    if (other) {
        bool same = coras_digest_equal(&other->desc.digest, &p->desc.digest);
        if (!same) {
            coras_auto_free char *shown = coras_escape_dup(p->title);
            rc = coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name", shown ? shown : "");
        }
        place_free(p);
        return rc;
    }
    rc = need_places(w, &p->desc.digest, &places, err);
    if (rc == 0 && coras_vec_grow(&w->places, 1) < 0)
        rc = coras_fail_no_memory(err);
    if (rc == 0 && !p->in_tree)
        rc = coras_map_set(w->titles, p->absolute, p, err);
    if (rc < 0) {
        place_free(p);
        return rc;
    }
    join_places(places, p);
    w->has_archives |= p->in_tree;
    w->places.items[w->places.len++] = p;
    *ret = p;
    return 0;
}

int coras_workdir_add(coras_workdir *w, const coras_descriptor *content,
                      const coras_descriptor *desc, const char *title,
                      const coras_package_entry *entry, coras_place **ret, coras_error **err)
{
    coras_place *place = NULL;
    if (content->size != desc->size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "%s: invalid descriptor size", title);
    CORAS_TRY(make_place(w, &(struct wish){content, desc, title, entry}, &place, err));
    pthread_mutex_lock(&w->lock);
    int rc = insert_place(w, place, ret, err);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* ---- checks before writing ---- */

static bool has_long_component(const char *path)
{
    for (const char *part = path; *part;) {
        size_t len = strcspn(part, "/");
        if (len > CORAS_LIMIT_COMPONENT)
            return true;
        part += len + (part[len] == '/');
    }
    return false;
}

static int check_title(const coras_place *p, coras_error **err)
{
    size_t len = strlen(p->title);
    const char *base = coras_path_base(p->title);

    if (len >= CORAS_LIMIT_PATH || has_long_component(p->title))
        return coras_fail(err, CORAS_ERR_UNSAFE_PATH,
                          "failed to resolve path for writing: file name too long");
    if (p->is_root)
        return 0;
    if (p->title[len - 1] == '/' || coras_streq(base, ".") || coras_streq(base, ".."))
        return fail_traversal(err);
    return 0;
}

static int check_containment(const coras_workdir *w, int dirfd, const coras_place *p,
                             coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_fd fd = -1;

    CORAS_TRY(check_title(p, err));
    if (w->opts->allow_path_traversal || p->is_root)
        return 0;
    if (!p->relative || coras_streq(p->relative, CORAS_STAGE_NAME) ||
        coras_str_starts(p->relative, CORAS_STAGE_NAME "/"))
        return fail_traversal(err);
    int rc =
        coras_open_beneath(dirfd, p->relative, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, &fd, &failure);
    if (rc == CORAS_ERR_UNSAFE_PATH)
        return fail_traversal(err);
    return 0; /* absent, or an odd parent that giving the name will complain about */
}

/* The same names, bytes, modes and times as were packed, and nothing else. */
static bool directory_is_right(coras_workdir *w, const coras_place *p)
{
    const char *text = coras_annotations_get(&p->desc.annotations, CORAS_ANN_CONTENT_DIGEST);
    coras_digest want, have;

    return text && coras_digest_parse(text, &want, NULL) == 0 &&
           coras_hash_directory(p->absolute, p->title, &w->run->stop, &have, NULL) == 0 &&
           coras_digest_equal(&want, &have);
}

/* What the file under the name must have; false: nobody knows. */
static bool wanted_content(const coras_place *p, coras_digest *ret_digest, int64_t *ret_size)
{
    const coras_package_entry *e = p->entry;
    bool is_packed = e && e->compression != CORAS_COMPRESSION_NONE;

    *ret_digest = is_packed ? e->diff_id : p->desc.digest;
    *ret_size = is_packed ? e->plain_size : p->desc.size;
    return (!is_packed || (e->has_diff_id && e->plain_size >= 0)) &&
           ret_digest->algorithm == CORAS_SHA256;
}

bool coras_workdir_is_right(coras_workdir *w, const coras_place *p)
{
    coras_digest digest;
    int64_t size;

    if (p->in_tree)
        return false; /* what its members are stands in it */
    if (p->unpack)
        return directory_is_right(w, p);
    if (!wanted_content(p, &digest, &size))
        return false;
    coras_auto_value(coras_local_file) file = {.fd = -1};
    struct coras_run_hashing hashing;
    coras_auto_fd fd = open(p->absolute, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != size)
        return false;
    /* What cannot be read is not right: it gets replaced. */
    if (coras_local_file_take(&fd, p->absolute, 0, size, &file, NULL) < 0)
        return false;
    file.cache_dir = coras_run_environment(w->run)->cache_dir;
    coras_run_hashing_init(&hashing, w->run, p->title, size);
    file.hashed = coras_run_report_hashing;
    file.hashed_user = &hashing;
    return coras_local_file_hash(&file, &w->run->stop, NULL) == 0 &&
           coras_digest_equal(&file.digest, &digest);
}

/* A link is replaced, an existing directory is merged into. */
static int check_directory(const coras_place *p, const struct stat *st, coras_error **err)
{
    if (S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode))
        return 0;
    int rc = coras_fail_errno(err, ENOTDIR, "mkdir %s", p->absolute);
    return coras_wrap(err, rc, "failed to ensure directories of the target path");
}

/* Whether other names wait for the bytes of this content. */
static bool is_shared(coras_workdir *w, const coras_place *p)
{
    pthread_mutex_lock(&w->lock);
    bool shared = places_of(w, &p->desc.digest)->count > 1;
    pthread_mutex_unlock(&w->lock);
    return shared;
}

static bool differs_from_record(const coras_package_entry *e, const struct stat *st)
{
    if (!e)
        return false;
    return (e->has_mode && (st->st_mode & 07777) != e->mode) ||
           (e->has_mtime &&
            (st->st_mtim.tv_sec != e->mtime.tv_sec || st->st_mtim.tv_nsec != e->mtime.tv_nsec));
}

/* What stands under the name, and whether it may be replaced. */
static int look_at_name(coras_workdir *w, coras_place *p, coras_error **err)
{
    struct stat st;

    p->existed = lstat(p->absolute, &st) == 0 && (!p->is_root || w->missing_dirs == 0);
    if (!p->existed) {
        p->missing_dirs = coras_missing_parents(p->absolute);
        return 0;
    }
    if (w->opts->keep_old_files)
        return coras_fail(err, CORAS_ERR_EXISTS,
                          "failed to resolve path for writing: overwrite disallowed");
    if (p->unpack || p->in_tree)
        CORAS_TRY(check_directory(p, &st, err));
    else if (S_ISDIR(st.st_mode))
        return coras_fail(err, CORAS_ERR_UNSAFE_PATH,
                          "failed to create file %s: open %s: is a directory", p->absolute,
                          p->absolute);
    /* An unpacked directory does not give its archive back. */
    p->right = coras_workdir_is_right(w, p) && !(p->is_opaque && is_shared(w, p));
    p->has_other_mode = p->right && differs_from_record(p->entry, &st);
    return 0;
}

int coras_workdir_check(coras_workdir *w, coras_place *p, coras_error **err)
{
    pthread_mutex_lock(&w->lock);
    int rc = coras_stage_need_output(w, err);
    pthread_mutex_unlock(&w->lock);
    if (rc < 0)
        return rc;
    CORAS_TRY(check_containment(w, w->dirfd, p, err));
    return look_at_name(w, p, err);
}

int coras_workdir_look(coras_workdir *w, coras_place *p, coras_error **err)
{
    coras_auto_fd dirfd = open(w->absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CORAS_TRY(check_containment(w, dirfd, p, err));
    return look_at_name(w, p, err);
}

int coras_workdir_move(coras_workdir *w, coras_place *p, const char *path, coras_error **err)
{
    coras_auto_free char *title = coras_strdup(path);

    if (!title)
        return coras_fail_no_memory(err);
    free(p->title);
    free(p->absolute);
    free(p->relative);
    p->absolute = p->relative = NULL;
    p->title = coras_steal(&title);
    CORAS_TRY(locate(w, p, err));
    pthread_mutex_lock(&w->lock);
    bool is_taken = coras_map_has(w->titles, p->absolute);
    int rc = is_taken ? 0 : coras_map_set(w->titles, p->absolute, p, err);
    pthread_mutex_unlock(&w->lock);
    if (rc < 0)
        return rc;
    if (is_taken) {
        coras_auto_free char *shown = coras_escape_dup(p->title);
        return coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name", shown ? shown : "");
    }
    CORAS_TRY(check_containment(w, w->dirfd, p, err));
    return look_at_name(w, p, err);
}

/* ---- committing ---- */

int coras_workdir_commit(coras_workdir *w, coras_error **err)
{
    int rc = coras_place_files(w, err);
    coras_prepared_clear(w);
    if (rc < 0)
        coras_take_files_away(w);
    return rc;
}
