/* SPDX-License-Identifier: Apache-2.0 */
/* The client-server key: upload with the registration, download by SIP MESSAGE (TS 33.180 5.4, 5.8). */
#include "csk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAST_SKEW_S = 300 }; /* it is made for that very MESSAGE; docs/DEVIATIONS.md "csk-age" */

struct ue_csk {
    const struct ue_link *link;
    struct mcx_channel *channel;
    bool pending;     /* a key is on its way to the server */
    uint32_t offered; /* that one */
};

mcx_err ue_csk_new(struct ue_csk **out, const struct ue_link *link)
{
    struct ue_csk *csk = calloc(1, sizeof *csk);

    if (csk == NULL || mcx_channel_new(&csk->channel) != MCX_OK) {
        free(csk);
        return MCX_E_NOMEM;
    }
    csk->link = link;
    *out = csk;
    return MCX_OK;
}

void ue_csk_free(struct ue_csk *csk)
{
    if (csk != NULL) {
        mcx_channel_free(csk->channel);
        free(csk);
    }
}

struct mcx_channel *ue_csk_channel(struct ue_csk *csk)
{
    return csk->channel;
}

bool ue_csk_pending(const struct ue_csk *csk)
{
    return csk->pending;
}

static void report(const struct ue_csk *csk, const char *status, const char *sentence, uint32_t key_id,
                   const struct mcx_refusal *why)
{
    char id[9];

    (void)snprintf(id, sizeof id, "%08x", (unsigned)key_id);
    ue_report(csk->link->options->json, "csk", sentence, "{s:s, s:s, s:s, s:s}", "status", status, "key_id", id,
              "reason", why != NULL ? why->reason : "", "clause", why != NULL ? why->clause : "");
}

/* ---- upload ---- */

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

mcx_err ue_csk_make(struct ue_csk *csk, struct mcx_wr *message, struct mcx_refusal *why)
{
    const struct mcx_rng rng = mcx_rng_system();
    const struct ue_options *o = csk->link->options;
    struct mcx_control_key key = { .type = MCX_KEY_CSK };
    struct mcx_wr wr = *message;
    mcx_err err;

    csk->pending = false;
    MCX_GO(err, mcx_csk_make(&key, &wr, mcx_bytes_str(o->id), mcx_bytes_str(o->server_id), now(),
                             ue_keys_ring(csk->link->keys), &rng, why));
    MCX_GO(err, mcx_channel_offer(csk->channel, &key, &rng)); /* it opens from now on: the answer may be lost */
    *message = wr;
    csk->offered = key.key_id;
    csk->pending = true;
out:
    mcx_control_key_clear(&key);
    return err;
}

bool ue_csk_uploaded(struct ue_csk *csk, uint16_t code)
{
    bool pending = csk->pending;

    csk->pending = false;
    if (!pending) {
        return true;
    }
    switch (mcx_channel_answered(csk->channel, code)) {
    case MCX_CHANNEL_TAKEN:
        report(csk, "uploaded", "The server has the key that protects your signalling", csk->offered, NULL);
        return true;
    case MCX_CHANNEL_REFUSED: return true;
    case MCX_CHANNEL_UNANSWERED: break;
    }
    return false;
}

void ue_csk_lost(struct ue_csk *csk)
{
    static const struct mcx_refusal why = { "the server has not got the key that was sent", "TS 33.180 5.4" };

    csk->pending = false;
    (void)mcx_channel_answered(csk->channel, 403);
    report(csk, "lost", "The server has no key to protect your signalling: somebody may have held it back", csk->offered,
           &why);
}

/* ---- download ---- */

/* Signed by the server that this client is configured for, and by nobody else. */
static mcx_err take(struct ue_csk *csk, uint32_t *key_id, struct mcx_bytes message, struct mcx_refusal *why)
{
    const struct ue_options *o = csk->link->options;
    const struct mcx_imessage_policy policy = { .allowed_types = UINT32_C(1) << MCX_KEY_CSK,
                                                .past_skew_s = PAST_SKEW_S,
                                                .started = ue_keys_started(csk->link->keys),
                                                .initiator = mcx_bytes_str(o->server_id) };
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_control_key key = { .type = MCX_KEY_CSK };
    struct mcx_imessage msg;
    mcx_err err;

    MCX_TRY(mcx_imessage_open(&msg, message, ue_keys_ring(csk->link->keys), ue_keys_replay(csk->link->keys), now(),
                              &policy, why));
    if (strcmp(msg.initiator, o->server_id) != 0 || strcmp(msg.responder, o->id) != 0) {
        err = mcx_refuse(why, MCX_E_AUTH, "the new key is not from your server to you", "TS 33.180 5.8");
        goto out;
    }
    MCX_GO(err, mcx_control_key_of(&key, &msg));
    MCX_GO(err, mcx_channel_set(csk->channel, &key, &rng));
    *key_id = key.key_id;
out:
    mcx_control_key_clear(&key);
    mcx_imessage_clear(&msg);
    return err;
}

static void refuse(struct mcx_sip *sip, const struct mcx_sip_msg *msg, const char *agent)
{
    struct mcx_sip_content content = { 0 };
    char warning[256];

    if (mcx_warning_write(warning, sizeof warning, agent, MCX_WARN_IMESSAGE_AUTHENTICATION, NULL) == MCX_OK) {
        content.headers = warning;
    }
    (void)!mcx_sip_respond(sip, msg, 488, "Not Acceptable Here", &content);
}

bool ue_csk_request(struct ue_csk *csk, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    const struct mcx_mime_part *part;
    struct mcx_refusal why = { "", "" };
    struct mcx_mime mime;
    uint32_t key_id = 0;

    if (!mcx_bytes_is(msg->method, "MESSAGE") || mcx_mime_read(&mime, msg->content_type, msg->body, NULL) != MCX_OK) {
        return false;
    }
    part = mcx_mime_find(&mime, MCX_TYPE_MIKEY);
    if (part == NULL) {
        return false;
    }
    if (take(csk, &key_id, part->body, &why) != MCX_OK) {
        report(csk, "refused", "A new key for your signalling was refused; the old one stays", 0, &why);
        refuse(sip, msg, csk->link->local_address);
        return true;
    }
    report(csk, "replaced", "The server has replaced the key that protects your signalling", key_id, NULL);
    (void)!mcx_sip_respond(sip, msg, 200, "OK", NULL);
    return true;
}
