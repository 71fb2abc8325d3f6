/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the registries at a host are like: the one table of it. A few are known by name; whatever
 * else differs is learnt from an answer, once for all that a client does, by every thread. Nothing
 * here is needed for right results: a fact saves the requests that would find it out again.
 */
#ifndef CORAS_CLIENT_HOST_FACTS_H
#define CORAS_CLIENT_HOST_FACTS_H

#include "coras/client.h"
#include "base/common.h"

/* What a mount of a blob out of the repository itself is answered with. */
enum coras_mount_habit {
    CORAS_MOUNT_UNKNOWN,
    CORAS_MOUNT_TELLS, /* 201 when it is there */
    CORAS_MOUNT_MUTE,  /* whatever: it says nothing */
};

typedef struct coras_host_facts {
    /* How blobs go up. */
    bool one_put;     /* takes content of any size in one PUT, and that is the best way */
    bool no_patch;    /* takes no pieces, or one only */
    bool last_in_put; /* the last piece has to come with the closing PUT */
    bool range_lies;  /* takes pieces, but the Range of its answers is of no use */
    bool no_expect;   /* refuses to be asked before a large body comes */
    enum coras_mount_habit mount;
    int64_t chunk;    /* bytes of one PATCH that suit it */
    int64_t max_body; /* largest request body that it may take; 0: no limit met */
    /* How blobs come down: connections at a time that were worth it; 0: not known. */
    unsigned lanes;
} coras_host_facts;

/* Whether the repository has the referrers API. */
enum coras_referrers_support {
    CORAS_REFERRERS_UNKNOWN,
    CORAS_REFERRERS_SUPPORTED,
    CORAS_REFERRERS_UNSUPPORTED,
};

/* Bodies below this are not worth making smaller: a proxy in front is set up wrongly. */
#define CORAS_BODY_LEAST (512 * 1024)

/* What is known of a host by its name (host[:port] as typed). Pure. */
coras_host_facts coras_host_facts_by_name(const char *host);
/* The same with what was learnt. The flags of `learnt` are added, its max_body counts when it is
 * smaller than what is known. */
void coras_host_facts_join(coras_host_facts *facts, const coras_host_facts *learnt);

/* By name, and with what this client has learnt. */
coras_host_facts coras_client_host_facts(coras_client *client, const char *host);
void coras_client_learn_host(coras_client *client, const char *host,
                             const coras_host_facts *learnt);
enum coras_referrers_support coras_client_referrers_support(coras_client *client, const char *host,
                                                            const char *repository);
void coras_client_learn_referrers(coras_client *client, const char *host, const char *repository,
                                  bool supported);

/* The table of a client; made and freed with it. */
typedef struct coras_host_table coras_host_table;
coras_host_table *coras_host_table_new(void); /* NULL: out of memory */
void coras_host_table_free(coras_host_table *table);

#endif
