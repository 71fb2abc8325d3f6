/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which certificate authorities are trusted when nobody named any.
 */
#ifndef CORAS_HTTP_TRUST_H
#define CORAS_HTTP_TRUST_H

/*
 * The system's directory of certificates with OpenSSL's hashed names, or NULL when it has none.
 * From there OpenSSL reads the one file that it needs; reading the whole bundle costs 30 ms of CPU
 * for each handle, which is most of what a small request costs.
 */
const char *coras_trust_hashed_dir(void);

/*
 * The system's bundle of authorities, or NULL when none is where distributions have it. A libcurl
 * of the distribution knows the place, and one that was linked into a program for all of them
 * cannot.
 */
const char *coras_trust_bundle(void);

#endif
