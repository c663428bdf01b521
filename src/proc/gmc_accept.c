/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a group: what is known of it, and its keys (TS 24.481 7.2, 7.7; TS 33.180 5.7). */
#include "proc/gmc_int.h"

#include <string.h>

#include <mcx/mikey.h>

/* What of ours went wrong ends the step; everything else is the peer's doing and stays with the payload. */
static bool is_ours(mcx_err err)
{
    return err == MCX_E_NOMEM || err == MCX_E_RNG || err == MCX_E_BUG;
}

static const char *etag_of(const struct mcx_gmc_in *in)
{
    return in->etag == NULL || strlen(in->etag) >= MCX_GMC_ETAG_MAX ? "" : in->etag;
}

/* What is known of the group in hand; strings are borrowed. Of an unknown one what the absence of an element means. */
static struct mcx_group_info info_of(const struct mcx_gmc *g)
{
    const char *group = g->groups[g->at].group;
    const struct mcx_group_info *held = mcx_group_keys_info(g->keys, group);
    const struct mcx_group_info none = {
        .group = group, .etag_group = "", .etag_gktp = "", .protect_media = true, .protect_floor = true, .temporary = ""
    };

    return held == NULL ? none : *held;
}

/* No other group that we know is part of it. */
static bool only_ours(const struct mcx_gmc *g, const char *temporary)
{
    for (size_t i = 0; i < g->num_groups; i++) {
        const struct mcx_group_info *info = mcx_group_keys_info(g->keys, g->groups[i].group);

        if (i != g->at && info != NULL && strcmp(info->temporary, temporary) == 0) {
            return false;
        }
    }
    return true;
}

/* The temporary group that this one was part of is torn down, or goes on without it. */
static mcx_err leave_temporary(struct mcx_gmc *g, const char *now)
{
    char left[MCX_GROUP_URI_MAX]; /* what is known of a group may move when another is forgotten */

    MCX_TRY(mcx_bytes_cstr(left, sizeof left, mcx_bytes_str(info_of(g).temporary)));
    if (left[0] != '\0' && strcmp(left, now) != 0 && only_ours(g, left)) {
        gmc_now(g)->num_wiped += mcx_group_keys_drop_group(g->keys, left);
    }
    return MCX_OK;
}

/* Strings of `info` may be those that are replaced: copies first. */
static mcx_err put_info(struct mcx_gmc *g, const struct mcx_group_info *info)
{
    char etag_group[MCX_GMC_ETAG_MAX] = "";
    char etag_gktp[MCX_GMC_ETAG_MAX] = "";
    char temporary[MCX_GROUP_URI_MAX] = "";
    struct mcx_group_info copy = *info;

    MCX_TRY(mcx_bytes_cstr(etag_group, sizeof etag_group, mcx_bytes_str(info->etag_group)));
    MCX_TRY(mcx_bytes_cstr(etag_gktp, sizeof etag_gktp, mcx_bytes_str(info->etag_gktp)));
    MCX_TRY(mcx_bytes_cstr(temporary, sizeof temporary, mcx_bytes_str(info->temporary)));
    copy.group = gmc_now(g)->group;
    copy.etag_group = etag_group;
    copy.etag_gktp = etag_gktp;
    copy.temporary = temporary;
    return mcx_group_keys_put_info(g->keys, &copy);
}

mcx_err gmc_drop(struct mcx_gmc *g, enum mcx_gmc_state state)
{
    const struct mcx_group_info nothing = {
        .etag_group = "", .etag_gktp = "", .protect_media = true, .protect_floor = true, .temporary = ""
    };
    const struct mcx_refusal why = { state == MCX_GMC_GONE ? "the GMS has no such group"
                                                           : "the user is no member of the group",
                                     "TS 24.481 6.3.3" };

    gmc_now(g)->state = state;
    gmc_refused(gmc_now(g), g->document == GMC_DOC_GROUP ? "group" : "gktp", "",
                state == MCX_GMC_GONE ? MCX_E_NOKEY : MCX_E_POLICY, &why);
    MCX_TRY(leave_temporary(g, ""));
    gmc_now(g)->num_wiped += mcx_group_keys_drop_group(g->keys, gmc_now(g)->group);
    return mcx_group_keys_info(g->keys, gmc_now(g)->group) == NULL ? MCX_OK : put_info(g, &nothing);
}

mcx_err gmc_accept_group(struct mcx_gmc *g, const struct mcx_gmc_in *in)
{
    struct mcx_gmc_group *group = gmc_now(g);
    struct mcx_group_info info;
    struct mcx_group_head head;
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_group_doc_read(&head, in->body, NULL, NULL, &why);

    if (err == MCX_OK && strcmp(head.uri, group->group) != 0) {
        err = mcx_refuse(&why, MCX_E_FORMAT, "the document of another group", "TS 24.481 7.2.10");
    }
    if (err != MCX_OK) {
        if (is_ours(err)) {
            return err;
        }
        group->state = MCX_GMC_UNREADABLE;
        gmc_refused(group, "group", "", err, &why);
        return MCX_OK;
    }
    MCX_TRY(leave_temporary(g, head.temporary));
    group->protect_media = head.protect_media;
    memcpy(group->temporary, head.temporary, sizeof group->temporary);
    info = info_of(g);
    info.etag_group = etag_of(in);
    info.protect_media = head.protect_media;
    info.protect_floor = head.protect_floor;
    info.multicast_floor = head.multicast_floor;
    info.temporary = head.temporary;
    return put_info(g, &info);
}

/* One reading of a GKTP document. */
struct reading {
    struct mcx_gmc *g;
    struct mcx_ntp now;
    bool named;     /* a payload has our own id: only such are looked at */
    size_t num_own; /* payloads that were opened */
};

static mcx_err look_for_own(void *arg, const struct mcx_gktp *gktp)
{
    struct reading *r = arg;

    r->named = r->named || strcmp(gktp->id, r->g->user) == 0;
    return MCX_OK;
}

/* By the message itself: a hidden identity shows only in the opening. */
static bool may_be_ours(const struct reading *r, const struct mcx_gktp *gktp)
{
    struct mcx_mikey_sakke_msg msg;

    return mcx_mikey_sakke_msg_read(&msg, gktp->message, NULL) == MCX_OK &&
           (msg.id_r.p == NULL || mcx_bytes_is(msg.id_r, r->g->user));
}

static void count(struct mcx_gmc_group *group, enum mcx_group_key_change change)
{
    switch (change) {
    case MCX_GK_NEW: group->num_new++; break;
    case MCX_GK_UPDATED: group->num_updated++; break;
    case MCX_GK_REVOKED: group->num_revoked++; break;
    default: group->num_same++; break;
    }
}

static mcx_err open_message(struct reading *r, struct mcx_imessage *msg, const struct mcx_gktp *gktp,
                            struct mcx_refusal *why)
{
    const enum mcx_key_type type = gktp->kind == MCX_GKTP_GMK ? MCX_KEY_GMK : MCX_KEY_MKFC;
    const struct mcx_imessage_policy policy = {
        .allowed_types = UINT32_C(1) << type,
        .past_skew_s = MCX_SKEW_ANY, /* fetched when the user comes on, not when it was made */
        .initiator = mcx_bytes_str(r->g->gms),
        .ignore_status = true, /* a revocation is news here */
        .ignore_expiry = true, /* so is an earlier end of a key that is held */
    };

    if (gktp->message.len == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "the payload is not hexadecimal, empty or too long", "TS 24.481 7.7");
    }
    /* No replay cache: mcx_group_keys_accept() knows the last message about each key, also after a restart. */
    MCX_TRY(mcx_imessage_open(msg, gktp->message, r->g->ring, NULL, r->now, &policy, why));
    if (strcmp(msg->responder, r->g->user) != 0) {
        return mcx_refuse(why, MCX_E_POLICY, "addressed to another user of this device", "TS 33.180 5.2.2");
    }
    return MCX_OK;
}

static mcx_err accept_payload(struct reading *r, enum mcx_group_key_change *change, const struct mcx_gktp *gktp,
                              struct mcx_refusal *why)
{
    const char *group = gktp->temporary[0] != '\0' ? gktp->temporary : gmc_now(r->g)->group;
    struct mcx_imessage msg = { 0 };
    mcx_err err = open_message(r, &msg, gktp, why);

    if (err == MCX_OK) {
        err = mcx_group_keys_accept(r->g->keys, change, &msg, r->g->gms, group, r->now, why);
    }
    mcx_imessage_clear(&msg);
    return err;
}

static mcx_err take_payload(void *arg, const struct mcx_gktp *gktp)
{
    struct reading *r = arg;
    struct mcx_gmc_group *group = gmc_now(r->g);
    enum mcx_group_key_change change = MCX_GK_SAME;
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    if (r->named ? strcmp(gktp->id, r->g->user) != 0 : !may_be_ours(r, gktp)) {
        group->num_others++;
        return MCX_OK;
    }
    if (r->num_own++ >= MCX_GMC_PAYLOADS_MAX) {
        err = mcx_refuse(&why, MCX_E_SPACE, "more payloads for one user than a document may have", "");
    } else {
        err = accept_payload(r, &change, gktp, &why);
    }
    if (is_ours(err)) {
        return err;
    }
    if (err == MCX_OK) {
        count(group, change);
    } else {
        gmc_refused(group, gktp->kind == MCX_GKTP_GMK ? "gmk" : "mkfc", gktp->temporary, err, &why);
    }
    return MCX_OK;
}

mcx_err gmc_accept_gktp(struct mcx_gmc *g, const struct mcx_gmc_in *in)
{
    struct mcx_gmc_group *group = gmc_now(g);
    struct reading r = { .g = g, .now = in->now };
    struct mcx_group_info info;
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_gktp_read(in->body, look_for_own, &r, &why);

    if (err == MCX_OK) {
        err = mcx_gktp_read(in->body, take_payload, &r, &why);
    }
    if (is_ours(err)) {
        return err;
    }
    if (err != MCX_OK) {
        group->state = MCX_GMC_UNREADABLE;
        gmc_refused(group, "gktp", "", err, &why);
        return MCX_OK;
    }
    info = info_of(g);
    info.etag_gktp = group->num_refused == 0 ? etag_of(in) : ""; /* else it is fetched again */
    return put_info(g, &info);
}
