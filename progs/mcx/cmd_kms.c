/* SPDX-License-Identifier: Apache-2.0 */
/* mcx kms: the KMS client (TS 33.180 5.3, D.2) by hand. */
#define _DEFAULT_SOURCE 1 /* mkdir */
#include "mcx/cmd.h"
#include "mcx/opts.h"

#include "io/file.h"
#include "io/kms_fetch.h"

#include <mcx/kmsc.h>
#include <mcx/secret.h>
#include <mcx/text.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COMMAND  "kms"
#define PATH_LEN 4096

static const char help[] =
    "usage: mcx kms fetch --url https://HOST:PORT --kms-uri URI --user URI --token FILE --ca FILE\n"
    "                     --store FILE --store-key FILE [--time T] [--save-xml DIR] [--json]\n"
    "       mcx kms cert  --url https://HOST:PORT --kms-uri URI --user URI --token FILE --ca FILE\n"
    "\n"
    "  fetch   asks the KMS for its certificate, the user's key set of the present period (and of the next one, in\n"
    "          the last tenth of a period) and the certificates of other KMSs; checks every key by its equations;\n"
    "          updates the sealed key store in one step, or leaves it as it was\n"
    "  cert    prints the certificate of the KMS, without a store\n"
    "\n"
    "  --user URI        UserUri as the KMS knows it, for example sip:alice@example.org\n"
    "  --token FILE      access token; mode 0600\n"
    "  --ca FILE         PEM file with the authority that the KMS's TLS certificate has to lead to\n"
    "  --store-key FILE  64 hex digits; mode 0600. Make one: (umask 077; openssl rand -hex 32 >FILE)\n"
    "  --time T          the period that holds T (2026-03-04T12:00:00Z, or 16 hex digits of NTP), not the present one\n"
    "  --save-xml DIR    for laboratories: also writes CERT.xml, CERT-2.xml, ... and KEYSET.xml with the KEYS IN "
    "CLEAR\n"
    "Exit codes: 0 done, 1 refused by a check, 2 usage, 3 environment.\n";

struct opts {
    const char *url;
    const char *kms_uri;
    const char *user;
    const char *token;
    const char *ca;
    const char *store;
    const char *store_key;
    const char *time;
    const char *save_xml;
    bool json;
};

static int exit_code(mcx_err err)
{
    /* the families of peers, and an answer that is too large; the others are ours and resources */
    return err <= MCX_E_TRUNC || err == MCX_E_SPACE ? EXIT_REFUSED : EXIT_ENVIRONMENT;
}

static int read_opts(struct opts *o, int argc, char **argv)
{
    const struct cmd_opt opts[] = {
        { .name = "url", .value = &o->url },
        { .name = "kms-uri", .value = &o->kms_uri },
        { .name = "user", .value = &o->user },
        { .name = "token", .value = &o->token },
        { .name = "ca", .value = &o->ca },
        { .name = "store", .value = &o->store },
        { .name = "store-key", .value = &o->store_key },
        { .name = "time", .value = &o->time },
        { .name = "save-xml", .value = &o->save_xml },
        { .name = "json", .flag = &o->json },
        { .name = NULL },
    };
    int rc = cmd_opts_read(COMMAND, opts, argc, argv);

    if (rc == EXIT_DONE &&
        (o->url == NULL || o->kms_uri == NULL || o->user == NULL || o->token == NULL || o->ca == NULL)) {
        return cmd_usage_error(COMMAND, "--url, --kms-uri, --user, --token and --ca are needed");
    }
    return rc;
}

static mcx_err read_time(struct mcx_ntp *out, const char *text)
{
    uint8_t wire[8];
    uint64_t unix_s = 0;
    uint64_t v = 0;

    if (mcx_hex_read_exact(wire, sizeof wire, mcx_bytes_str(text)) == MCX_OK) {
        for (size_t i = 0; i < sizeof wire; i++) {
            v = v << 8 | wire[i];
        }
        *out = mcx_ntp_from_wire(v);
        return MCX_OK;
    }
    MCX_TRY(mcx_datetime_read(&unix_s, mcx_bytes_str(text)));
    *out = mcx_ntp_from_unix_ms(unix_s * 1000);
    return MCX_OK;
}

/* What a command works with. */
struct session {
    const struct opts *o;
    struct mcx_kms_fetch fetch;
    struct mcx_kms_fetched fetched;
    struct mcx_store *store;
};

static void report_failure(const struct session *s, mcx_err err)
{
    const struct mcx_kms_fetched *f = &s->fetched;
    const char *operation = f->operation == NULL ? "" : f->operation;
    const char *reason = f->why.reason == NULL ? mcx_err_name(err) : f->why.reason;
    const char *clause = f->why.clause == NULL ? "" : f->why.clause;
    json_t *j = NULL;

    if (s->o->json) {
        j = json_pack("{s:s, s:s, s:s, s:s}", "status", mcx_err_name(err), "reason", reason, "clause", clause,
                      "operation", operation);
        if (j != NULL && f->kms_error != 0) {
            (void)json_object_set_new(j, "kms_error", json_integer(f->kms_error));
        }
        if (j != NULL && f->detail[0] != '\0') {
            (void)json_object_set_new(j, "detail", json_string(f->detail));
        }
        (void)json_dumpf(j, stdout, JSON_COMPACT);
        puts("");
        json_decref(j);
    }
    fprintf(stderr, "mcx kms: %s%s%s", operation, operation[0] == '\0' ? "" : ": ", reason);
    if (clause[0] != '\0') {
        fprintf(stderr, " (%s)", clause);
    }
    if (f->kms_error != 0) {
        fprintf(stderr, "; error %d", f->kms_error);
    }
    fprintf(stderr, "%s%s\n", f->detail[0] == '\0' ? "" : "; ", f->detail);
}

static void on_wait(const char *operation, const char *detail, uint64_t wait_ms)
{
    fprintf(stderr, "mcx kms: %s: no usable answer%s%s; again in %llu ms\n", operation, detail[0] == '\0' ? "" : ": ",
            detail, (unsigned long long)wait_ms);
}

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

static mcx_err save_doc(const char *dir, const char *name, struct mcx_kmsdoc *doc)
{
    char path[PATH_LEN];
    char *xml = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    MCX_TRY(mcx_kmsdoc_write(&xml, &len, doc));
    err = mcx_file_replace(path, mcx_bytes(xml, len), 0600);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx kms: %s: %s\n", path, strerror(errno));
    }
    mcx_kmsdoc_text_free(xml, len);
    return err;
}

static mcx_err save_certs(const struct session *s, const char *dir)
{
    const struct mcx_kms_cert *home = mcx_store_find_cert(s->store, s->o->kms_uri);
    unsigned n = 1;

    for (size_t i = 0; i < mcx_store_num_certs(s->store); i++) {
        struct mcx_kms_cert cert = *mcx_store_cert(s->store, i); /* strings borrowed */
        struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_CERT, .certs = &cert, .num_certs = 1 };
        char name[32] = "CERT.xml";

        if (mcx_store_cert(s->store, i) != home) {
            (void)snprintf(name, sizeof name, "CERT-%u.xml", ++n);
        }
        MCX_TRY(save_doc(dir, name, &doc));
    }
    return MCX_OK;
}

static mcx_err save_xml(const struct session *s)
{
    const struct mcx_kms_cert *home = mcx_store_find_cert(s->store, s->o->kms_uri);
    struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_KEY_SET, .num_key_sets = 1 };
    const struct mcx_kms_key_set *held = NULL;
    struct mcx_kms_key_set set = { 0 };
    uint64_t no = 0;
    mcx_err err = MCX_OK;

    if (home == NULL) {
        return MCX_E_BUG;
    }
    MCX_TRY(mcx_period_no(&no, &home->period, s->fetch.time.sec));
    held = mcx_store_find_key_set(s->store, s->o->kms_uri, s->o->user, no);
    if (held == NULL || held->open_only) {
        fputs("mcx kms: --save-xml: the SSK of that period is already destroyed in the store\n", stderr);
        return MCX_E_NOKEY;
    }
    if (mkdir(s->o->save_xml, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "mcx kms: %s: %s\n", s->o->save_xml, strerror(errno));
        return MCX_E_IO;
    }
    MCX_TRY(save_certs(s, s->o->save_xml));
    set = *held;
    doc.key_sets = &set;
    err = save_doc(s->o->save_xml, "KEYSET.xml", &doc);
    mcx_wipe(&set, sizeof set); /* strings were borrowed */
    fprintf(stderr, "mcx kms: --save-xml is for laboratories: %s/KEYSET.xml holds private keys in clear\n",
            s->o->save_xml);
    return err;
}

static void report_done(const struct session *s)
{
    const struct mcx_rng rng = mcx_rng_system();
    char when[MCX_DATETIME_LEN + 1] = "";
    uint64_t at = 0;
    json_t *j = NULL;

    if (mcx_kmsc_next_fetch(&at, s->store, s->o->kms_uri, s->o->user, now(), &rng) == MCX_OK &&
        mcx_datetime_write(when, at - MCX_NTP_UNIX_OFFSET) != MCX_OK) {
        when[0] = '\0';
    }
    if (!s->o->json) {
        printf("%s: %zu key sets and %zu certificates from %s, all checked; fetch again at %s\n", s->o->user,
               s->fetched.num_key_sets, s->fetched.num_certs, s->o->kms_uri, when);
        return;
    }
    j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "status", "ok", "kms_uri", s->o->kms_uri, "user", s->o->user,
                  "key_sets", (json_int_t)s->fetched.num_key_sets, "certificates", (json_int_t)s->fetched.num_certs,
                  "serial", (json_int_t)mcx_store_serial(s->store), "next_fetch", when);
    (void)json_dumpf(j, stdout, JSON_COMPACT);
    puts("");
    json_decref(j);
}

static mcx_err fetch(struct session *s)
{
    mcx_err err = mcx_kms_fetch_file(&s->fetched, &s->store, &s->fetch, s->o->store, s->o->store_key);

    if (err != MCX_OK) {
        report_failure(s, err);
        return err;
    }
    if (s->o->save_xml != NULL) {
        MCX_TRY(save_xml(s));
    }
    report_done(s);
    return MCX_OK;
}

static mcx_err print_cert(struct session *s)
{
    const struct mcx_kms_cert *home = NULL;
    struct mcx_kms_cert cert;
    struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_CERT, .certs = &cert, .num_certs = 1 };
    char *xml = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    s->fetch.init_only = true;
    MCX_TRY(mcx_store_new(&s->store));
    err = mcx_kms_fetch_into(&s->fetched, &s->fetch, s->store);
    if (err != MCX_OK) {
        report_failure(s, err);
        return err;
    }
    home = mcx_store_find_cert(s->store, s->o->kms_uri);
    if (home == NULL) {
        return MCX_E_BUG;
    }
    cert = *home;
    MCX_TRY(mcx_kmsdoc_write(&xml, &len, &doc));
    puts(xml);
    mcx_kmsdoc_text_free(xml, len);
    return MCX_OK;
}

static int with_session(const struct opts *o, mcx_err (*work)(struct session *))
{
    struct session s = { .o = o,
                         .fetch = { .url = o->url,
                                    .kms_uri = o->kms_uri,
                                    .user = o->user,
                                    .token_file = o->token,
                                    .ca_file = o->ca,
                                    .at_time = o->time != NULL,
                                    .time = now(),
                                    .on_wait = on_wait } };
    mcx_err err = MCX_OK;

    if (o->time != NULL && read_time(&s.fetch.time, o->time) != MCX_OK) {
        return cmd_usage_error(COMMAND, "--time is 2026-03-04T12:00:00Z or 16 hex digits");
    }
    err = work(&s);
    mcx_store_free(s.store);
    if (err == MCX_E_ARG) {
        return EXIT_USAGE;
    }
    return err == MCX_OK ? EXIT_DONE : exit_code(err);
}

int cmd_kms(int argc, char **argv)
{
    struct opts o = { 0 };
    int rc = EXIT_DONE;

    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (asks_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    rc = read_opts(&o, argc - 1, argv + 1);
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (strcmp(argv[1], "cert") == 0) {
        return with_session(&o, print_cert);
    }
    if (strcmp(argv[1], "fetch") != 0) {
        return cmd_usage_error(COMMAND, "the command is fetch or cert");
    }
    if (o.store == NULL || o.store_key == NULL) {
        return cmd_usage_error(COMMAND, "fetch wants --store and --store-key");
    }
    return with_session(&o, fetch);
}
