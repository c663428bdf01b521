/* SPDX-License-Identifier: Apache-2.0 */
/* mcx store: what a key store holds, never its keys. */
#include "mcx/cmd.h"
#include "mcx/opts.h"

#include "io/store_file.h"

#include <mcx/text.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define COMMAND "store"

static const char help[] = "usage: mcx store list   --store FILE --store-key FILE [--json]\n"
                           "       mcx store export --store FILE --store-key FILE --kms-uri URI\n"
                           "\n"
                           "  list    certificates, key sets (user, period, dates) and home KMSs; never a key\n"
                           "  export  prints the public certificate of one KMS as XML\n"
                           "Exit codes: 0 done, 1 refused by a check, 2 usage, 3 environment.\n";

struct opts {
    const char *store;
    const char *store_key;
    const char *kms_uri;
    bool json;
};

static int read_opts(struct opts *o, int argc, char **argv)
{
    const struct cmd_opt opts[] = {
        { .name = "store", .value = &o->store },
        { .name = "store-key", .value = &o->store_key },
        { .name = "kms-uri", .value = &o->kms_uri },
        { .name = "json", .flag = &o->json },
        { .name = NULL },
    };
    int rc = cmd_opts_read(COMMAND, opts, argc, argv);

    return rc == EXIT_DONE && (o->store == NULL || o->store_key == NULL)
               ? cmd_usage_error(COMMAND, "--store and --store-key are needed")
               : rc;
}

static int open_store(struct mcx_store **store, const struct opts *o)
{
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_store_file_read(store, o->store, o->store_key, 0, &why);

    if (err == MCX_OK) {
        return EXIT_DONE;
    }
    fprintf(stderr, "mcx store: %s: %s%s%s\n", o->store, why.reason == NULL ? mcx_err_name(err) : why.reason,
            err == MCX_E_IO ? ": " : "", err == MCX_E_IO ? strerror(errno) : "");
    return err <= MCX_E_TRUNC ? EXIT_REFUSED : EXIT_ENVIRONMENT;
}

static const char *date(char out[MCX_DATETIME_LEN + 1], uint64_t unix_s)
{
    return unix_s != 0 && mcx_datetime_write(out, unix_s) == MCX_OK ? out : "";
}

/* Where a key set stands in time, by the period of its KMS. */
static const char *age(const struct mcx_store *store, const struct mcx_kms_key_set *set)
{
    const struct mcx_kms_cert *cert = mcx_store_find_cert(store, set->kms_uri);
    uint64_t no = 0;

    if (cert == NULL || mcx_period_no(&no, &cert->period, mcx_clock_unix_ms() / 1000 + MCX_NTP_UNIX_OFFSET) != MCX_OK) {
        return "unknown";
    }
    return set->period_no == no ? "present" : set->period_no < no ? "past" : "future";
}

static json_t *cert_json(const struct mcx_kms_cert *c)
{
    char from[MCX_DATETIME_LEN + 1];
    char to[MCX_DATETIME_LEN + 1];
    json_t *domains = json_array();

    for (size_t i = 0; i < c->num_domains; i++) {
        (void)json_array_append_new(domains, json_string(c->domains[i]));
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:o}", "kms_uri", c->kms_uri, "cert_uri",
                     c->cert_uri == NULL ? "" : c->cert_uri, "role", c->role == MCX_KMS_ROOT ? "Root" : "External",
                     "revoked", (int)c->revoked, "valid_from", date(from, c->valid_from), "valid_to",
                     date(to, c->valid_to), "period", (json_int_t)c->period.length, "offset",
                     (json_int_t)c->period.offset, "domains", domains);
}

static json_t *set_json(const struct mcx_store *store, const struct mcx_kms_key_set *s)
{
    char from[MCX_DATETIME_LEN + 1];
    char to[MCX_DATETIME_LEN + 1];
    char uid[2 * MCX_UID_LEN + 1] = "";

    if (mcx_hex_write(uid, sizeof uid, mcx_bytes(s->uid, sizeof s->uid)) != MCX_OK) {
        return NULL;
    }
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:b, s:b, s:s}", "user_uri", s->user_uri, "kms_uri", s->kms_uri,
                     "period_no", (json_int_t)s->period_no, "uid", uid, "valid_from", date(from, s->valid_from),
                     "valid_to", date(to, s->valid_to), "revoked", (int)s->revoked, "can_sign", (int)!s->open_only,
                     "age", age(store, s));
}

static json_t *home_json(const struct mcx_store_home *h)
{
    char when[MCX_DATETIME_LEN + 1];

    return json_pack("{s:s, s:I, s:s}", "kms_uri", h->kms_uri, "cache_num", (json_int_t)h->cache_num, "last_fetch",
                     date(when, h->last_fetch));
}

static int list_json(const struct mcx_store *store)
{
    json_t *certs = json_array();
    json_t *sets = json_array();
    json_t *homes = json_array();
    json_t *j = NULL;
    int rc = EXIT_DONE;

    for (size_t i = 0; i < mcx_store_num_homes(store); i++) {
        (void)json_array_append_new(homes, home_json(mcx_store_home(store, i)));
    }
    for (size_t i = 0; i < mcx_store_num_certs(store); i++) {
        (void)json_array_append_new(certs, cert_json(mcx_store_cert(store, i)));
    }
    for (size_t i = 0; i < mcx_store_num_key_sets(store); i++) {
        (void)json_array_append_new(sets, set_json(store, mcx_store_key_set(store, i)));
    }
    j = json_pack("{s:I, s:o, s:o, s:o}", "serial", (json_int_t)mcx_store_serial(store), "homes", homes, "certificates",
                  certs, "key_sets", sets);
    rc = j != NULL && json_dumpf(j, stdout, JSON_INDENT(2)) == 0 ? EXIT_DONE : EXIT_ENVIRONMENT;
    puts("");
    json_decref(j);
    return rc;
}

static int list_text(const struct mcx_store *store)
{
    char a[MCX_DATETIME_LEN + 1];
    char b[MCX_DATETIME_LEN + 1];

    for (size_t i = 0; i < mcx_store_num_homes(store); i++) {
        const struct mcx_store_home *h = mcx_store_home(store, i);

        printf("home         %s  certificate cache %llu, fetched %s\n", h->kms_uri, (unsigned long long)h->cache_num,
               date(a, h->last_fetch));
    }
    for (size_t i = 0; i < mcx_store_num_certs(store); i++) {
        const struct mcx_kms_cert *c = mcx_store_cert(store, i);

        printf("certificate  %s  %s%s  %s to %s  period %llu s, offset %llu s\n", c->kms_uri,
               c->role == MCX_KMS_ROOT ? "Root" : "External", c->revoked ? ", revoked" : "", date(a, c->valid_from),
               date(b, c->valid_to), (unsigned long long)c->period.length, (unsigned long long)c->period.offset);
    }
    for (size_t i = 0; i < mcx_store_num_key_sets(store); i++) {
        const struct mcx_kms_key_set *s = mcx_store_key_set(store, i);

        printf("key set      %s  at %s  period %llu (%s)  %s to %s%s%s\n", s->user_uri, s->kms_uri,
               (unsigned long long)s->period_no, age(store, s), date(a, s->valid_from), date(b, s->valid_to),
               s->open_only ? "  opens only" : "", s->revoked ? "  revoked" : "");
    }
    return EXIT_DONE;
}

static int export_cert(const struct mcx_store *store, const char *kms_uri)
{
    const struct mcx_kms_cert *held = mcx_store_find_cert(store, kms_uri);
    struct mcx_kms_cert cert;
    struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_CERT, .certs = &cert, .num_certs = 1 };
    char *xml = NULL;
    size_t len = 0;

    if (held == NULL) {
        fprintf(stderr, "mcx store: no certificate of %s; 'mcx store list' shows what there is\n", kms_uri);
        return EXIT_REFUSED;
    }
    cert = *held;
    if (mcx_kmsdoc_write(&xml, &len, &doc) != MCX_OK) {
        return EXIT_ENVIRONMENT;
    }
    puts(xml);
    mcx_kmsdoc_text_free(xml, len);
    return EXIT_DONE;
}

int cmd_store(int argc, char **argv)
{
    struct mcx_store *store = NULL;
    struct opts o = { 0 };
    bool list = false;
    int rc = EXIT_DONE;

    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (asks_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    list = strcmp(argv[1], "list") == 0;
    if (!list && strcmp(argv[1], "export") != 0) {
        return cmd_usage_error(COMMAND, "the command is list or export");
    }
    rc = read_opts(&o, argc - 1, argv + 1);
    if (rc == EXIT_DONE && !list && o.kms_uri == NULL) {
        rc = cmd_usage_error(COMMAND, "export wants --kms-uri");
    }
    if (rc == EXIT_DONE) {
        rc = open_store(&store, &o);
    }
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (list) {
        rc = o.json ? list_json(store) : list_text(store);
    } else {
        rc = export_cert(store, o.kms_uri);
    }
    mcx_store_free(store);
    return rc;
}
