/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of payloads: each names the one after it (RFC 3830 6.1, 6.2). */
#include <mcx/mikey.h>

const char *mcx_mikey_payload_name(uint8_t number)
{
    switch (number) {
    case MCX_MIKEY_PL_LAST: return "last";
    case MCX_MIKEY_PL_KEMAC: return "KEMAC";
    case MCX_MIKEY_PL_PKE: return "PKE";
    case MCX_MIKEY_PL_DH: return "DH";
    case MCX_MIKEY_PL_SIGN: return "SIGN";
    case MCX_MIKEY_PL_T: return "T";
    case MCX_MIKEY_PL_ID: return "ID";
    case MCX_MIKEY_PL_CERT: return "CERT";
    case MCX_MIKEY_PL_CHASH: return "CHASH";
    case MCX_MIKEY_PL_V: return "V";
    case MCX_MIKEY_PL_SP: return "SP";
    case MCX_MIKEY_PL_RAND: return "RAND";
    case MCX_MIKEY_PL_ERR: return "ERR";
    case MCX_MIKEY_PL_TR: return "TR";
    case MCX_MIKEY_PL_IDR: return "IDR";
    case MCX_MIKEY_PL_RANDR: return "RANDR";
    case MCX_MIKEY_PL_TP: return "TP";
    case MCX_MIKEY_PL_TICKET: return "TICKET";
    case MCX_MIKEY_PL_KEY_DATA: return "KEY DATA";
    case MCX_MIKEY_PL_EXT: return "EXT";
    case MCX_MIKEY_PL_SAKKE: return "SAKKE";
    default: return "unknown";
    }
}

/* Payloads whose layout is known; anything else has an unknown length, so the chain cannot be followed. */
static mcx_err payload_read(struct mcx_mikey_payload *p, struct mcx_rd *rd)
{
    switch (p->number) {
    case MCX_MIKEY_PL_T: return mcx_mikey_t_read(&p->u.t, &p->next, rd);
    case MCX_MIKEY_PL_RAND: return mcx_mikey_rand_read(&p->u.rand, &p->next, rd);
    case MCX_MIKEY_PL_IDR: return mcx_mikey_idr_read(&p->u.idr, &p->next, rd);
    case MCX_MIKEY_PL_SP: return mcx_mikey_sp_read(&p->u.sp, &p->next, rd);
    case MCX_MIKEY_PL_SAKKE: return mcx_mikey_sakke_read(&p->u.sakke, &p->next, rd);
    case MCX_MIKEY_PL_EXT: return mcx_mikey_ext_read(&p->u.ext, &p->next, rd);
    case MCX_MIKEY_PL_CERT: return mcx_mikey_cert_read(&p->u.cert, &p->next, rd);
    case MCX_MIKEY_PL_ERR: return mcx_mikey_err_read(&p->u.error_no, &p->next, rd);
    case MCX_MIKEY_PL_SIGN: p->next = MCX_MIKEY_PL_LAST; return mcx_mikey_sign_read(&p->u.sign, rd);
    default: return MCX_E_UNSUP;
    }
}

size_t mcx_mikey_walk_offset(const struct mcx_mikey_walk *walk)
{
    return walk->message.len - walk->rd.len;
}

mcx_err mcx_mikey_walk_begin(struct mcx_mikey_walk *walk, struct mcx_mikey_hdr *hdr, struct mcx_bytes message,
                             struct mcx_refusal *why)
{
    mcx_err err;

    *walk = (struct mcx_mikey_walk){ .message = message, .rd = mcx_rd(message) };
    if (message.len > MCX_MIKEY_MSG_MAX) {
        return mcx_refuse(why, MCX_E_FORMAT, "the message is longer than 8192 octets", "");
    }
    err = mcx_mikey_hdr_read(hdr, &walk->next, &walk->rd);
    switch (err) {
    case MCX_OK: return MCX_OK;
    case MCX_E_TRUNC: return mcx_refuse(why, err, "the message ends inside the common header", "RFC 3830 6.1");
    case MCX_E_UNSUP: return mcx_refuse(why, err, "MIKEY version or CS ID map type is not supported", "RFC 3830 6.1");
    default: return mcx_refuse(why, err, "number of crypto sessions and CS ID map contradict each other", "RFC 4563 5");
    }
}

mcx_err mcx_mikey_walk_next(struct mcx_mikey_walk *walk, struct mcx_mikey_payload *out, struct mcx_refusal *why)
{
    struct mcx_mikey_payload p = { .number = walk->next, .offset = mcx_mikey_walk_offset(walk) };
    struct mcx_rd rd = walk->rd;
    mcx_err err;

    if (walk->num == MCX_MIKEY_MAX_PAYLOADS) {
        return mcx_refuse(why, MCX_E_FORMAT, "more payloads than any I_MESSAGE has", "");
    }
    err = payload_read(&p, &rd);
    switch (err) {
    case MCX_OK: break;
    case MCX_E_TRUNC: return mcx_refuse(why, err, "a payload goes past the end of the message", "RFC 3830 6");
    default: return mcx_refuse(why, err, "a payload or time stamp type of unknown length", "RFC 3830 6.1");
    }
    p.octets = mcx_bytes(walk->rd.p, walk->rd.len - rd.len);
    walk->rd = rd;
    walk->next = p.next;
    walk->num++;
    *out = p;
    return MCX_OK;
}

mcx_err mcx_mikey_walk_end(const struct mcx_mikey_walk *walk, struct mcx_refusal *why)
{
    return walk->rd.len == 0 ? MCX_OK
                             : mcx_refuse(why, MCX_E_TRAILING, "octets after the last payload", "RFC 3830 6.5");
}
