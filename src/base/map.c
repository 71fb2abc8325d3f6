/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table with text keys; seeded at random, so that nobody outside can aim at one bucket.
 */
#include "base/map.h"

#include <string.h>
#include "base/alloc.h"
#include "base/random.h"
#include "base/error.h"
#include "base/hash.h"

struct entry {
    struct entry *next;
    uint64_t hash;
    void *value;
    char key[];
};

struct coras_map {
    struct entry **buckets; /* a power of two of them, or NULL while empty */
    size_t bucket_count;
    size_t len;
    uint64_t seed[2];
    void (*release)(void *value);
};

coras_map *coras_map_new(void (*release)(void *value))
{
    coras_map *m = coras_new(coras_map);

    if (!m)
        return NULL;
    m->release = release;
    coras_random(m->seed, sizeof(m->seed));
    return m;
}

static void free_entry(const coras_map *m, struct entry *e)
{
    if (m->release && e->value)
        m->release(e->value);
    free(e);
}

void coras_map_free(coras_map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->bucket_count; i++) {
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            free_entry(m, e);
        }
    }
    free(m->buckets);
    free(m);
}

/* The link that points at the key's entry, or the one where it would be appended. */
static struct entry **find(const coras_map *m, const char *key, uint64_t hash)
{
    struct entry **link = &m->buckets[hash & (m->bucket_count - 1)];

    while (*link && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
        link = &(*link)->next;
    return link;
}

static const struct entry *look_up(const coras_map *m, const char *key)
{
    return m->bucket_count ? *find(m, key, coras_keyed_hash(m->seed, key, strlen(key))) : NULL;
}

void *coras_map_get(const coras_map *m, const char *key)
{
    const struct entry *e = look_up(m, key);

    return e ? e->value : NULL;
}

bool coras_map_has(const coras_map *m, const char *key)
{
    return look_up(m, key) != NULL;
}

static bool grow(coras_map *m)
{
    size_t count = m->bucket_count ? m->bucket_count * 2 : 16;
    struct entry **buckets = coras_calloc(count, sizeof(struct entry *));

    if (!buckets)
        return false;
    for (size_t i = 0; i < m->bucket_count; i++) {
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            struct entry **head = &buckets[e->hash & (count - 1)];
            next = e->next;
            e->next = *head;
            *head = e;
        }
    }
    free(m->buckets);
    m->buckets = buckets;
    m->bucket_count = count;
    return true;
}

int coras_map_set(coras_map *m, const char *key, void *value, coras_error **err)
{
    uint64_t hash = coras_keyed_hash(m->seed, key, strlen(key));
    struct entry **link, *e;
    size_t key_bytes = strlen(key) + 1;

    if (m->len >= m->bucket_count && !grow(m))
        return coras_fail_no_memory(err);
    link = find(m, key, hash);
    e = *link;
    if (e) {
        void *old = e->value;
        e->value = value;
        if (m->release && old && old != value)
            m->release(old);
        return 0;
    }
    e = coras_malloc(sizeof(*e) + key_bytes);
    if (!e)
        return coras_fail_no_memory(err);
    e->next = NULL;
    e->hash = hash;
    e->value = value;
    memcpy(e->key, key, key_bytes);
    *link = e;
    m->len++;
    return 0;
}

bool coras_map_remove(coras_map *m, const char *key)
{
    struct entry **link, *e;

    if (!m->bucket_count)
        return false;
    link = find(m, key, coras_keyed_hash(m->seed, key, strlen(key)));
    e = *link;
    if (!e)
        return false;
    *link = e->next;
    m->len--;
    free_entry(m, e);
    return true;
}

void coras_map_drop(coras_map *m, bool (*is_chosen)(const void *value))
{
    for (size_t i = 0; i < m->bucket_count; i++) {
        struct entry **link = &m->buckets[i];
        while (*link) {
            struct entry *e = *link;
            if (is_chosen && !is_chosen(e->value)) {
                link = &e->next;
                continue;
            }
            *link = e->next;
            free_entry(m, e);
            m->len--;
        }
    }
}

size_t coras_map_len(const coras_map *m)
{
    return m->len;
}

void coras_map_each(const coras_map *m, bool (*visit)(const char *key, void *value, void *user),
                    void *user)
{
    for (size_t i = 0; i < m->bucket_count; i++) {
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next; /* the callback may remove this entry */
            if (!visit(e->key, e->value, user))
                return;
        }
    }
}
