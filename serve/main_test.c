/*
 * coras-serve-test: the server alone, for its tests.
 * usage: coras-serve-test ROOT LISTEN [htpasswd=FILE] [anonymous-read] [no-delete] [sparse-index]
 *        [access-log] [tls-cert=FILE] [tls-key=FILE] [grace=SECONDS] [idle=SECONDS]
 *        [manifest-limit=BYTES] [min-free=BYTES] [max-connections=N]
 */
#include "serve/server.h"

#include <stdio.h>
#include "base/str.h"

static int64_t number(const char *text)
{
    int64_t n = 0;

    return coras_parse_int64(coras_str_of(text), &n) ? n : -1;
}

static bool set_flag(struct serve_options *o, const char *name)
{
    bool *flag = coras_streq(name, "anonymous-read") ? &o->anonymous_read
                 : coras_streq(name, "no-delete")    ? &o->delete_disabled
                 : coras_streq(name, "sparse-index") ? &o->sparse_index
                 : coras_streq(name, "access-log")   ? &o->access_log
                                                     : NULL;

    if (flag)
        *flag = true;
    return flag != NULL;
}

static bool set_value(struct serve_options *o, const char *name)
{
    const char *value = strchr(name, '=');

    if (!value++)
        return false;
    if (coras_str_starts(name, "htpasswd="))
        o->htpasswd = value;
    else if (coras_str_starts(name, "tls-cert="))
        o->tls_cert = value;
    else if (coras_str_starts(name, "tls-key="))
        o->tls_key = value;
    else if (coras_str_starts(name, "grace="))
        o->grace_seconds = (int)number(value);
    else if (coras_str_starts(name, "idle="))
        o->idle_seconds = (int)number(value);
    else if (coras_str_starts(name, "manifest-limit="))
        o->manifest_limit = number(value);
    else if (coras_str_starts(name, "min-free="))
        o->min_free_bytes = number(value);
    else if (coras_str_starts(name, "max-connections="))
        o->max_connections = (unsigned)number(value);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct serve_options o = SERVE_OPTIONS_INIT;
    coras_auto(coras_error) err = NULL;

    if (argc < 3) {
        fprintf(stderr, "usage: %s ROOT LISTEN [OPTION...]\n", argv[0]);
        return 2;
    }
    o.root = argv[1];
    o.listen = argv[2];
    for (int i = 3; i < argc; i++) {
        if (!set_flag(&o, argv[i]) && !set_value(&o, argv[i])) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    if (serve_until_signal(&o, &err) < 0) {
        fprintf(stderr, "Error: %s\n", coras_error_message(err));
        if (coras_error_hint(err))
            fprintf(stderr, "Hint: %s\n", coras_error_hint(err));
        return 1;
    }
    return 0;
}
