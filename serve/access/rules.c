/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of rules, read and asked. */
#include "serve/access/rules.h"

#include "base/error.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"

enum who { USER, GROUP, USERS, ANONYMOUS, EVERYONE };

struct rule {
    bool allow;
    enum who who;
    char *name; /* USER, GROUP */
    unsigned actions;
    coras_strlist patterns;
};
struct group {
    char *name;
    coras_strlist users;
};
struct serve_rules {
    struct {
        struct rule *items;
        size_t len, cap;
    } rules;
    struct {
        struct group *items;
        size_t len, cap;
    } groups;
};

void serve_rules_free(serve_rules *r)
{
    if (!r)
        return;
    coras_vec_foreach (rule, &r->rules) {
        free(rule->name);
        coras_strlist_clear(&rule->patterns);
    }
    coras_vec_foreach (group, &r->groups) {
        free(group->name);
        coras_strlist_clear(&group->users);
    }
    free(r->rules.items);
    free(r->groups.items);
    free(r);
}

/* ---- reading ---- */

/* Where something is wrong. */
struct rules_place {
    const char *file;
    int line;
};

static int complain(const struct rules_place *at, const char *what, coras_str word,
                    coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, word.ptr, word.len, CORAS_LIMIT_ERROR_TEXT);
    return coras_fail(err, CORAS_ERR_CONFIG, "%s:%d: %s: %s", at->file, at->line, what,
                      shown.len > 0 ? shown.ptr : "");
}

/* The next word of the rest of a line; empty at its end. */
static coras_str take_word(coras_str *rest)
{
    coras_str word;

    while (rest->len > 0 && coras_is_space(rest->ptr[0])) {
        rest->ptr++;
        rest->len--;
    }
    word = (coras_str){rest->ptr, 0};
    while (word.len < rest->len && !coras_is_space(rest->ptr[word.len]))
        word.len++;
    rest->ptr += word.len;
    rest->len -= word.len;
    return word;
}

static const struct group *find_group(const serve_rules *r, const char *name)
{
    coras_vec_foreach (group, &r->groups) {
        if (coras_streq(group->name, name))
            return group;
    }
    return NULL;
}

/* The name after "user:" or "group:". */
static bool take_prefix(coras_str *word, const char *prefix)
{
    size_t len = strlen(prefix);

    if (word->len <= len || memcmp(word->ptr, prefix, len) != 0)
        return false;
    word->ptr += len;
    word->len -= len;
    return true;
}

static int read_who(const serve_rules *r, coras_str word, const struct rules_place *at,
                    struct rule *rule, coras_error **err)
{
    static const char *const words[] = {
        [USERS] = "users", [ANONYMOUS] = "anonymous", [EVERYONE] = "everyone"};
    coras_str name = word;

    for (int i = USERS; i <= EVERYONE; i++) {
        if (coras_str_eq(word, words[i])) {
            rule->who = (enum who)i;
            return 0;
        }
    }
    if (take_prefix(&name, "user:"))
        rule->who = USER;
    else if (take_prefix(&name, "group:"))
        rule->who = GROUP;
    else
        return complain(at, "not user:NAME, group:NAME, users, anonymous or everyone", word, err);
    rule->name = coras_strndup(name.ptr, name.len);
    if (!rule->name)
        return coras_fail_no_memory(err);
    if (rule->who == GROUP && !find_group(r, rule->name))
        return complain(at, "no line above makes this group", name, err);
    return 0;
}

static unsigned action_of(coras_str word)
{
    static const struct {
        const char *name;
        unsigned actions;
    } rows[] = {{"pull", SERVE_ACTION_PULL},
                {"push", SERVE_ACTION_PUSH},
                {"delete", SERVE_ACTION_DELETE},
                {"list", SERVE_ACTION_LIST},
                {"all", SERVE_ACTION_ALL}};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        if (coras_str_eq(word, rows[i].name))
            return rows[i].actions;
    }
    return 0;
}

static int read_actions(coras_str list, const struct rules_place *at, unsigned *ret,
                        coras_error **err)
{
    const char *end = list.ptr + list.len;

    for (const char *from = list.ptr; from <= end;) {
        const char *comma = from < end ? memchr(from, ',', (size_t)(end - from)) : NULL;
        coras_str word = {from, (size_t)((comma ? comma : end) - from)};
        unsigned actions = action_of(word);
        if (actions == 0)
            return complain(at, "not one of pull, push, delete, list, all", word, err);
        *ret |= actions;
        from += word.len + 1;
    }
    return 0;
}

static int read_patterns(coras_str *rest, const struct rules_place *at, struct rule *rule,
                         coras_error **err)
{
    for (coras_str word = take_word(rest); word.len > 0; word = take_word(rest)) {
        CORAS_TRY(coras_strlist_addn(&rule->patterns, word.ptr, word.len, err));
        if (coras_glob_check(rule->patterns.items[rule->patterns.len - 1], NULL) < 0)
            return complain(at, "not a pattern of repositories", word, err);
    }
    if (rule->patterns.len == 0)
        return complain(at, "no repositories are named", CORAS_STR("allow everyone pull **"), err);
    return 0;
}

static int read_rule(serve_rules *r, bool allow, coras_str rest, const struct rules_place *at,
                     coras_error **err)
{
    struct rule *rule;

    if (r->rules.len == CORAS_LIMIT_ACCESS_RULES)
        return complain(at, "too many rules", CORAS_STR("groups and patterns need fewer"), err);
    if (coras_vec_grow(&r->rules, 1) < 0)
        return coras_fail_no_memory(err);
    rule = &r->rules.items[r->rules.len++];
    *rule = (struct rule){.allow = allow};
    CORAS_TRY(read_who(r, take_word(&rest), at, rule, err));
    CORAS_TRY(read_actions(take_word(&rest), at, &rule->actions, err));
    return read_patterns(&rest, at, rule, err);
}

/* group NAME = USER ... */
static int read_group(serve_rules *r, coras_str rest, const struct rules_place *at,
                      coras_error **err)
{
    coras_str name = take_word(&rest), equals = take_word(&rest);
    struct group *group;

    if (name.len == 0 || !coras_str_eq(equals, "="))
        return complain(at, "not a line \"group NAME = USER...\"", name, err);
    if (coras_vec_grow(&r->groups, 1) < 0)
        return coras_fail_no_memory(err);
    group = &r->groups.items[r->groups.len];
    *group = (struct group){.name = coras_strndup(name.ptr, name.len)};
    if (!group->name)
        return coras_fail_no_memory(err);
    if (find_group(r, group->name)) {
        free(group->name);
        return complain(at, "this group was made before", name, err);
    }
    r->groups.len++;
    for (coras_str word = take_word(&rest); word.len > 0; word = take_word(&rest))
        CORAS_TRY(coras_strlist_addn(&group->users, word.ptr, word.len, err));
    return 0;
}

static int read_line(serve_rules *r, coras_str line, const struct rules_place *at,
                     coras_error **err)
{
    coras_str rest = line, word = take_word(&rest);

    if (word.len == 0 || word.ptr[0] == '#')
        return 0;
    for (size_t i = 0; i < line.len; i++) {
        if ((unsigned char)line.ptr[i] < 0x20 && line.ptr[i] != '\t' && line.ptr[i] != '\r')
            return complain(at, "control character", line, err);
    }
    if (coras_str_eq(word, "allow") || coras_str_eq(word, "deny"))
        return read_rule(r, coras_str_eq(word, "allow"), rest, at, err);
    if (coras_str_eq(word, "group"))
        return read_group(r, rest, at, err);
    return complain(at, "not a line of allow, deny or group", word, err);
}

int serve_rules_parse(const char *text, size_t len, const char *name, serve_rules **ret,
                      coras_error **err)
{
    coras_auto(serve_rules) r = coras_new(serve_rules);
    coras_str rest = {text, len}, line;
    struct rules_place at = {name, 1};

    if (!r)
        return coras_fail_no_memory(err);
    for (; coras_str_next_line(&rest, &line); at.line++)
        CORAS_TRY(read_line(r, line, &at, err));
    *ret = coras_steal(&r);
    return 0;
}

/* ---- asking ---- */

static bool is_of(const serve_rules *r, const struct rule *rule, const char *user)
{
    const struct group *group;

    switch (rule->who) {
    case USER:
        return user && coras_streq(rule->name, user);
    case GROUP:
        group = find_group(r, rule->name);
        return user && group && coras_strlist_has(&group->users, user);
    case USERS:
        return user != NULL;
    case ANONYMOUS:
        return user == NULL;
    default:
        return true;
    }
}

static bool is_in(const struct rule *rule, const char *repository)
{
    for (size_t i = 0; i < rule->patterns.len; i++) {
        if (coras_glob_match(rule->patterns.items[i], repository))
            return true;
    }
    return false;
}

unsigned serve_rules_actions(const serve_rules *r, const char *user, const char *repository)
{
    unsigned open = SERVE_ACTION_ALL, allowed = 0;

    coras_vec_foreach (rule, &r->rules) {
        if (open == 0)
            break;
        if ((rule->actions & open) == 0 || !is_of(r, rule, user) || !is_in(rule, repository))
            continue;
        if (rule->allow)
            allowed |= rule->actions & open;
        open &= ~rule->actions;
    }
    return allowed;
}

bool serve_rules_allow_some(const serve_rules *r, const char *user)
{
    coras_vec_foreach (rule, &r->rules) {
        if (rule->allow && is_of(r, rule, user))
            return true;
    }
    return false;
}
