/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an I_MESSAGE: who it is for and who it is from (TS 33.180 5.2.2 to 5.2.8, E.7). */
#include "keys/imessage_int.h"

#include <string.h>

/* CHOICE, after RFC 6509 3.3: within a day of a period boundary the neighbour may have been meant. */
#define BOUNDARY_S 86400

struct periods {
    uint64_t no[MCX_OPEN_MAX];
    size_t num;
};

static void add_period(struct periods *p, uint64_t no)
{
    for (size_t i = 0; i < p->num; i++) {
        if (p->no[i] == no) {
            return;
        }
    }
    if (p->num < MCX_OPEN_MAX) {
        p->no[p->num++] = no;
    }
}

/* Key periods that a message of this time may have been made in, under one KMS; likeliest first. */
static struct periods periods_of(const struct mcx_opening *o, const struct mcx_ring_cert *cert)
{
    const struct mcx_key_period *period = &cert->doc.period;
    struct periods p = { .num = 0 };
    uint64_t no, start, end;

    if (mcx_period_no(&no, period, o->time.sec) == MCX_OK && mcx_period_bounds(&start, &end, period, no) == MCX_OK) {
        add_period(&p, no);
        if (no > 0 && o->time.sec - start < BOUNDARY_S) {
            add_period(&p, no - 1);
        }
        if (end - o->time.sec <= BOUNDARY_S) {
            add_period(&p, no + 1);
        }
    }
    if (o->policy->period_neighbours) { /* diagnostic: any period that we hold keys of */
        for (size_t i = 0; i < o->ring->num_sets; i++) {
            if (strcmp(o->ring->sets[i]->cert->doc.kms_uri, cert->doc.kms_uri) == 0) {
                add_period(&p, o->ring->sets[i]->period_no);
            }
        }
    }
    return p;
}

static bool is_for(const struct mcx_ring_set *set, struct mcx_bytes uri, struct mcx_bytes uid)
{
    /* Role 2 with role 9: both must agree (TS 33.180 E.7). */
    return (uri.p == NULL || mcx_bytes_is(uri, set->user_uri)) &&
           (uid.p == NULL || mcx_bytes_equal(uid, mcx_bytes(set->uid, sizeof set->uid)));
}

/* Collect the key sets of one side; `seen` tells whether one would fit in another period. */
static void find_sets(struct mcx_opening *o, struct mcx_bytes uri, struct mcx_bytes uid, struct mcx_bytes kms,
                      bool *seen)
{
    *seen = false;
    o->num_sets = 0;
    for (size_t n = 0; n < MCX_OPEN_MAX; n++) { /* by likelihood of the period */
        for (size_t i = 0; i < o->ring->num_sets; i++) {
            const struct mcx_ring_set *set = o->ring->sets[i];
            struct periods p;

            if (!is_for(set, uri, uid) || !mcx_bytes_is(kms, set->cert->doc.kms_uri)) {
                continue;
            }
            *seen = true;
            p = periods_of(o, set->cert);
            if (n < p.num && p.no[n] == set->period_no && o->num_sets < MCX_OPEN_MAX) {
                o->sets[o->num_sets++] = set;
            }
        }
    }
}

mcx_err mcx_open_responder(struct mcx_opening *o)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;
    bool seen, own_seen;

    find_sets(o, m->id_r, m->uid_r, m->kms_r, &seen);
    if (o->num_sets > 0) {
        return MCX_OK;
    }
    if (!seen && o->policy->accept_own && m->has_self) { /* TS 33.180 E.5: sent by another UE of our user */
        find_sets(o, m->id_i, m->uid_i, m->kms_i, &own_seen);
        if (o->num_sets > 0) {
            o->own = true;
            return MCX_OK;
        }
    }
    if (!mcx_ring_knows_kms(o->ring, m->kms_r)) {
        return mcx_refuse(o->why, MCX_E_NOKEY, "the responder's KMS is not known", "TS 33.180 5.2.8");
    }
    return seen
               ? mcx_refuse(o->why, MCX_E_NOKEY, "no key set for the key period of the time stamp", "TS 33.180 F.2.1.1")
               : mcx_refuse(o->why, MCX_E_NOKEY, "not addressed to an identity and KMS of this end-point",
                            "TS 33.180 5.2.2");
}

/* UIDs that the initiator's URI may have had. */
static mcx_err uids_of(struct mcx_opening *o, struct mcx_bytes uri)
{
    struct periods p = periods_of(o, o->kms_i);

    for (size_t i = 0; i < p.num; i++) {
        MCX_TRY(mcx_uid(o->uids[i], uri, o->msg.kms_i, &o->kms_i->doc.period, p.no[i]));
        o->num_uids++;
    }
    return MCX_OK;
}

static mcx_err initiator_kms(struct mcx_opening *o)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;

    if (m->role3_kms && !o->policy->accept_role3_kms) {
        return mcx_refuse(o->why, MCX_E_FORMAT, "KMS identities with role 3 instead of 6 and 7", "RFC 6509 2.2.1");
    }
    o->kms_i = mcx_ring_cert_of(o->ring, m->kms_i, mcx_unix_of(o->time));
    if (o->kms_i != NULL) {
        return MCX_OK;
    }
    return mcx_ring_knows_kms(o->ring, m->kms_i)
               ? mcx_refuse(o->why, MCX_E_EXPIRED, "the initiator's KMS certificate is revoked or was not valid",
                            "TS 33.180 5.3.5")
               : mcx_refuse(o->why, MCX_E_NOKEY, "the initiator's KMS is not known", "TS 33.180 5.2.2");
}

mcx_err mcx_open_initiator(struct mcx_opening *o)
{
    const struct mcx_mikey_sakke_msg *m = &o->msg;
    struct mcx_bytes uri = m->id_i.p != NULL ? m->id_i : o->policy->initiator;

    MCX_TRY(initiator_kms(o));
    if (o->policy->initiator.len > 0 && !mcx_bytes_equal(uri, o->policy->initiator)) {
        return mcx_refuse(o->why, MCX_E_POLICY, "IDRi is not the initiator that is expected here", "TS 33.180 5.2.2");
    }
    if (uri.len > 0 && !mcx_ring_is_responsible(o->ring, o->kms_i, uri)) {
        return mcx_refuse(o->why, MCX_E_POLICY, "IDRkmsi is not responsible for the domain of the initiator",
                          "TS 33.180 5.2.2");
    }
    if (uri.len > 0) {
        MCX_TRY(uids_of(o, uri));
    }
    if (m->uid_i.p == NULL) {
        return MCX_OK;
    }
    for (size_t i = 0; i < o->num_uids; i++) {
        if (memcmp(o->uids[i], m->uid_i.p, MCX_UID_LEN) == 0) { /* public */
            memmove(o->uids[0], m->uid_i.p, MCX_UID_LEN);
            o->num_uids = 1;
            return MCX_OK;
        }
    }
    if (uri.len > 0) {
        return mcx_refuse(o->why, MCX_E_AUTH, "IDRuidi is not the UID of the initiator", "TS 33.180 E.7");
    }
    memcpy(o->uids[0], m->uid_i.p, MCX_UID_LEN); /* "holder of this UID", no more */
    o->num_uids = 1;
    return MCX_OK;
}
