/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every refusal of an INVITE (TS 24.379 11.1.1.2.1.2): what a callee finds wrong with one, what it answers, and that
 * nothing of it is kept. The attacker stands between two machines; where a row needs a signed message, he holds a
 * key set of his own or makes the caller sign.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/mikey.h>

#include "support/phones.h"

static struct wire w;

/* One change of an INVITE on its way to Bob. */
struct change {
    void (*edit)(struct wire_msg *msg, const struct change *c);
    const char *a, *b; /* for edits of text */
    size_t octet;
};

static bool apply(struct wire *wire, struct wire_msg *msg, void *arg)
{
    const struct change *c = arg;

    (void)wire;
    if (msg->in.event == MCX_PC_RX_INVITE && c->edit != NULL) {
        c->edit(msg, c);
    }
    return true;
}

/* ---- edits ---- */

static void text(struct wire_msg *msg, const struct change *c)
{
    char *at = NULL;
    size_t old = strlen(c->a);
    size_t new = strlen(c->b);

    msg->sdp[msg->sdp_len] = '\0';
    at = strstr(msg->sdp, c->a);
    assert_non_null(at);
    memmove(at + new, at + old, strlen(at + old) + 1);
    memcpy(at, c->b, new);
    msg->sdp_len = strlen(msg->sdp);
}

static void remove_key_mgmt(struct wire_msg *msg, const struct change *c)
{
    char *at = NULL;
    char *end = NULL;

    (void)c;
    msg->sdp[msg->sdp_len] = '\0';
    at = strstr(msg->sdp, "a=key-mgmt");
    end = strchr(at, '\n');
    memmove(at, end + 1, strlen(end + 1) + 1);
    msg->sdp_len = strlen(msg->sdp);
}

static void flip(struct wire_msg *msg, const struct change *c)
{
    size_t at = 0;
    size_t len = 0;
    struct vec v = imessage_of(msg->sdp, msg->sdp_len, &at, &len);

    v.p[c->octet < v.len ? c->octet : v.len - 1] ^= 1;
    imessage_put(msg, vec_bytes(&v));
}

static void cut(struct wire_msg *msg, const struct change *c)
{
    size_t at = 0;
    size_t len = 0;
    struct vec v = imessage_of(msg->sdp, msg->sdp_len, &at, &len);

    imessage_put(msg, mcx_bytes(v.p, v.len - c->octet));
}

static void caller(struct wire_msg *msg, const struct change *c)
{
    (void)snprintf(msg->caller, sizeof msg->caller, "%s", c->a);
}

/* A fresh I_MESSAGE by the user of key set `signer`. */
static struct vec make(int signer, struct mcx_imessage_params params)
{
    struct mcx_keyring *ring = ring_own(1u << signer);
    struct fake_rng state = { .seed = 4711 };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_key key = { { 9 } };
    uint8_t rand[16] = { 7 };
    struct vec v;
    struct mcx_wr wr = mcx_wr(v.p, sizeof v.p);

    params.key = &key;
    params.rand = mcx_bytes(rand, sizeof rand);
    if (params.time.sec == 0) {
        params.time = w.now;
    }
    assert_int_equal(mcx_imessage_make(&wr, &params, ring, &rng, NULL), MCX_OK);
    v.len = wr.len;
    mcx_keyring_free(ring);
    return v;
}

static void replace(struct wire_msg *msg, int signer, struct mcx_imessage_params params)
{
    struct vec v = make(signer, params);

    imessage_put(msg, vec_bytes(&v));
}

static const struct mcx_imessage_params pck = { .type = MCX_KEY_PCK, .key_id = 0x10000001 };

static struct mcx_imessage_params params_of(const char *from, const char *to)
{
    struct mcx_imessage_params p = pck;

    p.from = mcx_bytes_str(from);
    p.to = mcx_bytes_str(to);
    return p;
}

static void by_somebody_else(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    replace(msg, 4, params_of(GMS_ID, BOB_ID));
}

static void to_somebody_else(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    replace(msg, 2, params_of(ALICE_ID, GMS_ID));
}

static void of_another_purpose(struct wire_msg *msg, const struct change *c)
{
    struct mcx_imessage_params p = params_of(ALICE_ID, BOB_ID);

    p.type = MCX_KEY_CSK;
    p.key_id = 0x20000001;
    (void)c;
    replace(msg, 2, p);
}

static void too_old(struct wire_msg *msg, const struct change *c)
{
    struct mcx_imessage_params p = params_of(ALICE_ID, BOB_ID);

    p.time.sec = w.now.sec - c->octet;
    replace(msg, 2, p);
}

static void from_the_future(struct wire_msg *msg, const struct change *c)
{
    struct mcx_imessage_params p = params_of(ALICE_ID, BOB_ID);

    p.time.sec = w.now.sec + 400;
    (void)c;
    replace(msg, 2, p);
}

/* Taken apart, changed, and signed again by the user of key set `signer`. */
struct resign {
    int signer;
    const char *id_i;
    const char *kms_i;
    const char *kms_r;
    bool foreign_sakke;
    uint32_t csb_id;
};

static void resign(struct wire_msg *msg, const struct resign *r)
{
    struct mcx_kms_key_set set = ring_set_own(r->signer);
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_eccsi_key key;
    struct fake_rng state = { .seed = 99 };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_mikey_sakke_msg m, other;
    struct vec foreign = make(2, params_of(ALICE_ID, GMS_ID));
    size_t at = 0;
    size_t len = 0;
    struct vec v = imessage_of(msg->sdp, msg->sdp_len, &at, &len);
    uint8_t out[VEC_MAX];
    uint8_t sig[MCX_ECCSI_SIG_LEN];
    struct mcx_wr wr = mcx_wr(out, sizeof out);

    assert_int_equal(mcx_mikey_sakke_msg_read(&m, vec_bytes(&v), NULL), MCX_OK);
    assert_int_equal(mcx_mikey_sakke_msg_read(&other, vec_bytes(&foreign), NULL), MCX_OK);
    m.id_i = r->id_i != NULL ? mcx_bytes_str(r->id_i) : m.id_i;
    m.kms_i = r->kms_i != NULL ? mcx_bytes_str(r->kms_i) : m.kms_i;
    m.kms_r = r->kms_r != NULL ? mcx_bytes_str(r->kms_r) : m.kms_r;
    m.sakke = r->foreign_sakke ? other.sakke : m.sakke;
    m.hdr.csb_id = r->csb_id != 0 ? r->csb_id : m.hdr.csb_id;
    assert_int_equal(mcx_mikey_sakke_msg_write(&wr, &m), MCX_OK);
    assert_int_equal(mcx_eccsi_kms_new(&kms, cert.pub_auth_key), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&key, kms, mcx_bytes(set.uid, sizeof set.uid), set.ssk, set.pvt), MCX_OK);
    assert_int_equal(mcx_eccsi_sign(sig, &key, mcx_wr_done(&wr), &rng), MCX_OK);
    assert_int_equal(mcx_wr_put(&wr, mcx_bytes(sig, sizeof sig)), MCX_OK);
    imessage_put(msg, mcx_wr_done(&wr));
    mcx_eccsi_key_clear(&key);
    mcx_eccsi_kms_free(kms);
    ring_set_clear(&set);
    ring_cert_clear(&cert);
}

static void nothing_but_resigned(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 2 });
}

static void signed_by_somebody_else(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 4 });
}

static void key_for_somebody_else(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 2, .foreign_sakke = true });
}

static void kms_of_caller_unknown(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 2, .kms_i = "kms9.example.org" });
}

static void kms_of_callee_unknown(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 2, .kms_r = "kms9.example.org" });
}

static void tag_of_a_gmk(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 2, .csb_id = 0x00000001 });
}

static void tag_of_nothing(struct wire_msg *msg, const struct change *c)
{
    (void)c;
    resign(msg, &(struct resign){ .signer = 2, .csb_id = 0xf0000001 });
}

/* ---- the table ---- */

static const struct {
    const char *name;
    struct change change;
    enum mcx_privcall_cause cause; /* NONE = the call must come about: the control */
    uint16_t code;
    enum mcx_warning warning;
} rows[] = {
    { "unchanged", { NULL, NULL, NULL, 0 }, MCX_PC_CAUSE_NONE, 0, 0 },
    { "only signed again", { nothing_but_resigned, NULL, NULL, 0 }, MCX_PC_CAUSE_NONE, 0, 0 },
    { "signature of another user under the caller's name",
      { signed_by_somebody_else, NULL, NULL, 0 },
      MCX_PC_CAUSE_AUTH,
      488,
      136 },
    { "last octet flipped", { flip, NULL, NULL, SIZE_MAX }, MCX_PC_CAUSE_AUTH, 488, 136 },
    { "key encapsulated to somebody else", { key_for_somebody_else, NULL, NULL, 0 }, MCX_PC_CAUSE_AUTH, 488, 136 },
    { "good message of another user", { by_somebody_else, NULL, NULL, 0 }, MCX_PC_CAUSE_CALLER, 488, 136 },
    { "network names another caller", { caller, GMS_ID, NULL, 0 }, MCX_PC_CAUSE_CALLER, 488, 136 },
    { "network names nobody", { caller, "", NULL, 0 }, MCX_PC_CAUSE_CALLER, 488, 136 },
    { "network names the caller in another spelling",
      { caller, "sip:UNIT07@mcx.example.net", NULL, 0 },
      MCX_PC_CAUSE_CALLER,
      488,
      136 },
    { "for somebody else", { to_somebody_else, NULL, NULL, 0 }, MCX_PC_CAUSE_NOT_FOR_ME, 488, 136 },
    { "unknown KMS of the caller", { kms_of_caller_unknown, NULL, NULL, 0 }, MCX_PC_CAUSE_KMS, 488, 0 },
    { "unknown KMS of the callee", { kms_of_callee_unknown, NULL, NULL, 0 }, MCX_PC_CAUSE_KMS, 488, 0 },
    { "key of another purpose", { of_another_purpose, NULL, NULL, 0 }, MCX_PC_CAUSE_PURPOSE, 488, 136 },
    { "PCK-ID with the tag of a GMK", { tag_of_a_gmk, NULL, NULL, 0 }, MCX_PC_CAUSE_PURPOSE, 488, 136 },
    { "PCK-ID with an unknown tag", { tag_of_nothing, NULL, NULL, 0 }, MCX_PC_CAUSE_MALFORMED, 488, 136 },
    { "two hours old", { too_old, NULL, NULL, 7200 }, MCX_PC_CAUSE_STALE, 488, 136 },
    { "six minutes early", { from_the_future, NULL, NULL, 0 }, MCX_PC_CAUSE_STALE, 488, 136 },
    { "one octet short", { cut, NULL, NULL, 1 }, MCX_PC_CAUSE_MALFORMED, 488, 136 },
    { "without signature", { cut, NULL, NULL, 131 }, MCX_PC_CAUSE_MALFORMED, 488, 136 },
    { "nothing but four octets",
      { text, "a=key-mgmt:mikey ", "a=key-mgmt:mikey ARoF\r\na=x:", 0 },
      MCX_PC_CAUSE_MALFORMED,
      488,
      136 },
    { "no base64", { text, "a=key-mgmt:mikey ", "a=key-mgmt:mikey *", 0 }, MCX_PC_CAUSE_MALFORMED, 488, 136 },
    { "two messages",
      { text, "a=key-mgmt:", "a=key-mgmt:mikey AAAA\r\na=key-mgmt:", 0 },
      MCX_PC_CAUSE_MALFORMED,
      488,
      136 },
    { "no key-mgmt", { remove_key_mgmt, NULL, NULL, 0 }, MCX_PC_CAUSE_NO_SECURITY, 488, 0 },
    { "key-mgmt in capitals", { text, "a=key-mgmt", "a=KEY-MGMT", 0 }, MCX_PC_CAUSE_NO_SECURITY, 488, 0 },
    { "another protocol", { text, "a=key-mgmt:mikey", "a=key-mgmt:other", 0 }, MCX_PC_CAUSE_OTHER_PROTOCOL, 488, 0 },
    { "other codec", { text, "AMR-WB/16000/1", "AMR/8000/1", 0 }, MCX_PC_CAUSE_MEDIA, 488, 0 },
    { "no address", { text, "c=IN IP4 192.0.2.1\r\n", "", 0 }, MCX_PC_CAUSE_MEDIA, 488, 0 },
    { "no SDP", { text, "v=0", "x", 0 }, MCX_PC_CAUSE_SDP, 488, 0 },
};

static void want_nothing_kept(const char *name)
{
    if (mcx_privcall_state(w.bob.pc) != MCX_PC_IDLE || mcx_privcall_holds_key(w.bob.pc) || w.bob.media ||
        mcx_privcall_state(w.alice.pc) != MCX_PC_IDLE || mcx_privcall_holds_key(w.alice.pc) || w.alice.media) {
        print_error("%s: something was kept\n", name);
        fail();
    }
}

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct change change = rows[i].change;

        wire_setup(&w, NULL);
        w.passing = apply;
        w.arg = &change;
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, false), MCX_OK);
        if (rows[i].cause == MCX_PC_CAUSE_NONE) {
            assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
            wire_clear(&w);
            continue;
        }
        if (w.bob.cause != rows[i].cause || w.bob.sent_code != rows[i].code || w.bob.sent_warning != rows[i].warning ||
            w.bob.num_notes != 1 || w.bob.note != MCX_PC_NOTE_REFUSED || w.bob.reason[0] == '\0') {
            print_error("%s: %s, %u, %u, %s\n", rows[i].name, mcx_privcall_cause_name(w.bob.cause),
                        (unsigned)w.bob.sent_code, (unsigned)w.bob.sent_warning, w.bob.reason);
            fail();
        }
        assert_int_equal(w.alice.cause, rows[i].warning == 136 ? MCX_PC_CAUSE_PEER_AUTH : MCX_PC_CAUSE_PEER_REFUSED);
        want_nothing_kept(rows[i].name);

        /* the phone works as before */
        w.passing = NULL;
        w.now.sec++;
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, false), MCX_OK);
        assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
        wire_clear(&w);
    }
}

/* Every eleventh octet, so that each payload is met several times; all octets: tests of the codec and of src/keys. */
static void flipped_octets(void **state)
{
    struct change change = { flip, NULL, NULL, 0 };

    (void)state;
    wire_setup(&w, NULL);
    w.passing = apply;
    w.arg = &change;
    for (change.octet = 0; change.octet < 720; change.octet += 11) {
        w.bob.sent_code = 0;
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
        assert_int_equal(w.bob.sent_code, 488);
        want_nothing_kept("flipped octet");
    }
    assert_int_equal(w.bob.num_oks, 0);
    wire_clear(&w);
}

static struct wire_msg kept;
static bool keep(struct wire *wire, struct wire_msg *msg, void *arg)
{
    (void)wire;
    (void)arg;
    if (msg->in.event == MCX_PC_RX_INVITE) {
        kept = *msg;
    }
    return true;
}

static void give_again(uint64_t dialog)
{
    kept.in.dialog = dialog;
    w.bob.dialog = dialog;
    kept.in.sdp = mcx_bytes(kept.sdp, kept.sdp_len);
    kept.in.calling_user = mcx_bytes_str(kept.caller);
    assert_int_equal(phone_give(&w, &w.bob, &kept.in), MCX_OK);
}

/* The cache lives longer than the call, and as long as the message would be young enough. */
static void replay_of_an_offer(void **state)
{
    static const unsigned after_s[] = { 0, 30, 1800, 3599 };

    (void)state;
    wire_setup(&w, NULL);
    w.passing = keep;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    for (size_t i = 0; i < sizeof after_s / sizeof after_s[0]; i++) {
        w.now.sec = RING_OWN_TIME + after_s[i];
        give_again(900 + i);
        assert_int_equal(w.bob.cause, MCX_PC_CAUSE_REPLAY);
        assert_int_equal(w.bob.sent_code, 488);
        assert_int_equal(w.bob.sent_warning, 136);
        want_nothing_kept("replay");
    }
    w.now.sec = RING_OWN_TIME + 86400; /* yesterday's offer */
    give_again(950);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_STALE);
    want_nothing_kept("yesterday's offer");
    wire_clear(&w);
}

static void just_started(struct mcx_privcall_config *config, bool alice)
{
    (void)alice;
    config->started.sec = RING_OWN_TIME;
}

/* After a restart the cache is empty: a T before the start is refused, and what is taken in early stays known. */
static void restart(void **state)
{
    struct change before = { too_old, NULL, NULL, 30 };
    struct change none = { NULL, NULL, NULL, 0 };

    (void)state;
    wire_setup(&w, just_started);
    w.passing = apply;
    w.arg = &before;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_STALE);
    want_nothing_kept("T before the start");

    w.arg = &none;
    w.passing = keep;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_HANGUP), MCX_OK);
    w.now.sec += 600;
    give_again(970);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_REPLAY);
    wire_clear(&w);
}

static struct mcx_replay *small;
static void small_cache(struct mcx_privcall_config *config, bool alice)
{
    config->replay = alice ? config->replay : small;
}

/* A full cache refuses: it forgets nothing that could come again. */
static void replay_cache_is_full(void **state)
{
    (void)state;
    assert_int_equal(mcx_replay_new(&small, 1), MCX_OK);
    wire_setup(&w, small_cache);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.sent_code, 500);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_INTERNAL);
    want_nothing_kept("full cache");
    w.now.sec += 4000; /* the entry has served */
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
    wire_clear(&w);
    mcx_replay_free(small);
}

static void allow_clear(struct mcx_privcall_config *config, bool alice)
{
    config->allow_clear = !alice;
}

/* The policy lets an unprotected call in, and only that: what claims to be protected is still checked. */
static void unprotected_where_the_policy_allows_it(void **state)
{
    struct change none = { remove_key_mgmt, NULL, NULL, 0 };
    struct change spoilt = { flip, NULL, NULL, SIZE_MAX };
    struct change other = { text, "a=key-mgmt:mikey", "a=key-mgmt:other", 0 };

    (void)state;
    wire_setup(&w, allow_clear);
    w.passing = apply;
    w.arg = &spoilt;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_AUTH);
    w.arg = &other;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_OTHER_PROTOCOL);
    w.arg = &none;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
    assert_false(w.bob.protected_media);
    assert_false(mcx_privcall_holds_key(w.bob.pc));
    assert_true((w.bob.notes & 1u << MCX_PC_NOTE_UNPROTECTED) != 0); /* and nobody is told that it was verified */
    assert_true((w.bob.notes & 1u << MCX_PC_NOTE_VERIFIED) == 0);
    wire_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(flipped_octets),
        cmocka_unit_test(replay_of_an_offer),
        cmocka_unit_test(restart),
        cmocka_unit_test(replay_cache_is_full),
        cmocka_unit_test(unprotected_where_the_policy_allows_it),
    };

    return cmocka_run_group_tests_name("private call refusals", tests, NULL, NULL);
}
