/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of pages: text, sizes, rows, the frame. */
#include "serve/page/html.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "coras/reference.h"

static void put_character(coras_buf *out, char character)
{
    switch (character) {
    case '<':
        coras_buf_puts(out, "&lt;");
        break;
    case '>':
        coras_buf_puts(out, "&gt;");
        break;
    case '&':
        coras_buf_puts(out, "&amp;");
        break;
    case '"':
        coras_buf_puts(out, "&quot;");
        break;
    case '\'':
        coras_buf_puts(out, "&#39;");
        break;
    default:
        coras_buf_putc(out, character);
        break;
    }
}

void serve_html_text(coras_buf *out, const char *text)
{
    coras_auto_buf plain = CORAS_BUF_UNLIMITED;

    if (!text)
        return;
    coras_escape(&plain, text, strlen(text), SERVE_HTML_TEXT_MAX);
    for (size_t i = 0; i < plain.len; i++)
        put_character(out, plain.ptr[i]);
}

void serve_html_size(coras_buf *out, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double amount = (double)bytes;
    size_t unit = 0;

    for (; amount >= 1024 && unit + 1 < CORAS_ARRAY_LEN(units); unit++)
        amount /= 1024;
    coras_buf_printf(out, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}

void serve_html_digest(coras_buf *out, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(digest, text);
    coras_buf_printf(out, "<code title=\"%s\">%.19s</code>", text, text);
}

void serve_html_row(coras_buf *out, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    coras_buf_puts(out, "<tr><th scope=\"row\">");
    serve_html_text(out, name);
    coras_buf_puts(out, "</th><td>");
    serve_html_text(out, text);
    coras_buf_puts(out, "</td></tr>\n");
}

void serve_html_row_number(coras_buf *out, const char *name, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    if (number >= 0)
        serve_html_row(out, name, text);
}

/* ---- the frame ---- */

char *serve_html_host(const struct serve_exchange *x)
{
    const char *host = x->authority ? x->authority : serve_exchange_header(x, "Host");

    return coras_strdup(host && coras_registry_validate(host, NULL) == 0 ? host : "");
}

void serve_html_begin(struct serve_exchange *x, const char *title)
{
    coras_buf *out = &x->answer.body;
    coras_auto_free char *host = serve_html_host(x);

    coras_buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    serve_html_text(out, title);
    coras_buf_puts(out, "</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n<body>\n"
                        "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
                        "<header><nav aria-label=\"Registry\"><a href=\"/\">");
    serve_html_text(out, host && *host ? host : "registry");
    coras_buf_puts(out, "</a></nav></header>\n<main id=\"main\" tabindex=\"-1\">\n<h1>");
    serve_html_text(out, title);
    coras_buf_puts(out, "</h1>\n");
}

void serve_html_end(struct serve_exchange *x, int status)
{
    coras_buf_puts(&x->answer.body, "</main>\n</body>\n</html>\n");
    serve_answer_header(
        x, "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'");
    serve_answer_header(x, "Referrer-Policy", "no-referrer");
    serve_answer_header(x, "Cache-Control", "no-store");
    serve_answer_header(x, "Vary", "Accept");
    serve_answer_body(x, status, "text/html; charset=utf-8");
}

void serve_html_say(struct serve_exchange *x, int status, const char *title, const char *text)
{
    serve_html_begin(x, title);
    coras_buf_puts(&x->answer.body, "<p>");
    serve_html_text(&x->answer.body, text);
    coras_buf_puts(&x->answer.body, "</p>\n");
    serve_html_end(x, status);
}
