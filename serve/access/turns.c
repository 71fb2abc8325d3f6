/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of parties. A party is in it as long as somebody of it waits or works.
 */
#include "serve/access/turns.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/str.h"

/* All of this under the lock of the table. */
struct serve_party {
    struct serve_party *next;
    char *name;
    unsigned users;   /* who wait or work */
    unsigned waiting; /* without a grant */
    unsigned granted; /* not yet taken */
    bool working;     /* a turn is granted or taken */
    bool late;
    pthread_cond_t turn;
};

struct serve_turns {
    pthread_mutex_t lock;
    unsigned free;            /* turns; lock */
    struct serve_party *line; /* lock; who is first goes next */
};

serve_turns *serve_turns_new(unsigned at_once)
{
    serve_turns *t = coras_new(serve_turns);

    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    t->free = at_once;
    return t;
}

void serve_turns_free(serve_turns *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- the line ---- */

static void append(serve_turns *t, serve_party *party)
{
    serve_party **at = &t->line;

    while (*at)
        at = &(*at)->next;
    party->next = NULL;
    *at = party;
}

static void take_out(serve_turns *t, const serve_party *party)
{
    serve_party **at = &t->line;

    while (*at != party)
        at = &(*at)->next;
    *at = party->next;
}

static serve_party *join(serve_turns *t, const char *name)
{
    serve_party *party = t->line;

    while (party && !coras_streq(party->name, name))
        party = party->next;
    if (party)
        return party;
    party = coras_new(serve_party);
    if (!party)
        return NULL;
    party->name = coras_strdup(name);
    if (!party->name) {
        free(party);
        return NULL;
    }
    pthread_cond_init(&party->turn, NULL);
    append(t, party);
    return party;
}

static void leave(serve_turns *t, serve_party *party)
{
    if (--party->users > 0)
        return;
    take_out(t, party);
    pthread_cond_destroy(&party->turn);
    free(party->name);
    free(party);
}

static serve_party *next_party(const serve_turns *t)
{
    serve_party *late = NULL;

    for (serve_party *p = t->line; p; p = p->next) {
        if (p->waiting == 0 || p->working)
            continue;
        if (!p->late)
            return p;
        if (!late)
            late = p;
    }
    return late;
}

static void grant(serve_turns *t)
{
    while (t->free > 0) {
        serve_party *party = next_party(t);
        if (!party)
            return;
        t->free--;
        party->working = true;
        party->waiting--;
        party->granted++;
        take_out(t, party);
        append(t, party);
        pthread_cond_signal(&party->turn);
    }
}

/* ---- a turn ---- */

serve_party *serve_turn_take(serve_turns *t, const char *name, bool late)
{
    serve_party *party;

    pthread_mutex_lock(&t->lock);
    party = join(t, name);
    if (party) {
        party->late = late;
        party->users++;
        party->waiting++;
        grant(t);
        while (party->granted == 0)
            pthread_cond_wait(&party->turn, &t->lock);
        party->granted--;
    }
    pthread_mutex_unlock(&t->lock);
    return party;
}

void serve_turn_give(serve_turns *t, serve_party *party)
{
    pthread_mutex_lock(&t->lock);
    party->working = false;
    t->free++;
    leave(t, party);
    grant(t);
    pthread_mutex_unlock(&t->lock);
}
