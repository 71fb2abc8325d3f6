/* SPDX-License-Identifier: Apache-2.0 */
/* What is true of the registry as a whole: by name, as it was said first. */
#include "base/alloc.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

struct fact {
    const char *name, *proposal;
    char **ret;
};

static int propose(serve_db_connection *c, const struct fact *fact, coras_error **err)
{
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_CLAIM_FACT, &add, err));
    serve_db_bind_text(add, 1, fact->name);
    serve_db_bind_text(add, 2, fact->proposal);
    return serve_db_run(add, err);
}

static int find_fact(serve_db_connection *c, void *user, coras_error **err)
{
    const struct fact *fact = user;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(propose(c, fact, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_FACT, &find, err));
    serve_db_bind_text(find, 1, fact->name);
    rc = serve_db_step(find, err);
    if (rc < 0)
        return rc;
    free(*fact->ret); /* of a run that was taken back */
    *fact->ret = coras_strdup(rc > 0 ? serve_db_text(find, 0) : fact->proposal);
    return *fact->ret ? 0 : coras_fail_no_memory(err);
}

int serve_metadata_fact(serve_metadata *m, const char *name, const char *proposal, char **ret,
                        coras_error **err)
{
    coras_auto_free char *value = NULL;
    struct fact fact = {name, proposal, &value};

    CORAS_TRY(serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, find_fact, &fact, err));
    *ret = coras_steal(&value);
    return 0;
}
