/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms: parsed from the user's words, read from JSON, compared (platform.h).
 */
#include "oci/platform.h"

#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "gospell/quote.h"
#include "oci/json_fields.h"

#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#elif defined(__arm__)
#define HOST_ARCH "arm"
#elif defined(__i386__)
#define HOST_ARCH "386"
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ARCH "riscv64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define HOST_ARCH "ppc64le"
#elif defined(__powerpc64__)
#define HOST_ARCH "ppc64"
#elif defined(__s390x__)
#define HOST_ARCH "s390x"
#elif defined(__loongarch64)
#define HOST_ARCH "loong64"
#elif defined(__mips64) && defined(__MIPSEL__)
#define HOST_ARCH "mips64le"
#else
#define HOST_ARCH "unknown"
#endif

#if defined(__linux__)
#define HOST_OS "linux"
#elif defined(__FreeBSD__)
#define HOST_OS "freebsd"
#elif defined(__APPLE__)
#define HOST_OS "darwin"
#else
#define HOST_OS "unknown"
#endif

const char *coras_host_os(void)
{
    return HOST_OS;
}

const char *coras_host_arch(void)
{
    return HOST_ARCH;
}

void coras_platform_clear(coras_platform *p)
{
    free(p->architecture);
    free(p->os);
    free(p->os_version);
    coras_text_list_free(p->os_features);
    free(p->variant);
    *p = (coras_platform){0};
}

/* ---- what the user asks for ---- */

/* The next part up to '/' as a new string; *at moves behind it, NULL after the last. */
static char *take_part(const char **at)
{
    const char *start = *at, *slash = strchr(start, '/');

    *at = slash ? slash + 1 : NULL;
    return slash ? coras_strndup(start, (size_t)(slash - start)) : coras_strdup(start);
}

static int too_many_parts(const char *text, coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(text);

    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "failed to parse platform %s: expected format os[/arch[/variant]]", quoted);
}

static int check_parts(const coras_platform *p, coras_error **err)
{
    if (!*p->os)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid platform: OS cannot be empty");
    if (!*p->architecture)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "invalid platform: Architecture cannot be empty");
    return 0;
}

static int parse_parts(const char *text, const char *names, coras_platform *p, coras_error **err)
{
    const char *at = names;

    p->os = take_part(&at);
    p->architecture = at ? take_part(&at) : coras_strdup(coras_host_arch());
    if (!p->os || !p->architecture)
        return coras_fail_no_memory(err);
    if (at) {
        p->variant = take_part(&at);
        if (!p->variant)
            return coras_fail_no_memory(err);
    }
    return at ? too_many_parts(text, err) : check_parts(p, err);
}

int coras_platform_parse(const char *text, coras_platform *ret, coras_error **err)
{
    coras_auto_value(coras_platform) p = {0};
    coras_auto_free char *names = NULL;
    size_t names_len = strcspn(text, ":");

    names = coras_strndup(text, names_len);
    if (!names)
        return coras_fail_no_memory(err);
    if (text[names_len] == ':') {
        p.os_version = coras_strdup(text + names_len + 1);
        if (!p.os_version)
            return coras_fail_no_memory(err);
    }
    CORAS_TRY(parse_parts(text, names, &p, err));
    *ret = p;
    p = (coras_platform){0};
    return 0;
}

int coras_platform_copy(coras_platform *to, const coras_platform *from, coras_error **err)
{
    coras_auto_value(coras_platform) p = {0};

    if (!coras_text_copy(&p.architecture, from->architecture) ||
        !coras_text_copy(&p.os, from->os) || !coras_text_copy(&p.os_version, from->os_version) ||
        !coras_text_copy(&p.variant, from->variant) ||
        !coras_text_list_copy(&p.os_features, from->os_features))
        return coras_fail_no_memory(err);
    coras_platform_clear(to);
    *to = p;
    p = (coras_platform){0};
    return 0;
}

/* ---- JSON ---- */

int coras_platform_from_json(const coras_json *v, const char *what, coras_platform *ret,
                             coras_error **err)
{
    coras_auto_value(coras_platform) p = {0};

    CORAS_TRY(coras_field_object(v, what, err));
    CORAS_TRY(coras_field_text(v, what, "architecture", &p.architecture, err));
    CORAS_TRY(coras_field_text(v, what, "os", &p.os, err));
    CORAS_TRY(coras_field_text(v, what, "os.version", &p.os_version, err));
    CORAS_TRY(coras_field_text_list(v, what, "os.features", &p.os_features, err));
    CORAS_TRY(coras_field_text(v, what, "variant", &p.variant, err));
    coras_platform_clear(ret);
    *ret = p;
    p = (coras_platform){0};
    return 0;
}

void coras_platform_write(coras_json_writer *w, const coras_platform *p)
{
    coras_jw_object(w);
    coras_jw_member(w, "architecture", p->architecture ? p->architecture : "");
    coras_jw_member(w, "os", p->os ? p->os : "");
    coras_jw_member_opt(w, "os.version", p->os_version);
    coras_text_list_write(w, "os.features", p->os_features);
    coras_jw_member_opt(w, "variant", p->variant);
    coras_jw_end_object(w);
}

/* ---- comparing, showing ---- */

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool wanted(const char *text)
{
    return text && *text;
}

bool coras_platform_matches(const coras_platform *have, const coras_platform *want)
{
    return same(have->os, want->os) && same(have->architecture, want->architecture) &&
           (!wanted(want->variant) || same(have->variant, want->variant)) &&
           (!wanted(want->os_version) || same(have->os_version, want->os_version));
}

void coras_platform_put(coras_buf *b, const coras_platform *p)
{
    coras_buf_printf(b, "%s/%s", p->os ? p->os : "", p->architecture ? p->architecture : "");
    if (wanted(p->variant))
        coras_buf_printf(b, "/%s", p->variant);
    if (wanted(p->os_version))
        coras_buf_printf(b, ":%s", p->os_version);
}
