/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the floor control line (TS 24.380 12.1.2.2, 12.1.2.3). */
#include "codec/sdp/sdp_line.h"

#include <stdio.h>

#include <mcx/text.h>

static mcx_err flag_take(bool *flag)
{
    if (*flag) {
        return MCX_E_FORMAT;
    }
    *flag = true;
    return MCX_OK;
}

static mcx_err priority_take(uint8_t *priority, struct mcx_bytes value)
{
    uint64_t n = 0;

    MCX_TRY(mcx_dec_read(&n, UINT8_MAX, value));
    if (n == 0 || *priority != 0) {
        return MCX_E_FORMAT;
    }
    *priority = (uint8_t)n;
    return MCX_OK;
}

static mcx_err attr_take(struct mcx_sdp_floor_params *v, struct mcx_bytes attr)
{
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = mcx_bytes_trim(attr);

    if (!mcx_sdp_cut(&value, '=', &name)) {
        return MCX_OK; /* nothing between two semicolons */
    }
    if (mcx_bytes_is(name, "mc_priority")) {
        return priority_take(&v->priority, value);
    }
    if (mcx_bytes_is(name, "mc_queueing")) {
        return flag_take(&v->queueing);
    }
    if (mcx_bytes_is(name, "mc_granted")) {
        return flag_take(&v->granted);
    }
    return mcx_bytes_is(name, "mc_implicit_request") ? flag_take(&v->implicit_request) : MCX_OK;
}

mcx_err mcx_sdp_floor_params_read(struct mcx_sdp_floor_params *out, struct mcx_bytes fmtp)
{
    struct mcx_sdp_floor_params v = { 0 };
    struct mcx_bytes attr = { 0 };

    while (mcx_sdp_cut(&fmtp, ';', &attr)) {
        MCX_TRY(attr_take(&v, attr));
    }
    *out = v;
    return MCX_OK;
}

void mcx_sdp_floor_params_write(char out[MCX_SDP_FLOOR_FMTP_MAX], const struct mcx_sdp_floor_params *params)
{
    char text[MCX_SDP_FLOOR_FMTP_MAX];
    char priority[24] = "";

    if (params->priority != 0) {
        (void)snprintf(priority, sizeof priority, ";mc_priority=%u", (unsigned)params->priority);
    }
    (void)snprintf(text, sizeof text, "%s%s%s%s", params->queueing ? ";mc_queueing" : "", priority,
                   params->granted ? ";mc_granted" : "", params->implicit_request ? ";mc_implicit_request" : "");
    (void)snprintf(out, MCX_SDP_FLOOR_FMTP_MAX, "%s", text[0] == ';' ? text + 1 : text);
}
