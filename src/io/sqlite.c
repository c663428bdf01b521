/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sqlite.h"

mcx_err mcx_sqlite_err(int rc)
{
    if (rc == SQLITE_IOERR_NOMEM) {
        return MCX_E_NOMEM;
    }
    switch (rc & 0xff) {
    case SQLITE_DONE:
    case SQLITE_ROW:
    case SQLITE_OK: return MCX_OK;
    case SQLITE_NOMEM: return MCX_E_NOMEM;
    default: return MCX_E_IO;
    }
}

mcx_err mcx_sqlite_exec(sqlite3 *sqlite, const char *text)
{
    return mcx_sqlite_err(sqlite3_exec(sqlite, text, NULL, NULL, NULL));
}

mcx_err mcx_sqlite_open(sqlite3 **out, const char *path, int flags, int busy_ms)
{
    static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
                                   "PRAGMA trusted_schema = OFF;";

    MCX_TRY(mcx_sqlite_err(sqlite3_open_v2(path, out, flags | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL)));
    (void)sqlite3_busy_timeout(*out, busy_ms);
    return mcx_sqlite_exec(*out, settings);
}
