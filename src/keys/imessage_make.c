/* SPDX-License-Identifier: Apache-2.0 */
/* Making an I_MESSAGE: the sender's steps (RFC 6509 2.2.1, TS 33.180 5.2.2), and what is sent where there is a choice:
 * docs/DEVIATIONS.md "mikey-emission". */
#include "keys/imessage_int.h"

#include <mcx/text.h>

#include "crypto/sym/sym.h"

#define MAP_MAX    64
#define PARAMS_MAX 64
#define SPI_MAX    8
/* Protected payload: 32 octets of head, IE identifier and length, ciphertext, tag. */
#define EXT7_MAX (MCX_MIKEY_KP_HEAD_LEN + 3 + MCX_MIKEY_KP_MAX + MCX_MIKEY_KP_TAG_LEN)

/* Everything that the views of `msg` point to. */
struct making {
    const struct mcx_imessage_params *p;
    const struct mcx_keyring *ring;
    const struct mcx_rng *rng;
    struct mcx_refusal *why;
    const struct mcx_ring_set *from;
    const struct mcx_ring_cert *to_kms;
    uint8_t to_uid[MCX_UID_LEN];
    uint32_t csb_id;
    uint8_t map[MAP_MAX];
    uint8_t sp_params[PARAMS_MAX];
    uint8_t sed[MCX_SAKKE_SED_LEN];
    uint8_t self_sed[MCX_SAKKE_SED_LEN];
    uint8_t ext7[EXT7_MAX];
    struct mcx_mikey_sakke_msg msg;
};

static bool uri_ok(struct mcx_bytes uri)
{
    return uri.len > 0 && uri.len < MCX_KMSDOC_URI_MAX && mcx_utf8_ok(uri);
}

static mcx_err params_check(const struct mcx_imessage_params *p)
{
    enum mcx_key_type type;

    if (p->key == NULL || p->rand.len != MCX_RAND_LEN || !uri_ok(p->from) || !uri_ok(p->to) ||
        mcx_key_id_type(&type, p->key_id) != MCX_OK || type != p->type) {
        return MCX_E_ARG;
    }
    return MCX_OK;
}

/* Own key set in the period of T; P5 is that of the signer's own KMS (TS 33.180 F.2.1). */
static mcx_err find_from(struct making *m)
{
    const char *reason = "no key set for the initiator under that KMS";

    for (size_t i = m->ring->num_sets; i > 0; i--) {
        const struct mcx_ring_set *set = m->ring->sets[i - 1];
        struct mcx_bytes kms_uri = mcx_bytes_str(set->cert->doc.kms_uri);
        uint64_t no;

        if (!mcx_bytes_is(m->p->from, set->user_uri) ||
            (m->p->from_kms.len > 0 && !mcx_bytes_equal(m->p->from_kms, kms_uri))) {
            continue;
        }
        reason = "no signing key of the initiator for the key period of the time stamp";
        if (set->signing == NULL || mcx_period_no(&no, &set->cert->doc.period, m->p->time.sec) != MCX_OK ||
            no != set->period_no) {
            continue;
        }
        if (mcx_ring_cert_of(m->ring, kms_uri, mcx_unix_of(m->p->time)) == NULL) {
            return mcx_refuse(m->why, MCX_E_EXPIRED, "the initiator's KMS certificate is revoked or not valid now",
                              "TS 33.180 5.3.5");
        }
        m->from = set;
        return MCX_OK;
    }
    return mcx_refuse(m->why, MCX_E_NOKEY, reason, "TS 33.180 5.2.2");
}

static mcx_err find_to(struct making *m)
{
    uint64_t unix_s = mcx_unix_of(m->p->time);
    uint64_t no;

    m->to_kms = m->p->to_kms.len > 0 ? mcx_ring_cert_of(m->ring, m->p->to_kms, unix_s)
                                     : mcx_ring_cert_for(m->ring, m->p->to, unix_s);
    if (m->to_kms == NULL) {
        bool known = m->p->to_kms.len > 0 && mcx_ring_knows_kms(m->ring, m->p->to_kms);

        return known ? mcx_refuse(m->why, MCX_E_EXPIRED, "the responder's KMS certificate is revoked or not valid now",
                                  "TS 33.180 5.3.5")
                     : mcx_refuse(m->why, MCX_E_NOKEY, "no certificate of a KMS for the responder", "TS 33.180 5.2.2");
    }
    MCX_TRY(mcx_period_no(&no, &m->to_kms->doc.period, m->p->time.sec));
    return mcx_uid(m->to_uid, m->p->to, mcx_bytes_str(m->to_kms->doc.kms_uri), &m->to_kms->doc.period, no);
}

/* A GMK travels under the member's GUK-ID, every other key under its own identifier (TS 33.180 5.2.3). */
static mcx_err set_csb_id(struct making *m)
{
    m->csb_id = m->p->key_id;
    return m->p->type == MCX_KEY_GMK ? mcx_guk_id(&m->csb_id, m->p->key_id, m->p->key, m->p->to) : MCX_OK;
}

static mcx_err map_write(struct making *m, uint8_t *num_cs)
{
    struct mcx_cs_ids ids = mcx_cs_ids(m->p->type);
    struct mcx_wr wr = mcx_wr(m->map, sizeof m->map);
    uint8_t spi_buf[SPI_MAX];
    struct mcx_wr spi = mcx_wr(spi_buf, sizeof spi_buf);

    if (m->p->type == MCX_KEY_GMK) {
        MCX_TRY(mcx_wr_u32(&spi, m->p->key_id)); /* MKI of group media: GMK-ID || GUK-ID (TS 33.180 7.4.2) */
    }
    MCX_TRY(mcx_wr_u32(&spi, m->csb_id));
    for (size_t i = 0; i < ids.num; i++) {
        static const uint8_t policy_no = 0;
        const struct mcx_mikey_map_generic block = {
            .cs_id = ids.id[i],
            .policies = mcx_bytes(&policy_no, 1),
            .spi = mcx_wr_done(&spi),
        };

        MCX_TRY(mcx_mikey_map_generic_write(&wr, &block));
    }
    *num_cs = (uint8_t)ids.num;
    m->msg.hdr.map = mcx_wr_done(&wr);
    return MCX_OK;
}

static mcx_err set_policy(struct making *m)
{
    const struct mcx_key_profile *profile = mcx_key_profile(m->p->type);
    struct mcx_wr wr = mcx_wr(m->sp_params, sizeof m->sp_params);

    m->msg.hdr.map_type = MCX_MIKEY_MAP_EMPTY;
    if (!profile->explicit_policy && !m->p->explicit_policy) {
        return MCX_OK; /* default profile (TS 33.180 E.3.1, E.4.1) */
    }
    m->msg.hdr.map_type = MCX_MIKEY_MAP_GENERIC;
    MCX_TRY(map_write(m, &m->msg.hdr.num_cs));
    MCX_TRY(mcx_mikey_suite_write(&wr, &profile->suite));
    m->msg.sp[0].params = mcx_wr_done(&wr);
    m->msg.num_sp = 1;
    return MCX_OK;
}

static mcx_err encapsulate(struct making *m)
{
    MCX_TRY(mcx_sakke_encap(m->sed, m->p->key, m->to_kms->sakke, mcx_bytes(m->to_uid, sizeof m->to_uid)));
    m->msg.sakke =
        (struct mcx_mikey_sakke){ MCX_MIKEY_SAKKE_PARAMS_1, MCX_MIKEY_ID_SCHEME_UID, mcx_bytes(m->sed, sizeof m->sed) };
    if (!m->p->sakke_to_self) {
        return MCX_OK;
    }
    MCX_TRY(mcx_sakke_encap(m->self_sed, m->p->key, m->from->cert->sakke,
                            mcx_bytes(m->from->uid, sizeof m->from->uid))); /* TS 33.180 E.5 */
    m->msg.self = m->msg.sakke;
    m->msg.self.sed = mcx_bytes(m->self_sed, sizeof m->self_sed);
    m->msg.has_self = true;
    return MCX_OK;
}

static mcx_err params_plain(struct mcx_wr *wr, const struct making *m)
{
    const struct mcx_key_params *kp = m->p->key_params;
    uint8_t groups[MCX_MIKEY_KP_MAX];
    struct mcx_wr gw = mcx_wr(groups, sizeof groups);
    struct mcx_mikey_key_params v = {
        .key_type = (uint8_t)m->p->type,
        .status = kp->status,
        .activation = kp->activation,
        .expiry = kp->expiry,
        .text = kp->text,
        .has_groups = mcx_key_profile(m->p->type)->group_field,
    };

    if (kp->num_groups > (v.has_groups ? MCX_IMESSAGE_GROUPS_MAX : 0)) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < kp->num_groups; i++) {
        if (!uri_ok(kp->groups[i])) {
            return MCX_E_ARG;
        }
        MCX_TRY(mcx_mikey_kp_group_write(&gw, kp->groups[i]));
    }
    v.num_groups = (uint8_t)kp->num_groups;
    v.groups = mcx_wr_done(&gw);
    return mcx_mikey_key_params_write(wr, &v);
}

static mcx_err seal(struct mcx_wr *wr, const struct making *m, struct mcx_bytes plain, const uint8_t *iv)
{
    struct mcx_key dpck;
    struct mcx_gcm *gcm = NULL;
    struct mcx_bytes aad = mcx_bytes(wr->p, MCX_MIKEY_KP_HEAD_LEN);
    uint8_t *cipher, *tag;
    mcx_err err;

    MCX_TRY(mcx_wr_space(wr, plain.len, &cipher));
    MCX_TRY(mcx_wr_space(wr, MCX_MIKEY_KP_TAG_LEN, &tag));
    MCX_TRY(mcx_dpck(&dpck, m->p->key, m->csb_id)); /* TS 33.180 F.1.5, DPPK = the key itself (E.6.1) */
    MCX_GO(err, mcx_gcm_new(&gcm, mcx_bytes(dpck.octet, sizeof dpck.octet), MCX_MIKEY_KP_IV_LEN));
    MCX_GO(err, mcx_gcm_seal(gcm, cipher, tag, iv, aad, plain));
out:
    mcx_gcm_free(gcm);
    mcx_key_clear(&dpck);
    return err;
}

static mcx_err set_key_params(struct making *m)
{
    uint8_t iv[MCX_MIKEY_KP_IV_LEN];
    uint8_t plain[MCX_MIKEY_KP_MAX];
    struct mcx_wr pw = mcx_wr(plain, sizeof plain);
    struct mcx_wr wr = mcx_wr(m->ext7, sizeof m->ext7);
    struct mcx_mikey_kp_frame frame = {
        .msg_type = MCX_MIKEY_KP_MSG_TYPE,
        .date = mcx_unix_of(m->p->time), /* CHOICE: DEVIATIONS "key-params-date" */
        .alg = MCX_MIKEY_KP_ALG_GCM,
        .iv = mcx_bytes(iv, sizeof iv),
        .dppk_id = m->csb_id,
    };

    if (m->p->key_params == NULL) {
        return MCX_OK;
    }
    MCX_TRY(mcx_rng_fill(m->rng, iv, sizeof iv));
    if (params_plain(&pw, m) != MCX_OK || mcx_mikey_kp_frame_write(&wr, &frame, pw.len) != MCX_OK) {
        return MCX_E_ARG; /* too long, or a time of more than 40 bits */
    }
    MCX_TRY(seal(&wr, m, mcx_wr_done(&pw), iv));
    m->msg.key_params = mcx_wr_done(&wr);
    return MCX_OK;
}

static void set_identities(struct making *m)
{
    if (m->p->hide_identities) { /* TS 33.180 E.7 */
        m->msg.uid_i = mcx_bytes(m->from->uid, sizeof m->from->uid);
        m->msg.uid_r = mcx_bytes(m->to_uid, sizeof m->to_uid);
    } else {
        m->msg.id_i = m->p->from;
        m->msg.id_r = m->p->to;
    }
    m->msg.kms_i = mcx_bytes_str(m->from->cert->doc.kms_uri);
    m->msg.kms_r = mcx_bytes_str(m->to_kms->doc.kms_uri);
}

/* What leaves here parses and verifies, whatever the hardware did meanwhile. */
static mcx_err self_check(const struct making *m, struct mcx_bytes message)
{
    struct mcx_mikey_sakke_msg back;

    if (mcx_mikey_sakke_msg_read(&back, message, m->why) != MCX_OK ||
        mcx_eccsi_verify(m->from->cert->eccsi, mcx_bytes(m->from->uid, sizeof m->from->uid), back.signed_octets,
                         back.sign.signature.p) != MCX_OK) {
        return mcx_refuse(m->why, MCX_E_BUG, "the new message does not pass its own check", "");
    }
    return MCX_OK;
}

static mcx_err finish(struct making *m, struct mcx_wr *out)
{
    struct mcx_wr wr = mcx_wr(out->p + out->len, out->cap - out->len);
    uint8_t *signature;

    m->msg.hdr.version = MCX_MIKEY_VERSION;
    m->msg.hdr.data_type = MCX_MIKEY_DATA_SAKKE;
    m->msg.hdr.prf = MCX_MIKEY_PRF_HMAC_SHA256;
    m->msg.hdr.csb_id = m->csb_id;
    m->msg.t = (struct mcx_mikey_t){ MCX_MIKEY_TS_NTP_UTC, mcx_ntp_to_wire(m->p->time) };
    m->msg.rand = m->p->rand;
    m->msg.sign = (struct mcx_mikey_sign){ MCX_MIKEY_SIGN_ECCSI, { NULL, MCX_MIKEY_SIGN_ECCSI_LEN } };
    MCX_TRY(mcx_mikey_sakke_msg_write(&wr, &m->msg));
    MCX_TRY(mcx_wr_space(&wr, MCX_ECCSI_SIG_LEN, &signature));
    if (wr.len > MCX_IMESSAGE_MAX) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_eccsi_sign(signature, m->from->signing, mcx_bytes(wr.p, wr.len - MCX_ECCSI_SIG_LEN), m->rng));
    MCX_TRY(self_check(m, mcx_wr_done(&wr)));
    out->len += wr.len;
    return MCX_OK;
}

mcx_err mcx_imessage_make(struct mcx_wr *out, const struct mcx_imessage_params *params, const struct mcx_keyring *ring,
                          const struct mcx_rng *rng, struct mcx_refusal *why)
{
    struct making m = { .p = params, .ring = ring, .rng = rng, .why = why };

    MCX_TRY(params_check(params));
    MCX_TRY(find_from(&m));
    MCX_TRY(find_to(&m));
    MCX_TRY(set_csb_id(&m));
    MCX_TRY(set_policy(&m));
    MCX_TRY(encapsulate(&m));
    MCX_TRY(set_key_params(&m));
    set_identities(&m);
    return finish(&m, out);
}
