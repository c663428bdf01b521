/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-kmsd init: master secrets, certificate and database of a new KMS. */
#include "mcx-kmsd/kmsd.h"

#include "io/file.h"

#include <mcx/seam.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_options(const struct options *o)
{
    if (o->dir == NULL || o->kms_uri == NULL || o->num_domains == 0) {
        return usage_error("init wants --dir, --kms-uri, --domain and a seal");
    }
    if (!uri_ok(o->kms_uri) || (o->cert_uri != NULL && !uri_ok(o->cert_uri))) {
        return usage_error("--kms-uri and --cert-uri are URIs in printable ASCII");
    }
    if (o->period == 0 || o->offset >= o->period) {
        return usage_error("--offset has to be less than --period"); /* TS 33.180 F.2.1.1 */
    }
    for (size_t i = 0; i < o->num_domains; i++) {
        if (!uri_ok(o->domains[i])) {
            return usage_error("--domain wants a domain name");
        }
    }
    return EXIT_DONE;
}

/* Own certificate (TS 33.180 D.3.2.2), valid from the start of the present key period. */
static mcx_err make_cert(char **xml, size_t *len, const struct options *o, const struct mcx_vault *vault)
{
    const struct mcx_vault_public *pub = mcx_vault_public(vault);
    char cert_uri[MCX_KMSDOC_URI_MAX];
    struct mcx_kms_cert cert = { .role = MCX_KMS_ROOT,
                                 .cert_uri = o->cert_uri != NULL ? (char *)o->cert_uri : cert_uri,
                                 .kms_uri = (char *)pub->kms_uri,
                                 .issuer = (char *)o->issuer,
                                 .period = pub->period,
                                 .domains = (char **)o->domains,
                                 .num_domains = o->num_domains };
    struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_CERT, .certs = &cert, .num_certs = 1 };
    uint64_t no = 0;
    uint64_t start = 0;
    uint64_t end = 0;
    int n = snprintf(cert_uri, sizeof cert_uri, "cert1.%s", o->kms_uri);

    if (n < 0 || (size_t)n >= sizeof cert_uri) {
        return MCX_E_SPACE;
    }
    MCX_TRY(mcx_period_no(&no, &pub->period, mcx_ntp_from_unix_ms(mcx_clock_unix_ms()).sec));
    MCX_TRY(mcx_period_bounds(&start, &end, &pub->period, no));
    cert.valid_from = mcx_ntp_to_unix_ms((struct mcx_ntp){ start, 0 }) / 1000;
    memcpy(cert.pub_enc_key, pub->pub_enc_key, sizeof cert.pub_enc_key);
    memcpy(cert.pub_auth_key, pub->pub_auth_key, sizeof cert.pub_auth_key);
    return mcx_kmsdoc_write(xml, len, &doc);
}

static int write_files(const struct options *o, struct mcx_bytes sealed, struct mcx_bytes cert)
{
    char sealed_path[PATH_LEN];
    char db_path[PATH_LEN];
    mcx_err err = MCX_OK;

    if (dir_path(sealed_path, o, SEALED_NAME) != MCX_OK || dir_path(db_path, o, DB_NAME) != MCX_OK) {
        return usage_error("--dir is too long");
    }
    if (mkdir(o->dir, 0700) != 0 && errno != EEXIST) {
        return environment_error(o->dir, MCX_E_IO);
    }
    if (access(db_path, F_OK) == 0) {
        return refused("there is a KMS in this directory already");
    }
    err = mcx_file_create(sealed_path, sealed, 0600);
    if (err != MCX_OK) {
        return errno == EEXIST ? refused("there are master secrets in this directory already")
                               : environment_error(sealed_path, err);
    }
    errno = 0;
    err = mcx_kmsdb_create(db_path, cert);
    if (err != MCX_OK) {
        int rc = environment_error(db_path, err);

        (void)unlink(db_path);
        (void)unlink(sealed_path);
        return rc;
    }
    return EXIT_DONE;
}

int cmd_init(const struct options *o)
{
    uint8_t buf[MCX_VAULT_SEALED_MAX];
    struct mcx_wr sealed = mcx_wr(buf, sizeof buf);
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_key_period period = { o->period, o->offset };
    struct seal_secret seal = { 0 };
    struct mcx_vault *vault = NULL;
    char *xml = NULL;
    size_t len = 0;
    int rc = check_options(o);
    mcx_err err = MCX_OK;

    if (rc != EXIT_DONE || (rc = seal_read(&seal, o)) != EXIT_DONE) {
        return rc;
    }
    errno = 0;
    if ((err = mcx_vault_create(&sealed, mcx_bytes_str(o->kms_uri), &period, &seal.seal, &rng)) != MCX_OK ||
        (err = mcx_vault_open(&vault, mcx_wr_done(&sealed), &seal.seal)) != MCX_OK) {
        rc = environment_error("no master secrets made", err);
    } else if ((err = make_cert(&xml, &len, o, vault)) != MCX_OK) {
        rc = environment_error("no certificate made", err);
    } else {
        rc = write_files(o, mcx_wr_done(&sealed), mcx_bytes(xml, len));
    }
    mcx_kmsdoc_text_free(xml, len);
    mcx_vault_free(vault);
    seal_clear(&seal);
    if (rc == EXIT_DONE) {
        printf("KMS %s made in %s; 'mcx-kmsd user add' registers users, 'mcx-kmsd run' serves them\n", o->kms_uri,
               o->dir);
    }
    return rc;
}
