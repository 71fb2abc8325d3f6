/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of explanations. Names and meanings come from the library's list; a test checks that
 * each of its codes is here.
 */
#include "cli/app/explanations.h"

#include "base/error.h"
#include "base/str.h"

static const struct explanation table[] = {
    {CORAS_ERR_NO_MEMORY,
     "The system gave no more memory, or a bound on the process's memory was met.",
     "Close other programs, raise the bound (ulimit -v, the container's limit), or transfer less "
     "at a time with --concurrency 1."},
    {CORAS_ERR_INVALID_ARGUMENT,
     "An option or an argument is not what the command takes, or two options exclude each other.",
     "Run the command with --help; the message names the option."},
    {CORAS_ERR_IO,
     "Reading or writing a file of this machine failed; the message has the path and the system's "
     "reason.",
     "Look at the path, the file system and the disk (dmesg)."},
    {CORAS_ERR_NO_SPACE, "A disk, a quota or the limit on file sizes is full.",
     "Make room and run the same command again: what was transferred is kept. '<program> cache "
     "prune' shrinks the cache."},
    {CORAS_ERR_NOT_FOUND,
     "The registry knows no such repository, tag, manifest or blob, or a file of this machine is "
     "not there. Registries also say so of private repositories to those who may not see them.",
     "Check the spelling; '<program> repo tags' lists the tags. Log in when the repository is "
     "private. Some registries want a repository or project to be created first."},
    {CORAS_ERR_EXISTS, "What would be made is there already, and would have to be replaced.",
     "Choose another name, or leave out --keep-old-files."},
    {CORAS_ERR_INVALID_REFERENCE,
     "A reference is not of the form registry/repository:tag or registry/repository@digest.",
     "Begin with the registry's host name; repositories are in lower case; a tag has at most 128 "
     "letters, digits and . _ -."},
    {CORAS_ERR_INVALID_DIGEST,
     "A digest is not an algorithm, a colon and the right number of hexadecimal digits.",
     "Copy it whole: sha256: and 64 digits."},
    {CORAS_ERR_INVALID_MANIFEST,
     "A manifest, an index or a layout does not follow the specification, contradicts itself or is "
     "nested too deeply.",
     "Push the artifact again with a current tool. Nothing was written from it."},
    {CORAS_ERR_INVALID_JSON, "A document that should be JSON is not; the message has the line.",
     "Repair the file, or see what a proxy or a login page has put in place of the registry's "
     "answer (--debug)."},
    {CORAS_ERR_DIGEST_MISMATCH,
     "The bytes that arrived are not those that the digest names: they were damaged on the way, at "
     "the registry or on this disk, or somebody changed them.",
     "Try again. When it stays, the registry's copy is damaged: push the content anew. '<program> "
     "cache verify' checks the cache. Nothing was written under its name."},
    {CORAS_ERR_SIZE_MISMATCH, "More or fewer bytes arrived than the manifest says.",
     "As for DIGEST_MISMATCH."},
    {CORAS_ERR_TOO_LARGE,
     "A manifest, an answer or a name is larger than anything that is meant seriously.",
     "Split an artifact of very many files; pack small ones into a directory layer."},
    {CORAS_ERR_UNSAFE_PATH,
     "A file of the artifact would be written outside of the output directory.",
     "If you trust who made it: --allow-path-traversal. Otherwise push it again with relative "
     "names."},
    {CORAS_ERR_UNSAFE_ARCHIVE,
     "An archive holds links or members that lead out of its directory, devices, or sizes that do "
     "not fit.",
     "Do not unpack it by other means before you know who made it."},
    {CORAS_ERR_UNTRUSTED_ORIGIN,
     "The registry sent this program to a host to which it must not give a credential, or from "
     "https to http.",
     "Check the registry's address. A token service of your own network is allowed with "
     "--allow-private-token-service."},
    {CORAS_ERR_UNAUTHORIZED,
     "The registry wants to know who asks, and did not accept the credential that was given, or "
     "none was.",
     "'<program> login' with a current password or token; of cloud registries tokens last some "
     "hours only."},
    {CORAS_ERR_DENIED, "The registry knows who asks, and this user may not do that.",
     "Ask for the right to pull or push in this repository. Check the token's scopes: GHCR wants "
     "write:packages, others a role."},
    {CORAS_ERR_HTTP,
     "The registry answered with an error that has no code of its own here; the message has the "
     "status.",
     "For 5xx: try again later. Else look at the registry's words, or at the exchange with "
     "--debug."},
    {CORAS_ERR_CONNECT,
     "No connection: the name has no address, nobody listens at the port, or a firewall is "
     "between.",
     "Check host name and port. Behind a proxy set HTTPS_PROXY, and NO_PROXY for hosts within."},
    {CORAS_ERR_TLS,
     "The certificate is not valid for this host, its authority is not known here, or the other "
     "side does not speak TLS.",
     "Give the authority's certificate with --ca-file. For a registry without TLS: --plain-http."},
    {CORAS_ERR_TIMEOUT, "Nothing came for too long, however often it was tried.",
     "Run the same command again: it goes on where it stopped. ORAS_HTTP_TIMEOUT=120 waits "
     "longer."},
    {CORAS_ERR_PROTOCOL, "What answers does not keep to the registry protocol.",
     "Check that the address is that of a registry and not of a web page or a proxy; --debug shows "
     "the answers."},
    {CORAS_ERR_CONFIG, "A file of credentials or of settings cannot be understood.",
     "Repair the file that the message names, or name another one with --registry-config."},
    {CORAS_ERR_UNSUPPORTED, "The registry, the file system or this build cannot do what was asked.",
     "The message says which; a newer registry may."},
    {CORAS_ERR_CHANGED,
     "A file changed while it was read, so that its digest would be of neither version.",
     "Run it again when nobody writes to the file, or push a copy."},
    {CORAS_ERR_CANCELLED,
     "The command was interrupted (Ctrl-C, a signal, a time-out of the caller).",
     "Run the same command again: it goes on where it stopped."},
    {CORAS_ERR_RANGE, "The registry serves whole blobs only, and a part was needed.",
     "Pull the whole file."},
    {CORAS_ERR_INTERNAL, "This program contradicts itself.",
     "Report it, with the command and the output of --debug."},
    {CORAS_ERR_UNSUPPORTED_DIGEST, "The digest's algorithm is not known here.",
     "Use sha256, sha384 or sha512."},
    {CORAS_ERR_NO_CREDENTIAL, "A credential was asked for, and none is stored for this registry.",
     "'<program> login REGISTRY' first, with the same DOCKER_CONFIG and user."},
    {CORAS_ERR_PERMISSION, "The system forbids this user the file.",
     "Check the owner and the mode of the path in the message; in a container, the volume's."},
    {CORAS_ERR_RATE_LIMITED, "The registry counts requests, and there were too many.",
     "Wait, log in for a higher limit, use fewer transfers at a time (--concurrency), or read "
     "through a cache."},
    {CORAS_ERR_NO_PLATFORM, "The image has no variant for the platform that was asked for.",
     "The message lists those that there are; --platform chooses."},
    {CORAS_ERR_NOT_AN_INDEX, "Several platforms were asked for, and the reference names one image.",
     "Leave out --platform, or give one."},
    {CORAS_ERR_INVALID_MODEL,
     "A weight file is cut, damaged or not of the format that its name promises; the message has "
     "the file and the offset.",
     "Save or download the file again. Nothing was sent."},
    {CORAS_ERR_NOTHING_CHOSEN, "No file or tensor matches the patterns that were given.",
     "The message lists what there is. A pattern is compared with the whole path: '**/*.json' "
     "matches in every directory."},
    {CORAS_ERR_UNSAFE_MODEL, "A scan found something that runs code when the model is loaded.",
     "'<program> model scan' lists it. Ask for the model in safetensors or GGUF; pull without "
     "--safe only what you trust."},
};

const char *explanation_name(const struct explanation *e)
{
    return coras_error_name(e->code);
}

const char *explanation_meaning(const struct explanation *e)
{
    switch (e->code) {
#define MEANING(id, value, name, text)                                                             \
    case id:                                                                                       \
        return text;
        CORAS_ERROR_LIST(MEANING)
#undef MEANING
    default:
        return "";
    }
}

const struct explanation *explanation_find(const char *name)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(table); i++)
        if (coras_str_ieq(name, explanation_name(&table[i])))
            return &table[i];
    return NULL;
}

const struct explanation *explanation_at(size_t i)
{
    return i < CORAS_ARRAY_LEN(table) ? &table[i] : NULL;
}
