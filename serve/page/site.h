/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages for people: what is here, what it is, how to pull it. Plain HTML without scripts, for
 * browsers alone: who does not ask for text/html gets what he got before.
 */
#ifndef SERVE_PAGE_SITE_H
#define SERVE_PAGE_SITE_H

#include "oci/manifest.h"
#include "serve/http/exchange.h"

/* Whether the client wants HTML. */
bool serve_site_is_wanted(const struct serve_exchange *x);

/* GET / */
void serve_site_home(struct serve_exchange *x);
/* GET /r/NAME */
void serve_site_repository(struct serve_exchange *x);
/* GET /r/NAME:TAG, /r/NAME@DIGEST */
void serve_site_manifest(struct serve_exchange *x);
/* GET /page.css */
void serve_site_style(struct serve_exchange *x);

/* summary.c: how large is what a manifest names; -1 when that cannot be told. */
int64_t serve_site_size(const coras_manifest *m);
/* What it is in a word: its artifact type, else its media type. Borrowed. */
const char *serve_site_type(const coras_manifest *m);

/* model.c: a section on the model that this manifest is, if it is one and all is here. */
void serve_site_put_model(struct serve_exchange *x, const char *reference, const coras_manifest *m);

#endif
