/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floor control of a private call at the controlling function (TS 24.380 6.3.2.2, 14): whether there is any, what is
 * negotiated with each side, who takes part. The arbitration itself is in floor_server.c.
 */
#include "proc/mcptt_server.h"

#include <string.h>

#include <mcx/floor_msg.h>

static mcx_err end_of(struct mcx_msrv_port *out, const struct mcx_sdp *sdp, size_t media)
{
    memset(out, 0, sizeof *out);
    out->port = sdp->media[media].port;
    MCX_TRY(mcx_bytes_cstr(out->host, sizeof out->host, mcx_sdp_conn(sdp, media)->host));
    return out->host[0] != '\0' ? MCX_OK : MCX_E_FORMAT;
}

mcx_err msrv_floor_offer(struct msrv_call *call, const struct mcx_sdp *sdp)
{
    struct msrv_floor *f = &call->floor;
    struct mcx_bytes fmtp;
    size_t media = 0;

    if (!mcx_sdp_floor(&media, &fmtp, sdp)) {
        return MCX_OK;
    }
    MCX_TRY(mcx_sdp_floor_params_read(&f->params[MCX_MSRV_CALLER], fmtp));
    MCX_TRY(end_of(&f->at[MCX_MSRV_CALLER], sdp, media));
    while (call->lines[f->line].media != media) { /* every line that is not refused is among them */
        f->line++;
    }
    f->offered = true;
    return MCX_OK;
}

mcx_err msrv_floor_answer(struct msrv_call *call, const struct mcx_sdp *sdp)
{
    struct msrv_floor *f = &call->floor;
    struct mcx_bytes fmtp;
    size_t media = 0;

    if (!f->served) {
        return MCX_OK;
    }
    if (sdp->media[call->lines[f->line].media].port == 0) {
        f->served = false;
        return MCX_OK;
    }
    if (!mcx_sdp_floor(&media, &fmtp, sdp) || media != call->lines[f->line].media) {
        return MCX_E_FORMAT; /* RFC 3264 6: not the kind of medium that was offered */
    }
    MCX_TRY(mcx_sdp_floor_params_read(&f->params[MCX_MSRV_CALLEE], fmtp));
    return end_of(&f->at[MCX_MSRV_CALLEE], sdp, media);
}

static bool has_key(const struct mcx_msrv *srv, const struct mcx_msrv_user *user, uint64_t now_ms)
{
    struct mcx_channel *channel = mcx_msrv_channel(srv, user->mcptt_id, now_ms);

    return channel != NULL && mcx_channel_sender(channel) != NULL;
}

/* TS 24.380 13.1, TS 33.180 9.4.6: floor control only under the CSK of each side. */
const char *msrv_floor_decide(const struct mcx_msrv *srv, struct msrv_call *call, uint64_t now_ms)
{
    if (!call->floor.offered) {
        return NULL;
    }
    if (!has_key(srv, call->hop.caller, now_ms)) {
        return "the caller has no client-server key";
    }
    if (!has_key(srv, call->hop.callee, now_ms)) {
        return "the callee has no client-server key";
    }
    call->floor.served = true;
    call->floor.queueing = !srv->config->no_queueing;
    return NULL;
}

uint16_t msrv_floor_indicator(const struct msrv_call *call)
{
    return call->hop.emergency ? MCX_FI_EMERGENCY : MCX_FI_NORMAL;
}

static uint8_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* What a side may have at most: of what the caller has offered, and of what the operator allows (4.1.1.4, 14.3.3). */
static uint8_t most_of(const struct msrv_call *call, enum mcx_msrv_side side)
{
    const struct mcx_msrv_user *user = side == MCX_MSRV_CALLER ? call->hop.caller : call->hop.callee;
    uint8_t allowed = user->floor_priority != 0 ? user->floor_priority : MCX_MSRV_FLOOR_PRIORITY;

    return lower(call->floor.params[MCX_MSRV_CALLER].priority, allowed);
}

/* To the callee we offer what the caller has offered us (docs/DEVIATIONS.md "private-floor-priority"). That the caller's
 * INVITE counts as a Floor Request is said in his answer (14.3.5); mc_granted never is ("group-floor-granted"). */
void msrv_floor_fmtp(char out[MCX_SDP_FLOOR_FMTP_MAX], const struct msrv_call *call, enum mcx_msrv_side side)
{
    const struct mcx_sdp_floor_params *asked = &call->floor.params[MCX_MSRV_CALLER];
    struct mcx_sdp_floor_params ours = { .queueing = call->floor.queueing, .priority = most_of(call, side) };

    if (side == MCX_MSRV_CALLER) {
        ours.queueing = asked->queueing && call->floor.queueing;
        ours.implicit_request = asked->implicit_request;
    }
    mcx_sdp_floor_params_write(out, &ours);
}

void msrv_floor_talker(struct mcx_msrv_talker *out, const struct msrv_call *call, enum mcx_msrv_side side)
{
    const struct mcx_sdp_floor_params *said = &call->floor.params[side];

    *out = (struct mcx_msrv_talker){
        .mcptt_id = side == MCX_MSRV_CALLER ? call->hop.caller->mcptt_id : call->hop.callee->mcptt_id,
        .at = call->floor.at[side],
        .max_priority = lower(said->priority, most_of(call, side)),
        .queueing = said->queueing,
        .implicit_request = side == MCX_MSRV_CALLER && said->implicit_request,
    };
}
