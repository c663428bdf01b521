/* SPDX-License-Identifier: Apache-2.0 */
/* The I_MESSAGE of MIKEY-SAKKE as a whole (RFC 6509 2.2, TS 33.180 E.1.2). */
#include <mcx/mikey.h>

#define UID_LEN 32

/* What may be in an I_MESSAGE, how often, and where that is written. */
static const struct rule {
    uint8_t number;
    uint8_t min, max;
    const char *missing, *repeated, *clause;
} rules[] = {
    { MCX_MIKEY_PL_T, 1, 1, "no T payload", "more than one T payload", "RFC 6509 2.2.1" },
    { MCX_MIKEY_PL_RAND, 1, 1, "no RAND payload", "more than one RAND payload", "RFC 6509 2.2.1" },
    { MCX_MIKEY_PL_IDR, 4, 6, "fewer than four IDR payloads", "too many IDR payloads", "TS 33.180 E.1.2" },
    { MCX_MIKEY_PL_CERT, 0, MCX_MIKEY_MAX_SP, "", "too many CERT payloads", "RFC 3830 6.7" },
    { MCX_MIKEY_PL_SP, 0, MCX_MIKEY_MAX_SP, "", "too many SP payloads", "RFC 3830 6.10" },
    { MCX_MIKEY_PL_SAKKE, 1, 1, "no SAKKE payload", "more than one SAKKE payload", "RFC 6509 2.2.1" },
    { MCX_MIKEY_PL_EXT, 0, 8, "", "too many general extensions", "RFC 3830 6.15" },
    { MCX_MIKEY_PL_SIGN, 1, 1, "no SIGN payload at the end", "more than one SIGN payload", "RFC 6509 2.2.1" },
};
#define NUM_RULES (sizeof rules / sizeof rules[0])

struct reading {
    struct mcx_mikey_sakke_msg *msg;
    uint8_t count[NUM_RULES];
    struct mcx_refusal *why;
};

static mcx_err count_payload(struct reading *r, uint8_t number)
{
    for (size_t i = 0; i < NUM_RULES; i++) {
        if (rules[i].number != number) {
            continue;
        }
        if (r->count[i] == rules[i].max) {
            return mcx_refuse(r->why, MCX_E_FORMAT, rules[i].repeated, rules[i].clause);
        }
        r->count[i]++;
        return MCX_OK;
    }
    return mcx_refuse(r->why, MCX_E_UNSUP, "a payload that does not belong into an I_MESSAGE", "RFC 6509 2.2.1");
}

static mcx_err count_check(const struct reading *r)
{
    for (size_t i = 0; i < NUM_RULES; i++) {
        if (r->count[i] < rules[i].min) {
            return mcx_refuse(r->why, MCX_E_FORMAT, rules[i].missing, rules[i].clause);
        }
    }
    return MCX_OK;
}

static mcx_err set_once(struct mcx_bytes *slot, struct mcx_bytes value, struct mcx_refusal *why, const char *repeated,
                        const char *clause)
{
    if (slot->p != NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, repeated, clause);
    }
    *slot = value;
    return MCX_OK;
}

static mcx_err take_idr(struct reading *r, const struct mcx_mikey_idr *idr)
{
    struct mcx_mikey_sakke_msg *m = r->msg;
    bool is_uid = idr->role == MCX_MIKEY_ROLE_UID_I || idr->role == MCX_MIKEY_ROLE_UID_R;
    struct mcx_bytes *slot;

    switch (idr->role) {
    case MCX_MIKEY_ROLE_I: slot = &m->id_i; break;
    case MCX_MIKEY_ROLE_R: slot = &m->id_r; break;
    case MCX_MIKEY_ROLE_KMS_I: slot = &m->kms_i; break;
    case MCX_MIKEY_ROLE_KMS_R: slot = &m->kms_r; break;
    case MCX_MIKEY_ROLE_UID_I: slot = &m->uid_i; break;
    case MCX_MIKEY_ROLE_UID_R: slot = &m->uid_r; break;
    case MCX_MIKEY_ROLE_KMS: /* first the initiator's, then the responder's; the caller decides whether that will do */
        slot = m->kms_i.p == NULL ? &m->kms_i : &m->kms_r;
        break;
    default: return mcx_refuse(r->why, MCX_E_FORMAT, "an identity role that has no place here", "RFC 6509 4.4");
    }
    if (idr->role == MCX_MIKEY_ROLE_KMS || idr->role == MCX_MIKEY_ROLE_KMS_I || idr->role == MCX_MIKEY_ROLE_KMS_R) {
        bool role3 = idr->role == MCX_MIKEY_ROLE_KMS;

        if ((m->kms_i.p != NULL || m->kms_r.p != NULL) && m->role3_kms != role3) {
            return mcx_refuse(r->why, MCX_E_FORMAT, "KMS identities in a mixture of roles", "RFC 6509 2.2.1");
        }
        m->role3_kms = role3;
    }
    /* A URI has type 1. UIDs go as type 1 in all published messages, 2 would be the fitting one (RFC 6043 6.5). */
    if (idr->id_type != MCX_MIKEY_ID_URI && !(is_uid && idr->id_type == MCX_MIKEY_ID_BYTES)) {
        return mcx_refuse(r->why, MCX_E_UNSUP, "an identity type other than URI", "RFC 6509 2.2.1");
    }
    if (idr->id.len == 0 || (is_uid && idr->id.len != UID_LEN)) {
        return mcx_refuse(r->why, MCX_E_FORMAT, "an identity of impossible length", "TS 33.180 E.7");
    }
    return set_once(slot, idr->id, r->why, "the same identity role twice", "RFC 6509 2.2.1");
}

static mcx_err take_ext(struct reading *r, const struct mcx_mikey_ext *ext)
{
    struct mcx_mikey_sakke_msg *m = r->msg;
    struct mcx_rd rd = mcx_rd(ext->data);
    uint8_t ignored;

    switch (ext->type) {
    case MCX_MIKEY_EXT_SAKKE_SELF:
        if (m->has_self) {
            return mcx_refuse(r->why, MCX_E_FORMAT, "extension 6 twice", "TS 33.180 E.5");
        }
        m->has_self = true;
        if (mcx_mikey_sakke_read(&m->self, &ignored, &rd) != MCX_OK || mcx_rd_end(&rd) != MCX_OK) {
            return mcx_refuse(r->why, MCX_E_FORMAT, "extension 6 is not one SAKKE payload", "TS 33.180 E.5");
        }
        return MCX_OK;
    case MCX_MIKEY_EXT_KEY_PARAMS:
        if (ext->data.len == 0) {
            return mcx_refuse(r->why, MCX_E_FORMAT, "empty key parameters", "TS 33.180 E.6");
        }
        return set_once(&m->key_params, ext->data, r->why, "extension 7 twice", "TS 33.180 E.6");
    case MCX_MIKEY_EXT_SDP_IDS: return set_once(&m->sdp_ids, ext->data, r->why, "extension 1 twice", "RFC 4567 7");
    default: return MCX_OK; /* CHOICE: signed, so nobody has put it in; skipped */
    }
}

static mcx_err take_t(struct reading *r, const struct mcx_mikey_t *t)
{
    if (t->ts_type != MCX_MIKEY_TS_NTP_UTC) {
        return mcx_refuse(r->why, MCX_E_UNSUP, "a time stamp type other than NTP-UTC", "TS 33.180 E.1.2");
    }
    r->msg->t = *t;
    return MCX_OK;
}

static mcx_err take_rand(struct reading *r, struct mcx_bytes rand)
{
    if (rand.len < MCX_MIKEY_RAND_MIN) {
        return mcx_refuse(r->why, MCX_E_FORMAT, "RAND is shorter than 16 octets", "RFC 3830 6.11");
    }
    r->msg->rand = rand;
    return MCX_OK;
}

static mcx_err take_sign(struct reading *r, const struct mcx_mikey_payload *p, struct mcx_bytes message)
{
    if (p->u.sign.s_type != MCX_MIKEY_SIGN_ECCSI) {
        return mcx_refuse(r->why, MCX_E_UNSUP, "a signature type other than ECCSI", "TS 33.180 E.1.2");
    }
    if (p->u.sign.signature.len != MCX_MIKEY_SIGN_ECCSI_LEN) {
        return mcx_refuse(r->why, MCX_E_FORMAT, "an ECCSI signature has 129 octets", "RFC 6507 5.2.1");
    }
    r->msg->sign = p->u.sign;
    r->msg->signed_short = mcx_bytes(message.p, p->offset);
    r->msg->signed_octets = mcx_bytes(message.p, p->offset + p->octets.len - p->u.sign.signature.len);
    return MCX_OK;
}

static mcx_err take_payload(struct reading *r, const struct mcx_mikey_payload *p, struct mcx_bytes message)
{
    MCX_TRY(count_payload(r, p->number));
    switch (p->number) {
    case MCX_MIKEY_PL_T: return take_t(r, &p->u.t);
    case MCX_MIKEY_PL_RAND: return take_rand(r, p->u.rand);
    case MCX_MIKEY_PL_IDR: return take_idr(r, &p->u.idr);
    case MCX_MIKEY_PL_SP: r->msg->sp[r->msg->num_sp++] = p->u.sp; return MCX_OK;
    case MCX_MIKEY_PL_SAKKE: r->msg->sakke = p->u.sakke; return MCX_OK;
    case MCX_MIKEY_PL_EXT: return take_ext(r, &p->u.ext);
    case MCX_MIKEY_PL_SIGN: return take_sign(r, p, message);
    default: return MCX_OK; /* CERT: skipped, ECCSI needs none (RFC 6509 2.2.1) */
    }
}

static mcx_err hdr_check(const struct mcx_mikey_hdr *hdr, struct mcx_refusal *why)
{
    if (hdr->data_type != MCX_MIKEY_DATA_SAKKE) {
        return mcx_refuse(why, MCX_E_UNSUP, "data type is not 26, SAKKE message", "RFC 6509 4.1");
    }
    if (hdr->prf != MCX_MIKEY_PRF_HMAC_SHA256) {
        return mcx_refuse(why, MCX_E_UNSUP, "PRF func is not 1, PRF-HMAC-SHA-256", "TS 33.180 E.1.2");
    }
    return MCX_OK; /* V is ignored (RFC 6509 2.2.1) */
}

mcx_err mcx_mikey_sakke_msg_read(struct mcx_mikey_sakke_msg *out, struct mcx_bytes message, struct mcx_refusal *why)
{
    struct mcx_mikey_sakke_msg msg = { 0 };
    struct reading r = { .msg = &msg, .why = why };
    struct mcx_mikey_walk walk;

    MCX_TRY(mcx_mikey_walk_begin(&walk, &msg.hdr, message, why));
    MCX_TRY(hdr_check(&msg.hdr, why));
    while (walk.next != MCX_MIKEY_PL_LAST) {
        struct mcx_mikey_payload p;

        MCX_TRY(mcx_mikey_walk_next(&walk, &p, why));
        MCX_TRY(take_payload(&r, &p, message));
    }
    MCX_TRY(mcx_mikey_walk_end(&walk, why));
    MCX_TRY(count_check(&r));
    if ((msg.id_i.p == NULL && msg.uid_i.p == NULL) || (msg.id_r.p == NULL && msg.uid_r.p == NULL) ||
        msg.kms_i.p == NULL || msg.kms_r.p == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "one of the four identities is missing", "TS 33.180 E.1.2");
    }
    *out = msg;
    return MCX_OK;
}

/* Payloads between RAND and SIGN in emission order, so that each can be told which one follows. */
struct plan {
    uint8_t number[MCX_MIKEY_MAX_PAYLOADS];
    size_t num, at;
};

static void plan_add(struct plan *plan, uint8_t number)
{
    plan->number[plan->num++] = number;
}

static uint8_t plan_next(struct plan *plan)
{
    return plan->number[++plan->at];
}

static void plan_make(struct plan *plan, const struct mcx_mikey_sakke_msg *m)
{
    const struct mcx_bytes *ids[] = { &m->id_i, &m->uid_i, &m->id_r, &m->uid_r, &m->kms_i, &m->kms_r };

    *plan = (struct plan){ .number = { MCX_MIKEY_PL_LAST }, .num = 1 };
    plan_add(plan, MCX_MIKEY_PL_T);
    plan_add(plan, MCX_MIKEY_PL_RAND);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (ids[i]->p != NULL) {
            plan_add(plan, MCX_MIKEY_PL_IDR);
        }
    }
    for (size_t i = 0; i < m->num_sp; i++) {
        plan_add(plan, MCX_MIKEY_PL_SP);
    }
    plan_add(plan, MCX_MIKEY_PL_SAKKE);
    if (m->has_self) {
        plan_add(plan, MCX_MIKEY_PL_EXT);
    }
    if (m->key_params.p != NULL) {
        plan_add(plan, MCX_MIKEY_PL_EXT);
    }
    plan_add(plan, MCX_MIKEY_PL_SIGN);
}

/* What the reader refuses is not written either, nor is what it only tolerates. */
static bool writable(const struct mcx_mikey_sakke_msg *m)
{
    bool default_profile = m->hdr.num_cs == 0;

    return m->hdr.data_type == MCX_MIKEY_DATA_SAKKE && m->hdr.prf == MCX_MIKEY_PRF_HMAC_SHA256 &&
           m->hdr.map_type == (default_profile ? MCX_MIKEY_MAP_EMPTY : MCX_MIKEY_MAP_GENERIC) &&
           m->num_sp <= MCX_MIKEY_MAX_SP && (m->num_sp == 0) == default_profile && /* RFC 4563 5, TS 36.579-1 5.5.9.1 */
           (m->id_i.p != NULL || m->uid_i.len == UID_LEN) && (m->id_r.p != NULL || m->uid_r.len == UID_LEN) &&
           m->kms_i.p != NULL && m->kms_r.p != NULL && !m->role3_kms && m->sign.s_type == MCX_MIKEY_SIGN_ECCSI &&
           m->sign.signature.len == MCX_MIKEY_SIGN_ECCSI_LEN;
}

static mcx_err ids_write(struct mcx_wr *wr, const struct mcx_mikey_sakke_msg *m, struct plan *plan)
{
    const struct mcx_mikey_idr ids[] = {
        { MCX_MIKEY_ROLE_I, MCX_MIKEY_ID_URI, m->id_i },      { MCX_MIKEY_ROLE_UID_I, MCX_MIKEY_ID_URI, m->uid_i },
        { MCX_MIKEY_ROLE_R, MCX_MIKEY_ID_URI, m->id_r },      { MCX_MIKEY_ROLE_UID_R, MCX_MIKEY_ID_URI, m->uid_r },
        { MCX_MIKEY_ROLE_KMS_I, MCX_MIKEY_ID_URI, m->kms_i }, { MCX_MIKEY_ROLE_KMS_R, MCX_MIKEY_ID_URI, m->kms_r },
    };

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (ids[i].id.p != NULL) {
            MCX_TRY(mcx_mikey_idr_write(wr, &ids[i], plan_next(plan)));
        }
    }
    return MCX_OK;
}

/* Extension 6 holds a SAKKE payload whose own next payload is 0 (TS 33.180 E.5). */
static mcx_err self_write(struct mcx_wr *wr, const struct mcx_mikey_sakke *self, uint8_t next)
{
    size_t mark;

    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, MCX_MIKEY_EXT_SAKKE_SELF));
    MCX_TRY(mcx_wr_begin16(wr, &mark));
    MCX_TRY(mcx_mikey_sakke_write(wr, self, MCX_MIKEY_PL_LAST));
    return mcx_wr_end16(wr, mark);
}

static mcx_err all_write(struct mcx_wr *wr, const struct mcx_mikey_sakke_msg *m)
{
    struct plan plan;

    plan_make(&plan, m);
    MCX_TRY(mcx_mikey_hdr_write(wr, &m->hdr, plan_next(&plan)));
    MCX_TRY(mcx_mikey_t_write(wr, &m->t, plan_next(&plan)));
    MCX_TRY(mcx_mikey_rand_write(wr, m->rand, plan_next(&plan)));
    MCX_TRY(ids_write(wr, m, &plan));
    for (size_t i = 0; i < m->num_sp; i++) {
        MCX_TRY(mcx_mikey_sp_write(wr, &m->sp[i], plan_next(&plan)));
    }
    MCX_TRY(mcx_mikey_sakke_write(wr, &m->sakke, plan_next(&plan)));
    if (m->has_self) {
        MCX_TRY(self_write(wr, &m->self, plan_next(&plan)));
    }
    if (m->key_params.p != NULL) {
        const struct mcx_mikey_ext ext = { MCX_MIKEY_EXT_KEY_PARAMS, m->key_params };

        MCX_TRY(mcx_mikey_ext_write(wr, &ext, plan_next(&plan)));
    }
    return mcx_mikey_sign_head_write(wr, m->sign.s_type, m->sign.signature.len);
}

mcx_err mcx_mikey_sakke_msg_write(struct mcx_wr *wr, const struct mcx_mikey_sakke_msg *msg)
{
    struct mcx_wr w = *wr;

    if (!writable(msg)) {
        return MCX_E_ARG;
    }
    MCX_TRY(all_write(&w, msg));
    *wr = w;
    return MCX_OK;
}
