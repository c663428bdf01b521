/* SPDX-License-Identifier: Apache-2.0 */
/* Requests outside dialogs, and registrations kept alive (RFC 3261 10, RFC 5626 4). */
#define _GNU_SOURCE
#include "io/sip_priv.h"

#include <string.h>

enum { MAX_RETRY_MS = 300000, END_MS = 2000, DEFAULT_EXPIRES = 3600 };

/* ---- one request ---- */

struct single {
    struct le le;
    struct sip_dlg d; /* not a dialog: its Call-ID, tag and routes */
    struct sip_request *req;
    struct mcx_sip *sip;
    char *contact_params;
    void (*done)(void *arg, const struct mcx_sip_msg *response);
    void *arg;
};

static void single_free(void *arg)
{
    struct single *single = arg;

    list_unlink(&single->le);
    mem_deref(single->req);
    sip_dlg_clear(&single->d);
    mem_deref(single->contact_params);
}

static int single_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    struct single *single = arg;

    (void)dst;
    return single->contact_params == NULL ? 0
                                          : sip_write_contact(mb, single->sip->user, src, tp, single->contact_params);
}

static void single_done(int err, const struct sip_msg *msg, void *arg)
{
    struct single *single = arg;
    struct mcx_sip_msg view;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    if (err == 0) {
        sip_msg_view(&view, msg);
    }
    if (single->done != NULL) {
        single->done(single->arg, err == 0 ? &view : NULL);
    }
    mem_deref(single);
}

static int single_send(struct single *single, const struct mcx_sip_request *r, struct mbuf *mb)
{
    int err = sip_dlg_begin(&single->d, single->sip, r->uri, r->from, r->to, r->next_hop, r->route);

    if (err == 0 && r->content.contact_params != NULL) {
        err = str_dup(&single->contact_params, r->content.contact_params);
    }
    err = err != 0 ? err : sip_dlg_head(mb, &single->d, 1, r->method);
    err = err != 0 ? err : sip_write_content(mb, &r->content);
    return err != 0 ? err
                    : sip_send_request(&single->req, single->sip, r->method, r->uri, sip_dlg_hop(&single->d), mb,
                                       single_contact, single_done, single);
}

mcx_err mcx_sip_send(struct mcx_sip *sip, const struct mcx_sip_request *request)
{
    struct single *single = mem_zalloc(sizeof *single, single_free);
    struct mbuf *mb = mbuf_alloc(1024);
    int err = single == NULL || mb == NULL ? ENOMEM : 0;

    if (err == 0) {
        single->sip = sip;
        single->done = request->done;
        single->arg = request->arg;
        err = single_send(single, request, mb);
    }
    mem_deref(mb);
    if (err != 0) {
        mem_deref(single);
        return sip_err(err);
    }
    list_append(&sip->singles, &single->le, single);
    return MCX_OK;
}

/* ---- registration ---- */

struct mcx_sip_reg {
    struct le le;
    struct mcx_sip *sip;
    struct sip_request *req;
    struct tmr tmr;
    struct sip_keepalive *flow;
    struct sip_retry retry;
    char *registrar, *aor, *call_id, *contact_params;
    struct mbuf *content;
    uint64_t tag;
    uint32_t seq;
    uint32_t expires;
    bool registered; /* the last answer was a 2xx */
    bool ending;
    void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *response);
    void *arg;
    void (*done)(void *arg);
    void *done_arg;
};

static void reg_free(void *arg)
{
    struct mcx_sip_reg *reg = arg;

    list_unlink(&reg->le);
    tmr_cancel(&reg->tmr);
    mem_deref(reg->flow);
    mem_deref(reg->req);
    mem_deref(reg->registrar);
    mem_deref(reg->aor);
    mem_deref(reg->call_id);
    mem_deref(reg->contact_params);
    sip_content_drop(&reg->content);
}

static int reg_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    const struct mcx_sip_reg *reg = arg;
    char params[512];

    (void)dst;
    if (re_snprintf(params, sizeof params, "%s;expires=%u", reg->contact_params, reg->ending ? 0 : reg->expires) < 0) {
        return ENOMEM;
    }
    return sip_write_contact(mb, reg->sip->user, src, tp, params);
}

static void reg_ended(struct mcx_sip_reg *reg)
{
    void (*done)(void *arg) = reg->done;
    void *arg = reg->done_arg;

    mem_deref(reg);
    if (done != NULL) {
        done(arg);
    }
}

static void reg_again(void *arg);

/* Seconds granted: the expires parameter of a Contact, else the Expires header (RFC 3261 10.2.4). */
static uint32_t granted(const struct mcx_sip_reg *reg, const struct sip_msg *msg)
{
    const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    struct sip_addr addr;
    struct pl value;

    if (contact != NULL && sip_addr_decode(&addr, &contact->val) == 0 &&
        msg_param_decode(&addr.params, "expires", &value) == 0) {
        return pl_u32(&value);
    }
    return pl_isset(&msg->expires) ? pl_u32(&msg->expires) : reg->expires;
}

/* Refused, not answered, or the connection has ended: again after a while (RFC 5626 4.5). */
static void reg_failed(struct mcx_sip_reg *reg, const struct sip_msg *msg)
{
    uint64_t wait = sip_retry_wait(&reg->retry);
    uint64_t at_least = msg != NULL ? sip_retry_after_ms(msg) : 0;
    struct mcx_sip_msg view;

    reg->registered = false;
    reg->flow = mem_deref(reg->flow);
    tmr_start(&reg->tmr, wait > at_least ? wait : at_least, reg_again, reg);
    if (msg != NULL) {
        sip_msg_view(&view, msg);
    }
    reg->on_state(reg->arg, msg != NULL ? msg->scode : 0, msg != NULL ? &view : NULL);
}

static void reg_flow_lost(int err, void *arg)
{
    struct mcx_sip_reg *reg = arg;

    (void)err;
    if (!reg->ending) {
        reg->req = mem_deref(reg->req);
        reg_failed(reg, NULL);
    }
}

static void reg_good(struct mcx_sip_reg *reg, const struct sip_msg *msg)
{
    uint32_t seconds = granted(reg, msg);
    struct mcx_sip_msg view;

    reg->registered = true;
    sip_retry_good(&reg->retry);
    tmr_start(&reg->tmr, seconds > 2 ? (uint64_t)seconds * 500 : 1000, reg_again, reg);
    sip_flow_watch(&reg->flow, reg->sip, msg, reg_flow_lost, reg);
    sip_msg_view(&view, msg);
    reg->on_state(reg->arg, msg->scode, &view);
}

static void reg_response(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_reg *reg = arg;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    if (reg->ending) {
        reg_ended(reg);
        return;
    }
    if (err == 0 && msg->scode < 300) {
        reg_good(reg, msg);
    } else {
        reg_failed(reg, err == 0 ? msg : NULL);
    }
}

static int reg_send(struct mcx_sip_reg *reg)
{
    struct mbuf *mb = mbuf_alloc(1024);
    int err;

    if (mb == NULL) {
        return ENOMEM;
    }
    err = mbuf_printf(mb,
                      "Max-Forwards: 70\r\nTo: <%s>\r\nFrom: <%s>;tag=%016llx\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\n"
                      "Supported: path\r\n",
                      reg->aor, reg->aor, reg->tag, reg->call_id, ++reg->seq);
    if (reg->sip->agent != NULL) {
        err |= mbuf_printf(mb, "User-Agent: %s\r\n", reg->sip->agent);
    }
    err |= mbuf_write_mem(mb, reg->content->buf, reg->content->end);
    if (err == 0) {
        err =
            sip_send_request(&reg->req, reg->sip, "REGISTER", reg->registrar, NULL, mb, reg_contact, reg_response, reg);
    }
    mem_deref(mb);
    return err;
}

static void reg_again(void *arg)
{
    struct mcx_sip_reg *reg = arg;

    if (reg_send(reg) != 0) {
        reg_failed(reg, NULL);
    }
}

mcx_err mcx_sip_reg_new(struct mcx_sip_reg **out, struct mcx_sip *sip, const struct mcx_sip_register *params)
{
    struct mcx_sip_reg *reg = mem_zalloc(sizeof *reg, reg_free);
    int err;

    if (reg == NULL) {
        return MCX_E_NOMEM;
    }
    tmr_init(&reg->tmr);
    reg->retry.max_ms = MAX_RETRY_MS;
    reg->sip = sip;
    reg->tag = rand_u64();
    reg->expires = params->expires != 0 ? params->expires : DEFAULT_EXPIRES;
    reg->on_state = params->on_state;
    reg->arg = params->arg;
    err = sip_content_keep(&reg->content, &params->content);
    err = err != 0 ? err : str_dup(&reg->registrar, params->registrar);
    err = err != 0 ? err : str_dup(&reg->aor, params->aor);
    err = err != 0 ? err
                   : str_dup(&reg->contact_params,
                             params->content.contact_params != NULL ? params->content.contact_params : "");
    err = err != 0 ? err : re_sdprintf(&reg->call_id, "%016llx%016llx", rand_u64(), rand_u64());
    err = err != 0 ? err : reg_send(reg);
    if (err != 0) {
        mem_deref(reg);
        return sip_err(err);
    }
    list_append(&sip->regs, &reg->le, reg);
    *out = reg;
    return MCX_OK;
}

mcx_err mcx_sip_reg_content(struct mcx_sip_reg *reg, const struct mcx_sip_content *content)
{
    return sip_err(sip_content_keep(&reg->content, content));
}

void mcx_sip_reg_now(struct mcx_sip_reg *reg)
{
    tmr_start(&reg->tmr, 0, reg_again, reg);
}

static void reg_gave_up(void *arg)
{
    reg_ended(arg);
}

void mcx_sip_reg_end(struct mcx_sip_reg *reg, void (*done)(void *arg), void *arg)
{
    reg->ending = true;
    reg->done = done;
    reg->done_arg = arg;
    reg->req = mem_deref(reg->req);
    reg->flow = mem_deref(reg->flow);
    tmr_start(&reg->tmr, END_MS, reg_gave_up, reg);
    if (!reg->registered || reg_send(reg) != 0) { /* nothing to take back, or no way to say so */
        tmr_start(&reg->tmr, 0, reg_gave_up, reg);
    }
}

void sip_regs_drop(struct mcx_sip *sip)
{
    list_flush(&sip->regs);
    list_flush(&sip->singles);
}
