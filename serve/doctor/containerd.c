/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd's configuration, as the part of it reads it that pulls for Kubernetes (CRI). Which
 * table counts depends on the version that the file states; what stands in another one is ignored
 * by containerd without a word, and that is how mirrors are bypassed most often.
 */
#include "serve/doctor/node.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/vec.h"

#define CERTS_D "/etc/containerd/certs.d"

/* Where a containerd may be. */
struct containerd_place {
    const char *runtime;
    const char *config;
    const char *signs[3]; /* files that say that it is there, without a configuration */
    const char *advice;   /* where to write; NULL: to the configuration */
};

static const struct containerd_place places[] = {
    {"containerd",
     "/etc/containerd/config.toml",
     {"/usr/bin/containerd", "/usr/local/bin/containerd", NULL},
     NULL},
    {"k3s",
     "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
     {NULL},
     "/etc/rancher/k3s/registries.yaml"},
    {"rke2",
     "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
     {NULL},
     "/etc/rancher/rke2/registries.yaml"},
};

/* The table of registries in files of each version. */
static const struct {
    int version;
    const char *plugin, *part; /* plugins.PLUGIN.registry, or plugins.PLUGIN.PART… */
} tables[] = {
    {3, "io.containerd.cri.v1.images", "plugins.\"io.containerd.cri.v1.images\".registry"},
    {2, "io.containerd.grpc.v1.cri", "plugins.\"io.containerd.grpc.v1.cri\".registry"},
    {1, "cri", "plugins.cri.registry"},
};

/* What the files say together; later ones win. Borrowed from `docs`. */
struct setting {
    serve_node *node;
    const struct containerd_place *place;
    int version; /* of the main file */
    struct {
        serve_toml **items;
        size_t len, cap;
    } docs;
    coras_strlist files, imports;        /* that were read; that are named so far */
    const serve_toml *path;              /* config_path */
    const serve_toml *mirrors;           /* the old form */
    const serve_toml *misplaced;         /* a table of another version */
    int misplaced_version, misplaced_in; /* of the table, and of its file */
    char *path_file, *misplaced_file;    /* where these are */
    bool cri_is_off;
};

static void setting_clear(struct setting *s)
{
    coras_vec_foreach (doc, &s->docs)
        serve_toml_free(*doc);
    free(s->docs.items);
    coras_strlist_clear(&s->files);
    coras_strlist_clear(&s->imports);
    free(s->path_file);
    free(s->misplaced_file);
}

static int replace(char **text, const char *by, coras_error **err)
{
    free(*text);
    *text = coras_strdup(by);
    return *text ? 0 : coras_fail_no_memory(err);
}

/* ---- reading ---- */

/* A file without one is of version 1. */
static int version_of(const serve_toml *doc)
{
    const serve_toml *version = serve_toml_get(doc, "version");
    int64_t number = 1;

    if (version && version->kind == SERVE_TOML_OTHER)
        (void)coras_parse_int64(coras_str_of(version->text), &number);
    return number >= 2 ? (number == 2 ? 2 : 3) : 1;
}

static int take_registry(struct setting *s, const serve_toml *registry, const char *file,
                         coras_error **err)
{
    const serve_toml *path = serve_toml_get(registry, "config_path");
    const serve_toml *mirrors = serve_toml_get(registry, "mirrors");
    const char *text = serve_toml_string(path);

    if (mirrors && mirrors->children.len > 0)
        s->mirrors = mirrors;
    if (!text || !*text)
        return 0;
    s->path = path;
    return replace(&s->path_file, file, err);
}

static int take_tables(struct setting *s, const serve_toml *doc, int version, const char *file,
                       coras_error **err)
{
    const serve_toml *plugins = serve_toml_get(doc, "plugins");

    for (size_t i = 0; i < CORAS_ARRAY_LEN(tables); i++) {
        const serve_toml *registry =
            serve_toml_get(serve_toml_get(plugins, tables[i].plugin), "registry");
        if (!registry)
            continue;
        if (tables[i].version == version) {
            CORAS_TRY(take_registry(s, registry, file, err));
        } else if (serve_toml_get(registry, "config_path") || serve_toml_get(registry, "mirrors")) {
            s->misplaced = registry;
            s->misplaced_version = tables[i].version;
            s->misplaced_in = version;
            CORAS_TRY(replace(&s->misplaced_file, file, err));
        }
    }
    return 0;
}

static void take_disabled(struct setting *s, const serve_toml *doc)
{
    const serve_toml *list = serve_toml_get(doc, "disabled_plugins");

    if (!list)
        return;
    coras_vec_foreach (item, &list->children) {
        const char *name = serve_toml_string(*item);
        for (size_t i = 0; name && i < CORAS_ARRAY_LEN(tables); i++)
            s->cri_is_off = s->cri_is_off || coras_streq(name, tables[i].plugin);
    }
}

/* Paths are absolute, or relative to the file that names them. */
static int note_imports(struct setting *s, const serve_toml *doc, const char *file,
                        coras_error **err)
{
    const serve_toml *imports = serve_toml_get(doc, "imports");
    int len = (int)(strrchr(file, '/') - file);

    if (!imports)
        return 0;
    coras_vec_foreach (item, &imports->children) {
        const char *import = serve_toml_string(*item);
        coras_auto_free char *path = NULL;
        if (!import || !*import)
            continue;
        path = *import == '/' ? coras_strdup(import) : coras_asprintf("%.*s/%s", len, file, import);
        if (!path)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_strlist_add(&s->imports, path, err));
    }
    return 0;
}

static int take_file(struct setting *s, const char *file, coras_error **err)
{
    serve_toml *doc = NULL;
    int version;

    if (coras_vec_grow(&s->docs, 1) < 0)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_strlist_add(&s->files, file, err));
    CORAS_TRY(serve_node_read_toml(s->node, file, &doc, err));
    s->docs.items[s->docs.len++] = doc;
    version = version_of(doc);
    if (s->docs.len == 1)
        s->version = version;
    take_disabled(s, doc);
    CORAS_TRY(take_tables(s, doc, version, file, err));
    return note_imports(s, doc, file, err);
}

/* A file that it cannot read, be it only missing, keeps containerd from starting. */
static int take_or_report(struct setting *s, const char *file, coras_error **err)
{
    coras_auto(coras_error) why = NULL;

    if (coras_strlist_has(&s->files, file))
        return 0; /* one that imports the other */
    if (take_file(s, file, &why) < 0)
        return serve_node_found_broken(s->node, s->place->runtime, file, &why, err);
    return 0;
}

static int take_matching(struct setting *s, const char *directory, const char *pattern,
                         coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(serve_node_list(s->node, directory, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        coras_auto_free char *file = coras_asprintf("%s/%s", directory, names.items[i]);
        if (!file)
            return coras_fail_no_memory(err);
        if (coras_glob_match(pattern, names.items[i]))
            CORAS_TRY(take_or_report(s, file, err));
    }
    return 0;
}

/* The last component may be a pattern. */
static int take_import(struct setting *s, const char *import, coras_error **err)
{
    coras_auto_free char *path = coras_strdup(import);
    char *slash = path ? strrchr(path, '/') : NULL;

    if (!slash)
        return coras_fail_no_memory(err);
    if (!strpbrk(slash, "*?["))
        return take_or_report(s, path, err);
    *slash = '\0';
    return take_matching(s, path, slash + 1, err);
}

/* In the order in which they are named; what they import comes after all of these. */
static int take_imports(struct setting *s, coras_error **err)
{
    for (size_t i = 0; i < s->imports.len; i++)
        CORAS_TRY(take_import(s, s->imports.items[i], err));
    return 0;
}

/* ---- judging ---- */

static const char *table_of_version(int version)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(tables); i++) {
        if (tables[i].version == version)
            return tables[i].part;
    }
    return tables[0].part;
}

static char *lines_for(const struct setting *s)
{
    if (s->place->advice)
        return coras_asprintf("mirrors:\n  docker.io:\n    endpoint:\n      - \"%s\"\n",
                              s->node->mirror);
    if (s->mirrors && !s->path)
        return coras_asprintf("[%s.mirrors.\"docker.io\"]\n  endpoint = [\"%s\"]\n",
                              table_of_version(s->version), s->node->mirror);
    return coras_asprintf("%s[%s]\n  config_path = \"" CERTS_D "\"\n",
                          s->docs.len == 0 ? "version = 2\n" : "",
                          table_of_version(s->docs.len == 0 ? 2 : s->version));
}

static int found(struct setting *s, enum serve_verdict_of verdict, const char *where,
                 const char *message, coras_error **err)
{
    coras_auto_free char *lines = lines_for(s);

    if (!lines || !message)
        return coras_fail_no_memory(err);
    return serve_node_found(
        s->node,
        &(struct serve_found){.verdict = verdict,
                              .runtime = s->place->runtime,
                              .where = where,
                              .message = message,
                              .write_to = s->place->advice ? s->place->advice : s->place->config,
                              .lines = lines},
        err);
}

static int found_note(struct setting *s, const char *message, coras_error **err)
{
    return serve_node_found(s->node,
                            &(struct serve_found){.verdict = SERVE_FOUND_NOTE,
                                                  .runtime = s->place->runtime,
                                                  .message = message},
                            err);
}

static int found_misplaced(struct setting *s, coras_error **err)
{
    coras_auto_free char *where = coras_asprintf("%s:%d", s->misplaced_file, s->misplaced->line);
    coras_auto_free char *message = coras_asprintf(
        "the file is of version %d%s, and the table [%s] of version %d, which is ignored",
        s->misplaced_in, s->misplaced_in == 1 ? " (as when it states none)" : "",
        table_of_version(s->misplaced_version), s->misplaced_version);

    if (!where)
        return coras_fail_no_memory(err);
    return found(s, SERVE_FOUND_BYPASSED, where, message, err);
}

/* The form that stands in the configuration itself. */
static int judge_mirrors(struct setting *s, coras_error **err)
{
    bool covers_hub = false;

    coras_vec_foreach (at, &s->mirrors->children) {
        const serve_toml *endpoints = serve_toml_get(*at, "endpoint");
        const char *url = endpoints && endpoints->children.len > 0
                              ? serve_toml_string(endpoints->children.items[0])
                              : NULL;
        struct serve_mirror m = {
            .runtime = s->place->runtime,
            .registry = coras_streq((*at)->key, "*") ? NULL : (*at)->key,
            .url = url,
            .where = s->place->config,
            .note = "containerd 2.2 drops this form: certs.d is what stays",
        };
        if (!url)
            continue;
        covers_hub = covers_hub || !m.registry || coras_streq(m.registry, "docker.io");
        CORAS_TRY(serve_node_found_mirror(s->node, &m, err));
    }
    if (covers_hub)
        return 0;
    return found(s, SERVE_FOUND_BYPASSED, s->place->config, "`mirrors` has none for docker.io",
                 err);
}

static int judge_path(struct setting *s, coras_error **err)
{
    const char *path = serve_toml_string(s->path);
    coras_auto_free char *where = coras_asprintf("%s:%d", s->path_file, s->path->line);

    if (!where)
        return coras_fail_no_memory(err);
    if (s->mirrors)
        return found(s, SERVE_FOUND_BROKEN, where,
                     "`mirrors` and `config_path` are both set: containerd does not start its "
                     "image service with both; remove `mirrors`",
                     err);
    if (strchr(path, ':'))
        return found(s, SERVE_FOUND_BYPASSED, where,
                     "config_path is a list: containerd 2 takes it for one directory, which is not "
                     "there",
                     err);
    return serve_doctor_hosts(s->node, s->place->runtime, path, err);
}

static int judge(struct setting *s, coras_error **err)
{
    if (s->cri_is_off)
        return found_note(s, "its part for Kubernetes is switched off (disabled_plugins)", err);
    if (s->path)
        return judge_path(s, err);
    if (s->mirrors)
        return judge_mirrors(s, err);
    if (s->misplaced)
        return found_misplaced(s, err);
    return found(s, SERVE_FOUND_BYPASSED, s->docs.len > 0 ? s->place->config : NULL,
                 s->docs.len > 0 ? "config_path is not set" : "there is no configuration", err);
}

/* ---- a place ---- */

static bool is_there(const serve_node *n, const struct containerd_place *place)
{
    bool found = serve_node_has(n, place->config);

    for (size_t i = 0; !found && place->signs[i]; i++)
        found = serve_node_has(n, place->signs[i]);
    return found;
}

static int read_files(struct setting *s, bool *ret_broken, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int rc = take_file(s, s->place->config, &why);

    *ret_broken = rc < 0 && rc != CORAS_ERR_NOT_FOUND;
    if (*ret_broken)
        return serve_node_found_broken(s->node, s->place->runtime, s->place->config, &why, err);
    return rc == 0 ? take_imports(s, err) : 0;
}

/* The configuration is read at the start of the daemon. */
static int judge_age(struct setting *s, coras_error **err)
{
    struct serve_process daemon = {0};
    int64_t changed = serve_node_changed_s(s->node, s->place->config);
    int rc = 0;

    if (serve_node_find_process(s->node, "containerd", &daemon, NULL) == 0 &&
        daemon.started_s > 0 && changed > daemon.started_s)
        rc = serve_node_found(
            s->node,
            &(struct serve_found){.verdict = SERVE_FOUND_BYPASSED,
                                  .runtime = s->place->runtime,
                                  .where = s->place->config,
                                  .message = "the configuration was changed after containerd was "
                                             "started, which has not read it: restart it"},
            err);
    serve_process_clear(&daemon);
    return rc;
}

static int look_at(serve_node *n, const struct containerd_place *place, coras_error **err)
{
    struct setting s = {.node = n, .place = place, .version = 2};
    bool is_broken = false;
    int rc = read_files(&s, &is_broken, err);

    if (rc == 0 && !is_broken)
        rc = judge(&s, err);
    if (rc == 0 && !is_broken && !s.cri_is_off)
        rc = judge_age(&s, err);
    if (rc == 0 && !is_broken && !s.cri_is_off && place == &places[0])
        rc = found_note(&s,
                        "`ctr` reads none of this: it takes a mirror only with --hosts-dir " CERTS_D
                        "; config_path is read when containerd starts, hosts.toml at each pull",
                        err);
    setting_clear(&s);
    return rc;
}

int serve_doctor_containerd(serve_node *n, coras_error **err)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(places); i++) {
        if (is_there(n, &places[i]))
            CORAS_TRY(look_at(n, &places[i], err));
    }
    return 0;
}
