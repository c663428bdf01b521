/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an I_MESSAGE: the checks in their order (RFC 3830 5.3, RFC 6509 2.2.2, TS 33.180 5.2.2 to 5.2.8). */
#include "keys/imessage_int.h"

#include <string.h>

#include <mcx/text.h>

#define FUTURE_SKEW_S   300
#define PAST_SKEW_S     3600
#define RESTART_GRACE_S 10 /* CHOICE "pc-restart": a few seconds */
/* RSKs of the two periods before the present one are kept (keyring.c): no older message can be opened. */
#define PERIODS_KEPT 2
#define SKEW_GRACE_S 300

static mcx_err refuse_as_auth(const struct mcx_opening *o, const char *reason, const char *clause)
{
    return mcx_refuse(o->why, MCX_E_AUTH, reason, clause);
}

/* URIs become C strings and log lines later: no NUL, no control characters, valid UTF-8, bounded. */
static bool uri_ok(struct mcx_bytes uri)
{
    if (uri.p == NULL) {
        return true;
    }
    for (size_t i = 0; i < uri.len; i++) {
        if (uri.p[i] < 0x20 || uri.p[i] == 0x7F) {
            return false;
        }
    }
    return uri.len < MCX_KMSDOC_URI_MAX && mcx_utf8_ok(uri);
}

/* Steps 1 to 3. */
static mcx_err read_message(struct mcx_opening *o, struct mcx_bytes message)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;

    MCX_TRY(mcx_mikey_sakke_msg_read(&o->msg, message, o->why));
    if (!uri_ok(m->id_i) || !uri_ok(m->id_r) || !uri_ok(m->kms_i) || !uri_ok(m->kms_r)) {
        return mcx_refuse(o->why, MCX_E_FORMAT, "an identity that cannot be a URI", "RFC 6043 6.6");
    }
    o->time = mcx_ntp_from_wire(m->t.value);
    return MCX_OK;
}

static bool any_age(const struct mcx_opening *o)
{
    return o->policy->past_skew_s == MCX_SKEW_ANY;
}

static uint64_t past_skew(const struct mcx_opening *o)
{
    return o->policy->past_skew_s == 0 ? PAST_SKEW_S : o->policy->past_skew_s;
}

/* Step 4 (RFC 3830 5.4). */
static mcx_err check_time(const struct mcx_opening *o)
{
    uint64_t future = o->policy->future_skew_s == 0 ? FUTURE_SKEW_S : o->policy->future_skew_s;

    if (o->time.sec > o->now.sec + future) {
        return mcx_refuse(o->why, MCX_E_EXPIRED, "the time stamp lies in the future", "RFC 3830 5.4");
    }
    if (!any_age(o) && o->time.sec + past_skew(o) < o->now.sec) {
        return mcx_refuse(o->why, MCX_E_EXPIRED, "the time stamp is too old", "RFC 3830 5.4");
    }
    /* Not done by a shorter skew: the cache would forget what it takes in after that short time. */
    if (o->time.sec + RESTART_GRACE_S < o->policy->started.sec) {
        return mcx_refuse(o->why, MCX_E_EXPIRED, "made before this program started", "RFC 3830 5.4");
    }
    return MCX_OK;
}

/* Step 8. Candidates differ only near a period boundary. */
static mcx_err check_signature(struct mcx_opening *o)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;
    const struct mcx_bytes forms[] = { m->signed_octets, m->signed_short };
    size_t num_forms = o->policy->accept_short_sign ? 2 : 1;

    for (size_t f = 0; f < num_forms; f++) {
        for (size_t i = 0; i < o->num_uids; i++) {
            mcx_err err =
                mcx_eccsi_verify(o->kms_i->eccsi, mcx_bytes(o->uids[i], MCX_UID_LEN), forms[f], m->sign.signature.p);

            if (err == MCX_OK) {
                o->signer = i;
                return MCX_OK;
            }
            if (err != MCX_E_AUTH && err != MCX_E_POINT) {
                return err;
            }
        }
    }
    return refuse_as_auth(o, "the signature does not verify", "RFC 6507 5.2.2");
}

/* How long the replay cache must know the message: as long as it could be accepted again. */
static mcx_err remember_until(const struct mcx_opening *o, uint64_t *until)
{
    const struct mcx_ring_set *set = o->sets[0];
    uint64_t start, end;

    if (!any_age(o)) {
        *until = o->time.sec + past_skew(o);
        return MCX_OK;
    }
    MCX_TRY(mcx_period_bounds(&start, &end, &set->cert->doc.period, set->period_no));
    *until = end + PERIODS_KEPT * set->cert->doc.period.length + SKEW_GRACE_S;
    return MCX_OK;
}

/* Step 9: only what is authentic gets into the cache (RFC 3830 5.4). */
static mcx_err remember(const struct mcx_opening *o, struct mcx_replay *replay)
{
    uint64_t until;

    if (replay == NULL) {
        return MCX_OK;
    }
    MCX_TRY(remember_until(o, &until));
    if (until < o->now.sec) {
        return mcx_refuse(o->why, MCX_E_EXPIRED, "older than the key periods that are kept", "TS 33.180 F.2.1.1");
    }
    return mcx_imessage_seen_add(replay, &o->msg, o->time, until, o->now, o->why);
}

static mcx_err decap_with(struct mcx_opening *o, struct mcx_key *key, const struct mcx_mikey_sakke *sakke)
{
    for (size_t i = 0; i < o->num_sets; i++) {
        mcx_err err = mcx_sakke_decap(key, o->sets[i]->rsk, sakke->sed.p);

        if (err == MCX_OK) {
            o->sets[0] = o->sets[i];
            return MCX_OK;
        }
        if (err != MCX_E_AUTH && err != MCX_E_POINT) {
            return err;
        }
    }
    /* One text for whatever went wrong inside: at which step is nobody's business (RFC 6508 6.2.2). */
    return refuse_as_auth(o, "the key does not open", "RFC 6508 6.2.2");
}

/* Where our own user is the initiator as well, both encapsulations hold one key (TS 33.180 E.5). */
static mcx_err compare_self(struct mcx_opening *o, const struct mcx_key *key)
{
    struct mcx_key other;
    mcx_err err = MCX_OK;

    if (!o->msg.has_self || o->own) {
        return MCX_OK;
    }
    for (size_t i = 0; i < o->ring->num_sets; i++) {
        const struct mcx_ring_set *set = o->ring->sets[i];

        if (memcmp(set->uid, o->uids[o->signer], MCX_UID_LEN) != 0) { /* public */
            continue;
        }
        err = mcx_sakke_decap(&other, set->rsk, o->msg.self.sed.p);
        if (err == MCX_OK && !mcx_ct_equal(other.octet, key->octet, MCX_KEY_LEN)) {
            err = MCX_E_AUTH;
        }
        mcx_key_clear(&other);
        return err == MCX_OK ? MCX_OK : refuse_as_auth(o, "extension 6 does not hold the same key", "TS 33.180 E.5");
    }
    return MCX_OK;
}

/* Step 11. */
static mcx_err decapsulate(struct mcx_opening *o, struct mcx_imessage *out)
{
    MCX_TRY(decap_with(o, &out->key, o->own ? &o->msg.self : &o->msg.sakke));
    return compare_self(o, &out->key);
}

static mcx_err set_names(const struct mcx_opening *o, struct mcx_imessage *out)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;
    struct mcx_bytes initiator = m->id_i.p != NULL ? m->id_i : o->policy->initiator;
    struct mcx_bytes responder = m->id_r;

    if (o->own) {
        initiator = mcx_bytes_str(o->sets[0]->user_uri);
    } else {
        responder = mcx_bytes_str(o->sets[0]->user_uri);
    }
    MCX_TRY(mcx_bytes_cstr(out->initiator, sizeof out->initiator, initiator));
    MCX_TRY(mcx_bytes_cstr(out->responder, sizeof out->responder, responder));
    MCX_TRY(mcx_bytes_cstr(out->kms_initiator, sizeof out->kms_initiator, m->kms_i));
    MCX_TRY(mcx_bytes_cstr(out->kms_responder, sizeof out->kms_responder, m->kms_r));
    memcpy(out->initiator_uid, o->uids[o->signer], MCX_UID_LEN);
    memcpy(out->rand, m->rand.p, m->rand.len);
    out->rand_len = m->rand.len;
    out->time = o->time;
    out->own = o->own;
    return MCX_OK;
}

static mcx_err open_message(struct mcx_opening *o, struct mcx_imessage *out, struct mcx_bytes message,
                            struct mcx_replay *replay)
{
    MCX_TRY(read_message(o, message));                                  /* 1, 2, 3 */
    MCX_TRY(check_time(o));                                             /* 4 */
    MCX_TRY(mcx_imessage_seen_check(replay, &o->msg, o->time, o->why)); /* 5 */
    MCX_TRY(mcx_open_responder(o));                                     /* 6 */
    MCX_TRY(mcx_open_initiator(o));                                     /* 7 */
    MCX_TRY(check_signature(o));                                        /* 8 */
    MCX_TRY(remember(o, replay));                                       /* 9 */
    MCX_TRY(mcx_open_policy(o, out));                                   /* 10 */
    MCX_TRY(decapsulate(o, out));                                       /* 11 */
    MCX_TRY(set_names(o, out));
    return mcx_open_key(o, out); /* 12 */
}

mcx_err mcx_imessage_open(struct mcx_imessage *out, struct mcx_bytes message, const struct mcx_keyring *ring,
                          struct mcx_replay *replay, struct mcx_ntp now, const struct mcx_imessage_policy *policy,
                          struct mcx_refusal *why)
{
    struct mcx_opening o = { .ring = ring, .policy = policy, .now = now, .why = why };
    mcx_err err;

    mcx_imessage_clear(out);
    err = open_message(&o, out, message, replay);
    if (err != MCX_OK) {
        mcx_imessage_clear(out);
    }
    return err;
}
