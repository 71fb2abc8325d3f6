/* SPDX-License-Identifier: Apache-2.0 */
/* Finding elements by their names. */
#include "serve/storage/s3/xml.h"

#include "base/alloc.h"

static const char *find(coras_str text, const char *what, size_t len)
{
    return text.len >= len ? memmem(text.ptr, text.len, what, len) : NULL;
}

static coras_str from(coras_str text, const char *at)
{
    return (coras_str){at, text.len - (size_t)(at - text.ptr)};
}

/* Behind "<tag>" or "<tag …>"; NULL when there is none, or one that is empty. */
static const char *find_opening(coras_str text, const char *tag)
{
    size_t len = strlen(tag);
    const char *at;

    while ((at = find(text, tag, len))) {
        coras_str behind = from(text, at + len);
        bool opens = at > text.ptr && at[-1] == '<' && behind.len > 0 &&
                     (behind.ptr[0] == '>' || coras_is_space(behind.ptr[0]));
        const char *end = opens ? memchr(behind.ptr, '>', behind.len) : NULL;
        if (end && end[-1] != '/')
            return end + 1;
        text = behind;
    }
    return NULL;
}

static const char *find_closing(coras_str text, const char *tag)
{
    size_t len = strlen(tag);
    const char *at;

    while ((at = find(text, tag, len))) {
        coras_str behind = from(text, at + len);
        if (at >= text.ptr + 2 && at[-1] == '/' && at[-2] == '<' && behind.len > 0 &&
            behind.ptr[0] == '>')
            return at - 2;
        text = behind;
    }
    return NULL;
}

bool serve_xml_next(coras_str *rest, const char *tag, coras_str *ret)
{
    const char *begin = find_opening(*rest, tag), *end;

    if (!begin)
        return false;
    *rest = from(*rest, begin);
    end = find_closing(*rest, tag);
    if (!end)
        return false;
    *ret = (coras_str){begin, (size_t)(end - begin)};
    *rest = from(*rest, end);
    return true;
}

static const struct {
    const char *name;
    char value;
} entities[] = {{"&amp;", '&'},   {"&lt;", '<'},  {"&gt;", '>'},   {"&quot;", '"'},
                {"&apos;", '\''}, {"&#34;", '"'}, {"&#39;", '\''}, {"&#x22;", '"'}};

/* Bytes of the entity that the text begins with; 0: it is none that we know. */
static size_t decode_entity(coras_str text, char *ret)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(entities); i++) {
        size_t len = strlen(entities[i].name);
        if (text.len >= len && memcmp(text.ptr, entities[i].name, len) == 0) {
            *ret = entities[i].value;
            return len;
        }
    }
    return 0;
}

char *serve_xml_text(coras_str document, const char *tag)
{
    coras_str raw, rest = document;
    size_t len = 0;
    char *text;

    if (!serve_xml_next(&rest, tag, &raw))
        return NULL;
    text = coras_malloc(raw.len + 1);
    while (text && raw.len > 0) {
        char c = raw.ptr[0];
        size_t taken = decode_entity(raw, &c);
        text[len++] = c;
        raw = from(raw, raw.ptr + (taken > 0 ? taken : 1));
    }
    if (text)
        text[len] = '\0';
    return text;
}
