/* SPDX-License-Identifier: Apache-2.0 */
/* Judging requests: remembering good passwords, slowing down guesses, and the policy itself. */
#include "serve/access/access.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/error.h"
#include "serve/access/policy.h"
#include "serve/http/log.h"
#include "oci/digest.h"

/* Passwords that were right a moment ago are not hashed again. */
#define GOOD_AGE_MAX_MS (5 * 60 * 1000)
#define GOOD_MAX        256
/* Wrong passwords from one address make it wait longer and longer. */
#define GUESSERS_MAX       256
#define GUESS_DELAY_MS     100
#define GUESS_DELAY_MAX_MS 2000
#define GUESS_MEMORY_MS    (60 * 1000)

struct good {
    unsigned char mac[CORAS_DIGEST_BYTES_MAX];
    int64_t at_ms; /* 0 = unused */
};
struct guesser {
    char *network;
    int failures;
    int64_t at_ms;
};

struct serve_access {
    struct serve_access_sources sources; /* const */
    unsigned char key[32];               /* const; of this process, for the MACs */
    pthread_mutex_t lock;
    serve_policy *policy;                  /* lock */
    struct good good[GOOD_MAX];            /* lock; a ring */
    size_t good_next;                      /* lock */
    struct guesser guessers[GUESSERS_MAX]; /* lock; a ring */
    size_t guesser_next;                   /* lock */
};

/* What holds now; serve_policy_unref(). */
static serve_policy *policy_of(serve_access *a)
{
    serve_policy *policy;

    pthread_mutex_lock(&a->lock);
    policy = serve_policy_ref(a->policy);
    pthread_mutex_unlock(&a->lock);
    return policy;
}

int serve_access_open(const struct serve_access_sources *sources, serve_access **ret,
                      coras_error **err)
{
    coras_auto(serve_access) a = coras_new(serve_access);

    if (!a)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&a->lock, NULL);
    a->sources = *sources;
    coras_random(a->key, sizeof(a->key));
    CORAS_TRY(serve_policy_read(sources->htpasswd, sources->rules, &a->policy, err));
    *ret = coras_steal(&a);
    return 0;
}

int serve_access_reload(serve_access *a, coras_error **err)
{
    coras_auto(serve_policy) policy = NULL;
    coras_auto(serve_policy) before = NULL;

    CORAS_TRY(serve_policy_read(a->sources.htpasswd, a->sources.rules, &policy, err));
    pthread_mutex_lock(&a->lock);
    before = a->policy;
    a->policy = coras_steal(&policy);
    memset(a->good, 0, sizeof(a->good)); /* what was right may not be now */
    pthread_mutex_unlock(&a->lock);
    return 0;
}

void serve_access_close(serve_access *a)
{
    if (!a)
        return;
    serve_policy_unref(a->policy);
    for (size_t i = 0; i < GUESSERS_MAX; i++)
        free(a->guessers[i].network);
    pthread_mutex_destroy(&a->lock);
    coras_wipe(a->key, sizeof(a->key));
    free(a);
}

/* ---- passwords ---- */

static bool mac_of(const serve_access *a, const char *user, const char *password,
                   unsigned char mac[static CORAS_DIGEST_BYTES_MAX])
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_digest digest;
    bool ok;

    /* at once: what is moved as it grows would stay behind */
    (void)coras_buf_reserve(&text, 2 * sizeof(a->key) + strlen(user) + strlen(password) + 1);
    coras_buf_put(&text, a->key, sizeof(a->key));
    coras_buf_put(&text, user, strlen(user) + 1);
    coras_buf_puts(&text, password);
    coras_buf_put(&text, a->key, sizeof(a->key));
    ok = !text.failed && coras_digest_of(CORAS_SHA256, text.ptr, text.len, &digest, NULL) == 0;
    if (ok)
        memcpy(mac, digest.bytes, CORAS_DIGEST_BYTES_MAX);
    if (text.len > 0)
        coras_wipe(text.ptr, text.len);
    return ok;
}

static bool is_known_good(const serve_access *a, const unsigned char *mac)
{
    int64_t oldest = coras_now_ms() - GOOD_AGE_MAX_MS;

    for (size_t i = 0; i < GOOD_MAX; i++) {
        if (a->good[i].at_ms > 0 && a->good[i].at_ms >= oldest &&
            memcmp(a->good[i].mac, mac, CORAS_DIGEST_BYTES_MAX) == 0)
            return true;
    }
    return false;
}

static struct guesser *find_guesser(serve_access *a, const char *network)
{
    for (size_t i = 0; i < GUESSERS_MAX; i++) {
        if (a->guessers[i].network && coras_streq(a->guessers[i].network, network))
            return &a->guessers[i];
    }
    return NULL;
}

/* How long this address has to wait before its next check. */
static int64_t guess_delay_ms(serve_access *a, const char *network)
{
    const struct guesser *g = find_guesser(a, network);
    int64_t delay;

    if (!g || coras_now_ms() - g->at_ms > GUESS_MEMORY_MS)
        return 0;
    delay = (int64_t)g->failures * GUESS_DELAY_MS;
    return delay < GUESS_DELAY_MAX_MS ? delay : GUESS_DELAY_MAX_MS;
}

static void note_failure(serve_access *a, const char *network)
{
    struct guesser *g = find_guesser(a, network);

    if (!g) {
        g = &a->guessers[a->guesser_next];
        a->guesser_next = (a->guesser_next + 1) % GUESSERS_MAX;
        free(g->network);
        *g = (struct guesser){.network = coras_strdup(network)};
    } else if (coras_now_ms() - g->at_ms > GUESS_MEMORY_MS) {
        g->failures = 0;
    }
    if (g->failures < INT32_MAX)
        g->failures++;
    g->at_ms = coras_now_ms();
}

static void remember_good(serve_access *a, const unsigned char *mac)
{
    struct good *slot = &a->good[a->good_next];

    a->good_next = (a->good_next + 1) % GOOD_MAX;
    memcpy(slot->mac, mac, sizeof(slot->mac));
    slot->at_ms = coras_now_ms();
}

static bool check_password(serve_access *a, const serve_policy *policy, const char *user,
                           const char *password, const struct serve_asker *asker)
{
    unsigned char mac[CORAS_DIGEST_BYTES_MAX];
    bool good;

    if (!mac_of(a, user, password, mac))
        return false;
    pthread_mutex_lock(&a->lock);
    good = is_known_good(a, mac);
    pthread_mutex_unlock(&a->lock);
    if (good)
        return true;
    good = serve_htpasswd_check(policy->passwords, user, password);
    pthread_mutex_lock(&a->lock);
    if (!good)
        note_failure(a, asker->network);
    else if (a->policy == policy) /* else the files changed meanwhile */
        remember_good(a, mac);
    pthread_mutex_unlock(&a->lock);
    if (!good)
        serve_log_note("wrong password or unknown user from %s", asker->peer);
    return good;
}

/* Credentials that are worth to be checked; false: none. */
static bool find_credentials(const serve_policy *policy, const struct serve_asker *asker,
                             char **ret_user, char **ret_password)
{
    return policy->passwords && asker->authorization &&
           serve_basic_credentials(asker->authorization, ret_user, ret_password) &&
           (**ret_user || **ret_password);
}

bool serve_access_is_slow(serve_access *a, const struct serve_asker *asker, int64_t *ret_delay_ms)
{
    coras_auto(serve_policy) policy = policy_of(a);
    coras_auto_free char *user = NULL;
    coras_auto_secret char *password = NULL;
    unsigned char mac[CORAS_DIGEST_BYTES_MAX];
    bool known;

    if (!find_credentials(policy, asker, &user, &password) || !mac_of(a, user, password, mac))
        return false;
    pthread_mutex_lock(&a->lock);
    known = is_known_good(a, mac);
    *ret_delay_ms = guess_delay_ms(a, asker->network);
    pthread_mutex_unlock(&a->lock);
    return !known;
}

/* ---- policy ---- */

/* Reading for all is what --anonymous-read gives. */
static bool is_reading(enum serve_right right)
{
    return right == SERVE_RIGHT_NONE || right == SERVE_RIGHT_READ || right == SERVE_RIGHT_LIST ||
           right == SERVE_RIGHT_CATALOG;
}

static unsigned action_of(enum serve_right right)
{
    switch (right) {
    case SERVE_RIGHT_READ:
        return SERVE_ACTION_PULL;
    case SERVE_RIGHT_LIST:
        return SERVE_ACTION_LIST;
    case SERVE_RIGHT_WRITE:
        return SERVE_ACTION_PUSH;
    default:
        return SERVE_ACTION_DELETE;
    }
}

/* What is of no repository, where there are rules. */
static bool may_enter(const serve_policy *p, const char *user, enum serve_right right)
{
    if (right == SERVE_RIGHT_NONE || right == SERVE_RIGHT_CATALOG)
        return user || !p->passwords || serve_rules_allow_some(p->rules, user);
    return right == SERVE_RIGHT_OPERATE && user;
}

/* What somebody may do with this repository decides how they are told that they may not do this:
 * writing is denied whether there is one or not, and reading finds none. */
static enum serve_verdict judge_by_rules(const serve_policy *p, const char *user,
                                         enum serve_right right, const char *repository)
{
    unsigned actions = repository ? serve_rules_actions(p->rules, user, repository) : 0;

    if (repository ? (actions & action_of(right)) != 0 : may_enter(p, user, right))
        return SERVE_ACCESS_GRANTED;
    if (!user && p->passwords)
        return SERVE_ACCESS_UNAUTHORIZED;
    if ((right == SERVE_RIGHT_READ || right == SERVE_RIGHT_LIST) &&
        (actions & (SERVE_ACTION_PULL | SERVE_ACTION_LIST)) == 0)
        return SERVE_ACCESS_HIDDEN;
    return SERVE_ACCESS_DENIED;
}

static enum serve_verdict judge(const serve_access *a, const serve_policy *p, const char *user,
                                enum serve_right right, const char *repository)
{
    if (p->rules)
        return judge_by_rules(p, user, right, repository);
    if (!p->passwords || user || (a->sources.anonymous_read && is_reading(right)))
        return SERVE_ACCESS_GRANTED;
    return SERVE_ACCESS_UNAUTHORIZED;
}

enum serve_verdict serve_access_check(serve_access *a, const struct serve_asker *asker,
                                      enum serve_right right, const char *repository,
                                      char **ret_user)
{
    coras_auto(serve_policy) policy = policy_of(a);
    coras_auto_free char *user = NULL;
    coras_auto_secret char *password = NULL;
    enum serve_verdict verdict;

    if (!policy->passwords || !asker->authorization)
        return judge(a, policy, NULL, right, repository);
    if (!serve_basic_credentials(asker->authorization, &user, &password))
        return SERVE_ACCESS_UNAUTHORIZED;
    /* skopeo and podman, asked for credentials that they do not have, send none in this form */
    if (!*user && !*password)
        return judge(a, policy, NULL, right, repository);
    /* wrong credentials fail even where none are needed: a client wants to know */
    if (!check_password(a, policy, user, password, asker))
        return SERVE_ACCESS_UNAUTHORIZED;
    verdict = judge(a, policy, user, right, repository);
    *ret_user = coras_steal(&user);
    return verdict;
}

bool serve_access_may(serve_access *a, const char *user, enum serve_right right,
                      const char *repository)
{
    coras_auto(serve_policy) policy = policy_of(a);

    if (policy->rules && !repository)
        return false;
    return judge(a, policy, user, right, repository) == SERVE_ACCESS_GRANTED;
}

bool serve_access_has_rules(serve_access *a)
{
    coras_auto(serve_policy) policy = policy_of(a);

    return policy->rules != NULL;
}

bool serve_access_has_users(serve_access *a)
{
    coras_auto(serve_policy) policy = policy_of(a);

    return policy->passwords != NULL;
}
