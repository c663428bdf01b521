/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_SIP_CALL_H
#define MCX_IO_SIP_CALL_H

#include "io/sip_priv.h"

/** One INVITE dialog. The layer holds one reference from INVITE to the last transaction. */
struct mcx_sip_call {
    struct le he;
    struct mcx_sip *sip;
    mcx_sip_call_h *handler;
    void *arg;
    bool outgoing;
    bool confirmed; /* 2xx sent or received */
    bool acked;
    bool cancelled; /* we want it cancelled */
    bool closed;    /* MCX_SIP_CLOSED given */
    bool finished;  /* the layer's reference is gone */

    struct sip_dlg d;
    char *contact_params;
    char *contact_user; /* NULL = the stack's */

    struct sip_request *inv, *bye, *upd;

    /* called side */
    struct sip_strans *st; /* an INVITE without final response */
    const struct sip_msg *request;
    struct mbuf *ok; /* 2xx without ACK */
    struct tmr ok_again, ack_wait;
    uint32_t ok_seq;
    unsigned ok_sent;

    /* caller's side: the ACK, for when the 2xx comes again */
    struct mbuf *ack;
    struct sa ack_dst;
    enum sip_transp ack_tp;

    bool bye_held; /* BYE waits for the ACK */
    struct mbuf *bye_content;
    enum mcx_sip_close bye_why;
    struct tmr bye_wait;

    uint32_t session_expires; /* RFC 4028; 0 = none */
    bool refresher;
    struct tmr session;
};

struct mcx_sip_call *sip_call_find(struct mcx_sip *sip, const struct sip_msg *msg);
/** Send a BYE; CLOSED with `why` comes with its answer. */
void sip_call_bye(struct mcx_sip_call *call, const struct mcx_sip_content *content, enum mcx_sip_close why);

#endif
