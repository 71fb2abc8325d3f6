/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of blobs on a store, and clearing it of what is none. */
#include "serve/storage/s3/blobs.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/storage/sessions.h"

#define PLACE_UNDER "data/"
/* Removed at one go. */
#define LEFTOVERS 100
/* Of a file that is sent whole; beyond, in parts of which ten thousand do for any file. */
#define PART_LEAST ((int64_t)32 * CORAS_MIB)
#define PARTS_MAX  10000
#define READ_BYTES (256 * CORAS_KIB)

/* ---- files that become objects ---- */

struct sending {
    serve_s3 *store;
    const char *place;
    char *upload;
    const coras_source *source;
    coras_strlist tags;
};

static int hash_range(const coras_source *source, int64_t offset, int64_t length,
                      char payload[static CORAS_DIGEST_TEXT_MAX], coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *buffer = coras_malloc(READ_BYTES);
    coras_digest digest;

    if (!buffer)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(CORAS_SHA256, &hasher, err));
    while (length > 0) {
        size_t want = length < READ_BYTES ? (size_t)length : READ_BYTES, got = 0;
        CORAS_TRY(source->read_at(source->user, buffer, want, offset, &got, err));
        coras_hasher_update(hasher, buffer, got);
        offset += (int64_t)got;
        length -= (int64_t)got;
    }
    coras_hasher_final(hasher, &digest);
    coras_digest_hex(&digest, payload);
    return 0;
}

static int send_part(struct sending *s, int64_t offset, int64_t length, coras_error **err)
{
    coras_auto_free char *tag = NULL;
    char payload[CORAS_DIGEST_TEXT_MAX];
    const struct serve_s3_part part = {
        .key = s->place,
        .upload = s->upload,
        .number = (int64_t)s->tags.len + 1,
        .body = s->source,
        .offset = offset,
        .length = length,
        .payload = payload,
    };

    CORAS_TRY(hash_range(s->source, offset, length, payload, err));
    CORAS_TRY(serve_s3_put_part(s->store, &part, &tag, err));
    return coras_strlist_add(&s->tags, tag, err);
}

static int send_all(struct sending *s, coras_error **err)
{
    int64_t size = s->source->size, least = (size + PARTS_MAX - 1) / PARTS_MAX;
    int64_t part = least > PART_LEAST ? least : PART_LEAST;

    for (int64_t offset = 0; offset < size; offset += part)
        CORAS_TRY(send_part(s, offset, size - offset < part ? size - offset : part, err));
    return serve_s3_finish_parts(s->store, s->place, s->upload, &s->tags, size, err);
}

static int send_parts(serve_s3 *store, const char *place, const coras_source *source,
                      coras_error **err)
{
    struct sending s = {.store = store, .place = place, .source = source};
    int rc = serve_s3_begin_parts(store, place, &s.upload, err);

    if (rc == 0) {
        rc = send_all(&s, err);
        if (rc < 0)
            (void)!serve_s3_abort_parts(store, place, s.upload, NULL);
    }
    free(s.upload);
    coras_strlist_clear(&s.tags);
    return rc;
}

static int send_file(serve_s3 *store, const char *place, int fd, coras_error **err)
{
    coras_file_bytes file = {fd, "a blob"};
    char payload[CORAS_DIGEST_TEXT_MAX];
    coras_source source;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat a blob");
    source = coras_source_file(&file, st.st_size);
    if (st.st_size > PART_LEAST)
        return send_parts(store, place, &source, err);
    CORAS_TRY(hash_range(&source, 0, st.st_size, payload, err));
    return serve_s3_put(store, place, &source, payload, err);
}

/* ---- objects that are read ---- */

struct s3_far_blob {
    serve_far_blob far; /* first: it is one */
    serve_s3 *store;
    char *place;
};

static int link_far(serve_far_blob *far, coras_buf *ret, coras_error **err)
{
    const struct s3_far_blob *b = (const struct s3_far_blob *)far;

    return serve_s3_link(b->store, b->place, ret, err);
}

static int fetch_far(serve_far_blob *far, int64_t offset, int64_t length, const coras_sink *sink,
                     coras_error **err)
{
    const struct s3_far_blob *b = (const struct s3_far_blob *)far;

    return serve_s3_get(b->store, b->place, offset, length, sink, err);
}

static void close_far(serve_far_blob *far)
{
    struct s3_far_blob *b = (struct s3_far_blob *)far;

    free(b->place);
    free(b);
}

static const struct serve_far_blob_ops far_ops = {link_far, fetch_far, close_far};

/* ---- the verbs ---- */

static struct serve_s3_blobs *blobs_of(serve_blobs *b)
{
    return (struct serve_s3_blobs *)b;
}

static int publish(serve_blobs *b, const char *name, int fd, const coras_digest *digest,
                   char **ret_place, coras_error **err)
{
    struct serve_s3_blobs *s = blobs_of(b);
    char id[SERVE_SESSION_ID_LEN + 1];
    coras_auto_free char *place = NULL;

    (void)digest;
    serve_session_make_id(id);
    place = coras_asprintf(PLACE_UNDER "%s", id);
    if (!place)
        return coras_fail_no_memory(err);
    CORAS_TRY(send_file(s->store, place, fd, err));
    (void)unlinkat(s->directory->uploads_fd, name, 0);
    *ret_place = coras_steal(&place);
    return 0;
}

static int open_blob(serve_blobs *b, const coras_digest *digest, int64_t size, const char *place,
                     serve_open_blob *ret, coras_error **err)
{
    struct serve_s3_blobs *s = blobs_of(b);
    struct s3_far_blob *far;

    if (!place)
        return serve_blobs_open(&s->directory->blobs, digest, size, NULL, ret, err);
    far = coras_new(struct s3_far_blob);
    if (!far)
        return coras_fail_no_memory(err);
    *far = (struct s3_far_blob){.far = {&far_ops}, .store = s->store, .place = coras_strdup(place)};
    if (!far->place) {
        free(far);
        return coras_fail_no_memory(err);
    }
    ret->far = &far->far;
    return 0;
}

/* What is elsewhere is left over with its row, and cleared in its time. */
static int remove_blob(serve_blobs *b, const coras_digest *digest, const char *place,
                       coras_error **err)
{
    if (place)
        return serve_s3_delete(blobs_of(b)->store, place, err);
    return serve_blobs_remove(&blobs_of(b)->directory->blobs, digest, NULL, err);
}

static const struct serve_blobs_ops s3_blobs_ops = {
    .publish = publish,
    .open = open_blob,
    .remove = remove_blob,
};

void serve_s3_blobs_init(struct serve_s3_blobs *b, serve_s3 *store, serve_blob_store *directory)
{
    *b = (struct serve_s3_blobs){
        .blobs = {.ops = &s3_blobs_ops, .has_places = true},
        .store = store,
        .directory = directory,
    };
}

/* ---- clearing ---- */

int serve_s3_clear_leftovers(serve_s3 *store, serve_metadata *metadata, int64_t before_s,
                             bool *ret_more, coras_error **err)
{
    coras_auto_value(coras_strlist) places = {0};

    CORAS_TRY(serve_metadata_leftovers(metadata, before_s, LEFTOVERS, &places, err));
    for (size_t i = 0; i < places.len; i++) {
        CORAS_TRY(serve_s3_delete(store, places.items[i], err));
        CORAS_TRY(serve_metadata_forget_leftover(metadata, places.items[i], err));
    }
    *ret_more = places.len == LEFTOVERS;
    return 0;
}

struct strays {
    serve_s3 *store;
    serve_metadata *metadata;
    int64_t before_s;
};

static int clear_stray(const struct serve_s3_object *object, void *user, coras_error **err)
{
    const struct strays *s = user;
    bool known = true;

    if (object->written_s >= s->before_s)
        return 0;
    CORAS_TRY(serve_metadata_knows_place(s->metadata, object->key, &known, err));
    return known ? 0 : serve_s3_delete(s->store, object->key, err);
}

int serve_s3_clear_strays(serve_s3 *store, serve_metadata *metadata, int64_t before_s, char **last,
                          coras_error **err)
{
    struct strays s = {store, metadata, before_s};
    coras_auto_free char *after = *last;

    *last = NULL;
    return serve_s3_list(store, PLACE_UNDER, after, clear_stray, &s, last, err);
}
