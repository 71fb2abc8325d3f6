/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of coras-serve: "--name" for what is on or off, "--name=value" for everything else.
 */
#include "serve/options.h"

#include <stddef.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "serve/operate/chores.h"
#include "serve/storage/metadata.h"

enum kind { FLAG, TEXT, LIST, NUMBER, SECRET };

/* A URL. */
#define SECRET_BYTES_MAX 8192

struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    int64_t least, most; /* NUMBER */
};

#define AT(member) offsetof(struct serve_options, member)
static const struct row rows[] = {
    {"listen", TEXT, AT(listen), 0, 0},
    {"root", TEXT, AT(root), 0, 0},
    {"metadata", TEXT, AT(metadata), 0, 0},
    {"metadata-fd", SECRET, AT(metadata_secret), 0, INT32_MAX},
    {"layouts", TEXT, AT(layouts), 0, 0},
    {"layouts-write", FLAG, AT(layouts_write), 0, 0},
    {"blobs", TEXT, AT(blobs), 0, 0},
    {"s3-endpoint", TEXT, AT(s3_endpoint), 0, 0},
    {"s3-region", TEXT, AT(s3_region), 0, 0},
    {"no-redirect", FLAG, AT(no_redirect), 0, 0},
    {"htpasswd", TEXT, AT(htpasswd), 0, 0},
    {"rules", TEXT, AT(rules), 0, 0},
    {"tls-cert", TEXT, AT(tls_cert), 0, 0},
    {"tls-key", TEXT, AT(tls_key), 0, 0},
    {"host", LIST, AT(hosts), 0, 0},
    {"proxy", LIST, AT(proxies), 0, 0},
    {"proxy-file", TEXT, AT(proxy_file), 0, 0},
    {"proxy-ttl", NUMBER, AT(proxy_ttl), 0, INT32_MAX},
    {"no-stale", FLAG, AT(no_stale), 0, 0},
    {"registry-config", TEXT, AT(registry_config), 0, 0},
    {"anonymous-read", FLAG, AT(anonymous_read), 0, 0},
    {"read-only", FLAG, AT(read_only), 0, 0},
    {"disable-delete", FLAG, AT(disable_delete), 0, 0},
    {"sparse-index", FLAG, AT(sparse_index), 0, 0},
    {"access-log", FLAG, AT(access_log), 0, 0},
    {"access-log-json", FLAG, AT(access_log_json), 0, 0},
    {"grace", NUMBER, AT(grace), 0, INT32_MAX},
    {"min-free", NUMBER, AT(min_free), 0, INT64_MAX},
    {"keep-filling", NUMBER, AT(keep_filling), 0, INT32_MAX},
    {"cache-size", NUMBER, AT(cache_size), 0, INT64_MAX},
    {"max-connections", NUMBER, AT(max_connections), 1, INT32_MAX},
    {"max-connections-per-address", NUMBER, AT(max_connections_per_address), 0, INT32_MAX},
    /* not options of the command: for tests of these bounds */
    {"idle", NUMBER, AT(idle), 1, INT32_MAX},
    {"manifest-limit", NUMBER, AT(manifest_limit), 1, INT32_MAX},
    {NULL, FLAG, 0, 0, 0},
};

void serve_options_clear(struct serve_options *options)
{
    coras_strlist_clear(&options->hosts);
    coras_strlist_clear(&options->proxies);
    coras_free_secret(options->metadata_secret);
}

#define CHORE_AT(member) offsetof(struct serve_chore, member)
static const struct row chore_rows[] = {
    {"root", TEXT, CHORE_AT(of.root), 0, 0},
    {"metadata", TEXT, CHORE_AT(of.metadata), 0, 0},
    {"metadata-fd", SECRET, CHORE_AT(of.metadata_secret), 0, INT32_MAX},
    {"format", TEXT, CHORE_AT(format), 0, 0},
    {"blobs", TEXT, CHORE_AT(of.blobs), 0, 0},
    {"s3-endpoint", TEXT, CHORE_AT(of.s3_endpoint), 0, 0},
    {"s3-region", TEXT, CHORE_AT(of.s3_region), 0, 0},
    {"remove", FLAG, CHORE_AT(remove), 0, 0},
    {"dry-run", FLAG, CHORE_AT(dry_run), 0, 0},
    {"older-than", NUMBER, CHORE_AT(older_than), 0, INT32_MAX},
    {"proxy", LIST, CHORE_AT(of.proxies), 0, 0},
    {"proxy-file", TEXT, CHORE_AT(of.proxy_file), 0, 0},
    {"registry-config", TEXT, CHORE_AT(of.registry_config), 0, 0},
    {NULL, FLAG, 0, 0, 0},
};

static const struct row *find_row(const struct row *row, coras_str name)
{
    while (row->name && !coras_str_eq(name, row->name))
        row++;
    return row->name ? row : NULL;
}

static int set_number(const struct row *row, const char *value, int64_t *ret, coras_error **err)
{
    int64_t number = 0;

    if (!coras_parse_int64(coras_str_of(value), &number) || number < row->least ||
        number > row->most)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--%s must be between %lld and %lld",
                          row->name, (long long)row->least, (long long)row->most);
    *ret = number;
    return 0;
}

/* What others must not see in our arguments: the descriptor that it can be read from. */
static int set_secret(const struct row *row, const char *value, char **ret, coras_error **err)
{
    coras_auto_secret char *text = coras_calloc(1, SECRET_BYTES_MAX + 1);
    coras_auto_fd fd = -1;
    int64_t number = -1;

    if (!text)
        return coras_fail_no_memory(err);
    CORAS_TRY(set_number(row, value, &number, err));
    fd = (int)number;
    if (read(fd, text, SECRET_BYTES_MAX) <= 0) /* it was written in one piece */
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--%s cannot be read", row->name);
    coras_free_secret(*ret);
    *ret = coras_steal(&text);
    return 0;
}

static int set_row(void *o, const struct row *row, const char *value, coras_error **err)
{
    char *at = (char *)o + row->offset;

    if ((row->kind == FLAG) != !value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--%s %s", row->name,
                          value ? "takes no value" : "needs a value (--name=value)");
    switch (row->kind) {
    case FLAG:
        *(bool *)(void *)at = true;
        return 0;
    case TEXT:
        *(const char **)(void *)at = *value ? value : NULL;
        return 0;
    case LIST:
        return coras_strlist_add((coras_strlist *)(void *)at, value, err);
    case SECRET:
        return set_secret(row, value, (char **)(void *)at, err);
    default:
        return set_number(row, value, (int64_t *)(void *)at, err);
    }
}

static int set_argument(void *o, const struct row *table, const char *word, coras_error **err)
{
    const char *equals = strchr(word, '=');
    coras_str name = {word, equals ? (size_t)(equals - word) : strlen(word)};
    const struct row *row = NULL;

    if (coras_str_starts(word, "--"))
        row = find_row(table, (coras_str){name.ptr + 2, name.len - 2});
    if (!row)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "unknown argument %s", word);
    return set_row(o, row, equals ? equals + 1 : NULL, err);
}

static int check_metadata(struct serve_options *o, coras_error **err)
{
    if (o->metadata_secret)
        o->metadata = o->metadata_secret;
    if (o->metadata && !serve_metadata_is_url(o->metadata))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--metadata must be a URL of PostgreSQL (postgres://...)");
    if (o->metadata && !o->root)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--metadata needs --root");
    return 0;
}

int serve_options_parse(struct serve_options *o, char **argv, coras_error **err)
{
    for (; *argv; argv++)
        CORAS_TRY(set_argument(o, rows, *argv, err));
    CORAS_TRY(check_metadata(o, err));
    if (!o->listen || (!o->root && !o->layouts))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--root and --listen are required, or --layouts and --listen");
    if (o->layouts_write && (!o->layouts || o->read_only))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--layouts-write needs --layouts, and no --read-only");
    if (o->layouts_write && o->blobs)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--layouts-write cannot be used with --blobs");
    if (!o->tls_cert != !o->tls_key)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a certificate and its key go together");
    if (serve_options_are_proxy(o) && o->read_only)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--proxy and --proxy-file keep what is fetched: they cannot be used with "
                          "--read-only");
    return 0;
}

void serve_chore_clear(struct serve_chore *chore)
{
    serve_options_clear(&chore->of);
}

int serve_chore_parse(struct serve_chore *chore, char **argv, coras_error **err)
{
    for (; *argv; argv++)
        CORAS_TRY(set_argument(chore, chore_rows, *argv, err));
    if (!chore->of.root)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--root is required");
    return check_metadata(&chore->of, err);
}
