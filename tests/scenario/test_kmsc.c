/* SPDX-License-Identifier: Apache-2.0 */
/* The KMS client procedure against a KMS played here with the master secrets of [kms-rfc], on a fixed clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/kmsc.h>
#include <mcx/text.h>

#include "support/fake.h"
#include "support/vectors.h"

#define VECTORS "identities-kms-vectors.txt"
#define KMS     "kms1.mcx.example.net"
#define USER    "sip:unit07@mcx.example.net"
#define BASE    "https://kms1.mcx.example.net"
#define PATH    BASE MCX_KMSC_PATH

/* one week from 345600 on; period 6582 = [2026-02-27, 2026-03-06) */
#define PERIOD       6582
#define PERIOD_START UINT64_C(1772150400)
#define PERIOD_END   UINT64_C(1772755200)
#define NOON         UINT64_C(1772625600) /* 2026-03-04T12:00:00Z, before the last tenth */
#define LAST_TENTH   (PERIOD_END - 3600)

/* The KMS of this test: one document for each request, altered by `spoil` before it is sent. */
struct kms {
    struct mcx_sakke_master z;
    struct mcx_eccsi_master ksak;
    struct mcx_kms_cert cert;
    struct mcx_kms_cert other;
    struct mcx_kms_key_set set;
    struct fake_rng fake;
    void (*spoil)(struct mcx_kmsdoc *doc);
    enum mcx_kmsdoc_kind spoil_kind;
    int status;      /* 0 = 200; otherwise every request gets it */
    int next_status; /* for a keyprov with time */
    bool empty_body;
};

static void kms_init(struct kms *k)
{
    static char *domains[] = { "mcx.example.net" };
    struct vec z = vec_get(VECTORS, "kms-rfc", "z_T");

    memset(k, 0, sizeof *k);
    k->fake.seed = 7;
    assert_true(z.len <= sizeof k->z.z);
    memcpy(k->z.z + sizeof k->z.z - z.len, z.p, z.len);
    k->ksak.ksak[29] = 0x01; /* 12345 hex */
    k->ksak.ksak[30] = 0x23;
    k->ksak.ksak[31] = 0x45;
    k->cert = (struct mcx_kms_cert){ .role = MCX_KMS_ROOT,
                                     .cert_uri = "cert1." KMS,
                                     .kms_uri = KMS,
                                     .valid_from = PERIOD_START - 1000,
                                     .valid_to = PERIOD_END + 100000000,
                                     .period = { 604800, 345600 },
                                     .domains = domains,
                                     .num_domains = 1 };
    assert_int_equal(mcx_sakke_master_public(k->cert.pub_enc_key, &k->z), MCX_OK);
    assert_int_equal(mcx_eccsi_master_public(k->cert.pub_auth_key, &k->ksak), MCX_OK);
    k->other = k->cert;
    k->other.role = MCX_KMS_EXTERNAL;
    k->other.cert_uri = "cert1.kms9.partner.example";
    k->other.kms_uri = "kms9.partner.example";
}

static void issue(struct kms *k, uint64_t period_no)
{
    struct mcx_rng rng = fake_rng(&k->fake);
    struct mcx_bytes uid = mcx_bytes(k->set.uid, sizeof k->set.uid);
    uint64_t start = 0;
    uint64_t end = 0;

    assert_int_equal(mcx_period_bounds(&start, &end, &k->cert.period, period_no), MCX_OK);
    k->set = (struct mcx_kms_key_set){ .kms_uri = KMS,
                                       .cert_uri = k->cert.cert_uri,
                                       .user_uri = USER,
                                       .period_no = period_no,
                                       .valid_from = start - MCX_NTP_UNIX_OFFSET,
                                       .valid_to = end - MCX_NTP_UNIX_OFFSET - 1 };
    assert_int_equal(mcx_uid(k->set.uid, mcx_bytes_str(USER), mcx_bytes_str(KMS), &k->cert.period, period_no), MCX_OK);
    assert_int_equal(mcx_sakke_extract(k->set.rsk, &k->z, uid), MCX_OK);
    assert_int_equal(mcx_eccsi_extract(k->set.ssk, k->set.pvt, &k->ksak, uid, &rng), MCX_OK);
}

/* NTP hex at the end of a URL, or 0. */
static uint64_t time_in(const char *url)
{
    const char *hex = strrchr(url, '/') + 1;
    uint8_t wire[4];

    if (strlen(hex) != 16 || mcx_hex_read_exact(wire, 4, mcx_bytes(hex, 8)) != MCX_OK) {
        return 0;
    }
    return (uint64_t)wire[0] << 24 | (uint64_t)wire[1] << 16 | (uint64_t)wire[2] << 8 | wire[3];
}

static void fill_message(struct kms *k, struct mcx_kmsdoc *doc, const char *url, uint64_t now)
{
    const char *op = url + strlen(PATH);

    if (strncmp(op, "init", 4) == 0) {
        doc->kind = MCX_KMSDOC_INIT;
        doc->certs = &k->cert;
        doc->num_certs = 1;
    } else if (strncmp(op, "keyprov", 7) == 0) {
        uint64_t at = time_in(url) != 0 ? time_in(url) : now + MCX_NTP_UNIX_OFFSET;
        uint64_t no = 0;

        assert_int_equal(mcx_period_no(&no, &k->cert.period, at), MCX_OK);
        issue(k, no);
        doc->kind = MCX_KMSDOC_KEYPROV;
        doc->key_sets = &k->set;
        doc->num_key_sets = 1;
    } else {
        doc->kind = MCX_KMSDOC_CERTCACHE;
        doc->cache_num = 3;
        doc->certs = &k->other;
        doc->num_certs = 1;
    }
}

/* The answer to a request, as octets. */
static int answer(struct kms *k, char **xml, size_t *len, const struct mcx_kmsc_out *ask)
{
    struct mcx_kms_request *req = NULL;
    struct mcx_kmsdoc doc = { 0 };
    int status = k->status != 0 ? k->status : 200;

    assert_int_equal(mcx_kms_request_read(&req, ask->body, NULL), MCX_OK);
    assert_string_equal(req->client_req_url, ask->url);
    assert_string_equal(req->user_uri, USER);
    assert_string_equal(req->kms_uri, KMS);
    doc.user_uri = req->user_uri;
    doc.kms_uri = req->kms_uri;
    doc.time = req->time + 1;
    doc.client_req_url = req->client_req_url;
    fill_message(k, &doc, ask->url, req->time);
    if (time_in(ask->url) != 0 && k->next_status != 0) {
        status = k->next_status;
    }
    if (status != 200) {
        doc.kind = MCX_KMSDOC_ERROR;
        doc.error_code = status;
        doc.error_msg = "no";
    }
    if (k->spoil != NULL && doc.kind == k->spoil_kind) {
        k->spoil(&doc);
    }
    if (k->empty_body) {
        *xml = NULL;
        *len = 0;
    } else {
        assert_int_equal(mcx_kmsdoc_write(xml, len, &doc), MCX_OK);
    }
    mcx_kms_request_free(req);
    return status;
}

struct run {
    struct kms kms;
    struct mcx_store *store;
    struct fake_rng fake;
    struct mcx_kmsc_out out;
    char urls[8][256];
    size_t num_urls;
    uint64_t waits[8];
    size_t num_waits;
    size_t lose; /* how many answers get lost first */
    char kms_error_msg[64];
};

static void run_init(struct run *r)
{
    memset(r, 0, sizeof *r);
    kms_init(&r->kms);
    r->fake.seed = 3;
    assert_int_equal(mcx_store_new(&r->store), MCX_OK);
}

static void run_clear(struct run *r)
{
    mcx_store_free(r->store);
}

static struct mcx_ntp at(uint64_t unix_s)
{
    return mcx_ntp_from_unix_ms(unix_s * 1000);
}

static struct mcx_kmsc_config config(void)
{
    return (struct mcx_kmsc_config){ .url = BASE, .kms_uri = KMS, .user_uri = USER, .retry = MCX_KMSC_RETRY_DEFAULT };
}

static void one_step(struct run *r, struct mcx_kmsc *kmsc, uint64_t now)
{
    struct mcx_kmsc_in in = { .now = at(now) };
    char *xml = NULL;
    size_t len = 0;

    if (r->out.action == MCX_KMSC_WAIT) {
        assert_true(r->num_waits < 8);
        r->waits[r->num_waits++] = r->out.wait_ms;
        in.event = MCX_KMSC_TIMER;
    } else {
        assert_true(r->num_urls < 8);
        strcpy(r->urls[r->num_urls++], r->out.url);
        in.event = r->lose > 0 ? MCX_KMSC_LOST : MCX_KMSC_ANSWER;
        if (r->lose > 0) {
            r->lose--;
        } else {
            in.status = answer(&r->kms, &xml, &len, &r->out);
            in.body = mcx_bytes(xml, len);
        }
    }
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r->out), MCX_OK);
    if (xml != NULL) {
        mcx_kmsdoc_text_free(xml, len);
    }
}

static void run_with(struct run *r, const struct mcx_kmsc_config *c, uint64_t now)
{
    struct mcx_kmsc_in start = { .event = MCX_KMSC_START, .now = at(now) };
    struct mcx_rng rng = fake_rng(&r->fake);
    struct mcx_kmsc *kmsc = NULL;

    r->num_urls = 0;
    r->num_waits = 0;
    assert_int_equal(mcx_kmsc_new(&kmsc, c, r->store, &rng), MCX_OK);
    assert_int_equal(mcx_kmsc_step(kmsc, &start, &r->out), MCX_OK);
    while (r->out.action == MCX_KMSC_POST || r->out.action == MCX_KMSC_WAIT) {
        one_step(r, kmsc, now);
    }
    if (r->out.kms_error_msg != NULL) {
        strcpy(r->kms_error_msg, r->out.kms_error_msg);
    }
    assert_int_equal(mcx_kmsc_step(kmsc, &start, &(struct mcx_kmsc_out){ 0 }), MCX_E_STATE);
    mcx_kmsc_free(kmsc);
}

static void run_plain(struct run *r, uint64_t now)
{
    struct mcx_kmsc_config c = config();

    run_with(r, &c, now);
}

static void whole_fetch(void **state)
{
    struct run r;
    const struct mcx_kms_key_set *set = NULL;

    (void)state;
    run_init(&r);
    run_plain(&r, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_int_equal(r.num_urls, 3);
    assert_string_equal(r.urls[0], PATH "init");
    assert_string_equal(r.urls[1], PATH "keyprov");
    assert_string_equal(r.urls[2], PATH "certcache");
    assert_int_equal(mcx_store_num_certs(r.store), 2);
    assert_int_equal(mcx_store_find_cert(r.store, KMS)->role, MCX_KMS_ROOT);
    assert_int_equal(mcx_store_find_cert(r.store, "kms9.partner.example")->role, MCX_KMS_EXTERNAL);
    set = mcx_store_find_key_set(r.store, KMS, USER, PERIOD);
    assert_non_null(set);
    assert_memory_equal(set->rsk, r.kms.set.rsk, sizeof set->rsk);
    assert_memory_equal(set->ssk, r.kms.set.ssk, sizeof set->ssk);
    assert_int_equal(mcx_store_find_home(r.store, KMS)->cache_num, 3);
    assert_int_equal(mcx_store_find_home(r.store, KMS)->last_fetch, NOON);

    /* the next fetch names the cache it holds */
    run_plain(&r, NOON + 60);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_string_equal(r.urls[2], PATH "certcache/3");
    run_clear(&r);
}

static void next_period_in_the_last_tenth(void **state)
{
    struct run r;

    (void)state;
    run_init(&r);
    run_plain(&r, LAST_TENTH);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_int_equal(r.num_urls, 4);
    /* 2026-03-06T00:00:00Z = NTP 3981744000 = ED549780 hex */
    assert_string_equal(r.urls[2], PATH "keyprov/sip%3Aunit07%40mcx.example.net/ED5497"
                                        "8000000000");
    assert_non_null(mcx_store_find_key_set(r.store, KMS, USER, PERIOD));
    assert_non_null(mcx_store_find_key_set(r.store, KMS, USER, PERIOD + 1));
    /* held already: not asked for again */
    run_plain(&r, LAST_TENTH + 1);
    assert_int_equal(r.num_urls, 3);
    run_clear(&r);
}

static void keys_ahead_may_be_refused(void **state)
{
    struct run r;

    (void)state;
    run_init(&r);
    r.kms.next_status = 403;
    run_plain(&r, LAST_TENTH);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_non_null(mcx_store_find_key_set(r.store, KMS, USER, PERIOD));
    assert_null(mcx_store_find_key_set(r.store, KMS, USER, PERIOD + 1));
    assert_string_equal(r.urls[3], PATH "certcache");
    run_clear(&r);
}

/* Through three period changes: what may still arrive can be opened, nothing older is kept. */
static void older_periods(void **state)
{
    struct run r;
    struct mcx_kmsc_config c = config();

    (void)state;
    run_init(&r);
    for (uint64_t n = 0; n < 4; n++) {
        run_plain(&r, NOON + n * 604800);
        assert_int_equal(r.out.action, MCX_KMSC_DONE);
    }
    assert_null(mcx_store_find_key_set(r.store, KMS, USER, PERIOD));
    assert_true(mcx_store_find_key_set(r.store, KMS, USER, PERIOD + 1)->open_only);
    assert_true(mcx_store_find_key_set(r.store, KMS, USER, PERIOD + 2)->open_only);
    assert_false(mcx_store_find_key_set(r.store, KMS, USER, PERIOD + 3)->open_only);
    /* one of them on demand */
    c.at_time = true;
    c.time = at(NOON + 604800);
    run_with(&r, &c, NOON + 3 * 604800);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_string_equal(r.urls[1], PATH "keyprov/sip%3Aunit07%40mcx.example.net/ED5BD7C000000000");
    run_clear(&r);
}

static void init_only(void **state)
{
    struct run r;
    struct mcx_kmsc_config c = config();

    (void)state;
    run_init(&r);
    c.init_only = true;
    run_with(&r, &c, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_int_equal(r.num_urls, 1);
    assert_int_equal(mcx_store_num_certs(r.store), 1);
    run_clear(&r);
}

static void other_url(struct mcx_kmsdoc *d)
{
    static char url[] = PATH "keyprov/other";

    d->client_req_url = url;
}
static void other_user(struct mcx_kmsdoc *d)
{
    d->user_uri = "sip:unit08@mcx.example.net";
}
static void other_kms(struct mcx_kmsdoc *d)
{
    d->kms_uri = "kms2.mcx.example.net";
}
static void old_time(struct mcx_kmsdoc *d)
{
    d->time -= 1 + MCX_KMSC_TIME_TOLERANCE_S + 1;
}
static void other_message(struct mcx_kmsdoc *d)
{
    d->kind = MCX_KMSDOC_CERTCACHE;
    d->num_certs = 0;
}
static void cert_of_other_kms(struct mcx_kmsdoc *d)
{
    d->certs[0].kms_uri = "kms2.mcx.example.net";
}
static void cert_revoked(struct mcx_kmsdoc *d)
{
    d->certs[0].revoked = true;
}
static void cert_over(struct mcx_kmsdoc *d)
{
    d->certs[0].valid_to = NOON - 1;
}
static void cert_not_yet(struct mcx_kmsdoc *d)
{
    d->certs[0].valid_from = NOON + 60;
}
static void cert_bad_z(struct mcx_kmsdoc *d)
{
    d->certs[0].pub_enc_key[200] ^= 1;
}
static void cert_bad_kpak(struct mcx_kmsdoc *d)
{
    d->certs[0].pub_auth_key[60] ^= 1;
}
static void set_without_signing_key(struct mcx_kmsdoc *doc)
{
    doc->key_sets[0].open_only = true;
}

static void set_of_other_kms(struct mcx_kmsdoc *d)
{
    d->key_sets[0].kms_uri = "kms2.mcx.example.net";
}
static void set_of_other_user(struct mcx_kmsdoc *d)
{
    d->key_sets[0].user_uri = "sip:unit08@mcx.example.net";
}
static void set_bad_rsk(struct mcx_kmsdoc *d)
{
    d->key_sets[0].rsk[100] ^= 1;
}
static void set_bad_ssk(struct mcx_kmsdoc *d)
{
    d->key_sets[0].ssk[31] ^= 1;
}
static void set_bad_pvt(struct mcx_kmsdoc *d)
{
    d->key_sets[0].pvt[60] ^= 1;
}
static void set_bad_uid(struct mcx_kmsdoc *d)
{
    d->key_sets[0].uid[0] ^= 1;
}
static void set_bad_period(struct mcx_kmsdoc *d)
{
    d->key_sets[0].period_no++;
}
static void set_bad_dates(struct mcx_kmsdoc *d)
{
    d->key_sets[0].valid_from -= 604800;
    d->key_sets[0].valid_to -= 604800;
}
static void set_revoked(struct mcx_kmsdoc *d)
{
    d->key_sets[0].revoked = true;
}
static void no_set(struct mcx_kmsdoc *d)
{
    d->num_key_sets = 0;
}

/* Each is refused at its step, and the store holds nothing of that step. */
static void bad_answers(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(struct mcx_kmsdoc *doc);
        enum mcx_kmsdoc_kind kind;
        mcx_err want;
    } rows[] = {
        { "ClientReqUrl", other_url, MCX_KMSDOC_INIT, MCX_E_AUTH },
        { "UserUri", other_user, MCX_KMSDOC_KEYPROV, MCX_E_AUTH },
        { "KmsUri", other_kms, MCX_KMSDOC_KEYPROV, MCX_E_AUTH },
        { "Time", old_time, MCX_KMSDOC_KEYPROV, MCX_E_REPLAY },
        { "message", other_message, MCX_KMSDOC_KEYPROV, MCX_E_FORMAT },
        { "certificate of another KMS", cert_of_other_kms, MCX_KMSDOC_INIT, MCX_E_AUTH },
        { "certificate revoked", cert_revoked, MCX_KMSDOC_INIT, MCX_E_EXPIRED },
        { "certificate over", cert_over, MCX_KMSDOC_INIT, MCX_E_EXPIRED },
        { "certificate not yet valid", cert_not_yet, MCX_KMSDOC_INIT, MCX_E_EXPIRED },
        { "PubEncKey", cert_bad_z, MCX_KMSDOC_INIT, MCX_E_POINT },
        { "PubAuthKey", cert_bad_kpak, MCX_KMSDOC_INIT, MCX_E_POINT },
        { "PubEncKey of another KMS", cert_bad_z, MCX_KMSDOC_CERTCACHE, MCX_E_POINT },
        { "key set of another KMS", set_of_other_kms, MCX_KMSDOC_KEYPROV, MCX_E_AUTH },
        { "key set without signing key", set_without_signing_key, MCX_KMSDOC_KEYPROV, MCX_E_FORMAT },
        { "key set of another user", set_of_other_user, MCX_KMSDOC_KEYPROV, MCX_E_AUTH },
        { "RSK", set_bad_rsk, MCX_KMSDOC_KEYPROV, MCX_E_POINT },
        { "SSK", set_bad_ssk, MCX_KMSDOC_KEYPROV, MCX_E_AUTH },
        { "PVT", set_bad_pvt, MCX_KMSDOC_KEYPROV, MCX_E_POINT },
        { "UserID", set_bad_uid, MCX_KMSDOC_KEYPROV, MCX_E_AUTH },
        { "KeyPeriodNo", set_bad_period, MCX_KMSDOC_KEYPROV, MCX_E_EXPIRED },
        { "dates", set_bad_dates, MCX_KMSDOC_KEYPROV, MCX_E_EXPIRED },
        { "revoked key set", set_revoked, MCX_KMSDOC_KEYPROV, MCX_E_NOKEY },
        { "no key set", no_set, MCX_KMSDOC_KEYPROV, MCX_E_NOKEY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run r;

        run_init(&r);
        r.kms.spoil = rows[i].spoil;
        r.kms.spoil_kind = rows[i].kind;
        run_plain(&r, NOON);
        if (r.out.action != MCX_KMSC_FAILED || r.out.err != rows[i].want || r.out.why.reason == NULL) {
            fail_msg("%s: action %d, error %s", rows[i].name, (int)r.out.action, mcx_err_name(r.out.err));
        }
        assert_int_equal(r.num_waits, 0); /* what is refused is not asked for again */
        assert_int_equal(mcx_store_num_certs(r.store), rows[i].kind == MCX_KMSDOC_INIT ? 0 : 1);
        assert_int_equal(mcx_store_num_key_sets(r.store), rows[i].kind == MCX_KMSDOC_CERTCACHE ? 1 : 0);
        assert_int_equal(mcx_store_num_homes(r.store), 0);
        run_clear(&r);
    }
}

static void other_period(struct mcx_kmsdoc *d)
{
    d->certs[0].period.length = 2592000;
    d->certs[0].cert_uri = "cert2." KMS;
}

static void period_never_changes(void **state)
{
    struct run r;

    (void)state;
    run_init(&r);
    run_plain(&r, NOON);
    r.kms.spoil = other_period;
    r.kms.spoil_kind = MCX_KMSDOC_INIT;
    run_plain(&r, NOON + 60);
    assert_int_equal(r.out.action, MCX_KMSC_FAILED);
    assert_int_equal(r.out.err, MCX_E_POLICY);
    assert_int_equal(mcx_store_find_cert(r.store, KMS)->period.length, 604800);
    run_clear(&r);
}

static void cache_speaks_of_home(struct mcx_kmsdoc *d)
{
    d->certs[0].kms_uri = KMS;
    d->certs[0].cert_uri = "cert1." KMS;
    d->certs[0].valid_to = d->certs[0].valid_from + 1;
}

static void cache_says_root(struct mcx_kmsdoc *d)
{
    d->certs[0].role = MCX_KMS_ROOT;
}

static void only_init_gives_a_root(void **state)
{
    struct run r;

    (void)state;
    run_init(&r);
    r.kms.spoil = cache_speaks_of_home;
    r.kms.spoil_kind = MCX_KMSDOC_CERTCACHE;
    run_plain(&r, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_int_equal(mcx_store_num_certs(r.store), 1);
    assert_int_equal(mcx_store_find_cert(r.store, KMS)->valid_to, PERIOD_END + 100000000);
    run_clear(&r);

    run_init(&r);
    r.kms.spoil = cache_says_root;
    r.kms.spoil_kind = MCX_KMSDOC_CERTCACHE;
    run_plain(&r, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_int_equal(mcx_store_find_cert(r.store, "kms9.partner.example")->role, MCX_KMS_EXTERNAL);
    run_clear(&r);
}

static void errors_of_the_kms(void **state)
{
    static const int final[] = { 400, 401, 403, 404 };
    struct run r;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        run_init(&r);
        r.kms.status = final[i];
        run_plain(&r, NOON);
        assert_int_equal(r.out.action, MCX_KMSC_FAILED);
        assert_int_equal(r.out.err, MCX_E_POLICY);
        assert_int_equal(r.out.kms_error, final[i]);
        assert_string_equal(r.kms_error_msg, "no");
        assert_int_equal(r.num_waits, 0);
        run_clear(&r);
    }
    run_init(&r); /* without a body the status speaks */
    r.kms.status = 401;
    r.kms.empty_body = true;
    run_plain(&r, NOON);
    assert_int_equal(r.out.err, MCX_E_POLICY);
    assert_int_equal(r.out.kms_error, 401);
    run_clear(&r);

    run_init(&r); /* 200 without a body is no answer */
    r.kms.empty_body = true;
    run_plain(&r, NOON);
    assert_int_equal(r.out.err, MCX_E_FORMAT);
    run_clear(&r);
}

static void failures_are_tried_again(void **state)
{
    static const uint64_t longest[] = { 1000, 2000, 4000 };
    struct run r;

    (void)state;
    run_init(&r);
    r.lose = 3;
    run_plain(&r, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_DONE);
    assert_int_equal(r.num_waits, 3);
    assert_int_equal(r.num_urls, 6);
    for (size_t i = 0; i < 3; i++) {
        assert_in_range(r.waits[i], longest[i] / 2, longest[i]);
    }
    run_clear(&r);

    run_init(&r);
    r.lose = 4;
    run_plain(&r, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_FAILED);
    assert_int_equal(r.out.err, MCX_E_IO);
    assert_int_equal(r.num_waits, 3);
    run_clear(&r);

    run_init(&r);
    r.kms.status = 503;
    run_plain(&r, NOON);
    assert_int_equal(r.out.action, MCX_KMSC_FAILED);
    assert_int_equal(r.out.err, MCX_E_IO);
    assert_int_equal(r.out.kms_error, 503);
    assert_int_equal(r.num_waits, 3);
    run_clear(&r);
}

static void waits_are_bounded(void **state)
{
    struct run r;
    struct mcx_kmsc_config c = config();

    (void)state;
    run_init(&r);
    c.retry = (struct mcx_kmsc_retry){ 6, 1000, 3000 };
    r.lose = 7;
    run_with(&r, &c, NOON);
    assert_int_equal(r.num_waits, 6);
    assert_in_range(r.waits[5], 1500, 3000);
    run_clear(&r);
}

static void events_out_of_place(void **state)
{
    struct run r;
    struct mcx_kmsc_config c = config();
    struct mcx_kmsc *kmsc = NULL;
    struct mcx_kmsc_in in = { .event = MCX_KMSC_ANSWER, .now = at(NOON) };
    struct mcx_rng rng;

    (void)state;
    run_init(&r);
    rng = fake_rng(&r.fake);
    assert_int_equal(mcx_kmsc_new(&kmsc, &c, r.store, &rng), MCX_OK);
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r.out), MCX_E_STATE);
    in.event = MCX_KMSC_START;
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r.out), MCX_OK);
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r.out), MCX_E_STATE);
    in.event = MCX_KMSC_TIMER;
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r.out), MCX_E_STATE);
    in.event = MCX_KMSC_LOST;
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r.out), MCX_OK);
    assert_int_equal(r.out.action, MCX_KMSC_WAIT);
    assert_int_equal(mcx_kmsc_step(kmsc, &in, &r.out), MCX_E_STATE);
    mcx_kmsc_free(kmsc);
    run_clear(&r);
}

static void wrong_configurations(void **state)
{
    static const char *const urls[] = { "http://kms1.mcx.example.net",
                                        "https://",
                                        "https:///x",
                                        "kms1.mcx.example.net",
                                        "https://kms1.mcx.example.net/?x",
                                        "https://a@kms1.mcx.example.net",
                                        "" };
    struct run r;
    struct mcx_kmsc *kmsc = NULL;
    struct mcx_kmsc_config c = config();
    struct mcx_rng rng;

    (void)state;
    run_init(&r);
    rng = fake_rng(&r.fake);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        c.url = urls[i];
        assert_int_equal(mcx_kmsc_new(&kmsc, &c, r.store, &rng), MCX_E_ARG);
    }
    c = config();
    c.user_uri = "";
    assert_int_equal(mcx_kmsc_new(&kmsc, &c, r.store, &rng), MCX_E_ARG);
    c = config();
    c.kms_uri = NULL;
    assert_int_equal(mcx_kmsc_new(&kmsc, &c, r.store, &rng), MCX_E_ARG);
    run_clear(&r);
}

static void when_to_fetch_again(void **state)
{
    const uint64_t window = PERIOD_END + MCX_NTP_UNIX_OFFSET - 60480;
    struct run r;
    struct mcx_rng rng;
    uint64_t when = 0;
    uint64_t first = 0;
    bool differ = false;

    (void)state;
    run_init(&r);
    rng = fake_rng(&r.fake);
    assert_int_equal(mcx_kmsc_next_fetch(&when, r.store, KMS, USER, at(NOON), &rng), MCX_E_NOKEY);
    run_plain(&r, NOON);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(mcx_kmsc_next_fetch(&when, r.store, KMS, USER, at(NOON), &rng), MCX_OK);
        assert_in_range(when, window, window + 60480 - 1);
        differ = differ || (i > 0 && when != first);
        first = when;
    }
    assert_true(differ);
    /* inside the window: from now on; when the next set is held: a period later; after the period: at once */
    assert_int_equal(mcx_kmsc_next_fetch(&when, r.store, KMS, USER, at(LAST_TENTH), &rng), MCX_OK);
    assert_in_range(when, LAST_TENTH + MCX_NTP_UNIX_OFFSET, window + 60480 - 1);
    run_plain(&r, LAST_TENTH);
    assert_int_equal(mcx_kmsc_next_fetch(&when, r.store, KMS, USER, at(LAST_TENTH), &rng), MCX_OK);
    assert_in_range(when, window + 604800, window + 604800 + 60480 - 1);
    assert_int_equal(mcx_kmsc_next_fetch(&when, r.store, KMS, USER, at(PERIOD_END + 604800), &rng), MCX_OK);
    assert_int_equal(when, PERIOD_END + 604800 + MCX_NTP_UNIX_OFFSET);
    run_clear(&r);
}

/* What was fetched, sealed and opened again goes into a keyring; also a set whose SSK is gone. */
static void stored_keys_load(void **state)
{
    static const uint8_t key[MCX_STORE_KEY_LEN] = { 1 };
    struct mcx_keyring *ring = NULL;
    struct mcx_store *again = NULL;
    uint8_t *sealed = NULL;
    size_t len = 0;
    struct run r;
    struct mcx_rng rng;

    (void)state;
    run_init(&r);
    rng = fake_rng(&r.fake);
    run_plain(&r, NOON);
    run_plain(&r, NOON + 604800);
    assert_int_equal(mcx_store_seal(&sealed, &len, r.store, key, &rng), MCX_OK);
    assert_int_equal(mcx_store_open(&again, mcx_bytes(sealed, len), key, 0, NULL), MCX_OK);
    assert_true(mcx_store_find_key_set(again, KMS, USER, PERIOD)->open_only);
    assert_int_equal(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_store_load(ring, again, NULL), MCX_OK);
    mcx_keyring_free(ring);
    mcx_store_free(again);
    free(sealed);
    run_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_fetch),
        cmocka_unit_test(next_period_in_the_last_tenth),
        cmocka_unit_test(keys_ahead_may_be_refused),
        cmocka_unit_test(older_periods),
        cmocka_unit_test(init_only),
        cmocka_unit_test(bad_answers),
        cmocka_unit_test(period_never_changes),
        cmocka_unit_test(only_init_gives_a_root),
        cmocka_unit_test(errors_of_the_kms),
        cmocka_unit_test(failures_are_tried_again),
        cmocka_unit_test(waits_are_bounded),
        cmocka_unit_test(events_out_of_place),
        cmocka_unit_test(wrong_configurations),
        cmocka_unit_test(when_to_fetch_again),
        cmocka_unit_test(stored_keys_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
