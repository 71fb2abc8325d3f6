/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates by GnuTLS: read, checked, shown, and kept as long as a handshake may use them. */
#include "serve/http/certificate.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

/* Longest chain; the longest in use has four. */
#define CHAIN_MAX 16
/* A handshake is over by then. */
#define KEEP_MS (10 * 60 * 1000)

struct certificate {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned length;
    gnutls_privkey_t key;
    int64_t replaced_ms;
    struct certificate *before;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct certificate *shown; /* lock; the one before it, and so on */

static void certificate_free(struct certificate *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->length; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key)
        gnutls_privkey_deinit(c->key);
    free(c);
}

/* ---- reading ---- */

static int read_pem(const char *path, coras_buf *text, coras_error **err)
{
    int rc = coras_read_file(AT_FDCWD, path, CORAS_LIMIT_CONFIG_FILE, text, err);

    return rc < 0 ? coras_error_recode(err, CORAS_ERR_CONFIG) : 0;
}

static gnutls_datum_t datum(const coras_buf *text)
{
    return (gnutls_datum_t){(unsigned char *)text->ptr, (unsigned)text->len};
}

/* GnuTLS compares the two when they become credentials. */
static int check_pair(const gnutls_datum_t *certificate, const gnutls_datum_t *key)
{
    gnutls_certificate_credentials_t credentials;
    int rc = gnutls_certificate_allocate_credentials(&credentials);

    if (rc < 0)
        return rc;
    rc = gnutls_certificate_set_x509_key_mem(credentials, certificate, key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    return rc;
}

static int import(struct certificate *c, const gnutls_datum_t *certificate,
                  const gnutls_datum_t *key)
{
    unsigned length = CHAIN_MAX;
    int rc = check_pair(certificate, key);

    if (rc >= 0)
        rc = gnutls_pcert_list_import_x509_raw(c->chain, &length, certificate, GNUTLS_X509_FMT_PEM,
                                               0);
    if (rc < 0)
        return rc;
    c->length = length;
    rc = gnutls_privkey_init(&c->key);
    return rc < 0 ? rc : gnutls_privkey_import_x509_raw(c->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static int make(const coras_buf *certificate, const coras_buf *key, struct certificate **ret,
                coras_error **err)
{
    struct certificate *c = coras_new(struct certificate);
    gnutls_datum_t certificate_datum = datum(certificate), key_datum = datum(key);
    int rc;

    if (!c)
        return coras_fail_no_memory(err);
    rc = import(c, &certificate_datum, &key_datum);
    if (rc < 0) {
        certificate_free(c);
        return coras_fail(err, CORAS_ERR_CONFIG, "certificate and key: %s", gnutls_strerror(rc));
    }
    *ret = c;
    return 0;
}

/* ---- showing ---- */

/* Those that were replaced long ago. Called with the lock. */
static void forget_old(int64_t now_ms)
{
    struct certificate **at = &shown->before;

    while (*at && now_ms - (*at)->replaced_ms < KEEP_MS)
        at = &(*at)->before;
    while (*at) {
        struct certificate *old = *at;
        *at = old->before;
        certificate_free(old);
    }
}

static void show(struct certificate *c)
{
    int64_t now_ms = coras_now_ms();

    pthread_mutex_lock(&lock);
    c->before = shown;
    if (shown)
        shown->replaced_ms = now_ms;
    shown = c;
    forget_old(now_ms);
    pthread_mutex_unlock(&lock);
}

int serve_certificate_load(const char *certificate, const char *key, coras_error **err)
{
    coras_auto_buf certificate_text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);
    coras_auto_buf key_text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);
    struct certificate *c = NULL;
    int rc;

    CORAS_TRY(read_pem(certificate, &certificate_text, err));
    rc = read_pem(key, &key_text, err);
    if (rc == 0)
        rc = make(&certificate_text, &key_text, &c, err);
    if (key_text.len > 0)
        coras_wipe(key_text.ptr, key_text.len);
    if (rc == 0)
        show(c);
    return rc;
}

/* The library borrows what it gets until the handshake is over. */
static int choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                  const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                  gnutls_pcert_st **ret_chain, unsigned *ret_length, gnutls_privkey_t *ret_key)
{
    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    pthread_mutex_lock(&lock);
    *ret_chain = shown->chain;
    *ret_length = shown->length;
    *ret_key = shown->key;
    pthread_mutex_unlock(&lock);
    return 0;
}

void *serve_certificate_callback(void)
{
    return (void *)choose;
}

void serve_certificate_clear(void)
{
    while (shown) {
        struct certificate *c = shown;
        shown = c->before;
        certificate_free(c);
    }
}
