/* SPDX-License-Identifier: Apache-2.0 */
/* KmsKeySet (TS 33.180 D.3.3). */
#include "codec/kmsdoc/kmsdoc_int.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>
#include <mcx/text.h>

#define CLAUSE "TS 33.180 D.3.3"

void mcx_kms_key_set_clear(struct mcx_kms_key_set *set)
{
    free(set->kms_uri);
    free(set->cert_uri);
    free(set->issuer);
    free(set->user_uri);
    mcx_wipe(set, sizeof *set);
}

mcx_err mcx_kms_key_set_copy(struct mcx_kms_key_set *out, const struct mcx_kms_key_set *set)
{
    mcx_err err = MCX_OK;

    *out = *set;
    out->kms_uri = out->cert_uri = out->issuer = out->user_uri = NULL;
    MCX_GO(err, mcx_kmsdoc_strdup(&out->kms_uri, set->kms_uri));
    MCX_GO(err, mcx_kmsdoc_strdup(&out->cert_uri, set->cert_uri));
    MCX_GO(err, mcx_kmsdoc_strdup(&out->issuer, set->issuer));
    MCX_GO(err, mcx_kmsdoc_strdup(&out->user_uri, set->user_uri));
out:
    if (err != MCX_OK) {
        mcx_kms_key_set_clear(out);
    }
    return err;
}

/* Base64 by the wording of Release 14 and later, hex in other samples: docs/DEVIATIONS.md "kms-user-id". */
static mcx_err uid_read(uint8_t uid[MCX_UID_LEN], const struct mcx_kmsdoc_elem *e)
{
    struct mcx_bytes text;
    size_t len = 0;
    mcx_err err;

    MCX_TRY(mcx_kmsdoc_view(&text, e, MCX_KMSDOC_FIELD("UserID"), MCX_KMSDOC_REQUIRED));
    if (text.len == 2 * MCX_UID_LEN) {
        err = mcx_hex_read_exact(uid, MCX_UID_LEN, text);
    } else {
        err = mcx_base64_read(uid, MCX_UID_LEN, &len, text);
        err = err == MCX_OK && len != MCX_UID_LEN ? MCX_E_FORMAT : err;
    }
    return err == MCX_OK ? MCX_OK : mcx_kmsdoc_bad(e, err, "UserID is not 32 octets in base64 or hex");
}

/* A key set whose owner only reads: published messages come with the RSK of the receiver alone ("kms-open-only"). */
static bool is_open_only(const struct mcx_xml_node *node)
{
    return mcx_xml_first_of(node, mcx_kmsdoc_ns, "UserSigningKeySSK") == NULL &&
           mcx_xml_first_of(node, mcx_kmsdoc_ns, "UserPubTokenPVT") == NULL;
}

mcx_err mcx_kmsdoc_key_set_read(struct mcx_kms_key_set *out, const struct mcx_xml_node *node, const uint8_t *trk,
                                struct mcx_refusal *why)
{
    const struct mcx_kmsdoc_elem e = { node, CLAUSE, why };
    bool rsk = false;
    bool ssk = false;
    bool pvt = false;

    MCX_TRY(mcx_kmsdoc_str(&out->kms_uri, &e, MCX_KMSDOC_FIELD("KmsUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_str(&out->cert_uri, &e, MCX_KMSDOC_FIELD("CertUri"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_str(&out->issuer, &e, MCX_KMSDOC_FIELD("Issuer"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_str(&out->user_uri, &e, MCX_KMSDOC_FIELD("UserUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(uid_read(out->uid, &e));
    MCX_TRY(mcx_kmsdoc_validity(&out->valid_from, &out->valid_to, &e));
    MCX_TRY(mcx_kmsdoc_u64(&out->period_no, &e, MCX_KMSDOC_FIELD("KeyPeriodNo"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_revoked(&out->revoked, &e));
    MCX_TRY(mcx_kmsdoc_key_content(out->rsk, &rsk, MCX_KMSDOC_RSK, &e, MCX_KMSDOC_FIELD("UserDecryptKey"), trk));
    out->open_only = is_open_only(node);
    if (out->open_only) {
        return MCX_OK;
    }
    MCX_TRY(mcx_kmsdoc_key_content(out->ssk, &ssk, MCX_KMSDOC_SSK, &e, MCX_KMSDOC_FIELD("UserSigningKeySSK"), trk));
    MCX_TRY(mcx_kmsdoc_key_content(out->pvt, &pvt, MCX_KMSDOC_PVT, &e, MCX_KMSDOC_FIELD("UserPubTokenPVT"), trk));
    if (rsk != ssk || rsk != pvt) {
        return mcx_kmsdoc_bad(&e, MCX_E_FORMAT, "a key set mixes plain and encrypted keys");
    }
    return MCX_OK;
}

static void key_write(struct mcx_xml_wr *wr, const char *name, struct mcx_bytes key)
{
    mcx_xml_wr_open(wr, name);
    mcx_xml_wr_attr(wr, "xsi:type", "KeyContentType");
    mcx_xml_wr_hex(wr, key);
    mcx_xml_wr_close(wr);
}

mcx_err mcx_kmsdoc_key_set_write(struct mcx_xml_wr *wr, const struct mcx_kms_key_set *set, bool root)
{
    if (set->kms_uri == NULL || set->user_uri == NULL) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(wr, "KmsKeySet");
    if (root) {
        mcx_xml_wr_attr(wr, "xmlns", MCX_KMS_NS);
        mcx_xml_wr_attr(wr, "xmlns:xsi", MCX_XML_XSI);
    }
    mcx_xml_wr_attr(wr, "Version", "1.1.0");
    mcx_xml_wr_elem(wr, "KmsUri", set->kms_uri);
    mcx_xml_wr_elem(wr, "CertUri", set->cert_uri);
    mcx_xml_wr_elem(wr, "Issuer", set->issuer);
    mcx_xml_wr_elem(wr, "UserUri", set->user_uri);
    mcx_xml_wr_open(wr, "UserID");
    mcx_xml_wr_base64(wr, mcx_bytes(set->uid, sizeof set->uid));
    mcx_xml_wr_close(wr);
    mcx_kmsdoc_wr_time(wr, "ValidFrom", set->valid_from);
    mcx_kmsdoc_wr_time(wr, "ValidTo", set->valid_to);
    mcx_xml_wr_elem_u64(wr, "KeyPeriodNo", set->period_no);
    mcx_xml_wr_elem(wr, "Revoked", set->revoked ? "true" : "false");
    key_write(wr, "UserDecryptKey", mcx_bytes(set->rsk, sizeof set->rsk));
    if (!set->open_only) {
        key_write(wr, "UserSigningKeySSK", mcx_bytes(set->ssk, sizeof set->ssk));
        key_write(wr, "UserPubTokenPVT", mcx_bytes(set->pvt, sizeof set->pvt));
    }
    mcx_xml_wr_close(wr);
    return wr->err;
}
