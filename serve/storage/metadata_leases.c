/* SPDX-License-Identifier: Apache-2.0 */
/* Leases as rows. */
#include "serve/storage/metadata_leases.h"

#include "base/error.h"
#include "serve/storage/metadata_queries.h"

struct lease {
    const char *name, *holder;
    int64_t for_ms;
};

static int take_lease(serve_db_connection *c, void *user, coras_error **err)
{
    const struct lease *lease = user;
    coras_auto(serve_statement) take = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_TAKE_LEASE, &take, err));
    serve_db_bind_text(take, 1, lease->name);
    serve_db_bind_text(take, 2, lease->holder);
    serve_db_bind_int(take, 3, lease->for_ms);
    CORAS_TRY(serve_db_run(take, err));
    if (serve_db_changes(take) == 0)
        return coras_fail(err, CORAS_ERR_EXISTS, "another process has the lease of %s",
                          lease->name);
    return 0;
}

int serve_metadata_take_lease(serve_metadata *m, const char *name, int64_t for_ms,
                              coras_error **err)
{
    struct lease lease = {name, m->holder, for_ms};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, take_lease, &lease, err);
}

static int give_lease(serve_db_connection *c, void *user, coras_error **err)
{
    const struct lease *lease = user;
    coras_auto(serve_statement) give = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_GIVE_LEASE, &give, err));
    serve_db_bind_text(give, 1, lease->name);
    serve_db_bind_text(give, 2, lease->holder);
    return serve_db_run(give, err);
}

int serve_metadata_give_lease(serve_metadata *m, const char *name, coras_error **err)
{
    struct lease lease = {.name = name, .holder = m->holder};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, give_lease, &lease, err);
}

bool serve_metadata_is_shared(const serve_metadata *m)
{
    return m->db->kind->is_shared;
}
