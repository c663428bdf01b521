/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_SQLITE_H
#define MCX_IO_SQLITE_H

/* What the databases of the KMS and the GMS have in common. */

#include <sqlite3.h>

#include <mcx/err.h>

/** MCX_OK for SQLITE_OK, SQLITE_ROW and SQLITE_DONE. @retval MCX_E_NOMEM @retval MCX_E_IO anything else */
mcx_err mcx_sqlite_err(int rc);
/** One or more statements that give no rows. */
MCX_MUST_CHECK mcx_err mcx_sqlite_exec(sqlite3 *sqlite, const char *text);
/** Open with a write-ahead log and foreign keys; a transaction is on the disk when its COMMIT returns. `*out` is to be
 * closed also on error. */
MCX_MUST_CHECK mcx_err mcx_sqlite_open(sqlite3 **out, const char *path, int flags, int busy_ms);

#endif
