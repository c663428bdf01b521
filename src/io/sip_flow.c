/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to a server that is to reach us over it, and how long to wait before another try (RFC 5626 4.4, 4.5).
 */
#define _GNU_SOURCE
#include "io/sip_priv.h"

enum { FIRST_RETRY_MS = 1000, STABLE_MS = 120000, MAX_RETRY_AFTER_S = 86400 };

void sip_flow_watch(struct sip_keepalive **flow, struct mcx_sip *sip, const struct sip_msg *msg, sip_keepalive_h *lost,
                    void *arg)
{
    *flow = mem_deref(*flow);
    if (msg->tp != SIP_TRANSP_UDP) { /* over UDP the next request finds out */
        (void)sip_keepalive_start(flow, sip->stack, msg, 0, lost, arg);
    }
}

void sip_retry_good(struct sip_retry *retry)
{
    retry->since = retry->since != 0 ? retry->since : tmr_jiffies();
}

/* The wait doubles up to its bound, and half of it is drawn, so that a server that comes back is not overrun. */
uint64_t sip_retry_wait(struct sip_retry *retry)
{
    uint64_t wait = FIRST_RETRY_MS;

    if (retry->since != 0 && tmr_jiffies() - retry->since >= STABLE_MS) {
        retry->failures = 0;
    }
    retry->since = 0;
    for (unsigned i = 0; i < retry->failures && wait < retry->max_ms; i++) {
        wait *= 2;
    }
    wait = wait < retry->max_ms ? wait : retry->max_ms;
    retry->failures++;
    return wait / 2 + rand_u32() % (wait / 2 + 1);
}

uint64_t sip_retry_after_ms(const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER);
    uint32_t seconds = hdr != NULL ? pl_u32(&hdr->val) : 0;

    return (uint64_t)(seconds < MAX_RETRY_AFTER_S ? seconds : MAX_RETRY_AFTER_S) * 1000;
}
