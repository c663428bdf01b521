/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the documents of groups are fetched, and when one is asked for again (TS 24.481 6.3.3). */
#include "proc/gmc_int.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = { "pending", "current", "partly", "gone", "no_member", "unreadable" };

const char *mcx_gmc_state_name(enum mcx_gmc_state state)
{
    return (size_t)state < sizeof state_names / sizeof state_names[0] ? state_names[state] : "?";
}

static mcx_err take_base(char *out, size_t cap, const char *url)
{
    size_t len = url == NULL ? 0 : strlen(url);

    if (len < 9 || strncmp(url, "https://", 8) != 0 || url[8] == '/' || strpbrk(url, "?#@ ") != NULL) {
        return MCX_E_ARG;
    }
    len -= url[len - 1] == '/';
    return mcx_bytes_cstr(out, cap, mcx_bytes(url, len)) == MCX_OK && strchr(out + 8, '/') == NULL ? MCX_OK : MCX_E_ARG;
}

static mcx_err take_uri(char out[MCX_GROUP_URI_MAX], const char *uri)
{
    char path[MCX_XCAP_PATH_MAX];

    /* whatever has an XCAP path is a URI of ours */
    MCX_TRY(mcx_xcap_path_write(path, sizeof path, MCX_AUID_GROUP, uri == NULL ? "" : uri));
    return mcx_bytes_cstr(out, MCX_GROUP_URI_MAX, mcx_bytes_str(uri));
}

static mcx_err take_groups(struct mcx_gmc *g, const struct mcx_gmc_config *config)
{
    for (size_t i = 0; i < config->num_groups; i++) {
        if (take_uri(g->groups[i].group, config->groups[i]) != MCX_OK) {
            return MCX_E_ARG;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(g->groups[k].group, g->groups[i].group) == 0) {
                return MCX_E_ARG;
            }
        }
    }
    return MCX_OK;
}

mcx_err mcx_gmc_new(struct mcx_gmc **out, const struct mcx_gmc_config *config, const struct mcx_keyring *ring,
                    struct mcx_group_keys *keys, const struct mcx_rng *rng)
{
    struct mcx_gmc *g = NULL;
    mcx_err err = MCX_E_ARG;

    if (config->num_groups == 0 || config->num_groups > MCX_GMC_GROUPS_MAX) {
        return MCX_E_ARG;
    }
    g = calloc(1, sizeof *g);
    if (g == NULL) {
        return MCX_E_NOMEM;
    }
    g->groups = calloc(config->num_groups, sizeof *g->groups);
    if (g->groups == NULL) {
        err = MCX_E_NOMEM;
        goto out;
    }
    g->num_groups = config->num_groups;
    g->retry = config->retry;
    g->ring = ring;
    g->keys = keys;
    g->rng = rng;
    if (take_base(g->base, sizeof g->base, config->url) == MCX_OK && take_uri(g->gms, config->gms) == MCX_OK &&
        take_uri(g->user, config->user) == MCX_OK && take_groups(g, config) == MCX_OK) {
        *out = g;
        return MCX_OK;
    }
out:
    mcx_gmc_free(g);
    return err;
}

void mcx_gmc_free(struct mcx_gmc *g)
{
    if (g != NULL) {
        free(g->groups);
        free(g);
    }
}

size_t mcx_gmc_num_groups(const struct mcx_gmc *g)
{
    return g->num_groups;
}

const struct mcx_gmc_group *mcx_gmc_group(const struct mcx_gmc *g, size_t i)
{
    return i < g->num_groups ? &g->groups[i] : NULL;
}

size_t mcx_gmc_num_expired(const struct mcx_gmc *g)
{
    return g->num_expired;
}

void gmc_refused(struct mcx_gmc_group *group, const char *document, const char *temporary, mcx_err err,
                 const struct mcx_refusal *why)
{
    struct mcx_gmc_refusal *r = NULL;

    if (group->num_refused++ >= MCX_GMC_REFUSALS_MAX) {
        return;
    }
    r = &group->refusal[group->num_refused - 1];
    *r = (struct mcx_gmc_refusal){ .document = document, .err = err, .why = *why };
    if (r->why.reason == NULL) {
        r->why = (struct mcx_refusal){ mcx_err_name(err), "" };
    }
    if (mcx_bytes_cstr(r->temporary, sizeof r->temporary, mcx_bytes_str(temporary)) != MCX_OK) {
        r->temporary[0] = '\0';
    }
}

static mcx_err make_url(struct mcx_gmc *g)
{
    char path[MCX_XCAP_PATH_MAX];
    struct mcx_wr wr = mcx_wr((uint8_t *)g->url, sizeof g->url - 1);

    MCX_TRY(mcx_xcap_path_write(path, sizeof path, g->document == GMC_DOC_GROUP ? MCX_AUID_GROUP : MCX_AUID_GKTP,
                                gmc_now(g)->group));
    MCX_TRY(mcx_wr_str(&wr, g->base));
    MCX_TRY(mcx_wr_str(&wr, path));
    g->url[wr.len] = '\0';
    return MCX_OK;
}

/* A key in use that was not fetched by this user, or not from this GMS. */
static bool held_otherwise(const struct mcx_gmc *g, bool of_user)
{
    for (size_t i = 0; i < mcx_group_keys_num(g->keys); i++) {
        const struct mcx_group_key *key = mcx_group_keys_at(g->keys, i);
        bool other = strcmp(of_user ? key->user : key->gms, of_user ? g->user : g->gms) != 0;

        for (size_t k = 0; other && !key->revoked && !key->expired && k < key->num_groups; k++) {
            if (strcmp(key->group[k], g->groups[g->at].group) == 0) {
                return true;
            }
        }
    }
    return false;
}

static mcx_err get(struct mcx_gmc *g, struct mcx_gmc_out *out)
{
    const struct mcx_group_info *info = mcx_group_keys_info(g->keys, gmc_now(g)->group);
    const char *etag = info == NULL ? "" : g->document == GMC_DOC_GROUP ? info->etag_group : info->etag_gktp;

    if (held_otherwise(g, false)) {
        etag = ""; /* another server's tag says nothing of this one's document */
    }
    MCX_TRY(make_url(g));
    if (mcx_bytes_cstr(g->etag, sizeof g->etag, mcx_bytes_str(etag)) != MCX_OK) {
        g->etag[0] = '\0';
    }
    out->action = MCX_GMC_GET;
    out->url = g->url;
    out->etag = g->etag;
    out->accept = g->document == GMC_DOC_GROUP ? MCX_TYPE_GROUP : MCX_TYPE_GKTP;
    out->group = gmc_now(g)->group;
    return MCX_OK;
}

/* Keys of another user stay as they are: GUK-IDs are made of his MCPTT ID, and what the GMS answers is not about him.
 */
static mcx_err begin_group(struct mcx_gmc *g, struct mcx_ntp now, struct mcx_gmc_out *out)
{
    static const struct mcx_refusal why = { "the group keys that are held are those of another user",
                                            "TS 33.180 5.2.3" };

    for (; g->at < g->num_groups && held_otherwise(g, true); g->at++) {
        gmc_now(g)->state = MCX_GMC_UNREADABLE;
        gmc_refused(gmc_now(g), "gktp", "", MCX_E_POLICY, &why);
    }
    g->tries = 0;
    g->document = GMC_DOC_GROUP;
    if (g->at < g->num_groups) {
        return get(g, out);
    }
    g->num_expired = mcx_group_keys_expire(g->keys, now);
    g->over = true;
    out->action = MCX_GMC_DONE;
    return MCX_OK;
}

static mcx_err next_group(struct mcx_gmc *g, struct mcx_ntp now, struct mcx_gmc_out *out)
{
    g->at++;
    return begin_group(g, now, out);
}

/* Said at every fetch until there is a key: a group without one cannot be spoken in. */
static void ask_for_key(struct mcx_gmc *g, struct mcx_ntp now)
{
    const struct mcx_group_key *key = NULL;
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_group_keys_send(&key, g->keys, MCX_KEY_GMK, gmc_now(g)->group, now, &why);

    if (gmc_now(g)->protect_media && err == MCX_E_NOKEY && gmc_now(g)->num_refused == 0) {
        gmc_refused(gmc_now(g), "gktp", "", err, &why);
    }
}

/* After a document that was looked at: the GKTP document, or the next group. */
static mcx_err advance(struct mcx_gmc *g, struct mcx_ntp now, struct mcx_gmc_out *out)
{
    struct mcx_gmc_group *group = gmc_now(g);

    if (g->document == GMC_DOC_GROUP && group->state == MCX_GMC_PENDING) {
        g->tries = 0;
        g->document = GMC_DOC_GKTP;
        return get(g, out);
    }
    if (group->state == MCX_GMC_PENDING) {
        ask_for_key(g, now);
        group->state = group->num_refused == 0 ? MCX_GMC_CURRENT : MCX_GMC_PARTLY;
    }
    return next_group(g, now, out);
}

static mcx_err give_up(struct mcx_gmc *g, struct mcx_gmc_out *out)
{
    gmc_now(g)->state = MCX_GMC_UNREADABLE;
    gmc_refused(gmc_now(g), g->document == GMC_DOC_GROUP ? "group" : "gktp", "", out->err, &out->why);
    g->over = true;
    out->action = MCX_GMC_FAILED;
    out->group = gmc_now(g)->group;
    return MCX_OK;
}

/* This document is not to be had; the other groups may be. */
static mcx_err leave_group(struct mcx_gmc *g, const struct mcx_gmc_in *in, struct mcx_gmc_out *out)
{
    gmc_now(g)->state = MCX_GMC_UNREADABLE;
    gmc_refused(gmc_now(g), g->document == GMC_DOC_GROUP ? "group" : "gktp", "", out->err, &out->why);
    *out = (struct mcx_gmc_out){ 0 };
    return next_group(g, in->now, out);
}

/* A lost answer or a 5xx: again after a while, so long as the policy has tries left. */
static mcx_err try_again(struct mcx_gmc *g, const struct mcx_gmc_in *in, struct mcx_gmc_out *out)
{
    uint64_t wait = g->retry.first_ms;
    uint32_t r = 0;

    if (g->tries >= g->retry.num) {
        return in->event == MCX_GMC_LOST ? give_up(g, out) : leave_group(g, in, out);
    }
    for (uint32_t i = 0; i < g->tries && wait < g->retry.max_ms; i++) {
        wait *= 2;
    }
    wait = wait > g->retry.max_ms ? g->retry.max_ms : wait;
    MCX_TRY(mcx_rng_fill(g->rng, &r, sizeof r));
    g->tries++;
    g->waiting = true;
    out->action = MCX_GMC_WAIT;
    out->group = gmc_now(g)->group;
    out->wait_ms = wait - r % (wait / 2 + 1);
    return MCX_OK;
}

static mcx_err fail(struct mcx_gmc_out *out, mcx_err err, const char *reason, const char *clause)
{
    out->err = mcx_refuse(&out->why, err, reason, clause);
    return MCX_OK;
}

/* The group document has not changed: what it said. */
static mcx_err recall_group(struct mcx_gmc *g)
{
    const struct mcx_group_info *info = mcx_group_keys_info(g->keys, gmc_now(g)->group);

    if (info == NULL) {
        return MCX_E_BUG; /* its entity tag was sent */
    }
    gmc_now(g)->protect_media = info->protect_media;
    return mcx_bytes_cstr(gmc_now(g)->temporary, MCX_GROUP_URI_MAX, mcx_bytes_str(info->temporary));
}

static mcx_err on_answer(struct mcx_gmc *g, const struct mcx_gmc_in *in, struct mcx_gmc_out *out)
{
    if (in->too_long) {
        MCX_TRY(fail(out, MCX_E_SPACE, "the answer is larger than a document of a group may be", ""));
        return leave_group(g, in, out);
    }
    switch (in->status) {
    case 200: MCX_TRY(g->document == GMC_DOC_GROUP ? gmc_accept_group(g, in) : gmc_accept_gktp(g, in)); break;
    case 304:
        if (g->etag[0] == '\0') {
            MCX_TRY(
                fail(out, MCX_E_FORMAT, "a document that was not known is said to be unchanged", "RFC 9110 15.4.5"));
            return leave_group(g, in, out);
        }
        MCX_TRY(recall_group(g));
        break;
    case 401:
        MCX_TRY(fail(out, MCX_E_POLICY, "the GMS does not take the access token", "TS 33.180 5.1.3"));
        out->status = in->status;
        return give_up(g, out);
    case 403: MCX_TRY(gmc_drop(g, MCX_GMC_NO_MEMBER)); break;
    case 404:
        if (g->document == GMC_DOC_GROUP) { /* without a GKTP document there is nothing to fetch */
            MCX_TRY(gmc_drop(g, MCX_GMC_GONE));
        }
        break;
    default:
        out->status = in->status;
        MCX_TRY(fail(out, in->status >= 500 ? MCX_E_IO : MCX_E_POLICY,
                     in->status >= 500 ? "the GMS failed" : "the GMS refused the request", "RFC 4825 8"));
        return in->status >= 500 ? try_again(g, in, out) : leave_group(g, in, out);
    }
    return advance(g, in->now, out);
}

mcx_err mcx_gmc_step(struct mcx_gmc *g, const struct mcx_gmc_in *in, struct mcx_gmc_out *out)
{
    *out = (struct mcx_gmc_out){ 0 };
    if (g->over || g->started != (in->event != MCX_GMC_START) || g->waiting != (in->event == MCX_GMC_TIMER)) {
        return MCX_E_STATE;
    }
    switch (in->event) {
    case MCX_GMC_START: g->started = true; return begin_group(g, in->now, out);
    case MCX_GMC_TIMER: g->waiting = false; return get(g, out);
    case MCX_GMC_LOST: MCX_TRY(fail(out, MCX_E_IO, "no answer from the GMS", "")); return try_again(g, in, out);
    default: return on_answer(g, in, out);
    }
}
