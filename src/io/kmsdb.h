/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_KMSDB_H
#define MCX_IO_KMSDB_H

/*
 * The database of a KMS (SQLite): its own certificate, users with their URIs, External certificates with the
 * CacheNum, and the audit log. No secret is in it. Schema: kmsdb_schema.h.
 *
 * An account is what a token names (mcptt_id); it has one or more identities, the URIs that keys are issued for.
 * Servers and group management servers are accounts of another kind (TS 33.180 5.3.2, 5.3.5).
 * A transaction is on the disk when a function returns (WAL, synchronous = FULL).
 */

#include <mcx/bytes.h>

#include "kms/core.h"

struct mcx_kmsdb;

/** Make a new database; the file must not exist. `cert_xml` is the KMS's own bare KmsCertificate. */
MCX_MUST_CHECK mcx_err mcx_kmsdb_create(const char *path, struct mcx_bytes cert_xml);
/** @retval MCX_E_IO cannot be opened @retval MCX_E_UNSUP made by another version of the schema */
MCX_MUST_CHECK mcx_err mcx_kmsdb_open(struct mcx_kmsdb **out, const char *path);
void mcx_kmsdb_close(struct mcx_kmsdb *db);

/** The interface of the KMS core; lives as long as `db`. */
struct mcx_kms_store mcx_kmsdb_store(struct mcx_kmsdb *db);

/** Own certificate as XML; `each` is called once. */
MCX_MUST_CHECK mcx_err mcx_kmsdb_cert(struct mcx_kmsdb *db, mcx_err (*each)(void *arg, struct mcx_bytes xml),
                                      void *arg);

enum mcx_kmsdb_kind { MCX_KMSDB_USER, MCX_KMSDB_SERVER, MCX_KMSDB_GMS };
/** "user", "server", "gms" */
const char *mcx_kmsdb_kind_name(enum mcx_kmsdb_kind kind);
/**
 * Give an account (made when new) one more identity. The same pair again changes nothing.
 *
 * @retval MCX_E_POLICY  the URI belongs to another account, or the account is of another kind
 * @retval MCX_E_SPACE   the account has MCX_KMS_MAX_IDENTITIES already
 */
MCX_MUST_CHECK mcx_err mcx_kmsdb_user_add(struct mcx_kmsdb *db, enum mcx_kmsdb_kind kind, const char *user_uri,
                                          const char *mcptt_id, uint64_t unix_ms);
/** Take an identity away, and the account with its last one. @retval MCX_E_NOKEY no such identity */
MCX_MUST_CHECK mcx_err mcx_kmsdb_user_remove(struct mcx_kmsdb *db, const char *user_uri);

struct mcx_kmsdb_user {
    const char *user_uri;
    const char *mcptt_id;
    const char *kind;
};
MCX_MUST_CHECK mcx_err mcx_kmsdb_users(struct mcx_kmsdb *db, void (*each)(void *arg, const struct mcx_kmsdb_user *user),
                                       void *arg);

/**
 * Take in or replace an External certificate; CacheNum rises by one (TS 33.180 D.2.5).
 *
 * @param[in] name  CertUri, or KmsUri when there is none: the same name replaces (TS 33.180 5.3.5)
 * @retval MCX_E_SPACE  MCX_KMS_MAX_EXTERNAL are held already
 */
MCX_MUST_CHECK mcx_err mcx_kmsdb_external_add(struct mcx_kmsdb *db, const char *name, struct mcx_bytes xml);

struct mcx_kmsdb_audit {
    uint64_t seq;
    struct mcx_kms_audit rec;
};
/** Audit records in the order they were written. */
MCX_MUST_CHECK mcx_err mcx_kmsdb_audits(struct mcx_kmsdb *db,
                                        void (*each)(void *arg, const struct mcx_kmsdb_audit *audit), void *arg);

#endif
