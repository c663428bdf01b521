/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group documents from the group management server (TS 24.481 6.3.3). A fetch waits for its answers, so a process of its
 * own runs it ('mcx-mcpttd fetch-groups'); what a document means for affiliations and calls is decided here.
 */
#include "mcx-mcpttd/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mcx/group_follow.h>

#include "io/child.h"
#include "io/doc_fetch.h"

enum { FIRST_RETRY_MS = 1000, MAX_RETRY_MS = 60000, BUFFER_MAX = MCX_DOC_FETCH_MAX + MCX_DOC_HEAD_MAX };

struct md_gms {
    struct md_daemon *d;
    struct mcx_gfollow *follow;
    struct mcx_child child;
    struct mcx_timer timer;
    struct mcx_wr in; /* what the process has written, and is not read yet */
    bool failed; /* the present round */
};

static void arm(struct md_gms *g);

static void tell(struct md_gms *g, const char *event, const char *group, const char *text, const char *clause, int status)
{
    json_t *o = json_object();

    if (group[0] != '\0') {
        (void)json_object_set_new(o, "group", md_clean(group));
    }
    if (status != 0) {
        (void)json_object_set_new(o, "code", json_integer(status));
    }
    (void)json_object_set_new(o, "text", md_clean(text));
    if (clause[0] != '\0') {
        (void)json_object_set_new(o, "clause", md_clean(clause));
    }
    mcx_tally_add(&g->d->tally, event);
    md_journal(g->d->s, event, o);
}

/* ---- answers ---- */

static void break_off(struct md_gms *g, const char *text, const char *clause, int status)
{
    if (!g->failed) {
        tell(g, "group-documents-not-fetched", "", text, clause, status);
    }
    g->failed = true;
}

static void take(struct md_gms *g, const struct mcx_doc_answer *a)
{
    const char *group = mcx_gfollow_group(g->follow, a->index);
    struct mcx_refusal why = { "", "" };
    mcx_err err = md_groups_document(g->d->groups, group, a->body, &why);

    if (err == MCX_OK) {
        mcx_gfollow_taken(g->follow, a->index, a->etag);
    } else {
        tell(g, "group-document-refused", group, why.reason[0] != '\0' ? why.reason : mcx_err_name(err), why.clause, 0);
    }
}

static void take_answer(struct md_gms *g, const struct mcx_doc_answer *a)
{
    struct mcx_refusal why = { "", "" };
    char text[256] = "";

    if (a->status == 0) { /* what the library says is longer than it needs to be */
        size_t len = a->body.len < sizeof text - 1 ? a->body.len : sizeof text - 1;

        (void)!mcx_bytes_cstr(text, sizeof text, mcx_bytes(a->body.p, len));
    }
    switch (mcx_gfollow_answer(g->follow, a->index, a->status, a->etag, &why)) {
    case MCX_GFOLLOW_SAME: break;
    case MCX_GFOLLOW_TAKE: take(g, a); break;
    case MCX_GFOLLOW_GONE: md_groups_gone(g->d->groups, mcx_gfollow_group(g->follow, a->index)); break;
    case MCX_GFOLLOW_AGAIN: break_off(g, text[0] != '\0' ? text : why.reason, why.clause, a->status); break;
    case MCX_GFOLLOW_REFUSED:
    default:
        tell(g, "group-document-refused",
             a->index < g->d->s->num_groups ? mcx_gfollow_group(g->follow, a->index) : "", why.reason, why.clause,
             a->status);
        break;
    }
}

static void read_answers(struct md_gms *g)
{
    struct mcx_rd rd = mcx_rd(mcx_wr_done(&g->in));
    struct mcx_doc_answer a;
    mcx_err err = MCX_OK;

    while ((err = mcx_doc_answer_read(&a, &rd)) == MCX_OK) {
        take_answer(g, &a);
    }
    if (err != MCX_E_TRUNC || (rd.len == g->in.cap)) {
        break_off(g, "the answers cannot be read", "", 0);
        rd.len = 0;
    }
    memmove(g->in.p, rd.p, rd.len);
    g->in.len = rd.len;
}

static void end_round(struct md_gms *g)
{
    if (mcx_child_end(&g->child) != EXIT_DONE) {
        break_off(g, "the process that fetches has failed", "", 0);
    }
    (void)mcx_gfollow_end(g->follow, g->failed, mcx_clock_mono_ms());
    arm(g);
}

static void on_output(void *arg)
{
    struct md_gms *g = arg;
    size_t len = 0;
    bool ended = mcx_child_read(&g->child, g->in.p + g->in.len, g->in.cap - g->in.len, &len);

    g->in.len += len;
    read_answers(g);
    if (ended) {
        mcx_loop_unwatch(&g->child.output);
        end_round(g);
    }
}

/* ---- rounds ---- */

static mcx_err start(struct md_gms *g, const uint16_t *due, size_t num)
{
    const struct md_settings *s = g->d->s;
    const char *argv[] = { "mcx-mcpttd", "fetch-groups", "--gms-url", s->gms_url, "--gms-token", s->gms_token,
                           "--gms-ca",   s->gms_ca,      NULL };
    uint8_t *buf = malloc(num * MCX_DOC_REQUEST);
    struct mcx_wr wr = mcx_wr(buf, num * MCX_DOC_REQUEST);
    mcx_err err = buf == NULL ? MCX_E_NOMEM : MCX_OK;

    for (size_t i = 0; i < num && err == MCX_OK; i++) {
        const struct mcx_doc_request r = { due[i], mcx_gfollow_group(g->follow, due[i]),
                                           mcx_gfollow_etag(g->follow, due[i]) };

        err = mcx_doc_request_write(&wr, &r);
    }
    err = err == MCX_OK ? mcx_child_start(&g->child, argv, mcx_wr_done(&wr)) : err;
    free(buf);
    return err;
}

static void begin(void *arg)
{
    struct md_gms *g = arg;
    uint16_t due[MCX_GFOLLOW_GROUPS_MAX];
    size_t num = mcx_gfollow_begin(g->follow, due, mcx_clock_mono_ms());

    if (num == 0) {
        arm(g);
        return;
    }
    g->failed = false;
    g->in.len = 0;
    if (start(g, due, num) != MCX_OK) {
        break_off(g, "the process that fetches cannot be started", "", 0);
        (void)mcx_gfollow_end(g->follow, true, mcx_clock_mono_ms());
        arm(g);
    } else if (mcx_child_watch(&g->child, on_output, g) != MCX_OK) {
        g->failed = true;
        end_round(g); /* waits for it: rare, and better than to leave it */
    }
}

static void arm(struct md_gms *g)
{
    uint64_t at = mcx_gfollow_deadline(g->follow);
    uint64_t now = mcx_clock_mono_ms();

    if (at == UINT64_MAX) {
        mcx_timer_stop(&g->timer);
    } else if (mcx_timer_start(&g->timer, at > now ? at - now : 0, begin, g) != MCX_OK) {
        md_journal(g->d->s, "out-of-memory", NULL);
    }
}

void md_gms_fetch(struct md_gms *g)
{
    if (g != NULL) {
        mcx_gfollow_ask(g->follow);
        arm(g);
    }
}

void md_gms_notified(struct md_gms *g, struct mcx_bytes xml)
{
    struct mcx_refusal why = { "", "" };
    size_t num = 0;

    if (mcx_gfollow_notified(g->follow, &num, xml, &why) != MCX_OK) {
        tell(g, "gms-notification-refused", "", why.reason, why.clause, 0);
    } else if (num > 0) {
        md_journal(g->d->s, "gms-notified", json_pack("{s:I}", "groups", (json_int_t)num));
        arm(g);
    }
}

/* ---- life ---- */

static struct mcx_doc_fetch fetch_of(const struct md_settings *s)
{
    return (struct mcx_doc_fetch){ .url = s->gms_url, .token_file = s->gms_token, .ca_file = s->gms_ca };
}

int md_gms_open(struct md_gms **out, struct md_daemon *d)
{
    const struct md_settings *s = d->s;
    const struct mcx_gfollow_config config = { .groups = (const char *const *)s->groups,
                                               .num_groups = s->num_groups,
                                               .poll_ms = s->gms_poll_s * 1000,
                                               .first_retry_ms = FIRST_RETRY_MS,
                                               .max_retry_ms = MAX_RETRY_MS };
    const struct mcx_doc_fetch fetch = fetch_of(s);
    struct mcx_refusal why = { "", "" };
    struct md_gms *g = NULL;

    if (s->gms_url == NULL) {
        return EXIT_DONE;
    }
    if (mcx_doc_fetch_check(&fetch, &why) != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, "--gms-token, --gms-ca", why.reason);
    }
    g = calloc(1, sizeof *g);
    if (g == NULL || (g->in.p = malloc(BUFFER_MAX)) == NULL) {
        free(g);
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    *out = g;
    g->d = d;
    g->child.output.fd = -1;
    g->in.cap = BUFFER_MAX;
    if (mcx_gfollow_new(&g->follow, &config) != MCX_OK) {
        return md_complain(EXIT_USAGE, "--group is a URI, each one once", "");
    }
    arm(g);
    return EXIT_DONE;
}

void md_gms_close(struct md_gms *g)
{
    if (g == NULL) {
        return;
    }
    mcx_timer_clear(&g->timer);
    mcx_child_stop(&g->child);
    mcx_gfollow_free(g->follow);
    free(g->in.p);
    free(g);
}

int md_gms_process(const struct md_settings *s)
{
    const struct mcx_doc_fetch fetch = fetch_of(s);
    struct mcx_refusal why = { "", "" };

    if (fetch.url == NULL || fetch.token_file == NULL || fetch.ca_file == NULL) {
        return md_complain(EXIT_USAGE, "fetch-groups needs --gms-url, --gms-token and --gms-ca", "");
    }
    return mcx_doc_fetch_run(&fetch, STDIN_FILENO, STDOUT_FILENO, &why) == MCX_OK
               ? EXIT_DONE
               : md_complain(EXIT_ENVIRONMENT, "group documents cannot be fetched", why.reason);
}
