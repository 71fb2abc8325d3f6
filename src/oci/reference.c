/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References: registry, repository, and a tag or digest, from the text that a user types.
 */
#include "coras/reference.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/str.h"
#include "gospell/quote.h"

static int invalid_part(coras_error **err, const char *part, const char *text)
{
    coras_auto_free char *quoted = coras_go_quote_dup(text);

    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid reference: invalid %s %s", part,
                      quoted);
}

/* ---- registry: what Go's net/url takes for the host of a URL, unchanged ---- */

static bool is_host_byte(char c)
{
    return coras_is_alnum(c) || (unsigned char)c >= 0x80 ||
           (c != '\0' && strchr("-_.~!$&'()*+,;=:[]<>\"", c));
}

/* "" or ":" and digits, which may be none. */
static bool is_optional_port(const char *s)
{
    if (*s == '\0')
        return true;
    if (*s++ != ':')
        return false;
    while (coras_is_digit(*s))
        s++;
    return *s == '\0';
}

/* "[" IPv6 address "]" optional-port */
static bool is_bracketed(const char *host)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    const char *end = strrchr(host, ']');
    size_t len;

    if (!end || !is_optional_port(end + 1))
        return false;
    len = (size_t)(end - host) - 1;
    if (len >= sizeof(address))
        return false;
    memcpy(address, host + 1, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, binary) == 1;
}

static bool is_registry(const char *host)
{
    const char *bracket = strrchr(host, '['), *colon = strrchr(host, ':');

    if (!*host)
        return false;
    for (const char *c = host; *c; c++) {
        if (!is_host_byte(*c))
            return false;
    }
    if (bracket)
        return bracket == host && is_bracketed(host);
    return !colon || is_optional_port(colon);
}

/* The registry in "https://host/path"; NULL when there is none. New string. */
static char *registry_in(const char *text)
{
    const char *scheme_end = strstr(text, "://");
    const char *start = scheme_end ? scheme_end + 3 : text;
    char *name = coras_strndup(start, strcspn(start, "/"));

    if (name && is_registry(name))
        return name;
    free(name);
    return NULL;
}

int coras_registry_validate(const char *host, coras_error **err)
{
    if (!host)
        return coras_missing_argument(err);
    if (is_registry(host))
        return 0;
    coras_auto_free char *meant = registry_in(host);
    int rc = invalid_part(err, "registry", host);
    if (meant)
        coras_advise_with(err, CORAS_HINT_REGISTRY_NAME, meant);
    return rc;
}

/* ---- repository ---- */

static bool is_name_alnum(char c)
{
    return coras_is_lower(c) || coras_is_digit(c);
}

/* Length of one separator: ".", "_", "__" or dashes; 0: none. */
static size_t separator_len(const char *s)
{
    if (*s == '.')
        return 1;
    if (*s == '_')
        return s[1] == '_' ? 2 : 1;
    return strspn(s, "-");
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)* */
static bool is_repository(const char *s)
{
    for (;;) {
        if (!is_name_alnum(*s))
            return false;
        while (is_name_alnum(*s))
            s++;
        if (*s == '\0')
            return true;
        size_t len = *s == '/' ? 1 : separator_len(s);
        if (len == 0)
            return false;
        s += len;
    }
}

int coras_repository_validate(const char *name, coras_error **err)
{
    if (!name)
        return coras_missing_argument(err);
    return is_repository(name) ? 0 : invalid_part(err, "repository", name);
}

/* ---- tag, media type ---- */

static bool is_tag(const char *s)
{
    enum { MOST_BYTES = 128 };
    size_t len = 0;

    for (; s[len]; len++) {
        if (len == MOST_BYTES || (!coras_is_alnum(s[len]) && s[len] != '_' &&
                                  (len == 0 || (s[len] != '.' && s[len] != '-'))))
            return false;
    }
    return len > 0;
}

int coras_tag_validate(const char *tag, coras_error **err)
{
    if (!tag)
        return coras_missing_argument(err);
    return is_tag(tag) ? 0 : invalid_part(err, "tag", tag);
}

/* RFC 6838, 4.2: restricted-name; the length in bytes, 0 when it is none. */
static size_t restricted_name_len(const char *s)
{
    enum { MOST_BYTES = 127 };
    size_t len = 0;

    if (!coras_is_alnum(*s))
        return 0;
    while (s[len] && (coras_is_alnum(s[len]) || strchr("!#$&-^_.+", s[len])))
        len++;
    return len <= MOST_BYTES ? len : 0;
}

bool coras_media_type_is_valid(const char *media_type)
{
    size_t type = media_type ? restricted_name_len(media_type) : 0, subtype;

    if (type == 0 || media_type[type] != '/')
        return false;
    subtype = restricted_name_len(media_type + type + 1);
    return subtype > 0 && media_type[type + 1 + subtype] == '\0';
}

/* ---- whole references ---- */

void coras_reference_clear(coras_reference *r)
{
    free(r->registry);
    free(r->repository);
    free(r->reference);
    *r = (coras_reference){0};
}

static int validate_digest(const char *text, coras_error **err)
{
    coras_auto(coras_error) cause = NULL;
    coras_auto_free char *quoted = NULL;
    coras_digest digest;

    if (coras_digest_parse(text, &digest, &cause) == 0)
        return 0;
    quoted = coras_go_quote_dup(text);
    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid reference: invalid digest %s: %s",
                      quoted, coras_error_message(cause));
}

static int validate(const coras_reference *r, coras_error **err)
{
    CORAS_TRY(coras_registry_validate(r->registry, err));
    CORAS_TRY(coras_repository_validate(r->repository, err));
    if (!r->reference)
        return 0;
    return r->is_digest ? validate_digest(r->reference, err)
                        : coras_tag_validate(r->reference, err);
}

/* Split without a look at the grammar. */
static int split(const char *text, const char *slash, coras_reference *r, coras_error **err)
{
    const char *rest = slash + 1, *at = strchr(rest, '@');
    const char *after = NULL;
    size_t name_len = strcspn(rest, ":@");

    if (at) {
        after = at + 1; /* "name:tag@digest": the tag is dropped */
        r->is_digest = *after != '\0';
    } else if (rest[name_len] == ':') {
        after = rest + name_len + 1;
    }
    r->registry = coras_strndup(text, (size_t)(slash - text));
    r->repository = coras_strndup(rest, name_len);
    if (after && *after)
        r->reference = coras_strdup(after);
    if (!r->registry || !r->repository || (after && *after && !r->reference))
        return coras_fail_no_memory(err);
    return 0;
}

int coras_reference_parse(const char *text, coras_reference *ret, coras_error **err)
{
    const char *slash = text ? strchr(text, '/') : NULL;
    coras_reference r = {0};
    int rc;

    if (!text || !ret)
        return coras_missing_argument(err);
    if (!slash)
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                          "invalid reference: missing registry or repository");
    rc = split(text, slash, &r, err);
    if (rc == 0)
        rc = validate(&r, err);
    if (rc < 0) {
        coras_reference_clear(&r);
        return rc;
    }
    *ret = r;
    return 0;
}
