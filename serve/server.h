/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: the embedded registry behind `coras serve`: the OCI distribution API on one directory.
 *
 * How a request runs: http/front.c (HTTP) -> api/routes.c (what is asked) -> access/access.c (who
 * may) -> one of api/{uploads,blobs,manifests,lists}.c, which work on storage/blob_store.c (files),
 * storage/sessions.c (unfinished uploads) and storage/metadata.h (the database).
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "serve/options.h"

/*
 * Serve until SIGTERM or SIGINT arrives, then finish what runs and return. A second signal ends the
 * grace. SIGHUP reads passwords, rules and certificates again. All stay blocked in this process:
 * whoever comes between a request and the end of the process must not change how it ends.
 *
 * CONFIG: password file, or a root that is damaged or in use; IO: address not available, files.
 */
CORAS_MUST_CHECK int serve_until_signal(const struct serve_options *options, coras_error **err);

#endif
