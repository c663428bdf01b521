/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_FAILING_SQLITE_H
#define MCX_TESTS_FAILING_SQLITE_H

/*
 * Every allocation, in sanitized builds SQLite's only, and every write of SQLite to its files, once failing_sqlite()
 * was called, which has to be before SQLite is used.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sqlite3.h>

#include "support/failing_malloc.h"

static size_t num_writes;
static size_t fail_write; /* the n-th, and all after it: a full disk stays full; 0 = never */
static int write_code;

#ifdef SANITIZED
static sqlite3_mem_methods sqlite_mem;

static void *sqlite_malloc(int n)
{
    return refuse() ? NULL : sqlite_mem.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n)
{
    return refuse() ? NULL : sqlite_mem.xRealloc(p, n);
}

static void replace_sqlite_memory(void)
{
    sqlite3_mem_methods m;

    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_mem), SQLITE_OK);
    m = sqlite_mem;
    m.xMalloc = sqlite_malloc;
    m.xRealloc = sqlite_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &m), SQLITE_OK);
}
#else
static void replace_sqlite_memory(void)
{
}
#endif

/* Files: those of the system, with writes that may fail. One place for each kind of file. */
struct sqlite_kind {
    sqlite3_io_methods failing; /* first: a file points here */
    const sqlite3_io_methods *system;
};

static sqlite3_vfs *system_vfs;
static struct sqlite_kind sqlite_kinds[8];

static const sqlite3_io_methods *system_methods(const sqlite3_file *f)
{
    return ((const struct sqlite_kind *)(const void *)f->pMethods)->system;
}

static bool broken(void)
{
    num_writes++;
    return fail_write != 0 && num_writes >= fail_write;
}

static int x_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return broken() ? write_code : system_methods(f)->xWrite(f, p, n, at);
}

static int x_sync(sqlite3_file *f, int flags)
{
    return broken() ? SQLITE_IOERR_FSYNC : system_methods(f)->xSync(f, flags);
}

static int x_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out_flags)
{
    int rc = system_vfs->xOpen(v, name, f, flags, out_flags);
    struct sqlite_kind *k = sqlite_kinds;

    if (rc != SQLITE_OK) {
        return rc;
    }
    while (k->system != NULL && k->system != f->pMethods) {
        k++;
        assert_true(k < sqlite_kinds + 8);
    }
    k->system = f->pMethods;
    k->failing = *f->pMethods;
    k->failing.xWrite = x_write;
    k->failing.xSync = x_sync;
    f->pMethods = &k->failing;
    return rc;
}

static inline void failing_sqlite(void)
{
    static sqlite3_vfs vfs;

    replace_sqlite_memory();
    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.zName = "failing";
    vfs.xOpen = x_open;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

#endif
