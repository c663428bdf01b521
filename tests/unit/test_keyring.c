/* SPDX-License-Identifier: Apache-2.0 */
/* What a keyring takes in, replaces, refuses and forgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "keys/keyring_int.h"
#include "support/ring.h"

#define KMS1   "kms1.mcx.example.net"
#define KMS2   "kms.partner.example"
#define ALICE  "sip:alice@mcx.example.net"
#define PERIOD 6582
#define NOW    UINT64_C(1772625600) /* Unix seconds, in period 6582 */

static struct mcx_keyring *empty(void)
{
    struct mcx_keyring *ring = NULL;

    assert_int_equal(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE), MCX_OK);
    return ring;
}

static struct mcx_bytes str(const char *s)
{
    return mcx_bytes_str(s);
}

static void test_cert_checks(void **state)
{
    struct mcx_keyring *ring = empty();
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_refusal why = { "", "" };

    (void)state;
    cert.period.length = 0;
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, &why), MCX_E_FORMAT);
    cert.period = (struct mcx_key_period){ 100, 100 };
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, &why), MCX_E_FORMAT);
    cert.period = (struct mcx_key_period){ 604800, 345600 };
    cert.pub_enc_key[200] ^= 1;
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, &why), MCX_E_POINT);
    cert.pub_enc_key[200] ^= 1;
    cert.pub_auth_key[30] ^= 1;
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, &why), MCX_E_POINT);
    cert.pub_auth_key[30] ^= 1;
    assert_null(mcx_ring_cert_of(ring, str(KMS1), NOW));
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, &why), MCX_OK);
    assert_non_null(mcx_ring_cert_of(ring, str(KMS1), NOW));
    ring_cert_clear(&cert);
    mcx_keyring_free(ring);
}

static void test_cert_dates_and_revocation(void **state)
{
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct mcx_kms_cert cert = ring_cert_own();

    (void)state;
    cert.valid_from = NOW;
    cert.valid_to = NOW + 10;
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, NULL), MCX_OK); /* same keys: key sets stay */
    assert_int_equal(ring->num_sets, 1);
    assert_null(mcx_ring_cert_of(ring, str(KMS1), NOW - 1));
    assert_non_null(mcx_ring_cert_of(ring, str(KMS1), NOW));
    assert_non_null(mcx_ring_cert_of(ring, str(KMS1), NOW + 10));
    assert_null(mcx_ring_cert_of(ring, str(KMS1), NOW + 11));
    cert.revoked = true;
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, NULL), MCX_OK);
    assert_null(mcx_ring_cert_of(ring, str(KMS1), NOW));
    assert_true(mcx_ring_knows_kms(ring, str(KMS1)));
    assert_int_equal(ring->num_certs, 1);
    ring_cert_clear(&cert);
    mcx_keyring_free(ring);
}

/* New keys of the KMS: the key sets of the old ones go. What another KMS says about a home KMS is not heard. */
static void test_cert_replacement(void **state)
{
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct ring_kms external = ring_kms_new(KMS1, MCX_KMS_EXTERNAL, NULL, 3);
    struct ring_kms root = ring_kms_new(KMS1, MCX_KMS_ROOT, NULL, 3);
    struct mcx_kms_cert before = ring_cert_own();

    (void)state;
    assert_int_equal(mcx_keyring_add_cert(ring, &external.cert, NULL), MCX_OK);
    assert_int_equal(ring->num_certs, 1);
    assert_memory_equal(ring->certs[0]->doc.pub_auth_key, before.pub_auth_key, sizeof before.pub_auth_key);
    assert_int_equal(ring->num_sets, 1);
    assert_int_equal(mcx_keyring_add_cert(ring, &root.cert, NULL), MCX_OK);
    assert_int_equal(ring->num_certs, 1);
    assert_memory_equal(ring->certs[0]->doc.pub_auth_key, root.cert.pub_auth_key, sizeof before.pub_auth_key);
    assert_int_equal(ring->num_sets, 0);
    mcx_keyring_free(ring);

    ring = empty(); /* the other way round: the External one goes when the home KMS is heard */
    assert_int_equal(mcx_keyring_add_cert(ring, &external.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(ring, &before, NULL), MCX_OK);
    assert_int_equal(ring->num_certs, 1);
    assert_int_equal(ring->certs[0]->doc.role, MCX_KMS_ROOT);
    mcx_keyring_free(ring);
    ring_cert_clear(&before);
    ring_kms_clear(&external);
    ring_kms_clear(&root);
}

static void want_set(struct mcx_keyring *ring, const struct mcx_kms_key_set *set, mcx_err err)
{
    struct mcx_refusal why = { "", "" };

    assert_int_equal(mcx_keyring_add_key_set(ring, set, &why), err);
    assert_true(err == MCX_OK || why.reason[0] != '\0');
}

static void test_key_set_checks(void **state)
{
    struct mcx_keyring *ring = empty();
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_kms_key_set set = ring_set_own(2);

    (void)state;
    want_set(ring, &set, MCX_E_NOKEY);
    assert_int_equal(mcx_keyring_add_cert(ring, &cert, NULL), MCX_OK);
    set.uid[0] ^= 1;
    want_set(ring, &set, MCX_E_AUTH);
    set.uid[0] ^= 1;
    set.rsk[256] ^= 1;
    want_set(ring, &set, MCX_E_POINT);
    set.rsk[256] ^= 1;
    set.ssk[31] ^= 1;
    want_set(ring, &set, MCX_E_AUTH);
    set.ssk[31] ^= 1;
    set.pvt[64] ^= 1;
    want_set(ring, &set, MCX_E_POINT);
    set.pvt[64] ^= 1;
    set.period_no++; /* the UID is that of the period before */
    want_set(ring, &set, MCX_E_AUTH);
    set.period_no = UINT64_MAX;
    want_set(ring, &set, MCX_E_FORMAT);
    set.period_no = PERIOD;
    assert_int_equal(ring->num_sets, 0);
    want_set(ring, &set, MCX_OK);
    want_set(ring, &set, MCX_OK); /* again: replaces */
    assert_int_equal(ring->num_sets, 1);
    set.revoked = true;
    want_set(ring, &set, MCX_E_EXPIRED);
    assert_int_equal(ring->num_sets, 0);
    ring_cert_clear(&cert);
    ring_set_clear(&set);
    mcx_keyring_free(ring);
}

/* RSK of one user with the rest of another: on the curve, but the equation does not hold. */
static void test_foreign_rsk(void **state)
{
    struct mcx_keyring *ring = ring_own(0);
    struct mcx_kms_key_set set = ring_set_own(2);
    struct mcx_kms_key_set other = ring_set_own(3);

    (void)state;
    memcpy(set.rsk, other.rsk, sizeof set.rsk);
    want_set(ring, &set, MCX_E_AUTH);
    ring_set_clear(&set);
    ring_set_clear(&other);
    mcx_keyring_free(ring);
}

static void test_key_set_dates(void **state)
{
    /* Period 6582 of this KMS: 2026-02-27T00:00:00Z up to, not with, 2026-03-06T00:00:00Z. */
    const uint64_t start = 1772150400, end = 1772755200;
    static const struct {
        int64_t from, to; /* from the start and the end of the period; INT64_MAX = absent */
        mcx_err want;
    } rows[] = {
        { 0, -1, MCX_OK },
        { 0, 0, MCX_OK },
        { 3600, -3600, MCX_OK },
        { INT64_MAX, INT64_MAX, MCX_OK },
        { -1, -1, MCX_E_EXPIRED },
        { 0, 1, MCX_E_EXPIRED },
        { 604800, INT64_MAX, MCX_E_EXPIRED },
        { INT64_MAX, -604801, MCX_E_EXPIRED },
    };
    struct mcx_keyring *ring = ring_own(0);
    struct mcx_kms_key_set set = ring_set_own(2);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set.valid_from = rows[i].from == INT64_MAX ? 0 : (uint64_t)((int64_t)start + rows[i].from);
        set.valid_to = rows[i].to == INT64_MAX ? 0 : (uint64_t)((int64_t)end + rows[i].to);
        want_set(ring, &set, rows[i].want);
    }
    ring_set_clear(&set);
    mcx_keyring_free(ring);
}

static void test_expiry(void **state)
{
    const uint64_t end = 1772755200 + MCX_NTP_UNIX_OFFSET;
    struct mcx_keyring *ring = ring_own(1u << 2);

    (void)state;
    mcx_keyring_expire(ring, (struct mcx_ntp){ end + 300, 0 });
    assert_non_null(ring->sets[0]->signing);
    mcx_keyring_expire(ring, (struct mcx_ntp){ end + 301, 0 });
    assert_null(ring->sets[0]->signing);
    assert_non_null(ring->sets[0]->rsk);
    mcx_keyring_expire(ring, (struct mcx_ntp){ end + 2 * 604800 - 1, 0 });
    assert_int_equal(ring->num_sets, 1);
    mcx_keyring_expire(ring, (struct mcx_ntp){ end + 2 * 604800, 0 });
    assert_int_equal(ring->num_sets, 0);
    mcx_keyring_free(ring);
}

static void test_document(void **state)
{
    struct mcx_keyring *ring = empty();
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_kms_key_set sets[] = { ring_set_own(2), ring_set_own(3), ring_set_own(4) };
    struct mcx_kmsdoc doc = { .certs = &cert, .num_certs = 1, .key_sets = sets, .num_key_sets = 3 };

    (void)state;
    assert_int_equal(mcx_keyring_add_doc(ring, &doc, NULL), MCX_OK);
    assert_int_equal(ring->num_sets, 3);
    sets[0].revoked = true; /* goes; the others are taken in again */
    assert_int_equal(mcx_keyring_add_doc(ring, &doc, NULL), MCX_OK);
    assert_int_equal(ring->num_sets, 2);
    sets[1].ssk[0] ^= 1;
    assert_int_equal(mcx_keyring_add_doc(ring, &doc, NULL), MCX_E_AUTH);
    assert_int_equal(ring->num_sets, 2); /* what was held stays */
    for (size_t i = 0; i < 3; i++) {
        ring_set_clear(&sets[i]);
    }
    ring_cert_clear(&cert);
    mcx_keyring_free(ring);
}

static void test_open_only(void **state)
{
    struct mcx_keyring *ring = ring_own(0);
    struct mcx_kms_key_set set = ring_set_own(2);

    (void)state;
    memset(set.ssk, 0, sizeof set.ssk);
    want_set(ring, &set, MCX_E_AUTH);
    set.open_only = true;
    want_set(ring, &set, MCX_OK);
    assert_null(ring->sets[0]->signing);
    ring_set_clear(&set);
    mcx_keyring_free(ring);
}

/* Longest domain on label boundaries; the home KMS for what nobody claims (docs/DEVIATIONS.md "mikey-domain"). */
static void test_domains(void **state)
{
    static const struct {
        const char *uri;
        const char *kms;  /* who is responsible, NULL = nobody */
        const char *list; /* domain list of the home KMS, NULL = none */
    } rows[] = {
        { ALICE, KMS1, "mcx.example.net" },
        { "sip:alice@MCX.example.NET", KMS1, "mcx.example.net" },
        { "sip:alice@sub.mcx.example.net", KMS1, "mcx.example.net" },
        { "alice@mcx.example.net", KMS1, "mcx.example.net" },
        { "mcptt.mcx.example.net", KMS1, "mcx.example.net" },
        { "sip:mcptt.mcx.example.net:5061", KMS1, "mcx.example.net" },
        { "sips:alice@mcx.example.net;transport=tls", KMS1, "mcx.example.net" },
        { "sip:alice@evilmcx.example.net", KMS1, "mcx.example.net" },
        { "sip:alice@mcx.example.net.evil.example", KMS1, "mcx.example.net" },
        { "sip:alice@other.example", KMS1, "mcx.example.net" },
        { "sip:bob@evilpartner.example", KMS1, NULL },
        { "sip:bob@partner.example.evil.example", KMS1, "mcx.example.net" },
        { "sip:alice@other.example", KMS1, NULL },
        { ALICE, KMS1, NULL },
        { "sip:bob@partner.example", KMS2, "mcx.example.net" },
        { "sip:bob@partner.example", KMS2, NULL },
        { "sip:bob@sub.partner.example", KMS2, NULL },
        { "sip:bob@partner.example@mcx.example.net", NULL, "mcx.example.net" }, /* two hosts to choose from */
        { "sip:bob@mcx.example.net@partner.example", NULL, "mcx.example.net" },
        { "sip:bob@partner.example@sub.mcx.example.net", NULL, "mcx.example.net" },
        { "tel:+15550100", KMS1, NULL },
        { "tel:+15550100", KMS1, "mcx.example.net" },
        { "sip:bob@partner.example@mcx.example.net", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_keyring *ring = empty();
        struct ring_kms home = ring_kms_new(KMS1, MCX_KMS_ROOT, rows[i].list, 0);
        struct ring_kms partner = ring_kms_new(KMS2, MCX_KMS_EXTERNAL, "partner.example", 3);
        const struct mcx_ring_cert *of_home, *of_partner;

        assert_int_equal(mcx_keyring_add_cert(ring, &partner.cert, NULL), MCX_OK);
        assert_int_equal(mcx_keyring_add_cert(ring, &home.cert, NULL), MCX_OK);
        of_home = mcx_ring_cert_of(ring, str(KMS1), NOW);
        of_partner = mcx_ring_cert_of(ring, str(KMS2), NOW);
        if (mcx_ring_is_responsible(ring, of_home, str(rows[i].uri)) !=
                (rows[i].kms != NULL && strcmp(rows[i].kms, KMS1) == 0) ||
            mcx_ring_is_responsible(ring, of_partner, str(rows[i].uri)) !=
                (rows[i].kms != NULL && strcmp(rows[i].kms, KMS2) == 0)) {
            fail_msg("row %zu: %s", i, rows[i].uri);
        }
        /* For sending, the home KMS takes what nobody claims. */
        assert_ptr_equal(mcx_ring_cert_for(ring, str(rows[i].uri), NOW),
                         rows[i].kms != NULL && strcmp(rows[i].kms, KMS2) == 0 ? of_partner : of_home);
        mcx_keyring_free(ring);
        ring_kms_clear(&home);
        ring_kms_clear(&partner);
    }
}

/* No Root at all, only what a KmsCertCache held: the KMS of our own key sets is the home KMS, and no other. */
static void test_no_root(void **state)
{
    struct mcx_keyring *ring = empty();
    struct ring_kms own = ring_kms_new(KMS1, MCX_KMS_EXTERNAL, NULL, 0);
    struct ring_kms other = ring_kms_new(KMS2, MCX_KMS_EXTERNAL, NULL, 3);
    struct mcx_kms_cert root;
    const struct mcx_ring_cert *of_own, *of_other;

    (void)state;
    assert_int_equal(mcx_keyring_add_cert(ring, &other.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(ring, &own.cert, NULL), MCX_OK);
    of_own = mcx_ring_cert_of(ring, str(KMS1), NOW);
    of_other = mcx_ring_cert_of(ring, str(KMS2), NOW);
    assert_false(mcx_ring_is_responsible(ring, of_own, str(ALICE)));
    assert_null(mcx_ring_cert_for(ring, str(ALICE), NOW));
    ring_add(ring, &own, ALICE, ring_period(&own, NOW + MCX_NTP_UNIX_OFFSET));
    assert_true(mcx_ring_is_responsible(ring, of_own, str("sip:bob@other.example")));
    assert_false(mcx_ring_is_responsible(ring, of_other, str("sip:bob@other.example")));
    assert_ptr_equal(mcx_ring_cert_for(ring, str("sip:bob@other.example"), NOW), of_own);
    root = other.cert; /* a Root takes over, whatever key sets there are */
    root.role = MCX_KMS_ROOT;
    assert_int_equal(mcx_keyring_add_cert(ring, &root, NULL), MCX_OK);
    assert_false(mcx_ring_is_responsible(ring, of_own, str("sip:bob@other.example")));
    mcx_keyring_free(ring);
    ring_kms_clear(&own);
    ring_kms_clear(&other);
}

/* Of two claims the longer one counts, and at equal length the home KMS. */
static void test_rival_domains(void **state)
{
    struct mcx_keyring *ring = empty();
    struct ring_kms home = ring_kms_new(KMS1, MCX_KMS_ROOT, "example.net", 0);
    struct ring_kms longer = ring_kms_new(KMS2, MCX_KMS_EXTERNAL, "fire.example.net", 3);
    struct ring_kms equal = ring_kms_new("kms3.example", MCX_KMS_EXTERNAL, "example.net", 4);

    (void)state;
    assert_int_equal(mcx_keyring_add_cert(ring, &equal.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(ring, &longer.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(ring, &home.cert, NULL), MCX_OK);
    assert_string_equal(mcx_ring_cert_for(ring, str("sip:a@fire.example.net"), NOW)->doc.kms_uri, KMS2);
    assert_string_equal(mcx_ring_cert_for(ring, str("sip:a@x.example.net"), NOW)->doc.kms_uri, KMS1);
    assert_false(
        mcx_ring_is_responsible(ring, mcx_ring_cert_of(ring, str("kms3.example"), NOW), str("sip:a@x.example.net")));
    mcx_keyring_free(ring);
    ring_kms_clear(&home);
    ring_kms_clear(&longer);
    ring_kms_clear(&equal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cert_checks),      cmocka_unit_test(test_cert_dates_and_revocation),
        cmocka_unit_test(test_cert_replacement), cmocka_unit_test(test_key_set_checks),
        cmocka_unit_test(test_foreign_rsk),      cmocka_unit_test(test_key_set_dates),
        cmocka_unit_test(test_expiry),           cmocka_unit_test(test_document),
        cmocka_unit_test(test_open_only),        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_no_root),
        cmocka_unit_test(test_rival_domains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
