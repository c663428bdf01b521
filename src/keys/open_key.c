/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an I_MESSAGE: what the key is for, and its parameters (TS 33.180 E.1.2, E.6). */
#include "keys/imessage_int.h"

#include <string.h>

#include <mcx/text.h>

#include "crypto/sym/sym.h"

/* Smallest R13 form: IV, then AES-CBC blocks (TS 33.179 E.6.8). */
#define R13_MIN   48
#define R13_BLOCK 16

static const struct mcx_mikey_sp *policy_no(const struct mcx_mikey_sakke_msg *m, uint8_t no)
{
    for (size_t i = 0; i < m->num_sp; i++) {
        if (m->sp[i].policy_no == no) {
            return &m->sp[i];
        }
    }
    return NULL;
}

/* Policy of one crypto session. CHOICE: with #P = 0 (RFC 6043 6.1.1) the only SP, or NULL = the default profile. */
static mcx_err block_sp(const struct mcx_opening *o, const struct mcx_mikey_sp **sp, struct mcx_rd *blocks)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;
    struct mcx_mikey_map_generic block;

    MCX_TRY(mcx_mikey_map_generic_read(&block, blocks));
    if (block.prot_type != 0) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "a crypto session of a protocol other than SRTP", "RFC 6043 6.1.1");
    }
    if (block.policies.len == 0) {
        *sp = m->num_sp == 1 ? &m->sp[0] : NULL;
        return MCX_OK;
    }
    *sp = policy_no(m, block.policies.p[0]);
    return *sp != NULL ? MCX_OK
                       : mcx_refuse(o->why, MCX_E_FORMAT, "a crypto session names a policy that is not there",
                                    "TS 33.180 E.1.2");
}

/* SP that applies: that of all crypto sessions, without any the first there is; NULL = default profile. */
static mcx_err find_sp(const struct mcx_opening *o, const struct mcx_mikey_sp **sp)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;
    struct mcx_rd rd = mcx_rd(m->hdr.map);

    *sp = m->num_sp > 0 ? &m->sp[0] : NULL;
    if (m->hdr.map_type != MCX_MIKEY_MAP_GENERIC || m->hdr.num_cs == 0) {
        return MCX_OK; /* SP beside an empty map: three vendors do so (RFC 4563 5 forbids it) */
    }
    for (uint8_t i = 0; i < m->hdr.num_cs; i++) {
        const struct mcx_mikey_sp *own = NULL;

        MCX_TRY(block_sp(o, &own, &rd));
        if (i > 0 && own != *sp) {
            return mcx_refuse(o->why, MCX_E_UNSUP, "crypto sessions with different policies", "TS 33.180 E.1.2");
        }
        *sp = own;
    }
    return MCX_OK;
}

static mcx_err open_suite(const struct mcx_opening *o, struct mcx_imessage *out)
{
    struct mcx_mikey_suite suite = mcx_key_profile(out->type)->suite;
    const struct mcx_mikey_sp *sp;

    MCX_TRY(find_sp(o, &sp));
    if (sp != NULL) {
        mcx_err err = mcx_mikey_suite_read(&suite, sp);

        if (err != MCX_OK) {
            return mcx_refuse(o->why, err, "the security policy is not one that is supported", "RFC 7714 14.3");
        }
    }
    out->rcc = suite.rcc;
    out->roc_rate = suite.roc_rate;
    out->no_streams = o->msg.hdr.map_type == MCX_MIKEY_MAP_SRTP_ID;
    return MCX_OK;
}

static mcx_err sakke_check(const struct mcx_opening *o, const struct mcx_mikey_sakke *sakke)
{
    if (sakke->params != MCX_MIKEY_SAKKE_PARAMS_1) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "SAKKE parameter set other than 1", "RFC 6509 4.2");
    }
    if (sakke->id_scheme != MCX_MIKEY_ID_SCHEME_UID) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "identifier scheme other than 2, hashed UID", "TS 33.180 E.1.2");
    }
    if (sakke->sed.len != MCX_SAKKE_SED_LEN) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "SAKKE data of another length than 273: not a 16-octet key",
                          "TS 33.180 E.1.1");
    }
    return MCX_OK;
}

mcx_err mcx_open_policy(struct mcx_opening *o, struct mcx_imessage *out)
{
    uint32_t allowed = o->policy->allowed_types;

    out->csb_id = o->msg.hdr.csb_id;
    if (mcx_key_id_type(&out->type, out->csb_id) != MCX_OK) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "the purpose tag names no kind of key", "TS 33.180 G.1");
    }
    if (allowed != 0 && (allowed >> out->type & 1) == 0) {
        return mcx_refuse(o->why, MCX_E_POLICY, "this kind of key may not arrive here", "TS 33.180 5.2.2");
    }
    if (o->msg.sdp_ids.p != NULL && !mcx_bytes_is(o->msg.sdp_ids, "mikey")) {
        return mcx_refuse(o->why, MCX_E_POLICY, "the signed list of key management protocols is not the one offered",
                          "RFC 4567 4.1.4");
    }
    MCX_TRY(open_suite(o, out));
    MCX_TRY(sakke_check(o, &o->msg.sakke));
    return o->msg.has_self ? sakke_check(o, &o->msg.self) : MCX_OK;
}

/* SPI is the MKI: GMK-ID || GUK-ID for a GMK, else the key identifier (TS 33.180 7.4.1, 7.4.2). */
static mcx_err spi_check(const struct mcx_opening *o, const struct mcx_imessage *out)
{
    const struct mcx_mikey_hdr *hdr = &o->msg.hdr;
    struct mcx_rd rd = mcx_rd(hdr->map);
    uint8_t want[8];
    struct mcx_wr wr = mcx_wr(want, sizeof want);

    if (out->type == MCX_KEY_GMK) {
        MCX_TRY(mcx_wr_u32(&wr, out->key_id));
    }
    MCX_TRY(mcx_wr_u32(&wr, out->csb_id));
    for (uint8_t i = 0; hdr->map_type == MCX_MIKEY_MAP_GENERIC && i < hdr->num_cs; i++) {
        struct mcx_mikey_map_generic block;

        MCX_TRY(mcx_mikey_map_generic_read(&block, &rd));
        if (block.spi.len > 0 && !mcx_bytes_equal(block.spi, mcx_wr_done(&wr))) {
            return mcx_refuse(o->why, MCX_E_FORMAT, "the SPI contradicts the key identifier", "TS 33.180 E.2.1");
        }
    }
    return MCX_OK;
}

static mcx_err set_key_id(const struct mcx_opening *o, struct mcx_imessage *out)
{
    struct mcx_bytes member = mcx_bytes_str(out->responder);

    out->key_id = out->csb_id;
    if (out->type == MCX_KEY_GMK) {
        if (member.len == 0) {
            return mcx_refuse(o->why, MCX_E_NOKEY, "the member is hidden, so his GUK-ID gives no GMK-ID",
                              "TS 33.180 5.2.3");
        }
        MCX_TRY(mcx_guk_id(&out->key_id, out->csb_id, &out->key, member));
    }
    return spi_check(o, out);
}

static mcx_err unseal(const struct mcx_opening *o, const struct mcx_mikey_kp_frame *frame, uint8_t *plain,
                      const struct mcx_key *key)
{
    struct mcx_key dpck;
    struct mcx_gcm *gcm = NULL;
    mcx_err err;

    MCX_TRY(mcx_dpck(&dpck, key, frame->dppk_id));
    MCX_GO(err, mcx_gcm_new(&gcm, mcx_bytes(dpck.octet, sizeof dpck.octet), MCX_MIKEY_KP_IV_LEN));
    err = mcx_gcm_open(gcm, plain, frame->iv.p, frame->head, frame->ciphertext, frame->tag.p);
    if (err == MCX_E_AUTH) {
        err = mcx_refuse(o->why, err, "the key parameters do not authenticate under the key", "TS 33.180 5.2.4");
    }
out:
    mcx_gcm_free(gcm);
    mcx_key_clear(&dpck);
    return err;
}

/* `kp` views into `plain` or the message. */
static mcx_err protected_read(const struct mcx_opening *o, const struct mcx_imessage *out,
                              uint8_t plain[MCX_MIKEY_KP_MAX], struct mcx_mikey_key_params *kp)
{
    struct mcx_mikey_kp_frame frame;

    if (mcx_mikey_kp_frame_read(&frame, o->msg.key_params) != MCX_OK || frame.ciphertext.len > MCX_MIKEY_KP_MAX) {
        return mcx_refuse(o->why, MCX_E_FORMAT, "malformed protected key parameters", "TS 33.180 8.5.4");
    }
    if (frame.alg != MCX_MIKEY_KP_ALG_GCM) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "key parameters under an algorithm other than AES-128-GCM",
                          "TS 33.180 8.5.4");
    }
    if (frame.dppk_id != out->csb_id) {
        return mcx_refuse(o->why, MCX_E_FORMAT, "DPPK-ID of the key parameters is not the CSB ID", "TS 33.180 E.6.1");
    }
    MCX_TRY(unseal(o, &frame, plain, &out->key));
    if (mcx_mikey_key_params_read(kp, mcx_bytes(plain, frame.ciphertext.len), (uint8_t)out->type) != MCX_OK) {
        return mcx_refuse(o->why, MCX_E_FORMAT, "malformed key parameters", "TS 33.180 E.6.1");
    }
    if (kp->key_type != (uint8_t)out->type) {
        return mcx_refuse(o->why, MCX_E_FORMAT, "key type of the key parameters is not the purpose tag",
                          "TS 33.180 E.6.11");
    }
    return MCX_OK;
}

/* The forms that stand in clear; the octets are signed all the same. `*skip`: go without key parameters. */
static mcx_err clear_read(const struct mcx_opening *o, const struct mcx_imessage *out, struct mcx_mikey_key_params *kp,
                          bool *skip)
{
    struct mcx_bytes data = o->msg.key_params;

    if (mcx_mikey_key_params_clear_read(kp, data) == MCX_OK) {
        if (!o->policy->accept_clear_key_params) {
            return mcx_refuse(o->why, MCX_E_POLICY, "key parameters in clear", "TS 33.180 E.6.1");
        }
        /* One old sender counts the key types of TS 33.180 E.6.11 from 1. */
        if (kp->key_type != (uint8_t)out->type && kp->key_type != (uint8_t)out->type + 1) {
            return mcx_refuse(o->why, MCX_E_FORMAT, "key type of the key parameters is not the purpose tag",
                              "TS 33.180 E.6.11");
        }
        return MCX_OK;
    }
    *skip = data.len >= R13_MIN && data.len % R13_BLOCK == 0; /* early Release 13 form: layout not known */
    return *skip ? MCX_OK : mcx_refuse(o->why, MCX_E_FORMAT, "malformed key parameters", "TS 33.180 E.6.1");
}

static mcx_err groups_use(const struct mcx_opening *o, struct mcx_imessage *out, const struct mcx_mikey_key_params *kp)
{
    struct mcx_rd rd = mcx_rd(kp->groups);

    if (kp->num_groups > MCX_IMESSAGE_GROUPS_MAX) {
        return mcx_refuse(o->why, MCX_E_UNSUP, "more MC group IDs than one key may have here", "TS 33.180 E.6.3");
    }
    for (; out->num_groups < kp->num_groups; out->num_groups++) {
        struct mcx_bytes group;

        MCX_TRY(mcx_mikey_kp_group_read(&group, &rd));
        if (group.len == 0 || !mcx_utf8_ok(group) ||
            mcx_bytes_cstr(out->groups[out->num_groups], MCX_KMSDOC_URI_MAX, group) != MCX_OK) {
            return mcx_refuse(o->why, MCX_E_FORMAT, "an MC group ID that is no URI", "TS 33.180 E.6.3");
        }
    }
    return MCX_OK;
}

static mcx_err params_use(const struct mcx_opening *o, struct mcx_imessage *out, const struct mcx_mikey_key_params *kp)
{
    out->has_key_params = true;
    out->key_status = kp->status;
    out->activation = kp->activation;
    out->expiry = kp->expiry;
    MCX_TRY(groups_use(o, out, kp));
    if ((kp->status & MCX_MIKEY_KP_VALID) == 0 && !o->policy->ignore_status) {
        return mcx_refuse(o->why, MCX_E_POLICY, "the key is revoked", "TS 33.180 5.2.4");
    }
    if (kp->expiry != 0 && kp->expiry <= mcx_unix_of(o->now) && !o->policy->ignore_expiry) {
        return mcx_refuse(o->why, MCX_E_EXPIRED, "the key has expired", "TS 33.180 E.6.10");
    }
    return MCX_OK;
}

mcx_err mcx_open_key(struct mcx_opening *o, struct mcx_imessage *out)
{
    uint8_t plain[MCX_MIKEY_KP_MAX];
    struct mcx_mikey_key_params kp;
    bool skip = false;

    MCX_TRY(set_key_id(o, out));
    if (o->msg.key_params.p == NULL) {
        return MCX_OK;
    }
    MCX_TRY(mcx_mikey_kp_is_protected(o->msg.key_params) ? protected_read(o, out, plain, &kp)
                                                         : clear_read(o, out, &kp, &skip));
    return skip ? MCX_OK : params_use(o, out, &kp);
}
