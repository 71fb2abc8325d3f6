/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error object: code, message, hint, and what an answer of a registry has told
 * (docs/progress.md).
 */
#include "cli/app/error_json.h"

#include "base/error.h"
#include "base/str.h"
#include "cli/app/hints.h"
#include "cli/output/report.h"

static bool is_json(const struct call *call, const char *word)
{
    struct opt_ref ref;
    const struct opt_string *value;

    if (!opt_find_word(call->cmd, word, &ref))
        return false;
    value = opt_value(ref, call->state);
    return value->value && coras_streq(value->value, "json");
}

bool wants_error_json(const struct call *call)
{
    return call->state && (is_json(call, "--error-format") || is_json(call, "--progress"));
}

static const char *party_name(enum coras_party party)
{
    switch (party) {
    case CORAS_PARTY_LOCAL:
        return "local";
    case CORAS_PARTY_REGISTRY:
        return "registry";
    case CORAS_PARTY_TOKEN_SERVICE:
        return "token-service";
    case CORAS_PARTY_PROXY:
        return "proxy";
    case CORAS_PARTY_ELSEWHERE:
        return "elsewhere";
    case CORAS_PARTY_UNKNOWN:
        break;
    }
    return NULL;
}

static const char *side_name(enum coras_side side)
{
    return side == CORAS_SIDE_SOURCE        ? "source"
           : side == CORAS_SIDE_DESTINATION ? "destination"
                                            : NULL;
}

/* The line as people read it, without the word that every failure begins with. */
static void put_message(coras_json_writer *w, const struct error_line *line)
{
    coras_auto_buf message = CORAS_BUF_UNLIMITED;

    if (!coras_streq(line->prefix, ERROR_PREFIX))
        coras_buf_printf(&message, "%s ", line->prefix);
    coras_buf_puts(&message, line->message);
    coras_jw_member(w, "message",
                    coras_buf_done(&message, NULL) == 0 ? message.ptr : line->message);
}

static void put_hint_member(coras_json_writer *w, const coras_error *error)
{
    static const char mark[] = "Hint: ";
    coras_auto_buf hint = CORAS_BUF_UNLIMITED;

    put_hint(&hint, error);
    if (!hint.len || coras_buf_done(&hint, NULL) < 0)
        return;
    coras_jw_member(w, "hint",
                    coras_str_starts(hint.ptr, mark) ? hint.ptr + sizeof(mark) - 1 : hint.ptr);
}

/* What an answer has told, where one was the cause. */
static void put_answer(coras_json_writer *w, const coras_error *error)
{
    if (coras_error_http_status(error))
        coras_jw_member_int(w, "status", coras_error_http_status(error));
    coras_jw_member_opt(w, "host", coras_error_http_host(error));
    coras_jw_member_opt(w, "registryCode", coras_error_registry_code(error));
    if (coras_error_retry_after_s(error))
        coras_jw_member_int(w, "retryAfter", coras_error_retry_after_s(error));
}

bool print_error_json(const struct error_line *line, const coras_error *error)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&text, 0);

    report_line_begin(&w, "error");
    coras_jw_member(&w, "code", coras_error_name(coras_error_code(error)));
    put_message(&w, line);
    put_hint_member(&w, error);
    put_answer(&w, error);
    coras_jw_member_opt(&w, "party", party_name(coras_error_party(error)));
    coras_jw_member_opt(&w, "side", side_name(coras_error_side(error)));
    coras_jw_key(&w, "retryable");
    coras_jw_bool(&w, coras_error_is_retryable(error));
    return report_line_end(&w);
}
