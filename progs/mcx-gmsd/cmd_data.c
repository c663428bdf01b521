/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-gmsd init, mcx-gmsd audit. */
#define _DEFAULT_SOURCE 1 /* mkdir */
#include "mcx-gmsd/gmsd.h"

#include <mcx/secret.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make(const struct options *o, const uint8_t *seal_key)
{
    const struct mcx_rng rng = mcx_rng_system();
    char path[PATH_LEN];
    mcx_err err = MCX_OK;

    if (db_path(path, o) != MCX_OK) {
        return usage_error("--dir is too long");
    }
    if (mkdir(o->dir, 0700) != 0 && errno != EEXIST) {
        return environment_error(o->dir, MCX_E_IO);
    }
    if (access(path, F_OK) == 0) {
        fprintf(stderr, "mcx-gmsd: refused: there is a GMS in this directory already\n");
        return EXIT_REFUSED;
    }
    errno = 0;
    err = mcx_gmsdb_create(path, o->gms_uri, seal_key, &rng);
    if (err != MCX_OK) {
        int rc = environment_error(path, err);

        (void)unlink(path);
        return rc;
    }
    printf("GMS %s made in %s; 'mcx-gmsd run' serves it, 'mcx group' administers it\n", o->gms_uri, o->dir);
    return EXIT_DONE;
}

int cmd_init(const struct options *o)
{
    uint8_t *seal_key = NULL;
    int rc = EXIT_DONE;

    if (o->dir == NULL || o->gms_uri == NULL || o->num_words != 0) {
        return usage_error("init wants --dir, --gms-uri and --seal-key");
    }
    if (strchr(o->gms_uri, ':') == NULL || strlen(o->gms_uri) >= MCX_GMS_URI_MAX) {
        return usage_error("--gms-uri is no URI, or too long");
    }
    rc = seal_read(&seal_key, o);
    rc = rc == EXIT_DONE ? make(o, seal_key) : rc;
    mcx_secret_free(seal_key);
    return rc;
}

static void print_audit(void *arg, const struct mcx_gmsdb_audit *a)
{
    const struct options *o = arg;
    char when[MCX_DATETIME_LEN + 1];
    json_t *j = NULL;

    if (mcx_datetime_write(when, a->time_ms / 1000) != MCX_OK) {
        return;
    }
    if (!o->json) {
        printf("%llu %s %s %s %s %s\n", (unsigned long long)a->seq, when, a->who[0] == '\0' ? "-" : a->who, a->event,
               a->group, a->subject);
        return;
    }
    j = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "seq", (json_int_t)a->seq, "time", when, "who", a->who, "event",
                  a->event, "group", a->group, "subject", a->subject);
    (void)json_dumpf(j, stdout, JSON_COMPACT);
    puts("");
    json_decref(j);
}

int cmd_audit(const struct options *o)
{
    struct mcx_gmsdb *db = NULL;
    int rc = EXIT_DONE;

    if (o->num_words != 1 || strcmp(o->word[0], "list") != 0) {
        return usage_error("audit wants list");
    }
    rc = db_open(&db, o, NULL);
    if (rc == EXIT_DONE && mcx_gmsdb_audits(db, print_audit, (void *)o) != MCX_OK) {
        rc = environment_error("the audit log", MCX_E_IO);
    }
    mcx_gmsdb_close(db);
    return rc;
}
