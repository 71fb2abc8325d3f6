/* sprig: passwords, keys and encryption, by libcrypto and the system's crypt(3). */
#include "gotemplate/funcs.h"

#include <crypt.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include "base/alloc.h"
#include "base/random.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

/* Certificates need more than a template should do. */
FN(fn_unavailable)
{
    (void)argc, (void)v;
    tpl_fail(a, "not available in this build");
}

/* ---- AES ---- */

enum { AES_BLOCK = 16, AES_KEY = 32 };

/* CBC over whole blocks with the password as the key; false when libcrypto refuses. */
static bool run_aes(bool encrypt, coras_str password, const char *iv, coras_str in, char *out)
{
    unsigned char key[AES_KEY] = {0};
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    bool good;

    memcpy(key, password.ptr, password.len < sizeof(key) ? password.len : sizeof(key));
    good = ctx && in.len <= INT32_MAX - AES_BLOCK &&
           EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, (const unsigned char *)iv,
                             encrypt) == 1 &&
           EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
           EVP_CipherUpdate(ctx, (unsigned char *)out, &len, (const unsigned char *)in.ptr,
                            (int)in.len) == 1 &&
           (size_t)len == in.len;
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

FN(fn_encrypt_aes)
{
    size_t padding = AES_BLOCK - v[1].s.len % AES_BLOCK, len = v[1].s.len + padding;
    char *plain, *sealed;

    (void)argc;
    if (v[1].s.len == 0)
        return tpl_string(v[1].s);
    plain = tpl_alloc(a, len);
    memcpy(plain, v[1].s.ptr, v[1].s.len);
    memset(plain + v[1].s.len, (int)padding, padding);
    sealed = tpl_alloc(a, AES_BLOCK + len + 1);
    coras_random(sealed, AES_BLOCK);
    if (!run_aes(true, v[0].s, sealed, (coras_str){plain, len}, sealed + AES_BLOCK))
        tpl_fail(a, "AES failed");
    return tpl_string(tpl_base64_encode(a, (coras_str){sealed, AES_BLOCK + len}));
}

FN(fn_decrypt_aes)
{
    coras_str sealed, body;
    size_t padding;
    char *plain;

    (void)argc;
    if (v[1].s.len == 0)
        return tpl_string(v[1].s);
    sealed = tpl_base64_decode(a, v[1].s);
    if (sealed.len < AES_BLOCK)
        tpl_fail(a, "runtime error: slice bounds out of range [:%d] with capacity %zu", AES_BLOCK,
                 v[1].s.len / 4 * 3);
    body = tpl_sub(sealed, AES_BLOCK, sealed.len);
    if (body.len % AES_BLOCK)
        tpl_fail(a, "crypto/cipher: input not full blocks");
    if (body.len == 0)
        tpl_fail(a, "runtime error: index out of range [-1]");
    plain = tpl_alloc(a, body.len + 1);
    if (!run_aes(false, v[0].s, sealed.ptr, body, plain))
        tpl_fail(a, "AES failed");
    padding = (unsigned char)plain[body.len - 1];
    if (padding > body.len)
        tpl_fail(a, "runtime error: slice bounds out of range [:-%zu]", padding - body.len);
    return tpl_string(tpl_dup(a, plain, body.len - padding));
}

/* ---- bcrypt ---- */

typedef char *crypt_fn(const char *phrase, const char *setting, void *data, int size);
typedef char *gensalt_fn(const char *prefix, unsigned long count, const char *random, int len,
                         char *output, int size);

/* Loaded when it is asked for: no other command pays for it. */
static coras_str bcrypt(struct tpl_arena *a, coras_str password)
{
    enum { COST = 10, SALT = 16, LONGEST = 72 };
    char salt[CRYPT_GENSALT_OUTPUT_SIZE], seed[SALT];
    struct crypt_data *data = tpl_alloc(a, sizeof(*data));
    void *library;
    crypt_fn *hash;
    gensalt_fn *gensalt;
    const char *hashed = NULL;

    if (password.len > LONGEST)
        return CORAS_STR("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 "
                         "bytes");
    library = dlopen("libcrypt.so.1", RTLD_NOW | RTLD_LOCAL);
    hash = library ? (crypt_fn *)dlsym(library, "crypt_rn") : NULL;
    gensalt = library ? (gensalt_fn *)dlsym(library, "crypt_gensalt_rn") : NULL;
    coras_random(seed, sizeof(seed));
    if (hash && gensalt && gensalt("$2a$", COST, seed, SALT, salt, sizeof(salt)))
        hashed = hash(tpl_dup(a, password.ptr, password.len).ptr, salt, data, sizeof(*data));
    return hashed ? tpl_dup(a, hashed, strlen(hashed))
                  : CORAS_STR("failed to encrypt string with bcrypt: libcrypt has none");
}

FN(fn_bcrypt)
{
    (void)argc;
    return tpl_string(bcrypt(a, v[0].s));
}

FN(fn_htpasswd)
{
    struct tpl_text t = TPL_TEXT(a);

    (void)argc;
    if (memchr(v[0].s.ptr, ':', v[0].s.len)) {
        tpl_puts(&t, "invalid username: ");
        tpl_put_str(&t, v[0].s);
    } else {
        tpl_put_str(&t, v[0].s);
        tpl_putc(&t, ':');
        tpl_put_str(&t, bcrypt(a, v[1].s));
    }
    return tpl_string(tpl_text_str(&t));
}

/* ---- derivePassword: the Master Password algorithm ---- */

struct password_type {
    const char *name;
    const char *templates; /* separated by blanks, equally likely */
};

static const struct password_type password_types[] = {
    {"maximum", "anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno"},
    {"long",
     "CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno "
     "CvcvnoCvccCvcv CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno "
     "CvccnoCvccCvcv CvccCvccnoCvcv CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno "
     "CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno"},
    {"medium", "CvcnoCvc CvcCvcno"},
    {"short", "Cvcn"},
    {"basic", "aaanaaan aannaaan aaannaaa"},
    {"pin", "nnnn"},
};

static const char *characters_of(char kind)
{
    switch (kind) {
    case 'V':
        return "AEIOU";
    case 'C':
        return "BCDFGHJKLMNPQRSTVWXYZ";
    case 'v':
        return "aeiou";
    case 'c':
        return "bcdfghjklmnpqrstvwxyz";
    case 'A':
        return "AEIOUBCDFGHJKLMNPQRSTVWXYZ";
    case 'a':
        return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    case 'n':
        return "0123456789";
    case 'o':
        return "@&%?,=[]_:-+*$#!'^~;()/.";
    default:
        return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
    }
}

static void put_big_endian(struct tpl_text *t, uint32_t n)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        tpl_putc(t, (char)(n >> shift & 0xff));
}

/* The seed's bytes choose the template and then each of its characters. */
static coras_str spell_password(struct tpl_arena *a, const char *templates,
                                const unsigned char *seed)
{
    struct tpl_text t = TPL_TEXT(a);
    size_t count = 1;

    for (const char *p = templates; *p; p++)
        count += *p == ' ';
    for (size_t skip = seed[0] % count; skip > 0; skip--)
        templates = strchr(templates, ' ') + 1;
    for (; *templates && *templates != ' '; templates++) {
        const char *from = characters_of(*templates);
        tpl_putc(&t, from[*++seed % strlen(from)]);
    }
    return tpl_text_str(&t);
}

static coras_str derive_password(struct tpl_arena *a, const tpl_value *v, const char *templates)
{
    enum { KEY = 64, N = 32768, R = 8, P = 2, MEMORY = 128 * 1024 * 1024 };
    coras_str password = v[2].s, user = v[3].s, site = v[4].s;
    struct tpl_text salt = TPL_TEXT(a), message = TPL_TEXT(a);
    unsigned char key[KEY], seed[EVP_MAX_MD_SIZE];

    tpl_puts(&salt, "com.lyndir.masterpassword");
    put_big_endian(&salt, (uint32_t)user.len);
    tpl_put_str(&salt, user);
    tpl_puts(&message, "com.lyndir.masterpassword");
    put_big_endian(&message, (uint32_t)site.len);
    tpl_put_str(&message, site);
    put_big_endian(&message, (uint32_t)v[0].i);
    if (EVP_PBE_scrypt(password.ptr, password.len, (const unsigned char *)salt.ptr, salt.len, N, R,
                       P, MEMORY, key, KEY) != 1 ||
        !HMAC(EVP_sha256(), key, KEY, (const unsigned char *)message.ptr, message.len, seed, NULL))
        tpl_fail(a, "failed to derive password");
    return spell_password(a, templates, seed);
}

FN(fn_derive_password)
{
    struct tpl_text t = TPL_TEXT(a);

    (void)argc;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(password_types); i++)
        if (coras_str_eq(v[1].s, password_types[i].name))
            return tpl_string(derive_password(a, v, password_types[i].templates));
    tpl_puts(&t, "cannot find password template ");
    tpl_put_str(&t, v[1].s);
    return tpl_string(tpl_text_str(&t));
}

/* ---- keys ---- */

static EVP_PKEY *make_key(coras_str type)
{
    enum { RSA_BITS = 4096 };

    if (type.len == 0 || coras_str_eq(type, "rsa"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
    if (coras_str_eq(type, "ecdsa"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static coras_str pem_of(struct tpl_arena *a, const EVP_PKEY *key, bool pkcs8)
{
    BIO *bio = BIO_new(BIO_s_mem());
    coras_str text = {NULL, 0};
    char *pem = NULL;
    int good = bio && pkcs8 ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                            : bio && PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0,
                                                                          NULL, NULL);

    if (good) {
        long len = BIO_get_mem_data(bio, &pem);
        text = tpl_dup(a, pem, (size_t)len);
    }
    BIO_free(bio);
    return text;
}

FN(fn_gen_private_key)
{
    coras_str type = v[0].s, pem;
    struct tpl_text t = TPL_TEXT(a);
    bool pkcs8 = coras_str_eq(type, "ed25519");
    EVP_PKEY *key;

    (void)argc;
    if (coras_str_eq(type, "dsa"))
        return fn_unavailable(a, argc, v);
    if (type.len > 0 && !pkcs8 && !coras_str_eq(type, "rsa") && !coras_str_eq(type, "ecdsa")) {
        tpl_puts(&t, "Unknown type ");
        tpl_put_str(&t, type);
        return tpl_string(tpl_text_str(&t));
    }
    key = make_key(type);
    pem = key ? pem_of(a, key, pkcs8) : (coras_str){NULL, 0};
    EVP_PKEY_free(key);
    if (!pem.ptr)
        tpl_fail(a, "failed to generate private key");
    return tpl_string(pem);
}

const struct tpl_function tpl_crypto_functions[] = {
    {"bcrypt", "s", fn_bcrypt},
    {"buildCustomCert", "ss", fn_unavailable},
    {"decryptAES", "ss", fn_decrypt_aes},
    {"derivePassword", "ussss", fn_derive_password},
    {"encryptAES", "ss", fn_encrypt_aes},
    {"genCA", "si", fn_unavailable},
    {"genCAWithKey", "sis", fn_unavailable},
    {"genPrivateKey", "s", fn_gen_private_key},
    {"genSelfSignedCert", "slli", fn_unavailable},
    {"genSelfSignedCertWithKey", "sllis", fn_unavailable},
    {"genSignedCert", "sllic", fn_unavailable},
    {"genSignedCertWithKey", "sllics", fn_unavailable},
    {"htpasswd", "ss", fn_htpasswd},
    {NULL, NULL, NULL},
};
