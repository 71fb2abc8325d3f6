/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upload sessions as rows: what a process needs to go on with a session that another one began.
 * Whoever works on one holds it under a name of its own, for a time that it extends; a holder that
 * died lets go when the time is over. What is changed by a holder that lost it meanwhile is
 * refused.
 *
 * Threads and errors: as metadata.h.
 */
#ifndef SERVE_STORAGE_METADATA_SESSIONS_H
#define SERVE_STORAGE_METADATA_SESSIONS_H

#include "serve/storage/metadata.h"

struct serve_upload_row {
    char *id;         /* of the session */
    char *repository; /* const, as the next three */
    char *account;    /* the user; "" for nobody in particular */
    char *owner;      /* who shares the room with it */
    int algorithm;    /* of the hash whose state is kept */
    char *place;      /* where the content will lie */
    char *upload;     /* what the store calls its parts; NULL: none was sent */
    int64_t size;     /* bytes that were received */
    int64_t parts;    /* that were sent */
    coras_buf state;  /* of the hash over all of it */
    coras_buf tail;   /* what came after the last part */
};
#define SERVE_UPLOAD_ROW_INIT                                                                      \
    {                                                                                              \
        .state = CORAS_BUF_UNLIMITED, .tail = CORAS_BUF_UNLIMITED                                  \
    }
void serve_upload_row_clear(struct serve_upload_row *row);
typedef struct serve_upload_row serve_upload_row;
CORAS_DEFINE_AUTO_VALUE(serve_upload_row, serve_upload_row_clear)

/* Who holds it, and for how long. That is counted by the clock of the database, which all processes
 * share. */
struct serve_upload_hold {
    const char *holder;
    int64_t now_s; /* wall clock: when it was touched */
    int64_t for_ms;
};

/* A new one, held. */
CORAS_MUST_CHECK int serve_metadata_begin_upload(serve_metadata *m, const serve_upload_row *row,
                                                 const struct serve_upload_hold *hold,
                                                 coras_error **err);
/* Take it: all of the row. NOT_FOUND; EXISTS: another holder has it, and row->size is how far it
 * has come. */
CORAS_MUST_CHECK int serve_metadata_take_upload(serve_metadata *m, const char *id,
                                                const struct serve_upload_hold *hold,
                                                serve_upload_row *ret, coras_error **err);
/* How far it has come and whose it is, whoever holds it; state and tail are left out. NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_look_upload(serve_metadata *m, const char *id,
                                                serve_upload_row *ret, coras_error **err);

/* The next five: CHANGED when it is not the holder's any more. */
CORAS_MUST_CHECK int serve_metadata_extend_upload(serve_metadata *m, const char *id,
                                                  const struct serve_upload_hold *hold,
                                                  coras_error **err);
/* The store has given it the name row->upload. */
CORAS_MUST_CHECK int serve_metadata_name_upload(serve_metadata *m, const serve_upload_row *row,
                                                const struct serve_upload_hold *hold,
                                                coras_error **err);
/* One part more: number row->parts, with its tag; size and state are the row's, and the tail is
 * empty. */
CORAS_MUST_CHECK int serve_metadata_save_part(serve_metadata *m, const serve_upload_row *row,
                                              const char *tag, const struct serve_upload_hold *hold,
                                              coras_error **err);
/* Let go of it with all of the row. */
CORAS_MUST_CHECK int serve_metadata_give_upload(serve_metadata *m, const serve_upload_row *row,
                                                const struct serve_upload_hold *hold,
                                                coras_error **err);
/* It became the blob `digest` of row->size bytes, which is linked to its repository in the same
 * step, and remembered for a while. */
CORAS_MUST_CHECK int serve_metadata_finish_upload(serve_metadata *m, const serve_upload_row *row,
                                                  const coras_digest *digest,
                                                  const struct serve_upload_hold *hold,
                                                  coras_error **err);
/* Remove it, whoever holds it; absent is success. */
CORAS_MUST_CHECK int serve_metadata_drop_upload(serve_metadata *m, const char *id,
                                                coras_error **err);

/* The tags of its parts, in order. */
CORAS_MUST_CHECK int serve_metadata_upload_parts(serve_metadata *m, const char *id,
                                                 coras_strlist *ret, coras_error **err);
/* Whether it became this blob of this repository after `after_s`. NOT_FOUND: it did not. */
CORAS_MUST_CHECK int serve_metadata_was_finished(serve_metadata *m, const char *id,
                                                 const char *repository, const coras_digest *digest,
                                                 int64_t after_s, coras_error **err);
CORAS_MUST_CHECK int serve_metadata_count_uploads(serve_metadata *m, int64_t *ret,
                                                  coras_error **err);
/* Take one that may go: nobody held it, and it was not touched since `before_s`; with `crowded`
 * rather one of whoever has the most. NOT_FOUND: there is none. EXISTS: its client was quicker. */
CORAS_MUST_CHECK int serve_metadata_take_idle_upload(serve_metadata *m, int64_t before_s,
                                                     bool crowded,
                                                     const struct serve_upload_hold *hold,
                                                     serve_upload_row *ret, coras_error **err);
/* Forget what was finished before `before_s`. */
CORAS_MUST_CHECK int serve_metadata_forget_finished(serve_metadata *m, int64_t before_s,
                                                    coras_error **err);
/* Nobody holds any: every other holder is dead. */
CORAS_MUST_CHECK int serve_metadata_free_uploads(serve_metadata *m, coras_error **err);

#endif
