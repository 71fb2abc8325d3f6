/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same for every kind of database: operations on it are counted. */
#include "serve/storage/database.h"

#include "base/clock.h"

#define READ  SERVE_LABELS(.operation = SERVE_OPERATION_READ)
#define WRITE SERVE_LABELS(.operation = SERVE_OPERATION_WRITE)

int serve_db_reader(serve_db *db, serve_db_connection **ret, coras_error **err)
{
    int64_t began_ms = coras_now_ms();
    int rc = db->kind->reader(db, ret, err);

    if (rc < 0)
        serve_metrics_add(db->metrics, SERVE_METRIC_DATABASE_FAILURES, READ, 1);
    else
        (*ret)->taken_ms = began_ms;
    return rc;
}

void serve_db_release(serve_db_connection *c)
{
    serve_metrics_took(c->db->metrics, SERVE_METRIC_DATABASE_SECONDS, READ,
                       coras_now_ms() - c->taken_ms);
    c->taken_ms = 0;
    c->db->kind->release(c);
}

/* What was looked for and not found is no failure of the database. */
static bool is_its_own(int rc)
{
    return rc == CORAS_ERR_TIMEOUT || rc == CORAS_ERR_IO || rc == CORAS_ERR_NO_SPACE;
}

int serve_db_write(serve_db *db, enum serve_db_company company, serve_db_work *work, void *user,
                   coras_error **err)
{
    int64_t began_ms = coras_now_ms();
    int rc = db->kind->write(db, company, work, user, err);

    serve_metrics_took(db->metrics, SERVE_METRIC_DATABASE_SECONDS, WRITE,
                       coras_now_ms() - began_ms);
    if (is_its_own(rc))
        serve_metrics_add(db->metrics, SERVE_METRIC_DATABASE_FAILURES, WRITE, 1);
    return rc;
}

int serve_db_step(serve_statement *s, coras_error **err)
{
    const serve_db_connection *c = s->connection;
    int rc = c->db->kind->step(s, err);

    if (rc < 0 && c->taken_ms > 0)
        serve_metrics_add(c->db->metrics, SERVE_METRIC_DATABASE_FAILURES, READ, 1);
    return rc;
}
