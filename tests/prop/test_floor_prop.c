/* SPDX-License-Identifier: Apache-2.0 */
/* Random messages: what is written is read as it was, in 4-octet steps; no part of one is a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/floor_msg.h>

#define ROUNDS 20000

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

static const char letters[] = "sip:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org";

static struct mcx_bytes text(size_t min)
{
    return mcx_bytes(letters, min + draw((uint32_t)(sizeof letters - 1 - min)));
}

static const uint8_t octets[64] = { 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0xff };

static struct mcx_bytes location(void)
{
    static const uint8_t known[8][8] = { { 0 }, { 1, 9 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6 }, { 7 } };
    static const size_t len[8] = { 1, 8, 6, 4, 3, 2, 7, 3 };
    uint32_t type = draw(8);

    return mcx_bytes(known[type], len[type]);
}

static size_t texts(struct mcx_bytes *list, size_t max)
{
    size_t num = draw((uint32_t)max + 1);

    for (size_t i = 0; i < num; i++) {
        list[i] = mcx_bytes(letters, 1 + draw(12));
    }
    return num;
}

static enum mcx_floor_type any_type(void)
{
    uint32_t type = draw(14);

    return type < 12 ? type : type + 2;
}

static bool may_ask(enum mcx_floor_type type)
{
    return (0xc83e & ~(1u << 15) & ~(1u << 6) & ~(1u << 10)) >> type & 1 || type == MCX_FLOOR_QUEUE_POSITION_INFO;
}

static struct mcx_floor_msg any_message(void)
{
    struct mcx_floor_msg m = { .type = any_type(), .ssrc = draw(UINT32_MAX) };

    m.ack_wanted = may_ask(m.type) && draw(2) == 0;
    m.present = mcx_floor_type_fields(m.type) & (draw(UINT32_MAX) | (draw(2) == 0 ? UINT32_MAX : 0));
    m.priority = (uint8_t)draw(256);
    m.duration = (uint16_t)draw(65536);
    m.cause = (uint16_t)draw(65536);
    m.cause_text = text(0);
    m.queue_position = (uint8_t)draw(256);
    m.queue_priority = (uint8_t)draw(256);
    m.granted_party = text(1);
    m.permission = (uint16_t)draw(65536);
    m.user_id = text(1);
    m.queue_size = (uint16_t)draw(65536);
    m.sequence = (uint16_t)draw(65536);
    m.queued_user = text(1);
    m.source = (uint16_t)draw(65536);
    m.track_queueing = (uint8_t)draw(256);
    m.track_type = text(0);
    m.track_refs = mcx_bytes(octets, 4 + 4 * draw(8));
    m.acked_type = (uint8_t)draw(16);
    m.indicator = (uint16_t)draw(65536);
    m.granted_ssrc = draw(UINT32_MAX);
    m.num_granted_users = texts(m.granted_user, MCX_FLOOR_LIST_MAX);
    m.num_ssrcs = draw(MCX_FLOOR_LIST_MAX + 1);
    for (size_t i = 0; i < m.num_ssrcs; i++) {
        m.list_ssrc[i] = draw(UINT32_MAX);
    }
    m.functional_alias = text(1);
    m.num_aliases = texts(m.alias, MCX_FLOOR_LIST_MAX);
    m.location = location();
    m.num_locations = draw(MCX_FLOOR_LIST_MAX + 1);
    for (size_t i = 0; i < m.num_locations; i++) {
        m.list_location[i] = location();
    }
    m.queued_purpose = (uint16_t)draw(65536);
    m.num_list_queued_users = texts(m.list_queued_user, MCX_FLOOR_LIST_MAX);
    m.response_state = (uint16_t)draw(65536);
    m.media_flow = (uint16_t)draw(65536);
    m.revoke_user = text(1);
    if (m.type == MCX_FLOOR_GRANTED && (m.present & MCX_FF(MCX_FF_SSRC)) != 0) {
        m.num_queued = draw(MCX_FLOOR_LIST_MAX + 1);
        for (size_t i = 0; i < m.num_queued; i++) {
            m.queued[i] =
                (struct mcx_floor_queued){ draw(UINT32_MAX), text(1), (uint8_t)draw(256), (uint8_t)draw(256) };
        }
    }
    return m;
}

static bool same(struct mcx_bytes a, struct mcx_bytes b)
{
    return mcx_bytes_equal(a, b);
}

static bool same_list(const struct mcx_bytes *a, size_t num_a, const struct mcx_bytes *b, size_t num_b)
{
    for (size_t i = 0; num_a == num_b && i < num_a; i++) {
        if (!same(a[i], b[i])) {
            return false;
        }
    }
    return num_a == num_b;
}

#define FIELD(id, equal)    assert_true((want->present & MCX_FF(id)) == 0 || (equal))
#define NUMBER(id, member)  FIELD(id, got->member == want->member)
#define TEXT(id, member)    FIELD(id, same(got->member, want->member))
#define LIST(id, list, num) FIELD(id, same_list(got->list, got->num, want->list, want->num))

static void assert_same(const struct mcx_floor_msg *got, const struct mcx_floor_msg *want)
{
    assert_int_equal(got->type, want->type);
    assert_int_equal(got->ack_wanted, want->ack_wanted);
    assert_int_equal(got->ssrc, want->ssrc);
    assert_int_equal(got->present, want->present);
    NUMBER(MCX_FF_PRIORITY, priority);
    NUMBER(MCX_FF_DURATION, duration);
    NUMBER(MCX_FF_CAUSE, cause);
    TEXT(MCX_FF_CAUSE, cause_text);
    NUMBER(MCX_FF_QUEUE_INFO, queue_position);
    NUMBER(MCX_FF_QUEUE_INFO, queue_priority);
    TEXT(MCX_FF_GRANTED_PARTY, granted_party);
    NUMBER(MCX_FF_PERMISSION, permission);
    TEXT(MCX_FF_USER_ID, user_id);
    NUMBER(MCX_FF_QUEUE_SIZE, queue_size);
    NUMBER(MCX_FF_SEQUENCE, sequence);
    TEXT(MCX_FF_QUEUED_USER, queued_user);
    NUMBER(MCX_FF_SOURCE, source);
    NUMBER(MCX_FF_TRACK_INFO, track_queueing);
    TEXT(MCX_FF_TRACK_INFO, track_type);
    TEXT(MCX_FF_TRACK_INFO, track_refs);
    NUMBER(MCX_FF_MESSAGE_TYPE, acked_type);
    NUMBER(MCX_FF_INDICATOR, indicator);
    NUMBER(MCX_FF_SSRC, granted_ssrc);
    LIST(MCX_FF_GRANTED_USERS, granted_user, num_granted_users);
    FIELD(MCX_FF_SSRCS,
          got->num_ssrcs == want->num_ssrcs && memcmp(got->list_ssrc, want->list_ssrc, 4 * want->num_ssrcs) == 0);
    TEXT(MCX_FF_FUNCTIONAL_ALIAS, functional_alias);
    LIST(MCX_FF_FUNCTIONAL_ALIASES, alias, num_aliases);
    TEXT(MCX_FF_LOCATION, location);
    LIST(MCX_FF_LOCATIONS, list_location, num_locations);
    NUMBER(MCX_FF_QUEUED_PURPOSE, queued_purpose);
    LIST(MCX_FF_QUEUED_USERS, list_queued_user, num_list_queued_users);
    NUMBER(MCX_FF_RESPONSE_STATE, response_state);
    NUMBER(MCX_FF_MEDIA_FLOW, media_flow);
    TEXT(MCX_FF_REVOKE_USER, revoke_user);
    assert_int_equal(got->num_queued, want->num_queued);
    for (size_t i = 0; i < want->num_queued; i++) {
        assert_int_equal(got->queued[i].ssrc, want->queued[i].ssrc);
        assert_true(same(got->queued[i].user, want->queued[i].user));
        assert_int_equal(got->queued[i].position, want->queued[i].position);
        assert_int_equal(got->queued[i].priority, want->queued[i].priority);
    }
}

/* Cut after `len` octets it is truncated, also when the header is made to agree with the cut. */
static void assert_cuts(struct mcx_bytes whole)
{
    uint8_t cut[MCX_FLOOR_MSG_MAX];
    struct mcx_floor_msg msg;

    for (size_t len = 0; len < whole.len; len++) {
        assert_int_equal(mcx_floor_read(&msg, mcx_bytes(whole.p, len), NULL), MCX_E_TRUNC);
    }
    memcpy(cut, whole.p, whole.len);
    for (size_t len = 12; len < whole.len; len += 4) {
        mcx_err err;

        cut[2] = (uint8_t)((len / 4 - 1) >> 8);
        cut[3] = (uint8_t)(len / 4 - 1);
        err = mcx_floor_read(&msg, mcx_bytes(cut, len), NULL);
        assert_true(err == MCX_OK || err == MCX_E_TRUNC || err == MCX_E_FORMAT);
        assert_int_equal(mcx_floor_read(&msg, mcx_bytes(cut, len + 1), NULL), MCX_E_TRAILING);
    }
}

static void round_trip(void **state)
{
    size_t num_written = 0;

    (void)state;
    seed = 1;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct mcx_floor_msg want = any_message();
        struct mcx_floor_msg got;
        uint8_t buf[MCX_FLOOR_MSG_MAX];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_floor_write(&wr, &want);

        if (err != MCX_OK) { /* a list over 255 octets, or all of it over MCX_FLOOR_MSG_MAX */
            assert_true(err == MCX_E_ARG || err == MCX_E_SPACE);
            assert_int_equal(wr.len, 0);
            continue;
        }
        num_written++;
        assert_int_equal(wr.len % 4, 0);
        assert_int_equal(mcx_floor_read(&got, mcx_wr_done(&wr), NULL), MCX_OK);
        assert_same(&got, &want);
        if (i % 50 == 0) {
            assert_cuts(mcx_wr_done(&wr));
        }
    }
    assert_true(num_written > ROUNDS * 3 / 4);
}

/* Random octets behind a good header: never more than a refusal, and what is read can be written. */
static void random_octets(void **state)
{
    (void)state;
    seed = 2;
    for (size_t i = 0; i < ROUNDS; i++) {
        uint8_t buf[256] = { 0x80, 204, 0, 0, 1, 2, 3, 4, 'M', 'C', 'P', 'T' };
        uint8_t again[MCX_FLOOR_MSG_MAX];
        struct mcx_wr wr = mcx_wr(again, sizeof again);
        size_t len = 12 + 4 * draw(40);
        struct mcx_floor_msg msg;

        buf[0] = (uint8_t)(0x80 | draw(32));
        buf[3] = (uint8_t)(len / 4 - 1);
        for (size_t j = 12; j < len; j++) {
            buf[j] = (uint8_t)draw(j % 4 < 2 ? 28 : 256);
        }
        if (mcx_floor_read(&msg, mcx_bytes(buf, len), NULL) == MCX_OK) {
            assert_int_equal(mcx_floor_write(&wr, &msg), MCX_OK);
            assert_true(wr.len <= len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(random_octets) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
