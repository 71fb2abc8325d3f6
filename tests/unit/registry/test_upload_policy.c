/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer to a piece of an upload means for the next one. */
#include "support.h"
#include "base/limits.h"
#include "registry/upload_policy.h"

#define MIB(n) ((int64_t)(n)*CORAS_MIB)

static void the_way_follows_host_size_and_facts(void **state)
{
    static const struct {
        const char *host;
        int64_t size;
        coras_host_facts facts;
        int64_t min_chunk;
        bool chunked;
        int64_t chunk; /* 0: not looked at */
        bool last_in_put;
    } rows[] = {
        {"reg.example", 0, {0}, 0, false, 0, false},
        {"reg.example", MIB(5), {0}, 0, false, 0, false},
        {"reg.example", MIB(5) + 1, {0}, 0, true, MIB(64), false},
        {"reg.example:5000", MIB(1000000), {0}, 0, true, MIB(100) + 1, false},
        {"reg.example", MIB(100), {0}, MIB(80), true, MIB(80), false},
        {"reg.example", MIB(100), {0}, INT64_MAX, true, MIB(64), false},
        {"reg.example", MIB(100), {.no_patch = true}, 0, false, 0, false},
        {"reg.example", MIB(100), {.max_body = MIB(8)}, 0, true, MIB(8), false},
        {"reg.example", MIB(4), {.max_body = MIB(2)}, 0, true, MIB(2), false},
        {"reg.example", MIB(100), {.range_lies = true}, 0, true, MIB(64), true},
        {"ghcr.io", MIB(100), {0}, 0, false, 0, false},
        {"ghcr.io", MIB(100), {.max_body = MIB(50)}, 0, true, 4000000, false},
        {"europe-docker.pkg.dev", MIB(100), {.max_body = MIB(50)}, 0, false, 0, false},
        {"gcr.io", MIB(100), {0}, 0, false, 0, false},
        {"eu.gcr.io", MIB(100), {0}, 0, false, 0, false},
        {"notgcr.io", MIB(100), {0}, 0, true, MIB(64), false},
        {"1.dkr.ecr.eu-west-1.amazonaws.com", MIB(100), {0}, 0, false, 0, true},
        {"public.ecr.aws", MIB(100), {.max_body = MIB(50)}, 0, true, MIB(10), true},
        {"x.azurecr.io", MIB(100), {0}, 0, true, MIB(16), false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_host_facts facts = coras_host_facts_by_name(rows[i].host);
        coras_host_facts_join(&facts, &rows[i].facts);
        coras_upload_plan p = coras_upload_plan_for(rows[i].size, &facts, rows[i].min_chunk);
        if (p.chunked != rows[i].chunked || p.last_in_put != rows[i].last_in_put ||
            (rows[i].chunk && p.chunk != rows[i].chunk))
            fail_msg("row %zu, %s: chunked %d, chunk %lld, last in PUT %d", i, rows[i].host,
                     p.chunked, (long long)p.chunk, p.last_in_put);
    }
}

static void bodies_shrink_without_stepping_over_a_usual_limit(void **state)
{
    static const int64_t rows[][2] = {
        {MIB(64), MIB(32)},
        {MIB(3), MIB(3) / 2},
        {MIB(3) / 2, MIB(1)},
        {MIB(1) + 1, MIB(1)},
        {MIB(1), MIB(1) / 2},
        {MIB(1) / 2, 0},
        {1, 0},
        {0, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        assert_int_equal(coras_upload_smaller_body(rows[i][0]), rows[i][1]);
}

static void what_is_learnt_of_a_host_adds_up(void **state)
{
    coras_host_facts facts = coras_host_facts_by_name("ghcr.io");

    (void)state;
    coras_host_facts_join(&facts, &(coras_host_facts){.max_body = MIB(2)});
    coras_host_facts_join(&facts, &(coras_host_facts){.max_body = MIB(3), .no_expect = true});
    assert_true(facts.one_put);
    assert_true(facts.no_expect);
    assert_false(facts.no_patch);
    assert_int_equal(facts.max_body, MIB(2));
    assert_int_equal(facts.chunk, 4000000);
}

/* 100 of 1000 bytes are there, a PATCH has sent 200 more. */
static const coras_upload_state middle = {.size = 1000, .confirmed = 100, .sent_to = 300};
static const coras_upload_state refused = {
    .size = 1000, .confirmed = 100, .sent_to = 300, .refused_here = true};
static const coras_upload_state much = {.size = MIB(9), .sent_to = MIB(5), .fresh = true};
static const coras_upload_state first = {.size = 1000, .sent_to = 200, .fresh = true};

static void answers_to_patch_are_understood(void **state)
{
    static const struct {
        const char *name;
        const coras_upload_state *state;
        coras_upload_answer answer;
        enum coras_upload_verdict want;
        int64_t confirmed; /* with GO_ON */
        bool own_count;
    } rows[] = {
        {"as sent", &middle, {202, "0-299"}, CORAS_UPLOAD_GO_ON, 300},
        {"bytes= in front", &middle, {202, "bytes=0-299"}, CORAS_UPLOAD_GO_ON, 300},
        {"201 as ECR says", &middle, {201, "0-299"}, CORAS_UPLOAD_GO_ON, 300},
        {"204 as Pulp says", &middle, {204, "0-299"}, CORAS_UPLOAD_GO_ON, 300},
        {"no range", &middle, {202, NULL}, CORAS_UPLOAD_GO_ON, 300},
        {"garbage", &middle, {202, "all of it"}, CORAS_UPLOAD_GO_ON, 300},
        {"short write", &middle, {202, "0-249"}, CORAS_UPLOAD_GO_ON, 250},
        {"last chunk only, as old zot", &middle, {202, "0-199"}, CORAS_UPLOAD_DOUBT, 0},
        {"does not advance, as ECR", &middle, {201, "0-99"}, CORAS_UPLOAD_DOUBT, 0},
        {"0-0", &middle, {202, "0-0"}, CORAS_UPLOAD_DOUBT, 0},
        {"more than sent", &middle, {202, "0-300"}, CORAS_UPLOAD_DOUBT, 0},
        {"does not advance, known liar", &middle, {201, "0-99"}, CORAS_UPLOAD_GO_ON, 300, true},
        {"first, as sent", &first, {202, "0-199"}, CORAS_UPLOAD_GO_ON, 200},
        {"no answer", &middle, {0}, CORAS_UPLOAD_ASK, 0},
        {"500", &middle, {500}, CORAS_UPLOAD_ASK, 0},
        {"429", &middle, {429}, CORAS_UPLOAD_ASK, 0},
        {"cloud flare", &middle, {524}, CORAS_UPLOAD_ASK, 0},
        {"413", &middle, {413}, CORAS_UPLOAD_SMALLER, 0},
        {"416 at once for much, as GHCR", &much, {416}, CORAS_UPLOAD_SMALLER, 0},
        {"416 again where the session stands", &refused, {416, "0-99"}, CORAS_UPLOAD_NO_PATCH, 0},
        {"416 with range", &middle, {416, "0-149"}, CORAS_UPLOAD_GO_ON, 150},
        {"416 with our offset", &middle, {416, "0-99"}, CORAS_UPLOAD_ASK, 0},
        {"416 beyond the blob", &middle, {416, "0-1000"}, CORAS_UPLOAD_ASK, 0},
        {"416 without", &middle, {416}, CORAS_UPLOAD_ASK, 0},
        {"session lost", &middle, {404}, CORAS_UPLOAD_LOST, 0},
        {"session gone", &middle, {410}, CORAS_UPLOAD_LOST, 0},
        {"no PATCH at all", &first, {404}, CORAS_UPLOAD_NO_PATCH, 0},
        {"405", &first, {405}, CORAS_UPLOAD_NO_PATCH, 0},
        {"400 at first", &first, {400}, CORAS_UPLOAD_NO_PATCH, 0},
        {"400 later", &middle, {400}, CORAS_UPLOAD_ASK, 0},
        {"501", &first, {501}, CORAS_UPLOAD_NO_PATCH, 0},
        {"disk full", &middle, {507}, CORAS_UPLOAD_REFUSED, 0},
        {"409", &middle, {409}, CORAS_UPLOAD_REFUSED, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_upload_plan plan = {.chunked = true, .own_count = rows[i].own_count};
        int64_t confirmed = -1;
        enum coras_upload_verdict got =
            coras_upload_after_patch(&plan, rows[i].state, &rows[i].answer, &confirmed);
        if (got != rows[i].want || (got == CORAS_UPLOAD_GO_ON && confirmed != rows[i].confirmed))
            fail_msg("%s: verdict %d, confirmed %lld", rows[i].name, got, (long long)confirmed);
    }
}

static void a_refused_first_patch_of_many_bytes_was_too_large(void **state)
{
    coras_upload_state s = {.size = MIB(100), .sent_to = MIB(64), .fresh = true};
    coras_upload_plan plan = {.chunked = true};
    coras_upload_answer answer = {.status = 416};
    int64_t confirmed;

    (void)state;
    assert_int_equal(coras_upload_after_patch(&plan, &s, &answer, &confirmed),
                     CORAS_UPLOAD_SMALLER);
}

static void the_session_says_where_it_stands(void **state)
{
    static const coras_upload_state doubt = {
        .size = 1000, .confirmed = 100, .sent_to = 300, .doubt = true, .last_taken = true};
    static const coras_upload_state taken = {
        .size = 1000, .confirmed = 300, .sent_to = 300, .last_taken = true};
    static const coras_upload_state counted = {
        .size = 1000, .confirmed = 300, .sent_to = 300, .last_taken = true, .counted = true};
    static const coras_upload_state one = {.size = 10, .sent_to = 1};
    static const struct {
        const char *name;
        const coras_upload_state *state;
        coras_upload_answer answer;
        enum coras_upload_verdict want;
        int64_t confirmed;
        bool own_count;
    } rows[] = {
        {"all of a broken chunk kept", &middle, {204, "0-299"}, CORAS_UPLOAD_GO_ON, 300},
        {"half of it", &middle, {204, "0-179"}, CORAS_UPLOAD_GO_ON, 180},
        {"none of it", &middle, {204, "0-99"}, CORAS_UPLOAD_GO_ON, 100},
        {"less than before", &middle, {204, "0-49"}, CORAS_UPLOAD_GO_ON, 50},
        {"nothing", &middle, {204, "0-0"}, CORAS_UPLOAD_GO_ON, 0},
        {"one byte or none", &one, {204, "0-0"}, CORAS_UPLOAD_GO_ON, 1},
        {"more than sent", &middle, {204, "0-300"}, CORAS_UPLOAD_LOST, 0},
        {"more than there is", &middle, {204, "0-1000"}, CORAS_UPLOAD_LOST, 0},
        {"200 for 204", &middle, {200, "0-179"}, CORAS_UPLOAD_GO_ON, 180},
        {"no range, PATCH taken", &taken, {204, NULL}, CORAS_UPLOAD_GO_ON, 300},
        {"no range, PATCH cut", &middle, {204, NULL}, CORAS_UPLOAD_LOST, 0},
        {"lost", &middle, {404}, CORAS_UPLOAD_LOST, 0},
        {"no status, PATCH taken", &taken, {400}, CORAS_UPLOAD_GO_ON, 300},
        {"no status, second time", &counted, {400}, CORAS_UPLOAD_LOST, 0},
        {"405, PATCH taken", &taken, {405}, CORAS_UPLOAD_GO_ON, 300},
        {"doubt: arrived", &doubt, {204, "0-299"}, CORAS_UPLOAD_GO_ON, 300},
        {"doubt: partly", &doubt, {204, "0-199"}, CORAS_UPLOAD_GO_ON, 200},
        {"doubt: still the old", &doubt, {204, "0-99"}, CORAS_UPLOAD_LIES, 300},
        {"doubt: 404", &doubt, {404}, CORAS_UPLOAD_GO_ON, 300},
        {"liar, PATCH taken", &taken, {204, "0-99"}, CORAS_UPLOAD_GO_ON, 300, true},
        {"503", &middle, {503}, CORAS_UPLOAD_ASK, 0},
        {"no answer", &middle, {0}, CORAS_UPLOAD_ASK, 0},
        {"403", &middle, {403}, CORAS_UPLOAD_REFUSED, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_upload_plan plan = {.chunked = true, .own_count = rows[i].own_count};
        int64_t confirmed = -1;
        enum coras_upload_verdict got =
            coras_upload_after_status(&plan, rows[i].state, &rows[i].answer, &confirmed);
        if (got != rows[i].want || ((got == CORAS_UPLOAD_GO_ON || got == CORAS_UPLOAD_LIES) &&
                                    confirmed != rows[i].confirmed))
            fail_msg("%s: verdict %d, confirmed %lld", rows[i].name, got, (long long)confirmed);
    }
}

static void answers_to_the_closing_put_are_understood(void **state)
{
    static const coras_upload_state large = {.size = MIB(5), .sent_to = MIB(5), .fresh = true};
    static const coras_upload_state whole = {.size = 1000, .sent_to = 1000, .fresh = true};
    static const struct {
        const coras_upload_state *state;
        coras_upload_answer answer;
        enum coras_upload_verdict want;
    } rows[] = {
        {&whole, {201}, CORAS_UPLOAD_DONE},     {&whole, {204}, CORAS_UPLOAD_DONE},
        {&whole, {200}, CORAS_UPLOAD_DONE},     {&whole, {202}, CORAS_UPLOAD_WAIT},
        {&whole, {0}, CORAS_UPLOAD_ASK},        {&whole, {504}, CORAS_UPLOAD_ASK},
        {&whole, {400}, CORAS_UPLOAD_REFUSED},  {&middle, {400}, CORAS_UPLOAD_ONE_PUT},
        {&middle, {405}, CORAS_UPLOAD_ONE_PUT}, {&whole, {404}, CORAS_UPLOAD_LOST},
        {&whole, {413}, CORAS_UPLOAD_SMALLER},  {&large, {416}, CORAS_UPLOAD_SMALLER},
        {&whole, {416}, CORAS_UPLOAD_REFUSED},  {&middle, {416}, CORAS_UPLOAD_ASK},
        {&middle, {507}, CORAS_UPLOAD_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        enum coras_upload_verdict got = coras_upload_after_put(rows[i].state, &rows[i].answer);
        if (got != rows[i].want)
            fail_msg("row %zu: verdict %d", i, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_follows_host_size_and_facts),
        cmocka_unit_test(bodies_shrink_without_stepping_over_a_usual_limit),
        cmocka_unit_test(what_is_learnt_of_a_host_adds_up),
        cmocka_unit_test(answers_to_patch_are_understood),
        cmocka_unit_test(a_refused_first_patch_of_many_bytes_was_too_large),
        cmocka_unit_test(the_session_says_where_it_stands),
        cmocka_unit_test(answers_to_the_closing_put_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
