/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-kmsd user, server, external, cert, audit: what is in the database. They may run beside the daemon. */
#include "mcx-kmsd/kmsd.h"

#include "io/file.h"

#include <mcx/eccsi.h>
#include <mcx/sakke.h>
#include <mcx/seam.h>
#include <mcx/text.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool word_is(const struct options *o, size_t at, const char *want)
{
    return o->num_words > at && strcmp(o->word[at], want) == 0;
}

static void print_json(json_t *o)
{
    if (o != NULL) {
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(o);
}

static int add_user(const struct options *o, enum mcx_kmsdb_kind kind)
{
    struct mcx_kmsdb *db = NULL;
    struct mcx_kmsdoc *cert = NULL;
    mcx_err err = MCX_OK;
    int rc = EXIT_DONE;

    if (o->user_uri == NULL || o->mcptt_id == NULL || !uri_ok(o->user_uri) || !uri_ok(o->mcptt_id)) {
        return usage_error("add wants --user-uri and --mcptt-id, URIs in printable ASCII");
    }
    rc = db_open(&db, o);
    if (rc != EXIT_DONE) {
        return rc;
    }
    rc = own_cert(&cert, db);
    if (rc == EXIT_DONE && !uri_in_domains(o->user_uri, cert->certs[0].domains, cert->certs[0].num_domains)) {
        rc = refused("the URI is in no domain of this KMS, so no client would accept its keys");
    }
    if (rc == EXIT_DONE) {
        err = mcx_kmsdb_user_add(db, kind, o->user_uri, o->mcptt_id, mcx_clock_unix_ms());
        rc = err == MCX_OK         ? EXIT_DONE
             : err == MCX_E_POLICY ? refused("the URI belongs to another mcptt_id, or that is of another kind")
             : err == MCX_E_SPACE  ? refused("the user has as many URIs as allowed")
                                   : environment_error("the database", err);
    }
    mcx_kmsdoc_free(cert);
    mcx_kmsdb_close(db);
    return rc;
}

static void print_user(void *arg, const struct mcx_kmsdb_user *u)
{
    const struct options *o = arg;

    if (o->json) {
        print_json(json_pack("{s:s, s:s, s:s}", "user_uri", u->user_uri, "mcptt_id", u->mcptt_id, "kind", u->kind));
    } else {
        printf("%-6s %s  (mcptt_id %s)\n", u->kind, u->user_uri, u->mcptt_id);
    }
}

static int list_users(const struct options *o)
{
    struct mcx_kmsdb *db = NULL;
    int rc = db_open(&db, o);

    if (rc == EXIT_DONE && mcx_kmsdb_users(db, print_user, (void *)o) != MCX_OK) {
        rc = environment_error("the database", MCX_E_IO);
    }
    mcx_kmsdb_close(db);
    return rc;
}

static int remove_user(const struct options *o)
{
    struct mcx_kmsdb *db = NULL;
    mcx_err err = MCX_OK;
    int rc = EXIT_DONE;

    if (o->user_uri == NULL) {
        return usage_error("remove wants --user-uri");
    }
    rc = db_open(&db, o);
    if (rc == EXIT_DONE) {
        err = mcx_kmsdb_user_remove(db, o->user_uri);
        rc = err == MCX_OK        ? EXIT_DONE
             : err == MCX_E_NOKEY ? refused("there is no such user")
                                  : environment_error("the database", err);
    }
    mcx_kmsdb_close(db);
    return rc;
}

int cmd_user(const struct options *o)
{
    if (word_is(o, 0, "add") && o->num_words == 1) {
        return add_user(o, MCX_KMSDB_USER);
    }
    if (word_is(o, 0, "list") && o->num_words == 1) {
        return list_users(o);
    }
    if (word_is(o, 0, "remove") && o->num_words == 1) {
        return remove_user(o);
    }
    return usage_error("user wants add, list or remove");
}

int cmd_server(const struct options *o)
{
    if (!word_is(o, 0, "add") || o->num_words != 1) {
        return usage_error("server wants add; 'user list' and 'user remove' are for servers too");
    }
    if (o->kind == NULL || strcmp(o->kind, "server") == 0) {
        return add_user(o, MCX_KMSDB_SERVER);
    }
    if (strcmp(o->kind, "gms") == 0) {
        return add_user(o, MCX_KMSDB_GMS);
    }
    return usage_error("--kind is server or gms");
}

/* The keys are points of their groups (TS 33.180 5.3.5 leaves a certificate to the operator; a broken one helps
 * nobody). */
static mcx_err check_points(const struct mcx_kms_cert *c)
{
    struct mcx_sakke_kms *sakke = NULL;
    struct mcx_eccsi_kms *eccsi = NULL;
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_sakke_kms_new(&sakke, c->pub_enc_key, MCX_SAKKE_TABLES_NONE));
    MCX_GO(err, mcx_eccsi_kms_new(&eccsi, c->pub_auth_key));
out:
    mcx_sakke_kms_free(sakke);
    mcx_eccsi_kms_free(eccsi);
    return err;
}

static int check_external(const struct mcx_kms_cert *c, const struct mcx_kms_cert *own)
{
    if (strcmp(c->kms_uri, own->kms_uri) == 0) {
        return refused("the certificate is of this KMS itself");
    }
    for (size_t i = 0; i < c->num_domains; i++) {
        for (size_t k = 0; k < own->num_domains; k++) {
            if (mcx_bytes_is_nocase(mcx_bytes_str(c->domains[i]), own->domains[k])) {
                return refused("the certificate claims a domain of this KMS");
            }
        }
    }
    return check_points(c) == MCX_OK ? EXIT_DONE : refused("a public key of the certificate is not a valid point");
}

static int store_external(struct mcx_kmsdb *db, struct mcx_kms_cert *c)
{
    struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_CERT, .certs = c, .num_certs = 1 };
    char *xml = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    c->role = MCX_KMS_EXTERNAL;
    err = mcx_kmsdoc_write(&xml, &len, &doc);
    if (err == MCX_OK) {
        err = mcx_kmsdb_external_add(db, c->cert_uri != NULL ? c->cert_uri : c->kms_uri, mcx_bytes(xml, len));
    }
    mcx_kmsdoc_text_free(xml, len);
    return err == MCX_OK        ? EXIT_DONE
           : err == MCX_E_SPACE ? refused("as many External certificates as allowed are held")
                                : environment_error("the database", err);
}

static int add_external(struct mcx_kmsdb *db, const char *path)
{
    struct mcx_file f = { 0 };
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_kmsdoc *own = NULL;
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_file_read(&f, path, MCX_KMSDOC_MAX, false);
    int rc = EXIT_DONE;

    if (err != MCX_OK) {
        return environment_error(path, err);
    }
    err = mcx_kmsdoc_read(&doc, mcx_bytes(f.p, f.len), NULL, &why);
    if (err != MCX_OK) {
        rc = refused(why.reason == NULL ? mcx_err_name(err) : why.reason);
    } else if (doc->num_certs != 1) {
        rc = refused("the file does not hold one KmsCertificate");
    } else {
        rc = own_cert(&own, db);
        rc = rc == EXIT_DONE ? check_external(&doc->certs[0], &own->certs[0]) : rc;
        rc = rc == EXIT_DONE ? store_external(db, &doc->certs[0]) : rc;
    }
    mcx_kmsdoc_free(own);
    mcx_kmsdoc_free(doc);
    mcx_file_clear(&f);
    return rc;
}

int cmd_external(const struct options *o)
{
    struct mcx_kmsdb *db = NULL;
    int rc = EXIT_DONE;

    if (!word_is(o, 0, "add") || o->num_words != 2) {
        return usage_error("external wants: add --dir DIR CERT.xml");
    }
    rc = db_open(&db, o);
    errno = 0;
    rc = rc == EXIT_DONE ? add_external(db, o->word[1]) : rc;
    mcx_kmsdb_close(db);
    return rc;
}

static mcx_err print_xml(void *arg, struct mcx_bytes xml)
{
    (void)arg;
    return fwrite(xml.p, 1, xml.len, stdout) == xml.len && fflush(stdout) == 0 ? MCX_OK : MCX_E_IO;
}

int cmd_cert(const struct options *o)
{
    struct mcx_kmsdb *db = NULL;
    int rc = EXIT_DONE;

    if (o->num_words != 0) {
        return usage_error("cert wants --dir alone");
    }
    rc = db_open(&db, o);
    if (rc == EXIT_DONE && mcx_kmsdb_cert(db, print_xml, NULL) != MCX_OK) {
        rc = environment_error("the certificate", MCX_E_IO);
    }
    mcx_kmsdb_close(db);
    return rc;
}

static void print_audit(void *arg, const struct mcx_kmsdb_audit *a)
{
    const struct options *o = arg;
    char uid[2 * MCX_UID_LEN + 1];
    char when[MCX_DATETIME_LEN + 1];

    if (mcx_hex_write(uid, sizeof uid, mcx_bytes(a->rec.uid, MCX_UID_LEN)) != MCX_OK ||
        mcx_datetime_write(when, a->rec.unix_ms / 1000) != MCX_OK) {
        return;
    }
    if (o->json) {
        print_json(json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "seq", (json_int_t)a->seq, "time", when,
                             "request_id", a->rec.request_id, "mcptt_id", a->rec.mcptt_id, "user_uri", a->rec.user_uri,
                             "uid", uid, "period_no", (json_int_t)a->rec.period_no));
    } else {
        printf("%llu %s %s %s %s period %llu request %s\n", (unsigned long long)a->seq, when, a->rec.mcptt_id,
               a->rec.user_uri, uid, (unsigned long long)a->rec.period_no, a->rec.request_id);
    }
}

int cmd_audit(const struct options *o)
{
    struct mcx_kmsdb *db = NULL;
    int rc = EXIT_DONE;

    if (!word_is(o, 0, "list") || o->num_words != 1) {
        return usage_error("audit wants list");
    }
    rc = db_open(&db, o);
    if (rc == EXIT_DONE && mcx_kmsdb_audits(db, print_audit, (void *)o) != MCX_OK) {
        rc = environment_error("the audit log", MCX_E_IO);
    }
    mcx_kmsdb_close(db);
    return rc;
}
