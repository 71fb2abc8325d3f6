/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of users with bcrypt hashes, and checking a password against them. */
#include "serve/access/htpasswd.h"

#include <crypt.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "codec/base64.h"

/* "$2y$10$" + 22 characters of salt + 31 of hash */
#define BCRYPT_LEN        60
#define BCRYPT_COST_MAX   17 /* beyond it one log-in takes ten seconds */
#define AUTHORIZATION_MAX 8192

struct account {
    char *user, *hash;
};
struct serve_htpasswd {
    struct account *items;
    size_t len, cap;
    int cost; /* the highest of all */
};

void serve_htpasswd_free(serve_htpasswd *h)
{
    if (!h)
        return;
    coras_vec_foreach (account, h) {
        free(account->user);
        coras_free_secret(account->hash);
    }
    free(h->items);
    free(h);
}

static int cost_of(const char *hash)
{
    return (hash[4] - '0') * 10 + hash[5] - '0';
}

static bool is_bcrypt(coras_str hash)
{
    int cost;

    if (hash.len != BCRYPT_LEN || memcmp(hash.ptr, "$2", 2) != 0 || hash.ptr[3] != '$' ||
        hash.ptr[6] != '$' || !memchr("aby", hash.ptr[2], 3))
        return false;
    if (!coras_is_digit(hash.ptr[4]) || !coras_is_digit(hash.ptr[5]))
        return false;
    cost = cost_of(hash.ptr);
    if (cost < 4 || cost > BCRYPT_COST_MAX)
        return false;
    for (size_t i = 7; i < hash.len; i++) {
        if (!coras_is_alnum(hash.ptr[i]) && hash.ptr[i] != '.' && hash.ptr[i] != '/')
            return false;
    }
    return true;
}

static bool has_control(coras_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

static bool has_user(const serve_htpasswd *h, coras_str user)
{
    for (size_t i = 0; i < h->len; i++) {
        if (coras_str_eq(user, h->items[i].user))
            return true;
    }
    return false;
}

static int add_line(serve_htpasswd *h, coras_str line, const char *name, int number,
                    coras_error **err)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    coras_str user = {line.ptr, colon ? (size_t)(colon - line.ptr) : 0};
    coras_str hash = {colon ? colon + 1 : line.ptr, colon ? line.len - user.len - 1 : 0};
    struct account account;

    if (!colon || user.len == 0 || has_control(line))
        return coras_fail(err, CORAS_ERR_CONFIG, "%s:%d: not a line \"user:hash\"", name, number);
    if (!is_bcrypt(hash)) {
        coras_fail(err, CORAS_ERR_CONFIG, "%s:%d: not a bcrypt hash of cost 4 to %d (\"$2y$...\")",
                   name, number, BCRYPT_COST_MAX);
        coras_hint(err, "make entries with 'htpasswd -B'");
        return CORAS_ERR_CONFIG;
    }
    if (has_user(h, user))
        return coras_fail(err, CORAS_ERR_CONFIG, "%s:%d: the user has a line already", name,
                          number);
    if (coras_vec_grow(h, 1) < 0)
        return coras_fail_no_memory(err);
    account.user = coras_strndup(user.ptr, user.len);
    account.hash = coras_strndup(hash.ptr, hash.len);
    h->items[h->len++] = account;
    if (cost_of(hash.ptr) > h->cost)
        h->cost = cost_of(hash.ptr);
    return account.user && account.hash ? 0 : coras_fail_no_memory(err);
}

int serve_htpasswd_parse(const char *text, size_t len, const char *name, serve_htpasswd **ret,
                         coras_error **err)
{
    coras_auto(serve_htpasswd) h = coras_new(serve_htpasswd);
    coras_str rest = {text, len}, line;

    if (!h)
        return coras_fail_no_memory(err);
    for (int number = 1; coras_str_next_line(&rest, &line); number++) {
        if (line.len > 0 && line.ptr[0] != '#')
            CORAS_TRY(add_line(h, line, name, number, err));
    }
    if (h->len == 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: no users", name);
    *ret = coras_steal(&h);
    return 0;
}

/* Every byte is looked at, whatever differs. */
static bool equal_in_constant_time(const char *a, const char *b, size_t len)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

/* crypt_rn() tells a failure by NULL, and sanitizers leave it alone; musl has the other one only.
 */
static const char *hash_of(const char *password, const char *setting, struct crypt_data *data)
{
#ifdef SERVE_HAVE_CRYPT_RN
    return crypt_rn(password, setting, data, sizeof(*data));
#else
    return crypt_r(password, setting, data);
#endif
}

static bool hash_matches(const char *hash, const char *password)
{
    struct crypt_data *data = coras_new(struct crypt_data);
    const char *got = data ? hash_of(password, hash, data) : NULL;
    bool match = got && strlen(got) == BCRYPT_LEN && equal_in_constant_time(got, hash, BCRYPT_LEN);

    if (data)
        coras_wipe(data, sizeof(*data));
    free(data);
    return match;
}

/* The work of a check of this cost, for nothing. */
static void work_in_vain(int cost, const char *password)
{
    char setting[BCRYPT_LEN + 1];

    snprintf(setting, sizeof(setting), "$2b$%02d$%s", cost, "......................");
    (void)hash_matches(setting, password);
}

/*
 * Whether there is such a user must not show in the time that an answer takes, though hashes may be
 * of different costs: all take what the costliest takes. Each step of the cost doubles the work, so
 * a check of cost c and one each of c, c+1, ... m-1 in vain are the work of one of cost m.
 */
bool serve_htpasswd_check(const serve_htpasswd *h, const char *user, const char *password)
{
    const struct account *found = NULL;
    bool match;

    if (strlen(password) > SERVE_PASSWORD_MAX)
        return false;
    for (size_t i = 0; i < h->len; i++) {
        if (coras_streq(h->items[i].user, user))
            found = &h->items[i];
    }
    if (!found) {
        work_in_vain(h->cost, password);
        return false;
    }
    match = hash_matches(found->hash, password);
    for (int cost = cost_of(found->hash); cost < h->cost; cost++)
        work_in_vain(cost, password);
    return match;
}

bool serve_basic_credentials(const char *authorization, char **ret_user, char **ret_password)
{
    coras_auto_buf text = CORAS_BUF_INIT(AUTHORIZATION_MAX);
    coras_auto_free char *user = NULL;
    coras_auto_secret char *password = NULL;
    const char *colon;
    coras_str token;

    if (strlen(authorization) > AUTHORIZATION_MAX || strncasecmp(authorization, "basic ", 6) != 0)
        return false;
    token = coras_str_trim(coras_str_of(authorization + 6));
    if (coras_base64_decode(&text, token.ptr, token.len) && !text.failed &&
        !has_control((coras_str){text.ptr, text.len})) {
        colon = memchr(text.ptr, ':', text.len);
        if (colon) {
            user = coras_strndup(text.ptr, (size_t)(colon - text.ptr));
            password = coras_strdup(colon + 1);
        }
    }
    if (text.len > 0)
        coras_wipe(text.ptr, text.len);
    if (!user || !password)
        return false;
    *ret_user = coras_steal(&user);
    *ret_password = coras_steal(&password);
    return true;
}
