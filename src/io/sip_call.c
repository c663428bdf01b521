/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: INVITE dialogs on libre's transactions (RFC 3261 12 to 15, RFC 4028, RFC 6026). */
#define _GNU_SOURCE
#include "io/sip_call.h"

#include <string.h>

enum { BYE_ANSWER_MS = 4000 }; /* how long CLOSED waits for the answer to our BYE */

static void call_free(void *arg)
{
    struct mcx_sip_call *call = arg;

    hash_unlink(&call->he);
    tmr_cancel(&call->ok_again);
    tmr_cancel(&call->ack_wait);
    tmr_cancel(&call->session);
    tmr_cancel(&call->bye_wait);
    mem_deref(call->st);
    mem_deref(call->inv);
    mem_deref(call->bye);
    mem_deref(call->upd);
    mem_deref((void *)(uintptr_t)call->request);
    mem_deref(call->ok);
    mem_deref(call->ack);
    mem_deref(call->bye_content);
    sip_dlg_clear(&call->d);
    mem_deref(call->contact_params);
    mem_deref(call->contact_user);
}

static struct mcx_sip_call *call_alloc(struct mcx_sip *sip, bool outgoing)
{
    struct mcx_sip_call *call = mem_zalloc(sizeof *call, call_free);

    if (call != NULL) {
        call->sip = sip;
        call->outgoing = outgoing;
        tmr_init(&call->ok_again);
        tmr_init(&call->ack_wait);
        tmr_init(&call->session);
        tmr_init(&call->bye_wait);
    }
    return call;
}

static void emit(struct mcx_sip_call *call, enum mcx_sip_event event, enum mcx_sip_close why, const struct sip_msg *msg)
{
    struct mcx_sip_msg view;
    struct mcx_sip_call_event ev = { .event = event, .why = why };

    if (call->handler == NULL) {
        return;
    }
    if (msg != NULL) {
        sip_msg_view(&view, msg);
        ev.msg = &view;
    }
    mem_ref(call);
    call->handler(call->arg, call, &ev);
    mem_deref(call);
}

/* The end for the program. The object lives on while a transaction of it is open. */
static void closed(struct mcx_sip_call *call, enum mcx_sip_close why, const struct sip_msg *msg)
{
    if (call->closed) {
        return;
    }
    call->closed = true;
    tmr_cancel(&call->session);
    tmr_cancel(&call->bye_wait);
    emit(call, MCX_SIP_CLOSED, why, msg);
    call->handler = NULL;
}

/* Drop the layer's own reference: nothing more can come for this call. */
static void finish(struct mcx_sip_call *call)
{
    if (!call->finished) {
        call->finished = true;
        hash_unlink(&call->he);
        mem_deref(call);
    }
}

static void end(struct mcx_sip_call *call, enum mcx_sip_close why, const struct sip_msg *msg)
{
    closed(call, why, msg);
    finish(call);
}

/* ---- our Contact ---- */

static const char *contact_user(const struct mcx_sip_call *call)
{
    return call->contact_user != NULL ? call->contact_user : call->sip->user;
}

/* Our Contact is the same in all messages of a dialog: what the first one says stays. */
static int keep_contact(struct mcx_sip_call *call, const struct mcx_sip_content *content)
{
    int err = 0;

    if (content != NULL && content->contact_params != NULL && call->contact_params == NULL) {
        err = str_dup(&call->contact_params, content->contact_params);
    }
    if (err == 0 && content != NULL && content->contact_user != NULL && call->contact_user == NULL) {
        err = str_dup(&call->contact_user, content->contact_user);
    }
    return err;
}

static int write_own_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    struct mcx_sip_call *call = arg;

    (void)dst;
    return sip_write_contact(mb, contact_user(call), src, tp, call->contact_params);
}

/* ---- session timer (RFC 4028) ---- */

static void session_tick(void *arg);

static void session_start(struct mcx_sip_call *call)
{
    uint64_t ms = (uint64_t)call->session_expires * 1000;

    if (call->session_expires != 0) {
        uint64_t guard = ms / 3 < 32000 ? ms / 3 : 32000;

        tmr_start(&call->session, call->refresher ? ms / 2 : ms - guard, session_tick, call);
    }
}

static bool read_session(uint32_t *seconds, struct pl *refresher, const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_SESSION_EXPIRES);
    struct pl value, params = { NULL, 0 };

    if (hdr == NULL || re_regex(hdr->val.p, hdr->val.l, "[0-9]+[^]*", &value, &params) != 0) {
        return false;
    }
    *seconds = pl_u32(&value);
    *refresher = (struct pl){ NULL, 0 };
    (void)msg_param_decode(&params, "refresher", refresher);
    return *seconds != 0;
}

/* Our INVITE or UPDATE was accepted: the answer says whether there is a timer and who refreshes. */
static void session_from_answer(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    struct pl refresher;
    uint32_t seconds;

    if (read_session(&seconds, &refresher, msg) && seconds >= SIP_MIN_SE) {
        call->session_expires = seconds;
        call->refresher = pl_strcasecmp(&refresher, "uas") != 0;
        session_start(call);
    }
}

/* What our 2xx says about it: the peer that asked refreshes, unless it wants us to. */
static int session_answer(struct mbuf *mb, struct mcx_sip_call *call, const struct sip_msg *msg)
{
    struct pl refresher;
    uint32_t seconds;

    if (!read_session(&seconds, &refresher, msg) || seconds < SIP_MIN_SE || !sip_supports(msg, "timer")) {
        return 0;
    }
    call->session_expires = seconds;
    call->refresher = pl_strcasecmp(&refresher, "uas") == 0;
    session_start(call);
    return mbuf_printf(mb, "%sSession-Expires: %u;refresher=%s\r\n", call->refresher ? "" : "Require: timer\r\n",
                       seconds, call->refresher ? "uas" : "uac");
}

static void on_update(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_call *call = arg;

    if (msg != NULL && msg->scode < 200) {
        return;
    }
    if (err != 0 || msg->scode == 408 || msg->scode == 481) {
        sip_call_bye(call, NULL, MCX_SIP_BY_TIMEOUT);
        return;
    }
    if (msg->scode < 300) {
        session_from_answer(call, msg);
    } else {
        session_start(call); /* a peer without UPDATE: try again, its own timer decides */
    }
}

static void send_update(struct mcx_sip_call *call)
{
    struct mbuf *mb = mbuf_alloc(512);
    int err = mb == NULL ? ENOMEM : sip_dlg_head(mb, &call->d, ++call->d.local_seq, "UPDATE");

    err = err != 0 ? err : mbuf_write_str(mb, "Supported: timer\r\n");
    if (err == 0 && call->session_expires != 0) {
        err = mbuf_printf(mb, "Session-Expires: %u;refresher=uac\r\n", call->session_expires);
    }
    err = err != 0 ? err : mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");
    if (err == 0) {
        err = sip_send_request(&call->upd, call->sip, "UPDATE", call->d.target, sip_dlg_hop(&call->d), mb,
                               write_own_contact, on_update, call);
    }
    mem_deref(mb);
    if (err != 0) {
        sip_call_bye(call, NULL, MCX_SIP_BY_TRANSPORT);
    }
}

static void session_tick(void *arg)
{
    struct mcx_sip_call *call = arg;

    if (call->refresher) {
        send_update(call);
    } else {
        sip_call_bye(call, NULL, MCX_SIP_BY_TIMEOUT);
    }
}

static bool ask(struct le *le, void *arg)
{
    struct mcx_sip_call *call = le->data;

    (void)arg;
    if (call->confirmed && !call->closed && call->bye == NULL && call->upd == NULL) {
        send_update(call);
    }
    return false;
}

void mcx_sip_calls_ask(struct mcx_sip *sip)
{
    (void)hash_apply(sip->calls, ask, NULL);
}

/* ---- responses ---- */

static int reply(struct mcx_sip_call *call, struct mbuf **kept, uint16_t code, const char *reason,
                 const struct mcx_sip_content *content)
{
    struct mbuf *mb = mbuf_alloc(1024);
    struct sa local;
    int err = 0;

    if (mb == NULL) {
        return ENOMEM;
    }
    sip_local_for(&local, call->sip, call->request);
    if (code < 300) {
        err |= keep_contact(call, content);
        err |= sip_write_contact(mb, contact_user(call), &local, call->request->tp, call->contact_params);
        err |= mbuf_write_str(mb, "Allow: " SIP_ALLOW "\r\nSupported: timer\r\n");
    }
    if (code / 100 == 2) {
        err |= session_answer(mb, call, call->request);
    }
    err |= sip_write_content(mb, content);
    if (err == 0) {
        err = sip_treplyf(&call->st, kept, call->sip->stack, call->request, code < 300, code, reason, "%b", mb->buf,
                          mb->end);
    }
    mem_deref(mb);
    return err;
}

/* ---- ending ---- */

static void on_bye(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_call *call = arg;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    end(call, call->bye_why, NULL);
}

static void bye_waited(void *arg)
{
    struct mcx_sip_call *call = arg;

    closed(call, call->bye_why, NULL); /* the transaction goes on alone */
}

void sip_call_bye(struct mcx_sip_call *call, const struct mcx_sip_content *content, enum mcx_sip_close why)
{
    struct mbuf *mb;
    int err;

    if (call->closed || call->bye != NULL) {
        return;
    }
    tmr_cancel(&call->session);
    call->bye_why = why;
    mb = mbuf_alloc(512);
    err = mb == NULL ? ENOMEM : sip_dlg_head(mb, &call->d, ++call->d.local_seq, "BYE");
    if (err == 0) {
        err = call->bye_content != NULL ? mbuf_write_mem(mb, call->bye_content->buf, call->bye_content->end)
                                        : sip_write_content(mb, content);
    }
    if (err == 0) {
        err = sip_send_request(&call->bye, call->sip, "BYE", call->d.target, sip_dlg_hop(&call->d), mb, NULL, on_bye,
                               call);
    }
    mem_deref(mb);
    if (err != 0) {
        end(call, why, NULL);
        return;
    }
    tmr_start(&call->bye_wait, BYE_ANSWER_MS, bye_waited, call);
}

/* A 2xx of ours is not acknowledged yet: the BYE has to wait for the ACK (RFC 3261 15). */
static void hold_bye(struct mcx_sip_call *call, const struct mcx_sip_content *content)
{
    if (call->bye_content == NULL) {
        call->bye_content = mbuf_alloc(256);
        if (call->bye_content != NULL && sip_write_content(call->bye_content, content) != 0) {
            call->bye_content = mem_deref(call->bye_content);
        }
    }
    call->bye_held = true;
}

static int reject(struct mcx_sip_call *call, uint16_t code, const char *reason, const struct mcx_sip_content *content)
{
    int err;

    if (call->closed || call->st == NULL) {
        return EPROTO;
    }
    err = reply(call, NULL, code, reason, content);
    if (!call->confirmed) {
        end(call, MCX_SIP_BY_US, NULL);
    }
    return err;
}

void mcx_sip_call_hangup(struct mcx_sip_call *call, const struct mcx_sip_content *content)
{
    if (call->closed) {
        return;
    }
    if (call->st != NULL && !call->confirmed) {
        (void)reject(call, 480, "Temporarily Unavailable", content);
        return;
    }
    if (call->outgoing && !call->confirmed) {
        call->cancelled = true;
        sip_request_cancel(call->inv);
        return;
    }
    if (call->ok != NULL) {
        hold_bye(call, content);
        return;
    }
    sip_call_bye(call, content, MCX_SIP_BY_US);
}

/* ---- the caller's side ---- */

static int keep_ack(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    struct mcx_sip_call *call = arg;

    (void)src;
    mem_deref(call->ack);
    call->ack = mem_ref(mb);
    call->ack_dst = *dst;
    call->ack_tp = tp;
    return 0;
}

static int send_ack(struct mcx_sip_call *call, uint32_t cseq)
{
    struct mbuf *mb = mbuf_alloc(512);
    int err = mb == NULL ? ENOMEM : sip_dlg_head(mb, &call->d, cseq, "ACK");

    err = err != 0 ? err : mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");
    if (err == 0) {
        err = sip_send_request(NULL, call->sip, "ACK", call->d.target, sip_dlg_hop(&call->d), mb, keep_ack, NULL, call);
    }
    mem_deref(mb);
    return err;
}

static void on_answer(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    call->confirmed = true;
    if (sip_dlg_establish(&call->d, msg) != 0 || send_ack(call, msg->cseq.num) != 0) {
        end(call, MCX_SIP_BY_TRANSPORT, NULL);
        return;
    }
    if (call->cancelled) { /* the 200 crossed our CANCEL */
        sip_call_bye(call, NULL, MCX_SIP_BY_US);
        return;
    }
    session_from_answer(call, msg);
    emit(call, MCX_SIP_ANSWERED, MCX_SIP_BY_US, msg);
}

/* Answer to a re-INVITE of ours; the call is over only where the peer says that it has none (RFC 3261 12.2.1.2). */
static void on_reinvite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_call *call = arg;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    if (err != 0 || msg->scode == 408 || msg->scode == 481) {
        sip_call_bye(call, NULL, MCX_SIP_BY_TIMEOUT);
        return;
    }
    if (msg->scode >= 300) {
        emit(call, MCX_SIP_UNCHANGED, MCX_SIP_BY_US, msg);
        return;
    }
    (void)sip_dlg_target(&call->d, msg);
    if (send_ack(call, msg->cseq.num) != 0) {
        sip_call_bye(call, NULL, MCX_SIP_BY_TRANSPORT);
        return;
    }
    session_from_answer(call, msg);
    emit(call, MCX_SIP_CHANGED, MCX_SIP_BY_US, msg);
}

static void on_invite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_call *call = arg;

    if (err != 0 || msg == NULL) {
        end(call, err == ETIMEDOUT ? MCX_SIP_BY_TIMEOUT : MCX_SIP_BY_TRANSPORT, NULL);
        return;
    }
    if (msg->scode <= 100) {
        return;
    }
    if (msg->scode < 200) {
        if (!call->cancelled) {
            emit(call, MCX_SIP_PROGRESS, MCX_SIP_BY_US, msg);
        }
        return;
    }
    if (msg->scode < 300) {
        on_answer(call, msg);
        return;
    }
    end(call, MCX_SIP_BY_REJECT, msg);
}

void sip_call_response(struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct mcx_sip_call *call = sip_call_find(sip, msg);

    if (call != NULL && call->ack != NULL && msg->scode / 100 == 2 && pl_strcmp(&msg->cseq.met, "INVITE") == 0) {
        call->ack->pos = 0;
        (void)sip_send(sip->stack, NULL, call->ack_tp, &call->ack_dst, call->ack);
    }
}

static int new_dialog(struct mcx_sip_call *call, const struct mcx_sip_invite *params)
{
    int err =
        sip_dlg_begin(&call->d, call->sip, params->uri, params->from, params->to, params->next_hop, params->route);

    return err != 0 ? err : keep_contact(call, &params->content);
}

static int write_invite(struct mbuf *mb, struct mcx_sip_call *call, const struct mcx_sip_invite *params)
{
    int err = sip_dlg_head(mb, &call->d, ++call->d.local_seq, "INVITE");

    err |= mbuf_write_str(mb, "Allow: " SIP_ALLOW "\r\nSupported: timer\r\n");
    if (params->session_expires != 0) {
        err |= mbuf_printf(mb, "Session-Expires: %u\r\nMin-SE: %u\r\n", params->session_expires, SIP_MIN_SE);
    }
    return err | sip_write_content(mb, &params->content);
}

mcx_err mcx_sip_call_new(struct mcx_sip_call **out, struct mcx_sip *sip, const struct mcx_sip_invite *params)
{
    struct mcx_sip_call *call = call_alloc(sip, true);
    struct mbuf *mb = mbuf_alloc(4096);
    int err = call == NULL || mb == NULL ? ENOMEM : new_dialog(call, params);

    err = err != 0 ? err : write_invite(mb, call, params);
    if (err == 0) {
        hash_append(sip->calls, hash_joaat_str(call->d.call_id), &call->he, call);
        err = sip_send_request(&call->inv, sip, "INVITE", call->d.target, sip_dlg_hop(&call->d), mb, write_own_contact,
                               on_invite_response, call);
    }
    mem_deref(mb);
    if (err != 0) {
        mem_deref(call);
        return sip_err(err);
    }
    call->handler = params->handler;
    call->arg = params->arg;
    *out = call;
    return MCX_OK;
}

mcx_err mcx_sip_call_reinvite(struct mcx_sip_call *call, const struct mcx_sip_content *content)
{
    struct mbuf *mb;
    int err;

    if (call->closed || !call->confirmed || call->bye != NULL || call->bye_held || call->inv != NULL ||
        call->st != NULL || call->ok != NULL) {
        return MCX_E_STATE;
    }
    mb = mbuf_alloc(4096);
    err = mb == NULL ? ENOMEM : sip_dlg_head(mb, &call->d, ++call->d.local_seq, "INVITE");
    err = err != 0 ? err : mbuf_write_str(mb, "Allow: " SIP_ALLOW "\r\nSupported: timer\r\n");
    if (err == 0 && call->session_expires != 0) { /* without it the timer would be switched off (RFC 4028 7.4) */
        err = mbuf_printf(mb, "Session-Expires: %u;refresher=%s\r\n", call->session_expires,
                          call->refresher ? "uac" : "uas");
    }
    err = err != 0 ? err : sip_write_content(mb, content);
    if (err == 0) {
        err = sip_send_request(&call->inv, call->sip, "INVITE", call->d.target, sip_dlg_hop(&call->d), mb,
                               write_own_contact, on_reinvite_response, call);
    }
    mem_deref(mb);
    return sip_err(err);
}

/* Who made the dialog waits longer: one of the two comes first. */
uint32_t mcx_sip_call_glare_ms(const struct mcx_sip_call *call)
{
    return call->outgoing ? 2100U + rand_u16() % 191U * 10U : rand_u16() % 201U * 10U;
}

/* ---- the called side ---- */

static void on_cancel(void *arg)
{
    struct mcx_sip_call *call = arg;

    (void)sip_treply(&call->st, call->sip->stack, call->request, 487, "Request Terminated");
    if (!call->confirmed) {
        end(call, MCX_SIP_BY_CANCEL, NULL);
    }
}

void sip_call_invite(struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct mcx_sip_call *call;
    struct mcx_sip_msg view;
    struct pl refresher;
    uint32_t seconds;

    if (read_session(&seconds, &refresher, msg) && seconds < SIP_MIN_SE && sip_supports(msg, "timer")) {
        (void)sip_treplyf(NULL, NULL, sip->stack, msg, false, 422, "Session Interval Too Small",
                          "Min-SE: %u\r\nContent-Length: 0\r\n\r\n", SIP_MIN_SE);
        return;
    }
    call = call_alloc(sip, false);
    if (call == NULL || sip_dlg_accept(&call->d, sip, msg) != 0 ||
        sip_strans_alloc(&call->st, sip->stack, msg, on_cancel, call) != 0) {
        mem_deref(call);
        (void)sip_treply(NULL, sip->stack, msg, 400, "Bad Request");
        return;
    }
    call->request = mem_ref((void *)(uintptr_t)msg);
    hash_append(sip->calls, hash_joaat_str(call->d.call_id), &call->he, call);
    (void)sip_treply(&call->st, sip->stack, msg, 100, "Trying");
    sip_msg_view(&view, msg);
    mem_ref(call);
    if (sip->on_invite != NULL) {
        sip->on_invite(sip->arg, call, &view);
    }
    if (call->handler == NULL && !call->closed) {
        (void)reject(call, 480, "Temporarily Unavailable", NULL);
    }
    mem_deref(call);
}

void mcx_sip_call_handler(struct mcx_sip_call *call, mcx_sip_call_h *handler, void *arg)
{
    call->handler = handler;
    call->arg = arg;
}

mcx_err mcx_sip_call_progress(struct mcx_sip_call *call, uint16_t code, const char *reason,
                              const struct mcx_sip_content *content)
{
    if (call->closed || call->outgoing || call->confirmed || call->st == NULL || code <= 100 || code > 199) {
        return MCX_E_STATE;
    }
    return sip_err(reply(call, NULL, code, reason, content));
}

static void send_ok_again(void *arg)
{
    struct mcx_sip_call *call = arg;
    uint64_t wait;

    call->ok->pos = 0;
    (void)sip_send(call->sip->stack, call->request->sock, call->request->tp, &call->request->src, call->ok);
    call->ok_sent++;
    wait = (uint64_t)SIP_T1 << (call->ok_sent < 3 ? call->ok_sent : 3);
    tmr_start(&call->ok_again, wait, send_ok_again, call);
}

static void no_ack(void *arg)
{
    struct mcx_sip_call *call = arg;

    tmr_cancel(&call->ok_again);
    call->ok = mem_deref(call->ok);
    sip_call_bye(call, NULL, call->bye_held ? MCX_SIP_BY_US : MCX_SIP_BY_TIMEOUT);
}

mcx_err mcx_sip_call_answer(struct mcx_sip_call *call, const struct mcx_sip_content *content)
{
    int err;

    if (call->closed || call->st == NULL) {
        return MCX_E_STATE;
    }
    call->ok = mem_deref(call->ok);
    err = reply(call, &call->ok, 200, "OK", content);
    if (err != 0) {
        return sip_err(err);
    }
    call->confirmed = true;
    call->ok_sent = 0;
    call->ok_seq = call->request->cseq.num;
    tmr_start(&call->ok_again, SIP_T1, send_ok_again, call);
    tmr_start(&call->ack_wait, 64 * SIP_T1, no_ack, call);
    return MCX_OK;
}

mcx_err mcx_sip_call_reject(struct mcx_sip_call *call, uint16_t code, const char *reason,
                            const struct mcx_sip_content *content)
{
    return code < 300 ? MCX_E_ARG : sip_err(reject(call, code, reason, content));
}

/* ---- requests inside a dialog ---- */

static bool same_dialog(struct le *le, void *arg)
{
    const struct mcx_sip_call *call = le->data;

    return sip_dlg_is(&call->d, arg);
}

struct mcx_sip_call *sip_call_find(struct mcx_sip *sip, const struct sip_msg *msg)
{
    return list_ledata(hash_lookup(sip->calls, hash_joaat_pl(&msg->callid), same_dialog, (void *)(uintptr_t)msg));
}

bool sip_call_known(struct mcx_sip *sip, const struct sip_msg *msg)
{
    return sip_call_find(sip, msg) != NULL;
}

static void on_ack(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    bool first = !call->acked;

    if (call->ok == NULL || msg->cseq.num != call->ok_seq) {
        return;
    }
    tmr_cancel(&call->ok_again);
    tmr_cancel(&call->ack_wait);
    call->ok = mem_deref(call->ok);
    call->acked = true;
    if (call->bye_held) {
        sip_call_bye(call, NULL, MCX_SIP_BY_US);
        return;
    }
    if (first) {
        emit(call, MCX_SIP_ACKED, MCX_SIP_BY_US, msg);
    }
}

static void on_peer_bye(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    (void)sip_treply(NULL, call->sip->stack, msg, 200, "OK");
    if (call->st != NULL) {
        (void)sip_treply(&call->st, call->sip->stack, call->request, 487, "Request Terminated");
    }
    end(call, MCX_SIP_BY_BYE, msg);
}

static void on_reinvite(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    struct sip *stack = call->sip->stack;

    if (call->st != NULL || call->ok != NULL || call->inv != NULL || !call->confirmed) {
        (void)sip_treply(NULL, stack, msg, 491, "Request Pending");
        return;
    }
    if (sip_dlg_target(&call->d, msg) != 0 || sip_strans_alloc(&call->st, stack, msg, on_cancel, call) != 0) {
        (void)sip_treply(NULL, stack, msg, 400, "Bad Request");
        return;
    }
    mem_deref((void *)(uintptr_t)call->request);
    call->request = mem_ref((void *)(uintptr_t)msg);
    emit(call, MCX_SIP_OFFER, MCX_SIP_BY_US, msg);
    if (call->st != NULL) {
        (void)reject(call, 488, "Not Acceptable Here", NULL);
    }
}

static void on_peer_update(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    struct sip *stack = call->sip->stack;
    struct mbuf *mb = mbuf_alloc(256);
    struct sa local;

    if (mb == NULL || mbuf_get_left(msg->mb) > 0) { /* a refresh, not an offer */
        (void)sip_treply(NULL, stack, msg, mb == NULL ? 500 : 488, mb == NULL ? "Server Error" : "Not Acceptable Here");
    } else {
        (void)sip_dlg_target(&call->d, msg);
        (void)sip_dlg_follow(&call->d, msg);
        sip_local_for(&local, call->sip, msg);
        if (sip_write_contact(mb, contact_user(call), &local, msg->tp, call->contact_params) == 0 &&
            session_answer(mb, call, msg) == 0) {
            (void)sip_treplyf(NULL, NULL, stack, msg, true, 200, "OK", "%bContent-Length: 0\r\n\r\n", mb->buf, mb->end);
        }
    }
    mem_deref(mb);
}

static void on_dialog_request(struct mcx_sip_call *call, const struct sip_msg *msg)
{
    struct sip *stack = call->sip->stack;

    if (pl_strcmp(&msg->met, "ACK") == 0) {
        on_ack(call, msg);
        return;
    }
    if (msg->cseq.num < call->d.remote_seq) {
        (void)sip_treply(NULL, stack, msg, 500, "Server Internal Error");
        return;
    }
    call->d.remote_seq = msg->cseq.num;
    if (pl_strcmp(&msg->met, "BYE") == 0) {
        on_peer_bye(call, msg);
    } else if (call->closed) {
        (void)sip_treply(NULL, stack, msg, 481, "Call Does Not Exist");
    } else if (pl_strcmp(&msg->met, "INVITE") == 0) {
        on_reinvite(call, msg);
    } else if (pl_strcmp(&msg->met, "UPDATE") == 0) {
        on_peer_update(call, msg);
    } else if (pl_strcmp(&msg->met, "OPTIONS") == 0) {
        (void)sip_treplyf(NULL, NULL, stack, msg, false, 200, "OK",
                          "Allow: " SIP_ALLOW "\r\nContent-Length: 0\r\n\r\n");
    } else {
        (void)sip_treply(NULL, stack, msg, 501, "Not Implemented");
    }
}

bool sip_call_request(struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct mcx_sip_call *call;

    if (!pl_isset(&msg->to.tag)) {
        return pl_strcmp(&msg->met, "ACK") == 0; /* an ACK without dialog is nobody's */
    }
    call = sip_call_find(sip, msg);
    if (call == NULL) {
        if (pl_strcmp(&msg->met, "ACK") != 0) {
            sip_refused(sip, "no such dialog");
            (void)sip_reply(sip->stack, msg, 481, "Call Does Not Exist"); /* keeps no transaction for a stranger */
        }
        return true;
    }
    mem_ref(call);
    on_dialog_request(call, msg);
    mem_deref(call);
    return true;
}

static bool drop_one(struct le *le, void *arg)
{
    struct mcx_sip_call *call = le->data;

    (void)arg;
    call->handler = NULL;
    call->closed = true;
    finish(call);
    return false;
}

void sip_calls_drop(struct mcx_sip *sip)
{
    if (sip->calls != NULL) {
        (void)hash_apply(sip->calls, drop_one, NULL);
    }
}
