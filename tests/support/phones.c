/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "support/phones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "phones: %s\n", what);
        abort();
    }
}

/* ---- the wire ---- */

static struct wire_msg *send(struct wire *wire, struct phone *from, enum mcx_privcall_event event)
{
    struct wire_msg *msg = &wire->queue[wire->num++];

    need(wire->num <= sizeof wire->queue / sizeof wire->queue[0], "queue");
    memset(msg, 0, sizeof *msg);
    msg->to = from->peer;
    msg->in.event = event;
    msg->in.dialog = from->peer->dialog;
    return msg;
}

static void put_sdp(struct wire_msg *msg, struct mcx_bytes sdp)
{
    need(sdp.len <= sizeof msg->sdp, "SDP");
    memcpy(msg->sdp, sdp.p, sdp.len);
    msg->sdp_len = sdp.len;
}

static void send_invite(struct wire *wire, struct phone *from, const struct mcx_privcall_action *a)
{
    struct wire_msg *msg = send(wire, from, MCX_PC_RX_INVITE);

    from->dialog = a->dialog;
    msg->in.dialog = from->peer->dialog = a->dialog + 1000;
    msg->in.answer_mode = a->commencement == MCX_PC_AUTO     ? MCX_ANSWER_AUTO
                          : a->commencement == MCX_PC_MANUAL ? MCX_ANSWER_MANUAL
                                                             : MCX_ANSWER_UNSET;
    msg->in.priv_answer_mode = a->commencement == MCX_PC_FORCE_AUTO ? MCX_ANSWER_AUTO : MCX_ANSWER_UNSET;
    (void)snprintf(msg->caller, sizeof msg->caller, "%s", from->id);
    put_sdp(msg, a->sdp);
}

/* ---- actions ---- */

static void media_start(struct phone *p, const struct mcx_privcall_media *media)
{
    need(!p->media, "media started twice");
    p->listening = false;
    p->media = true;
    p->media_is = *media;
    p->protected_media = media->tx != NULL;
    (void)snprintf(p->media_address, sizeof p->media_address, "%s", media->address);
    (void)snprintf(p->floor_address, sizeof p->floor_address, "%s", media->floor_address);
    memcpy(p->mki, media->mki, sizeof p->mki);
    if (media->tx != NULL) {
        p->tx = *media->tx;
        p->rx = *media->rx;
    }
}

static void tell(struct phone *p, const struct mcx_privcall_action *a)
{
    p->num_notes++;
    p->note = a->note;
    p->notes |= 1u << a->note;
    p->cause = a->cause;
    (void)snprintf(p->sentence, sizeof p->sentence, "%s", a->sentence);
    (void)snprintf(p->reason, sizeof p->reason, "%s", a->why.reason == NULL ? "" : a->why.reason);
}

static void refuse(struct wire *wire, struct phone *p, const struct mcx_privcall_action *a)
{
    struct wire_msg *msg = NULL;

    p->num_refusals++;
    p->sent_code = a->code;
    p->sent_warning = a->warning;
    if (a->dialog == p->dialog) {
        msg = send(wire, p, MCX_PC_RX_FAILURE);
        msg->in.code = a->code;
        msg->in.warning = a->warning;
    }
}

static void carry_out(struct wire *wire, struct phone *p, const struct mcx_privcall_action *a)
{
    switch (a->act) {
    case MCX_PC_SEND_INVITE:
        need(p->listening, "not ready for media before the INVITE"); /* RFC 4567 4.1.2 */
        send_invite(wire, p, a);
        break;
    case MCX_PC_SEND_RINGING:
        p->num_ringings++;
        send(wire, p, MCX_PC_RX_PROGRESS)->in.code = 180;
        break;
    case MCX_PC_SEND_OK:
        p->num_oks++;
        put_sdp(send(wire, p, MCX_PC_RX_OK), a->sdp);
        break;
    case MCX_PC_SEND_REFUSAL: refuse(wire, p, a); break;
    case MCX_PC_SEND_CANCEL:
        p->num_cancels++;
        (void)send(wire, p, MCX_PC_RX_CANCEL);
        break;
    case MCX_PC_SEND_BYE:
        p->num_byes++;
        (void)send(wire, p, MCX_PC_RX_BYE);
        break;
    case MCX_PC_SEND_CONNECT_ACK:
        p->num_connect_acks++;
        p->sent_reason = a->reason;
        break;
    case MCX_PC_LISTEN:
        need(!p->media && !p->listening, "listening twice");
        need(a->media.rx != NULL && a->media.tx == NULL, "not under the key of the offer");
        p->listening = true;
        p->early_rx = *a->media.rx;
        break;
    case MCX_PC_START_MEDIA: media_start(p, &a->media); break;
    case MCX_PC_STOP_MEDIA:
        need(p->media || p->listening, "media stopped that did not run");
        p->media = false;
        p->listening = false;
        break;
    case MCX_PC_START_TIMER: p->timer_ms[a->timer] = a->delay_ms; break;
    case MCX_PC_STOP_TIMER: p->timer_ms[a->timer] = 0; break;
    case MCX_PC_TELL: tell(p, a); break;
    }
}

static mcx_err step(struct wire *wire, struct phone *p, struct mcx_privcall_in in)
{
    struct mcx_privcall_actions actions;
    mcx_err err = MCX_OK;

    in.now = wire->now;
    err = mcx_privcall_step(p->pc, &in, &actions);
    if (err != MCX_OK) {
        return err;
    }
    p->most_actions = actions.num > p->most_actions ? actions.num : p->most_actions;
    for (size_t i = 0; i < actions.num; i++) {
        carry_out(wire, p, &actions.list[i]);
    }
    return MCX_OK;
}

/* The transaction layer of the one who gets a CANCEL answers the INVITE with 487. */
static void answer_cancel(struct wire *wire, struct phone *to, mcx_err result)
{
    if (result == MCX_OK) {
        send(wire, to, MCX_PC_RX_FAILURE)->in.code = 487;
    }
}

static void deliver_all(struct wire *wire)
{
    while (wire->num > 0) {
        static struct wire_msg msg; /* large */
        mcx_err err = MCX_OK;

        msg = wire->queue[0];
        wire->num--;
        memmove(&wire->queue[0], &wire->queue[1], wire->num * sizeof wire->queue[0]);
        if (wire->passing != NULL && !wire->passing(wire, &msg, wire->arg)) {
            continue;
        }
        msg.in.sdp = mcx_bytes(msg.sdp, msg.sdp_len);
        msg.in.calling_user = mcx_bytes_str(msg.caller);
        err = step(wire, msg.to, msg.in);
        if (msg.in.event == MCX_PC_RX_CANCEL) {
            answer_cancel(wire, msg.to, err);
        }
    }
}

mcx_err phone_give(struct wire *wire, struct phone *p, const struct mcx_privcall_in *in)
{
    mcx_err err = step(wire, p, *in);

    deliver_all(wire);
    return err;
}

mcx_err phone_user(struct wire *wire, struct phone *p, enum mcx_privcall_event event)
{
    struct mcx_privcall_in in = { .event = event };

    return phone_give(wire, p, &in);
}

mcx_err phone_call(struct wire *wire, enum mcx_privcall_commencement commencement, bool floor)
{
    static uint64_t dialogs;
    struct mcx_privcall_in in = { .event = MCX_PC_USER_CALL,
                                  .dialog = ++dialogs,
                                  .callee = mcx_bytes_str(BOB_ID),
                                  .commencement = commencement,
                                  .floor = floor };

    return phone_give(wire, &wire->alice, &in);
}

mcx_err phone_timer(struct wire *wire, struct phone *p, enum mcx_privcall_timer timer)
{
    struct mcx_privcall_in in = { .event = MCX_PC_TIMER, .timer = timer, .dialog = p->dialog };

    wire->now.sec += p->timer_ms[timer] / 1000;
    p->timer_ms[timer] = 0;
    return phone_give(wire, p, &in);
}

/* ---- messages in an SDP ---- */

struct vec imessage_of(const char *sdp, size_t sdp_len, size_t *at, size_t *len)
{
    static const char before[] = "a=key-mgmt:mikey ";
    const char *found = memmem(sdp, sdp_len, before, sizeof before - 1);
    const char *end = NULL;
    struct vec v;

    need(found != NULL, "no I_MESSAGE");
    found += sizeof before - 1;
    end = memchr(found, '\r', sdp_len - (size_t)(found - sdp));
    need(end != NULL, "no line end");
    *at = (size_t)(found - sdp);
    *len = (size_t)(end - found);
    need(mcx_base64_read(v.p, sizeof v.p, &v.len, mcx_bytes(found, *len)) == MCX_OK, "base64");
    return v;
}

void imessage_put(struct wire_msg *msg, struct mcx_bytes imessage)
{
    char text[12000];
    size_t at = 0;
    size_t len = 0;
    size_t new_len = MCX_BASE64_LEN(imessage.len);

    (void)imessage_of(msg->sdp, msg->sdp_len, &at, &len);
    need(mcx_base64_write(text, sizeof text, imessage) == MCX_OK && msg->sdp_len - len + new_len <= sizeof msg->sdp,
         "space");
    memmove(msg->sdp + at + new_len, msg->sdp + at + len, msg->sdp_len - at - len);
    memcpy(msg->sdp + at, text, new_len);
    msg->sdp_len = msg->sdp_len - len + new_len;
}

/* ---- life ---- */

static void phone_setup(struct wire *wire, struct phone *p, bool alice,
                        void (*edit)(struct mcx_privcall_config *config, bool alice))
{
    struct mcx_privcall_config config = {
        .own_id = alice ? ALICE_ID : BOB_ID,
        .started = { wire->now.sec - 3600, 0 },
        .local_address = alice ? "192.0.2.1" : "192.0.2.2",
        .audio_port = alice ? 40000 : 50000,
        .floor_port = alice ? 40010 : 50010,
        .has_csk = true,
        .amrwb = { .payload_type = 97, .mode_set = 0x1ff },
    };

    p->id = config.own_id;
    p->ring = ring_own(alice ? 1u << 2 : 1u << 3);
    p->rng = (struct fake_rng){ .seed = alice ? 11 : 22 };
    need(mcx_replay_new(&p->replay, 64) == MCX_OK, "replay cache");
    config.ring = p->ring;
    config.replay = p->replay;
    config.rng = fake_rng(&p->rng);
    if (edit != NULL) {
        edit(&config, alice);
    }
    need(mcx_privcall_new(&p->pc, &config) == MCX_OK, "machine");
}

void wire_setup(struct wire *wire, void (*edit)(struct mcx_privcall_config *config, bool alice))
{
    memset(wire, 0, sizeof *wire);
    wire->now.sec = RING_OWN_TIME;
    wire->alice.peer = &wire->bob;
    wire->bob.peer = &wire->alice;
    phone_setup(wire, &wire->alice, true, edit);
    phone_setup(wire, &wire->bob, false, edit);
}

static void phone_clear(struct phone *p)
{
    mcx_privcall_free(p->pc);
    mcx_replay_free(p->replay);
    mcx_keyring_free(p->ring);
}

void wire_clear(struct wire *wire)
{
    phone_clear(&wire->alice);
    phone_clear(&wire->bob);
}
