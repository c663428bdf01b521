/* SPDX-License-Identifier: Apache-2.0 */
/* Every published I_MESSAGE is opened, or refused for the reason that its file states; the composed ones are made
 * again octet for octet (tests/vectors/README.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/mikey.h>

#include "support/fake.h"
#include "support/ring.h"

#define DIR "mikey-imessages/"

enum { SHORT = 1, CLEAR = 2, NEIGHBOURS = 4, STATUS = 8, ROLE3 = 16 };

static const struct {
    const char *file;
    unsigned options; /* needed to open it */
    mcx_err strict;   /* what it gives without them */
    const char *reason;
} rows[] = {
    { DIR "own-1-pck-default-profile.txt", 0, MCX_OK, "" },
    { DIR "own-2-pck-sakke-to-self.txt", 0, MCX_OK, "" },
    { DIR "own-3-gmk.txt", 0, MCX_OK, "" },
    { DIR "own-4-gmk-hidden-identities.txt", 0, MCX_OK, "" },
    { DIR "own-5-csk.txt", 0, MCX_OK, "" },
    { DIR "streamwide-v5-3-pck.txt", 0, MCX_OK, "" },
    { DIR "streamwide-v4-1-gmk.txt", 0, MCX_OK, "" },
    { DIR "streamwide-v4-2-csk.txt", 0, MCX_OK, "" },
    { DIR "streamwide-v4-3-pck.txt", 0, MCX_OK, "" },
    { DIR "streamwide-v5-4-gmk-legacy.txt", CLEAR, MCX_E_POLICY, "key parameters in clear" },
    { DIR "streamwide-period-15-gmk.txt", NEIGHBOURS, MCX_E_NOKEY, "no key set for the key period of the time stamp" },
    { DIR "streamwide-period-1518-gmk.txt", NEIGHBOURS, MCX_E_NOKEY,
      "no key set for the key period of the time stamp" },
    { DIR "streamwide-period-1540-gmk.txt", NEIGHBOURS, MCX_E_NOKEY,
      "no key set for the key period of the time stamp" },
    { DIR "streamwide-period-1657-gmk.txt", NEIGHBOURS, MCX_E_NOKEY,
      "no key set for the key period of the time stamp" },
    { DIR "alea-v3-1-gmk.txt", STATUS, MCX_E_POLICY, "the key is revoked" },
    { DIR "eazon-1-pck.txt", SHORT, MCX_E_AUTH, "the signature does not verify" },
};

static struct mcx_imessage_policy policy_of(unsigned options)
{
    return (struct mcx_imessage_policy){
        .accept_short_sign = (options & SHORT) != 0,
        .accept_clear_key_params = (options & CLEAR) != 0,
        .period_neighbours = (options & NEIGHBOURS) != 0,
        .ignore_status = (options & STATUS) != 0,
        .accept_role3_kms = (options & ROLE3) != 0,
    };
}

static void want(const char *file, const char *name, const void *p, size_t len)
{
    struct vec v = vec_get(file, NULL, name);

    if (v.len != len || memcmp(v.p, p, len) != 0) {
        fail_msg("%s: %s differs", file, name);
    }
}

static void want_masters(const char *file, const struct mcx_imessage *msg)
{
    struct mcx_cs_ids ids = mcx_cs_ids(msg->type);

    for (size_t i = 0; i < ids.num; i++) {
        struct mcx_srtp_master master;
        char name[32];

        assert_int_equal(
            mcx_srtp_master_derive(&master, &msg->key, ids.id[i], msg->csb_id, mcx_bytes(msg->rand, msg->rand_len)),
            MCX_OK);
        (void)snprintf(name, sizeof name, "cs%02u.master_key", ids.id[i]);
        want(file, name, master.key.octet, sizeof master.key.octet);
        (void)snprintf(name, sizeof name, "cs%02u.master_salt", ids.id[i]);
        want(file, name, master.salt, sizeof master.salt);
    }
}

static void want_id(const char *file, const char *name, uint32_t id)
{
    const uint8_t octets[] = { (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id };

    want(file, name, octets, sizeof octets);
}

static void want_opened(const char *file, const struct mcx_imessage *msg)
{
    struct vec v;

    want(file, "ssv", msg->key.octet, sizeof msg->key.octet);
    want(file, "rand", msg->rand, msg->rand_len);
    want_id(file, "csb_id", msg->csb_id);
    want_id(file, msg->type == MCX_KEY_GMK ? "gmk_id" : "csb_id", msg->key_id);
    want(file, "responder_uri", msg->responder, strlen(msg->responder));
    want(file, "initiator_uid", msg->initiator_uid, sizeof msg->initiator_uid);
    if (vec_find(&v, file, NULL, "idri")) {
        want(file, "idri", msg->initiator, strlen(msg->initiator));
    } else {
        assert_string_equal(msg->initiator, "");
    }
    assert_int_equal(msg->has_key_params, vec_find(&v, file, NULL, "ext07.data"));
    want_masters(file, msg);
}

static void test_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec message = vec_get(rows[i].file, NULL, "message");
        struct mcx_keyring *ring = ring_for(rows[i].file);
        struct mcx_imessage_policy strict = policy_of(0);
        struct mcx_imessage_policy lenient = policy_of(rows[i].options);
        struct mcx_ntp now = ring_time(rows[i].file);
        struct mcx_imessage msg;
        struct mcx_refusal why = { "", "" };
        mcx_err err = mcx_imessage_open(&msg, vec_bytes(&message), ring, NULL, now, &strict, &why);

        if (err != rows[i].strict || strcmp(why.reason, rows[i].reason) != 0) {
            fail_msg("%s: %s, %s", rows[i].file, mcx_err_name(err), why.reason);
        }
        err = mcx_imessage_open(&msg, vec_bytes(&message), ring, NULL, now, &lenient, &why);
        if (err != MCX_OK) {
            fail_msg("%s: %s, %s", rows[i].file, mcx_err_name(err), why.reason);
        }
        want_opened(rows[i].file, &msg);
        mcx_imessage_clear(&msg);
        mcx_keyring_free(ring);
    }
}

/* PRF field 2 and a time stamp in the wrong octet order: refused in every mode (TS 33.180 E.1.2, RFC 3830 6.6). */
static void test_nonconformant(void **state)
{
    const char *file = DIR "eazon-2-gmk-nonconformant.txt";
    struct vec message = vec_get(file, NULL, "message");
    struct mcx_keyring *ring = ring_for(file);

    (void)state;
    for (unsigned options = 0; options < 32; options++) {
        struct mcx_imessage_policy policy = policy_of(options);
        struct mcx_imessage msg;
        struct mcx_refusal why = { "", "" };

        policy.past_skew_s = MCX_SKEW_ANY;
        assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&message), ring, NULL, ring_time(file), &policy, &why),
                         MCX_E_UNSUP);
        assert_non_null(strstr(why.reason, "PRF"));
    }
    mcx_keyring_free(ring);
}

/* No receiver key is published: the signature is good without the SIGN header, and only so. */
static void test_signature_only(void **state)
{
    static const char *const files[] = { DIR "eazon-3-pck-signature-only.txt", DIR "eazon-4-pck-signature-only.txt",
                                         DIR "eazon-5-pck-signature-only.txt" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct vec message = vec_get(files[i], NULL, "message");
        struct vec uid = vec_get(files[i], NULL, "initiator_uid");
        struct vec kpak = vec_get(files[i], NULL, "kpak");
        struct mcx_mikey_sakke_msg m;
        struct mcx_eccsi_kms *kms = NULL;

        assert_int_equal(mcx_mikey_sakke_msg_read(&m, vec_bytes(&message), NULL), MCX_OK);
        assert_int_equal(mcx_eccsi_kms_new(&kms, kpak.p), MCX_OK);
        assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&uid), m.signed_short, m.sign.signature.p), MCX_OK);
        assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&uid), m.signed_octets, m.sign.signature.p), MCX_E_AUTH);
        mcx_eccsi_kms_free(kms);
    }
}

static const struct mcx_bytes group1 = { (const uint8_t *)"sip:group1@mcx.example.net", 26 };

/* Inputs of the composed messages that are not in the messages themselves. */
static const struct {
    const char *file;
    enum mcx_key_type type;
    uint32_t key_id;
    unsigned from; /* key set */
    bool hide, self, explicit_policy, params;
    struct mcx_key_params kp;
} own[] = {
    { DIR "own-1-pck-default-profile.txt", MCX_KEY_PCK, 0x1a2b3c4d, 2, false, false, false, false, { 0 } },
    { DIR "own-2-pck-sakke-to-self.txt",
      MCX_KEY_PCK,
      0x1a2b3c4d,
      2,
      false,
      true,
      false,
      true,
      { .status = 1, .activation = 0x69a81ec0, .expiry = 0x69a97040 } },
    { DIR "own-3-gmk.txt",
      MCX_KEY_GMK,
      0x0123cdef,
      4,
      false,
      false,
      false,
      true,
      { .status = 1,
        .activation = 0x69a81ec0,
        .expiry = 0x6a5b6ac0,
        .text = { (const uint8_t *)"Fire 1", 6 },
        .groups = &group1,
        .num_groups = 1 } },
    { DIR "own-4-gmk-hidden-identities.txt",
      MCX_KEY_GMK,
      0x0123cdef,
      4,
      true,
      false,
      false,
      true,
      { .status = 1,
        .activation = 0x69a81ec0,
        .expiry = 0x6a5b6ac0,
        .text = { (const uint8_t *)"Fire 1", 6 },
        .groups = &group1,
        .num_groups = 1 } },
    { DIR "own-5-csk.txt", MCX_KEY_CSK, 0x2bcdef01, 2, false, false, true, false, { 0 } },
};

static void test_composed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        struct vec message = vec_get(own[i].file, NULL, "message");
        struct vec ssv = vec_get(own[i].file, NULL, "ssv");
        struct vec rand = vec_get(own[i].file, NULL, "rand");
        struct vec from = vec_get(own[i].file, NULL, "initiator_uri");
        struct vec to = vec_get(own[i].file, NULL, "responder_uri");
        struct vec script = { .len = 0 };
        struct vec j = vec_hex("0000000000000000000000000000000000000000000000000000000000034567");
        struct fake_rng state_rng = { 0 };
        struct mcx_rng rng = fake_rng(&state_rng);
        struct mcx_keyring *ring = ring_own(1u << own[i].from);
        struct mcx_key key;
        uint8_t buf[MCX_IMESSAGE_MAX];
        struct mcx_wr out = mcx_wr(buf, sizeof buf);
        struct mcx_refusal why = { "", "" };
        struct mcx_imessage_params p = {
            .type = own[i].type,
            .key = &key,
            .key_id = own[i].key_id,
            .rand = vec_bytes(&rand),
            .time = ring_time(own[i].file),
            .from = vec_bytes(&from),
            .to = vec_bytes(&to),
            .hide_identities = own[i].hide,
            .sakke_to_self = own[i].self,
            .explicit_policy = own[i].explicit_policy,
            .key_params = own[i].params ? &own[i].kp : NULL,
        };
        mcx_err err;

        if (own[i].params) { /* the IV is drawn first, then ECCSI draws j */
            script = vec_get(own[i].file, NULL, "keyparams.iv");
        }
        memcpy(script.p + script.len, j.p, j.len);
        script.len += j.len;
        state_rng.script = vec_bytes(&script);
        memcpy(key.octet, ssv.p, sizeof key.octet);
        err = mcx_imessage_make(&out, &p, ring, &rng, &why);
        if (err != MCX_OK) {
            fail_msg("%s: %s %s", own[i].file, mcx_err_name(err), why.reason);
        }
        if (out.len != message.len || memcmp(buf, message.p, out.len) != 0) {
            size_t at = 0;

            while (at < out.len && at < message.len && buf[at] == message.p[at]) {
                at++;
            }
            fail_msg("%s: differs at octet %zu of %zu, made %zu", own[i].file, at, message.len, out.len);
        }
        mcx_keyring_free(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_nonconformant),
        cmocka_unit_test(test_signature_only),
        cmocka_unit_test(test_composed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
