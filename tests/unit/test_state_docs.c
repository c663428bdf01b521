/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/STATE-MACHINES.md is written from the tables: this test fails when it has drifted.
 * To write it anew: MCX_WRITE_DOCS=1 build/release/tests/unit-test_state_docs
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/floor_participant.h>
#include <mcx/floor_server.h>
#include <mcx/groupcall.h>
#include <mcx/mcptt_group.h>
#include <mcx/mcptt_server.h>
#include <mcx/preestablished.h>
#include <mcx/privcall.h>

static void write_private_call(FILE *f)
{
    struct mcx_privcall_row row;

    fputs("## Private call, client (`src/proc/privcall.c`, TS 24.379 11.1.1.2.1, 11.1.3)\n\n", f);
    fputs("```mermaid\nstateDiagram-v2\n", f);
    for (size_t i = 0; mcx_privcall_row(&row, i); i++) {
        fprintf(f, "    %s --> %s: %s\n", row.state, row.next, row.event);
    }
    fputs("```\n\n| State | Event | Next state | What happens |\n|---|---|---|---|\n", f);
    for (size_t i = 0; mcx_privcall_row(&row, i); i++) {
        fprintf(f, "| %s | %s | %s | %s |\n", row.state, row.event, row.next, row.what);
    }
    fputs("\n| Timer | Default | Meaning |\n|---|---|---|\n", f);
    for (int i = 0; i < MCX_PC_NUM_TIMERS; i++) {
        const struct mcx_privcall_timer_info *info = mcx_privcall_timer_info((enum mcx_privcall_timer)i);

        if (info->default_ms == 0) {
            fprintf(f, "| %s | off | %s |\n", info->name, info->meaning);
        } else {
            fprintf(f, "| %s | %u ms | %s |\n", info->name, (unsigned)info->default_ms, info->meaning);
        }
    }
}

static void write_group_call(FILE *f)
{
    struct mcx_groupcall_row row;

    fputs("\n## Group call, client (`src/proc/groupcall.c`, TS 24.379 10.1.1.2, 10.1.2.2)\n\n", f);
    fputs("```mermaid\nstateDiagram-v2\n", f);
    for (size_t i = 0; mcx_groupcall_row(&row, i); i++) {
        fprintf(f, "    %s --> %s: %s\n", row.state, row.next, row.event);
    }
    fputs("```\n\n| State | Event | Next state | What happens |\n|---|---|---|---|\n", f);
    for (size_t i = 0; mcx_groupcall_row(&row, i); i++) {
        fprintf(f, "| %s | %s | %s | %s |\n", row.state, row.event, row.next, row.what);
    }
    fputs("\n| Timer | Default | Meaning |\n|---|---|---|\n", f);
    for (int i = 0; i < MCX_GC_NUM_TIMERS; i++) {
        const struct mcx_groupcall_timer_info *info = mcx_groupcall_timer_info((enum mcx_groupcall_timer)i);

        fprintf(f, "| %s | %u ms | %s |\n", info->name, (unsigned)info->default_ms, info->meaning);
    }
}

static void write_mcptt_server(FILE *f)
{
    struct mcx_msrv_row row;

    fputs("\n## Private call, MCPTT server (`src/proc/mcptt_server.c`, TS 24.379 11.1.1.3, 11.1.1.4, 11.1.3)\n\n", f);
    fputs("```mermaid\nstateDiagram-v2\n    free --> relay: invite\n", f);
    for (size_t i = 0; mcx_msrv_row(&row, i); i++) {
        fprintf(f, "    %s --> %s: %s\n", row.state, row.next, row.event);
    }
    fputs("```\n\nAn INVITE goes through the three roles first (`src/proc/mcptt_roles.c`); only one that none of them "
          "refuses\n"
          "makes a call. A call is also over when both legs are gone.\n\n"
          "| State | Event | Next state | What happens |\n|---|---|---|---|\n",
          f);
    for (size_t i = 0; mcx_msrv_row(&row, i); i++) {
        fprintf(f, "| %s | %s | %s | %s |\n", row.state, row.event, row.next, row.what);
    }
}

static void write_group_server(FILE *f)
{
    struct mcx_mgrp_row row;

    fputs("\n## Group call, MCPTT server: one leg (`src/proc/mcptt_group_leg.c`, TS 24.379 10.1.1.4, 10.1.2.4)\n\n"
          "A leg begins waiting (he called) or to-call (he is invited), and ends when his dialog has ended. Whoever "
          "has to "
          "go\n"
          "goes to leaving from any state.\n\n| State | Event | Next state | What happens |\n|---|---|---|---|\n",
          f);
    for (size_t i = 0; mcx_mgrp_row(&row, i); i++) {
        fprintf(f, "| %s | %s | %s | %s |\n", row.state, row.event, row.next, row.what);
    }
}

/* Diagrams of these have too many arrows to be read: the table is the document. */
static void write_floor_server(FILE *f)
{
    struct mcx_fsrv_row row;

    fputs("\n## Floor control server (`src/proc/floor_server_*.c`, TS 24.380 6.3.4, 6.3.5)\n\n"
          "Of several rows for one state and event the first whose condition holds is taken. \"arbitration\": the "
          "event goes "
          "on to\n"
          "the first table. Rows without a clause are ours (docs/DEVIATIONS.md, `floor-`).\n\n### Arbitration, one for "
          "each call (6.3.4)\n",
          f);
    for (size_t i = 0; mcx_fsrv_row(&row, i); i++) {
        if (i == mcx_fsrv_num_arbitration_rows()) {
            fputs("\n### Towards each participant (6.3.5)\n", f);
        }
        if (i == 0 || i == mcx_fsrv_num_arbitration_rows()) {
            fputs("\n| Clause | State | Event | Next state | What happens |\n|---|---|---|---|---|\n", f);
        }
        fprintf(f, "| %s%s | %s | %s | %s | %s |\n", row.clause[0] != '\0' ? "6.3." : "", row.clause, row.state,
                row.event, row.next, row.what);
    }
    fputs("\n| Timer | Default | Counter | Meaning |\n|---|---|---|---|\n", f);
    for (int i = 0; i < MCX_FS_NUM_TIMERS; i++) {
        const struct mcx_fsrv_timer_info *info = mcx_fsrv_timer_info((enum mcx_fsrv_timer)i);
        char length[24] = "off", count[24] = "";

        if (info->default_ms != 0) {
            snprintf(length, sizeof length, "%u ms", (unsigned)info->default_ms);
        }
        if (info->max_count != 0) {
            snprintf(count, sizeof count, "%u", (unsigned)info->max_count);
        }
        fprintf(f, "| %s | %s | %s | %s |\n", info->name, length, count, info->meaning);
    }
}

static void write_floor_participant(FILE *f)
{
    struct mcx_fpart_row row;

    fputs("\n## Floor participant (`src/proc/floor_participant.c`, TS 24.380 6.2.4)\n\n"
          "Of several rows for one state and event the first whose condition holds is taken. A message that asks for "
          "it\n"
          "is acknowledged. Where no subclause stands the specification has no row and discards: DEVIATIONS "
          "\"fpart-...\" "
          "say why\n"
          "there is one.\n\n"
          "| State | Event | Next state | What happens | Subclause |\n|---|---|---|---|---|\n",
          f);
    for (size_t i = 0; mcx_fpart_row(&row, i); i++) {
        fprintf(f, "| %s | %s | %s | %s%s | %s%s |\n", row.state, row.event, row.next, row.condition, row.what,
                row.clause[0] == '\0' ? "" : "6.2.4.", row.clause);
    }
    fputs("\n| Timer | Default | Counter | Meaning |\n|---|---|---|---|\n", f);
    for (int i = 0; i < MCX_FP_NUM_TIMERS; i++) {
        const struct mcx_fpart_timer_info *info = mcx_fpart_timer_info((enum mcx_fpart_timer)i);
        char count[24] = "";

        if (info->max_count != 0) {
            snprintf(count, sizeof count, "%u", (unsigned)info->max_count);
        }
        fprintf(f, "| %s | %u ms | %s | %s |\n", info->name, (unsigned)info->default_ms, count, info->meaning);
    }
}

static void write_preestablished(FILE *f)
{
    struct mcx_preest_row row;

    fputs("\n## Pre-established session, participating function (`src/proc/preestablished.c`, TS 24.380 9.3)\n\n", f);
    fputs("```mermaid\nstateDiagram-v2\n", f);
    for (size_t i = 0; mcx_preest_row(&row, i); i++) {
        fprintf(f, "    %s --> %s: %s\n", row.state, row.next, row.event);
    }
    fputs("```\n\n| State | Event | Next state | What happens |\n|---|---|---|---|\n", f);
    for (size_t i = 0; mcx_preest_row(&row, i); i++) {
        fprintf(f, "| %s | %s | %s | %s |\n", row.state, row.event, row.next, row.what);
    }
    fputs("\n| Timer | Default | Counter | Meaning |\n|---|---|---|---|\n", f);
    for (int i = 0; i < MCX_PE_NUM_TIMERS; i++) {
        const struct mcx_preest_timer_info *info = mcx_preest_timer_info((enum mcx_preest_timer)i);

        fprintf(f, "| %s | %u ms | %u | %s |\n", info->name, (unsigned)info->default_ms, (unsigned)info->max_count,
                info->meaning);
    }
}

static void write_all(FILE *f)
{
    fputs("# State machines\n\n"
          "Written from the tables in the code by `tests/unit/test_state_docs.c`; do not edit. An event without a row "
          "in\n"
          "the present state is refused with `MCX_E_STATE` and changes nothing.\n\n",
          f);
    write_private_call(f);
    write_group_call(f);
    write_mcptt_server(f);
    write_group_server(f);
    write_floor_server(f);
    write_floor_participant(f);
    write_preestablished(f);
}

static void documentation_is_that_of_the_tables(void **state)
{
    const char *path = MCX_SOURCE_DIR "/docs/STATE-MACHINES.md";
    char *want = NULL;
    size_t want_len = 0;
    FILE *f = open_memstream(&want, &want_len);
    char *have = NULL;

    (void)state;
    assert_non_null(f);
    write_all(f);
    assert_int_equal(fclose(f), 0);
    if (getenv("MCX_WRITE_DOCS") != NULL) {
        f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(want, 1, want_len, f), want_len);
        assert_int_equal(fclose(f), 0);
    }
    have = calloc(1, want_len + 2);
    assert_non_null(have);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(have, 1, want_len + 1, f), want_len);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(have, want);
    free(have);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(documentation_is_that_of_the_tables) };

    return cmocka_run_group_tests_name("state machine documentation", tests, NULL, NULL);
}
