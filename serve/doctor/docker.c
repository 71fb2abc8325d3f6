/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's daemon.json: mirrors of Docker Hub, and which registries may be plain http. */
#include "serve/doctor/node.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "codec/json.h"
#include "http/url.h"

#define RUNTIME     "docker"
#define HUB         "docker.io"
#define CONFIG_FILE "/etc/docker/daemon.json"

static int found(serve_node *n, enum serve_verdict_of verdict, const char *message,
                 coras_error **err)
{
    coras_auto_free char *lines =
        coras_asprintf("{\n  \"registry-mirrors\": [\"%s\"]\n}\n", n->mirror);

    if (!lines)
        return coras_fail_no_memory(err);
    return serve_node_found(
        n,
        &(struct serve_found){.verdict = verdict,
                              .runtime = RUNTIME,
                              .registry = HUB,
                              .where = serve_node_has(n, CONFIG_FILE) ? CONFIG_FILE : NULL,
                              .message = message,
                              .write_to = CONFIG_FILE,
                              .lines = lines},
        err);
}

static bool is_loopback(const coras_url *url)
{
    return coras_url_host_is(url, "localhost") || coras_url_host_is(url, "::1") ||
           (url->host.len > 4 && strncmp(url->host.ptr, "127.", 4) == 0);
}

/* An entry is a host with its port, or a network: which addresses are in it is not judged here. */
static bool is_listed(const coras_json *list, coras_str authority)
{
    for (size_t i = 0; i < coras_json_len(list); i++) {
        const char *name = NULL;
        if (coras_json_string(coras_json_at(list, i), &name) &&
            (coras_str_eq(authority, name) || strchr(name, '/')))
            return true;
    }
    return false;
}

/* What keeps docker from using it, or NULL. */
static const char *obstacle(const coras_url *url, const coras_json *doc)
{
    if (url->path.len > 1 || url->query.ptr)
        return "docker refuses a mirror whose URL has a path";
    if (!url->https && !is_loopback(url) &&
        !is_listed(coras_json_get(doc, "insecure-registries"), url->authority))
        return "a mirror without https on another machine must be in insecure-registries too";
    return NULL;
}

static int judge_mirror(serve_node *n, const coras_json *doc, const char *mirror, coras_error **err)
{
    coras_url url;
    const char *why;

    if (coras_url_parse(mirror, &url, NULL) < 0)
        return found(n, SERVE_FOUND_BROKEN, "a registry mirror is no URL", err);
    why = obstacle(&url, doc);
    if (why)
        return found(n, SERVE_FOUND_BYPASSED, why, err);
    return serve_node_found_mirror(n,
                                   &(struct serve_mirror){.runtime = RUNTIME,
                                                          .registry = HUB,
                                                          .url = mirror,
                                                          .where = CONFIG_FILE,
                                                          .note = "other registries are never "
                                                                  "asked through a mirror"},
                                   err);
}

static int judge(serve_node *n, const coras_json *doc, coras_error **err)
{
    const coras_json *mirrors = coras_json_get(doc, "registry-mirrors");
    const char *first = NULL;

    if (coras_json_type_of(doc) != CORAS_JSON_OBJECT)
        return found(n, SERVE_FOUND_BROKEN, "the file is no JSON object", err);
    if (coras_json_len(mirrors) == 0 && (coras_json_type_of(mirrors) == CORAS_JSON_NULL ||
                                         coras_json_type_of(mirrors) == CORAS_JSON_ARRAY))
        return found(n, SERVE_FOUND_BYPASSED, "registry-mirrors is not set", err);
    if (coras_json_type_of(mirrors) != CORAS_JSON_ARRAY ||
        !coras_json_string(coras_json_at(mirrors, 0), &first))
        return found(n, SERVE_FOUND_BROKEN,
                     "registry-mirrors is no list of URLs: docker does not start with it", err);
    return judge_mirror(n, doc, first, err);
}

/* --registry-mirror on the command line of the daemon that runs, or NULL. */
static const char *mirror_of_words(const coras_strlist *words)
{
    static const char flag[] = "--registry-mirror";

    for (size_t i = 0; i < words->len; i++) {
        const char *word = words->items[i];
        if (!coras_str_starts(word, flag))
            continue;
        if (word[sizeof(flag) - 1] == '=')
            return word + sizeof(flag);
        if (word[sizeof(flag) - 1] == '\0' && i + 1 < words->len)
            return words->items[i + 1];
    }
    return NULL;
}

static int judge_words(serve_node *n, bool *ret_found, coras_error **err)
{
    struct serve_process daemon = {0};
    const char *mirror;
    int rc = 0;

    *ret_found = false;
    if (serve_node_find_process(n, "dockerd", &daemon, NULL) < 0)
        return 0;
    mirror = mirror_of_words(&daemon.words);
    *ret_found = mirror != NULL;
    if (mirror)
        rc = serve_node_found_mirror(n,
                                     &(struct serve_mirror){.runtime = RUNTIME,
                                                            .registry = HUB,
                                                            .url = mirror,
                                                            .where = "dockerd --registry-mirror"},
                                     err);
    serve_process_clear(&daemon);
    return rc;
}

int serve_doctor_docker(serve_node *n, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);
    coras_auto(coras_json) doc = NULL;
    coras_auto(coras_error) why = NULL;
    bool is_given = false;
    int rc = serve_node_read(n, CONFIG_FILE, &text, &why);

    CORAS_TRY(judge_words(n, &is_given, err));
    if (is_given)
        return 0;
    if (rc == CORAS_ERR_NOT_FOUND && !serve_node_has(n, "/usr/bin/dockerd") &&
        !serve_node_has(n, "/usr/sbin/dockerd"))
        return 0;
    if (rc == CORAS_ERR_NOT_FOUND)
        return found(n, SERVE_FOUND_BYPASSED, "there is no configuration", err);
    if (rc == 0)
        rc = coras_json_parse(text.ptr, text.len, &doc, &why);
    if (rc < 0)
        return serve_node_found_broken(n, RUNTIME, CONFIG_FILE, &why, err);
    return judge(n, doc, err);
}
