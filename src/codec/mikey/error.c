/* SPDX-License-Identifier: Apache-2.0 */
/* MIKEY error message and its payload (RFC 3830 5.1.2, 6.12): recognised for the log, never acted on, never sent. */
#include <mcx/mikey.h>

mcx_err mcx_mikey_err_read(uint8_t *error_no, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    uint8_t np = 0;
    uint8_t no = 0;
    uint16_t reserved = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &no));
    MCX_TRY(mcx_rd_u16(&r, &reserved));
    *error_no = no;
    *next = np;
    *rd = r;
    return MCX_OK;
}

const char *mcx_mikey_error_name(uint8_t error_no)
{
    static const char *const names[] = {
        "authentication failure", /* RFC 3830 table 6.12 */
        "invalid time stamp",       "invalid PRF",           "invalid MAC algorithm", "invalid encryption algorithm",
        "invalid hash function",    "invalid DH group",      "invalid identity",      "invalid certificate",
        "invalid SP type",          "invalid SP parameters", "invalid data type",     "unspecified error",
        "unsupported message type", /* RFC 6509 2.2.2 */
        "invalid ticket type",      /* RFC 6043 table 6.14 */
        "invalid TP parameters",
    };

    return error_no < sizeof names / sizeof names[0] ? names[error_no] : "unknown";
}

mcx_err mcx_mikey_error_read(struct mcx_mikey_error_msg *out, struct mcx_bytes message, struct mcx_refusal *why)
{
    struct mcx_mikey_error_msg v = { 0 };
    struct mcx_mikey_walk walk;
    struct mcx_mikey_hdr hdr;
    bool has_t = false;

    MCX_TRY(mcx_mikey_walk_begin(&walk, &hdr, message, why));
    if (hdr.data_type != MCX_MIKEY_DATA_ERROR) {
        return mcx_refuse(why, MCX_E_UNSUP, "not a MIKEY error message", "RFC 3830 5.1.2");
    }
    v.csb_id = hdr.csb_id;
    /* SP, V and SIGN may follow; an error is a hint whether it is authenticated or not. */
    while (walk.next == MCX_MIKEY_PL_T || walk.next == MCX_MIKEY_PL_ERR) {
        struct mcx_mikey_payload p;

        MCX_TRY(mcx_mikey_walk_next(&walk, &p, why));
        if (p.number == MCX_MIKEY_PL_T) {
            v.t = p.u.t.value;
            has_t = true;
        } else if (v.num_errors < MCX_MIKEY_MAX_ERRORS) {
            v.error_no[v.num_errors++] = p.u.error_no;
        }
    }
    if (!has_t || v.num_errors == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "a MIKEY error message without T or ERR payload", "RFC 3830 5.1.2");
    }
    *out = v;
    return MCX_OK;
}
