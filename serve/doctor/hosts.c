/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certs.d of containerd: a directory for each registry, or `_default`, with a file hosts.toml that
 * names mirrors in the order in which they are asked.
 */
#include "serve/doctor/node.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"

#define DOCKER_HUB "docker.io"

struct hosts {
    serve_node *node;
    const char *runtime;
    const char *directory; /* certs.d */
    bool covers_hub;       /* docker.io or _default is there */
};

/* "host_5000_" is how a port is written where a colon cannot be. */
static char *registry_of(const char *name)
{
    char *registry = coras_strdup(name);
    size_t len = strlen(name);

    if (registry && len > 1 && name[len - 1] == '_') {
        registry[len - 1] = '\0';
        char *mark = strrchr(registry, '_');
        if (mark)
            *mark = ':';
    }
    return registry;
}

static bool has_capability(const serve_toml *host, const char *name)
{
    const serve_toml *list = serve_toml_get(host, "capabilities");

    if (!list || list->children.len == 0)
        return true; /* all */
    coras_vec_foreach (item, &list->children) {
        const char *text = serve_toml_string(*item);
        if (text && coras_streq(text, name))
            return true;
    }
    return false;
}

/* Whether the line `server` leads elsewhere than to the registry itself. */
static bool is_elsewhere(const char *server, const char *registry)
{
    return server && !strstr(server, registry) &&
           !(coras_streq(registry, DOCKER_HUB) && strstr(server, "registry-1.docker.io"));
}

static int found_nothing(struct hosts *h, const char *registry, const char *where,
                         const char *message, coras_error **err)
{
    bool is_all = coras_streq(registry, "_default");
    coras_auto_free char *file = coras_asprintf("%s/%s/hosts.toml", h->directory, registry);
    coras_auto_free char *lines =
        coras_asprintf("%s%s%s[host.\"%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n",
                       is_all ? "" : "server = \"https://",
                       is_all                              ? ""
                       : coras_streq(registry, DOCKER_HUB) ? "registry-1.docker.io"
                                                           : registry,
                       is_all ? "" : "\"\n", h->node->mirror);

    if (!file || !lines)
        return coras_fail_no_memory(err);
    return serve_node_found(h->node,
                            &(struct serve_found){.verdict = SERVE_FOUND_BYPASSED,
                                                  .runtime = h->runtime,
                                                  .registry = is_all ? NULL : registry,
                                                  .where = where,
                                                  .message = message,
                                                  .write_to = file,
                                                  .lines = lines},
                            err);
}

/* Without a scheme it is https. */
static char *url_of(const char *host)
{
    return coras_asprintf("%s%s", strstr(host, "://") ? "" : "https://", host);
}

/* /v2 is added to a path that does not end so, unless the path is to replace it. */
static char *api_path_of(const char *url, bool is_whole)
{
    const char *path = strstr(url, "://") ? strchr(strstr(url, "://") + 3, '/') : NULL;
    size_t len = path ? strcspn(path, "?#") : 0;
    bool ends_so;

    while (len > 0 && path[len - 1] == '/')
        len--;
    ends_so = len >= 3 && strncmp(path + len - 3, "/v2", 3) == 0;
    if (is_whole && len > 4 && coras_str_starts(path, "/v2/"))
        len = 3; /* what follows is the begin of names */
    return coras_asprintf("%.*s%s/", (int)len, path ? path : "", is_whole || ends_so ? "" : "/v2");
}

static int found_host(struct hosts *h, const char *registry, const char *file,
                      const serve_toml *host, coras_error **err)
{
    coras_auto_free char *where = coras_asprintf("%s:%d", file, host->line);
    coras_auto_free char *url = url_of(host->key);
    coras_auto_free char *api_path =
        url ? api_path_of(url, serve_toml_is_true(serve_toml_get(host, "override_path"))) : NULL;
    struct serve_mirror m = {
        .runtime = h->runtime,
        .registry = coras_streq(registry, "_default") ? NULL : registry,
        .url = url,
        .api_path = api_path,
        .where = where,
        .any_certificate = serve_toml_is_true(serve_toml_get(host, "skip_verify")) ||
                           serve_toml_get(host, "ca") || serve_toml_get(host, "client"),
    };

    if (!where || !url || !api_path)
        return coras_fail_no_memory(err);
    if (!has_capability(host, "resolve"))
        m.note = "but without the capability \"resolve\" tags are asked of the registry itself";
    return serve_node_found_mirror(h->node, &m, err);
}

/* The first host from which is pulled decides: it is asked first. */
static int look_at_file(struct hosts *h, const char *registry, const char *file,
                        const serve_toml *doc, coras_error **err)
{
    const serve_toml *hosts = serve_toml_get(doc, "host");
    const char *server = serve_toml_string(serve_toml_get(doc, "server"));

    if (hosts && hosts->kind == SERVE_TOML_TABLE) {
        coras_vec_foreach (host, &hosts->children) {
            if (has_capability(*host, "pull"))
                return found_host(h, registry, file, *host, err);
        }
    }
    if (is_elsewhere(server, registry))
        return serve_node_found_mirror(
            h->node,
            &(struct serve_mirror){
                .runtime = h->runtime, .registry = registry, .url = server, .where = file},
            err);
    return found_nothing(h, registry, file, "no host in the file is pulled from", err);
}

static int look_at_registry(struct hosts *h, const char *name, coras_error **err)
{
    coras_auto_free char *registry = registry_of(name);
    coras_auto_free char *file = coras_asprintf("%s/%s/hosts.toml", h->directory, name);
    coras_auto(serve_toml) doc = NULL;
    coras_auto(coras_error) why = NULL;
    int rc;

    if (!registry || !file)
        return coras_fail_no_memory(err);
    h->covers_hub =
        h->covers_hub || coras_streq(registry, DOCKER_HUB) || coras_streq(registry, "_default");
    rc = serve_node_read_toml(h->node, file, &doc, &why);
    if (rc == CORAS_ERR_NOT_FOUND)
        return found_nothing(h, registry, NULL, "its directory has no hosts.toml", err);
    if (rc < 0) /* containerd logs it and goes on without */
        return serve_node_found_broken(h->node, h->runtime, file, &why, err);
    return look_at_file(h, registry, file, doc, err);
}

int serve_doctor_hosts(serve_node *n, const char *runtime, const char *directory, coras_error **err)
{
    struct hosts h = {.node = n, .runtime = runtime, .directory = directory};
    coras_auto_value(coras_strlist) names = {0};
    coras_auto(coras_error) why = NULL;

    if (serve_node_list(n, directory, &names, &why) < 0)
        return serve_node_found_broken(n, runtime, directory, &why, err);
    for (size_t i = 0; i < names.len; i++) {
        coras_auto_free char *below = coras_asprintf("%s/%s", directory, names.items[i]);
        if (!below)
            return coras_fail_no_memory(err);
        if (serve_node_has_directory(n, below))
            CORAS_TRY(look_at_registry(&h, names.items[i], err));
    }
    if (h.covers_hub)
        return 0;
    return found_nothing(&h, DOCKER_HUB, NULL, "there is no directory for it, nor _default", err);
}
