/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sidecars: ROOT/uploads/<id>.json says whose upload ROOT/uploads/<id> is, for after a restart.
 */
#ifndef SERVE_STORAGE_SIDECAR_H
#define SERVE_STORAGE_SIDECAR_H

#include "serve/storage/sessions.h"

/* Room for the name of a sidecar, with its end. */
#define SERVE_SIDECAR_NAME_MAX (SERVE_SESSION_ID_LEN + sizeof(".json"))

typedef struct serve_sidecar {
    char *repository, *user, *owner; /* never NULL after reading */
    int algorithm;
} serve_sidecar;
void serve_sidecar_clear(serve_sidecar *s);
CORAS_DEFINE_AUTO_VALUE(serve_sidecar, serve_sidecar_clear)

const char *serve_sidecar_name(const char *id, char name[static SERVE_SIDECAR_NAME_MAX]);
CORAS_MUST_CHECK int serve_sidecar_write(int uploads_fd, const serve_session *s, const char *owner,
                                         coras_error **err);
CORAS_MUST_CHECK int serve_sidecar_read(int uploads_fd, const char *id, serve_sidecar *ret,
                                        coras_error **err);
/* Remove the file of this name if it is one whose upload is gone. */
void serve_sidecar_drop_lone(int uploads_fd, const char *name);

#endif
