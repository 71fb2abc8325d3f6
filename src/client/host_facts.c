/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of host_facts.h: known names, and a map of what was learnt behind a lock.
 */
#include "client/host_facts.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/str.h"
#include "client/client_impl.h"

enum {
    CHUNK_USUAL = 64 * CORAS_MIB,   /* what a broken connection may cost */
    CHUNK_AZURE = 16 * CORAS_MIB,   /* of which one PUT may not have more than some 20 MB */
    CHUNK_S3_PART = 10 * CORAS_MIB, /* the parts that ECR makes have 5 MiB at least */
    CHUNK_GHCR = 4000000,           /* what it takes in one PATCH, with a margin */
};

/* Where the usual way is known to fail. First match counts. */
static const struct known_host {
    const char *host;   /* the whole, or */
    const char *suffix; /* its end */
    coras_host_facts facts;
} known_hosts[] = {
    {.host = "ghcr.io", .facts = {.one_put = true, .chunk = CHUNK_GHCR}},
    {.suffix = ".pkg.dev", .facts = {.one_put = true, .no_patch = true}},
    {.host = "gcr.io", .facts = {.one_put = true, .no_patch = true}},
    {.suffix = ".gcr.io", .facts = {.one_put = true, .no_patch = true}},
    {.host = "public.ecr.aws",
     .facts = {.one_put = true, .last_in_put = true, .range_lies = true, .chunk = CHUNK_S3_PART}},
    {.suffix = ".amazonaws.com",
     .facts = {.one_put = true, .last_in_put = true, .range_lies = true, .chunk = CHUNK_S3_PART}},
    {.suffix = ".amazonaws.com.cn",
     .facts = {.one_put = true, .last_in_put = true, .range_lies = true, .chunk = CHUNK_S3_PART}},
    {.suffix = ".azurecr.io", .facts = {.chunk = CHUNK_AZURE}},
    {.suffix = "", .facts = {.chunk = CHUNK_USUAL}},
};

coras_host_facts coras_host_facts_by_name(const char *host)
{
    const struct known_host *k = known_hosts;

    while (k->host ? !coras_streq(host, k->host) : !coras_str_ends(host, k->suffix))
        k++;
    return k->facts;
}

void coras_host_facts_join(coras_host_facts *facts, const coras_host_facts *learnt)
{
    facts->one_put |= learnt->one_put;
    facts->no_patch |= learnt->no_patch;
    facts->last_in_put |= learnt->last_in_put;
    facts->range_lies |= learnt->range_lies;
    facts->no_expect |= learnt->no_expect;
    if (learnt->mount)
        facts->mount = learnt->mount;
    if (learnt->chunk)
        facts->chunk = learnt->chunk;
    if (learnt->lanes)
        facts->lanes = learnt->lanes;
    if (learnt->max_body && (!facts->max_body || learnt->max_body < facts->max_body))
        facts->max_body = learnt->max_body;
}

/* ---- what a client has learnt ---- */

struct coras_host_table {
    pthread_mutex_t lock;
    coras_map *hosts;     /* lock; host -> coras_host_facts */
    coras_map *referrers; /* lock; "host/repository" -> enum coras_referrers_support * */
};

coras_host_table *coras_host_table_new(void)
{
    coras_host_table *t = coras_new(coras_host_table);

    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    t->hosts = coras_map_new(free);
    t->referrers = coras_map_new(free);
    if (t->hosts && t->referrers)
        return t;
    coras_host_table_free(t);
    return NULL;
}

void coras_host_table_free(coras_host_table *t)
{
    if (!t)
        return;
    coras_map_free(t->hosts);
    coras_map_free(t->referrers);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

coras_host_facts coras_client_host_facts(coras_client *client, const char *host)
{
    coras_host_table *t = client->hosts;
    coras_host_facts facts = coras_host_facts_by_name(host);

    pthread_mutex_lock(&t->lock);
    const coras_host_facts *learnt = coras_map_get(t->hosts, host);
    if (learnt)
        coras_host_facts_join(&facts, learnt);
    pthread_mutex_unlock(&t->lock);
    return facts;
}

/* lock held: the entry of a key, made when there is none; NULL without memory, and then a fact is
 * forgotten */
static void *entry_of(coras_map *map, const char *key, size_t size)
{
    void *entry = coras_map_get(map, key);

    if (entry)
        return entry;
    if (coras_map_len(map) >= CORAS_LIMIT_REMEMBERED)
        coras_map_drop(map, NULL); /* it is learnt again by whoever goes on asking */
    entry = coras_calloc(1, size);
    if (entry && coras_map_set(map, key, entry, NULL) < 0) {
        free(entry);
        return NULL;
    }
    return entry;
}

void coras_client_learn_host(coras_client *client, const char *host, const coras_host_facts *learnt)
{
    coras_host_table *t = client->hosts;

    pthread_mutex_lock(&t->lock);
    coras_host_facts *facts = entry_of(t->hosts, host, sizeof(*facts));
    if (facts)
        coras_host_facts_join(facts, learnt);
    pthread_mutex_unlock(&t->lock);
}

enum coras_referrers_support coras_client_referrers_support(coras_client *client, const char *host,
                                                            const char *repository)
{
    coras_host_table *t = client->hosts;
    coras_auto_free char *key = coras_asprintf("%s/%s", host, repository);

    if (!key)
        return CORAS_REFERRERS_UNKNOWN;
    pthread_mutex_lock(&t->lock);
    const enum coras_referrers_support *known = coras_map_get(t->referrers, key);
    enum coras_referrers_support support = known ? *known : CORAS_REFERRERS_UNKNOWN;
    pthread_mutex_unlock(&t->lock);
    return support;
}

void coras_client_learn_referrers(coras_client *client, const char *host, const char *repository,
                                  bool supported)
{
    coras_host_table *t = client->hosts;
    coras_auto_free char *key = coras_asprintf("%s/%s", host, repository);

    if (!key)
        return;
    pthread_mutex_lock(&t->lock);
    enum coras_referrers_support *support = entry_of(t->referrers, key, sizeof(*support));
    if (support)
        *support = supported ? CORAS_REFERRERS_SUPPORTED : CORAS_REFERRERS_UNSUPPORTED;
    pthread_mutex_unlock(&t->lock);
}
