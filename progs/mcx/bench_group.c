/* SPDX-License-Identifier: Apache-2.0 */
/* Group media: packets of 60 octets of payload, RCCm3, from 1, 16 and 1,000 speakers in turn, all keys in the cache; and
 * by a listener who holds 512 keys, a forged one too. */
#include "mcx/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/group_media.h>
#include <mcx/rtp.h>

#define GROUP       "sip:fire@example.org"
#define GMS         "sip:gms@example.org"
#define PLAIN_LEN   (12 + 60)
#define SEALED_LEN  (PLAIN_LEN + MCX_SRTP_OVERHEAD_MAX)
#define MIN_PACKETS 8192 /* all opened one after the other; then a new receiver takes them again */
#define MIN_EACH    128

struct group_state {
    struct mcx_rng rng;
    struct mcx_ntp now;
    struct mcx_imessage msg;
    struct mcx_group_keys *keys; /* of the listener */
    struct mcx_group_rx *rx;
    size_t num_speakers;
    size_t num_packets, next;
    uint8_t work[SEALED_LEN];
    uint8_t (*sealed)[SEALED_LEN];
};

static mcx_err keys_of(struct mcx_group_keys **out, struct group_state *s, size_t member)
{
    enum mcx_group_key_change change;
    mcx_err err;

    (void)snprintf(s->msg.responder, sizeof s->msg.responder, "sip:member%zu@example.org", member);
    MCX_TRY(mcx_guk_id(&s->msg.csb_id, s->msg.key_id, &s->msg.key, mcx_bytes_str(s->msg.responder)));
    MCX_TRY(mcx_group_keys_new(out));
    err = mcx_group_keys_accept(*out, &change, &s->msg, GMS, GROUP, s->now, NULL);
    if (err != MCX_OK) {
        mcx_group_keys_free(*out);
        *out = NULL;
    }
    return err;
}

static mcx_err seal_all_of(struct group_state *s, size_t speaker, struct mcx_group_tx *tx)
{
    const struct mcx_rtp head = { .pt = 97, .ssrc = mcx_group_tx_ssrc(tx) };
    uint8_t plain[PLAIN_LEN] = { 0 };
    struct mcx_wr wr = mcx_wr(plain, sizeof plain);

    MCX_TRY(mcx_rtp_write(&wr, &head));
    for (size_t i = speaker, seq = 0; i < s->num_packets; i += s->num_speakers, seq++) {
        wr = mcx_wr(s->sealed[i], SEALED_LEN);
        plain[2] = (uint8_t)(seq >> 8);
        plain[3] = (uint8_t)seq;
        MCX_TRY(mcx_group_tx_protect(tx, &wr, mcx_bytes(plain, sizeof plain)));
    }
    return MCX_OK;
}

static mcx_err speak(struct group_state *s, size_t speaker)
{
    struct mcx_group_keys *keys = NULL;
    struct mcx_group_tx *tx = NULL;
    mcx_err err;

    MCX_GO(err, keys_of(&keys, s, speaker));
    MCX_GO(err, mcx_group_tx_new(&tx, keys, GROUP, s->now, &s->rng, NULL));
    MCX_GO(err, seal_all_of(s, speaker, tx));
out:
    mcx_group_tx_free(tx);
    mcx_group_keys_free(keys);
    return err;
}

static mcx_err listen_anew(struct group_state *s)
{
    const struct mcx_group_rx_config config = { .max_speakers = s->num_speakers, .derivations_per_s = UINT32_MAX };

    mcx_group_rx_free(s->rx);
    s->rx = NULL;
    s->next = 0;
    return mcx_group_rx_new(&s->rx, s->keys, GROUP, &config);
}

static mcx_err open_next(struct group_state *s)
{
    struct mcx_wr wr = mcx_wr(s->work, sizeof s->work);
    struct mcx_group_speaker speaker;

    memcpy(s->work, s->sealed[s->next++], SEALED_LEN);
    return mcx_group_rx_open(s->rx, &wr, &speaker, mcx_bytes(s->work, SEALED_LEN), s->now, NULL);
}

/* Hear everybody once. */
static mcx_err fill_cache(struct group_state *s)
{
    MCX_TRY(listen_anew(s));
    for (size_t i = 0; i < s->num_speakers; i++) {
        MCX_TRY(open_next(s));
    }
    return MCX_OK;
}

static mcx_err setup(void **state, size_t num_speakers)
{
    struct group_state *s = mcx_secret_alloc(sizeof *s);
    size_t each = MIN_PACKETS / num_speakers > MIN_EACH ? MIN_PACKETS / num_speakers : MIN_EACH;

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->rng = mcx_rng_system();
    s->now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    s->num_speakers = num_speakers;
    s->num_packets = each * num_speakers;
    s->sealed = calloc(s->num_packets, sizeof *s->sealed);
    if (s->sealed == NULL) {
        return MCX_E_NOMEM;
    }
    s->msg = (struct mcx_imessage){
        .type = MCX_KEY_GMK, .rand_len = MCX_RAND_LEN, .time = s->now, .initiator = GMS, .rcc = true, .roc_rate = 1
    };
    MCX_TRY(mcx_rng_fill(&s->rng, s->msg.rand, MCX_RAND_LEN));
    MCX_TRY(mcx_key_generate(&s->msg.key, &s->msg.key_id, MCX_KEY_GMK, &s->rng));
    for (size_t i = 0; i < num_speakers; i++) {
        MCX_TRY(speak(s, i));
    }
    MCX_TRY(keys_of(&s->keys, s, num_speakers));
    return fill_cache(s);
}

/* One speaker, and a listener who also holds keys of 511 other groups; the one that is used came last. */
static mcx_err setup_512_keys(void **state)
{
    struct group_state *s = NULL;
    struct mcx_imessage used;
    enum mcx_group_key_change change;
    mcx_err err = setup(state, 1);

    s = *state;
    if (err != MCX_OK) {
        return err;
    }
    used = s->msg;
    mcx_group_keys_free(s->keys);
    s->keys = NULL;
    MCX_GO(err, mcx_group_keys_new(&s->keys));
    for (int i = 0; i < 512 && err == MCX_OK; i++) {
        char group[64];

        (void)snprintf(group, sizeof group, "sip:other%d@example.org", i);
        if (i < 511) {
            MCX_GO(err, mcx_key_generate(&s->msg.key, &s->msg.key_id, MCX_KEY_GMK, &s->rng));
        } else {
            s->msg = used;
        }
        MCX_GO(err, mcx_guk_id(&s->msg.csb_id, s->msg.key_id, &s->msg.key, mcx_bytes_str(s->msg.responder)));
        err = mcx_group_keys_accept(s->keys, &change, &s->msg, GMS, i < 511 ? group : GROUP, s->now, NULL);
    }
    err = err == MCX_OK ? fill_cache(s) : err;
out:
    mcx_wipe(&used, sizeof used);
    return err;
}

static mcx_err setup_1(void **state)
{
    return setup(state, 1);
}

static mcx_err setup_16(void **state)
{
    return setup(state, 16);
}

static mcx_err setup_1000(void **state)
{
    return setup(state, 1000);
}

static void teardown(void *state)
{
    struct group_state *s = state;

    if (s != NULL) {
        mcx_group_rx_free(s->rx);
        mcx_group_keys_free(s->keys);
        free(s->sealed);
        mcx_secret_free(s);
    }
}

static mcx_err run_receive(void *state)
{
    struct group_state *s = state;

    if (s->next == s->num_packets) {
        MCX_TRY(fill_cache(s)); /* once in more than a hundred packets of each */
    }
    return open_next(s);
}

/* A packet under a GMK-ID that is not held, by the listener with 512 keys. */
static mcx_err run_forged(void *state)
{
    struct group_state *s = state;
    struct mcx_wr wr = mcx_wr(s->work, sizeof s->work);
    struct mcx_group_speaker speaker;

    memcpy(s->work, s->sealed[0], SEALED_LEN);
    s->work[SEALED_LEN - 12] ^= 0x08; /* the first octet of the MKI; its tag stays */
    return mcx_group_rx_open(s->rx, &wr, &speaker, mcx_bytes(s->work, SEALED_LEN), s->now, NULL) == MCX_E_NOKEY
               ? MCX_OK
               : MCX_E_BUG;
}

/* A packet of a speaker never heard before, by a listener that has heard nobody: his key is derived, the packet opened.
 */
static mcx_err run_first(void *state)
{
    struct group_state *s = state;

    MCX_TRY(listen_anew(s));
    return open_next(s);
}

const struct bench_item bench_group[] = {
    { "group.receive-1", setup_1, run_receive, teardown },
    { "group.receive-16", setup_16, run_receive, teardown },
    { "group.receive-1000", setup_1000, run_receive, teardown },
    { "group.receive-512-keys", setup_512_keys, run_receive, teardown },
    { "group.forged-mki-512-keys", setup_512_keys, run_forged, teardown },
    { "group.first-packet", setup_1, run_first, teardown },
    { NULL, NULL, NULL, NULL },
};

const struct bench_ratio bench_group_ratios[] = {
    { "group.receive-512-keys", "group.receive-1", 1.3 },
    { NULL, NULL, 0.0 },
};
