/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries.conf and its drop-ins, which podman, CRI-O, buildah and skopeo read: a list of
 * registries with the mirrors of each.
 */
#include "serve/doctor/node.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"

#define HUB         "docker.io"
#define CONFIG_FILE "/etc/containers/registries.conf"
#define DROPINS     "/etc/containers/registries.conf.d"
#define OWN         "/.config/containers/registries.conf" /* of an account */

/* What is read together: a file, and the drop-ins of up to two directories. */
struct registries_source {
    const char *runtime;
    const char *config;
    const char *dropins[2]; /* the later wins; NULL: none */
    const char *advice;     /* the directory to write to */
};

/* What a drop-in says of a registry replaces what came before. */
struct known {
    const serve_toml *registry;
    char *file;
};

struct registries_conf {
    serve_node *node;
    const struct registries_source *source;
    struct {
        serve_toml **items;
        size_t len, cap;
    } docs;
    struct {
        struct known *items;
        size_t len, cap;
    } known;
};

static void registries_clear(struct registries_conf *r)
{
    coras_vec_foreach (doc, &r->docs)
        serve_toml_free(*doc);
    coras_vec_foreach (known, &r->known)
        free(known->file);
    free(r->docs.items);
    free(r->known.items);
}

/* `prefix`, else `location`. */
static const char *name_of(const serve_toml *registry)
{
    const char *prefix = serve_toml_string(serve_toml_get(registry, "prefix"));
    const char *location = serve_toml_string(serve_toml_get(registry, "location"));

    return prefix && *prefix ? prefix : location ? location : "";
}

static struct known *find(struct registries_conf *r, const char *name)
{
    coras_vec_foreach (known, &r->known) {
        if (coras_streq(name_of(known->registry), name))
            return known;
    }
    return NULL;
}

static int take_registry(struct registries_conf *r, const serve_toml *registry, const char *file,
                         coras_error **err)
{
    struct known *known = find(r, name_of(registry));
    char *copy = coras_strdup(file);

    if (!copy || (!known && coras_vec_grow(&r->known, 1) < 0)) {
        free(copy);
        return coras_fail_no_memory(err);
    }
    if (!known) {
        known = &r->known.items[r->known.len++];
        known->file = NULL;
    }
    free(known->file);
    *known = (struct known){registry, copy};
    return 0;
}

static int take_file(struct registries_conf *r, const char *file, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    serve_toml *doc = NULL;
    const serve_toml *list;
    int rc = serve_node_read_toml(r->node, file, &doc, &why);

    if (rc == CORAS_ERR_NOT_FOUND)
        return 0;
    if (rc < 0)
        return serve_node_found_broken(r->node, r->source->runtime, file, &why, err);
    if (coras_vec_grow(&r->docs, 1) < 0) {
        serve_toml_free(doc);
        return coras_fail_no_memory(err);
    }
    r->docs.items[r->docs.len++] = doc;
    list = serve_toml_get(doc, "registry");
    if (!list)
        return 0;
    coras_vec_foreach (registry, &list->children)
        CORAS_TRY(take_registry(r, *registry, file, err));
    return 0;
}

static int take_dropins(struct registries_conf *r, const char *directory, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(serve_node_list(r->node, directory, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_auto_free char *file = coras_asprintf("%s/%s", directory, names.items[i]);
        if (!file)
            return coras_fail_no_memory(err);
        if (coras_str_ends(names.items[i], ".conf"))
            CORAS_TRY(take_file(r, file, err));
    }
    return 0;
}

static int take_files(struct registries_conf *r, coras_error **err)
{
    CORAS_TRY(take_file(r, r->source->config, err));
    for (size_t i = 0; i < CORAS_ARRAY_LEN(r->source->dropins); i++) {
        if (r->source->dropins[i])
            CORAS_TRY(take_dropins(r, r->source->dropins[i], err));
    }
    return 0;
}

/* ---- judging ---- */

static const char *without_scheme(const char *url)
{
    const char *slashes = strstr(url, "://");

    return slashes ? slashes + 3 : url;
}

static int found(const struct registries_conf *r, enum serve_verdict_of verdict,
                 const char *registry, const char *where, const char *message, coras_error **err)
{
    const serve_node *n = r->node;
    bool is_plain = coras_str_starts(n->mirror, "http://");
    coras_auto_free char *file = coras_asprintf("%s/050-mirror.conf", r->source->advice);
    coras_auto_free char *lines = coras_asprintf(
        "[[registry]]\nlocation = \"%s\"\n\n[[registry.mirror]]\nlocation = \"%s/%s\"\n%s",
        registry, without_scheme(n->mirror), registry, is_plain ? "insecure = true\n" : "");

    if (!file || !lines)
        return coras_fail_no_memory(err);
    return serve_node_found(r->node,
                            &(struct serve_found){.verdict = verdict,
                                                  .runtime = r->source->runtime,
                                                  .registry = registry,
                                                  .where = where,
                                                  .message = message,
                                                  .write_to = file,
                                                  .lines = lines},
                            err);
}

static bool is_word(const serve_toml *value, const char *word)
{
    const char *text = serve_toml_string(value);

    return text && coras_streq(text, word);
}

static const char *note_on(const serve_toml *registry, const serve_toml *mirror)
{
    const serve_toml *from = serve_toml_get(mirror, "pull-from-mirror");

    if (is_word(from, "digest-only") ||
        serve_toml_is_true(serve_toml_get(registry, "mirror-by-digest-only")))
        return "but tags are asked of the registry itself";
    return is_word(from, "tag-only") ? "but digests are asked of the registry itself" : NULL;
}

static int judge_mirror(const struct registries_conf *r, const struct known *known,
                        const serve_toml *mirror, coras_error **err)
{
    const char *location = serve_toml_string(serve_toml_get(mirror, "location"));
    bool is_insecure = serve_toml_is_true(serve_toml_get(mirror, "insecure"));
    coras_auto_free char *url =
        coras_asprintf("%s://%s", is_insecure ? "http" : "https", location ? location : "");
    coras_auto_free char *where = coras_asprintf("%s:%d", known->file, mirror->line);

    if (!url || !where)
        return coras_fail_no_memory(err);
    if (!location || strstr(location, "://"))
        return found(r, SERVE_FOUND_BROKEN, name_of(known->registry), where,
                     "the location of a mirror is host:port/path, without a scheme", err);
    return serve_node_found_mirror(r->node,
                                   &(struct serve_mirror){.runtime = r->source->runtime,
                                                          .registry = name_of(known->registry),
                                                          .url = url,
                                                          .where = where,
                                                          .note = note_on(known->registry, mirror)},
                                   err);
}

static int judge(const struct registries_conf *r, const struct known *known, coras_error **err)
{
    const serve_toml *registry = known->registry;
    const serve_toml *mirrors = serve_toml_get(registry, "mirror");
    coras_auto_free char *where = coras_asprintf("%s:%d", known->file, registry->line);

    if (!where)
        return coras_fail_no_memory(err);
    if (serve_toml_is_true(serve_toml_get(registry, "blocked")))
        return 0;
    if (serve_toml_get(registry, "pull-from-mirror"))
        return found(r, SERVE_FOUND_BROKEN, name_of(registry), where,
                     "pull-from-mirror belongs to a [[registry.mirror]]: CRI-O refuses the file",
                     err);
    if (mirrors && mirrors->children.len > 0)
        return judge_mirror(r, known, mirrors->children.items[0], err);
    if (coras_streq(name_of(registry), HUB))
        return found(r, SERVE_FOUND_BYPASSED, HUB, where, "it has no mirror", err);
    return 0;
}

static int look_at(serve_node *n, const struct registries_source *source, coras_error **err)
{
    struct registries_conf r = {.node = n, .source = source};
    int rc = take_files(&r, err);

    for (size_t i = 0; rc == 0 && i < r.known.len; i++)
        rc = judge(&r, &r.known.items[i], err);
    if (rc == 0 && !find(&r, HUB))
        rc = found(&r, SERVE_FOUND_BYPASSED, HUB, NULL, "no file has a [[registry]] for it", err);
    registries_clear(&r);
    return rc;
}

/* ---- which files ---- */

static const struct registries_source of_system = {
    "podman, CRI-O", CONFIG_FILE, {DROPINS, NULL}, DROPINS};

/* CRI-O is a daemon: the files of an account are not for it. */
static int look_at_system(serve_node *n, bool has_own, coras_error **err)
{
    struct registries_source source = of_system;

    if (has_own) {
        source.runtime = "CRI-O";
        if (!serve_node_has(n, "/usr/bin/crio") && !serve_node_has(n, "/usr/local/bin/crio") &&
            !serve_node_has(n, "/etc/crio"))
            return 0;
    }
    if (!serve_node_has(n, CONFIG_FILE) && !serve_node_has(n, DROPINS))
        return 0;
    return look_at(n, &source, err);
}

/* A file of the account's own replaces all that is the system's; its drop-ins alone come after
 * those. A file that the environment names replaces the main one. */
int serve_doctor_podman(serve_node *n, coras_error **err)
{
    const char *home = n->home ? n->home : "";
    coras_auto_free char *config = coras_asprintf("%s" OWN, home);
    coras_auto_free char *dropins = coras_asprintf("%s" OWN ".d", home);
    struct registries_source source = of_system;
    bool has_file, has_own;

    if (!config || !dropins)
        return coras_fail_no_memory(err);
    has_file = !n->registries_conf && n->home && serve_node_has(n, config);
    has_own = has_file || n->registries_conf || (n->home && serve_node_has(n, dropins));
    if (has_own) {
        source = (struct registries_source){"podman", CONFIG_FILE, {DROPINS, dropins}, dropins};
        if (has_file)
            source.config = config, source.dropins[0] = NULL;
        else if (n->registries_conf)
            source.config = n->registries_conf;
        CORAS_TRY(look_at(n, &source, err));
    }
    return look_at_system(n, has_own, err);
}
