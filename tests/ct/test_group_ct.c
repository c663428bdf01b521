/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GMK marked as secret goes through all that is done with one: taken in, compared with the one that is held, sealed,
 * and the keys of speakers derived from it. Identifiers, RAND and packets are public. The store key is not marked: with
 * it every length and flag of the sealed form would count as secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include <mcx/group_media.h>
#include <mcx/secret.h>

#include "support/fake.h"
#include "support/group.h"
#include "support/srtp_pair.h"

static struct mcx_imessage secret_msg(unsigned t)
{
    struct mcx_imessage m = group_msg("sip:alice@example.org", GROUP_GMK_ID, t);

    MCX_CT_SECRET(&m.key, sizeof m.key);
    return m;
}

static void held_and_sealed(void **state)
{
    struct mcx_imessage m = secret_msg(0);
    struct mcx_group_keys *keys = group_keys_with(&m);
    struct mcx_group_keys *again = NULL;
    struct fake_rng rng_state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    uint8_t store_key[MCX_STORE_KEY_LEN] = { 1 };
    enum mcx_group_key_change change;
    uint8_t *sealed = NULL;
    size_t len = 0;

    (void)state;
    m = secret_msg(1);
    assert_int_equal(group_accept(keys, &change, &m, 1, NULL), MCX_OK);
    m = secret_msg(2);
    m.key.octet[5] ^= 1;
    assert_int_equal(group_accept(keys, &change, &m, 1, NULL), MCX_E_POLICY);
    assert_int_equal(mcx_group_keys_seal(&sealed, &len, keys, store_key, &rng), MCX_OK);
    MCX_CT_PUBLIC(sealed, len); /* ciphertext, written to a file */
    assert_int_equal(mcx_group_keys_open(&again, mcx_bytes(sealed, len), store_key, 0, NULL), MCX_OK);
    free(sealed);
    mcx_group_keys_free(keys);
    mcx_group_keys_free(again);
}

static void speech(void **state)
{
    struct mcx_imessage m = secret_msg(0);
    struct mcx_group_keys *keys = group_keys_with(&m);
    struct fake_rng rng_state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_group_tx *tx = NULL;
    struct mcx_group_rx *rx = NULL;
    struct mcx_group_speaker speaker;
    struct packet plain, sealed, opened;
    struct mcx_wr wr;

    (void)state;
    assert_int_equal(mcx_group_tx_new(&tx, keys, GROUP_FIRE, group_time(0), &rng, NULL), MCX_OK);
    assert_int_equal(mcx_group_rx_new(&rx, keys, GROUP_FIRE, NULL), MCX_OK);
    plain = packet_rtp(mcx_group_tx_ssrc(tx), 1, 60);
    MCX_CT_SECRET(plain.p + 12, 60);
    wr = mcx_wr(sealed.p, sizeof sealed.p);
    assert_int_equal(mcx_group_tx_protect(tx, &wr, packet_bytes(&plain)), MCX_OK);
    MCX_CT_PUBLIC(sealed.p, wr.len); /* on the wire */
    sealed.len = wr.len;
    wr = mcx_wr(opened.p, sizeof opened.p);
    assert_int_equal(mcx_group_rx_open(rx, &wr, &speaker, packet_bytes(&sealed), group_time(0), NULL), MCX_OK);
    mcx_group_tx_free(tx);
    mcx_group_rx_free(rx);
    mcx_group_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(held_and_sealed), cmocka_unit_test(speech) };

    return cmocka_run_group_tests_name("group constant time", tests, NULL, NULL);
}
