/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiver algorithm. First octet: bit 0 sign the octets anew as the initiator of the composed messages, so that
 * what comes after the signature is reached; bits 1 to 5 are tolerances of the policy; bit 6 sets the clock to the
 * time stamp of the composed messages, else any age is taken. A refused
 * message leaves nothing in the output and has a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/lsan_interface.h>

#include <mcx/imessage.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define T UINT64_C(0xed529d40)

static struct mcx_keyring *ring;
static struct mcx_eccsi_key signer;

/* The generator of a fuzz target is a counter: runs repeat. */
static mcx_err counter(void *ctx, uint8_t *out, size_t len)
{
    uint8_t *n = ctx;

    for (size_t i = 0; i < len; i++) {
        out[i] = (*n)++;
    }
    out[0] = 1; /* below every modulus */
    return MCX_OK;
}

static uint8_t count;
static const struct mcx_rng rng = { counter, &count };

static void must(mcx_err err)
{
    if (err != MCX_OK) {
        abort();
    }
}

static void issue(const struct mcx_sakke_master *z, const struct mcx_eccsi_master *ksak,
                  const struct mcx_kms_cert *cert, char *user)
{
    struct mcx_kms_key_set set = { .kms_uri = cert->kms_uri, .user_uri = user, .period_no = 6582 };
    struct mcx_bytes uid = mcx_bytes(set.uid, sizeof set.uid);
    static struct mcx_eccsi_kms *kms;

    must(mcx_uid(set.uid, mcx_bytes_str(user), mcx_bytes_str(cert->kms_uri), &cert->period, set.period_no));
    must(mcx_sakke_extract(set.rsk, z, uid));
    must(mcx_eccsi_extract(set.ssk, set.pvt, ksak, uid, &rng));
    must(mcx_keyring_add_key_set(ring, &set, NULL));
    if (kms == NULL) { /* the first user signs */
        must(mcx_eccsi_kms_new(&kms, cert->pub_auth_key));
        must(mcx_eccsi_key_init(&signer, kms, uid, set.ssk, set.pvt));
    }
}

/* KMS of the composed messages: the master secrets of RFC 6507 and RFC 6508 appendix A. */
static void start(void)
{
    static const uint8_t z_t[] = { 0xAF, 0xF4, 0x29, 0xD3, 0x5F, 0x84, 0xB1, 0x10, 0xD0, 0x94,
                                   0x80, 0x3B, 0x35, 0x95, 0xA6, 0xE2, 0x99, 0x8B, 0xC9, 0x9F };
    static char uri[] = "kms1.mcx.example.net";
    static char users[][32] = { "sip:unit07@mcx.example.net", "sip:unit08@mcx.example.net",
                                "sip:gms1@mcx.example.net" };
    struct mcx_sakke_master z = { { 0 } };
    struct mcx_eccsi_master ksak = { { 0 } };
    struct mcx_kms_cert cert = { .role = MCX_KMS_ROOT, .kms_uri = uri, .period = { 604800, 345600 } };

    memcpy(z.z + sizeof z.z - sizeof z_t, z_t, sizeof z_t);
    ksak.ksak[29] = 0x01;
    ksak.ksak[30] = 0x23;
    ksak.ksak[31] = 0x45;
    must(mcx_sakke_master_public(cert.pub_enc_key, &z));
    must(mcx_eccsi_master_public(cert.pub_auth_key, &ksak));
    must(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_DEFAULT));
    must(mcx_keyring_add_cert(ring, &cert, NULL));
    for (size_t i = 0; i < 3; i++) {
        issue(&z, &ksak, &cert, users[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[MCX_IMESSAGE_MAX + 1];
    static const struct mcx_imessage wiped;
    static struct mcx_imessage msg;
    struct mcx_imessage_policy policy = { 0 };
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err;

    if (ring == NULL) {
        __lsan_disable(); /* kept to the end, and pointers in secret memory are out of its sight */
        start();
        __lsan_enable();
    }
    if (size < 1 + MCX_ECCSI_SIG_LEN || size > sizeof buf) {
        return 0;
    }
    memcpy(buf, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        size_t n = size - 1 - MCX_ECCSI_SIG_LEN;

        must(mcx_eccsi_sign(buf + n, &signer, mcx_bytes(buf, n), &rng));
    }
    policy.accept_short_sign = (data[0] & 2) != 0;
    policy.accept_clear_key_params = (data[0] & 4) != 0;
    policy.accept_role3_kms = (data[0] & 8) != 0;
    policy.period_neighbours = (data[0] & 16) != 0;
    policy.accept_own = (data[0] & 32) != 0;
    policy.past_skew_s = (data[0] & 64) != 0 ? 0 : MCX_SKEW_ANY;
    policy.future_skew_s = (data[0] & 64) != 0 ? 0 : UINT32_MAX;
    err = mcx_imessage_open(&msg, mcx_bytes(buf, size - 1), ring, NULL, (struct mcx_ntp){ T, 0 }, &policy, &why);
    if (err != MCX_OK && (memcmp(&msg, &wiped, sizeof msg) != 0 || why.reason == NULL)) {
        abort();
    }
    mcx_imessage_clear(&msg);
    return 0;
}
