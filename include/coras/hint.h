/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/hint.h
 * Hints: what a person can do about an error, as a kind with arguments.
 *
 * An error has at most one hint. Its kind is a number that a program can tell apart; its arguments
 * are the words that belong to it, such as a host or a list of tags. The library knows nothing of
 * a program's flags, buttons or environment: coras_error_hint() gives a plain sentence, and a
 * program that can say it better looks at coras_error_hint_kind() and words it itself.
 */
#ifndef CORAS_HINT_H
#define CORAS_HINT_H

#ifdef __cplusplus
extern "C" {
#endif

/** The largest number of arguments that a hint has. */
#define CORAS_HINT_ARGS 4

/**
 * One row per kind: identifier, value, name for programs, plain sentence.
 *
 * `%1` to `%4` stand for the arguments, which are counted from 0 in coras_error_hint_argument().
 * Any of them may be absent. `{words}` is left out when an argument in it is absent, and
 * `{words|others}` says the others then.
 */
#define CORAS_HINT_LIST(X)                                                                         \
    /* Advice without a kind of its own: the sentence. */                                          \
    X(CORAS_HINT_TEXT, 1, "TEXT", "%1")                                                            \
    /* Who asks. Key of the credential, registry, what is special about that registry. */          \
    X(CORAS_HINT_LOG_IN, 2, "LOG_IN",                                                              \
      "the request was anonymous: no credential for the key \"%1\"; log in to %2{; %3}")           \
    /* Key of the credential, file in which it was looked for. */                                  \
    X(CORAS_HINT_NO_CREDENTIAL, 3, "NO_CREDENTIAL",                                                \
      "no credential for the key \"%1\"{ in %2}; log in first")                                    \
    /* User, where the credential was found, what is special about that registry. */               \
    X(CORAS_HINT_CREDENTIAL_TRIED, 4, "CREDENTIAL_TRIED",                                          \
      "tried {user \"%1\"|an identity token} from {%2|login}{; %3}")                               \
    /* Where the credential was found. */                                                          \
    X(CORAS_HINT_TOKEN_CREDENTIAL_REFUSED, 5, "TOKEN_CREDENTIAL_REFUSED",                          \
      "the token service refused the credential from %1")                                          \
    /* Registry. */                                                                                \
    X(CORAS_HINT_NO_ANONYMOUS_TOKEN, 6, "NO_ANONYMOUS_TOKEN",                                      \
      "the token service gives no anonymous token; log in to %1 first")                            \
    /* Registry. */                                                                                \
    X(CORAS_HINT_TOKEN_SERVICE_FAILED, 7, "TOKEN_SERVICE_FAILED",                                  \
      "the token service of %1 is in trouble; the credential was not judged")                      \
    X(CORAS_HINT_REFUSED_ELSEWHERE, 8, "REFUSED_ELSEWHERE",                                        \
      "the refusal comes from the host that the registry redirects to; no credential is sent "     \
      "there")                                                                                     \
    /* Path of the file. */                                                                        \
    X(CORAS_HINT_REPAIR_CONFIG, 9, "REPAIR_CONFIG", "repair %1, or use another file")              \
    /* Name of the program. */                                                                     \
    X(CORAS_HINT_INSTALL_HELPER, 10, "INSTALL_HELPER",                                             \
      "install %1, or remove credsStore and credHelpers from the configuration")                   \
    /* Name of the program. */                                                                     \
    X(CORAS_HINT_HELPER_WORDS, 11, "HELPER_WORDS", "these are the words of %1")                    \
    /* The name in what was given for one. */                                                      \
    X(CORAS_HINT_REGISTRY_NAME, 12, "REGISTRY_NAME",                                               \
      "a registry is named without scheme and path: %1")                                           \
    X(CORAS_HINT_PRIVATE_TOKEN_SERVICE, 13, "PRIVATE_TOKEN_SERVICE",                               \
      "if this token service is yours, allow its private address")                                 \
                                                                                                   \
    /* The network between here and the registry. */                                               \
    X(CORAS_HINT_CHECK_NAME, 20, "CHECK_NAME",                                                     \
      "check the registry's name, or the DNS settings of this machine")                            \
    X(CORAS_HINT_NAME_SERVER, 21, "NAME_SERVER",                                                   \
      "the name server does not answer; this network may need a proxy")                            \
    X(CORAS_HINT_CHECK_PORT, 22, "CHECK_PORT",                                                     \
      "nothing accepts connections there: check host name and port")                               \
    X(CORAS_HINT_CHECK_PORT_OR_USE_PROXY, 23, "CHECK_PORT_OR_USE_PROXY",                           \
      "nothing accepts connections there: check host name and port, or use a proxy")               \
    X(CORAS_HINT_FIREWALL, 24, "FIREWALL",                                                         \
      "a firewall may drop the connection; this network may need a proxy")                         \
    X(CORAS_HINT_CHECK_PROXY, 25, "CHECK_PROXY", "check the proxy's name")                         \
    X(CORAS_HINT_PROXY_UNREACHABLE, 26, "PROXY_UNREACHABLE", "the proxy cannot be reached")        \
    X(CORAS_HINT_PROXY_REFUSED, 27, "PROXY_REFUSED", "the proxy refused to connect")               \
    X(CORAS_HINT_PROXY_CREDENTIAL, 28, "PROXY_CREDENTIAL", "give the proxy's user and password")   \
    X(CORAS_HINT_CA_FILE, 29, "CA_FILE", "trust the authority that signed the certificate")        \
    X(CORAS_HINT_CERTIFICATE_NAME, 30, "CERTIFICATE_NAME",                                         \
      "the certificate names another host: check the registry's name")                             \
    X(CORAS_HINT_CLIENT_CERTIFICATE, 31, "CLIENT_CERTIFICATE",                                     \
      "the server asks for a certificate of the client")                                           \
    X(CORAS_HINT_USE_PLAIN_HTTP, 32, "USE_PLAIN_HTTP", "the registry speaks plain HTTP")           \
    X(CORAS_HINT_USE_TLS, 33, "USE_TLS", "the registry may speak TLS")                             \
    X(CORAS_HINT_STALLED, 34, "STALLED", "allow more time without progress")                       \
    /* Seconds. */                                                                                 \
    X(CORAS_HINT_WAIT, 35, "WAIT", "the registry asks to wait %1 s before the next request")       \
    X(CORAS_HINT_LIMIT_CONCURRENCY, 36, "LIMIT_CONCURRENCY",                                       \
      "too many requests: wait, log in for a higher limit, or use fewer transfers at a time")      \
    X(CORAS_HINT_OPEN_FILES, 37, "OPEN_FILES",                                                     \
      "allow more open files, or use fewer transfers at a time")                                   \
    X(CORAS_HINT_INSTALL_LIBCURL, 38, "INSTALL_LIBCURL",                                           \
      "install libcurl (Debian, Ubuntu: apt install libcurl4)")                                    \
                                                                                                   \
    /* What the registry holds and takes. Host. */                                                 \
    X(CORAS_HINT_NOT_A_REGISTRY, 50, "NOT_A_REGISTRY",                                             \
      "%1 answers, but not as a registry: check the name and the port")                            \
    X(CORAS_HINT_WEB_PAGE, 51, "WEB_PAGE",                                                         \
      "a proxy or a login page may have answered instead of the registry")                         \
    /* Host, repository, how the kind of registry there makes one. */                              \
    X(CORAS_HINT_CREATE_REPOSITORY, 52, "CREATE_REPOSITORY",                                       \
      "{the repository does not exist%3|the registry at %1 knows no repository \"%2\"; if it "     \
      "does "                                                                                      \
      "not make repositories by itself, create it (or its project) there first}")                  \
    /* Host, repository. */                                                                        \
    X(CORAS_HINT_NO_TAGS, 53, "NO_TAGS", "%1/%2 has no tags")                                      \
    /* Tags, joined by ", ". */                                                                    \
    X(CORAS_HINT_TAGS_EXIST, 54, "TAGS_EXIST", "tags there: %1")                                   \
    X(CORAS_HINT_CLOSEST_TAGS, 55, "CLOSEST_TAGS", "the closest of the tags there: %1")            \
    /* The name in lower case. */                                                                  \
    X(CORAS_HINT_LOWER_CASE, 56, "LOWER_CASE",                                                     \
      "names of repositories have no capital letters: %1")                                         \
    /* Host. */                                                                                    \
    X(CORAS_HINT_REQUEST_TOO_LARGE, 57, "REQUEST_TOO_LARGE",                                       \
      "%1, or a proxy in front of it, limits the size of a request: raise that limit (nginx: "     \
      "client_max_body_size)")                                                                     \
    /* Host. */                                                                                    \
    X(CORAS_HINT_STORAGE_FULL, 58, "STORAGE_FULL", "the storage of %1 is full")                    \
    /* Host, repository. */                                                                        \
    X(CORAS_HINT_NO_WRITE_RIGHT, 59, "NO_WRITE_RIGHT",                                             \
      "the account may read but not write %1/%2, or a quota is used up: check its rights there")   \
    X(CORAS_HINT_USE_IMAGE_SPEC_1_0, 60, "USE_IMAGE_SPEC_1_0",                                     \
      "the registry may not know OCI 1.1 artifacts (distribution from 2.7, Harbor from 2.8, Quay " \
      "from 3.11, Artifactory from 7.90 and zot do): try again with image specification 1.0")      \
    /* Media type. */                                                                              \
    X(CORAS_HINT_MANIFEST_TYPE_REFUSED, 61, "MANIFEST_TYPE_REFUSED",                               \
      "the registry does not store manifests of type %1")                                          \
    /* Host. */                                                                                    \
    X(CORAS_HINT_DELETE_DISABLED, 62, "DELETE_DISABLED",                                           \
      "%1 does not allow deleting; distribution needs 'storage.delete.enabled: true' in its "      \
      "configuration")                                                                             \
    /* Host. */                                                                                    \
    X(CORAS_HINT_CHANGED_ON_THE_WAY, 63, "CHANGED_ON_THE_WAY",                                     \
      "what was sent is right: something on the way to %1 changes it")                             \
    /* Digest. */                                                                                  \
    X(CORAS_HINT_CONTENT_DIGEST, 64, "CONTENT_DIGEST", "the content has the digest %1")            \
    /* Platforms, joined by ", ". */                                                               \
    X(CORAS_HINT_PLATFORMS_EXIST, 65, "PLATFORMS_EXIST", "available platforms in index: [%1]")     \
    X(CORAS_HINT_ONE_PLATFORM, 66, "ONE_PLATFORM",                                                 \
      "selecting multiple platforms requires a multi-platform source; select one platform to "     \
      "copy it from an image")                                                                     \
    /* What a selection passed over, joined by ", ". */                                            \
    X(CORAS_HINT_CONTENT_EXISTS, 67, "CONTENT_EXISTS", "there is: %1")                             \
                                                                                                   \
    /* This machine. */                                                                            \
    X(CORAS_HINT_FREE_SPACE, 80, "FREE_SPACE", "free some space, or choose another directory")     \
    X(CORAS_HINT_STILL_WRITTEN, 81, "STILL_WRITTEN", "push again once nobody writes to the file")  \
    X(CORAS_HINT_ALLOW_PATH_TRAVERSAL, 82, "ALLOW_PATH_TRAVERSAL",                                 \
      "files outside of the output directory are written only when that is allowed for this "      \
      "content")                                                                                   \
    /* Kind of compression. */                                                                     \
    X(CORAS_HINT_DECOMPRESS, 83, "DECOMPRESS",                                                     \
      "the archive is compressed with %1: decompress it first")                                    \
    X(CORAS_HINT_FOLLOW_LINKS, 84, "FOLLOW_LINKS",                                                 \
      "pack what the links lead to instead, if it is to be uploaded")

/** Kinds of hints; values are stable, new ones are added. */
enum coras_hint_kind {
    CORAS_HINT_NONE = 0,
#define CORAS_HINT_ENUM(id, value, name, text) id = (value),
    CORAS_HINT_LIST(CORAS_HINT_ENUM)
#undef CORAS_HINT_ENUM
};

#ifdef __cplusplus
}
#endif
#endif
