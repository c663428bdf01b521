/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KMSDOC_H
#define MCX_KMSDOC_H

/*
 * Documents of the KMS interface (TS 33.180 D.2, D.3): KmsRequest, KmsResponse with KmsInit, KmsKeyProv or
 * KmsCertCache, and a bare KmsCertificate or KmsKeySet, as plain structures with decoded octets.
 *
 * The reader takes elements by local name in any order, in the namespaces of docs/DEVIATIONS.md "kms-namespace",
 * refuses DTDs, entities, documents over 1 MiB and nesting over 16, and duplicates of single-valued elements.
 * The writer emits exactly the order of the schema. Secrets inside are wiped by the free functions.
 */

#include <mcx/bytes.h>
#include <mcx/eccsi.h>
#include <mcx/ident.h>
#include <mcx/sakke.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_KMS_NS             "urn:3gpp:ns:mcsecKMSInterface:1.0"
#define MCX_KMSDOC_MAX         (1u << 20) /* octets of a document */
#define MCX_KMSDOC_URI_MAX     1024       /* octets of any URI or name in a document, with NUL */
#define MCX_KMSDOC_MAX_DOMAINS 64

enum mcx_kms_role { MCX_KMS_ROOT, MCX_KMS_EXTERNAL };

/** KmsCertificate (D.3.2.2). Strings are heap C strings owned by the structure, NULL when absent. */
struct mcx_kms_cert {
    enum mcx_kms_role role;
    char *cert_uri; /* may be NULL */
    char *kms_uri;
    char *issuer;        /* may be NULL */
    uint64_t valid_from; /* Unix seconds; 0 = absent */
    uint64_t valid_to;   /* Unix seconds of the last valid second; 0 = absent */
    bool revoked;
    struct mcx_key_period period;
    uint8_t pub_enc_key[MCX_SAKKE_POINT_LEN];  /* Z_T */
    uint8_t pub_auth_key[MCX_ECCSI_POINT_LEN]; /* KPAK */
    char **domains;                            /* KmsDomainList */
    size_t num_domains;
};

/** KmsKeySet (D.3.3) with plain key content; a whole secret. */
struct mcx_kms_key_set {
    char *kms_uri;
    char *cert_uri; /* may be NULL */
    char *issuer;   /* may be NULL */
    char *user_uri;
    uint8_t uid[MCX_UID_LEN]; /* UserID as it was written; the key store recomputes and compares it */
    uint64_t valid_from;
    uint64_t valid_to;
    uint64_t period_no;
    bool revoked;
    /* SSK and PVT are zero, the RSK still opens: destroyed after their period by the key store, or absent in the
     * document, which only a laboratory accepts (the KMS client refuses such a key set). */
    bool open_only;
    uint8_t rsk[MCX_SAKKE_POINT_LEN];
    uint8_t ssk[MCX_ECCSI_SSK_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
};

/** Free the strings, wipe the rest; the structure itself belongs to the caller. Zeroed structures are allowed. */
void mcx_kms_cert_clear(struct mcx_kms_cert *cert);
void mcx_kms_key_set_clear(struct mcx_kms_key_set *set);
/** Deep copy into zeroed or uninitialised memory. @retval MCX_E_NOMEM `out` is zeroed */
MCX_MUST_CHECK mcx_err mcx_kms_cert_copy(struct mcx_kms_cert *out, const struct mcx_kms_cert *cert);
MCX_MUST_CHECK mcx_err mcx_kms_key_set_copy(struct mcx_kms_key_set *out, const struct mcx_kms_key_set *set);

enum mcx_kmsdoc_kind {
    MCX_KMSDOC_INIT,
    MCX_KMSDOC_KEYPROV,
    MCX_KMSDOC_CERTCACHE,
    MCX_KMSDOC_ERROR,
    MCX_KMSDOC_BARE_CERT,
    MCX_KMSDOC_BARE_KEY_SET,
};

/** A response, or a bare certificate or key set, in one structure. */
struct mcx_kmsdoc {
    enum mcx_kmsdoc_kind kind;
    /* KmsResponse head; NULL / 0 for bare documents */
    char *user_uri;
    char *kms_uri;
    uint64_t time; /* Unix seconds */
    char *kms_id;
    char *client_req_url;
    /* content: certs for INIT (one), CERTCACHE, BARE_CERT; key_sets for KEYPROV, BARE_KEY_SET */
    struct mcx_kms_cert *certs;
    size_t num_certs;
    uint64_t cache_num; /* CERTCACHE */
    struct mcx_kms_key_set *key_sets;
    size_t num_key_sets;
    int error_code; /* ERROR */
    char *error_msg;
};

/** KmsRequest (D.2.2). Strings borrowed when writing, owned when read. */
struct mcx_kms_request {
    char *user_uri;
    char *kms_uri;
    uint64_t time;   /* Unix seconds */
    char *client_id; /* may be NULL */
    char *device_id; /* may be NULL */
    char *client_req_url;
};

/**
 * Read a response or bare document.
 *
 * @param[in] trk  transport key for encrypted key content, or NULL (then encrypted content is refused)
 * @retval MCX_E_FORMAT  not well formed, DTD, wrong value; `why` says what
 * @retval MCX_E_UNSUP   UserIdFormat other than 2, ParameterSet other than 1
 * @retval MCX_E_SPACE   over MCX_KMSDOC_MAX
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_read(struct mcx_kmsdoc **out, struct mcx_bytes xml, const uint8_t *trk,
                                       struct mcx_refusal *why);
void mcx_kmsdoc_free(struct mcx_kmsdoc *doc);
/** Write as XML into a new NUL-terminated string of `len` octets; free with mcx_kmsdoc_text_free() (it wipes). */
MCX_MUST_CHECK mcx_err mcx_kmsdoc_write(char **xml, size_t *len, const struct mcx_kmsdoc *doc);
void mcx_kmsdoc_text_free(char *xml, size_t len);

MCX_MUST_CHECK mcx_err mcx_kms_request_read(struct mcx_kms_request **out, struct mcx_bytes xml,
                                            struct mcx_refusal *why);
void mcx_kms_request_free(struct mcx_kms_request *req);
MCX_MUST_CHECK mcx_err mcx_kms_request_write(char **xml, size_t *len, const struct mcx_kms_request *req);

#ifdef __cplusplus
}
#endif

#endif
