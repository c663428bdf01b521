/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake.h"

#define KEY_VECTORS "identities-kms-vectors.txt"

static void need(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "ring: %s\n", what);
        abort();
    }
}

static char *copy_str(struct mcx_bytes b)
{
    char *s = malloc(b.len + 1);

    need(s != NULL && mcx_bytes_cstr(s, b.len + 1, b) == MCX_OK, "string");
    return s;
}

static void fill(uint8_t *out, size_t len, struct vec v)
{
    need(v.len == len, "length");
    memcpy(out, v.p, len);
}

struct mcx_kms_cert ring_cert_own(void)
{
    return ring_cert_of("mikey-imessages/own-1-pck-default-profile.txt");
}

/* Period parameters, which stand in the header comments of the files. */
static const struct {
    const char *prefix;
    struct mcx_key_period period;
    uint64_t no;
} kmss[] = {
    { "own-", { 604800, 345600 }, 6582 },
    { "streamwide-v", { 16777215, 0 }, 236 },
    { "streamwide-period-15-", { 2592000, 0 }, 15 },
    { "streamwide-period-1518", { 2592000, 0 }, 1518 },
    { "streamwide-period-1540", { 2592000, 0 }, 1540 },
    { "streamwide-period-1657", { 2592000, 0 }, 1657 },
    { "alea-", { 914544000, 0 }, 4 },
    { "eazon-", { 315360000000, 0 }, 0 },
};

static size_t kms_of(const char *file)
{
    const char *name = strrchr(file, '/');

    for (size_t i = 0; i < sizeof kmss / sizeof kmss[0]; i++) {
        if (strncmp(name + 1, kmss[i].prefix, strlen(kmss[i].prefix)) == 0) {
            return i;
        }
    }
    need(0, file);
    return 0;
}

static char *kms_uri_of(const char *file)
{
    struct vec v;

    if (!vec_find(&v, file, NULL, "idrkmsi")) {
        v = vec_get(file, NULL, "idrkms");
    }
    return copy_str(vec_bytes(&v));
}

struct mcx_kms_cert ring_cert_of(const char *file)
{
    struct mcx_kms_cert cert = { .role = MCX_KMS_ROOT, .period = kmss[kms_of(file)].period };

    cert.kms_uri = kms_uri_of(file);
    fill(cert.pub_enc_key, sizeof cert.pub_enc_key, vec_get(file, NULL, "z"));
    fill(cert.pub_auth_key, sizeof cert.pub_auth_key, vec_get(file, NULL, "kpak"));
    return cert;
}

void ring_cert_clear(struct mcx_kms_cert *cert)
{
    mcx_kms_cert_clear(cert);
}

struct mcx_kms_key_set ring_set_own(int n)
{
    struct mcx_kms_key_set set = { .period_no = 6582 };
    char section[16];
    char text[256];

    (void)snprintf(section, sizeof section, "keyset-%d", n);
    need(vec_text(text, sizeof text, KEY_VECTORS, section, "identity"), "identity");
    set.user_uri = copy_str(mcx_bytes_str(text));
    need(vec_text(text, sizeof text, KEY_VECTORS, section, "kms_uri"), "kms_uri");
    set.kms_uri = copy_str(mcx_bytes_str(text));
    fill(set.uid, sizeof set.uid, vec_get(KEY_VECTORS, section, "UID"));
    fill(set.rsk, sizeof set.rsk, vec_get(KEY_VECTORS, section, "RSK"));
    fill(set.ssk, sizeof set.ssk, vec_get(KEY_VECTORS, section, "SSK"));
    fill(set.pvt, sizeof set.pvt, vec_get(KEY_VECTORS, section, "PVT"));
    return set;
}

int ring_set_responder(struct mcx_kms_key_set *set, const char *file)
{
    struct vec rsk, uri;

    *set = (struct mcx_kms_key_set){ .open_only = true };
    if (!vec_find(&rsk, file, NULL, "responder_rsk")) {
        return 0;
    }
    uri = vec_get(file, NULL, "responder_uri");
    set->user_uri = copy_str(vec_bytes(&uri));
    set->kms_uri = kms_uri_of(file);
    set->period_no = kmss[kms_of(file)].no;
    fill(set->uid, sizeof set->uid, vec_get(file, NULL, "responder_uid"));
    fill(set->rsk, sizeof set->rsk, rsk);
    return 1;
}

void ring_set_clear(struct mcx_kms_key_set *set)
{
    mcx_kms_key_set_clear(set);
}

struct mcx_keyring *ring_own(unsigned sets)
{
    struct mcx_keyring *ring = NULL;
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_refusal why = { "", "" };

    need(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE) == MCX_OK, "keyring");
    need(mcx_keyring_add_cert(ring, &cert, &why) == MCX_OK, why.reason);
    for (int n = 2; n <= 4; n++) {
        if ((sets >> n & 1) != 0) {
            struct mcx_kms_key_set set = ring_set_own(n);

            need(mcx_keyring_add_key_set(ring, &set, &why) == MCX_OK, why.reason);
            ring_set_clear(&set);
        }
    }
    ring_cert_clear(&cert);
    return ring;
}

struct mcx_keyring *ring_for(const char *file)
{
    struct mcx_keyring *ring = NULL;
    struct mcx_kms_key_set set;
    struct mcx_kms_cert cert;
    struct mcx_refusal why = { "", "" };

    if (!ring_set_responder(&set, file)) {
        return NULL;
    }
    cert = ring_cert_of(file);
    need(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE) == MCX_OK, "keyring");
    need(mcx_keyring_add_cert(ring, &cert, &why) == MCX_OK, why.reason);
    need(mcx_keyring_add_key_set(ring, &set, &why) == MCX_OK, why.reason);
    ring_cert_clear(&cert);
    ring_set_clear(&set);
    return ring;
}

struct mcx_ntp ring_time(const char *file)
{
    struct vec t = vec_get(file, NULL, "t.value");
    struct mcx_rd rd = mcx_rd(vec_bytes(&t));
    uint64_t wire = 0;

    need(mcx_rd_u64(&rd, &wire) == MCX_OK, "t.value");
    return mcx_ntp_from_wire(wire);
}

struct ring_kms ring_kms_new(const char *uri, enum mcx_kms_role role, const char *domain, uint64_t seed)
{
    struct ring_kms kms = { .cert = { .role = role, .period = { 604800, 345600 } } };
    struct fake_rng state = { .seed = seed };
    struct mcx_rng rng = fake_rng(&state);

    if (seed == 0) {
        struct vec z = vec_get(KEY_VECTORS, "kms-rfc", "z_T");

        memcpy(kms.sakke.z + sizeof kms.sakke.z - z.len, z.p, z.len);
        kms.eccsi.ksak[29] = 0x01; /* KSAK = 012345 */
        kms.eccsi.ksak[30] = 0x23;
        kms.eccsi.ksak[31] = 0x45;
    } else {
        need(mcx_sakke_master_generate(&kms.sakke, &rng) == MCX_OK, "z_T");
        need(mcx_eccsi_master_generate(&kms.eccsi, &rng) == MCX_OK, "KSAK");
    }
    need(mcx_sakke_master_public(kms.cert.pub_enc_key, &kms.sakke) == MCX_OK, "Z_T");
    need(mcx_eccsi_master_public(kms.cert.pub_auth_key, &kms.eccsi) == MCX_OK, "KPAK");
    kms.cert.kms_uri = copy_str(mcx_bytes_str(uri));
    if (domain != NULL) {
        kms.cert.domains = calloc(1, sizeof *kms.cert.domains);
        need(kms.cert.domains != NULL, "memory");
        kms.cert.domains[0] = copy_str(mcx_bytes_str(domain));
        kms.cert.num_domains = 1;
    }
    return kms;
}

void ring_kms_clear(struct ring_kms *kms)
{
    mcx_kms_cert_clear(&kms->cert);
}

struct mcx_kms_key_set ring_issue(const struct ring_kms *kms, const char *user, uint64_t period_no)
{
    struct mcx_kms_key_set set = { .period_no = period_no };
    struct fake_rng state = { .seed = 77 + period_no };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_bytes uid = mcx_bytes(set.uid, sizeof set.uid);

    set.user_uri = copy_str(mcx_bytes_str(user));
    set.kms_uri = copy_str(mcx_bytes_str(kms->cert.kms_uri));
    need(mcx_uid(set.uid, mcx_bytes_str(user), mcx_bytes_str(kms->cert.kms_uri), &kms->cert.period, period_no) ==
             MCX_OK,
         "uid");
    need(mcx_sakke_extract(set.rsk, &kms->sakke, uid) == MCX_OK, "RSK");
    need(mcx_eccsi_extract(set.ssk, set.pvt, &kms->eccsi, uid, &rng) == MCX_OK, "SSK");
    return set;
}

void ring_add(struct mcx_keyring *ring, const struct ring_kms *kms, const char *user, uint64_t period_no)
{
    struct mcx_kms_key_set set = ring_issue(kms, user, period_no);
    struct mcx_refusal why = { "", "" };

    need(mcx_keyring_add_key_set(ring, &set, &why) == MCX_OK, why.reason);
    ring_set_clear(&set);
}

uint64_t ring_period(const struct ring_kms *kms, uint64_t ntp_sec)
{
    uint64_t no = 0;

    need(mcx_period_no(&no, &kms->cert.period, ntp_sec) == MCX_OK, "period");
    return no;
}
