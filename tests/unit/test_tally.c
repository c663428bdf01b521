/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/tally.h"

struct seen {
    size_t rows;
    uint64_t sum, other;
    char first[MCX_TALLY_NAME];
};

static void look(void *arg, const char *name, uint64_t count)
{
    struct seen *s = arg;

    if (s->rows++ == 0) {
        (void)snprintf(s->first, sizeof s->first, "%s", name);
    }
    s->sum += count;
    s->other += strcmp(name, "other") == 0 ? count : 0;
}

static void counts(void **state)
{
    static struct mcx_tally t;
    struct seen s = { 0 };

    (void)state;
    mcx_tally_each(&t, look, &s);
    assert_int_equal(s.rows, 0);
    assert_int_equal(mcx_tally_add(&t, "a\x1b[31m\xc2\x9b"), 1);
    assert_int_equal(mcx_tally_add(&t, "b"), 1);
    assert_int_equal(mcx_tally_add(&t, "a\x1b[31m\xc2\x9b"), 2);
    mcx_tally_each(&t, look, &s);
    assert_int_equal(s.rows, 2);
    assert_int_equal(s.sum, 3);
    assert_string_equal(s.first, "a?[31m??");
}

static void overflow(void **state)
{
    static struct mcx_tally t;
    struct seen s = { 0 };
    char name[200];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "%u %0150u", i, i);
        assert_int_equal(mcx_tally_add(&t, name), i < MCX_TALLY_ROWS ? 1 : i - MCX_TALLY_ROWS + 1);
    }
    mcx_tally_each(&t, look, &s);
    assert_int_equal(s.rows, MCX_TALLY_ROWS + 1);
    assert_int_equal(s.sum, 1000);
    assert_int_equal(s.other, 1000 - MCX_TALLY_ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(counts), cmocka_unit_test(overflow) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
