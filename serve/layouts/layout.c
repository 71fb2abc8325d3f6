/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a layout, and at it again: its graph is kept until index.json is another. */
#include "serve/layouts/layout.h"

#include <errno.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "coras/reference.h"
#include "serve/http/log.h"

/* How often what is not whole is looked at; and never for more than this part of the time. */
#define LOOK_AGAIN_MS  1000
#define LOOK_PART_TIME 20

int serve_layout_new(struct serve_layouts *table, const char *name, int *dirfd, serve_layout **ret,
                     coras_error **err)
{
    serve_layout *s = coras_new(serve_layout);
    struct stat st;
    int rc = 0;

    if (!s)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_init(&s->lock, NULL); /* cannot fail with default attributes */
    s->table = table;
    s->name = coras_strdup(name);
    if (!s->name)
        rc = coras_fail_no_memory(err);
    else if (fstat(*dirfd, &st) < 0)
        rc = coras_fail_errno(err, errno, "stat %s", name);
    if (rc == 0) {
        s->device = st.st_dev;
        s->inode = st.st_ino;
        rc = coras_layout_open_at(dirfd, &s->layout, err);
    }
    if (rc < 0) {
        serve_layout_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void serve_layout_free(serve_layout *s)
{
    if (!s)
        return;
    if (s->layout)
        coras_target_close(&s->layout->target);
    coras_layout_graph_free(s->graph);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->trouble);
    free(s->name);
    free(s);
}

/* ---- what is wrong with it ---- */

/* Tell trouble once, and its end. s->lock is held. */
static void note_trouble(serve_layout *s, const char *trouble)
{
    if (s->trouble && !trouble)
        serve_log_note("layout %s: everything that was missing is there now", s->name);
    else if (trouble && (!s->trouble || !coras_streq(s->trouble, trouble)))
        serve_log_note("layout %s: %s", s->name, trouble);
    free(s->trouble);
    s->trouble = trouble ? coras_strdup(trouble) : NULL;
}

static void note_looked(serve_layout *s, int64_t began_ms)
{
    int64_t now = coras_now_ms(), pause = (now - began_ms) * LOOK_PART_TIME;

    s->look_again_ms = now + (pause > LOOK_AGAIN_MS ? pause : LOOK_AGAIN_MS);
}

/* ---- looking ---- */

static int build_graph(serve_layout *s, coras_error **err)
{
    struct coras_layout *l = s->layout;
    coras_auto(coras_error) damage = NULL;
    coras_layout_graph *graph = NULL;
    int64_t began = coras_now_ms();

    CORAS_TRY(coras_layout_graph_of_what_is_there(l, &l->index, &graph, &damage, err));
    coras_layout_graph_free(s->graph);
    s->graph = graph;
    s->graph_age = l->index_age;
    s->is_whole = !damage;
    note_looked(s, began);
    note_trouble(s, damage ? coras_error_message(damage) : NULL);
    return 0;
}

static int read_again(serve_layout *s, coras_error **err)
{
    struct coras_layout *l = s->layout;
    int64_t began = coras_now_ms();
    int rc;

    (void)pthread_mutex_lock(&l->lock);
    rc = coras_layout_load_index(l, err);
    if (rc == 0 &&
        (!s->graph || s->graph_age != l->index_age || (!s->is_whole && began >= s->look_again_ms)))
        rc = build_graph(s, err);
    (void)pthread_mutex_unlock(&l->lock);
    if (rc < 0)
        note_looked(s, began);
    return rc;
}

/* Have s->graph as the layout is now. s->lock is held. What cannot be read is looked at from time
 * to time, however many ask. */
static int look(serve_layout *s, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int rc;

    if (s->is_unreadable && coras_now_ms() < s->look_again_ms)
        return coras_fail(err, CORAS_ERR_CONFIG, "layout %s: %s", s->name,
                          s->trouble ? s->trouble : "cannot be read");
    rc = read_again(s, &why);
    s->is_unreadable = rc < 0 && rc != CORAS_ERR_NO_MEMORY;
    if (rc == 0)
        return 0;
    if (s->is_unreadable) {
        note_trouble(s, coras_error_message(why));
        (void)coras_error_recode(&why, CORAS_ERR_CONFIG);
    }
    coras_error_propagate(err, &why);
    return coras_error_code(*err);
}

/* ---- manifests ---- */

static int fail_unknown(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
}

int serve_layout_find_tag(serve_layout *s, const char *tag, coras_descriptor *ret,
                          coras_error **err)
{
    struct coras_layout *l = s->layout;
    const struct coras_layout_entry *entry;
    int rc;

    (void)pthread_mutex_lock(&s->lock);
    rc = look(s, err);
    if (rc == 0) {
        (void)pthread_mutex_lock(&l->lock);
        entry = coras_layout_index_by_tag(&l->index, tag);
        rc = entry && entry->desc.digest.algorithm != CORAS_DIGEST_NONE
                 ? coras_descriptor_copy(ret, &entry->desc, err)
                 : fail_unknown(err);
        (void)pthread_mutex_unlock(&l->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return rc;
}

/* What is listed is a manifest whatever its type; below that only known types are. */
static const coras_descriptor *known_manifest(serve_layout *s, const coras_digest *digest)
{
    const struct coras_layout_entry *entry =
        coras_layout_index_by_digest(&s->layout->index, digest);
    const coras_descriptor *desc = entry ? &entry->desc : coras_layout_graph_find(s->graph, digest);

    if (!desc || !desc->media_type)
        return NULL;
    return entry || coras_media_type_is_manifest(desc->media_type) ? desc : NULL;
}

int serve_layout_find_manifest(serve_layout *s, const coras_digest *digest, coras_descriptor *ret,
                               coras_error **err)
{
    const coras_descriptor *desc;
    int rc;

    (void)pthread_mutex_lock(&s->lock);
    rc = look(s, err);
    if (rc == 0) {
        (void)pthread_mutex_lock(&s->layout->lock);
        desc = known_manifest(s, digest);
        rc = desc ? coras_descriptor_copy(ret, desc, err) : fail_unknown(err);
        (void)pthread_mutex_unlock(&s->layout->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return rc;
}

static int take_manifest(const coras_descriptor *desc, coras_buf *text, bool with_content,
                         struct serve_stored_manifest *ret, coras_error **err)
{
    struct serve_stored_manifest m = {.digest = desc->digest, .size = desc->size};

    m.media_type = coras_strdup(desc->media_type ? desc->media_type : "");
    if (!m.media_type)
        return coras_fail_no_memory(err);
    if (with_content && coras_buf_take(text, &m.content, err) < 0) {
        serve_stored_manifest_clear(&m);
        return CORAS_ERR_NO_MEMORY;
    }
    *ret = m;
    return 0;
}

int serve_layout_read_manifest(serve_layout *s, const coras_descriptor *desc, bool with_content,
                               struct serve_stored_manifest *ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto(coras_error) why = NULL;
    int rc = coras_layout_read_blob(s->layout, desc, CORAS_LIMIT_MANIFEST, &text, &why);

    if (rc == 0)
        return take_manifest(desc, &text, with_content, ret, err);
    if (rc == CORAS_ERR_NO_MEMORY || rc == CORAS_ERR_IO) {
        coras_error_propagate(err, &why);
        return rc;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->is_whole = false; /* so that its end is told */
    note_trouble(s, coras_error_message(why));
    (void)pthread_mutex_unlock(&s->lock);
    return fail_unknown(err);
}

/* ---- blobs ---- */

static int size_of_file(serve_layout *s, const coras_digest *digest, int64_t *ret,
                        coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};

    CORAS_TRY(coras_layout_open_blob(s->layout, digest, &blob, err));
    coras_close_fd(&blob.fd);
    *ret = blob.size;
    return 0;
}

int serve_layout_find_blob(serve_layout *s, const coras_digest *digest, bool any, int64_t *ret_size,
                           coras_error **err)
{
    const coras_descriptor *desc = NULL;
    int rc;

    (void)pthread_mutex_lock(&s->lock);
    rc = look(s, err);
    if (rc == 0)
        desc = coras_layout_graph_find(s->graph, digest);
    if (desc)
        *ret_size = desc->size;
    (void)pthread_mutex_unlock(&s->lock);
    if (rc < 0 || desc)
        return rc;
    return any ? size_of_file(s, digest, ret_size, err) : fail_unknown(err);
}

/* ---- lists ---- */

/* Other tools write whole names: "docker.io/library/alpine:3" is found, and so listed, as "3". */
static const char *tag_of_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    const char *tag = colon && !strchr(colon, '/') ? colon + 1 : name;

    return coras_tag_validate(tag, NULL) == 0 ? tag : NULL;
}

static int collect_tags(const struct coras_layout_index *index, coras_strlist *ret,
                        coras_error **err)
{
    coras_vec_foreach (entry, &index->entries) {
        const char *name = coras_layout_entry_tag(entry);
        const char *tag = name ? tag_of_name(name) : NULL;
        if (tag && (tag == name || coras_layout_index_by_tag(index, tag)))
            CORAS_TRY(coras_strlist_add(ret, tag, err));
    }
    coras_strlist_sort(ret);
    return 0;
}

static void drop_repeated(coras_strlist *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->len; i++) {
        if (kept > 0 && coras_streq(list->items[i], list->items[kept - 1]))
            free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->len = kept;
}

int serve_layout_tags(serve_layout *s, coras_strlist *ret, coras_error **err)
{
    int rc;

    (void)pthread_mutex_lock(&s->lock);
    rc = look(s, err);
    if (rc == 0) {
        (void)pthread_mutex_lock(&s->layout->lock);
        rc = collect_tags(&s->layout->index, ret, err);
        (void)pthread_mutex_unlock(&s->layout->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    drop_repeated(ret);
    return rc;
}

static int compare_digests(const void *a, const void *b)
{
    char left[CORAS_DIGEST_TEXT_MAX], right[CORAS_DIGEST_TEXT_MAX];

    return strcmp(coras_digest_format(&((const coras_descriptor *)a)->digest, left),
                  coras_digest_format(&((const coras_descriptor *)b)->digest, right));
}

int serve_layout_referrers(serve_layout *s, const coras_digest *subject, coras_descriptors *ret,
                           coras_error **err)
{
    int rc;

    (void)pthread_mutex_lock(&s->lock);
    rc = look(s, err);
    if (rc == 0)
        rc = coras_layout_graph_referrers(s->graph, subject, ret, err);
    (void)pthread_mutex_unlock(&s->lock);
    if (rc == 0 && ret->len > 0)
        qsort(ret->items, ret->len, sizeof(*ret->items), compare_digests);
    return rc;
}
