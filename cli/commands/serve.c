/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the embedded registry. It is a program of its own, so that no other command loads an HTTP
 * server and a database; this file has the options.
 */
#include "base/error.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "cli/app/registry_program.h"
#include "cli/options/optgroups.h"

struct serve_state {
    struct opt_string listen;
    struct opt_string root;
    struct opt_string metadata;
    struct opt_string layouts;
    struct opt_bool layouts_write;
    struct opt_string blobs;
    struct opt_string s3_endpoint;
    struct opt_string s3_region;
    struct opt_bool no_redirect;
    struct opt_string htpasswd;
    struct opt_string rules;
    struct opt_string tls_cert;
    struct opt_string tls_key;
    struct opt_bool anonymous_read;
    struct opt_list host;
    struct opt_list proxy;
    struct opt_string proxy_file;
    struct opt_int proxy_ttl;
    struct opt_bool no_stale;
    struct opt_string registry_config;
    struct opt_bool read_only;
    struct opt_bool disable_delete;
    struct opt_bool sparse_index;
    struct opt_bool access_log;
    struct opt_bool access_log_json;
    struct opt_int grace;
    struct opt_int min_free;
    struct opt_int cache_size;
    struct opt_int keep_filling;
    struct opt_int max_connections;
    struct opt_int max_connections_per_address;
};

#define SERVE_AT(member) OPT_AT(struct serve_state, member)
static const struct opt serve_options[] = {
    {"listen", 0, OPT_STRING, 0, SERVE_AT(listen), "127.0.0.1:5000",
     "`address` to accept connections at; port 0 lets the system choose one", NULL},
    {"root", 0, OPT_STRING, 0, SERVE_AT(root), NULL,
     "`directory` that holds the registry, made when missing", NULL},
    {"metadata", 0, OPT_STRING, OPT_SECRET, SERVE_AT(metadata), NULL,
     "with --root: keep repositories, tags and manifests in the PostgreSQL database at `URL`, in "
     "place "
     "of a file of the directory",
     NULL},
    {"layouts", 0, OPT_STRING, 0, SERVE_AT(layouts), NULL,
     "`directory` of OCI layouts to serve as they are, each as the repository of its path; with "
     "--root or without",
     NULL},
    {"layouts-write", 0, OPT_BOOL, 0, SERVE_AT(layouts_write), NULL,
     "with --layouts: allow pushes into them and deletions; without --root a push to another name "
     "makes a layout",
     NULL},
    {"blobs", 0, OPT_STRING, 0, SERVE_AT(blobs), NULL,
     "`place` of the blobs: s3://BUCKET/PREFIX in a store that speaks S3; without it they are in "
     "the directory",
     NULL},
    {"s3-endpoint", 0, OPT_STRING, 0, SERVE_AT(s3_endpoint), NULL,
     "with --blobs: `URL` of the store, when it is not Amazon's", NULL},
    {"s3-region", 0, OPT_STRING, 0, SERVE_AT(s3_region), "us-east-1",
     "with --blobs: `region` that requests to the store are signed for", NULL},
    {"no-redirect", 0, OPT_BOOL, 0, SERVE_AT(no_redirect), NULL,
     "with --blobs: bring blobs from the store, for clients that cannot reach it, in place of "
     "sending them there",
     NULL},
    {"htpasswd", 0, OPT_STRING, 0, SERVE_AT(htpasswd), NULL,
     "`file` of user names and bcrypt hashes; without it everybody may do everything", NULL},
    {"rules", 0, OPT_STRING, 0, SERVE_AT(rules), NULL,
     "`file` of who may do what in which repositories; what it does not allow is denied", NULL},
    {"anonymous-read", 0, OPT_BOOL, 0, SERVE_AT(anonymous_read), NULL,
     "with --htpasswd: reading needs no password", NULL},
    {"tls-cert", 0, OPT_STRING, 0, SERVE_AT(tls_cert), NULL,
     "certificate `file` (PEM) to serve https with", NULL},
    {"tls-key", 0, OPT_STRING, 0, SERVE_AT(tls_key), NULL,
     "private key `file` (PEM) of the certificate", NULL},
    {"host", 0, OPT_LIST, 0, SERVE_AT(host), NULL,
     "`name` of this machine to answer to beside localhost, where there are no passwords and the "
     "address is a loopback one; may be used several times",
     NULL},
    {"proxy", 0, OPT_LIST, 0, SERVE_AT(proxy), NULL,
     "be a cache: fetch what is not here from the registry at `URL`, or with NAME=URL what is "
     "asked "
     "for under the name of that registry; may be used several times; whoever may reach the cache "
     "reads what your credentials may read",
     NULL},
    {"proxy-file", 0, OPT_STRING, 0, SERVE_AT(proxy_file), NULL,
     "`file` with further values of --proxy, one a line; SIGHUP has it read again", NULL},
    {"proxy-ttl", 0, OPT_INT, 0, SERVE_AT(proxy_ttl), "60",
     "`seconds` for which a tag from a registry of --proxy is not asked for again", NULL},
    {"no-stale", 0, OPT_BOOL, 0, SERVE_AT(no_stale), NULL,
     "fail when a registry of --proxy does not answer, in place of serving what a tag last named",
     NULL},
    {"registry-config", 0, OPT_STRING, 0, SERVE_AT(registry_config), NULL,
     "`path` of the authentication file for the registries of --proxy", NULL},
    {"read-only", 0, OPT_BOOL, 0, SERVE_AT(read_only), NULL,
     "refuse everything that changes content, and write nothing to the directory", NULL},
    {"disable-delete", 0, OPT_BOOL, 0, SERVE_AT(disable_delete), NULL, "refuse to delete content",
     NULL},
    {"sparse-index", 0, OPT_BOOL, 0, SERVE_AT(sparse_index), NULL,
     "accept indexes whose manifests are absent", NULL},
    {"access-log", 0, OPT_BOOL, 0, SERVE_AT(access_log), NULL,
     "print one line per request on standard error", NULL},
    {"access-log-json", 0, OPT_BOOL, 0, SERVE_AT(access_log_json), NULL,
     "with --access-log: as JSON objects", NULL},
    {"grace", 0, OPT_INT, 0, SERVE_AT(grace), "30",
     "`seconds` that running requests may take to finish after a signal", NULL},
    {"min-free", 0, OPT_INT, 0, SERVE_AT(min_free), NULL,
     "refuse uploads when the disk has fewer free `bytes`", NULL},
    {"cache-size", 0, OPT_INT, 0, SERVE_AT(cache_size), NULL,
     "with --proxy: keep at most so many `bytes` of what was fetched; what nobody has read for "
     "longest goes, never what was pushed here",
     NULL},
    {"keep-filling", 0, OPT_INT, 0, SERVE_AT(keep_filling), "600",
     "with --proxy: `seconds` that a transfer goes on which nobody waits for, when more than nine "
     "tenths of it are missing; it is continued where it stopped when somebody asks",
     NULL},
    {"max-connections", 0, OPT_INT, 0, SERVE_AT(max_connections), "4096", "connections at a time",
     NULL},
    {"max-connections-per-address", 0, OPT_INT, 0, SERVE_AT(max_connections_per_address), "256",
     "connections at a time from one address, 0 for no limit; one of this machine may have half of "
     "all, unless this is given",
     NULL},
    OPT_END,
};
static const struct opt_use serve_groups[] = {{serve_options, 0, NULL, NULL}, {0}};

/* ---- the command ---- */

static int check_range(const char *flag, const struct opt_int *value, coras_error **err)
{
    if (value->value >= 0 && value->value <= INT32_MAX)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--%s must be between 0 and %d", flag,
                      INT32_MAX);
}

static int check_metadata(const struct opt_string *metadata, const struct opt_string *root,
                          coras_error **err)
{
    if (!*metadata->value)
        return 0;
    if (!coras_str_starts(metadata->value, "postgres://") &&
        !coras_str_starts(metadata->value, "postgresql://"))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--metadata must be a URL of PostgreSQL (postgres://...)");
    if (!*root->value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--metadata must be used in conjunction with --root");
    return 0;
}

static int check_places(const struct serve_state *s, coras_error **err)
{
    if (!*s->root.value && !*s->layouts.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--root or --layouts must name a directory");
    CORAS_TRY(check_metadata(&s->metadata, &s->root, err));
    if (s->layouts_write.value && (!*s->layouts.value || s->read_only.value))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--layouts-write needs --layouts, and no --read-only");
    if (s->layouts_write.value && *s->blobs.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--layouts-write cannot be used with --blobs");
    if (!*s->listen.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--listen must name an address");
    return 0;
}

static int serve_prepare(struct call *call, coras_error **err)
{
    const struct serve_state *s = call->state;
    CORAS_TRY(check_places(s, err));
    if (!*s->tls_cert.value != !*s->tls_key.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--tls-cert and --tls-key must be used together");
    if (s->anonymous_read.value && !*s->htpasswd.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--anonymous-read must be used in conjunction with --htpasswd");
    if (s->anonymous_read.value && *s->rules.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--anonymous-read cannot be used with --rules; the line 'allow everyone "
                          "pull,list **' says the same");
    if (s->min_free.value < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--min-free must not be negative");
    if (s->cache_size.value < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--cache-size must not be negative");
    CORAS_TRY(check_range("keep-filling", &s->keep_filling, err));
    CORAS_TRY(check_range("grace", &s->grace, err));
    CORAS_TRY(check_range("proxy-ttl", &s->proxy_ttl, err));
    CORAS_TRY(check_range("max-connections", &s->max_connections, err));
    return check_range("max-connections-per-address", &s->max_connections_per_address, err);
}

static int serve_run(struct call *call, coras_error **err)
{
    return registry_program_run(call, NULL, err);
}

static const struct example serve_examples[] = {
    {"Serve the directory 'registry' at localhost:5000", "serve --root registry"},
    {"Serve on a port that the system chooses", "serve --root registry --listen 127.0.0.1:0"},
    {"Serve the OCI layouts below 'models', each as a repository", "serve --layouts models"},
    {"Be a node's cache of two registries",
     "serve --root cache --proxy docker.io=https://registry-1.docker.io --proxy "
     "ghcr.io=https://ghcr.io"},
    {"Ask for passwords when something is pushed",
     "serve --root registry --htpasswd users --anonymous-read"},
    {"Serve https on all addresses",
     "serve --root registry --listen :443 --tls-cert cert.pem --tls-key key.pem"},
    {NULL, NULL},
};

static const struct cmd *const serve_children[] = {&cmd_serve_doctor, &cmd_serve_gc,
                                                   &cmd_serve_verify, NULL};

const struct cmd cmd_serve = {
    .name = "serve",
    .use = "[flags] {--root <dir> | --layouts <dir>}",
    .summary = "Serve a directory as an OCI registry",
    .about = "Serve a directory as an OCI registry, until SIGINT or SIGTERM",
    .examples = serve_examples,
    .children = serve_children,
    .options = serve_groups,
    .state_size = sizeof(struct serve_state),
    .prepare = serve_prepare,
    .run = serve_run,
};
