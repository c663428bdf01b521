/* SPDX-License-Identifier: Apache-2.0 */
#include "gms/payload.h"

#include <mcx/mikey.h>

#include <stdio.h>
#include <string.h>

/* docs/DEVIATIONS.md "gms-domain": no falling back to the home KMS, the member could not open it. */
#define NO_KMS "no KMS certificate is held for the domain of this member"

/* Whose key periods the payload depends on: IDRkmsr of what was made. */
static void note_kms(struct mcx_gms_result *out)
{
    struct mcx_mikey_sakke_msg msg;

    if (mcx_mikey_sakke_msg_read(&msg, out->message, NULL) != MCX_OK ||
        mcx_bytes_cstr(out->kms, sizeof out->kms, msg.kms_r) != MCX_OK) {
        out->kms[0] = '\0'; /* it is not made anew at the end of a period then */
    }
}

void mcx_gms_payload_make(struct mcx_gms_result *out, uint8_t *buf, size_t buf_cap, const struct mcx_gms_job *job,
                          const struct mcx_keyring *ring, const struct mcx_rng *rng)
{
    struct mcx_bytes groups[MCX_GMS_GROUPS_MAX]; /* TS 33.180 E.6.3 */
    struct mcx_key_params kp = { .status = job->status,
                                 .activation = job->activation,
                                 .expiry = job->expiry,
                                 .groups = groups,
                                 .num_groups = job->num_groups };
    struct mcx_imessage_params params = { .type = job->key.type,
                                          .key = &job->key.key,
                                          .key_id = job->key.key_id,
                                          .rand = mcx_bytes(job->key.rand, sizeof job->key.rand),
                                          .time = mcx_ntp_from_unix_ms(job->t_ms),
                                          .from = mcx_bytes_str(job->gms),
                                          .to = mcx_bytes_str(job->member),
                                          .sakke_to_self = job->sakke_to_self,
                                          .key_params = &kp };
    struct mcx_wr wr = mcx_wr(buf, buf_cap);
    struct mcx_refusal why = { 0 };

    for (size_t i = 0; i < job->num_groups; i++) {
        groups[i] = mcx_bytes_str(job->group[i]);
    }
    *out = (struct mcx_gms_result){ .id = job->id, .t_ms = job->t_ms };
    out->err = mcx_keyring_claims(ring, params.to) ? mcx_imessage_make(&wr, &params, ring, rng, &why)
                                                   : mcx_refuse(&why, MCX_E_NOKEY, NO_KMS, "TS 33.180 5.2.7");
    if (out->err != MCX_OK) {
        (void)snprintf(out->reason, sizeof out->reason, "%s", why.reason != NULL ? why.reason : mcx_err_name(out->err));
        return;
    }
    out->message = mcx_wr_done(&wr);
    note_kms(out);
}

bool mcx_gms_result_is_passing(const struct mcx_gms_result *result)
{
    return result->err == MCX_E_NOMEM || result->err == MCX_E_RNG;
}

mcx_err mcx_gms_job_write(struct mcx_wr *wr, const struct mcx_gms_job *job)
{
    MCX_TRY(mcx_wr_u64(wr, job->id));
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)job->key.type));
    MCX_TRY(mcx_wr_u32(wr, job->key.key_id));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(job->key.key.octet, MCX_KEY_LEN)));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(job->key.rand, MCX_GMS_RAND_LEN)));
    MCX_TRY(mcx_wr_u64(wr, job->t_ms));
    MCX_TRY(mcx_wr_u64(wr, job->activation));
    MCX_TRY(mcx_wr_u64(wr, job->expiry));
    MCX_TRY(mcx_wr_u32(wr, job->status));
    MCX_TRY(mcx_wr_u8(wr, job->sakke_to_self ? 1 : 0));
    MCX_TRY(mcx_wr_vec16(wr, mcx_bytes_str(job->gms)));
    MCX_TRY(mcx_wr_vec16(wr, mcx_bytes_str(job->member)));
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)job->num_groups));
    for (size_t i = 0; i < job->num_groups; i++) {
        MCX_TRY(mcx_wr_vec16(wr, mcx_bytes_str(job->group[i])));
    }
    return MCX_OK;
}

static mcx_err read_string(char out[MCX_GMS_URI_MAX], struct mcx_rd *rd)
{
    struct mcx_bytes v;

    MCX_TRY(mcx_rd_vec16(rd, &v));
    return mcx_bytes_cstr(out, MCX_GMS_URI_MAX, v) == MCX_OK ? MCX_OK : MCX_E_FORMAT;
}

static mcx_err job_read(struct mcx_gms_job *out, struct mcx_gms_job_strings *strings, struct mcx_bytes in)
{
    struct mcx_rd rd = mcx_rd(in);
    uint8_t type = 0;
    uint8_t self = 0;
    uint8_t num = 0;

    *out = (struct mcx_gms_job){ .gms = strings->gms, .member = strings->member };
    MCX_TRY(mcx_rd_u64(&rd, &out->id));
    MCX_TRY(mcx_rd_u8(&rd, &type));
    out->key.type = (enum mcx_key_type)type;
    MCX_TRY(mcx_rd_u32(&rd, &out->key.key_id));
    MCX_TRY(mcx_rd_copy(&rd, out->key.key.octet, MCX_KEY_LEN));
    MCX_TRY(mcx_rd_copy(&rd, out->key.rand, MCX_GMS_RAND_LEN));
    MCX_TRY(mcx_rd_u64(&rd, &out->t_ms));
    MCX_TRY(mcx_rd_u64(&rd, &out->activation));
    MCX_TRY(mcx_rd_u64(&rd, &out->expiry));
    MCX_TRY(mcx_rd_u32(&rd, &out->status));
    MCX_TRY(mcx_rd_u8(&rd, &self));
    out->sakke_to_self = self != 0;
    MCX_TRY(read_string(strings->gms, &rd));
    MCX_TRY(read_string(strings->member, &rd));
    MCX_TRY(mcx_rd_u8(&rd, &num));
    if (num > MCX_GMS_GROUPS_MAX) {
        return MCX_E_FORMAT;
    }
    for (out->num_groups = 0; out->num_groups < num; out->num_groups++) {
        MCX_TRY(read_string(strings->group[out->num_groups], &rd));
        out->group[out->num_groups] = strings->group[out->num_groups];
    }
    return mcx_rd_end(&rd);
}

mcx_err mcx_gms_job_read(struct mcx_gms_job *out, struct mcx_gms_job_strings *strings, struct mcx_bytes in)
{
    mcx_err err = job_read(out, strings, in);

    if (err != MCX_OK) {
        mcx_gms_key_clear(&out->key); /* half a job may hold a whole key */
    }
    return err;
}

mcx_err mcx_gms_result_write(struct mcx_wr *wr, const struct mcx_gms_result *result)
{
    MCX_TRY(mcx_wr_u64(wr, result->id));
    MCX_TRY(mcx_wr_u64(wr, result->t_ms));
    MCX_TRY(mcx_wr_u32(wr, (uint32_t) - (int32_t)result->err));
    MCX_TRY(mcx_wr_vec16(wr, mcx_bytes_str(result->reason)));
    MCX_TRY(mcx_wr_vec16(wr, mcx_bytes_str(result->kms)));
    return mcx_wr_vec16(wr, result->message);
}

mcx_err mcx_gms_result_read(struct mcx_gms_result *out, struct mcx_bytes in)
{
    struct mcx_rd rd = mcx_rd(in);
    struct mcx_bytes v;
    uint32_t err = 0;

    *out = (struct mcx_gms_result){ 0 };
    MCX_TRY(mcx_rd_u64(&rd, &out->id));
    MCX_TRY(mcx_rd_u64(&rd, &out->t_ms));
    MCX_TRY(mcx_rd_u32(&rd, &err));
    if (err > 1000) {
        return MCX_E_FORMAT;
    }
    out->err = (mcx_err)(-(int32_t)err);
    MCX_TRY(mcx_rd_vec16(&rd, &v));
    MCX_TRY(mcx_bytes_cstr(out->reason, sizeof out->reason, v));
    MCX_TRY(mcx_rd_vec16(&rd, &v));
    MCX_TRY(mcx_bytes_cstr(out->kms, sizeof out->kms, v));
    MCX_TRY(mcx_rd_vec16(&rd, &out->message));
    return mcx_rd_end(&rd);
}
