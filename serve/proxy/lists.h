/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of repositories that have an upstream: what it tells, united with what was pushed here.
 * They change at any moment and are not kept; those who ask at the same time ask once.
 */
#ifndef SERVE_PROXY_LISTS_H
#define SERVE_PROXY_LISTS_H

#include "serve/http/paging.h"
#include "serve/proxy/said.h"

/*
 * A page of tags, sorted; *ret_more: there are further ones. When the upstream does not answer, the
 * tags that are known here, with a warning in the answer. Unless it returns YES, nothing is known.
 */
struct serve_said serve_proxied_tags(struct serve_exchange *x, const struct serve_page *page,
                                     coras_strlist *ret, bool *ret_more);

/* A referrer as text: its digest and behind it its descriptor as JSON. Texts in byte order are in
 * the order of digests, too. */
struct serve_proxied_referrer {
    char digest[CORAS_DIGEST_TEXT_MAX];
    const char *descriptor;
};
struct serve_proxied_referrer serve_proxied_referrer_of(const char *text);
/*
 * All referrers of the digest of the exchange as such texts, sorted. ABSENT: the upstream has no
 * list of this kind, and the client is to look for the tag that stands in for it.
 */
struct serve_said serve_proxied_referrers(struct serve_exchange *x, const char *artifact_type,
                                          coras_strlist *ret);

#endif
