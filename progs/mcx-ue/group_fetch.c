/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and documents of groups from the group management server (TS 24.481 6.3): at the start, when it notifies of a
 * change, or every so often. A fetch waits for its answers, so a process of its own runs it ('mcx-ue fetch-groups');
 * what it changes in the sealed file is seen there (group_keys.c).
 */
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <mcx/gmc.h>

#include "io/gms_subscribe.h"
#include "io/group_fetch.h"
#include "io/group_file.h"

#define PATH_OCTETS 4096
#define REFUSED_MS  30000 /* until it is subscribed again after a refusal */

struct ue_group_fetch {
    struct ue_group *group;
    struct mcx_child child;
    bool again; /* something has changed since the present fetch began */
    struct mcx_timer poll;
    struct mcx_sip_sub *sub;
    struct mcx_timer refused; /* the subscription, until another try */
};

static void fetch(struct ue_group_fetch *f);

static const char *token_file(const struct ue_options *o)
{
    return o->gms_token != NULL ? o->gms_token : o->token;
}

/* ---- the process ---- */

static mcx_err spawn(struct ue_group_fetch *f)
{
    const struct ue_options *o = f->group->options;
    const char *argv[32 + 2 * UE_MAX_GROUPS] = {
        "mcx-ue",    "fetch-groups", "--id",      o->id,      "--store",  o->store,  "--store-key", o->store_key,
        "--gms-url", o->gms_url,     "--gms-uri", o->gms_uri, "--gms-ca", o->gms_ca, "--gms-token", token_file(o),
    };
    size_t num = 16;

    if (o->json) {
        argv[num++] = "--json";
    }
    if (o->group_keys != NULL) {
        argv[num++] = "--group-keys";
        argv[num++] = o->group_keys;
    }
    for (size_t i = 0; i < o->num_groups; i++) {
        argv[num++] = "--group";
        argv[num++] = o->groups[i];
    }
    return mcx_child_start(&f->child, argv, mcx_bytes(NULL, 0));
}

static void on_output(void *arg)
{
    struct ue_group_fetch *f = arg;

    if (!ue_child_drain(&f->child, true)) {
        return;
    }
    mcx_loop_unwatch(&f->child.output);
    (void)mcx_child_end(&f->child); /* it has said what it found */
    if (f->again) {
        fetch(f);
    }
}

static void fetch(struct ue_group_fetch *f)
{
    f->again = f->child.pid != 0;
    if (f->again) {
        return;
    }
    if (spawn(f) != MCX_OK) {
        ue_complain("group keys cannot be fetched", MCX_E_IO, NULL);
        return;
    }
    if (mcx_child_watch(&f->child, on_output, f) != MCX_OK) {
        (void)mcx_child_end(&f->child); /* waits for it: rare, and better than to leave it */
    }
}

static void on_poll(void *arg)
{
    struct ue_group_fetch *f = arg;

    fetch(f);
    if (mcx_timer_start(&f->poll, f->group->options->gms_poll_ms, on_poll, f) != MCX_OK) {
        ue_complain("group keys will not be fetched again", MCX_E_NOMEM, NULL);
    }
}

/* ---- notifications (TS 24.481 6.3.13, RFC 5875) ---- */

static void on_notify(void *arg, const struct mcx_sip_msg *msg)
{
    struct ue_group_fetch *f = arg;
    struct mcx_gmc_changes *changes = calloc(1, sizeof *changes);

    if (changes == NULL || msg->body.len == 0 ||
        mcx_gmc_notify_read(changes, msg->body, ue_group_keys_now(f->group->group_keys), NULL) != MCX_OK) {
        free(changes);
        return;
    }
    if (changes->num > 0) {
        ue_report(f->group->options->json, "gms-notified",
                  "The group management server says that something has changed", "{s:i}", "groups", (int)changes->num);
        fetch(f);
    }
    free(changes);
}

/* A token that did not serve may have been renewed. */
static void on_again(void *arg)
{
    struct ue_group_fetch *f = arg;

    mcx_sip_sub_now(f->sub);
}

static void on_sub_state(void *arg, enum mcx_sip_sub_state state, const struct mcx_sip_msg *msg)
{
    struct ue_group_fetch *f = arg;
    static const char *const names[] = { "pending", "active", "lost", "refused" };

    ue_report(f->group->options->json, "gms-subscription", NULL, "{s:s, s:i}", "state", names[state], "code",
              msg == NULL ? 0 : (int)msg->code);
    if (state == MCX_SIP_SUB_REFUSED && mcx_timer_start(&f->refused, REFUSED_MS, on_again, f) != MCX_OK) {
        ue_complain("it is not subscribed to the groups again", MCX_E_NOMEM, NULL);
    }
}

/* `out` points to `type` and the body of the link. */
static mcx_err content_write(struct mcx_sip_content *out, char type[MCX_MIME_TYPE_MAX], struct ue_group_fetch *f)
{
    const struct ue_options *o = f->group->options;
    struct mcx_wr wr = mcx_wr(f->group->link.body, sizeof f->group->link.body);

    return mcx_gms_subscribe_content(out, type, &wr, o->groups, o->num_groups, token_file(o));
}

/* The token may have been renewed since the last SUBSCRIBE. */
static void on_sub_due(void *arg)
{
    struct ue_group_fetch *f = arg;
    struct mcx_sip_content content;
    char type[MCX_MIME_TYPE_MAX];
    mcx_err err = content_write(&content, type, f);

    if (err == MCX_OK) {
        err = mcx_sip_sub_content(f->sub, &content, false);
    }
    mcx_wipe(f->group->link.body, sizeof f->group->link.body);
    if (err != MCX_OK) {
        ue_complain("the token of the subscription cannot be renewed", err, NULL);
    }
}

static mcx_err subscribe(struct ue_group_fetch *f)
{
    const struct ue_options *o = f->group->options;
    char type[MCX_MIME_TYPE_MAX];
    struct mcx_sip_subscribe params = { .uri = o->gms_uri,
                                        .from = o->id,
                                        .next_hop = o->gms_sip,
                                        .event = "xcap-diff",
                                        .on_due = on_sub_due,
                                        .on_notify = on_notify,
                                        .on_state = on_sub_state,
                                        .arg = f };
    mcx_err err = MCX_OK;

    MCX_GO(err, content_write(&params.content, type, f));
    MCX_GO(err, mcx_sip_sub_new(&f->sub, f->group->link.sip, &params));
out:
    mcx_wipe(f->group->link.body, sizeof f->group->link.body);
    return err;
}

/* ---- life ---- */

mcx_err ue_group_fetch_start(struct ue_group_fetch **out, struct ue_group *group)
{
    struct ue_group_fetch *f = NULL;

    if (group->options->gms_url == NULL) {
        return MCX_OK;
    }
    f = calloc(1, sizeof *f);
    if (f == NULL) {
        return MCX_E_NOMEM;
    }
    f->group = group;
    f->child.output.fd = -1;
    *out = f;
    fetch(f);
    if (group->options->gms_poll_ms != 0) {
        MCX_TRY(mcx_timer_start(&f->poll, group->options->gms_poll_ms, on_poll, f));
    }
    return group->options->gms_sip == NULL ? MCX_OK : subscribe(f);
}

void ue_group_fetch_stop(struct ue_group_fetch *f)
{
    if (f == NULL) {
        return;
    }
    mcx_timer_clear(&f->poll);
    mcx_timer_clear(&f->refused);
    mcx_child_stop(&f->child);
    if (f->sub != NULL) {
        mcx_sip_sub_end(f->sub);
    }
    free(f);
}

/* ---- mcx-ue fetch-groups ---- */

static void on_wait(const char *group, const char *detail, uint64_t wait_ms)
{
    fprintf(stderr, "mcx-ue: %s: no usable answer of the GMS%s%s; again in %llu ms\n", group,
            detail[0] == '\0' ? "" : ": ", detail, (unsigned long long)wait_ms);
}

static void tell_refusal(const struct ue_options *o, const struct mcx_gmc_group *g, const struct mcx_gmc_refusal *r)
{
    ue_report(o->json, "refused", "Something that came with the group keys was not taken",
              "{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "group", g->group, "cause", "group-keys", "document", r->document,
              "temporary", r->temporary, "status", mcx_err_name(r->err), "reason", r->why.reason, "clause",
              r->why.clause);
}

static void tell_group(const struct ue_options *o, const struct mcx_gmc_group *g)
{
    ue_report(o->json, "group-keys", NULL, "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "group", g->group, "state",
              mcx_gmc_state_name(g->state), "temporary", g->temporary, "new", (json_int_t)g->num_new, "updated",
              (json_int_t)g->num_updated, "revoked", (json_int_t)g->num_revoked, "wiped", (json_int_t)g->num_wiped,
              "refused", (json_int_t)g->num_refused);
    for (size_t i = 0; i < g->num_refused && i < MCX_GMC_REFUSALS_MAX; i++) {
        tell_refusal(o, g, &g->refusal[i]);
    }
}

int ue_fetch_groups(const struct ue_options *o)
{
    const struct mcx_group_fetch params = { .url = o->gms_url,
                                            .gms = o->gms_uri,
                                            .user = o->id,
                                            .groups = o->groups,
                                            .num_groups = o->num_groups,
                                            .token_file = token_file(o),
                                            .ca_file = o->gms_ca,
                                            .on_wait = on_wait };
    struct mcx_group_fetched fetched = { 0 };
    struct mcx_group_keys *keys = NULL;
    char path[PATH_OCTETS];
    mcx_err err = o->group_keys != NULL ? mcx_bytes_cstr(path, sizeof path, mcx_bytes_str(o->group_keys))
                                        : mcx_group_file_name(path, sizeof path, o->store);

    if (err == MCX_OK) {
        err = mcx_group_fetch_file(&fetched, &keys, &params, o->store, o->store_key, path);
    }
    for (size_t i = 0; i < fetched.num_groups; i++) {
        tell_group(o, &fetched.groups[i]);
    }
    if (err != MCX_OK) {
        ue_complain(fetched.detail[0] == '\0' ? "group keys cannot be fetched" : fetched.detail, err, &fetched.why);
    }
    mcx_group_keys_free(keys);
    mcx_group_fetched_clear(&fetched);
    return err == MCX_OK ? EXIT_DONE : err <= MCX_E_TRUNC || err == MCX_E_SPACE ? EXIT_REFUSED : EXIT_ENVIRONMENT;
}
