/*
 * serve: the embedded registry. It lives in a module of its own, so that no other command loads an
 * HTTP server and a database; this file finds and calls it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/app/commands.h"
#include "cli/options/optgroups.h"
#include "serve/server.h"

#define MODULE_NAME "coras-server.so"

struct serve_state {
    struct opt_string listen;
    struct opt_string root;
    struct opt_string htpasswd;
    struct opt_string tls_cert;
    struct opt_string tls_key;
    struct opt_bool anonymous_read;
    struct opt_bool disable_delete;
    struct opt_bool sparse_index;
    struct opt_bool access_log;
    struct opt_int grace;
    struct opt_int min_free;
    struct opt_int max_connections;
    struct opt_int max_connections_per_address;
};

#define SERVE_AT(member) OPT_AT(struct serve_state, member)
static const struct opt serve_options[] = {
    {"listen", 0, OPT_STRING, 0, SERVE_AT(listen), "127.0.0.1:5000",
     "`address` to accept connections at; port 0 lets the system choose one", NULL},
    {"root", 0, OPT_STRING, OPT_REQUIRED, SERVE_AT(root), NULL,
     "`directory` that holds the registry, made when missing", NULL},
    {"htpasswd", 0, OPT_STRING, 0, SERVE_AT(htpasswd), NULL,
     "`file` of user names and bcrypt hashes; without it everybody may do everything", NULL},
    {"anonymous-read", 0, OPT_BOOL, 0, SERVE_AT(anonymous_read), NULL,
     "with --htpasswd: reading needs no password", NULL},
    {"tls-cert", 0, OPT_STRING, 0, SERVE_AT(tls_cert), NULL,
     "certificate `file` (PEM) to serve https with", NULL},
    {"tls-key", 0, OPT_STRING, 0, SERVE_AT(tls_key), NULL,
     "private key `file` (PEM) of the certificate", NULL},
    {"disable-delete", 0, OPT_BOOL, 0, SERVE_AT(disable_delete), NULL, "refuse to delete content",
     NULL},
    {"sparse-index", 0, OPT_BOOL, 0, SERVE_AT(sparse_index), NULL,
     "accept indexes whose manifests are absent", NULL},
    {"access-log", 0, OPT_BOOL, 0, SERVE_AT(access_log), NULL,
     "print one line per request on standard error", NULL},
    {"grace", 0, OPT_INT, 0, SERVE_AT(grace), "30",
     "`seconds` that running requests may take to finish after a signal", NULL},
    {"min-free", 0, OPT_INT, 0, SERVE_AT(min_free), NULL,
     "refuse uploads when the disk has fewer free `bytes`", NULL},
    {"max-connections", 0, OPT_INT, 0, SERVE_AT(max_connections), "4096", "connections at a time",
     NULL},
    {"max-connections-per-address", 0, OPT_INT, 0, SERVE_AT(max_connections_per_address), NULL,
     "connections at a time from one address, 0 for no limit", NULL},
    OPT_END,
};
static const struct opt_use serve_groups[] = {{serve_options, 0, NULL, NULL}, {0}};

/* ---- the module ---- */

typedef int (*server_run)(const struct serve_options *opts, coras_error **err);

/* Directory of this program with the final slash; NULL when the system does not say. */
static char *program_directory(void)
{
    coras_auto_buf path = CORAS_BUF_INIT(CORAS_LIMIT_PATH);
    if (!coras_buf_reserve(&path, CORAS_LIMIT_PATH - 1))
        return NULL;
    ssize_t len = readlink("/proc/self/exe", path.ptr, CORAS_LIMIT_PATH - 1);
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return len > 0 ? coras_strndup(path.ptr, (size_t)len) : NULL;
}

/* Beside a program in its build tree, beside an installed one that was moved, where it was
 * configured to be. */
static void *open_module(void)
{
    static const char *const places[] = {"../serve/", "../" CORAS_LIBDIR "/coras/", NULL};
    coras_auto_free char *directory = program_directory();
    void *module = NULL;
    for (size_t i = 0; directory && places[i] && !module; i++) {
        coras_auto_free char *path = coras_asprintf("%s%s" MODULE_NAME, directory, places[i]);
        if (path && access(path, R_OK) == 0)
            module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return module ? module : dlopen(CORAS_PREFIX "/" CORAS_LIBDIR "/coras/" MODULE_NAME, RTLD_NOW);
}

static int load_server(server_run *ret, coras_error **err)
{
    void *module = open_module();
    const char *why = module ? NULL : dlerror();
    if (!module)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "the server module " MODULE_NAME " cannot be loaded: %s",
                          why ? why : "unknown reason");
    void *symbol = dlsym(module, "serve_until_signal");
    if (!symbol)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED, MODULE_NAME " is of another version");
    memcpy(ret, &symbol, sizeof(*ret)); /* ISO C has no cast from an object to a function */
    return 0;
}

/* ---- the command ---- */

static int check_range(const char *flag, const struct opt_int *value, coras_error **err)
{
    if (value->value >= 0 && value->value <= INT32_MAX)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--%s must be between 0 and %d", flag,
                      INT32_MAX);
}

static int check_places(const struct serve_state *s, coras_error **err)
{
    if (!*s->root.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--root must name a directory");
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
    if (s->min_free.value < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--min-free must not be negative");
    CORAS_TRY(check_range("grace", &s->grace, err));
    CORAS_TRY(check_range("max-connections", &s->max_connections, err));
    return check_range("max-connections-per-address", &s->max_connections_per_address, err);
}

static void print_ready(const char *address, void *user)
{
    (void)user;
    printf("listening on %s\n", address);
    fflush(stdout);
}

static const char *given(const struct opt_string *option)
{
    return *option->value ? option->value : NULL;
}

static int serve_run(struct call *call, coras_error **err)
{
    const struct serve_state *s = call->state;
    server_run run = NULL;
    CORAS_TRY(load_server(&run, err));
    struct serve_options options = SERVE_OPTIONS_INIT;
    options.listen = s->listen.value;
    options.root = s->root.value;
    options.htpasswd = given(&s->htpasswd);
    options.tls_cert = given(&s->tls_cert);
    options.tls_key = given(&s->tls_key);
    options.anonymous_read = s->anonymous_read.value;
    options.delete_disabled = s->disable_delete.value;
    options.sparse_index = s->sparse_index.value;
    options.access_log = s->access_log.value;
    options.grace_seconds = s->grace.value ? (int)s->grace.value : -1;
    options.min_free_bytes = s->min_free.value;
    options.max_connections = (unsigned)s->max_connections.value;
    options.max_connections_per_address = (unsigned)s->max_connections_per_address.value;
    options.ready = print_ready;
    return run(&options, err);
}

static const struct example serve_examples[] = {
    {"Serve the directory 'registry' at localhost:5000", "serve --root registry"},
    {"Serve on a port that the system chooses", "serve --root registry --listen 127.0.0.1:0"},
    {"Ask for passwords when something is pushed",
     "serve --root registry --htpasswd users --anonymous-read"},
    {"Serve https on all addresses",
     "serve --root registry --listen :443 --tls-cert cert.pem --tls-key key.pem"},
    {NULL, NULL},
};

const struct cmd cmd_serve = {
    .name = "serve",
    .use = "[flags] --root <dir>",
    .summary = "Serve a directory as an OCI registry",
    .about = "Serve a directory as an OCI registry, until SIGINT or SIGTERM",
    .examples = serve_examples,
    .options = serve_groups,
    .state_size = sizeof(struct serve_state),
    .prepare = serve_prepare,
    .run = serve_run,
};
