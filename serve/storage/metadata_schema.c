/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the metadata, as every kind of database makes them: in the words of SQLite, of
 * which a kind that has others for types (INTEGER, TEXT, BLOB, WITHOUT ROWID) puts its own in their
 * place. Text is compared byte by byte.
 */
#include "serve/storage/metadata_queries.h"

/* What each version adds to the one before. A database is brought up to the last one when it is
 * opened for writing. */
const char *const serve_schema[] = {
    /* 1 */
    "CREATE TABLE repository (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE blob (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, stored INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE link (repository INTEGER NOT NULL, digest TEXT NOT NULL, linked INTEGER NOT NULL,"
    " PRIMARY KEY (repository, digest)) WITHOUT ROWID;"
    "CREATE INDEX link_by_digest ON link (digest);"
    /* content stands last: the columns before it are read without touching its pages */
    "CREATE TABLE manifest (id INTEGER PRIMARY KEY, repository INTEGER NOT NULL,"
    " digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, subject TEXT,"
    " artifact_type TEXT, descriptor TEXT, stored INTEGER NOT NULL, content BLOB NOT NULL,"
    " UNIQUE (repository, digest));"
    "CREATE INDEX manifest_by_subject ON manifest (repository, subject, digest)"
    " WHERE subject IS NOT NULL;"
    "CREATE TABLE reference (repository INTEGER NOT NULL, child TEXT NOT NULL,"
    " parent TEXT NOT NULL, PRIMARY KEY (repository, child, parent)) WITHOUT ROWID;"
    "CREATE INDEX reference_by_parent ON reference (repository, parent);"
    "CREATE TABLE tag (repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,"
    " moved INTEGER NOT NULL, PRIMARY KEY (repository, name)) WITHOUT ROWID;"
    "CREATE INDEX tag_by_digest ON tag (repository, digest);",
    /* 2: a tag that an upstream has told, and may tell anew */
    "ALTER TABLE tag ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;",
    /* 3: a blob that an upstream has: when it was read last (milliseconds); NULL: it was pushed */
    ("ALTER TABLE blob ADD COLUMN used INTEGER;"
     "CREATE INDEX blob_by_use ON blob (used, size) WHERE used IS NOT NULL;"),
    /* 4: blobs in a store elsewhere (metadata_places.c), and uploads that any process goes on with
     * (metadata_sessions.c) */
    ("ALTER TABLE blob ADD COLUMN place TEXT;"
     "CREATE INDEX blob_by_place ON blob (place) WHERE place IS NOT NULL;"
     "CREATE TABLE leftover (place TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE upload (id TEXT PRIMARY KEY, repository TEXT NOT NULL, account TEXT NOT NULL,"
     " owner TEXT NOT NULL, place TEXT NOT NULL, upload TEXT, algorithm INTEGER NOT NULL,"
     " size INTEGER NOT NULL, parts INTEGER NOT NULL, touched INTEGER NOT NULL,"
     " holder TEXT NOT NULL, held_until INTEGER NOT NULL, state BLOB, tail BLOB);"
     "CREATE INDEX upload_by_place ON upload (place);"
     "CREATE INDEX upload_by_owner ON upload (owner);"
     "CREATE TABLE upload_part (upload TEXT NOT NULL, number INTEGER NOT NULL, tag TEXT NOT NULL,"
     " PRIMARY KEY (upload, number)) WITHOUT ROWID;"
     "CREATE TABLE finished (id TEXT PRIMARY KEY, repository TEXT NOT NULL, digest TEXT NOT NULL,"
     " at INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE INDEX finished_by_time ON finished (at);"),
    /* 5: what one of several processes does alone (metadata_leases.h), until when (milliseconds);
     * what is true of the registry as a whole */
    ("CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, held_until INTEGER NOT NULL)"
     " WITHOUT ROWID;"
     "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"),
};
const int serve_schema_version = CORAS_ARRAY_LEN(serve_schema);
