/* SPDX-License-Identifier: Apache-2.0 */
/* Placing repositories. */
#include "serve/proxy/names.h"

#include "base/alloc.h"
#include "coras/reference.h"

void serve_place_clear(serve_place *place)
{
    free(place->local);
    free(place->remote);
    free(place->via);
    *place = (serve_place){0};
}

/* Repositories of Docker Hub have two components; people leave out the first of the official ones.
 */
static const char *hub_folder(const serve_upstream *u, const char *repository)
{
    bool is_hub = coras_streq(u->setting.name, SERVE_HUB_NAME) ||
                  coras_streq(u->setting.host, SERVE_HUB_HOST);

    return is_hub && !strchr(repository, '/') ? "library/" : "";
}

static enum serve_place_verdict check(serve_place *place)
{
    bool ok = place->local && place->remote && coras_repository_validate(place->remote, NULL) == 0;

    if (ok)
        return SERVE_PLACE_OK;
    ok = place->local && place->remote;
    serve_place_clear(place);
    return ok ? SERVE_PLACE_BAD_NAME : SERVE_PLACE_NO_MEMORY;
}

/* In the upstream for everything names stay as they are, since what is pushed here has them too. */
static enum serve_place_verdict place_in(serve_upstream *u, const char *repository,
                                         serve_place *ret)
{
    const char *folder = hub_folder(u, repository);
    const char *path = u->setting.path;

    ret->upstream = u;
    ret->is_named = *u->setting.name != '\0';
    ret->local = ret->is_named ? coras_asprintf("%s/%s%s", u->setting.name, folder, repository)
                               : coras_strdup(repository);
    ret->remote = coras_asprintf("%s%s%s%s", path, *path ? "/" : "", folder, repository);
    return check(ret);
}

static enum serve_place_verdict place_here(const char *repository, serve_place *ret)
{
    if (coras_repository_validate(repository, NULL) < 0)
        return SERVE_PLACE_BAD_NAME;
    ret->local = coras_strdup(repository);
    return ret->local ? SERVE_PLACE_OK : SERVE_PLACE_NO_MEMORY;
}

/* A configured name, or the host behind the upstream for everything. */
static serve_upstream *find_by_ns(const serve_upstreams *all, const char *name)
{
    serve_upstream *u = *name ? serve_upstreams_find(all, name) : NULL;
    coras_auto_free char *host = NULL;

    if (u || !*name)
        return u;
    u = serve_upstreams_find(all, "");
    host = u ? serve_proxy_name(u->setting.host) : NULL;
    return host && coras_streq(host, name) ? u : NULL;
}

static enum serve_place_verdict place_by_ns(const serve_upstreams *all, const char *repository,
                                            const char *ns, serve_place *ret)
{
    coras_auto_free char *name = serve_proxy_name(ns);
    serve_upstream *u;

    if (!name)
        return SERVE_PLACE_NO_MEMORY;
    if (coras_repository_validate(repository, NULL) < 0)
        return SERVE_PLACE_BAD_NAME;
    u = find_by_ns(all, name);
    return u ? place_in(u, repository, ret) : SERVE_PLACE_UNKNOWN;
}

/* The upstream that the first component names, and the rest; NULL for none. */
static serve_upstream *find_by_component(const serve_upstreams *all, const char *repository,
                                         const char **ret_rest)
{
    const char *slash = strchr(repository, '/');
    coras_auto_free char *first = NULL;
    coras_auto_free char *name = NULL;

    if (!slash)
        return NULL;
    first = coras_strndup(repository, (size_t)(slash - repository));
    name = first ? serve_proxy_name(first) : NULL;
    *ret_rest = slash + 1;
    return name && *name ? serve_upstreams_find(all, name) : NULL;
}

enum serve_place_verdict serve_place_find(const serve_upstreams *all, const char *repository,
                                          const struct serve_query *query, serve_place *ret)
{
    const char *ns = serve_query_get(query, "ns");
    const char *rest = NULL;
    serve_upstream *u;

    *ret = (serve_place){0};
    if (!serve_upstreams_any(all))
        return place_here(repository, ret);
    if (ns)
        return place_by_ns(all, repository, ns, ret);
    u = find_by_component(all, repository, &rest);
    if (u)
        return place_in(u, rest, ret);
    u = serve_upstreams_find(all, "");
    return u ? place_in(u, repository, ret) : place_here(repository, ret);
}

int serve_place_target(const serve_place *place, coras_target **ret, coras_error **err)
{
    return serve_upstream_target(place->upstream, place->remote, place->via, ret, err);
}
