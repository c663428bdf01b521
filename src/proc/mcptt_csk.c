/* SPDX-License-Identifier: Apache-2.0 */
/* The CSK of each registration: uploaded by the client, replaced by it or by us (TS 33.180 5.4, 5.8, 9.2.1.3). */
#include "proc/mcptt_server.h"

#include <string.h>

enum {
    CSK_PAST_SKEW_S = 300,      /* a client makes it for this very REGISTER; docs/DEVIATIONS.md "csk-age" */
    CSK_RETRY_MS = 60000,       /* until a new CSK that was not taken is followed by another */
    CSK_REPLAY_ENTRIES = 65536, /* key messages remembered, for as long as T keeps older ones out */
    CSK_PER_MINUTE = 12,        /* uploads of one user; docs/DEVIATIONS.md "csk-rate" */
    MESSAGE_MAX = 4096,
};

mcx_err msrv_csk_init(struct mcx_msrv *srv)
{
    srv->csk_rate.per_minute = CSK_PER_MINUTE;
    return srv->config->server_id == NULL ? MCX_OK : mcx_replay_new(&srv->replay, CSK_REPLAY_ENTRIES);
}

void msrv_csk_drop(struct msrv_binding *binding)
{
    mcx_channel_free(binding->channel);
    binding->channel = NULL;
}

/* ---- upload (5.4) ---- */

/* The receiver's checks; the signature has to be that of the user whom the access token names, also where the message
 * does not say whose it is (TS 33.180 9.2.1.3). */
static mcx_err open_message(struct mcx_control_key *out, struct mcx_msrv *srv, const struct mcx_msrv_in *in,
                            const struct mcx_msrv_user *user, struct mcx_bytes message, struct mcx_refusal *why)
{
    const struct mcx_imessage_policy policy = { .allowed_types = UINT32_C(1) << MCX_KEY_CSK,
                                                .past_skew_s = CSK_PAST_SKEW_S,
                                                .started = srv->config->started,
                                                .initiator = mcx_bytes_str(user->mcptt_id) };
    struct mcx_imessage msg;
    mcx_err err;

    MCX_TRY(mcx_imessage_open(&msg, message, srv->config->ring, srv->replay, in->wall, &policy, why));
    if (strcmp(msg.responder, srv->config->server_id) != 0) {
        err = mcx_refuse(why, MCX_E_NOKEY, "the CSK is for another server", "TS 33.180 5.4");
    } else {
        err = mcx_control_key_of(out, &msg);
        err = err == MCX_OK ? MCX_OK : mcx_refuse(why, err, "the CSK has no usable streams", "TS 33.180 E.4");
    }
    mcx_imessage_clear(&msg);
    return err;
}

mcx_err msrv_csk_read(struct mcx_control_key *out, bool *has, struct mcx_msrv *srv, const struct mcx_msrv_in *in,
                      const struct mcx_msrv_user *user, struct mcx_refusal *why)
{
    const struct mcx_mime_part *part;
    struct mcx_mime mime;
    const char *owner;

    *has = false;
    if (mcx_mime_read(&mime, in->sip->content_type, in->sip->body, NULL) != MCX_OK) {
        return MCX_OK; /* nothing in it; where a token is demanded, that was refused already */
    }
    part = mcx_mime_find(&mime, MCX_TYPE_MIKEY);
    if (part == NULL) {
        return MCX_OK;
    }
    if (srv->config->server_id == NULL) {
        return mcx_refuse(why, MCX_E_NOKEY, "a CSK came, and this server has no identity to open it with",
                          "TS 33.180 5.4");
    }
    if (mcx_rate_take(&srv->csk_rate, mcx_bytes_str(user->mcptt_id), 1, in->now_ms) != 0) {
        return mcx_refuse(why, MCX_E_POLICY, "too many CSKs of this user in a minute", "TS 33.180 5.4");
    }
    MCX_TRY(open_message(out, srv, in, user, part->body, why));
    owner = mcx_msrv_csk_user(srv, out->key_id, in->now_ms);
    if (owner != NULL) { /* the same user's too: a second context under one key would use its nonces again */
        mcx_control_key_clear(out);
        return mcx_refuse(why, MCX_E_REPLAY, "the identifier of the CSK is in use", "TS 33.180 5.2.3");
    }
    *has = true;
    return MCX_OK;
}

static uint64_t renewal(const struct mcx_msrv *srv, uint64_t now_ms)
{
    uint64_t s = srv->config->csk_lifetime_s;

    return s == 0 ? UINT64_MAX : now_ms + s * 1000;
}

mcx_err msrv_csk_store(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_control_key *key,
                       uint64_t now_ms)
{
    struct msrv_binding *b = msrv_binding(srv, user);
    struct mcx_channel *made = NULL;
    mcx_err err;

    if (b->channel != NULL && b->until_ms <= now_ms) {
        msrv_csk_drop(b); /* of a registration that ran out */
    }
    if (b->channel == NULL) {
        MCX_TRY(mcx_channel_new(&made));
    }
    err = mcx_channel_set(made != NULL ? made : b->channel, key, &srv->rng);
    if (err != MCX_OK) {
        mcx_channel_free(made);
        return err;
    }
    b->channel = made != NULL ? made : b->channel;
    b->renew_ms = renewal(srv, now_ms);
    return MCX_OK;
}

struct mcx_channel *mcx_msrv_channel(const struct mcx_msrv *srv, const char *mcptt_id, uint64_t now_ms)
{
    const struct mcx_msrv_user *user = msrv_user(srv, mcx_bytes_str(mcptt_id));

    return user != NULL && msrv_registered(srv, user, now_ms) ? msrv_binding(srv, user)->channel : NULL;
}

const char *mcx_msrv_csk_user(const struct mcx_msrv *srv, uint32_t key_id, uint64_t now_ms)
{
    for (size_t i = 0; i < srv->config->num_users; i++) {
        const struct msrv_binding *b = &srv->bindings[i];

        if (b->channel != NULL && b->until_ms > now_ms && mcx_channel_has(b->channel, key_id)) {
            return srv->config->users[i].mcptt_id;
        }
    }
    return NULL;
}

/* ---- time ---- */

uint64_t msrv_csk_deadline(const struct mcx_msrv *srv)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < srv->config->num_users; i++) {
        const struct msrv_binding *b = &srv->bindings[i];

        if (b->channel != NULL) {
            first = b->until_ms < first ? b->until_ms : first;
            first = b->renew_ms < first ? b->renew_ms : first;
        }
    }
    return first;
}

/* ---- download (5.8) ---- */

static mcx_err note(struct mcx_msrv_out *out, const char *what, const struct mcx_msrv_user *user, const char *text)
{
    struct mcx_msrv_action *act = msrv_action(out, MCX_MSRV_NOTE, 0);

    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->note = what;
    act->caller = user->mcptt_id;
    act->callee = "";
    act->text = text;
    return MCX_OK;
}

static mcx_err write_message(struct mcx_msrv_action *act, struct mcx_msrv *srv, const struct mcx_msrv_user *user,
                             struct mcx_bytes body)
{
    const struct msrv_binding *b = msrv_binding(srv, user);
    uint8_t *copy = NULL;

    MCX_TRY(mcx_wr_space(&srv->text, body.len, &copy));
    memcpy(copy, body.p, body.len);
    act->body = mcx_bytes(copy, body.len);
    act->content_type = MCX_TYPE_MIKEY;
    act->headers = MCX_MCPTT_ACCEPT_CONTACT "P-Asserted-Service: " MCX_MCPTT_SERVICE "\r\n";
    act->caller = user->mcptt_id;
    act->uri = b->contact;
    act->from = srv->config->server_id;
    act->to = msrv_public_id(user);
    act->next_hop = b->num_path == 0 ? b->flow : NULL;
    for (size_t i = 0; i < b->num_path; i++) {
        act->route[i] = b->path[i];
    }
    return MCX_OK;
}

/* A new CSK, which opens from now on and protects once the client has said that it has it. */
static mcx_err offer(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_msrv_in *in,
                     struct mcx_msrv_out *out)
{
    struct msrv_binding *b = msrv_binding(srv, user);
    struct mcx_control_key key = { .type = MCX_KEY_CSK };
    struct mcx_refusal why = { "", "" };
    uint8_t message[MESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(message, sizeof message);
    struct mcx_msrv_action *act;
    mcx_err err;

    b->renew_ms = in->now_ms + CSK_RETRY_MS;
    MCX_GO(err, mcx_csk_make(&key, &wr, mcx_bytes_str(srv->config->server_id), mcx_bytes_str(user->mcptt_id), in->wall,
                             srv->config->ring, &srv->rng, &why));
    if (mcx_msrv_csk_user(srv, key.key_id, in->now_ms) != NULL) {
        err = MCX_E_REPLAY; /* one in 2^28: drawn anew at the next try */
        goto out;
    }
    act = msrv_action(out, MCX_MSRV_MESSAGE, 0);
    MCX_GO(err, act == NULL ? MCX_E_BUG : write_message(act, srv, user, mcx_wr_done(&wr)));
    err = mcx_channel_offer(b->channel, &key, &srv->rng); /* last: a failure leaves what was offered before */
out:
    mcx_control_key_clear(&key);
    if (err != MCX_OK) {
        out->num = 0;
        return note(out, "csk-not-made", user, why.reason[0] != '\0' ? why.reason : mcx_err_name(err));
    }
    return MCX_OK;
}

mcx_err msrv_csk_tick(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out)
{
    for (size_t i = 0; i < srv->config->num_users; i++) {
        struct msrv_binding *b = &srv->bindings[i];

        if (b->channel != NULL && b->until_ms <= in->now_ms) {
            msrv_csk_drop(b);
        } else if (b->channel != NULL && b->renew_ms <= in->now_ms) {
            return offer(srv, &srv->config->users[i], in, out); /* one a tick */
        }
    }
    return MCX_OK;
}

mcx_err msrv_csk_delivered(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out)
{
    const struct mcx_msrv_user *user = in->user != NULL ? msrv_user(srv, mcx_bytes_str(in->user)) : NULL;
    struct mcx_channel *channel = user != NULL ? mcx_msrv_channel(srv, in->user, in->now_ms) : NULL;

    if (channel == NULL) {
        return MCX_E_STATE; /* gone meanwhile */
    }
    switch (mcx_channel_answered(channel, in->sip != NULL ? in->sip->code : 0)) {
    case MCX_CHANNEL_TAKEN:
        msrv_binding(srv, user)->renew_ms = renewal(srv, in->now_ms);
        return note(out, "csk-replaced", user, "");
    case MCX_CHANNEL_REFUSED: return note(out, "csk-not-taken", user, "the client refused it");
    case MCX_CHANNEL_UNANSWERED: break;
    }
    return note(out, "csk-not-taken", user, "no answer");
}
