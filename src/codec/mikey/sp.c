/* SPDX-License-Identifier: Apache-2.0 */
/* Security policy for SRTP (RFC 3830 6.10, RFC 4771 4, RFC 7714 14.3; profiles: TS 33.179 tables E.2-1, E.3-1). */
#include <mcx/mikey.h>

#define ALG_AES_GCM  6
#define KEY_LEN_128  16
#define SALT_LEN     12
#define AEAD_TAG_LEN 16
#define AUTH_NULL    0
#define AUTH_RCCM3   4
#define RCC_LEN      4 /* the ROC octets count as authentication tag (RFC 4771 4) */
#define NUM_KNOWN    21

mcx_err mcx_mikey_sp_param_read(struct mcx_mikey_sp_param *out, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_sp_param v = { 0 };

    MCX_TRY(mcx_rd_u8(&r, &v.type));
    MCX_TRY(mcx_rd_vec8(&r, &v.value));
    *out = v;
    *rd = r;
    return MCX_OK;
}

/* The parameters fill their field exactly. */
static mcx_err params_check(struct mcx_bytes params)
{
    struct mcx_rd rd = mcx_rd(params);
    struct mcx_mikey_sp_param p;

    while (rd.len > 0) {
        MCX_TRY(mcx_mikey_sp_param_read(&p, &rd));
    }
    return MCX_OK;
}

mcx_err mcx_mikey_sp_read(struct mcx_mikey_sp *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_sp v = { 0 };
    uint8_t np = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v.policy_no));
    MCX_TRY(mcx_rd_u8(&r, &v.prot_type));
    MCX_TRY(mcx_rd_vec16(&r, &v.params));
    MCX_TRY(params_check(v.params));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_sp_write(struct mcx_wr *wr, const struct mcx_mikey_sp *v, uint8_t next)
{
    if (params_check(v->params) != MCX_OK) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, v->policy_no));
    MCX_TRY(mcx_wr_u8(wr, v->prot_type));
    return mcx_wr_vec16(wr, v->params);
}

const char *mcx_mikey_srtp_param_name(uint8_t type)
{
    static const char *const names[NUM_KNOWN] = {
        "encryption algorithm",
        "session encryption key length",
        "authentication algorithm",
        "session authentication key length",
        "session salt length",
        "SRTP PRF",
        "key derivation rate",
        "SRTP encryption",
        "SRTCP encryption",
        "FEC order",
        "SRTP authentication",
        "authentication tag length",
        "SRTP prefix length",
        "ROC transmission rate",
        "SRTP authentication algorithm",
        "SRTCP authentication algorithm",
        "SRTP session authentication key length",
        "SRTCP session authentication key length",
        "SRTP authentication tag length",
        "SRTCP authentication tag length",
        "AEAD tag length",
    };

    return type < NUM_KNOWN ? names[type] : "unknown";
}

/* Values of all known types; `set` has a bit for each that is present. */
struct values {
    uint32_t set;
    uint16_t v[NUM_KNOWN];
};

static mcx_err values_read(struct values *out, struct mcx_bytes params)
{
    struct mcx_rd rd = mcx_rd(params);

    *out = (struct values){ 0 };
    while (rd.len > 0) {
        struct mcx_mikey_sp_param p;

        MCX_TRY(mcx_mikey_sp_param_read(&p, &rd));
        if (p.type >= NUM_KNOWN) {
            continue; /* CHOICE: ignored when the rest selects a suite */
        }
        /* One octet each; ROC rate two (RFC 4771 table 2), of which some senders leave one out. */
        if (p.value.len == 0 || p.value.len > (p.type == MCX_MIKEY_SRTP_ROC_RATE ? 2u : 1u) ||
            (out->set >> p.type & 1) != 0) {
            return MCX_E_FORMAT;
        }
        out->set |= UINT32_C(1) << p.type;
        for (size_t i = 0; i < p.value.len; i++) {
            out->v[p.type] = (uint16_t)(out->v[p.type] << 8 | p.value.p[i]);
        }
    }
    return MCX_OK;
}

static uint16_t value_or(const struct values *v, uint8_t type, uint16_t absent)
{
    return (v->set >> type & 1) != 0 ? v->v[type] : absent;
}

static bool gcm_ok(const struct values *v)
{
    /* RFC 3830 defaults are AES-CM, so everything that makes AEAD_AES_128_GCM must be said. */
    return value_or(v, MCX_MIKEY_SRTP_ENC_ALG, 1) == ALG_AES_GCM &&
           value_or(v, MCX_MIKEY_SRTP_ENC_KEY_LEN, KEY_LEN_128) == KEY_LEN_128 &&
           value_or(v, MCX_MIKEY_SRTP_SALT_LEN, SALT_LEN) == SALT_LEN && value_or(v, MCX_MIKEY_SRTP_PRF, 0) == 0 &&
           value_or(v, MCX_MIKEY_SRTP_KDR, 0) == 0 && value_or(v, MCX_MIKEY_SRTP_ENC_ON, 1) == 1 &&
           value_or(v, MCX_MIKEY_SRTCP_ENC_ON, 1) == 1 && value_or(v, MCX_MIKEY_SRTP_FEC_ORDER, 0) == 0 &&
           value_or(v, MCX_MIKEY_SRTP_AUTH_ON, 1) == 1 && value_or(v, MCX_MIKEY_SRTP_PREFIX_LEN, 0) == 0 &&
           value_or(v, MCX_MIKEY_SRTP_AEAD_TAG_LEN, AEAD_TAG_LEN) == AEAD_TAG_LEN;
}

mcx_err mcx_mikey_suite_read(struct mcx_mikey_suite *out, const struct mcx_mikey_sp *sp)
{
    struct mcx_mikey_suite suite = { 0 };
    struct values v;
    uint16_t both_auth, srtp_auth, srtcp_auth, both_tag, srtp_tag, srtcp_tag;

    if (sp->prot_type != 0) {
        return MCX_E_UNSUP;
    }
    MCX_TRY(values_read(&v, sp->params));
    /* Types 14 to 19 override 2 and 11 for one of the two protocols (RFC 4771 4). */
    both_auth = value_or(&v, MCX_MIKEY_SRTP_AUTH_ALG, AUTH_NULL);
    srtp_auth = value_or(&v, MCX_MIKEY_SRTP_ONLY_AUTH_ALG, both_auth);
    srtcp_auth = value_or(&v, MCX_MIKEY_SRTCP_AUTH_ALG, both_auth);
    suite.rcc = srtp_auth == AUTH_RCCM3;
    both_tag = value_or(&v, MCX_MIKEY_SRTP_TAG_LEN, suite.rcc ? RCC_LEN : 0);
    srtp_tag = value_or(&v, MCX_MIKEY_SRTP_ONLY_TAG_LEN, both_tag);
    srtcp_tag = value_or(&v, MCX_MIKEY_SRTCP_TAG_LEN, 0);
    suite.roc_rate = suite.rcc ? value_or(&v, MCX_MIKEY_SRTP_ROC_RATE, 1) : 0;
    if (!gcm_ok(&v) || (srtp_auth != AUTH_NULL && !suite.rcc) || srtp_tag != (suite.rcc ? RCC_LEN : 0) ||
        (srtcp_auth != AUTH_NULL && srtcp_auth != AUTH_RCCM3) || srtcp_tag != 0 || (suite.rcc && suite.roc_rate == 0)) {
        return MCX_E_UNSUP;
    }
    *out = suite;
    return MCX_OK;
}

static mcx_err put_param(struct mcx_wr *wr, uint8_t type, uint8_t value)
{
    MCX_TRY(mcx_wr_u8(wr, type));
    MCX_TRY(mcx_wr_u8(wr, 1));
    return mcx_wr_u8(wr, value);
}

mcx_err mcx_mikey_suite_write(struct mcx_wr *params, const struct mcx_mikey_suite *suite)
{
    if (suite->rcc != (suite->roc_rate > 0)) {
        return MCX_E_ARG;
    }
    MCX_TRY(put_param(params, MCX_MIKEY_SRTP_ENC_ALG, ALG_AES_GCM));
    MCX_TRY(put_param(params, MCX_MIKEY_SRTP_ENC_KEY_LEN, KEY_LEN_128));
    if (suite->rcc) {
        MCX_TRY(put_param(params, MCX_MIKEY_SRTP_AUTH_ALG, AUTH_RCCM3));
    }
    MCX_TRY(put_param(params, MCX_MIKEY_SRTP_SALT_LEN, SALT_LEN));
    MCX_TRY(put_param(params, MCX_MIKEY_SRTP_PRF, 0));
    MCX_TRY(put_param(params, MCX_MIKEY_SRTP_KDR, 0));
    if (suite->rcc) {
        MCX_TRY(mcx_wr_u8(params, MCX_MIKEY_SRTP_ROC_RATE));
        MCX_TRY(mcx_wr_u8(params, 2)); /* a 16-bit integer, RFC 4771 table 2 */
        MCX_TRY(mcx_wr_u16(params, suite->roc_rate));
        MCX_TRY(put_param(params, MCX_MIKEY_SRTP_ONLY_TAG_LEN, RCC_LEN));
        MCX_TRY(put_param(params, MCX_MIKEY_SRTCP_TAG_LEN, 0));
    }
    return put_param(params, MCX_MIKEY_SRTP_AEAD_TAG_LEN, AEAD_TAG_LEN);
}
