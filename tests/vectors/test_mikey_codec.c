/* SPDX-License-Identifier: Apache-2.0 */
/* Every message of tests/vectors/mikey-imessages: parsed to the listed fields, and written again to the same octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/mikey_parts.h"

static void want(const char *file, const char *name, struct mcx_bytes got)
{
    struct vec v = vec_get(file, NULL, name);

    if (!mcx_bytes_equal(vec_bytes(&v), got)) {
        fail_msg("%s: %s differs", file, name);
    }
}

static uint64_t number(const char *file, const char *name)
{
    struct vec v = vec_get(file, NULL, name);
    uint64_t n = 0;

    for (size_t i = 0; i < v.len; i++) {
        n = n << 8 | v.p[i];
    }
    return n;
}

static void want_number(const char *file, const char *name, uint64_t got)
{
    if (number(file, name) != got) {
        fail_msg("%s: %s is %llx", file, name, (unsigned long long)got);
    }
}

static void want_map(const char *file, const struct mcx_mikey_hdr *hdr)
{
    struct mcx_rd rd = mcx_rd(hdr->map);
    char name[64];

    for (unsigned i = 0; i < hdr->num_cs; i++) {
        struct mcx_mikey_map_generic g;
        struct mcx_mikey_map_srtp s;

        if (hdr->map_type == MCX_MIKEY_MAP_SRTP_ID) {
            assert_int_equal(mcx_mikey_map_srtp_read(&s, &rd), MCX_OK);
            (void)snprintf(name, sizeof name, "cs%u.ssrc", i);
            want_number(file, name, s.ssrc);
            (void)snprintf(name, sizeof name, "cs%u.roc", i);
            want_number(file, name, s.roc);
            continue;
        }
        assert_int_equal(mcx_mikey_map_generic_read(&g, &rd), MCX_OK);
        (void)snprintf(name, sizeof name, "cs%u.cs_id", i);
        want_number(file, name, g.cs_id);
        (void)snprintf(name, sizeof name, "cs%u.policies", i);
        want(file, name, g.policies);
        (void)snprintf(name, sizeof name, "cs%u.session_data", i);
        want(file, name, g.session);
        (void)snprintf(name, sizeof name, "cs%u.spi", i);
        want(file, name, g.spi);
    }
    assert_int_equal(mcx_rd_end(&rd), MCX_OK);
}

static void want_idr(const char *file, const struct mcx_mikey_payload *p, unsigned num_role3)
{
    static const char *const names[] = { "", "idri",    "idrr",    "idrkms",  "",
                                         "", "idrkmsi", "idrkmsr", "idruidi", "idruidr" };
    char name[64];

    assert_true(p->u.idr.role < sizeof names / sizeof names[0]);
    (void)snprintf(name, sizeof name, "%s%s", names[p->u.idr.role], num_role3 == 2 ? "_2" : "");
    want(file, name, p->u.idr.id);
    (void)snprintf(name, sizeof name, "%s%s.offset", names[p->u.idr.role], num_role3 == 2 ? "_2" : "");
    want_number(file, name, p->offset);
}

static void want_sp(const char *file, const struct mcx_mikey_sp *sp)
{
    struct mcx_rd rd = mcx_rd(sp->params);

    want_number(file, "sp.policy_no", sp->policy_no);
    while (rd.len > 0) {
        struct mcx_mikey_sp_param param;
        char name[64];

        assert_int_equal(mcx_mikey_sp_param_read(&param, &rd), MCX_OK);
        (void)snprintf(name, sizeof name, "sp.type_%02u", param.type);
        want(file, name, param.value);
    }
}

static void want_payload(const char *file, const struct mcx_mikey_payload *p, unsigned *num_role3)
{
    char name[64];

    switch (p->number) {
    case MCX_MIKEY_PL_T:
        want_number(file, "t.offset", p->offset);
        want_number(file, "t.ts_type", p->u.t.ts_type);
        want_number(file, "t.value", p->u.t.value);
        break;
    case MCX_MIKEY_PL_RAND:
        want_number(file, "rand.offset", p->offset);
        want(file, "rand", p->u.rand);
        break;
    case MCX_MIKEY_PL_IDR:
        *num_role3 += p->u.idr.role == MCX_MIKEY_ROLE_KMS;
        want_idr(file, p, *num_role3);
        break;
    case MCX_MIKEY_PL_SP:
        want_number(file, "sp.offset", p->offset);
        want_sp(file, &p->u.sp);
        break;
    case MCX_MIKEY_PL_SAKKE:
        want_number(file, "sakke.offset", p->offset);
        want_number(file, "sakke.params", p->u.sakke.params);
        want_number(file, "sakke.id_scheme", p->u.sakke.id_scheme);
        want(file, "sakke.data", p->u.sakke.sed);
        break;
    case MCX_MIKEY_PL_EXT:
        (void)snprintf(name, sizeof name, "ext%02u.data", p->u.ext.type);
        want(file, name, p->u.ext.data);
        (void)snprintf(name, sizeof name, "ext%02u.offset", p->u.ext.type);
        want_number(file, name, p->offset);
        break;
    case MCX_MIKEY_PL_SIGN:
        want_number(file, "sign.offset", p->offset);
        want_number(file, "sign.s_type", p->u.sign.s_type);
        want_number(file, "sign.length", p->u.sign.signature.len);
        want(file, "signature", p->u.sign.signature);
        break;
    default: fail_msg("%s: payload %u", file, p->number);
    }
}

static mcx_err write_payload(struct mcx_wr *wr, const struct mcx_mikey_payload *p)
{
    switch (p->number) {
    case MCX_MIKEY_PL_T: return mcx_mikey_t_write(wr, &p->u.t, p->next);
    case MCX_MIKEY_PL_RAND: return mcx_mikey_rand_write(wr, p->u.rand, p->next);
    case MCX_MIKEY_PL_IDR: return mcx_mikey_idr_write(wr, &p->u.idr, p->next);
    case MCX_MIKEY_PL_SP: return mcx_mikey_sp_write(wr, &p->u.sp, p->next);
    case MCX_MIKEY_PL_SAKKE: return mcx_mikey_sakke_write(wr, &p->u.sakke, p->next);
    case MCX_MIKEY_PL_EXT: return mcx_mikey_ext_write(wr, &p->u.ext, p->next);
    case MCX_MIKEY_PL_SIGN:
        MCX_TRY(mcx_mikey_sign_head_write(wr, p->u.sign.s_type, p->u.sign.signature.len));
        return mcx_wr_put(wr, p->u.sign.signature);
    default: return MCX_E_BUG;
    }
}

static void test_fields_and_reencoding(void **state)
{
    (void)state;
    for (size_t i = 0; mikey_files[i] != NULL; i++) {
        struct vec msg = vec_get(mikey_files[i], NULL, "message");
        struct mcx_mikey_walk walk;
        struct mcx_mikey_hdr hdr;
        struct mcx_wr wr;
        uint8_t buf[VEC_MAX];
        unsigned num_role3 = 0;

        assert_int_equal(mcx_mikey_walk_begin(&walk, &hdr, vec_bytes(&msg), NULL), MCX_OK);
        want_number(mikey_files[i], "data_type", hdr.data_type);
        want_number(mikey_files[i], "v_bit", hdr.v);
        want_number(mikey_files[i], "prf_func", hdr.prf);
        want_number(mikey_files[i], "csb_id", hdr.csb_id);
        want_number(mikey_files[i], "cs_count", hdr.num_cs);
        want_number(mikey_files[i], "cs_id_map_type", hdr.map_type);
        want_map(mikey_files[i], &hdr);
        wr = mcx_wr(buf, sizeof buf);
        assert_int_equal(mcx_mikey_hdr_write(&wr, &hdr, walk.next), MCX_OK);
        while (walk.next != MCX_MIKEY_PL_LAST) {
            struct mcx_mikey_payload p;

            assert_int_equal(mcx_mikey_walk_next(&walk, &p, NULL), MCX_OK);
            want_payload(mikey_files[i], &p, &num_role3);
            assert_int_equal(write_payload(&wr, &p), MCX_OK);
        }
        assert_int_equal(mcx_mikey_walk_end(&walk, NULL), MCX_OK);
        assert_int_equal(wr.len, msg.len);
        assert_memory_equal(buf, msg.p, msg.len);
    }
}

/* The whole-message reader: only the message with a wrong PRF is refused, and for that reason. */
static void test_whole_messages(void **state)
{
    (void)state;
    for (size_t i = 0; mikey_files[i] != NULL; i++) {
        struct vec msg = vec_get(mikey_files[i], NULL, "message");
        struct mcx_mikey_sakke_msg m;
        struct mcx_refusal why = { 0 };
        struct vec v;

        if (strstr(mikey_files[i], "nonconformant") != NULL) {
            assert_int_equal(mcx_mikey_sakke_msg_read(&m, vec_bytes(&msg), &why), MCX_E_UNSUP);
            assert_non_null(strstr(why.reason, "PRF"));
            continue;
        }
        assert_int_equal(mcx_mikey_sakke_msg_read(&m, vec_bytes(&msg), &why), MCX_OK);
        want_number(mikey_files[i], "t.value", m.t.value);
        want(mikey_files[i], "rand", m.rand);
        want(mikey_files[i], "signature", m.sign.signature);
        assert_int_equal(m.signed_octets.len, msg.len - 129);
        assert_int_equal(m.signed_short.len, msg.len - 131);
        if (vec_find(&v, mikey_files[i], NULL, "signed_length")) {
            uint64_t n = number(mikey_files[i], "signed_length");

            assert_true(n == m.signed_octets.len || n == m.signed_short.len);
        }
        assert_true(m.num_sp <= 1);
        if (m.num_sp == 1) {
            struct mcx_mikey_suite suite;
            bool long_key = strstr(mikey_files[i], "eazon-5") != NULL; /* 32-octet key: not supported */

            assert_int_equal(mcx_mikey_suite_read(&suite, &m.sp[0]), long_key ? MCX_E_UNSUP : MCX_OK);
        }
    }
}

/* The message writer reproduces the composed messages from their own fields. */
static void test_message_writer(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct vec msg = vec_get(mikey_files[i], NULL, "message");
        struct mcx_mikey_sakke_msg m;
        uint8_t buf[VEC_MAX];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        struct mcx_wr small;

        assert_int_equal(mcx_mikey_sakke_msg_read(&m, vec_bytes(&msg), NULL), MCX_OK);
        assert_int_equal(mcx_mikey_sakke_msg_write(&wr, &m), MCX_OK);
        assert_int_equal(wr.len, m.signed_octets.len);
        assert_memory_equal(buf, msg.p, wr.len);
        for (size_t cap = 0; cap < wr.len; cap++) {
            uint8_t part[VEC_MAX];

            small = mcx_wr(part, cap);
            assert_int_equal(mcx_mikey_sakke_msg_write(&small, &m), MCX_E_SPACE);
            assert_int_equal(small.len, 0);
        }
    }
}

static void test_key_params(void **state)
{
    (void)state;
    for (size_t i = 0; mikey_files[i] != NULL; i++) {
        struct vec data, plain;
        struct mcx_mikey_kp_frame frame;
        struct mcx_mikey_key_params kp;
        uint8_t buf[256];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        struct vec aad, sealed;

        if (!vec_find(&plain, mikey_files[i], NULL, "keyparams.plaintext")) {
            continue;
        }
        data = vec_get(mikey_files[i], NULL, "ext07.data");
        aad = vec_get(mikey_files[i], NULL, "keyparams.aad");
        sealed = vec_get(mikey_files[i], NULL, "keyparams.ciphertext_and_tag");
        assert_int_equal(mcx_mikey_kp_frame_read(&frame, vec_bytes(&data)), MCX_OK);
        want(mikey_files[i], "keyparams.iv", frame.iv);
        want(mikey_files[i], "keyparams.aad", frame.head);
        want_number(mikey_files[i], "csb_id", frame.dppk_id);
        assert_int_equal(frame.alg, MCX_MIKEY_KP_ALG_GCM);
        assert_int_equal(frame.ciphertext.len + frame.tag.len, sealed.len);
        assert_memory_equal(frame.ciphertext.p, sealed.p, frame.ciphertext.len);
        assert_int_equal(mcx_mikey_kp_frame_write(&wr, &frame, frame.ciphertext.len), MCX_OK);
        assert_int_equal(wr.len, 35);
        assert_memory_equal(buf, data.p, wr.len);
        assert_memory_equal(buf, aad.p, MCX_MIKEY_KP_HEAD_LEN);

        assert_int_equal(mcx_mikey_key_params_read(&kp, vec_bytes(&plain), plain.p[0]), MCX_OK);
        assert_int_equal(kp.key_type, number(mikey_files[i], "csb_id") >> 28);
        wr = mcx_wr(buf, sizeof buf);
        assert_int_equal(mcx_mikey_key_params_write(&wr, &kp), MCX_OK);
        assert_int_equal(wr.len, plain.len);
        assert_memory_equal(buf, plain.p, plain.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_and_reencoding),
        cmocka_unit_test(test_whole_messages),
        cmocka_unit_test(test_message_writer),
        cmocka_unit_test(test_key_params),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
