/* SPDX-License-Identifier: Apache-2.0 */
/* The three server roles of a private call: each looks at one INVITE and makes the next, or refuses it. */
#include "proc/mcptt_server.h"

#include <string.h>

static struct msrv_verdict refuse(uint16_t code, const char *reason, enum mcx_warning warning)
{
    return (struct msrv_verdict){ code, reason, warning, NULL };
}

static struct msrv_verdict not_allowed(const char *due_to)
{
    return (struct msrv_verdict){ 403, "Forbidden", MCX_WARN_FUNCTION_NOT_ALLOWED, due_to };
}

/* ---- originating participating function (11.1.1.3.1.1) ---- */

static struct msrv_verdict read_info(struct msrv_hop *out, const struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = mcx_mime_find(mime, MCX_TYPE_MCPTT_INFO);
    struct mcx_mcptt_info info;
    mcx_err err;

    if (part == NULL) {
        return not_allowed("missing mcptt-info");
    }
    err = mcx_mcptt_info_read(&info, part->body, NULL);
    out->session = info.session;
    out->emergency = info.emergency == MCX_MCPTT_TRUE;
    mcx_mcptt_info_clear(&info);
    if (err == MCX_E_UNSUP) {
        return refuse(403, "Forbidden", MCX_WARN_XML_DECRYPTION);
    }
    if (err != MCX_OK) {
        return refuse(400, "Bad Request", MCX_WARN_NONE);
    }
    if (out->session == MCX_SESSION_FIRST_TO_ANSWER) {
        return refuse(403, "Forbidden", MCX_WARN_FIRST_TO_ANSWER_NOT_AUTHORISED);
    }
    return out->session == MCX_SESSION_PRIVATE ? MSRV_PASS : not_allowed("unsupported session type");
}

/* The three branches of the caller's wish exclude each other; Priv-Answer-Mode wins when a client sends both. */
static struct msrv_verdict read_commencement(struct msrv_hop *out, const struct mcx_msrv_user *caller,
                                             const struct mcx_msrv_sip *sip)
{
    if (sip->priv_answer_mode.len > 0 && mcx_answer_mode_read(&out->priv_answer, sip->priv_answer_mode) != MCX_OK) {
        return refuse(400, "Bad Request", MCX_WARN_NONE);
    }
    if (sip->answer_mode.len > 0 && mcx_answer_mode_read(&out->answer, sip->answer_mode) != MCX_OK) {
        return refuse(400, "Bad Request", MCX_WARN_NONE);
    }
    if (out->priv_answer == MCX_ANSWER_AUTO) {
        return caller->allow_force_auto ? MSRV_PASS : refuse(403, "Forbidden", MCX_WARN_FORCE_AUTO_NOT_AUTHORISED);
    }
    if (out->answer == MCX_ANSWER_AUTO && out->priv_answer == MCX_ANSWER_UNSET) {
        return caller->deny_automatic ? refuse(403, "Forbidden", MCX_WARN_AUTOMATIC_NOT_AUTHORISED) : MSRV_PASS;
    }
    return caller->deny_manual ? refuse(403, "Forbidden", MCX_WARN_MANUAL_NOT_AUTHORISED) : MSRV_PASS;
}

static struct msrv_verdict read_called_party(struct msrv_hop *out, const struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = mcx_mime_find(mime, MCX_TYPE_RESOURCE_LISTS);
    size_t num = 0;

    if (part == NULL || mcx_resource_list_read(out->callee_id, &num, part->body, NULL) != MCX_OK || num != 1 ||
        out->callee_id[0] == '\0') {
        return refuse(403, "Forbidden", MCX_WARN_NO_CALLED_PARTY);
    }
    return MSRV_PASS;
}

static bool may_call(const struct mcx_msrv_user *caller, const char *callee)
{
    if (strcmp(caller->mcptt_id, callee) == 0) {
        return false;
    }
    for (size_t i = 0; i < caller->num_may_call; i++) {
        if (strcmp(caller->may_call[i], callee) == 0) {
            return true;
        }
    }
    return caller->may_call == NULL;
}

static bool overloaded(const struct msrv_hop *hop, const struct msrv_load *load)
{
    size_t reserve = hop->emergency ? load->max_calls / 8 + 1 : 0;

    return load->calls >= load->max_calls + reserve;
}

struct msrv_verdict msrv_opf(struct msrv_hop *out, const struct mcx_msrv_user *caller, const struct mcx_msrv_sip *sip,
                             const struct mcx_mime *mime, const struct msrv_load *load)
{
    struct msrv_verdict v = read_info(out, mime); /* first: it says whether this is an emergency */

    if (overloaded(out, load)) {
        return refuse(500, "Server Internal Error", MCX_WARN_NONE);
    }
    if (caller == NULL) {
        return refuse(404, "Not Found", MCX_WARN_USER_UNKNOWN);
    }
    out->caller = caller;
    if (!mcx_bytes_is(sip->service, MCX_MCPTT_SERVICE)) {
        return not_allowed("missing MCPTT service identifier");
    }
    if (v.code != 0) {
        return v;
    }
    if (caller->deny_private_calls) {
        return refuse(403, "Forbidden", MCX_WARN_PRIVATE_CALLS_NOT_AUTHORISED);
    }
    v = read_commencement(out, caller, sip);
    if (v.code == 0) {
        v = read_called_party(out, mime);
    }
    if (v.code != 0) {
        return v;
    }
    if (!may_call(caller, out->callee_id)) {
        return refuse(403, "Forbidden", MCX_WARN_CALLEE_NOT_AUTHORISED);
    }
    if (load->caller_calls >= (caller->max_calls != 0 ? caller->max_calls : 1)) {
        return refuse(486, "Busy Here", MCX_WARN_MAX_PRIVATE_CALLS);
    }
    return MSRV_PASS;
}

/* ---- controlling function (11.1.1.4.2, 11.1.1.4.1) ---- */

struct msrv_verdict msrv_cf(struct msrv_hop *hop, const char session_id[MSRV_ID])
{
    if (hop->callee_id[0] == '\0') { /* a participating function elsewhere may not have looked */
        return refuse(403, "Forbidden", MCX_WARN_NO_CALLED_PARTY);
    }
    memcpy(hop->session_id, session_id, sizeof hop->session_id);
    hop->isfocus = true;
    return MSRV_PASS;
}

/* ---- terminating participating function (11.1.1.3.2) ---- */

struct msrv_verdict msrv_tpf(struct msrv_hop *hop)
{
    const struct mcx_msrv_user *callee = hop->callee;

    if (!hop->isfocus) {
        return refuse(403, "Forbidden", MCX_WARN_ISFOCUS_NOT_ASSIGNED);
    }
    if (callee == NULL || !hop->callee_registered) {
        return refuse(404, "Not Found", MCX_WARN_USER_UNKNOWN);
    }
    if (callee->no_settings) {
        return refuse(480, "Temporarily Unavailable", MCX_WARN_NO_SERVICE_SETTINGS);
    }
    if (callee->deny_called) {
        return refuse(403, "Forbidden", MCX_WARN_NOT_CALLABLE);
    }
    if (hop->callee_calls >= (callee->max_calls != 0 ? callee->max_calls : 1)) {
        return refuse(486, "Busy Here", MCX_WARN_MAX_PRIVATE_CALLS);
    }
    /* A forced mode stands. A wish for automatic answer is granted when the user's settings say automatic. */
    if (hop->priv_answer == MCX_ANSWER_UNSET) {
        bool wants_manual = hop->answer == MCX_ANSWER_MANUAL;

        hop->answer = callee->answer == MCX_ANSWER_AUTO && !wants_manual ? MCX_ANSWER_AUTO : MCX_ANSWER_MANUAL;
    }
    return MSRV_PASS;
}
