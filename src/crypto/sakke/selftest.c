/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sakke/sakke_int.h"

#include <string.h>

#include "crypto/ec/pairing.h"
#include "crypto/ec/ted_const.h"
#include "crypto/sym/sym.h"

/* RFC 6508 appendix A */
static const uint8_t kat_z[20] = {
    0xaf, 0xf4, 0x29, 0xd3, 0x5f, 0x84, 0xb1, 0x10, 0xd0, 0x94,
    0x80, 0x3b, 0x35, 0x95, 0xa6, 0xe2, 0x99, 0x8b, 0xc9, 0x9f,
};
static const char kat_uid[26] = "2011-02\0tel:+447700900123"; /* ends with a NUL octet */
static const struct mcx_key kat_ssv = { {
    0x12,
    0x34,
    0x56,
    0x78,
    0x9a,
    0xbc,
    0xde,
    0xf0,
    0x12,
    0x34,
    0x56,
    0x78,
    0x9a,
    0xbc,
    0xde,
    0xf0,
} };
/* SHA-256 of Z || RSK || R || H as printed there */
static const uint8_t kat_sha256[MCX_SHA256_LEN] = {
    0xbe, 0x39, 0x50, 0xea, 0xb6, 0x39, 0x9a, 0x6a, 0x3a, 0xe5, 0x9d, 0x26, 0xcb, 0xd1, 0x73, 0x39,
    0xb3, 0xd6, 0x5f, 0xb3, 0xfe, 0x06, 0x51, 0x16, 0x4f, 0x7c, 0x3e, 0x25, 0x03, 0x15, 0x20, 0x69,
};

/* c^2 = -3 and k^2 = -2c */
static mcx_limb constants_agree(void)
{
    struct mcx_fp t, sum;
    mcx_limb ok;

    mcx_fp_set_one(&sum);
    mcx_fp_add(&t, &sum, &sum);
    mcx_fp_add(&sum, &sum, &t);
    mcx_fp_sqr(&t, &mcx_ted_c);
    mcx_fp_add(&sum, &sum, &t);
    ok = mcx_fp_is_zero(&sum);

    mcx_fp_sqr(&sum, &mcx_ted_k);
    mcx_fp_add(&sum, &sum, &mcx_ted_c);
    mcx_fp_add(&sum, &sum, &mcx_ted_c);
    return ok & mcx_fp_is_zero(&sum);
}

/* 4q = p + 1, P is on the curve and has order q, <P,P> = g */
static mcx_limb parameters_agree(void)
{
    uint8_t octets[MCX_EC_POINT_LEN];
    mcx_limb sum[MCX_BN_LIMBS] = { 1 };
    mcx_limb carry = 0;
    struct mcx_ec p;
    struct mcx_fp w;
    mcx_limb ok;

    for (int i = 0; i < MCX_BN_LIMBS; i++) { /* 1 + p - 4q, limb by limb, is zero */
        mcx_limb low = (mcx_limb)(mcx_mont_q.m[i] << 2);
        mcx_limb from_below = i == 0 ? 0 : mcx_mont_q.m[i - 1] >> (MCX_LIMB_BITS - 2);
        mcx_dlimb t = (mcx_dlimb)sum[i] + mcx_mont_p.m[i] + carry;

        carry = (mcx_limb)(t >> MCX_LIMB_BITS);
        sum[i] = (mcx_limb)t ^ (low | from_below);
    }
    ok = mcx_mont_is_zero(sum);

    mcx_ec_write(octets, &mcx_ec_p);
    ok &= mcx_ec_read(&p, octets);
    ok &= mcx_pairing(&w, &mcx_ec_p, &mcx_ec_p);
    return ok & mcx_fp_equal(&w, &mcx_ec_g);
}

static mcx_err known_answer(struct mcx_sakke_kms **kms, struct mcx_sakke_rsk **rsk)
{
    struct mcx_bytes uid = mcx_bytes(kat_uid, sizeof kat_uid);
    struct mcx_sakke_master master = { { 0 } };
    uint8_t z_t[MCX_SAKKE_POINT_LEN];
    uint8_t key[MCX_SAKKE_POINT_LEN];
    uint8_t sed[MCX_SAKKE_SED_LEN];
    uint8_t hash[MCX_SHA256_LEN];
    struct mcx_key opened;
    struct mcx_bytes all[3] = {
        mcx_bytes(z_t, sizeof z_t),
        mcx_bytes(key, sizeof key),
        mcx_bytes(sed, sizeof sed),
    };

    memcpy(master.z + sizeof master.z - sizeof kat_z, kat_z, sizeof kat_z);
    MCX_TRY(mcx_sakke_master_public(z_t, &master));
    MCX_TRY(mcx_sakke_extract(key, &master, uid));
    MCX_TRY(mcx_sakke_kms_new(kms, z_t, MCX_SAKKE_TABLES_NONE));
    MCX_TRY(mcx_sakke_encap(sed, &kat_ssv, *kms, uid));
    MCX_TRY(mcx_sha256(hash, all, 3));
    MCX_TRY(mcx_sakke_rsk_new(rsk, key, *kms, uid, MCX_SAKKE_TABLES_NONE));
    MCX_TRY(mcx_sakke_decap(&opened, *rsk, sed));
    if (!mcx_ct_equal(hash, kat_sha256, sizeof hash) || !mcx_ct_equal(&opened, &kat_ssv, sizeof opened)) {
        return MCX_E_BUG;
    }
    return MCX_OK;
}

mcx_err mcx_sakke_self_test(void)
{
    struct mcx_sakke_kms *kms = NULL;
    struct mcx_sakke_rsk *rsk = NULL;
    mcx_err err = MCX_E_BUG;

    if ((constants_agree() & parameters_agree()) != 0) {
        err = known_answer(&kms, &rsk);
    }
    mcx_sakke_rsk_free(rsk);
    mcx_sakke_kms_free(kms);
    return err == MCX_OK || err == MCX_E_NOMEM ? err : MCX_E_BUG;
}
