/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscription of the MCPTT server to the documents of its groups (TS 24.481 6.3.13, RFC 5875): a change is fetched when
 * the group management server tells of it. Without an answer the polls go on alone.
 */
#include "mcx-mcpttd/groups.h"

#include <stdlib.h>

#include "io/gms_subscribe.h"

enum { BODY_MAX = 60000, REFUSED_MS = 60000, LONGEST_WAIT_MS = 60000 };

struct md_gms_sub {
    struct md_daemon *d;
    struct mcx_sip_sub *sub;
    struct mcx_timer refused; /* until it is tried again: the token may have been renewed */
    uint8_t body[BODY_MAX];
};

static void on_notify(void *arg, const struct mcx_sip_msg *msg)
{
    struct md_gms_sub *w = arg;

    if (msg->body.len > 0) {
        md_gms_notified(w->d->gms, msg->body);
    }
}

static void on_again(void *arg)
{
    struct md_gms_sub *w = arg;

    mcx_sip_sub_now(w->sub);
}

static void on_state(void *arg, enum mcx_sip_sub_state state, const struct mcx_sip_msg *msg)
{
    static const char *const names[] = { "pending", "active", "lost", "refused" };
    struct md_gms_sub *w = arg;

    md_journal(w->d->s, "gms-subscription",
               json_pack("{s:s, s:i}", "state", names[state], "code", msg == NULL ? 0 : (int)msg->code));
    if (state == MCX_SIP_SUB_REFUSED && mcx_timer_start(&w->refused, REFUSED_MS, on_again, w) != MCX_OK) {
        md_journal(w->d->s, "out-of-memory", NULL);
    }
}

/* `out` points to `type` and the body of `w`. */
static mcx_err content_write(struct mcx_sip_content *out, char type[MCX_MIME_TYPE_MAX], struct md_gms_sub *w)
{
    const struct md_settings *s = w->d->s;
    struct mcx_wr wr = mcx_wr(w->body, sizeof w->body);

    return mcx_gms_subscribe_content(out, type, &wr, (const char *const *)s->groups, s->num_groups, s->gms_token);
}

static void on_due(void *arg)
{
    struct md_gms_sub *w = arg;
    struct mcx_sip_content content;
    char type[MCX_MIME_TYPE_MAX];

    if (content_write(&content, type, w) != MCX_OK || mcx_sip_sub_content(w->sub, &content, false) != MCX_OK) {
        md_journal(w->d->s, "gms-token-not-read", NULL); /* what was sent before is sent again */
    }
    mcx_wipe(w->body, sizeof w->body);
}

int md_gms_sub_open(struct md_gms_sub **out, struct md_daemon *d)
{
    char type[MCX_MIME_TYPE_MAX];
    struct mcx_sip_subscribe params = { .uri = d->s->gms_uri,
                                        .from = d->s->server_id,
                                        .next_hop = d->s->gms_sip,
                                        .event = "xcap-diff",
                                        .max_retry_ms = LONGEST_WAIT_MS,
                                        .on_due = on_due,
                                        .on_notify = on_notify,
                                        .on_state = on_state };
    struct md_gms_sub *w = NULL;
    mcx_err err = MCX_OK;

    if (d->s->gms_sip == NULL || d->s->check_only) {
        return EXIT_DONE;
    }
    w = calloc(1, sizeof *w);
    if (w == NULL) {
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    *out = w;
    w->d = d;
    params.arg = w;
    err = content_write(&params.content, type, w);
    err = err == MCX_OK ? mcx_sip_sub_new(&w->sub, d->sip, &params) : err;
    mcx_wipe(w->body, sizeof w->body);
    return err == MCX_OK ? EXIT_DONE
                         : md_complain(EXIT_ENVIRONMENT, "--gms-sip, --gms-uri, --gms-token", mcx_err_name(err));
}

void md_gms_sub_close(struct md_gms_sub *w)
{
    if (w == NULL) {
        return;
    }
    mcx_timer_clear(&w->refused);
    if (w->sub != NULL) {
        mcx_sip_sub_end(w->sub);
    }
    free(w);
}
