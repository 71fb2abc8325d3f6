/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML for people, written piece by piece into a buffer. Everything that is text goes through
 * serve_html_text(): names, annotations and headers of models are strangers' words.
 */
#ifndef SERVE_PAGE_HTML_H
#define SERVE_PAGE_HTML_H

#include "serve/http/exchange.h"

/* Escaped: control characters for people, the rest for HTML; also between double quotes. At most
 * `max` bytes of it. NULL is nothing. */
#define SERVE_HTML_TEXT_MAX 4096
void serve_html_text(coras_buf *out, const char *text);
/* 1536 -> "1.5 KiB". */
void serve_html_size(coras_buf *out, int64_t bytes);
/* A short form of a digest, the whole in its title. */
void serve_html_digest(coras_buf *out, const coras_digest *digest);
/* <tr><th>name</th><td>text</td></tr>; nothing when the text is NULL or "". */
void serve_html_row(coras_buf *out, const char *name, const char *text);
void serve_html_row_number(coras_buf *out, const char *name, int64_t number);

/* From the doctype to the content. `title` is escaped here. */
void serve_html_begin(struct serve_exchange *x, const char *title);
/* The end, and the headers; the answer is complete. */
void serve_html_end(struct serve_exchange *x, int status);
/* A page that says only this. */
void serve_html_say(struct serve_exchange *x, int status, const char *title, const char *text);

/* The registry's host as the client knows it, checked; "" when it is none. New string, or NULL. */
char *serve_html_host(const struct serve_exchange *x);

#endif
