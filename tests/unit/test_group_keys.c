/* SPDX-License-Identifier: Apache-2.0 */
/* Group keys: who may bring one, for which groups, what may change later, and which one is used
 * (TS 33.180 5.7, E.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/mikey.h>

#include "support/fake.h"
#include "support/group.h"

#define ALICE "sip:alice@example.org"
#define BOB   "sip:bob@example.org"

static const uint8_t store_key[MCX_STORE_KEY_LEN] = { 1, 2, 3 };

static struct mcx_imessage first(void)
{
    return group_msg(ALICE, GROUP_GMK_ID, 0);
}

static mcx_err try(struct mcx_group_keys *keys, const struct mcx_imessage *msg, const char *reason)
{
    enum mcx_group_key_change change = MCX_GK_SAME;
    struct mcx_refusal why = { "", "" };
    mcx_err err = group_accept(keys, &change, msg, 100, &why);

    if (strstr(why.reason, reason) == NULL) {
        fail_msg("%s instead of %s", why.reason, reason);
    }
    return err;
}

static enum mcx_group_key_change accepted(struct mcx_group_keys *keys, const struct mcx_imessage *msg)
{
    enum mcx_group_key_change change = MCX_GK_SAME;

    assert_int_equal(group_accept(keys, &change, msg, 100, NULL), MCX_OK);
    return change;
}

static void test_new(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    const struct mcx_group_key *key = NULL;

    (void)state;
    assert_int_equal(mcx_group_keys_num(keys), 1);
    key = mcx_group_keys_at(keys, 0);
    assert_memory_equal(&key->key, &m.key, sizeof m.key);
    assert_int_equal(key->key_id, GROUP_GMK_ID);
    assert_int_equal(key->guk_id, m.csb_id);
    assert_int_equal(key->activation, GROUP_T0); /* 0 in the parameters: T */
    assert_int_equal(key->expiry, 0);
    assert_string_equal(key->gms, GROUP_GMS);
    assert_string_equal(key->user, ALICE);
    assert_int_equal(key->num_groups, 1);
    assert_string_equal(key->group[0], GROUP_FIRE);
    assert_null(mcx_group_keys_at(keys, 1));
    assert_int_equal(accepted(keys, &m), MCX_GK_SAME);
    assert_int_equal(mcx_group_keys_num(keys), 1);
    mcx_group_keys_free(keys);
    mcx_group_keys_free(NULL);
}

/* Each row: a message that is refused, also when the key is not held yet, and leaves nothing behind. */
static void test_refused_new(void **state)
{
    static const char *const reasons[] = { "no group key", "not signed by", "not signed by", "for other groups",
                                           "not usable",   "has expired",   "not signed by" };
    static const mcx_err want[] = { MCX_E_POLICY, MCX_E_POLICY,  MCX_E_POLICY, MCX_E_POLICY,
                                    MCX_E_POLICY, MCX_E_EXPIRED, MCX_E_POLICY };
    struct mcx_group_keys *keys = NULL;
    enum mcx_group_key_change change;
    struct mcx_imessage good = first();

    (void)state;
    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct mcx_imessage m = good;

        switch (i) {
        case 0: m.type = MCX_KEY_PCK; break;
        case 1: memcpy(m.initiator, BOB, sizeof BOB); break; /* another member signs */
        case 2: memcpy(m.initiator, GROUP_GMS ";x", sizeof GROUP_GMS ";x"); break;
        case 3: group_msg_bind(&m, GROUP_RESCUE); break;
        case 4: m.no_streams = true; break;
        case 5: m.expiry = GROUP_T0 + 100; break;
        default: m.own = true; break;
        }
        assert_int_equal(try(keys, &m, reasons[i]), want[i]);
        assert_int_equal(mcx_group_keys_num(keys), 0);
    }
    assert_int_equal(mcx_group_keys_accept(keys, &change, &good, "", GROUP_FIRE, group_time(0), NULL), MCX_E_ARG);
    assert_int_equal(mcx_group_keys_accept(keys, &change, &good, GROUP_GMS, "", group_time(0), NULL), MCX_E_ARG);
    mcx_group_keys_free(keys);
}

/* The first key of a GMK-ID is kept: nothing else may come under it, not even from the same server. */
static void test_refused_again(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    enum mcx_group_key_change change;

    (void)state;
    m.time = group_time(5);
    m.key.octet[15] ^= 1;
    assert_int_equal(try(keys, &m, "another key"), MCX_E_POLICY);
    m = group_msg(ALICE, GROUP_GMK_ID, 5);
    m.rand[0] ^= 1;
    assert_int_equal(try(keys, &m, "another RAND"), MCX_E_POLICY);
    m = group_msg(ALICE, GROUP_GMK_ID, 5);
    m.rand_len = 15;
    assert_int_equal(try(keys, &m, "another RAND"), MCX_E_POLICY);
    m = group_msg(ALICE, GROUP_GMK_ID, 5);
    m.roc_rate = 4;
    assert_int_equal(try(keys, &m, "SRTP policy"), MCX_E_POLICY);
    m = group_msg(BOB, GROUP_GMK_ID, 5);
    assert_int_equal(try(keys, &m, "another user"), MCX_E_POLICY);
    m = group_msg(ALICE, GROUP_GMK_ID, 5);
    memcpy(m.initiator, "sip:gms2@x", sizeof "sip:gms2@x"); /* the configured server is another one by now */
    assert_int_equal(mcx_group_keys_accept(keys, &change, &m, "sip:gms2@x", GROUP_FIRE, group_time(9), NULL),
                     MCX_E_POLICY);
    m = first();
    m.time.sec--;
    assert_int_equal(try(keys, &m, "older"), MCX_E_REPLAY);
    m = first();
    m.expiry = GROUP_T0 + 1000;
    assert_int_equal(try(keys, &m, "other times"), MCX_E_REPLAY);
    m = first();
    assert_int_equal(accepted(keys, &m), MCX_GK_SAME);
    assert_memory_equal(&mcx_group_keys_at(keys, 0)->key, &m.key, sizeof m.key);
    mcx_group_keys_free(keys);
}

static void test_update(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    const struct mcx_group_key *key = NULL;

    (void)state;
    group_msg_bind(&m, GROUP_RESCUE); /* T is the same: groups can only be added */
    group_msg_bind(&m, GROUP_FIRE);
    group_msg_bind(&m, GROUP_FIRE);
    assert_int_equal(accepted(keys, &m), MCX_GK_UPDATED);
    assert_int_equal(accepted(keys, &m), MCX_GK_SAME);
    key = mcx_group_keys_at(keys, 0);
    assert_int_equal(key->num_groups, 2);
    m = group_msg(ALICE, GROUP_GMK_ID, 5); /* later: times and groups are what it says */
    m.activation = GROUP_T0 + 50;
    m.expiry = GROUP_T0 + 5000;
    group_msg_bind(&m, GROUP_FIRE);
    assert_int_equal(accepted(keys, &m), MCX_GK_UPDATED);
    assert_int_equal(key->activation, GROUP_T0 + 50);
    assert_int_equal(key->expiry, GROUP_T0 + 5000);
    assert_int_equal(key->num_groups, 1);
    assert_string_equal(key->group[0], GROUP_FIRE);
    m.num_groups = 0;
    m.time.frac = 1; /* a fraction of a second later is later */
    assert_int_equal(accepted(keys, &m), MCX_GK_UPDATED);
    assert_int_equal(key->num_groups, 1);
    mcx_group_keys_free(keys);
}

static void test_too_many_groups(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    char uri[32];

    (void)state;
    for (unsigned i = 0; i < MCX_GROUP_KEY_GROUPS_MAX - 1; i++) {
        (void)snprintf(uri, sizeof uri, "sip:g%u@example.org", i);
        group_msg_bind(&m, uri);
    }
    group_msg_bind(&m, GROUP_FIRE);
    assert_int_equal(accepted(keys, &m), MCX_GK_UPDATED);
    memcpy(m.groups[0], "sip:more@x", sizeof "sip:more@x");
    assert_int_equal(try(keys, &m, "too many groups"), MCX_E_SPACE);
    assert_int_equal(mcx_group_keys_at(keys, 0)->num_groups, MCX_GROUP_KEY_GROUPS_MAX);
    mcx_group_keys_free(keys);
}

static void test_revoked(void **state)
{
    static const struct mcx_key zero;
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    const struct mcx_group_key *out = NULL;

    (void)state;
    m.key_status = 2; /* bit 0 decides (TS 33.180 E.6.9); the T of the first message will do */
    m.key.octet[0] ^= 1;
    assert_int_equal(accepted(keys, &m), MCX_GK_REVOKED);
    assert_int_equal(accepted(keys, &m), MCX_GK_SAME);
    assert_memory_equal(&mcx_group_keys_at(keys, 0)->key, &zero, sizeof zero);
    assert_int_equal(mcx_group_keys_send(&out, keys, MCX_KEY_GMK, GROUP_FIRE, group_time(100), NULL), MCX_E_POLICY);
    assert_int_equal(mcx_group_keys_receive(&out, keys, GROUP_FIRE, GROUP_GMK_ID, group_time(100), NULL), MCX_E_POLICY);
    m = first();
    assert_int_equal(try(keys, &m, "revoked"), MCX_E_POLICY);
    m = group_msg(ALICE, GROUP_GMK_ID, 50);
    assert_int_equal(try(keys, &m, "revoked"), MCX_E_POLICY);
    assert_int_equal(mcx_group_keys_drop_group(keys, GROUP_FIRE), 0); /* still known, of no group */
    assert_int_equal(mcx_group_keys_num(keys), 1);
    assert_int_equal(try(keys, &m, "revoked"), MCX_E_POLICY);
    mcx_group_keys_free(keys);
}

/* The revocation of a key that never came keeps it out for good. An older one changes nothing. */
static void test_revoked_unknown(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = NULL;

    (void)state;
    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    m.key_status = 0;
    m.expiry = GROUP_T0 + 1; /* over by now */
    assert_int_equal(accepted(keys, &m), MCX_GK_REVOKED);
    m = first();
    assert_int_equal(try(keys, &m, "revoked"), MCX_E_POLICY);
    mcx_group_keys_free(keys);

    m = group_msg(ALICE, GROUP_GMK_ID, 5);
    keys = group_keys_with(&m);
    m = first();
    m.key_status = 0;
    assert_int_equal(try(keys, &m, "older"), MCX_E_REPLAY);
    assert_false(mcx_group_keys_at(keys, 0)->revoked);
    mcx_group_keys_free(keys);
}

static uint32_t send_id(const struct mcx_group_keys *keys, const char *group, int64_t now, mcx_err want)
{
    const struct mcx_group_key *out = NULL;
    struct mcx_refusal why = { NULL, NULL };

    assert_int_equal(mcx_group_keys_send(&out, keys, MCX_KEY_GMK, group, group_time(now), &why), want);
    assert_int_equal(out == NULL, want != MCX_OK);
    assert_int_equal(why.reason == NULL, want == MCX_OK);
    return out != NULL ? out->key_id : 0;
}

/* The clause that an operator reads; "" when it may be sent with. */
static const char *send_clause(const struct mcx_group_keys *keys, const char *group, int64_t now)
{
    const struct mcx_group_key *out = NULL;
    struct mcx_refusal why = { "", "" };

    (void)!mcx_group_keys_send(&out, keys, MCX_KEY_GMK, group, group_time(now), &why);
    return why.clause;
}

static mcx_err receives(const struct mcx_group_keys *keys, uint32_t id, int64_t now)
{
    const struct mcx_group_key *out = NULL;

    return mcx_group_keys_receive(&out, keys, GROUP_FIRE, id, group_time(now), NULL);
}

static void test_choice(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = NULL;

    (void)state;
    m.expiry = GROUP_T0 + 3000;
    keys = group_keys_with(&m);
    m = group_msg(ALICE, 2, 1); /* the next key: made later, good later */
    m.activation = GROUP_T0 + 1000;
    (void)accepted(keys, &m);
    m = group_msg(ALICE, 3, 2); /* same activation: the later T wins */
    m.activation = GROUP_T0 + 1000;
    m.expiry = GROUP_T0 + 2000;
    (void)accepted(keys, &m);
    assert_int_equal(send_id(keys, GROUP_FIRE, -1, MCX_E_EXPIRED), 0);
    assert_int_equal(send_id(keys, GROUP_FIRE, 0, MCX_OK), GROUP_GMK_ID);
    assert_int_equal(send_id(keys, GROUP_FIRE, 999, MCX_OK), GROUP_GMK_ID);
    assert_int_equal(send_id(keys, GROUP_FIRE, 1000, MCX_OK), 3);
    assert_int_equal(send_id(keys, GROUP_FIRE, 1999, MCX_OK), 3);
    assert_int_equal(send_id(keys, GROUP_FIRE, 2000, MCX_OK), 2);
    assert_int_equal(send_id(keys, GROUP_RESCUE, 0, MCX_E_NOKEY), 0);
    assert_int_equal(receives(keys, 2, 1000 - MCX_GROUP_CLOCK_SKEW_S - 1), MCX_E_EXPIRED);
    assert_int_equal(receives(keys, 2, 1000 - MCX_GROUP_CLOCK_SKEW_S), MCX_OK);
    assert_int_equal(receives(keys, GROUP_GMK_ID, 2999), MCX_OK); /* the old one too, until its end */
    assert_int_equal(receives(keys, GROUP_GMK_ID, 3000), MCX_E_EXPIRED);
    assert_int_equal(receives(keys, 4, 0), MCX_E_NOKEY);
    assert_int_equal(mcx_group_keys_next_change(keys, group_time(0)), GROUP_T0 + 1000);
    assert_int_equal(mcx_group_keys_next_change(keys, group_time(1000)), GROUP_T0 + 2000);
    assert_int_equal(mcx_group_keys_next_change(keys, group_time(3000)), UINT64_MAX);
    mcx_group_keys_free(keys);
}

/* Of several reasons the one that ends by itself is told, then the one that a new key mends. */
static void test_why_none(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = NULL;

    (void)state;
    m.expiry = GROUP_T0 + 200;
    keys = group_keys_with(&m);
    assert_string_equal(send_clause(keys, GROUP_RESCUE, 0), "TS 33.180 7.3.3");
    assert_string_equal(send_clause(keys, GROUP_FIRE, -1), "TS 33.180 E.6.4");
    assert_string_equal(send_clause(keys, GROUP_FIRE, 100), "");
    assert_string_equal(send_clause(keys, GROUP_FIRE, 200), "TS 33.180 E.6.10");
    m = group_msg(ALICE, 2, 1);
    m.activation = GROUP_T0 + 1000;
    (void)accepted(keys, &m);
    assert_string_equal(send_clause(keys, GROUP_FIRE, 200), "TS 33.180 E.6.4");
    m.key_status = 0;
    m.time = group_time(2);
    (void)accepted(keys, &m);
    assert_string_equal(send_clause(keys, GROUP_FIRE, 200), "TS 33.180 E.6.10");
    m = first();
    m.key_status = 0;
    m.time = group_time(3);
    (void)accepted(keys, &m);
    assert_string_equal(send_clause(keys, GROUP_FIRE, 200), "TS 33.180 E.6.9");
    mcx_group_keys_free(keys);
}

/* The server has brought the end of a key forward, and the device hears of it after that end. */
static void test_ended_early(void **state)
{
    static const struct mcx_key zero;
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);

    (void)state;
    m.time = group_time(5);
    m.expiry = GROUP_T0 + 50;
    assert_int_equal(accepted(keys, &m), MCX_GK_UPDATED); /* at 100 */
    assert_int_equal(send_id(keys, GROUP_FIRE, 100, MCX_E_EXPIRED), 0);
    assert_int_equal(receives(keys, GROUP_GMK_ID, 100), MCX_E_EXPIRED);
    assert_int_equal(receives(keys, GROUP_GMK_ID, 10), MCX_E_EXPIRED); /* also when the clock steps back */
    assert_memory_equal(&mcx_group_keys_at(keys, 0)->key, &zero, sizeof zero);
    assert_int_equal(accepted(keys, &m), MCX_GK_SAME);
    m = first();
    assert_int_equal(try(keys, &m, "older than"), MCX_E_REPLAY); /* nothing brings its first life back */
    assert_int_equal(receives(keys, GROUP_GMK_ID, 100), MCX_E_EXPIRED);
    mcx_group_keys_free(keys);
}

static void test_expire(void **state)
{
    static const struct mcx_key zero;
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = NULL;

    (void)state;
    m.expiry = GROUP_T0 + 300;
    keys = group_keys_with(&m);
    assert_int_equal(mcx_group_keys_expire(keys, group_time(299)), 0);
    assert_int_equal(mcx_group_keys_expire(keys, group_time(300)), 1);
    assert_int_equal(mcx_group_keys_expire(keys, group_time(301)), 0);
    assert_memory_equal(&mcx_group_keys_at(keys, 0)->key, &zero, sizeof zero);
    assert_int_equal(send_id(keys, GROUP_FIRE, 100, MCX_E_EXPIRED), 0); /* also when the clock steps back */
    assert_int_equal(receives(keys, GROUP_GMK_ID, 100), MCX_E_EXPIRED);
    assert_int_equal(mcx_group_keys_next_change(keys, group_time(100)), UINT64_MAX);
    m.time = group_time(5); /* the server lengthens its life */
    m.expiry = GROUP_T0 + 9000;
    assert_int_equal(accepted(keys, &m), MCX_GK_UPDATED);
    assert_int_equal(receives(keys, GROUP_GMK_ID, 100), MCX_OK);
    mcx_group_keys_free(keys);
}

static void test_drop_group(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = NULL;
    const struct mcx_group_info info = { .group = GROUP_RESCUE, .etag_gktp = "\"1\"", .protect_media = true };

    (void)state;
    group_msg_bind(&m, GROUP_FIRE);
    group_msg_bind(&m, GROUP_RESCUE);
    keys = group_keys_with(&m);
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_OK);
    assert_int_equal(mcx_group_keys_drop_group(keys, GROUP_RESCUE), 0);
    assert_null(mcx_group_keys_info(keys, GROUP_RESCUE));
    assert_int_equal(send_id(keys, GROUP_RESCUE, 0, MCX_E_NOKEY), 0);
    assert_int_equal(send_id(keys, GROUP_FIRE, 0, MCX_OK), GROUP_GMK_ID);
    assert_int_equal(mcx_group_keys_drop_group(keys, GROUP_FIRE), 1);
    assert_int_equal(mcx_group_keys_num(keys), 0);
    assert_int_equal(accepted(keys, &m), MCX_GK_NEW); /* back in the group, with the same message */
    mcx_group_keys_free(keys);
}

/* An MKFC has no GUK-ID, and is never taken for a GMK. */
static void test_mkfc(void **state)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    const struct mcx_group_key *out = NULL;

    (void)state;
    m.type = MCX_KEY_MKFC;
    m.key_id = m.csb_id = 0x40000001;
    m.activation = GROUP_T0 + 10;
    assert_int_equal(accepted(keys, &m), MCX_GK_NEW);
    assert_int_equal(send_id(keys, GROUP_FIRE, 20, MCX_OK), GROUP_GMK_ID);
    assert_int_equal(mcx_group_keys_send(&out, keys, MCX_KEY_MKFC, GROUP_FIRE, group_time(20), NULL), MCX_OK);
    assert_int_equal(out->guk_id, 0x40000001);
    mcx_group_keys_free(keys);
}

/* Revoked and expired keys make room, the oldest first; live ones never. */
static void test_full(void **state)
{
    struct mcx_group_keys *keys = NULL;
    struct mcx_imessage m;

    (void)state;
    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    for (uint32_t id = 1; id <= MCX_GROUP_KEYS_MAX; id++) {
        m = group_msg(ALICE, id, id);
        m.key_status = id == 7 || id == 5 ? 0 : 1;
        (void)accepted(keys, &m);
    }
    for (uint32_t id = 1001; id <= 1002; id++) {
        m = group_msg(ALICE, id, 1);
        assert_int_equal(accepted(keys, &m), MCX_GK_NEW);
        assert_int_equal(receives(keys, 7, 900), id == 1001 ? MCX_E_POLICY : MCX_E_NOKEY);
    }
    m = group_msg(ALICE, 1003, 1);
    assert_int_equal(try(keys, &m, "too many"), MCX_E_SPACE);
    assert_int_equal(mcx_group_keys_num(keys), MCX_GROUP_KEYS_MAX);
    assert_int_equal(receives(keys, MCX_GROUP_KEYS_MAX, 900), MCX_OK);
    mcx_group_keys_free(keys);
}

static void test_info(void **state)
{
    static char too_long[MCX_KMSDOC_URI_MAX + 1];
    struct mcx_group_info info = { .group = GROUP_FIRE, .etag_group = "\"a\"", .protect_media = true };
    struct mcx_group_keys *keys = NULL;
    const struct mcx_group_info *got = NULL;

    (void)state;
    memset(too_long, 'a', MCX_KMSDOC_URI_MAX);
    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    assert_null(mcx_group_keys_info(keys, GROUP_FIRE));
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_OK);
    got = mcx_group_keys_info(keys, GROUP_FIRE);
    assert_string_equal(got->etag_group, "\"a\"");
    assert_string_equal(got->etag_gktp, "");
    info = *got; /* read, change, put back */
    info.temporary = GROUP_RESCUE;
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_OK);
    assert_int_equal(mcx_group_keys_num_info(keys), 1);
    got = mcx_group_keys_info_at(keys, 0);
    assert_string_equal(got->temporary, GROUP_RESCUE);
    assert_true(got->protect_media);
    info = (struct mcx_group_info){ .group = "" };
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_E_ARG);
    info = (struct mcx_group_info){ .group = GROUP_FIRE, .etag_gktp = too_long };
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_E_ARG);
    info.etag_gktp = "\xff";
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_E_ARG);
    mcx_group_keys_free(keys);
}

static struct mcx_group_keys *varied(void)
{
    struct mcx_imessage m = first();
    struct mcx_group_keys *keys = group_keys_with(&m);
    const struct mcx_group_info info = { .group = GROUP_FIRE,
                                         .etag_group = "\"a\"",
                                         .etag_gktp = "\"b\"",
                                         .protect_floor = true,
                                         .multicast_floor = true,
                                         .temporary = GROUP_RESCUE };

    m = group_msg(ALICE, 2, 1);
    group_msg_bind(&m, GROUP_RESCUE);
    group_msg_bind(&m, GROUP_FIRE);
    m.expiry = GROUP_T0 + 5000;
    (void)accepted(keys, &m);
    m = group_msg(ALICE, 3, 1);
    m.key_status = 0;
    (void)accepted(keys, &m);
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_OK);
    return keys;
}

static void test_sealed(void **state)
{
    struct mcx_group_keys *keys = varied();
    struct mcx_group_keys *again = NULL;
    struct fake_rng rng_state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    uint8_t other[MCX_STORE_KEY_LEN] = { 0 };
    uint8_t *sealed = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_group_keys_seal(&sealed, &len, keys, store_key, &rng), MCX_OK);
    assert_int_equal(mcx_group_keys_serial(keys), 1);
    assert_memory_equal(sealed, "mcxgroup\0\1\0\0\0\0\0\0\0\1", 18);
    assert_int_equal(mcx_group_keys_open(&again, mcx_bytes(sealed, len), store_key, 1, NULL), MCX_OK);
    assert_int_equal(mcx_group_keys_serial(again), 1);
    assert_int_equal(mcx_group_keys_num(again), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct mcx_group_key *a = mcx_group_keys_at(keys, i), *b = mcx_group_keys_at(again, i);

        assert_memory_equal(&a->key, &b->key, sizeof a->key);
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->key_id, b->key_id);
        assert_int_equal(a->guk_id, b->guk_id);
        assert_int_equal(a->rand_len, b->rand_len);
        assert_memory_equal(a->rand, b->rand, a->rand_len);
        assert_int_equal(a->rcc, b->rcc);
        assert_int_equal(a->roc_rate, b->roc_rate);
        assert_int_equal(a->activation, b->activation);
        assert_int_equal(a->expiry, b->expiry);
        assert_memory_equal(&a->time.sec, &b->time.sec, sizeof a->time.sec);
        assert_int_equal(a->revoked, b->revoked);
        assert_int_equal(a->num_groups, b->num_groups);
        for (size_t k = 0; k < a->num_groups; k++) {
            assert_string_equal(a->group[k], b->group[k]);
        }
    }
    assert_string_equal(mcx_group_keys_info(again, GROUP_FIRE)->etag_gktp, "\"b\"");
    assert_string_equal(mcx_group_keys_info(again, GROUP_FIRE)->temporary, GROUP_RESCUE);
    assert_false(mcx_group_keys_info(again, GROUP_FIRE)->protect_media);
    assert_true(mcx_group_keys_info(again, GROUP_FIRE)->protect_floor);
    assert_true(mcx_group_keys_info(again, GROUP_FIRE)->multicast_floor);
    mcx_group_keys_free(again);
    assert_int_equal(mcx_group_keys_open(&again, mcx_bytes(sealed, len), store_key, 2, NULL), MCX_E_REPLAY);
    assert_int_equal(mcx_group_keys_open(&again, mcx_bytes(sealed, len), other, 0, NULL), MCX_E_AUTH);
    for (size_t n = 0; n < len; n++) {
        assert_int_not_equal(mcx_group_keys_open(&again, mcx_bytes(sealed, n), store_key, 0, NULL), MCX_OK);
        sealed[n] ^= 0x10;
        assert_int_not_equal(mcx_group_keys_open(&again, mcx_bytes(sealed, len), store_key, 0, NULL), MCX_OK);
        sealed[n] ^= 0x10;
    }
    rng_state.seed = 0; /* a failing generator changes nothing */
    assert_int_equal(mcx_group_keys_seal(&sealed, &len, keys, store_key, &rng), MCX_E_RNG);
    assert_int_equal(mcx_group_keys_serial(keys), 1);
    free(sealed);
    mcx_group_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_refused_new),
        cmocka_unit_test(test_refused_again),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_too_many_groups),
        cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_revoked_unknown),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_why_none),
        cmocka_unit_test(test_ended_early),
        cmocka_unit_test(test_expire),
        cmocka_unit_test(test_drop_group),
        cmocka_unit_test(test_mkfc),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_sealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
