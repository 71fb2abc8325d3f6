/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of content on what is the registry's own: the database, and its blobs. */
#include "serve/storage/content.h"

#include "base/alloc.h"
#include "base/error.h"

static serve_metadata *metadata_of(serve_content *c)
{
    return ((struct serve_own_content *)c)->metadata;
}

static serve_blobs *blobs_of(serve_content *c)
{
    return ((struct serve_own_content *)c)->blobs;
}

static int find_blob(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t *ret_size, coras_error **err)
{
    return serve_metadata_find_blob(metadata_of(c), repository, digest, ret_size, err);
}

/* The directory knows its blobs by their digests. */
static int open_own(const struct serve_own_content *own, const coras_digest *digest, int64_t size,
                    serve_open_blob *ret, coras_error **err)
{
    coras_auto_free char *place = NULL;

    if (own->blobs->has_places)
        CORAS_TRY(serve_metadata_find_place(own->metadata, digest, &place, err));
    return serve_blobs_open(own->blobs, digest, size, place, ret, err);
}

static int open_blob(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t size, serve_open_blob *ret, coras_error **err)
{
    (void)repository;
    return open_own((struct serve_own_content *)c, digest, size, ret, err);
}

static int keep_blob(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t before, coras_error **err)
{
    return serve_metadata_keep_blob(metadata_of(c), repository, digest, before, err);
}

static int mount_blob(serve_content *c, const char *from, const char *repository,
                      const coras_digest *digest, coras_error **err)
{
    return serve_metadata_mount_blob(metadata_of(c), from, repository, digest, err);
}

static int unlink_blob(serve_content *c, const char *repository, const coras_digest *digest,
                       coras_error **err)
{
    return serve_metadata_unlink_blob(metadata_of(c), repository, digest, err);
}

/* Where a finished upload goes. */
struct blobs_place {
    serve_content *content;
    const serve_session *session;
    const coras_digest *digest;
    char *elsewhere; /* of what was moved; NULL: it is a file */
};

static int move_to_blobs(void *user, int uploads_fd, const char *name, int fd, coras_error **err)
{
    struct blobs_place *place = user;

    (void)uploads_fd;
    return serve_blobs_publish(blobs_of(place->content), name, fd, place->digest, &place->elsewhere,
                               err);
}

static int record_blob(void *user, coras_error **err)
{
    const struct blobs_place *place = user;
    const serve_session *s = place->session;

    return serve_metadata_link_blob(metadata_of(place->content), s->repository, place->digest,
                                    s->size, place->elsewhere, err);
}

static int take_upload(serve_content *c, serve_sessions *sessions, serve_session **s,
                       const coras_digest *digest, coras_error **err)
{
    struct blobs_place to = {c, *s, digest, NULL};
    const struct serve_session_place place = {move_to_blobs, record_blob, &to};
    int rc = serve_session_publish(sessions, s, digest, &place, err);

    free(to.elsewhere);
    return rc;
}

static int get_manifest(serve_content *c, const char *repository, const char *tag,
                        const coras_digest *digest, bool with_content,
                        struct serve_stored_manifest *ret, coras_error **err)
{
    return serve_metadata_get_manifest(metadata_of(c), repository, tag, digest, with_content, ret,
                                       err);
}

static int put_manifest(serve_content *c, const struct serve_manifest_put *put,
                        coras_digest *ret_missing, coras_error **err)
{
    return serve_metadata_put_manifest(metadata_of(c), put, ret_missing, err);
}

static int delete_manifest(serve_content *c, const char *repository, const coras_digest *digest,
                           coras_error **err)
{
    return serve_metadata_delete_manifest(metadata_of(c), repository, digest, err);
}

static int delete_tag(serve_content *c, const char *repository, const char *tag, coras_error **err)
{
    return serve_metadata_delete_tag(metadata_of(c), repository, tag, err);
}

static int has_repository(serve_content *c, const char *repository, coras_error **err)
{
    return serve_metadata_has_repository(metadata_of(c), repository, err);
}

static int list_tags(serve_content *c, const char *repository, const char *last, int64_t limit,
                     coras_strlist *ret, bool *ret_more, coras_error **err)
{
    return serve_metadata_tags(metadata_of(c), repository, last, limit, ret, ret_more, err);
}

static int list_repositories(serve_content *c, const char *last, int64_t limit, coras_strlist *ret,
                             bool *ret_more, coras_error **err)
{
    return serve_metadata_repositories(metadata_of(c), last, limit, ret, ret_more, err);
}

static int list_referrers(serve_content *c, const struct serve_referrers_query *query,
                          bool (*visit)(const char *descriptor, const char *digest, void *user),
                          void *user, coras_error **err)
{
    return serve_metadata_referrers(metadata_of(c), query, visit, user, err);
}

static const struct serve_content_ops own_ops = {
    .find_blob = find_blob,
    .open_blob = open_blob,
    .keep_blob = keep_blob,
    .mount_blob = mount_blob,
    .unlink_blob = unlink_blob,
    .take_upload = take_upload,
    .get_manifest = get_manifest,
    .put_manifest = put_manifest,
    .delete_manifest = delete_manifest,
    .delete_tag = delete_tag,
    .has_repository = has_repository,
    .tags = list_tags,
    .repositories = list_repositories,
    .referrers = list_referrers,
};

void serve_own_content_init(struct serve_own_content *own, serve_blobs *blobs,
                            serve_metadata *metadata, bool read_only)
{
    *own = (struct serve_own_content){
        .content = {.ops = &own_ops, .read_only = read_only},
        .blobs = blobs,
        .metadata = metadata,
    };
}

bool serve_own_content_has(const struct serve_own_content *own, const coras_digest *digest,
                           int64_t *ret_size)
{
    coras_auto_value(serve_open_blob) blob = SERVE_OPEN_BLOB_INIT;

    return serve_metadata_find_blob(own->metadata, NULL, digest, ret_size, NULL) == 0 &&
           open_own(own, digest, *ret_size, &blob, NULL) == 0;
}
