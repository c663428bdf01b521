/* SPDX-License-Identifier: Apache-2.0 */
/* Which group documents an MCPTT server fetches when, and what each answer means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <mcx/group_follow.h>

static const char *const groups[] = { "sip:a@example.org", "sip:b@example.org" };
static const struct mcx_gfollow_config config = {
    .groups = groups, .num_groups = 2, .poll_ms = 60000, .first_retry_ms = 1000, .max_retry_ms = 4000
};
static struct mcx_gfollow *f;
static uint16_t due[MCX_GFOLLOW_GROUPS_MAX];
static struct mcx_refusal why;

static int open_it(void **state)
{
    (void)state;
    return mcx_gfollow_new(&f, &config) == MCX_OK ? 0 : -1;
}

static int close_it(void **state)
{
    (void)state;
    mcx_gfollow_free(f);
    return 0;
}

static void hold_both(uint64_t now)
{
    assert_int_equal(mcx_gfollow_begin(f, due, now), 2);
    for (uint16_t i = 0; i < 2; i++) {
        assert_int_equal(mcx_gfollow_answer(f, i, 200, "one", &why), MCX_GFOLLOW_TAKE);
        mcx_gfollow_taken(f, i, "one");
    }
    assert_int_equal(mcx_gfollow_end(f, false, now), 0);
}

static void test_rounds(void **state)
{
    (void)state;
    assert_int_equal(mcx_gfollow_deadline(f), 0);
    hold_both(1000);
    assert_int_equal(mcx_gfollow_deadline(f), 61000);
    assert_int_equal(mcx_gfollow_begin(f, due, 60999), 0);
    assert_int_equal(mcx_gfollow_begin(f, due, 61000), 2);
    assert_true(mcx_gfollow_deadline(f) == UINT64_MAX);
    mcx_gfollow_ask(f); /* the answers on their way may be older */
    assert_int_equal(mcx_gfollow_answer(f, 0, 304, "one", &why), MCX_GFOLLOW_SAME);
    assert_int_equal(mcx_gfollow_answer(f, 1, 304, "one", &why), MCX_GFOLLOW_SAME);
    assert_int_equal(mcx_gfollow_end(f, false, 61100), 0);
    assert_int_equal(mcx_gfollow_begin(f, due, 61100), 2);
}

static void test_answers(void **state)
{
    (void)state;
    assert_int_equal(mcx_gfollow_answer(f, 0, 200, "one", &why), MCX_GFOLLOW_REFUSED);
    assert_string_equal(why.reason, "an answer that nobody has asked for");
    assert_int_equal(mcx_gfollow_begin(f, due, 0), 2);
    assert_int_equal(mcx_gfollow_answer(f, 0, 304, "one", &why), MCX_GFOLLOW_REFUSED);
    assert_int_equal(mcx_gfollow_answer(f, 0, 200, "one", &why), MCX_GFOLLOW_REFUSED); /* the second answer */
    assert_int_equal(mcx_gfollow_answer(f, 1, 404, "", &why), MCX_GFOLLOW_REFUSED);
    assert_int_equal(mcx_gfollow_answer(f, 2, 200, "one", &why), MCX_GFOLLOW_REFUSED);
    (void)mcx_gfollow_end(f, false, 0);
    mcx_gfollow_ask(f);
    hold_both(0);
    mcx_gfollow_ask(f);
    assert_int_equal(mcx_gfollow_begin(f, due, 0), 2);
    assert_int_equal(mcx_gfollow_answer(f, 0, 200, "one", &why), MCX_GFOLLOW_SAME); /* under the tag that is held */
    assert_int_equal(mcx_gfollow_answer(f, 1, 200, "two", &why), MCX_GFOLLOW_TAKE); /* refused: not taken */
    (void)mcx_gfollow_end(f, false, 0);
    assert_string_equal(mcx_gfollow_etag(f, 1), "one");
    mcx_gfollow_ask(f);
    assert_int_equal(mcx_gfollow_begin(f, due, 0), 2);
    assert_int_equal(mcx_gfollow_answer(f, 0, 403, "", &why), MCX_GFOLLOW_REFUSED);
    assert_string_equal(mcx_gfollow_etag(f, 0), "one");
    assert_int_equal(mcx_gfollow_answer(f, 1, 404, "", &why), MCX_GFOLLOW_GONE);
    assert_string_equal(mcx_gfollow_etag(f, 1), "");
    (void)mcx_gfollow_end(f, false, 0);
    mcx_gfollow_ask(f);
    assert_int_equal(mcx_gfollow_begin(f, due, 0), 2);
    assert_int_equal(mcx_gfollow_answer(f, 0, MCX_GFOLLOW_TOO_LONG, "", &why), MCX_GFOLLOW_REFUSED);
    assert_string_equal(mcx_gfollow_etag(f, 0), "one");
}

static void test_back_off(void **state)
{
    static const uint64_t waits[] = { 1000, 2000, 4000, 4000 };
    uint64_t now = 0;

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(mcx_gfollow_begin(f, due, now), 2);
        assert_int_equal(mcx_gfollow_answer(f, 0, i % 2 == 0 ? 503 : 401, "", &why), MCX_GFOLLOW_AGAIN);
        assert_int_equal(mcx_gfollow_end(f, true, now), waits[i]);
        assert_int_equal(mcx_gfollow_deadline(f), now + waits[i]);
        assert_int_equal(mcx_gfollow_begin(f, due, now + waits[i] - 1), 0);
        now += waits[i];
    }
    mcx_gfollow_ask(f); /* an operator does not wait */
    hold_both(now - 1);
}

#define DIFF(document)                                                                                                 \
    "<xcap-diff xmlns=\"urn:ietf:params:xml:ns:xcap-diff\" xcap-root=\"https://gms.example.org/\">" document "</xcap-diff>"
#define SEL(auid, group) "<document sel=\"" auid "/global/byGroupID/" group "\" "
#define GROUP_A          SEL("org.openmobilealliance.groups", "sip%3Aa%40example.org")

static void test_notified(void **state)
{
    static const struct {
        const char *xml;
        size_t num;
    } cases[] = {
        { DIFF(GROUP_A "new-etag=\"one\"/>"), 0 }, /* held */
        { DIFF(GROUP_A "new-etag=\"two\"/>"), 1 },
        { DIFF(GROUP_A "previous-etag=\"one\"/>"), 1 }, /* gone */
        { DIFF(SEL("org.3gpp.MCPTT-GKTP", "sip%3Aa%40example.org") "new-etag=\"two\"/>"), 0 },
        { DIFF(SEL("org.openmobilealliance.groups", "sip%3Az%40example.org") "new-etag=\"two\"/>"), 0 }, /* not ours */
    };
    size_t num = 0;

    (void)state;
    hold_both(1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mcx_gfollow_notified(f, &num, mcx_bytes_str(cases[i].xml), &why), MCX_OK);
        assert_int_equal(num, cases[i].num);
        assert_int_equal(mcx_gfollow_deadline(f), num == 0 ? 61000 : 0);
        assert_int_equal(mcx_gfollow_begin(f, due, 1000), num);
        if (num > 0) {
            assert_int_equal(due[0], 0);
            assert_int_equal(mcx_gfollow_answer(f, 0, 304, "one", &why), MCX_GFOLLOW_SAME);
            (void)mcx_gfollow_end(f, false, 1000);
        }
    }
    assert_int_equal(mcx_gfollow_notified(f, &num, mcx_bytes_str("<no"), &why), MCX_E_FORMAT);
    assert_int_equal(num, 0);

    mcx_gfollow_ask(f); /* a failure: who notifies does not shorten the wait */
    assert_int_equal(mcx_gfollow_begin(f, due, 1000), 2);
    assert_int_equal(mcx_gfollow_answer(f, 0, 503, "", &why), MCX_GFOLLOW_AGAIN);
    assert_int_equal(mcx_gfollow_end(f, true, 1000), 1000);
    assert_int_equal(mcx_gfollow_notified(f, &num, mcx_bytes_str(cases[1].xml), &why), MCX_OK);
    assert_int_equal(mcx_gfollow_deadline(f), 2000);
}

static void test_config(void **state)
{
    static const char *const twice[] = { "sip:a@example.org", "sip:a@example.org" };
    struct mcx_gfollow_config bad = config;
    struct mcx_gfollow *none = NULL;

    (void)state;
    bad.groups = twice;
    assert_int_equal(mcx_gfollow_new(&none, &bad), MCX_E_ARG);
    bad.num_groups = 0;
    assert_int_equal(mcx_gfollow_new(&none, &bad), MCX_E_ARG);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_it, close_it)
    const struct CMUnitTest tests[] = { T(test_rounds), T(test_answers), T(test_back_off), T(test_notified),
                                        cmocka_unit_test(test_config) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
