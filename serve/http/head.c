/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests: those that two parties could read differently are refused. */
#include "base/str.h"
#include "serve/http/front_impl.h"

#define HEADERS_MAX 128

struct head_check {
    unsigned headers, lengths, codings, hosts, authorizations;
    bool bad;
    int64_t content_length;
    const char *at; /* where the next line should begin; NULL: not known */
};

/* ---- what the library has made of it ---- */

/*
 * Up to 0.9.75 the library takes a lone line feed for the end of a line, joins folded lines, and
 * ends a text at its first NUL. What is between the parts of the head, which lie where they were
 * received, tells. Newer ones refuse all this themselves when they are told to be strict.
 */
static bool library_is_lenient(void)
{
    return strverscmp(MHD_get_version(), "0.9.76") < 0;
}

/* The line that follows the one which ends with this text. */
static const char *after(const char *text)
{
    return text + strlen(text) + 2; /* CR LF */
}

/* One space is between the parts of a request line. */
static const char *first_line_end(const struct serve_head_text *text)
{
    bool is_whole = text->target == text->method + strlen(text->method) + 1 &&
                    text->version == text->target + text->target_len + 1;

    return is_whole ? after(text->version) : NULL;
}

/* The blank line, and the end of what was received. */
static bool ends_at(struct MHD_Connection *connection, const struct serve_head_text *text,
                    const char *at)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return size && text->method + size->header_size == at + 2;
}

/* ---- headers ---- */

/* Spec: RFC 9110 5.6.2. */
static bool is_token(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz") == len;
}

/* Spec: RFC 9110 5.5. */
static bool is_field_text(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
            return false;
    }
    return true;
}

static void count(struct head_check *check, const char *name, const char *value)
{
    coras_str text = coras_str_trim(coras_str_of(value));

    if (coras_str_ieq(name, "Content-Length")) {
        check->lengths++;
        if (!coras_parse_int64(text, &check->content_length))
            check->bad = true;
    } else if (coras_str_ieq(name, "Transfer-Encoding")) {
        check->codings++;
        if (text.len != 7 || strncasecmp(text.ptr, "chunked", 7) != 0)
            check->bad = true;
    } else if (coras_str_ieq(name, "Host")) {
        check->hosts++;
    } else if (coras_str_ieq(name, "Authorization")) {
        check->authorizations++;
    }
}

static enum MHD_Result check_header(void *user, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct head_check *check = user;

    (void)kind;
    check->headers++;
    if (!value)
        value = "";
    count(check, name, value);
    if (!is_token(name) || !is_field_text(value) || (check->at && check->at != name))
        check->bad = true;
    if (check->at)
        check->at = after(value);
    return MHD_YES;
}

/* Spec: RFC 9112 2.2, 5.2 and 6.3. */
bool serve_head_check(struct MHD_Connection *connection, const struct serve_head_text *text,
                      struct serve_exchange *x)
{
    struct head_check check = {.content_length = -1};
    bool is_known = library_is_lenient();

    if (is_known) {
        check.at = first_line_end(text);
        check.bad = !check.at;
    }
    MHD_get_connection_values(connection, MHD_HEADER_KIND, check_header, &check);
    x->content_length = check.content_length;
    if (check.at && !ends_at(connection, text, check.at))
        check.bad = true;
    return !check.bad && check.headers <= HEADERS_MAX && check.lengths <= 1 && check.codings <= 1 &&
           check.lengths + check.codings <= 1 && check.hosts <= 1 && check.authorizations <= 1;
}

const char *serve_head_value(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}
