/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own key store: checked at the start, and read again when its file has changed. */
#define _GNU_SOURCE
#include "mcx-mcpttd/daemon.h"

#include <string.h>
#include <sys/stat.h>

#include <mcx/eccsi.h>
#include <mcx/keyring.h>
#include <mcx/sakke.h>

#include "io/store_file.h"

enum { LOOK_MS = 1000 };

/* Every equation is checked before a key is used. */
static mcx_err ring_read(struct mcx_keyring **out, struct md_daemon *d, struct mcx_refusal *why)
{
    const struct md_settings *s = d->s;
    struct mcx_store *store = NULL;
    struct mcx_keyring *ring = NULL;
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_store_file_read(&store, s->store, s->store_key, d->store_serial, why));
    MCX_GO(err, mcx_keyring_new(&ring, MCX_SAKKE_TABLES_DEFAULT));
    MCX_GO(err, mcx_store_load(ring, store, why));
    d->store_serial = mcx_store_serial(store); /* an older file is refused from now on */
    *out = ring;
    ring = NULL;
out:
    mcx_keyring_free(ring);
    mcx_store_free(store);
    return err;
}

static const char *reason_of(const struct mcx_refusal *why, mcx_err err)
{
    return why->reason != NULL && why->reason[0] != '\0' ? why->reason : mcx_err_name(err);
}

/* @return whether it is another file, or another content, than the last time */
static bool has_changed(struct md_daemon *d)
{
    struct stat st;

    if (stat(d->s->store, &st) != 0 || (st.st_ino == d->store_inode && st.st_mtim.tv_sec == d->store_modified.tv_sec &&
                                        st.st_mtim.tv_nsec == d->store_modified.tv_nsec)) {
        return false;
    }
    d->store_inode = st.st_ino;
    d->store_modified = st.st_mtim;
    return true;
}

int md_store_open(struct md_daemon *d)
{
    struct mcx_refusal why = { "", "" };
    mcx_err err;

    if (d->s->store == NULL) {
        return EXIT_DONE;
    }
    if (mcx_sakke_self_test() != MCX_OK || mcx_eccsi_self_test() != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, "the cryptographic self-test failed; do not use this program", "");
    }
    (void)has_changed(d); /* before it is read: a change in between is then seen */
    err = ring_read(&d->ring, d, &why);
    if (err != MCX_OK) {
        return md_complain(err == MCX_E_IO ? EXIT_ENVIRONMENT : EXIT_REFUSED, d->s->store, reason_of(&why, err));
    }
    return EXIT_DONE;
}

void md_store_renew(struct md_daemon *d)
{
    struct mcx_refusal why = { "", "" };
    struct mcx_keyring *fresh = NULL;
    mcx_err err;

    if (d->s->store == NULL) {
        return;
    }
    (void)has_changed(d);
    err = ring_read(&fresh, d, &why);
    if (err != MCX_OK) {
        md_journal(d->s, "keys-not-renewed", json_pack("{s:s}", "text", reason_of(&why, err)));
        return;
    }
    d->config.ring = fresh; /* the calls' state machine looks it up in each step and keeps nothing of it */
    mcx_keyring_free(d->ring);
    d->ring = fresh;
    md_journal(d->s, "keys-renewed", NULL);
}

static void on_look(void *arg)
{
    struct md_daemon *d = arg;

    if (has_changed(d)) {
        md_store_renew(d);
    }
    md_store_watch(d);
}

void md_store_watch(struct md_daemon *d)
{
    if (d->s->store != NULL && mcx_timer_start(&d->look, LOOK_MS, on_look, d) != MCX_OK) {
        md_journal(d->s, "out-of-memory", NULL);
    }
}

void md_store_unwatch(struct md_daemon *d)
{
    mcx_timer_clear(&d->look);
}
