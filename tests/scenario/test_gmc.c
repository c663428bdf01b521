/* SPDX-License-Identifier: Apache-2.0 */
/* The group management client against a GMS played here: documents with real I_MESSAGEs, on a fixed clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/gmc.h>

#include "support/fake.h"
#include "support/ring.h"

#define GMS     "sip:gms@example.org"
#define ALICE   "sip:alice@example.org"
#define BOB     "sip:bob@example.org"
#define SERVER  "sip:mcptt@example.org"
#define GROUP_A "sip:fire@example.org"
#define GROUP_B "sip:rescue@example.org"
#define TEMP    "sip:tmp7@example.org"
#define BASE    "https://gms.example.org"
#define UNIX    (RING_OWN_TIME - MCX_NTP_UNIX_OFFSET)

enum { DOC_GROUP, DOC_GKTP };
enum { TOO_LONG = 1 }; /* in place of a status */

/* One payload of a GKTP document. */
struct payload {
    enum mcx_gktp_kind kind;
    char id[64];
    char temporary[64];
    uint8_t octets[MCX_IMESSAGE_MAX];
    size_t len;
};

struct doc {
    int status; /* 0 = 200 or 304 */
    unsigned version;
    char *body;
    size_t len;
    unsigned gets; /* answers with a body */
};

struct world {
    struct ring_kms kms;      /* home of everybody */
    struct ring_kms kms_evil; /* of another domain */
    struct mcx_keyring *makers;
    struct mcx_keyring *alice;
    struct mcx_group_keys *keys;
    struct fake_rng fake;
    struct mcx_rng rng;
    struct mcx_gmc *gmc; /* the last run */
    struct mcx_gmc_out last;
    struct doc doc[2][2]; /* kind, group */
    struct payload payload[4];
    size_t num_payloads;
    struct mcx_group_head head[2];
    int lost;               /* answers that do not come */
    const char *gms, *user; /* NULL = GMS, ALICE */
    struct mcx_ntp now;
};

static const char *const group_uri[2] = { GROUP_A, GROUP_B };

static int world_new(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    uint64_t no = 0;

    w->kms = ring_kms_new("kms.example.org", MCX_KMS_ROOT, "example.org", 0);
    w->kms_evil = ring_kms_new("kms.evil.example", MCX_KMS_EXTERNAL, "evil.example", 5);
    no = ring_period(&w->kms, RING_OWN_TIME);
    w->fake.seed = 99;
    w->rng = fake_rng(&w->fake);
    w->now = (struct mcx_ntp){ RING_OWN_TIME + 60, 0 };
    assert_int_equal(mcx_keyring_new(&w->makers, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_keyring_new(&w->alice, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w->makers, &w->kms.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w->makers, &w->kms_evil.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w->alice, &w->kms.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w->alice, &w->kms_evil.cert, NULL), MCX_OK);
    ring_add(w->makers, &w->kms, GMS, no);
    ring_add(w->makers, &w->kms, BOB, no);
    ring_add(w->makers, &w->kms, SERVER, no);
    ring_add(w->makers, &w->kms_evil, GMS, no);
    ring_add(w->alice, &w->kms, ALICE, no);
    assert_int_equal(mcx_group_keys_new(&w->keys), MCX_OK);
    for (int g = 0; g < 2; g++) {
        w->head[g] = (struct mcx_group_head){ .protect_media = true, .protect_floor = true };
        (void)snprintf(w->head[g].uri, sizeof w->head[g].uri, "%s", group_uri[g]);
    }
    *state = w;
    return 0;
}

static int world_free(void **state)
{
    struct world *w = *state;

    mcx_gmc_free(w->gmc);
    mcx_group_keys_free(w->keys);
    mcx_keyring_free(w->makers);
    mcx_keyring_free(w->alice);
    ring_kms_clear(&w->kms);
    ring_kms_clear(&w->kms_evil);
    for (int i = 0; i < 4; i++) {
        free(w->doc[i / 2][i % 2].body);
    }
    free(w);
    return 0;
}

/* ---- the GMS ---- */

/* What a payload is to be; zero is the GMK 1 of group A from the GMS to Alice. */
struct order {
    enum mcx_key_type type;
    unsigned key;    /* which key; 0 = 1 */
    uint32_t key_id; /* 0 = from `key` */
    uint8_t rand;
    const char *from, *from_kms, *to, *group;
    const char *id, *temporary;
    bool revoke;
    uint64_t activation, expiry; /* Unix seconds */
    uint64_t later;              /* T, seconds after RING_OWN_TIME */
};

static void make_message(struct world *w, struct payload *p, const struct order *o)
{
    struct mcx_key key;
    struct mcx_refusal why = { "", "" };
    const uint8_t rand[MCX_RAND_LEN] = { 0x52, o->rand };
    unsigned n = o->key == 0 ? 1 : o->key;
    const struct mcx_bytes group = mcx_bytes_str(o->group == NULL ? GROUP_A : o->group);
    const struct mcx_key_params kp = {
        .status = !o->revoke, .activation = o->activation, .expiry = o->expiry, .groups = &group, .num_groups = 1
    };
    const struct mcx_imessage_params params = {
        .type = o->type,
        .key = &key,
        .key_id = o->key_id != 0 ? o->key_id : ((uint32_t)o->type << 28 | (0x1234560u + n)),
        .rand = mcx_bytes(rand, sizeof rand),
        .time = { RING_OWN_TIME + o->later, 0 },
        .from = mcx_bytes_str(o->from == NULL ? GMS : o->from),
        .from_kms = mcx_bytes_str(o->from_kms == NULL ? "kms.example.org" : o->from_kms),
        .to = mcx_bytes_str(o->to == NULL ? ALICE : o->to),
        .to_kms = mcx_bytes_str("kms.example.org"),
        .key_params = &kp,
    };
    struct mcx_wr wr = mcx_wr(p->octets, sizeof p->octets);

    memset(key.octet, (int)(0x40 + n), sizeof key.octet);
    if (mcx_imessage_make(&wr, &params, w->makers, &w->rng, &why) != MCX_OK) {
        fail_msg("%s", why.reason);
    }
    p->len = wr.len;
}

static void add_payload(struct world *w, struct order o)
{
    struct payload *p = &w->payload[w->num_payloads++];

    assert_true(w->num_payloads <= sizeof w->payload / sizeof w->payload[0]);
    p->kind = o.type == MCX_KEY_MKFC ? MCX_GKTP_MKFC : MCX_GKTP_GMK;
    (void)snprintf(p->id, sizeof p->id, "%s", o.id == NULL ? ALICE : o.id);
    (void)snprintf(p->temporary, sizeof p->temporary, "%s", o.temporary == NULL ? "" : o.temporary);
    make_message(w, p, &o);
}

struct cursor {
    const struct world *w;
    size_t at;
};

static bool next_payload(void *arg, struct mcx_gktp *gktp)
{
    struct cursor *c = arg;
    const struct payload *p = &c->w->payload[c->at];

    if (c->at++ == c->w->num_payloads) {
        return false;
    }
    *gktp = (struct mcx_gktp){ p->kind, p->id, p->temporary, 0, mcx_bytes(p->octets, p->len) };
    return true;
}

static bool no_member(void *arg, struct mcx_group_member *member)
{
    (void)arg;
    (void)member;
    return false;
}

static void set_body(struct doc *d, char *body, size_t len)
{
    free(d->body);
    d->body = body;
    d->len = len;
    d->version++;
}

static void set_text(struct doc *d, const char *text)
{
    char *copy = malloc(strlen(text) + 1);

    memcpy(copy, text, strlen(text) + 1);
    set_body(d, copy, strlen(text));
}

static void publish_group(struct world *w, int g)
{
    const struct mcx_group_doc_params params = { .head = &w->head[g], .next = no_member };
    char *xml = NULL;
    size_t len = 0;

    assert_int_equal(mcx_group_doc_write(&xml, &len, &params), MCX_OK);
    set_body(&w->doc[DOC_GROUP][g], xml, len);
}

/* The payloads that were ordered become the GKTP document of a group, and are forgotten. */
static void publish_keys(struct world *w, int g)
{
    struct cursor c = { w, 0 };
    char *xml = NULL;
    size_t len = 0;

    assert_int_equal(mcx_gktp_write(&xml, &len, next_payload, &c), MCX_OK);
    set_body(&w->doc[DOC_GKTP][g], xml, len);
    w->num_payloads = 0;
}

static void publish(struct world *w, struct order o)
{
    add_payload(w, o);
    publish_keys(w, 0);
}

/* ---- the run ---- */

static void answer(struct world *w, const struct mcx_gmc_out *get, struct mcx_gmc_in *in, char etag[16])
{
    char auid[64], group[MCX_GROUP_URI_MAX];
    struct doc *d = NULL;

    assert_memory_equal(get->url, BASE "/", strlen(BASE) + 1);
    assert_int_equal(mcx_xcap_path_read(auid, sizeof auid, group, sizeof group, mcx_bytes_str(get->url + strlen(BASE))),
                     MCX_OK);
    assert_string_equal(get->accept, strcmp(auid, MCX_AUID_GROUP) == 0 ? MCX_TYPE_GROUP : MCX_TYPE_GKTP);
    assert_string_equal(get->group, group);
    d = &w->doc[strcmp(auid, MCX_AUID_GROUP) == 0 ? DOC_GROUP : DOC_GKTP][strcmp(group, GROUP_A) == 0 ? 0 : 1];
    (void)snprintf(etag, 16, "v%u", d->version);
    *in = (struct mcx_gmc_in){ .event = MCX_GMC_ANSWER, .now = w->now, .status = d->status };
    in->too_long = d->status == TOO_LONG;
    if (w->lost > 0) {
        w->lost--;
        in->event = MCX_GMC_LOST;
    } else if (d->status == 0 && d->body == NULL) {
        in->status = 404;
    } else if (d->status == 0 && strcmp(get->etag, etag) == 0) {
        in->status = 304;
    } else if (d->status == 0) {
        in->status = 200;
        in->etag = etag;
        in->body = mcx_bytes(d->body, d->len);
        d->gets++;
    }
}

static enum mcx_gmc_action fetch_groups(struct world *w, size_t num_groups)
{
    const struct mcx_gmc_config config = { .url = BASE,
                                           .gms = w->gms != NULL ? w->gms : GMS,
                                           .user = w->user != NULL ? w->user : ALICE,
                                           .groups = group_uri,
                                           .num_groups = num_groups,
                                           .retry = { 2, 1000, 1500 } };
    struct mcx_gmc_in in = { .event = MCX_GMC_START, .now = w->now };
    char etag[16];

    mcx_gmc_free(w->gmc);
    w->gmc = NULL;
    assert_int_equal(mcx_gmc_new(&w->gmc, &config, w->alice, w->keys, &w->rng), MCX_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(mcx_gmc_step(w->gmc, &in, &w->last), MCX_OK);
        if (w->last.action == MCX_GMC_GET) {
            answer(w, &w->last, &in, etag);
        } else if (w->last.action == MCX_GMC_WAIT) {
            assert_in_range(w->last.wait_ms, 500, 1500);
            in = (struct mcx_gmc_in){ .event = MCX_GMC_TIMER, .now = w->now };
        } else {
            struct mcx_gmc_out none;

            assert_int_equal(mcx_gmc_step(w->gmc, &in, &none), MCX_E_STATE);
            return w->last.action;
        }
    }
    fail_msg("the procedure does not end");
    return MCX_GMC_FAILED;
}

/* What became of group A in a whole fetch. */
static const struct mcx_gmc_group *fetch(struct world *w)
{
    (void)fetch_groups(w, 1);
    return mcx_gmc_group(w->gmc, 0);
}

static mcx_err send_key(const struct world *w, const char *group, uint32_t *id)
{
    const struct mcx_group_key *key = NULL;
    mcx_err err = mcx_group_keys_send(&key, w->keys, MCX_KEY_GMK, group, w->now, NULL);

    *id = err == MCX_OK ? key->key_id : 0;
    return err;
}

static void assert_sends(const struct world *w, const char *group, unsigned key)
{
    uint32_t id = 0;

    assert_int_equal(send_key(w, group, &id), MCX_OK);
    assert_int_equal(id, 0x1234560u + key);
}

static void assert_no_key(const struct world *w, const char *group, mcx_err want)
{
    uint32_t id = 0;

    assert_int_equal(send_key(w, group, &id), want);
}

/* Alice holds GMK 1 of group A. */
static void with_key(struct world *w)
{
    publish_group(w, 0);
    publish(w, (struct order){ 0 });
    assert_int_equal(fetch(w)->num_new, 1);
}

/* ---- good fetches ---- */

static void key_is_fetched_once(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;
    const struct mcx_group_info *info = NULL;
    const struct mcx_group_key *key = NULL;

    w->head[0].multicast_floor = true;
    w->head[0].protect_floor = false;
    with_key(w);
    g = mcx_gmc_group(w->gmc, 0);
    assert_int_equal(g->state, MCX_GMC_CURRENT);
    assert_int_equal(g->num_refused, 0);
    assert_sends(w, GROUP_A, 1);
    key = mcx_group_keys_at(w->keys, 0);
    assert_string_equal(key->gms, GMS);
    assert_string_equal(key->user, ALICE);
    info = mcx_group_keys_info(w->keys, GROUP_A);
    assert_string_equal(info->etag_group, "v1");
    assert_string_equal(info->etag_gktp, "v1");
    assert_true(info->protect_media);
    assert_false(info->protect_floor);
    assert_true(info->multicast_floor);
    /* again: both are unchanged */
    g = fetch(w);
    assert_int_equal(g->state, MCX_GMC_CURRENT);
    assert_true(g->protect_media);
    assert_int_equal(g->num_new + g->num_same + g->num_updated, 0);
    assert_int_equal(w->doc[DOC_GKTP][0].gets, 1);
    /* the identical payload in a new document */
    w->doc[DOC_GKTP][0].version++;
    g = fetch(w);
    assert_int_equal(g->num_same, 1);
    assert_int_equal(g->state, MCX_GMC_CURRENT);
    assert_sends(w, GROUP_A, 1);
}

static void two_groups(void **state)
{
    struct world *w = *state;

    publish_group(w, 0);
    publish_group(w, 1);
    publish(w, (struct order){ 0 });
    add_payload(w, (struct order){ .key = 2, .group = GROUP_B });
    publish_keys(w, 1);
    assert_int_equal(fetch_groups(w, 2), MCX_GMC_DONE);
    assert_int_equal(mcx_gmc_num_groups(w->gmc), 2);
    assert_int_equal(mcx_gmc_group(w->gmc, 1)->state, MCX_GMC_CURRENT);
    assert_sends(w, GROUP_A, 1);
    assert_sends(w, GROUP_B, 2);
}

static void rekey_switches_at_activation(void **state)
{
    struct world *w = *state;

    with_key(w);
    add_payload(w, (struct order){ 0 });
    add_payload(w, (struct order){ .key = 2, .activation = UNIX + 600, .later = 30 });
    publish_keys(w, 0);
    assert_int_equal(fetch(w)->num_new, 1);
    assert_int_equal(mcx_gmc_group(w->gmc, 0)->num_same, 1);
    assert_sends(w, GROUP_A, 1);
    w->now.sec = RING_OWN_TIME + 600;
    assert_sends(w, GROUP_A, 2);
}

/* ids of nobody: by whom the messages are addressed to */
static void payloads_without_own_id(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;

    publish_group(w, 0);
    add_payload(w, (struct order){ .id = "1", .to = BOB, .key = 3 });
    add_payload(w, (struct order){ .id = "2" });
    add_payload(w, (struct order){ .id = "3", .to = BOB, .key = 4 });
    w->payload[2].len = 7; /* nor one that is no message */
    publish_keys(w, 0);
    g = fetch(w);
    assert_int_equal(g->num_new, 1);
    assert_int_equal(g->num_others, 2);
    assert_int_equal(g->state, MCX_GMC_CURRENT);
    assert_sends(w, GROUP_A, 1);
}

static void mkfc(void **state)
{
    struct world *w = *state;
    const struct mcx_group_key *key = NULL;

    publish_group(w, 0);
    add_payload(w, (struct order){ 0 });
    add_payload(w, (struct order){ .type = MCX_KEY_MKFC, .key = 5 });
    publish_keys(w, 0);
    assert_int_equal(fetch(w)->num_new, 2);
    assert_int_equal(mcx_group_keys_send(&key, w->keys, MCX_KEY_MKFC, GROUP_A, w->now, NULL), MCX_OK);
    assert_int_equal(key->type, MCX_KEY_MKFC);
}

static void temporary_group(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;

    with_key(w);
    (void)snprintf(w->head[0].temporary, sizeof w->head[0].temporary, TEMP);
    (void)snprintf(w->head[0].requestor, sizeof w->head[0].requestor, BOB);
    publish_group(w, 0);
    add_payload(w, (struct order){ 0 });
    add_payload(w, (struct order){ .key = 2, .group = TEMP, .temporary = TEMP, .later = 10 });
    publish_keys(w, 0);
    g = fetch(w);
    assert_int_equal(g->num_new, 1);
    assert_string_equal(g->temporary, TEMP);
    assert_string_equal(mcx_group_keys_info(w->keys, GROUP_A)->temporary, TEMP);
    assert_sends(w, TEMP, 2);
    assert_sends(w, GROUP_A, 1); /* not replaced by it */
    g = fetch(w);                /* unchanged: it still says so */
    assert_string_equal(g->temporary, TEMP);
    /* torn down: the temporary key goes, one's own stays */
    w->head[0].temporary[0] = '\0';
    publish_group(w, 0);
    publish(w, (struct order){ 0 });
    g = fetch(w);
    assert_int_equal(g->num_wiped, 1);
    assert_string_equal(g->temporary, "");
    assert_no_key(w, TEMP, MCX_E_NOKEY);
    assert_sends(w, GROUP_A, 1);
}

/* The user is in two constituents: the key goes when the last of them leaves. */
static void temporary_group_of_two(void **state)
{
    struct world *w = *state;

    for (int g = 0; g < 2; g++) {
        (void)snprintf(w->head[g].temporary, sizeof w->head[g].temporary, TEMP);
        (void)snprintf(w->head[g].requestor, sizeof w->head[g].requestor, BOB);
        publish_group(w, g);
        add_payload(w, (struct order){ .key = 2, .group = TEMP, .temporary = TEMP });
        publish_keys(w, g);
    }
    assert_int_equal(fetch_groups(w, 2), MCX_GMC_DONE);
    assert_sends(w, TEMP, 2);
    w->head[0].temporary[0] = '\0';
    publish_group(w, 0);
    publish_keys(w, 0);
    assert_int_equal(fetch_groups(w, 2), MCX_GMC_DONE);
    assert_sends(w, TEMP, 2);
    w->doc[DOC_GROUP][1].status = 403;
    assert_int_equal(fetch_groups(w, 2), MCX_GMC_DONE);
    assert_int_equal(mcx_gmc_group(w->gmc, 1)->num_wiped, 1);
    assert_no_key(w, TEMP, MCX_E_NOKEY);
}

/* ---- payloads that are refused: the held key stays, the document is fetched again ---- */

static void refused_payloads(void **state)
{
    static const struct {
        const char *name;
        struct order order;
        mcx_err want;
    } rows[] = {
        { "signed by a member", { .key = 2, .from = BOB }, MCX_E_POLICY },
        { "signed by another server", { .key = 2, .from = SERVER }, MCX_E_POLICY },
        { "the GMS's URI under another KMS", { .key = 2, .from_kms = "kms.evil.example" }, MCX_E_POLICY },
        { "for another member under our id", { .key = 2, .to = BOB }, MCX_E_NOKEY },
        { "parameters that name another group", { .key = 2, .group = GROUP_B }, MCX_E_POLICY },
        { "the group's key under a temporary group", { .key = 2, .temporary = TEMP }, MCX_E_POLICY },
        { "expired", { .key = 2, .expiry = UNIX - 5, .activation = UNIX - 500 }, MCX_E_EXPIRED },
        { "the same GMK-ID with another key", { .key = 2, .key_id = 0x1234561, .later = 10 }, MCX_E_POLICY },
        { "the same GMK-ID with another RAND", { .rand = 9, .later = 10 }, MCX_E_POLICY },
        { "a time stamp in the future", { .key = 2, .later = 3600 }, MCX_E_EXPIRED },
    };
    struct world *w = *state;

    with_key(w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct mcx_gmc_group *g = NULL;
        unsigned gets = 0;

        publish(w, rows[i].order);
        gets = w->doc[DOC_GKTP][0].gets;
        g = fetch(w);
        if (g->state != MCX_GMC_PARTLY || g->num_refused != 1 || g->num_new + g->num_updated + g->num_revoked != 0 ||
            g->refusal[0].err != rows[i].want || g->refusal[0].why.reason == NULL) {
            fail_msg("%s: %s, %zu refused, %s", rows[i].name, mcx_gmc_state_name(g->state), g->num_refused,
                     mcx_err_name(g->refusal[0].err));
        }
        assert_string_equal(g->refusal[0].document, "gmk");
        assert_string_equal(g->refusal[0].temporary, rows[i].order.temporary == NULL ? "" : TEMP);
        assert_sends(w, GROUP_A, 1);
        assert_int_equal(mcx_group_keys_num(w->keys), 1);
        (void)fetch(w); /* not taken, so not known: it comes again */
        assert_int_equal(w->doc[DOC_GKTP][0].gets, gets + 2);
    }
    publish(w, (struct order){ .key = 6, .later = 20 }); /* and nothing of it stands in the way of the next good one */
    assert_int_equal(fetch(w)->state, MCX_GMC_CURRENT);
    assert_sends(w, GROUP_A, 6);
}

static void tampered_message(void **state)
{
    struct world *w = *state;
    struct payload good;

    with_key(w);
    add_payload(w, (struct order){ .key = 2 });
    good = w->payload[0];
    for (size_t at = 0; at < good.len; at += 41) { /* key parameters among it */
        w->payload[0] = good;
        w->payload[0].octets[at] ^= 0x10;
        w->num_payloads = 1;
        publish_keys(w, 0);
        if (fetch(w)->num_refused != 1) {
            fail_msg("octet %zu", at);
        }
        assert_int_equal(mcx_group_keys_num(w->keys), 1);
    }
    assert_sends(w, GROUP_A, 1);
}

/* One bad payload spoils only itself. */
static void good_beside_bad(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;

    publish_group(w, 0);
    add_payload(w, (struct order){ .key = 2, .from = BOB });
    add_payload(w, (struct order){ .key = 3 });
    add_payload(w, (struct order){ .type = MCX_KEY_MKFC, .key = 4 });
    w->payload[1].kind = MCX_GKTP_GMK;
    w->payload[2].kind = MCX_GKTP_GMK; /* a MKFC among the GMKs */
    publish_keys(w, 0);
    g = fetch(w);
    assert_int_equal(g->num_new, 1);
    assert_int_equal(g->num_refused, 2);
    assert_int_equal(g->state, MCX_GMC_PARTLY);
    assert_sends(w, GROUP_A, 3);
    assert_string_equal(mcx_group_keys_info(w->keys, GROUP_A)->etag_gktp, "");
    set_text(&w->doc[DOC_GKTP][0], "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'><GMK-GKTPs><GKTP id='" ALICE "'>0x</GKTP>"
                                   "</GMK-GKTPs></GKTPs>");
    g = fetch(w);
    assert_int_equal(g->num_refused, 1);
    assert_int_equal(g->refusal[0].err, MCX_E_FORMAT);
    assert_sends(w, GROUP_A, 3);
}

static void revoked_and_replayed(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;
    char *old = NULL;
    size_t len = 0;

    with_key(w);
    len = w->doc[DOC_GKTP][0].len;
    old = malloc(len);
    memcpy(old, w->doc[DOC_GKTP][0].body, len);
    publish(w, (struct order){ .revoke = true, .later = 20 });
    g = fetch(w);
    assert_int_equal(g->num_revoked, 1);
    assert_no_key(w, GROUP_A, MCX_E_POLICY);
    w->doc[DOC_GKTP][0].version++; /* the revocation again is no news and no fault */
    g = fetch(w);
    assert_int_equal(g->num_same, 1);
    assert_int_equal(g->state, MCX_GMC_CURRENT);
    set_body(&w->doc[DOC_GKTP][0], old, len); /* the document of before, under a new tag */
    g = fetch(w);
    assert_int_equal(g->num_refused, 1);
    assert_true(g->refusal[0].err == MCX_E_POLICY || g->refusal[0].err == MCX_E_REPLAY);
    assert_no_key(w, GROUP_A, MCX_E_POLICY);
    publish(w, (struct order){ .later = 40 }); /* nor by a new message about the same key */
    assert_int_equal(fetch(w)->num_refused, 1);
    assert_no_key(w, GROUP_A, MCX_E_POLICY);
}

/* The end of a key brought forward, and a revocation after the end that it names: both reach a device that was off. */
static void news_after_the_end(void **state)
{
    struct world *w = *state;

    with_key(w);
    publish(w, (struct order){ .expiry = UNIX - 5, .activation = UNIX - 500, .later = 20 });
    assert_int_equal(fetch(w)->num_updated, 1);
    assert_no_key(w, GROUP_A, MCX_E_EXPIRED);
    publish(w, (struct order){ .key = 2 });
    assert_int_equal(fetch(w)->num_new, 1);
    assert_sends(w, GROUP_A, 2);
    publish(w, (struct order){ .key = 2, .revoke = true, .expiry = UNIX - 5, .later = 20 });
    assert_int_equal(fetch(w)->num_revoked, 1);
    assert_no_key(w, GROUP_A, MCX_E_EXPIRED);
}

static void activation_in_the_future(void **state)
{
    struct world *w = *state;

    publish_group(w, 0);
    publish(w, (struct order){ .activation = UNIX + 7200, .expiry = UNIX + 9000 });
    assert_int_equal(fetch(w)->state, MCX_GMC_CURRENT);
    assert_no_key(w, GROUP_A, MCX_E_EXPIRED);
    w->now.sec = RING_OWN_TIME + 7200;
    assert_sends(w, GROUP_A, 1);
    w->now.sec = RING_OWN_TIME + 9000;
    assert_no_key(w, GROUP_A, MCX_E_EXPIRED);
    (void)fetch(w);
    assert_int_equal(mcx_gmc_num_expired(w->gmc), 1);
}

static void too_many_payloads(void **state)
{
    struct world *w = *state;
    size_t cap = 200 * 100;
    char *xml = malloc(cap);
    size_t n = 0;
    const struct mcx_gmc_group *g = NULL;

    publish_group(w, 0);
    n += (size_t)snprintf(xml, cap, "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'><GMK-GKTPs>");
    for (int i = 0; i < 100; i++) {
        n += (size_t)snprintf(xml + n, cap - n, "<GKTP id='" ALICE "'>00</GKTP>");
    }
    n += (size_t)snprintf(xml + n, cap - n, "</GMK-GKTPs></GKTPs>");
    set_body(&w->doc[DOC_GKTP][0], xml, n);
    g = fetch(w);
    assert_int_equal(g->num_refused, 100);
    assert_int_equal(g->refusal[MCX_GMC_REFUSALS_MAX - 1].err, g->refusal[0].err);
    assert_int_equal(g->state, MCX_GMC_PARTLY);
}

/* ---- answers of the GMS ---- */

static void group_deleted_and_left(void **state)
{
    struct world *w = *state;
    static const struct {
        int doc, status;
        enum mcx_gmc_state want;
        mcx_err err;
    } rows[] = { { DOC_GROUP, 404, MCX_GMC_GONE, MCX_E_NOKEY },
                 { DOC_GROUP, 403, MCX_GMC_NO_MEMBER, MCX_E_POLICY },
                 { DOC_GKTP, 403, MCX_GMC_NO_MEMBER, MCX_E_POLICY } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct mcx_gmc_group *g = NULL;

        with_key(w);
        w->doc[rows[i].doc][0].status = rows[i].status;
        g = fetch(w);
        assert_int_equal(g->state, rows[i].want);
        assert_int_equal(g->num_wiped, 1);
        assert_int_equal(g->num_refused, 1);
        assert_int_equal(g->refusal[0].err, rows[i].err);
        assert_string_equal(g->refusal[0].document, rows[i].doc == DOC_GROUP ? "group" : "gktp");
        assert_no_key(w, GROUP_A, MCX_E_NOKEY);
        w->doc[rows[i].doc][0].status = 0;
        assert_int_equal(fetch(w)->state, MCX_GMC_CURRENT); /* back again: everything is fetched anew */
        assert_sends(w, GROUP_A, 1);
        w->doc[DOC_GROUP][0].status = 404;
        (void)fetch(w);
        w->doc[DOC_GROUP][0].status = 0;
    }
}

static void group_without_keys(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;

    publish_group(w, 0); /* no GKTP document, though the media is protected: said each time */
    for (int i = 0; i < 2; i++) {
        g = fetch(w);
        assert_int_equal(g->state, MCX_GMC_PARTLY);
        assert_int_equal(g->refusal[0].err, MCX_E_NOKEY);
        assert_non_null(g->refusal[0].why.reason);
    }
    w->head[0].protect_media = false;
    publish_group(w, 0);
    assert_int_equal(fetch(w)->state, MCX_GMC_CURRENT);
    assert_false(mcx_group_keys_info(w->keys, GROUP_A)->protect_media);
}

/* Whatever a GMS answers instead of a document, the held keys stay and the other groups are fetched. */
static void bad_answers(void **state)
{
    static const struct {
        const char *name;
        int doc, status;
        const char *body;
    } rows[] = {
        { "redirect", DOC_GROUP, 302, NULL },
        { "bad request", DOC_GKTP, 400, NULL },
        { "no content", DOC_GROUP, 204, NULL },
        { "server error", DOC_GROUP, 500, NULL },
        { "server error at the keys", DOC_GKTP, 503, NULL },
        { "unchanged, though unknown", DOC_GROUP, 304, NULL },
        { "too long", DOC_GROUP, TOO_LONG, NULL },
        { "too long, the keys", DOC_GKTP, TOO_LONG, NULL },
        { "no XML", DOC_GROUP, 0, "hello" },
        { "no XML with the keys", DOC_GKTP, 0, "" },
        { "a DOCTYPE", DOC_GKTP, 0, "<!DOCTYPE a><a/>" },
        { "another document", DOC_GKTP, 0, "<a/>" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct doc *d = &w->doc[rows[i].doc][0];
        const struct mcx_gmc_group *g = NULL;

        mcx_group_keys_free(w->keys);
        assert_int_equal(mcx_group_keys_new(&w->keys), MCX_OK);
        publish_group(w, 0);
        publish_group(w, 1);
        publish(w, (struct order){ 0 });
        add_payload(w, (struct order){ .key = 2, .group = GROUP_B });
        publish_keys(w, 1);
        d->status = rows[i].status;
        if (rows[i].body != NULL) {
            set_text(d, rows[i].body);
        }
        assert_int_equal(fetch_groups(w, 2), MCX_GMC_DONE);
        g = mcx_gmc_group(w->gmc, 0);
        if (g->state != MCX_GMC_UNREADABLE || g->num_refused != 1 || g->refusal[0].why.reason == NULL ||
            strcmp(g->refusal[0].document, rows[i].doc == DOC_GROUP ? "group" : "gktp") != 0) {
            fail_msg("%s: %s", rows[i].name, mcx_gmc_state_name(g->state));
        }
        assert_int_equal(mcx_gmc_group(w->gmc, 1)->state, MCX_GMC_CURRENT);
        assert_sends(w, GROUP_B, 2);
        assert_no_key(w, GROUP_A, MCX_E_NOKEY);
        d->status = 0;
    }
}

static void bad_answer_keeps_keys(void **state)
{
    struct world *w = *state;

    with_key(w);
    w->doc[DOC_GROUP][0].status = 500;
    assert_int_equal(fetch(w)->state, MCX_GMC_UNREADABLE);
    assert_sends(w, GROUP_A, 1);
    w->doc[DOC_GROUP][0].status = 0;
    (void)snprintf(w->head[0].uri, sizeof w->head[0].uri, GROUP_B); /* the document of another group */
    publish_group(w, 0);
    assert_int_equal(fetch(w)->state, MCX_GMC_UNREADABLE);
    assert_sends(w, GROUP_A, 1);
    assert_string_equal(mcx_group_keys_info(w->keys, GROUP_A)->etag_group, "v1");
}

/* The same file, another user: what the GMS says of him does not touch her keys. */
static void keys_of_another_user(void **state)
{
    static const int statuses[] = { 0, 403, 404 };
    struct world *w = *state;

    with_key(w);
    publish_group(w, 1);
    w->head[1].protect_media = false;
    publish_group(w, 1);
    for (size_t i = 0; i < 3; i++) {
        const struct mcx_gmc_group *g = NULL;
        unsigned gets = w->doc[DOC_GROUP][0].gets;

        w->user = BOB;
        w->doc[DOC_GROUP][0].status = statuses[i];
        assert_int_equal(fetch_groups(w, 2), MCX_GMC_DONE);
        g = mcx_gmc_group(w->gmc, 0);
        assert_int_equal(g->state, MCX_GMC_UNREADABLE);
        assert_int_equal(g->refusal[0].err, MCX_E_POLICY);
        assert_string_equal(g->refusal[0].why.clause, "TS 33.180 5.2.3");
        assert_int_equal(mcx_gmc_group(w->gmc, 1)->state, MCX_GMC_CURRENT);
        assert_int_equal(w->doc[DOC_GROUP][0].gets, gets);
        assert_sends(w, GROUP_A, 1);
    }
    w->user = NULL;
    w->doc[DOC_GROUP][0].status = 0;
    assert_int_equal(fetch(w)->state, MCX_GMC_CURRENT);
}

/* Another GMS is configured: its documents are looked at, though the tags of the one before are held. */
static void keys_of_another_gms(void **state)
{
    struct world *w = *state;
    const struct mcx_gmc_group *g = NULL;

    with_key(w);
    w->gms = SERVER;
    g = fetch(w);
    assert_int_equal(g->state, MCX_GMC_PARTLY);
    assert_int_equal(g->refusal[0].err, MCX_E_POLICY);
    assert_sends(w, GROUP_A, 1);
    add_payload(w, (struct order){ .key = 2, .from = SERVER });
    publish_keys(w, 0);
    assert_int_equal(fetch(w)->num_new, 1);
}

static void token_and_line(void **state)
{
    struct world *w = *state;

    with_key(w);
    w->doc[DOC_GROUP][0].status = 401;
    assert_int_equal(fetch_groups(w, 2), MCX_GMC_FAILED);
    assert_int_equal(w->last.err, MCX_E_POLICY);
    assert_int_equal(w->last.status, 401);
    assert_int_equal(mcx_gmc_group(w->gmc, 0)->state, MCX_GMC_UNREADABLE);
    assert_int_equal(mcx_gmc_group(w->gmc, 0)->refusal[0].err, MCX_E_POLICY);
    assert_int_equal(mcx_gmc_group(w->gmc, 1)->state, MCX_GMC_PENDING);
    w->doc[DOC_GROUP][0].status = 0;
    w->lost = 2; /* two tries follow the first */
    assert_int_equal(fetch(w)->state, MCX_GMC_CURRENT);
    w->lost = 3;
    assert_int_equal(fetch_groups(w, 1), MCX_GMC_FAILED);
    assert_int_equal(w->last.err, MCX_E_IO);
    assert_int_equal(mcx_gmc_group(w->gmc, 0)->refusal[0].err, MCX_E_IO);
    assert_sends(w, GROUP_A, 1);
}

static void configurations(void **state)
{
    struct world *w = *state;
    static const char *const twice[] = { GROUP_A, GROUP_A };
    static const char *const blank[] = { "sip:a b@example.org" };
    static const struct mcx_gmc_config rows[] = {
        { .url = "http://gms.example.org", .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 1 },
        { .url = "https://gms.example.org/x", .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 1 },
        { .url = "https:///", .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 1 },
        { .url = "https://a@b", .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 1 },
        { .url = NULL, .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 1 },
        { .url = BASE, .gms = "", .user = ALICE, .groups = group_uri, .num_groups = 1 },
        { .url = BASE, .gms = GMS, .user = NULL, .groups = group_uri, .num_groups = 1 },
        { .url = BASE, .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 0 },
        { .url = BASE, .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = MCX_GMC_GROUPS_MAX + 1 },
        { .url = BASE, .gms = GMS, .user = ALICE, .groups = twice, .num_groups = 2 },
        { .url = BASE, .gms = GMS, .user = ALICE, .groups = blank, .num_groups = 1 },
    };
    const struct mcx_gmc_config slash = {
        .url = BASE "/", .gms = GMS, .user = ALICE, .groups = group_uri, .num_groups = 1
    };
    struct mcx_gmc_in in = { .event = MCX_GMC_ANSWER, .status = 200 };
    struct mcx_gmc *gmc = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(mcx_gmc_new(&gmc, &rows[i], w->alice, w->keys, &w->rng), MCX_E_ARG);
        assert_null(gmc);
    }
    assert_int_equal(mcx_gmc_new(&gmc, &slash, w->alice, w->keys, &w->rng), MCX_OK);
    assert_int_equal(mcx_gmc_step(gmc, &in, &w->last), MCX_E_STATE);
    in.event = MCX_GMC_START;
    assert_int_equal(mcx_gmc_step(gmc, &in, &w->last), MCX_OK);
    assert_string_equal(w->last.url, BASE "/org.openmobilealliance.groups/global/byGroupID/sip:fire@example.org");
    assert_int_equal(mcx_gmc_step(gmc, &in, &w->last), MCX_E_STATE);
    mcx_gmc_free(gmc);
}

/* ---- SIP ---- */

static mcx_err take_uri(void *arg, const char *uri)
{
    strcat(arg, uri);
    strcat(arg, " ");
    return MCX_OK;
}

static void subscription(void **state)
{
    static struct mcx_mcptt_info info;
    static uint8_t buf[16384];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    char type[MCX_MIME_TYPE_MAX];
    struct mcx_mime mime;
    const struct mcx_mime_part *part = NULL;
    char uris[1024] = "";

    (void)state;
    assert_int_equal(mcx_gmc_subscribe_write(&wr, type, group_uri, 2, "a.b.c"), MCX_OK);
    assert_int_equal(mcx_mime_read(&mime, mcx_bytes_str(type), mcx_wr_done(&wr), NULL), MCX_OK);
    part = mcx_mime_find(&mime, MCX_TYPE_RESOURCE_LISTS);
    assert_non_null(part);
    assert_int_equal(mcx_xcap_list_read(part->body, take_uri, uris, NULL), MCX_OK);
    assert_string_equal(uris, "org.openmobilealliance.groups/global/byGroupID/sip:fire@example.org "
                              "org.3gpp.MCPTT-GKTP/global/byGroupID/sip:fire@example.org "
                              "org.openmobilealliance.groups/global/byGroupID/sip:rescue@example.org "
                              "org.3gpp.MCPTT-GKTP/global/byGroupID/sip:rescue@example.org ");
    part = mcx_mime_find(&mime, MCX_TYPE_MCPTT_INFO);
    assert_non_null(part);
    assert_int_equal(mcx_mcptt_info_read(&info, part->body, NULL), MCX_OK);
    assert_string_equal(info.access_token, "a.b.c");
    assert_int_equal(mcx_gmc_subscribe_write(&wr, type, group_uri, 0, "a.b.c"), MCX_E_ARG);
    assert_int_equal(mcx_gmc_subscribe_write(&wr, type, group_uri, 2, ""), MCX_E_ARG);
}

static void notification(void **state)
{
    struct world *w = *state;
    static struct mcx_gmc_changes changes;
    static const struct mcx_xcap_change same[] = { { MCX_AUID_GROUP "/global/byGroupID/" GROUP_A, "v1", "" },
                                                   { MCX_AUID_GKTP "/global/byGroupID/" GROUP_A, "v1", "" } };
    static const struct mcx_xcap_change news[] = {
        { MCX_AUID_GROUP "/global/byGroupID/" GROUP_A, "v1", "" },
        { MCX_AUID_GKTP "/global/byGroupID/" GROUP_A, "v2", "v1" },
        { MCX_AUID_GROUP "/global/byGroupID/" GROUP_B, "x", "" },
        { MCX_AUID_GKTP "/global/byGroupID/" GROUP_B, "y", "" },
        { "other.auid/global/byGroupID/" GROUP_B, "y", "" },
        { "resource-lists/users/x/index", "y", "" },
    };
    static const struct mcx_xcap_change gone[] = { { MCX_AUID_GROUP "/global/byGroupID/" GROUP_A, "", "v1" },
                                                   { MCX_AUID_GROUP "/global/byGroupID/" GROUP_B, "", "z" } };
    uint8_t buf[4096];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    with_key(w);
    assert_int_equal(mcx_xcap_diff_write(&wr, BASE "/", same, 2), MCX_OK);
    assert_int_equal(mcx_gmc_notify_read(&changes, mcx_wr_done(&wr), w->keys, NULL), MCX_OK);
    assert_int_equal(changes.num, 0);
    wr = mcx_wr(buf, sizeof buf);
    assert_int_equal(mcx_xcap_diff_write(&wr, BASE "/", news, 6), MCX_OK);
    assert_int_equal(mcx_gmc_notify_read(&changes, mcx_wr_done(&wr), w->keys, NULL), MCX_OK);
    assert_int_equal(changes.num, 2);
    assert_string_equal(changes.group[0], GROUP_A);
    assert_string_equal(changes.group[1], GROUP_B);
    wr = mcx_wr(buf, sizeof buf);
    assert_int_equal(mcx_xcap_diff_write(&wr, BASE "/", gone, 2), MCX_OK);
    assert_int_equal(mcx_gmc_notify_read(&changes, mcx_wr_done(&wr), w->keys, NULL), MCX_OK);
    assert_int_equal(changes.num, 1); /* what is gone and was never held is no news */
    assert_string_equal(changes.group[0], GROUP_A);
    assert_int_equal(mcx_gmc_notify_read(&changes, mcx_bytes_str("<a/>"), w->keys, NULL), MCX_E_FORMAT);
    assert_int_equal(changes.num, 0);
}

int main(void)
{
#define SCENE(f) cmocka_unit_test_setup_teardown(f, world_new, world_free)
    const struct CMUnitTest tests[] = {
        SCENE(key_is_fetched_once),
        SCENE(two_groups),
        SCENE(rekey_switches_at_activation),
        SCENE(payloads_without_own_id),
        SCENE(mkfc),
        SCENE(temporary_group),
        SCENE(temporary_group_of_two),
        SCENE(refused_payloads),
        SCENE(tampered_message),
        SCENE(good_beside_bad),
        SCENE(revoked_and_replayed),
        SCENE(news_after_the_end),
        SCENE(activation_in_the_future),
        SCENE(too_many_payloads),
        SCENE(group_deleted_and_left),
        SCENE(group_without_keys),
        SCENE(bad_answers),
        SCENE(bad_answer_keeps_keys),
        SCENE(keys_of_another_user),
        SCENE(keys_of_another_gms),
        SCENE(token_and_line),
        SCENE(configurations),
        cmocka_unit_test(subscription),
        SCENE(notification),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
