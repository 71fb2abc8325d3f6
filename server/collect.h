/*
 * Collection: removing blobs that nothing needs any more.
 */
#ifndef CORAS_SERVER_COLLECT_H
#define CORAS_SERVER_COLLECT_H

#include "exchange.h"

/* A blob whose manifest did not come within a day is nobody's. */
#define CORAS_COLLECT_GRACE_S (24 * 3600)

/*
 * Remove some; true when there may be more. A blob goes when no manifest of any repository names it
 * and it was stored or linked more than `grace_s` ago: what is being pushed has its blobs first and
 * its manifest last.
 */
bool coras_collect(struct coras_registry *registry, int64_t grace_s);

#endif
