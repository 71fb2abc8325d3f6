/* sprig: the environment, host names and random values. */
#include "gotemplate/funcs.h"

#include <arpa/inet.h>
#include <netdb.h>
#include "base/random.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

FN(fn_hello)
{
    (void)a, (void)argc, (void)v;
    return tpl_string(CORAS_STR("Hello!"));
}

FN(fn_fail)
{
    (void)argc;
    tpl_fail(a, "%s", v[0].s.ptr);
}

/* One of the addresses of a host. */
FN(fn_host_by_name)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char text[INET6_ADDRSTRLEN] = "";

    (void)argc;
    if (v[0].s.len && !memchr(v[0].s.ptr, 0, v[0].s.len) &&
        getaddrinfo(tpl_dup(a, v[0].s.ptr, v[0].s.len).ptr, NULL, &hints, &found) == 0) {
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
                        NI_NUMERICHOST) != 0)
            *text = '\0';
        freeaddrinfo(found);
    }
    if (!*text)
        tpl_fail(a, "invalid argument to Intn"); /* none to choose from */
    return tpl_string(tpl_dup(a, text, strlen(text)));
}

static coras_str environment(struct tpl_arena *a, coras_str name)
{
    const char *value = getenv(tpl_dup(a, name.ptr, name.len).ptr);

    return value ? tpl_dup(a, value, strlen(value)) : CORAS_STR("");
}

FN(fn_env)
{
    (void)argc;
    return tpl_string(environment(a, v[0].s));
}

/* The name after a dollar sign and the bytes it takes; an empty name with bytes is bad syntax. */
static coras_str variable_name(coras_str s, size_t *ret_bytes)
{
    size_t end = 0;

    if (s.ptr[0] == '{') {
        const char *close = memchr(s.ptr, '}', s.len);
        *ret_bytes = close ? (size_t)(close - s.ptr) + 1 : 1;
        return close ? tpl_sub(s, 1, *ret_bytes - 1) : tpl_sub(s, 0, 0);
    }
    if (strchr("*#$@!?-0123456789", s.ptr[0])) {
        *ret_bytes = 1;
        return tpl_sub(s, 0, 1);
    }
    while (end < s.len && (coras_is_alnum(s.ptr[end]) || s.ptr[end] == '_'))
        end++;
    *ret_bytes = end;
    return tpl_sub(s, 0, end);
}

FN(fn_expandenv)
{
    struct tpl_text t = TPL_TEXT(a);
    coras_str s = v[0].s;

    (void)argc;
    for (size_t i = 0; i < s.len;) {
        size_t bytes;
        coras_str name;
        if (s.ptr[i] != '$' || i + 1 == s.len || !s.ptr[i + 1]) {
            tpl_putc(&t, s.ptr[i++]);
            continue;
        }
        name = variable_name(tpl_sub(s, i + 1, s.len), &bytes);
        if (bytes == 0)
            tpl_putc(&t, '$'); /* nothing that could be a name follows */
        else
            tpl_put_str(&t, environment(a, name));
        i += 1 + bytes;
    }
    return tpl_string(tpl_text_str(&t));
}

/* ---- random ---- */

static tpl_value random_text(struct tpl_arena *a, int64_t count, const char *from)
{
    struct tpl_text t = TPL_TEXT(a);
    uint32_t choices = (uint32_t)strlen(from);

    if (count > 0)
        tpl_reserve(&t, (size_t)count); /* fails at once when it is too much */
    for (int64_t i = 0; i < count; i++)
        tpl_putc(&t, from[coras_random_below(choices)]);
    return tpl_string(tpl_text_str(&t));
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

FN(fn_rand_alpha_num)
{
    (void)argc;
    return random_text(a, v[0].i, DIGITS LETTERS);
}

FN(fn_rand_alpha)
{
    (void)argc;
    return random_text(a, v[0].i, LETTERS);
}

FN(fn_rand_numeric)
{
    (void)argc;
    return random_text(a, v[0].i, DIGITS);
}

FN(fn_rand_ascii)
{
    (void)argc;
    return random_text(a, v[0].i, " !\"#$%&'()*+,-./" DIGITS ":;<=>?@[\\]^_`{|}~" LETTERS);
}

FN(fn_rand_int)
{
    uint64_t span = (uint64_t)v[1].i - (uint64_t)v[0].i, n;

    (void)argc;
    if (v[1].i <= v[0].i)
        tpl_fail(a, "invalid argument to Intn");
    coras_random(&n, sizeof(n));
    return tpl_int((int64_t)((uint64_t)v[0].i + n % span));
}

static coras_str random_bytes(struct tpl_arena *a, size_t count)
{
    char *bytes = tpl_alloc(a, count + 1);

    coras_random(bytes, count);
    return (coras_str){bytes, count};
}

FN(fn_rand_bytes)
{
    tpl_value bytes;

    (void)argc;
    if (v[0].i < 0)
        tpl_fail(a, "runtime error: makeslice: len out of range");
    bytes = tpl_string(random_bytes(a, (size_t)v[0].i));
    return tpl_function_find(CORAS_STR("b64enc"))->fn(a, 1, &bytes);
}

FN(fn_uuidv4)
{
    unsigned char b[16];
    struct tpl_text t = TPL_TEXT(a);

    (void)argc, (void)v;
    coras_random(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80); /* variant 10 */
    for (size_t i = 0; i < sizeof(b); i++)
        tpl_printf(&t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
    return tpl_string(tpl_text_str(&t));
}

FN(fn_shuffle)
{
    coras_str s = v[0].s;
    uint32_t *runes = tpl_alloc_array(a, s.len + 1, sizeof(*runes));
    struct tpl_text t = TPL_TEXT(a);
    uint32_t len = 0;

    (void)argc;
    for (size_t i = 0; i < s.len; len++)
        i += coras_utf8_decode(s.ptr + i, s.len - i, &runes[len]);
    for (uint32_t i = len; i > 0; i--) {
        uint32_t pick = coras_random_below(i);
        tpl_put_rune(&t, runes[pick]);
        runes[pick] = runes[i - 1];
    }
    return tpl_string(tpl_text_str(&t));
}

const struct tpl_function tpl_system_functions[] = {
    {"env", "s", fn_env},
    {"expandenv", "s", fn_expandenv},
    {"fail", "s", fn_fail},
    {"getHostByName", "s", fn_host_by_name},
    {"hello", "", fn_hello},
    {"randAlpha", "i", fn_rand_alpha},
    {"randAlphaNum", "i", fn_rand_alpha_num},
    {"randAscii", "i", fn_rand_ascii},
    {"randBytes", "i", fn_rand_bytes},
    {"randInt", "ii", fn_rand_int},
    {"randNumeric", "i", fn_rand_numeric},
    {"shuffle", "s", fn_shuffle},
    {"uuidv4", "", fn_uuidv4},
    {NULL, NULL, NULL},
};
