/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CODEC_KMSDOC_INT_H
#define MCX_CODEC_KMSDOC_INT_H

/* Shared by the files of this module: typed fields of an element, and the elements themselves. */

#include <mcx/kmsdoc.h>

#include "codec/xml/xml.h"

/** Namespaces of KMS elements (docs/DEVIATIONS.md "kms-namespace"). */
extern const struct mcx_xml_ns mcx_kmsdoc_ns;

/** An element being read, with what a refusal needs. */
struct mcx_kmsdoc_elem {
    const struct mcx_xml_node *node;
    const char *clause;
    struct mcx_refusal *why;
};

/** Name of a child element and the sentence for when it is wrong; the two arguments `name, bad` of the readers. */
#define MCX_KMSDOC_FIELD(name) name, name " is missing, repeated or has a wrong value"

enum mcx_kmsdoc_need { MCX_KMSDOC_OPTIONAL, MCX_KMSDOC_REQUIRED };

/** Trimmed text of a child; an absent optional one gives an empty view. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_view(struct mcx_bytes *out, const struct mcx_kmsdoc_elem *e, const char *name,
                                       const char *bad, enum mcx_kmsdoc_need need);
/** A heap copy of it; NULL when it is absent or empty. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_str(char **out, const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                                      enum mcx_kmsdoc_need need);
MCX_MUST_CHECK mcx_err mcx_kmsdoc_u64(uint64_t *out, const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                                      enum mcx_kmsdoc_need need);
/** xs:dateTime as Unix seconds; 0 when absent. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_time(uint64_t *out, const struct mcx_kmsdoc_elem *e, const char *name,
                                       const char *bad, enum mcx_kmsdoc_need need);
/** ValidFrom and ValidTo, in order. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_validity(uint64_t *from, uint64_t *to, const struct mcx_kmsdoc_elem *e);
/** Revoked; absent = false. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_revoked(bool *out, const struct mcx_kmsdoc_elem *e);
/** Bring to MCX_E_FORMAT with a sentence, but leave MCX_E_NOMEM as it is. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_bad(const struct mcx_kmsdoc_elem *e, mcx_err err, const char *bad);
void mcx_kmsdoc_wr_time(struct mcx_xml_wr *wr, const char *name, uint64_t unix_s);
/** NULL stays NULL. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_strdup(char **out, const char *s);

/** What octets a key value has, and in which shapes it may come: docs/DEVIATIONS.md "kms-key-text". */
struct mcx_kmsdoc_shape {
    size_t len;
    bool point; /* 04 || x || y; the 04 may be missing */
};
#define MCX_KMSDOC_Z    ((struct mcx_kmsdoc_shape){ MCX_SAKKE_POINT_LEN, true })
#define MCX_KMSDOC_KPAK ((struct mcx_kmsdoc_shape){ MCX_ECCSI_POINT_LEN, true })
#define MCX_KMSDOC_RSK  MCX_KMSDOC_Z
#define MCX_KMSDOC_SSK  ((struct mcx_kmsdoc_shape){ MCX_ECCSI_SSK_LEN, false })
#define MCX_KMSDOC_PVT  MCX_KMSDOC_KPAK

/** Hex or base64 text of a key value. Constant time in the value. @retval MCX_E_FORMAT `out` is wiped */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_octets(uint8_t *out, struct mcx_kmsdoc_shape shape, struct mcx_bytes text);
/**
 * A key content element (TS 33.180 D.3.3, D.3.4): plain text, or EncryptedKey under `trk`.
 *
 * @param[out] encrypted  which of the two it was
 * @retval MCX_E_FORMAT @retval MCX_E_UNSUP another algorithm @retval MCX_E_NOKEY encrypted, but `trk` is NULL
 * @retval MCX_E_AUTH not wrapped under `trk`
 */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_key_content(uint8_t *out, bool *encrypted, struct mcx_kmsdoc_shape shape,
                                              const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                                              const uint8_t *trk);

/** One KmsCertificate or SignedKmsCertificate; `role` is used when the attribute is absent. */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_cert_read(struct mcx_kms_cert *out, const struct mcx_xml_node *node,
                                            enum mcx_kms_role role, struct mcx_refusal *why);
bool mcx_kmsdoc_is_cert(const struct mcx_xml_node *node);
/** `root`: declare the namespaces, for a bare document. @retval MCX_E_ARG a mandatory value is missing */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_cert_write(struct mcx_xml_wr *wr, const struct mcx_kms_cert *cert, bool root);

MCX_MUST_CHECK mcx_err mcx_kmsdoc_key_set_read(struct mcx_kms_key_set *out, const struct mcx_xml_node *node,
                                               const uint8_t *trk, struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_kmsdoc_key_set_write(struct mcx_xml_wr *wr, const struct mcx_kms_key_set *set, bool root);

#endif
