/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL of the metadata, and finding or making the row of a repository. The statements are what
 * all kinds of database understand: a conflict names its columns, sums are cast (they may be of
 * another type than what they add), what is true is a comparison, and the time is now_ms(), which
 * is the database's.
 */
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

_Static_assert(SERVE_Q_COUNT <= SERVE_DB_STATEMENTS_MAX,
               "a connection has a slot for each statement");

/* ?1: older than this. */
#define LINK_IS_GARBAGE                                                                            \
    "linked < ?1 AND NOT EXISTS (SELECT 1 FROM reference"                                          \
    " WHERE reference.repository = link.repository AND reference.child IN (link.digest, '*'))"     \
    " AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.digest = link.digest"                          \
    " AND used IS NOT NULL)"
#define BLOB_IS_GARBAGE                                                                            \
    "stored < ?1 AND NOT EXISTS (SELECT 1 FROM link WHERE link.digest = blob.digest)"

const char *const serve_queries[SERVE_Q_COUNT] = {
    [SERVE_Q_ADD_REPOSITORY] = "INSERT INTO repository (name) VALUES (?1) ON CONFLICT DO NOTHING",
    [SERVE_Q_REPOSITORY_ID] = "SELECT id FROM repository WHERE name = ?1",
    [SERVE_Q_ADD_BLOB] = "INSERT INTO blob (digest, size, stored, place) VALUES (?1, ?2, ?3, ?4)"
                         " ON CONFLICT (digest) DO UPDATE SET size = excluded.size,"
                         " stored = excluded.stored, used = NULL, place = excluded.place",
    [SERVE_Q_ADD_CACHED_BLOB] =
        "INSERT INTO blob (digest, size, stored, place, used) VALUES (?1, ?2, ?3, ?4, ?3 * 1000 + "
        "999)"
        " ON CONFLICT (digest) DO UPDATE SET size = excluded.size, stored = excluded.stored,"
        " place = coalesce(excluded.place, blob.place)",
    [SERVE_Q_OWN_BLOB] = "UPDATE blob SET used = NULL WHERE digest = ?1 AND used IS NOT NULL",
    [SERVE_Q_USE_BLOB] = "UPDATE blob SET used = ?2 WHERE digest = ?1 AND used IS NOT NULL",
    [SERVE_Q_CACHED_BYTES] =
        "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM blob WHERE used IS NOT NULL",
    [SERVE_Q_OLDEST_CACHED] =
        "SELECT digest, size, used FROM blob WHERE used > ?1 ORDER BY used LIMIT ?2",
    [SERVE_Q_LAST_USE] = "SELECT coalesce(max(used), 0) FROM blob",
    [SERVE_Q_SHIFT_USES] = "UPDATE blob SET used = used - ?1 WHERE used > ?2",
    [SERVE_Q_FORGET_CACHED] = "DELETE FROM blob WHERE digest = ?1 AND used IS NOT NULL",
    [SERVE_Q_FORGET_LINKS] = "DELETE FROM link WHERE digest = ?1",
    [SERVE_Q_ADD_LINK] = "INSERT INTO link (repository, digest, linked) VALUES (?1, ?2, ?3)"
                         " ON CONFLICT (repository, digest) DO UPDATE SET linked = excluded.linked",
    [SERVE_Q_FIND_LINKED_BLOB] =
        "SELECT size FROM blob WHERE digest = ?2 AND EXISTS (SELECT 1 FROM link JOIN repository"
        " ON id = repository WHERE name = ?1 AND link.digest = ?2)",
    [SERVE_Q_FIND_BLOB] = "SELECT size FROM blob WHERE digest = ?2",
    [SERVE_Q_FIND_ANY_LINK] = "SELECT 1 FROM link WHERE digest = ?1",
    [SERVE_Q_LINK_IS_OLD] = "SELECT linked < ?3 FROM link WHERE digest = ?2"
                            " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [SERVE_Q_RENEW_LINK] = "UPDATE link SET linked = ?3 WHERE digest = ?2"
                           " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [SERVE_Q_DELETE_LINK] = "DELETE FROM link WHERE digest = ?2"
                            " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [SERVE_Q_HAS_LINK] = "SELECT 1 FROM link WHERE repository = ?1 AND digest = ?2",
    [SERVE_Q_MANIFEST_SIZE] = "SELECT size FROM manifest WHERE repository = ?1 AND digest = ?2",
    [SERVE_Q_PUT_MANIFEST] =
        "INSERT INTO manifest (repository, digest, media_type, size, subject, artifact_type,"
        " descriptor, stored, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type, size = "
        "excluded.size,"
        " content = excluded.content, subject = coalesce(excluded.subject, manifest.subject),"
        " artifact_type = coalesce(excluded.artifact_type, manifest.artifact_type),"
        " descriptor = coalesce(excluded.descriptor, manifest.descriptor),"
        " stored = excluded.stored",
    [SERVE_Q_ADD_REFERENCE] =
        "INSERT INTO reference (repository, child, parent) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO NOTHING",
    [SERVE_Q_PUT_TAG] =
        "INSERT INTO tag (repository, name, digest, moved, cached) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest, moved = "
        "excluded.moved,"
        " cached = excluded.cached WHERE tag.cached >= excluded.cached",
    [SERVE_Q_MANIFEST_BY_TAG] =
        "SELECT manifest.digest, media_type, size, CASE WHEN ?3 <> 0 THEN content END, tag.cached "
        "FROM tag"
        " JOIN repository ON repository.id = tag.repository"
        " JOIN manifest ON manifest.repository = tag.repository AND manifest.digest = tag.digest"
        " WHERE repository.name = ?1 AND tag.name = ?2",
    [SERVE_Q_MANIFEST_BY_DIGEST] = "SELECT manifest.digest, media_type, size, CASE WHEN ?3 <> 0 "
                                   "THEN content END, 0 FROM manifest"
                                   " JOIN repository ON repository.id = manifest.repository"
                                   " WHERE repository.name = ?1 AND manifest.digest = ?2",
    [SERVE_Q_DELETE_MANIFEST] = "DELETE FROM manifest WHERE repository = ?1 AND digest = ?2",
    [SERVE_Q_DELETE_TAGS_OF] = "DELETE FROM tag WHERE repository = ?1 AND digest = ?2",
    [SERVE_Q_DELETE_REFERENCES_OF] = "DELETE FROM reference WHERE repository = ?1 AND parent = ?2",
    [SERVE_Q_DELETE_TAG] = "DELETE FROM tag WHERE name = ?2"
                           " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [SERVE_Q_DELETE_CACHED_TAG] = "DELETE FROM tag WHERE name = ?2 AND cached <> 0"
                                  " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [SERVE_Q_TAGS] = "SELECT tag.name FROM tag JOIN repository ON repository.id = tag.repository"
                     " WHERE repository.name = ?1 AND tag.name > ?2 ORDER BY tag.name LIMIT ?3",
    [SERVE_Q_PUSHED_TAGS] =
        "SELECT tag.name FROM tag JOIN repository ON repository.id = tag.repository"
        " WHERE repository.name = ?1 AND tag.name > ?2 AND cached = 0 ORDER BY tag.name LIMIT ?3",
    [SERVE_Q_REPOSITORIES] =
        "SELECT name FROM repository WHERE name > ?2 AND EXISTS (SELECT 1 FROM manifest"
        " WHERE manifest.repository = repository.id) ORDER BY name LIMIT ?3",
    [SERVE_Q_REFERRERS] =
        "SELECT descriptor, digest FROM manifest WHERE subject = ?2 AND digest > ?3"
        " AND repository = (SELECT id FROM repository WHERE name = ?1)"
        " AND (?4 IS NULL OR artifact_type = ?4) ORDER BY digest LIMIT ?5",
    [SERVE_Q_ANY_REFERRER] =
        "SELECT 1 FROM manifest WHERE subject IS NOT NULL"
        " AND repository = (SELECT id FROM repository WHERE name = ?1) LIMIT 1",
    [SERVE_Q_COUNT_ALL] = "SELECT (SELECT count(*) FROM repository),"
                          " (SELECT count(*) FROM manifest), (SELECT count(*) FROM tag),"
                          " count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM blob",
    [SERVE_Q_BLOBS] = "SELECT digest, size FROM blob WHERE digest > ?1 ORDER BY digest LIMIT ?2",
    [SERVE_Q_HOLDERS] = "SELECT name FROM repository JOIN link ON id = repository"
                        " WHERE link.digest = ?1 ORDER BY name LIMIT ?2",
    [SERVE_Q_ALL_MANIFESTS] =
        "SELECT manifest.id, name, digest, content FROM manifest JOIN repository"
        " ON repository.id = repository WHERE manifest.id > ?1 ORDER BY manifest.id LIMIT 1",
    [SERVE_Q_COUNT_UNLINKED] =
        "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM blob WHERE " BLOB_IS_GARBAGE,
    [SERVE_Q_COLLECT_LINKS] = "DELETE FROM link WHERE " LINK_IS_GARBAGE,
    [SERVE_Q_COLLECT_LINKS_OF] = "DELETE FROM link WHERE digest = ?2 AND " LINK_IS_GARBAGE,
    [SERVE_Q_GARBAGE] = "SELECT digest FROM link WHERE " LINK_IS_GARBAGE
                        " UNION ALL SELECT digest FROM blob WHERE " BLOB_IS_GARBAGE " LIMIT ?2",
    [SERVE_Q_UNLINKED_SIZE] = "SELECT size FROM blob WHERE digest = ?2 AND " BLOB_IS_GARBAGE,
    [SERVE_Q_DELETE_BLOB] = "DELETE FROM blob WHERE digest = ?1",
    [SERVE_Q_FIND_PLACE] = "SELECT place FROM blob WHERE digest = ?1",
    [SERVE_Q_ANY_PLACE] = "SELECT 1 FROM blob WHERE place IS NOT NULL LIMIT 1",
    [SERVE_Q_LEAVE_PLACE] =
        "INSERT INTO leftover (place, since) SELECT place, ?3 FROM blob WHERE digest = ?1"
        " AND place IS NOT NULL AND place <> ?2 ON CONFLICT DO NOTHING",
    [SERVE_Q_LEFTOVERS] = "SELECT place FROM leftover WHERE since <= ?1 LIMIT ?2",
    [SERVE_Q_FORGET_LEFTOVER] = "DELETE FROM leftover WHERE place = ?1",
    [SERVE_Q_KNOWS_PLACE] = "SELECT 1 FROM blob WHERE place = ?1"
                            " UNION ALL SELECT 1 FROM upload WHERE place = ?1",
    [SERVE_Q_BEGIN_UPLOAD] =
        "INSERT INTO upload (id, repository, account, owner, place, algorithm, size, parts,"
        " touched, holder, held_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8,"
        " now_ms() + ?9)",
    [SERVE_Q_FIND_UPLOAD] = "SELECT id, repository, account, owner, place, upload, algorithm, size,"
                            " parts FROM upload WHERE id = ?1",
    [SERVE_Q_UPLOAD_BYTES] = "SELECT state, tail FROM upload WHERE id = ?1",
    [SERVE_Q_HOLD_UPLOAD] = "UPDATE upload SET holder = ?2, held_until = now_ms() + ?3"
                            " WHERE id = ?1 AND held_until <= now_ms()",
    [SERVE_Q_EXTEND_UPLOAD] = "UPDATE upload SET held_until = now_ms() + ?3"
                              " WHERE id = ?1 AND holder = ?2",
    [SERVE_Q_NAME_UPLOAD] = "UPDATE upload SET upload = ?3 WHERE id = ?1 AND holder = ?2",
    [SERVE_Q_SAVE_UPLOAD] =
        "UPDATE upload SET held_until = now_ms() + ?3, upload = ?4, size = ?5, parts = ?6,"
        " state = ?7, tail = ?8, touched = ?9 WHERE id = ?1 AND holder = ?2",
    [SERVE_Q_ADD_UPLOAD_PART] = "INSERT INTO upload_part (upload, number, tag) VALUES (?1, ?2, ?3)",
    [SERVE_Q_UPLOAD_PARTS] = "SELECT tag FROM upload_part WHERE upload = ?1 ORDER BY number",
    [SERVE_Q_END_UPLOAD] = "DELETE FROM upload WHERE id = ?1 AND holder = ?2",
    [SERVE_Q_DROP_UPLOAD] = "DELETE FROM upload WHERE id = ?1",
    [SERVE_Q_DROP_UPLOAD_PARTS] = "DELETE FROM upload_part WHERE upload = ?1",
    [SERVE_Q_IDLE_UPLOAD] = "SELECT id, repository, account, owner, place, upload, algorithm, size,"
                            " parts FROM upload WHERE held_until <= now_ms() AND touched < ?1"
                            " LIMIT 1",
    [SERVE_Q_CROWDING_UPLOAD] =
        "SELECT id, repository, account, owner, place, upload, algorithm, size, parts FROM upload"
        " WHERE held_until <= now_ms() AND touched < ?1 ORDER BY (SELECT count(*)"
        " FROM upload AS other WHERE other.owner = upload.owner) DESC, touched LIMIT 1",
    [SERVE_Q_COUNT_UPLOADS] = "SELECT count(*) FROM upload",
    [SERVE_Q_FREE_UPLOADS] = "UPDATE upload SET held_until = 0 WHERE held_until > 0",
    [SERVE_Q_NOTE_FINISHED] =
        "INSERT INTO finished (id, repository, digest, at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT DO NOTHING",
    [SERVE_Q_WAS_FINISHED] = "SELECT 1 FROM finished WHERE id = ?1 AND repository = ?2"
                             " AND digest = ?3 AND at >= ?4",
    [SERVE_Q_FORGET_FINISHED] = "DELETE FROM finished WHERE at < ?1",
    [SERVE_Q_TAKE_LEASE] =
        "INSERT INTO lease (name, holder, held_until) VALUES (?1, ?2, now_ms() + ?3)"
        " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = "
        "excluded.held_until WHERE lease.holder = excluded.holder OR lease.held_until < now_ms()",
    [SERVE_Q_GIVE_LEASE] = "DELETE FROM lease WHERE name = ?1 AND holder = ?2",
    [SERVE_Q_CLAIM_FACT] = "INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    [SERVE_Q_FACT] = "SELECT value FROM fact WHERE name = ?1",
    [SERVE_Q_FORGET_LEASES] = "DELETE FROM lease WHERE held_until < now_ms()",
};

/* ---- steps shared by the writes ---- */

int serve_metadata_repository_id(serve_db_connection *c, const char *name, int64_t *ret,
                                 coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_REPOSITORY_ID, &find, err));
    serve_db_bind_text(find, 1, name);
    rc = serve_db_step(find, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "repository %s not found", name);
    *ret = serve_db_int(find, 0);
    return 0;
}

int serve_metadata_make_repository(serve_db_connection *c, const char *name, int64_t *ret,
                                   coras_error **err)
{
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_ADD_REPOSITORY, &add, err));
    serve_db_bind_text(add, 1, name);
    CORAS_TRY(serve_db_run(add, err));
    return serve_metadata_repository_id(c, name, ret, err);
}
