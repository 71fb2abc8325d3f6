/* SPDX-License-Identifier: Apache-2.0 */
/* Parties in a line. */
#include "serve/http/line.h"

#include "base/alloc.h"
#include "base/str.h"

struct serve_party {
    char *name;
    unsigned running;
    serve_job *first, *last; /* that wait */
    struct serve_party *next;
};

static void append(serve_line *line, struct serve_party *party)
{
    struct serve_party **at = &line->parties;

    while (*at)
        at = &(*at)->next;
    party->next = NULL;
    *at = party;
}

static void take_out(serve_line *line, const struct serve_party *party)
{
    struct serve_party **at = &line->parties;

    while (*at != party)
        at = &(*at)->next;
    *at = party->next;
}

static struct serve_party *join(serve_line *line, const char *name)
{
    struct serve_party *party = line->parties;

    while (party && !coras_streq(party->name, name))
        party = party->next;
    if (party)
        return party;
    party = coras_new(struct serve_party);
    if (!party)
        return NULL;
    party->name = coras_strdup(name);
    if (!party->name) {
        free(party);
        return NULL;
    }
    append(line, party);
    return party;
}

bool serve_line_add(serve_line *line, serve_job *job)
{
    struct serve_party *party = join(line, job->party);

    if (!party)
        return false;
    job->next = NULL;
    if (party->first)
        party->last->next = job;
    else
        party->first = job;
    party->last = job;
    line->waiting++;
    return true;
}

/* The first job of a party that may have one more, and has one whose time has come. */
static serve_job *ready_job(const serve_line *line, const struct serve_party *party, int64_t now_ms,
                            int64_t *ret_next_ms)
{
    serve_job *job = party->first;

    if (!job || party->running >= line->most_per_party)
        return NULL;
    if (job->not_before_ms <= now_ms)
        return job;
    if (job->not_before_ms < *ret_next_ms)
        *ret_next_ms = job->not_before_ms;
    return NULL;
}

/* Those that are late come after all others. */
static struct serve_party *next_party(const serve_line *line, int64_t now_ms, int64_t *ret_next_ms)
{
    struct serve_party *late = NULL;

    for (struct serve_party *p = line->parties; p; p = p->next) {
        const serve_job *job = ready_job(line, p, now_ms, ret_next_ms);
        if (job && !job->is_late)
            return p;
        if (job && !late)
            late = p;
    }
    return late;
}

serve_job *serve_line_take(serve_line *line, int64_t now_ms, struct serve_party **ret_party,
                           int64_t *ret_next_ms)
{
    struct serve_party *party;
    serve_job *job;

    if (line->running >= line->most)
        return NULL;
    party = next_party(line, now_ms, ret_next_ms);
    if (!party)
        return NULL;
    job = party->first;
    party->first = job->next;
    party->running++;
    line->running++;
    line->waiting--;
    if (party->next) {
        take_out(line, party);
        append(line, party);
    }
    *ret_party = party;
    return job;
}

void serve_line_done(serve_line *line, struct serve_party *party)
{
    line->running--;
    if (--party->running > 0 || party->first)
        return;
    take_out(line, party);
    free(party->name);
    free(party);
}
