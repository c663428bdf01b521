/* SPDX-License-Identifier: Apache-2.0 */
/* The listener's side of group media (TS 33.180 7.4.2): the key of each speaker, found by the MKI. */
#include <stdlib.h>
#include <string.h>

#include <mcx/rtp.h>
#include <mcx/secret.h>

#include "keys/group_keys_int.h"
#include "keys/group_media_int.h"
#include "keys/imessage_int.h"

#define DEFAULT_SPEAKERS    64
#define DEFAULT_SSRC        256
#define DEFAULT_DERIVATIONS 500
#define NUM_HEARD           32 /* streams whose index is remembered over a change of key */
#define NUM_OWN             256 /* own streams that are remembered, one a call */
#define NONE                UINT32_MAX

/* One GMK-ID and GUK-ID. It may have several SSRCs: two members of one GUK-ID, or one who has joined again. */
struct speaker {
    uint32_t gmk_id, guk_id;
    struct mcx_srtp_rx *srtp; /* NULL: free */
    bool proven;              /* a packet has authenticated */
    uint64_t used_s;          /* NTP seconds of the last packet that authenticated, or of the first that did not */
    uint64_t order;           /* the same as a count, for those of one second */
    uint32_t next;            /* in the chain of its bucket, or of free ones */
};

/* Where a stream was, for packets without a ROC under the next key. */
struct heard {
    bool set;
    uint32_t ssrc;
    uint64_t index;
};

struct mcx_group_rx {
    const struct mcx_group_keys *keys;
    char *group;
    size_t max_speakers, max_ssrc;
    uint32_t per_s;
    uint64_t tokens;  /* thousandths of a derivation */
    uint64_t last_ms; /* when tokens were added */
    bool ticking;     /* last_ms is set */
    uint64_t order;
    struct mcx_group_rx_counts counts;
    struct heard heard[NUM_HEARD];
    uint32_t own[NUM_OWN]; /* SSRCs we sent under; the oldest gives way */
    size_t num_own;        /* so far */
    uint32_t mask;    /* buckets - 1 */
    uint32_t *bucket; /* heads of chains */
    uint32_t free;    /* chain of free speakers */
    struct speaker *speaker;
};

/* A packet on its way. */
struct opening {
    struct mcx_bytes packet;
    struct mcx_ntp now;
    struct mcx_refusal *why;
    const struct mcx_group_key *key;
    uint32_t gmk_id, guk_id, ssrc;
    uint16_t seq;
};

static uint32_t num_buckets(size_t speakers)
{
    uint32_t n = 1;

    while (n < speakers) {
        n <<= 1;
    }
    return n;
}

mcx_err mcx_group_rx_new(struct mcx_group_rx **out, const struct mcx_group_keys *keys, const char *group,
                         const struct mcx_group_rx_config *config)
{
    struct mcx_group_rx_config c = config != NULL ? *config : (struct mcx_group_rx_config){ 0 };
    struct mcx_group_rx *rx = NULL;
    mcx_err err = MCX_E_NOMEM;

    if (group[0] == '\0' || c.max_speakers > MCX_GROUP_SPEAKERS_MAX || c.max_ssrc > MCX_SRTP_SSRC_MAX) {
        return MCX_E_ARG;
    }
    rx = calloc(1, sizeof *rx);
    if (rx == NULL) {
        return MCX_E_NOMEM;
    }
    rx->keys = keys;
    rx->max_speakers = c.max_speakers != 0 ? c.max_speakers : DEFAULT_SPEAKERS;
    rx->max_ssrc = c.max_ssrc != 0 ? c.max_ssrc : DEFAULT_SSRC;
    rx->per_s = c.derivations_per_s != 0 ? c.derivations_per_s : DEFAULT_DERIVATIONS;
    rx->mask = num_buckets(rx->max_speakers) - 1;
    rx->bucket = malloc((rx->mask + (size_t)1) * sizeof *rx->bucket);
    rx->speaker = calloc(rx->max_speakers, sizeof *rx->speaker);
    if (rx->bucket == NULL || rx->speaker == NULL || mcx_group_string(&rx->group, group) != MCX_OK) {
        goto out;
    }
    memset(rx->bucket, 0xFF, (rx->mask + (size_t)1) * sizeof *rx->bucket);
    for (size_t i = 0; i < rx->max_speakers; i++) {
        rx->speaker[i].next = i + 1 < rx->max_speakers ? (uint32_t)(i + 1) : NONE;
    }
    *out = rx;
    return MCX_OK;
out:
    mcx_group_rx_free(rx);
    return err;
}

void mcx_group_rx_free(struct mcx_group_rx *rx)
{
    if (rx == NULL) {
        return;
    }
    for (size_t i = 0; rx->speaker != NULL && i < rx->max_speakers; i++) {
        mcx_srtp_rx_free(rx->speaker[i].srtp);
    }
    free(rx->speaker);
    free(rx->bucket);
    free(rx->group);
    free(rx);
}

static uint32_t *bucket_of(struct mcx_group_rx *rx, uint32_t gmk_id, uint32_t guk_id)
{
    uint64_t h = ((uint64_t)gmk_id << 32 | guk_id) * UINT64_C(0x9E3779B97F4A7C15);

    return &rx->bucket[(uint32_t)(h >> 32) & rx->mask];
}

static struct speaker *find_speaker(struct mcx_group_rx *rx, uint32_t gmk_id, uint32_t guk_id)
{
    for (uint32_t i = *bucket_of(rx, gmk_id, guk_id); i != NONE; i = rx->speaker[i].next) {
        if (rx->speaker[i].gmk_id == gmk_id && rx->speaker[i].guk_id == guk_id) {
            return &rx->speaker[i];
        }
    }
    return NULL;
}

static void drop_speaker(struct mcx_group_rx *rx, struct speaker *s)
{
    uint32_t no = (uint32_t)(s - rx->speaker);
    uint32_t *link = bucket_of(rx, s->gmk_id, s->guk_id);

    while (*link != no) {
        link = &rx->speaker[*link].next;
    }
    *link = s->next;
    mcx_srtp_rx_free(s->srtp);
    *s = (struct speaker){ .next = rx->free };
    rx->free = no;
    rx->counts.speakers--;
}

/* Better to be given up: never proven before proven, then the longest silent. */
static bool sooner_dropped(const struct speaker *a, const struct speaker *b)
{
    return b == NULL || (a->proven != b->proven ? !a->proven : a->order < b->order);
}

/* Make room for one that is proven, or is not. False when there is none. */
static bool make_room(struct mcx_group_rx *rx, bool proven, uint64_t now_s)
{
    struct speaker *worst = NULL;

    if (rx->free != NONE) {
        return true;
    }
    for (size_t i = 0; i < rx->max_speakers; i++) {
        worst = sooner_dropped(&rx->speaker[i], worst) ? &rx->speaker[i] : worst;
    }
    if (worst->proven && (!proven || now_s < worst->used_s || now_s - worst->used_s < MCX_GROUP_IDLE_S)) {
        return false;
    }
    drop_speaker(rx, worst);
    return true;
}

/* Takes `srtp` over. There is room. */
static struct speaker *keep_speaker(struct mcx_group_rx *rx, const struct opening *o, struct mcx_srtp_rx *srtp)
{
    uint32_t no = rx->free;
    struct speaker *s = &rx->speaker[no];
    uint32_t *head = bucket_of(rx, o->gmk_id, o->guk_id);

    rx->free = s->next;
    *s = (struct speaker){ .gmk_id = o->gmk_id, .guk_id = o->guk_id, .srtp = srtp, .next = *head };
    *head = no;
    rx->counts.speakers++;
    return s;
}

static void touch(struct mcx_group_rx *rx, struct speaker *s, const struct opening *o, bool proven)
{
    s->proven = s->proven || proven;
    s->used_s = o->now.sec;
    s->order = ++rx->order;
}

/* For good: what was derived from it may go. Not so a key that is not active yet for a clock that has stepped back: with
 * the replay list gone, all that was heard would open again once the clock is right. */
static bool key_gone(const struct mcx_group_rx *rx, uint32_t gmk_id, struct mcx_ntp now)
{
    const struct mcx_group_key *key = mcx_group_key_find(rx->keys, gmk_id);

    return key == NULL || !mcx_group_key_in(key, rx->group) || key->revoked ||
           mcx_group_key_over(key, mcx_unix_of(now));
}

void mcx_group_rx_renew(struct mcx_group_rx *rx, const struct mcx_group_keys *keys, struct mcx_ntp now)
{
    rx->keys = keys;
    for (size_t i = 0; i < rx->max_speakers; i++) {
        struct speaker *s = &rx->speaker[i];

        if (s->srtp != NULL && key_gone(rx, s->gmk_id, now)) {
            drop_speaker(rx, s);
        }
    }
}

/* A bucket of one second's worth; a clock that steps back adds nothing. */
static bool may_derive(struct mcx_group_rx *rx, struct mcx_ntp now)
{
    uint64_t ms = mcx_ntp_to_unix_ms(now);
    uint64_t full = (uint64_t)rx->per_s * 1000;
    uint64_t gone = rx->ticking && ms > rx->last_ms ? ms - rx->last_ms : 0;

    if (!rx->ticking || gone >= 1000 || gone * rx->per_s > full - rx->tokens) {
        rx->tokens = full;
    } else {
        rx->tokens += gone * rx->per_s;
    }
    rx->last_ms = ms;
    rx->ticking = true;
    if (rx->tokens < 1000) {
        return false;
    }
    rx->tokens -= 1000;
    return true;
}

static mcx_err refuse_unknown(struct mcx_refusal *why)
{
    return mcx_refuse(why, MCX_E_NOKEY, "the MKI names no key of this group", "TS 33.180 7.4.2");
}

/* Whether a key has the MKI of this packet where it was read with `roc_rate`. */
static bool fits(const struct mcx_group_key *key, const struct opening *o, struct mcx_bytes mki, uint16_t roc_rate)
{
    uint16_t own_rate = mcx_group_roc_rate(key);
    struct mcx_bytes own;

    return own_rate == roc_rate ||
           (mcx_srtp_mki_read(&own, o->packet, GROUP_MKI_LEN, own_rate) == MCX_OK && own.p == mki.p);
}

/* The MKI of the packet, read with or without a ROC behind it, and the key of the group that it names, or NULL. */
static mcx_err read_mki(const struct mcx_group_key **key, const struct mcx_group_rx *rx, struct opening *o,
                        uint16_t roc_rate)
{
    struct mcx_bytes mki;
    struct mcx_rd rd;

    *key = NULL;
    MCX_TRY(mcx_srtp_mki_read(&mki, o->packet, GROUP_MKI_LEN, roc_rate));
    rd = mcx_rd(mki);
    MCX_TRY(mcx_rd_u32(&rd, &o->gmk_id));
    MCX_TRY(mcx_rd_u32(&rd, &o->guk_id));
    *key = mcx_group_key_find(rx->keys, o->gmk_id);
    if (*key != NULL &&
        ((*key)->type != MCX_KEY_GMK || !mcx_group_key_in(*key, rx->group) || !fits(*key, o, mki, roc_rate))) {
        *key = NULL;
    }
    return MCX_OK;
}

/* The place of the MKI depends on the SRTP policy of the key that it names: there are two. */
static mcx_err find_key(struct mcx_group_rx *rx, struct opening *o)
{
    const struct mcx_group_key *key = NULL;
    mcx_err err = read_mki(&key, rx, o, 1);

    if (key == NULL) {
        err = read_mki(&key, rx, o, 0);
    }
    if (err != MCX_OK) {
        return mcx_refuse(o->why, err, "the packet is too short or not RTP", "RFC 3711 3.1");
    }
    /* the tag of the GUK-ID is that of the GMK-ID (TS 33.180 5.2.3) */
    return key != NULL && o->gmk_id >> 28 == o->guk_id >> 28
               ? mcx_group_keys_receive(&o->key, rx->keys, rx->group, o->gmk_id, o->now, o->why)
               : refuse_unknown(o->why);
}

void mcx_group_rx_own(struct mcx_group_rx *rx, uint32_t ssrc)
{
    rx->own[rx->num_own++ % NUM_OWN] = ssrc;
}

/* Our own speech, sent back to us. Another device of ours has our GUK-ID too, but another SSRC. */
static bool is_echo(const struct mcx_group_rx *rx, const struct opening *o)
{
    for (size_t i = 0; o->guk_id == o->key->guk_id && i < rx->num_own && i < NUM_OWN; i++) {
        if (rx->own[i] == o->ssrc) {
            return true;
        }
    }
    return false;
}

/* First packet of this SSRC under this key, and no ROC in it: go on from where the SSRC was under another one. */
static void hint_roc(const struct mcx_group_rx *rx, struct mcx_srtp_rx *srtp, const struct opening *o)
{
    const struct heard *h = &rx->heard[o->ssrc % NUM_HEARD];
    uint64_t ahead = (uint64_t)(uint16_t)(o->seq - (uint16_t)h->index);
    uint64_t index;

    if (mcx_srtp_rx_index(srtp, &index, o->ssrc)) {
        return;
    }
    index = o->seq;
    if (h->set && h->ssrc == o->ssrc) {
        index = h->index + ahead;
        index = ahead >= 0x8000 && index >= 0x10000 ? index - 0x10000 : index;
    }
    mcx_srtp_rx_set_roc(srtp, (uint32_t)(index >> 16));
}

static mcx_err open_under(struct mcx_group_rx *rx, struct mcx_srtp_rx *srtp, struct mcx_wr *out,
                          const struct opening *o)
{
    struct heard *h = &rx->heard[o->ssrc % NUM_HEARD];
    uint64_t index = 0;

    hint_roc(rx, srtp, o);
    MCX_TRY(mcx_srtp_unprotect(srtp, out, o->packet, o->why));
    if (mcx_srtp_rx_index(srtp, &index, o->ssrc)) {
        *h = (struct heard){ true, o->ssrc, index };
    }
    return MCX_OK;
}

static mcx_err derive(struct mcx_srtp_rx **out, struct mcx_group_rx *rx, const struct opening *o)
{
    struct mcx_srtp_params params;
    struct mcx_srtp_master master;
    uint8_t mki[GROUP_MKI_LEN];
    mcx_err err = mcx_group_speaker_params(&params, &master, mki, o->key, o->guk_id);

    err = err == MCX_OK ? mcx_srtp_rx_new(out, &params, rx->max_ssrc) : err;
    mcx_srtp_master_clear(&master);
    rx->counts.derived++;
    return err;
}

/*
 * A speaker whose key is not in the cache. It is kept also when the packet fails, so that the next forged one under
 * this MKI costs no derivation; but only a packet that authenticates may take the place of somebody who was heard.
 */
static mcx_err open_first(struct mcx_group_rx *rx, struct mcx_wr *out, const struct opening *o)
{
    struct mcx_srtp_rx *srtp = NULL;
    size_t before = out->len;
    mcx_err err;

    if (!may_derive(rx, o->now)) {
        rx->counts.limited++;
        return mcx_refuse(o->why, MCX_E_POLICY, "too many unknown speakers at a time", "TS 33.180 7.4.2");
    }
    MCX_TRY(derive(&srtp, rx, o));
    err = open_under(rx, srtp, out, o);
    if (make_room(rx, err == MCX_OK, o->now.sec)) {
        touch(rx, keep_speaker(rx, o, srtp), o, err == MCX_OK);
        return err;
    }
    mcx_srtp_rx_free(srtp);
    if (err == MCX_OK) { /* without a place for its replay list it is not heard */
        mcx_wipe(out->p + before, out->len - before);
        out->len = before;
        err = mcx_refuse(o->why, MCX_E_POLICY, "no room for another speaker", "RFC 3711 3.2.3");
    }
    return err;
}

static mcx_err open_packet(struct mcx_group_rx *rx, struct mcx_wr *out, struct opening *o)
{
    struct speaker *s = NULL;
    size_t header_len = 0;
    mcx_err err = find_key(rx, o);

    if (err != MCX_OK) {
        rx->counts.unknown_key += err == MCX_E_NOKEY || err == MCX_E_EXPIRED || err == MCX_E_POLICY;
        s = err == MCX_E_EXPIRED || err == MCX_E_POLICY ? find_speaker(rx, o->gmk_id, o->guk_id) : NULL;
        if (s != NULL && key_gone(rx, o->gmk_id, o->now)) {
            drop_speaker(rx, s);
        }
        return err;
    }
    MCX_TRY(mcx_rtp_header_len(&header_len, &o->ssrc, &o->seq, o->packet));
    if (is_echo(rx, o)) {
        return mcx_refuse(o->why, MCX_E_POLICY, "our own speech, sent back", "TS 33.180 7.4.2");
    }
    s = find_speaker(rx, o->gmk_id, o->guk_id);
    if (s == NULL) {
        return open_first(rx, out, o);
    }
    MCX_TRY(open_under(rx, s->srtp, out, o));
    touch(rx, s, o, true);
    return MCX_OK;
}

mcx_err mcx_group_rx_open(struct mcx_group_rx *rx, struct mcx_wr *out, struct mcx_group_speaker *speaker,
                          struct mcx_bytes packet, struct mcx_ntp now, struct mcx_refusal *why)
{
    struct opening o = { .packet = packet, .now = now, .why = why };
    uint64_t known = rx->counts.unknown_key + rx->counts.limited;
    mcx_err err = open_packet(rx, out, &o);

    if (err == MCX_OK) {
        rx->counts.opened++;
        *speaker = (struct mcx_group_speaker){ o.gmk_id, o.guk_id, o.ssrc };
        return MCX_OK;
    }
    if (rx->counts.unknown_key + rx->counts.limited == known) { /* not counted yet */
        rx->counts.replayed += err == MCX_E_REPLAY;
        rx->counts.refused += err != MCX_E_REPLAY;
    }
    return err;
}

struct mcx_group_rx_counts mcx_group_rx_counts(const struct mcx_group_rx *rx)
{
    return rx->counts;
}
