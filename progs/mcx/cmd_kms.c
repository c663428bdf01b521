/* SPDX-License-Identifier: Apache-2.0 */
/* mcx kms: the KMS client (TS 33.180 5.3, D.2). Runs the procedure of mcx/kmsc.h over libcurl. */
#define _DEFAULT_SOURCE 1 /* nanosleep, mkdir */
#include "mcx/cmd.h"

#include "io/file.h"
#include "io/http_client.h"
#include "io/store_file.h"

#include <mcx/kmsc.h>
#include <mcx/secret.h>
#include <mcx/text.h>

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_MAX  16384
#define TIMEOUT_MS 20000
#define PATH_LEN   4096

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
    int json;
};

static int usage_error(const char *what)
{
    fprintf(stderr, "mcx kms: %s; 'mcx kms --help' explains\n", what);
    return EXIT_USAGE;
}

/* Octets of a peer on a terminal: no control characters. */
static void put_clean(FILE *f, const char *s)
{
    for (; *s != '\0'; s++) {
        fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, f);
    }
}

static int exit_code(mcx_err err)
{
    /* the families of peers, and an answer that is too large; the others are ours and resources */
    return err <= MCX_E_TRUNC || err == MCX_E_SPACE ? EXIT_REFUSED : EXIT_ENVIRONMENT;
}

static int read_opts(struct opts *o, int argc, char **argv)
{
    static const struct option longopts[] = {
        { "url", required_argument, NULL, 'u' },
        { "kms-uri", required_argument, NULL, 'k' },
        { "user", required_argument, NULL, 'i' },
        { "token", required_argument, NULL, 't' },
        { "ca", required_argument, NULL, 'c' },
        { "store", required_argument, NULL, 's' },
        { "store-key", required_argument, NULL, 'y' },
        { "time", required_argument, NULL, 'T' },
        { "save-xml", required_argument, NULL, 'x' },
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    int c = 0;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
        switch (c) {
        case 'u': o->url = optarg; break;
        case 'k': o->kms_uri = optarg; break;
        case 'i': o->user = optarg; break;
        case 't': o->token = optarg; break;
        case 'c': o->ca = optarg; break;
        case 's': o->store = optarg; break;
        case 'y': o->store_key = optarg; break;
        case 'T': o->time = optarg; break;
        case 'x': o->save_xml = optarg; break;
        case 'j': o->json = 1; break;
        default: return usage_error("wrong option");
        }
    }
    if (optind != argc) {
        return usage_error("an argument too many");
    }
    if (o->url == NULL || o->kms_uri == NULL || o->user == NULL || o->token == NULL || o->ca == NULL) {
        return usage_error("--url, --kms-uri, --user, --token and --ca are needed");
    }
    return EXIT_DONE;
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

/* One run of the procedure. */
struct session {
    const struct opts *o;
    struct mcx_rng rng;
    struct mcx_store *store;
    struct mcx_file token; /* NUL-terminated: mcx_file_read() keeps an octet for it */
    struct mcx_kmsc *kmsc;
    bool at_time;
    struct mcx_ntp time; /* the period wanted: --time, or now */
};

static mcx_err read_token(struct session *s)
{
    struct mcx_bytes text;
    mcx_err err = mcx_file_read(&s->token, s->o->token, TOKEN_MAX, true);

    if (err != MCX_OK) {
        fprintf(stderr, "mcx kms: %s: %s\n", s->o->token,
                err == MCX_E_POLICY ? "must belong to this user and have mode 0600" : strerror(errno));
        return err;
    }
    text = mcx_bytes_trim(mcx_bytes(s->token.p, s->token.len));
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~') {
            text.len = 0;
        }
    }
    if (text.len == 0) {
        fprintf(stderr, "mcx kms: %s: holds no access token on one line\n", s->o->token);
        return MCX_E_FORMAT;
    }
    memmove(s->token.p, text.p, text.len);
    s->token.p[text.len] = '\0';
    return MCX_OK;
}

static void report_failure(const struct session *s, const char *operation, mcx_err err, const struct mcx_refusal *why,
                           int kms_error, const char *detail)
{
    const char *reason = why->reason == NULL ? mcx_err_name(err) : why->reason;
    json_t *j = NULL;

    if (s->o->json) {
        j = json_pack("{s:s, s:s, s:s, s:s}", "status", mcx_err_name(err), "reason", reason, "clause",
                      why->clause == NULL ? "" : why->clause, "operation", operation == NULL ? "" : operation);
        if (j != NULL && kms_error != 0) {
            (void)json_object_set_new(j, "kms_error", json_integer(kms_error));
        }
        if (j != NULL && detail != NULL) {
            (void)json_object_set_new(j, "detail", json_string(detail));
        }
        (void)json_dumpf(j, stdout, JSON_COMPACT);
        puts("");
        json_decref(j);
    }
    fprintf(stderr, "mcx kms: %s%s%s", operation == NULL ? "" : operation, operation == NULL ? "" : ": ", reason);
    if (why->clause != NULL && why->clause[0] != '\0') {
        fprintf(stderr, " (%s)", why->clause);
    }
    if (kms_error != 0) {
        fprintf(stderr, "; error %d", kms_error);
    }
    if (detail != NULL) {
        fputs("; ", stderr);
        put_clean(stderr, detail);
    }
    fputc('\n', stderr);
}

static void wait_ms(uint64_t ms)
{
    struct timespec ts = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };

    while (nanosleep(&ts, &ts) != 0 && errno == EINTR) {
    }
}

/* One POST. MCX_E_IO means that a later try may go better; its detail is in `answer`. */
static mcx_err exchange(const struct session *s, const struct mcx_kmsc_out *do_post, struct mcx_http_answer *answer)
{
    const struct mcx_http_post post = { .url = do_post->url,
                                        .ca_file = s->o->ca,
                                        .bearer = (const char *)s->token.p,
                                        .content_type = "application/xml",
                                        .body = do_post->body,
                                        .timeout_ms = TIMEOUT_MS,
                                        .max_answer = MCX_KMSDOC_MAX };

    return mcx_http_post(answer, &post);
}

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

static mcx_err run(struct session *s)
{
    struct mcx_kmsc_in in = { .event = MCX_KMSC_START, .now = now() };
    struct mcx_http_answer answer = { 0 };
    struct mcx_kmsc_out out = { 0 };
    mcx_err err = mcx_kmsc_step(s->kmsc, &in, &out);

    while (err == MCX_OK && (out.action == MCX_KMSC_POST || out.action == MCX_KMSC_WAIT)) {
        if (out.action == MCX_KMSC_WAIT) {
            fprintf(stderr, "mcx kms: %s: no usable answer%s%s; again in %llu ms\n", out.operation,
                    answer.detail[0] == '\0' ? "" : ": ", answer.detail, (unsigned long long)out.wait_ms);
            wait_ms(out.wait_ms);
            in = (struct mcx_kmsc_in){ .event = MCX_KMSC_TIMER, .now = now() };
        } else {
            mcx_http_answer_clear(&answer);
            err = exchange(s, &out, &answer);
            if (err != MCX_OK && err != MCX_E_IO) {
                struct mcx_refusal why = { "the answer is larger than a KMS document may be", "" };

                if (err == MCX_E_AUTH) {
                    why.reason = "the TLS certificate of the server did not verify against --ca";
                    why.clause = "TS 33.180 D.1";
                }
                report_failure(s, out.operation, err, &why, 0, answer.detail);
                break;
            }
            in = (struct mcx_kmsc_in){ .event = err == MCX_OK ? MCX_KMSC_ANSWER : MCX_KMSC_LOST,
                                       .now = now(),
                                       .status = answer.status,
                                       .body = mcx_bytes(answer.body, answer.len) };
        }
        err = mcx_kmsc_step(s->kmsc, &in, &out);
    }
    if (err == MCX_OK && out.action == MCX_KMSC_FAILED) {
        err = out.err;
        report_failure(s, out.operation, err, &out.why, out.kms_error,
                       out.kms_error_msg != NULL  ? out.kms_error_msg
                       : answer.detail[0] != '\0' ? answer.detail
                                                  : NULL);
    } else if (err != MCX_OK && answer.detail[0] == '\0') {
        fprintf(stderr, "mcx kms: %s\n", mcx_err_name(err));
    }
    mcx_http_answer_clear(&answer);
    return err;
}

static mcx_err start(struct session *s, bool init_only)
{
    struct mcx_kmsc_config config = { .url = s->o->url,
                                      .kms_uri = s->o->kms_uri,
                                      .user_uri = s->o->user,
                                      .at_time = s->at_time,
                                      .time = s->time,
                                      .init_only = init_only,
                                      .retry = MCX_KMSC_RETRY_DEFAULT };
    mcx_err err = mcx_kmsc_new(&s->kmsc, &config, s->store, &s->rng);

    if (err == MCX_E_ARG) {
        (void)usage_error("--url is https://HOST:PORT without a path; --kms-uri and --user are not empty");
    } else if (err != MCX_OK) {
        fprintf(stderr, "mcx kms: %s\n", mcx_err_name(err));
    }
    return err;
}

/* The store of --store, or an empty one when there is none yet. */
static mcx_err open_or_new(struct session *s)
{
    uint8_t key[MCX_FILE_KEY_LEN];
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    if (access(s->o->store, F_OK) != 0 && errno == ENOENT) {
        err = mcx_file_read_key(key, s->o->store_key);
        mcx_wipe(key, sizeof key);
        if (err == MCX_OK) {
            return mcx_store_new(&s->store);
        }
        fprintf(
            stderr,
            "mcx kms: %s: no key of 64 hex digits with mode 0600; make one: (umask 077; openssl rand -hex 32 >%s)\n",
            s->o->store_key, s->o->store_key);
        return err;
    }
    err = mcx_store_file_read(&s->store, s->o->store, s->o->store_key, 0, &why);
    if (err != MCX_OK) {
        report_failure(s, NULL, err, &why, 0, s->o->store);
    }
    return err;
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
    MCX_TRY(mcx_period_no(&no, &home->period, s->time.sec));
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
    char when[MCX_DATETIME_LEN + 1] = "";
    uint64_t at = 0;
    json_t *j = NULL;

    if (mcx_kmsc_next_fetch(&at, s->store, s->o->kms_uri, s->o->user, now(), &s->rng) == MCX_OK &&
        mcx_datetime_write(when, at - MCX_NTP_UNIX_OFFSET) != MCX_OK) {
        when[0] = '\0';
    }
    if (!s->o->json) {
        printf("%s: %zu key sets and %zu certificates from %s, all checked; fetch again at %s\n", s->o->user,
               mcx_kmsc_num_key_sets(s->kmsc), mcx_kmsc_num_certs(s->kmsc), s->o->kms_uri, when);
        return;
    }
    j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "status", "ok", "kms_uri", s->o->kms_uri, "user", s->o->user,
                  "key_sets", (json_int_t)mcx_kmsc_num_key_sets(s->kmsc), "certificates",
                  (json_int_t)mcx_kmsc_num_certs(s->kmsc), "serial", (json_int_t)mcx_store_serial(s->store),
                  "next_fetch", when);
    (void)json_dumpf(j, stdout, JSON_COMPACT);
    puts("");
    json_decref(j);
}

static mcx_err fetch(struct session *s)
{
    struct mcx_refusal why = { 0 };
    int lock = -1;
    mcx_err err = mcx_store_file_lock(&lock, s->o->store);

    if (err != MCX_OK) {
        fprintf(stderr, "mcx kms: %s.lock: %s\n", s->o->store, strerror(errno));
        return err;
    }
    MCX_GO(err, open_or_new(s));
    MCX_GO(err, start(s, false));
    MCX_GO(err, run(s));
    err = mcx_store_file_write(s->o->store, s->o->store_key, s->store, &s->rng, &why);
    if (err != MCX_OK) {
        report_failure(s, NULL, err, &why, 0, strerror(errno));
        goto out;
    }
    if (s->o->save_xml != NULL) {
        MCX_GO(err, save_xml(s));
    }
    report_done(s);
out:
    mcx_store_file_unlock(lock);
    return err;
}

static mcx_err print_cert(struct session *s)
{
    const struct mcx_kms_cert *home = NULL;
    struct mcx_kms_cert cert;
    struct mcx_kmsdoc doc = { .kind = MCX_KMSDOC_BARE_CERT, .certs = &cert, .num_certs = 1 };
    char *xml = NULL;
    size_t len = 0;

    MCX_TRY(mcx_store_new(&s->store));
    MCX_TRY(start(s, true));
    MCX_TRY(run(s));
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
    struct session s = { .o = o, .rng = mcx_rng_system(), .at_time = o->time != NULL, .time = now() };
    mcx_err err = MCX_OK;

    if (s.at_time && read_time(&s.time, o->time) != MCX_OK) {
        return usage_error("--time is 2026-03-04T12:00:00Z or 16 hex digits");
    }
    if (access(o->ca, R_OK) != 0) {
        fprintf(stderr, "mcx kms: %s: %s\n", o->ca, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return EXIT_ENVIRONMENT;
    }
    err = read_token(&s);
    if (err == MCX_OK) {
        err = work(&s);
    }
    mcx_kmsc_free(s.kmsc);
    mcx_store_free(s.store);
    mcx_file_clear(&s.token);
    curl_global_cleanup();
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
        return usage_error("the command is fetch or cert");
    }
    if (o.store == NULL || o.store_key == NULL) {
        return usage_error("fetch wants --store and --store-key");
    }
    return with_session(&o, fetch);
}
