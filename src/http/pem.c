/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look into PEM files: which blocks are there, in which file they should be.
 */
#include "http/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

/* A file of a whole pool has some hundred kilobytes. */
static int read_text(const char *path, coras_buf *ret, coras_error **err)
{
    coras_auto(coras_error) cause = NULL;
    coras_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return coras_fail_errno(err, EISDIR, "read %s", path);
    return coras_read_file(AT_FDCWD, path, CORAS_LIMIT_PEM_FILE, ret, err);
}

static bool has_block(const coras_buf *text, const char *label)
{
    coras_auto_free char *begin = coras_asprintf("-----BEGIN %s", label);
    coras_auto_free char *end = coras_asprintf("-----END %s", label);
    const char *at = begin && end && text->len ? strstr(text->ptr, begin) : NULL;

    return at && strstr(at, end);
}

static bool has_key(const coras_buf *text)
{
    static const char *const labels[] = {"PRIVATE KEY-", "RSA PRIVATE KEY-", "EC PRIVATE KEY-",
                                         "ENCRYPTED PRIVATE KEY-"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(labels); i++)
        if (has_block(text, labels[i]))
            return true;
    return false;
}

static bool has_certificate(const coras_buf *text)
{
    return has_block(text, "CERTIFICATE-");
}

int coras_pem_check_authorities(const char *path, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_PEM_FILE);

    CORAS_TRY(read_text(path, &text, err));
    if (has_certificate(&text) || has_block(&text, "TRUSTED CERTIFICATE-"))
        return 0;
    return coras_fail(err, CORAS_ERR_CONFIG, "Failed to load certificate in file: %s", path);
}

static int fail_pem(const char *why, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_CONFIG, "tls: %s", why);
}

int coras_pem_check_pair(const char *cert_path, const char *key_path, coras_error **err)
{
    coras_auto_buf cert = CORAS_BUF_INIT(CORAS_LIMIT_PEM_FILE);
    coras_auto_buf key = CORAS_BUF_INIT(CORAS_LIMIT_PEM_FILE);

    CORAS_TRY(read_text(cert_path, &cert, err));
    CORAS_TRY(read_text(key_path, &key, err));
    bool is_key = has_key(&key), is_certificate = has_certificate(&key);
    bool is_block = has_block(&key, "");
    coras_wipe(key.ptr, key.len);
    if (!has_block(&cert, ""))
        return fail_pem("failed to find any PEM data in certificate input", err);
    if (!has_certificate(&cert))
        return fail_pem(has_key(&cert) ? "failed to find certificate PEM data in certificate "
                                         "input, but did find a private key; PEM inputs may have "
                                         "been switched"
                                       : "failed to find \"CERTIFICATE\" PEM block in certificate "
                                         "input",
                        err);
    if (is_key)
        return 0;
    if (!is_block)
        return fail_pem("failed to find any PEM data in key input", err);
    return fail_pem(
        is_certificate
            ? "found a certificate rather than a key in the PEM for the private key"
            : "failed to find PEM block with type ending in \"PRIVATE KEY\" in key input",
        err);
}
