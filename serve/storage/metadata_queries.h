/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL of the metadata, each statement under a number, and the steps that several of
 * metadata_*.c take. Inside the metadata only.
 */
#ifndef SERVE_STORAGE_METADATA_QUERIES_H
#define SERVE_STORAGE_METADATA_QUERIES_H

#include "serve/api/routes.h"
#include "serve/storage/metadata.h"
#include "serve/storage/database.h"

struct serve_metadata {
    serve_db *db;
    char
        holder[SERVE_SESSION_ID_LEN + 1]; /* of leases: this process, by a name that nobody else has
                                           */
};

enum serve_query_id {
    SERVE_Q_ADD_REPOSITORY,
    SERVE_Q_REPOSITORY_ID,
    SERVE_Q_ADD_BLOB,
    SERVE_Q_ADD_CACHED_BLOB,
    SERVE_Q_OWN_BLOB,
    SERVE_Q_USE_BLOB,
    SERVE_Q_CACHED_BYTES,
    SERVE_Q_OLDEST_CACHED,
    SERVE_Q_LAST_USE,
    SERVE_Q_SHIFT_USES,
    SERVE_Q_FORGET_CACHED,
    SERVE_Q_FORGET_LINKS,
    SERVE_Q_ADD_LINK,
    SERVE_Q_FIND_LINKED_BLOB,
    SERVE_Q_FIND_BLOB,
    SERVE_Q_FIND_ANY_LINK,
    SERVE_Q_LINK_IS_OLD,
    SERVE_Q_RENEW_LINK,
    SERVE_Q_DELETE_LINK,
    SERVE_Q_HAS_LINK,
    SERVE_Q_MANIFEST_SIZE,
    SERVE_Q_PUT_MANIFEST,
    SERVE_Q_ADD_REFERENCE,
    SERVE_Q_PUT_TAG,
    SERVE_Q_MANIFEST_BY_TAG,
    SERVE_Q_MANIFEST_BY_DIGEST,
    SERVE_Q_DELETE_MANIFEST,
    SERVE_Q_DELETE_TAGS_OF,
    SERVE_Q_DELETE_REFERENCES_OF,
    SERVE_Q_DELETE_TAG,
    SERVE_Q_DELETE_CACHED_TAG,
    SERVE_Q_TAGS,
    SERVE_Q_PUSHED_TAGS,
    SERVE_Q_REPOSITORIES,
    SERVE_Q_REFERRERS,
    SERVE_Q_ANY_REFERRER,
    SERVE_Q_COUNT_ALL,
    SERVE_Q_BLOBS,
    SERVE_Q_HOLDERS,
    SERVE_Q_ALL_MANIFESTS,
    SERVE_Q_COUNT_UNLINKED,
    SERVE_Q_COLLECT_LINKS,
    SERVE_Q_COLLECT_LINKS_OF,
    SERVE_Q_GARBAGE,
    SERVE_Q_UNLINKED_SIZE,
    SERVE_Q_DELETE_BLOB,
    SERVE_Q_FIND_PLACE,
    SERVE_Q_ANY_PLACE,
    SERVE_Q_LEAVE_PLACE,
    SERVE_Q_LEFTOVERS,
    SERVE_Q_FORGET_LEFTOVER,
    SERVE_Q_KNOWS_PLACE,
    SERVE_Q_BEGIN_UPLOAD,
    SERVE_Q_FIND_UPLOAD,
    SERVE_Q_UPLOAD_BYTES,
    SERVE_Q_HOLD_UPLOAD,
    SERVE_Q_EXTEND_UPLOAD,
    SERVE_Q_NAME_UPLOAD,
    SERVE_Q_SAVE_UPLOAD,
    SERVE_Q_ADD_UPLOAD_PART,
    SERVE_Q_UPLOAD_PARTS,
    SERVE_Q_END_UPLOAD,
    SERVE_Q_DROP_UPLOAD,
    SERVE_Q_DROP_UPLOAD_PARTS,
    SERVE_Q_IDLE_UPLOAD,
    SERVE_Q_CROWDING_UPLOAD,
    SERVE_Q_COUNT_UPLOADS,
    SERVE_Q_FREE_UPLOADS,
    SERVE_Q_NOTE_FINISHED,
    SERVE_Q_WAS_FINISHED,
    SERVE_Q_FORGET_FINISHED,
    SERVE_Q_TAKE_LEASE,
    SERVE_Q_GIVE_LEASE,
    SERVE_Q_FORGET_LEASES,
    SERVE_Q_CLAIM_FACT,
    SERVE_Q_FACT,
    SERVE_Q_COUNT
};

extern const char *const serve_queries[SERVE_Q_COUNT];
extern const char *const serve_schema[];
extern const int serve_schema_version;

/* NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_repository_id(serve_db_connection *c, const char *name,
                                                  int64_t *ret, coras_error **err);
/* The same; it comes to be when it is not there. */
CORAS_MUST_CHECK int serve_metadata_make_repository(serve_db_connection *c, const char *name,
                                                    int64_t *ret, coras_error **err);

/* serve_metadata_link_blob() as a part of another step. */
CORAS_MUST_CHECK int serve_metadata_add_blob(serve_db_connection *c, const char *repository,
                                             const coras_digest *digest, int64_t size,
                                             const char *place, coras_error **err);

/* The row of `digest` goes, or gets another place: what lies at the old one is left over. */
CORAS_MUST_CHECK int serve_metadata_leave_place(serve_db_connection *c, const char *digest,
                                                const char *new_place, coras_error **err);

#endif
