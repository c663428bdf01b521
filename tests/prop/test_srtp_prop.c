/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random loss, order and repetition against a plain model: the receiver accepts a packet if, and only if, its true
 * index was not accepted before and is less than 128 behind the highest accepted one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/srtp.h>

#include "support/fake.h"
#include "support/srtp_pair.h"

#define NUM    3000 /* packets of a run */
#define WINDOW 128

struct model {
    uint64_t top;
    bool any;
    bool accepted[NUM];
};

static uint32_t draw(struct fake_rng *rng, uint32_t below)
{
    struct mcx_rng r = fake_rng(rng);
    uint32_t v = 0;

    assert_int_equal(mcx_rng_fill(&r, &v, sizeof v), MCX_OK);
    return v % below;
}

static bool model_accepts(struct model *m, size_t n, uint64_t index)
{
    if (m->accepted[n] || (m->any && index + WINDOW <= m->top)) {
        return false;
    }
    m->accepted[n] = true;
    m->top = m->any && m->top > index ? m->top : index;
    m->any = true;
    return true;
}

static struct packet sent[NUM];
static uint64_t sent_index[NUM];

/* SEQ steps of 1 mostly; `max_gap` now and then, so that the window is passed and SEQ wraps often. */
static void send_all(struct pair *pair, struct fake_rng *rng, uint32_t roc, uint16_t first, uint32_t max_gap)
{
    uint64_t index = (uint64_t)roc << 16 | first;

    pair_new_tx(pair, roc);
    for (size_t n = 0; n < NUM; n++) {
        struct packet plain = packet_rtp(PAIR_SSRC, (uint16_t)index, 20);

        assert_int_equal(pair_protect(&sent[n], pair, &plain), MCX_OK);
        sent_index[n] = index;
        index += 1 + (draw(rng, 40) == 0 ? draw(rng, max_gap) : 0);
    }
}

static void run(uint64_t seed, size_t mki_len, uint16_t rate, uint32_t roc, uint16_t first, uint32_t max_gap)
{
    static struct model model;
    struct fake_rng rng = { .seed = seed };
    struct pair pair;
    size_t accepted = 0;

    memset(&model, 0, sizeof model);
    pair_init(&pair, mki_len, rate, 2);
    send_all(&pair, &rng, roc, first, max_gap);
    mcx_srtp_rx_set_roc(pair.rx, roc);
    for (size_t step = 0; step < 2 * NUM; step++) {
        size_t base = step / 2;
        size_t back = draw(&rng, 4) == 0 ? draw(&rng, 200) : draw(&rng, 4);
        size_t n = back > base ? 0 : base - back;
        struct packet got;
        mcx_err err;

        err = pair_unprotect(&got, &pair, &sent[n]);
        if (model_accepts(&model, n, sent_index[n])) {
            struct packet plain = packet_rtp(PAIR_SSRC, (uint16_t)sent_index[n], 20);

            assert_int_equal(err, MCX_OK);
            assert_memory_equal(got.p, plain.p, plain.len);
            accepted++;
        } else {
            /* half a round of SEQ behind, it is taken for one ahead, and the tag tells (RFC 3711 3.3.1) */
            bool far = rate != 1 && sent_index[n] + 0x7fff < model.top;

            assert_true(err == MCX_E_REPLAY || (far && err == MCX_E_AUTH));
        }
    }
    assert_true(accepted > NUM / 2);
    pair_clear(&pair);
}

static void dense(void **state)
{
    (void)state;
    run(1, 4, 0, 0, 100, 2);
    run(2, 4, 0, 0, 64000, 2);
    run(3, 8, 1, 5, 65000, 2);
}

static void with_gaps(void **state)
{
    (void)state;
    run(4, 4, 0, 0, 0, 400);
    run(5, 8, 1, 77, 30000, 400);
    run(6, 8, 3, 77, 30000, 400);
    run(7, 4, 0, 1000, 1, 9000); /* SEQ wraps some four times */
    run(8, 8, 1, UINT32_MAX - 20, 1, 9000);
}

/* Forged packets between genuine ones change no decision. */
static void with_forgeries(void **state)
{
    struct fake_rng rng = { .seed = 9 };
    struct pair pair;
    size_t num_forged = 0;

    (void)state;
    pair_init(&pair, 8, 1, 1);
    send_all(&pair, &rng, 1, 60000, 50);
    for (size_t n = 0; n < NUM; n++) {
        struct packet bad = sent[n];
        struct packet got;
        size_t at = draw(&rng, (uint32_t)bad.len);

        bad.p[at] = (uint8_t)(bad.p[at] ^ (1 + draw(&rng, 255)));
        if (draw(&rng, 3) == 0) {
            assert_int_not_equal(pair_unprotect(&got, &pair, &bad), MCX_OK);
            num_forged++;
        }
        assert_int_equal(pair_unprotect(&got, &pair, &sent[n]), MCX_OK);
    }
    assert_true(num_forged > NUM / 5);
    pair_clear(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense),
        cmocka_unit_test(with_gaps),
        cmocka_unit_test(with_forgeries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
