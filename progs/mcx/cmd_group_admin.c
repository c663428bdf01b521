/* SPDX-License-Identifier: Apache-2.0 */
/* mcx group create, add, ...: administration of a group management server over HTTPS (docs/GMS-API.md). */
#include "mcx/cmd.h"
#include "mcx/cmd_group.h"

#include "io/file.h"
#include "io/http_client.h"

#include <mcx/bytes.h>

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX     1024
#define TOKEN_MAX   8192
#define MEMBERS_MAX (16u << 20) /* octets of a file of members */
#define REPLY_MAX   (64u << 20)
#define TIMEOUT_MS  60000
#define MAX_LIST    64

const char group_admin_help[] =
    "usage: mcx group VERB --gms-url https://HOST:PORT --token FILE --ca FILE [options] [--json]\n"
    "\n"
    "  create    --group URI --member ID [--member ...] [--members FILE] [--name TEXT] [--chat] [--priority N]\n"
    "            [--max-participants N] [--clear-media] [--clear-floor] [--multicast-floor] [--share GROUP]\n"
    "  add       --group URI --member ID ... [--rekey]     with --rekey the past stays closed to them\n"
    "  remove    --group URI --member ID                   the others get new keys at once\n"
    "  lost      --member ID                               his device is lost: out of all groups\n"
    "  rekey     --group URI                               new keys, active when all could fetch them\n"
    "  revoke    --group URI --key-id HEX                  members stop using this key\n"
    "  delete    --group URI\n"
    "  regroup   --group URI --part GROUP --part GROUP ... [--name TEXT]   a temporary group, with a key of its own\n"
    "  ungroup   --group URI                               tear it down\n"
    "  list                                                all groups\n"
    "  show      --group URI                               members and keys\n"
    "  lacking   --group URI                               who has not fetched the keys in use, and why\n"
    "  jobs                                                payloads that are being made\n"
    "\n"
    "  --members FILE    one MCPTT ID a line\n"
    "  --token FILE      access token of an administrator; mode 0600\n"
    "  --ca FILE         PEM file with the authority that the server's TLS certificate has to lead to\n"
    "  --clear-media     protect-media false: no GMK;  --clear-floor: protect-floor-control-signalling false\n"
    "  --multicast-floor there is a MKFC too, for floor control over MBMS\n"
    "  --share GROUP     the keys of GROUP serve this one too\n"
    "  --json            the server's answer as it is\n"
    "A refusal of the server ends with exit code 1, and its reason.\n";

struct opts {
    const char *url, *token, *ca, *group, *name, *members_file, *share, *key_id, *priority, *max;
    const char *member[MAX_LIST];
    size_t num_members;
    const char *part[MAX_LIST];
    size_t num_parts;
    int json, chat, clear_media, clear_floor, multicast_floor, rekey;
};

static int usage_error(const char *what)
{
    fprintf(stderr, "mcx group: %s; 'mcx group --help' explains\n", what);
    return EXIT_USAGE;
}

static int environment_error(const char *what, const char *why)
{
    fprintf(stderr, "mcx group: %s: %s\n", what, why);
    return EXIT_ENVIRONMENT;
}

static bool push(const char **list, size_t *num, const char *value)
{
    if (*num == MAX_LIST) {
        return false;
    }
    list[(*num)++] = value;
    return true;
}

static int read_opts(struct opts *o, int argc, char **argv)
{
    const struct option longopts[] = {
        { "gms-url", required_argument, NULL, 'u' },
        { "token", required_argument, NULL, 't' },
        { "ca", required_argument, NULL, 'c' },
        { "group", required_argument, NULL, 'g' },
        { "name", required_argument, NULL, 'n' },
        { "member", required_argument, NULL, 'm' },
        { "members", required_argument, NULL, 'f' },
        { "part", required_argument, NULL, 'p' },
        { "share", required_argument, NULL, 's' },
        { "key-id", required_argument, NULL, 'k' },
        { "priority", required_argument, NULL, 'P' },
        { "max-participants", required_argument, NULL, 'x' },
        { "json", no_argument, &o->json, 1 },
        { "chat", no_argument, &o->chat, 1 },
        { "clear-media", no_argument, &o->clear_media, 1 },
        { "clear-floor", no_argument, &o->clear_floor, 1 },
        { "multicast-floor", no_argument, &o->multicast_floor, 1 },
        { "rekey", no_argument, &o->rekey, 1 },
        { NULL, 0, NULL, 0 },
    };
    int c = 0;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
        bool room = true;

        switch (c) {
        case 0: break;
        case 'u': o->url = optarg; break;
        case 't': o->token = optarg; break;
        case 'c': o->ca = optarg; break;
        case 'g': o->group = optarg; break;
        case 'n': o->name = optarg; break;
        case 'm': room = push(o->member, &o->num_members, optarg); break;
        case 'f': o->members_file = optarg; break;
        case 'p': room = push(o->part, &o->num_parts, optarg); break;
        case 's': o->share = optarg; break;
        case 'k': o->key_id = optarg; break;
        case 'P': o->priority = optarg; break;
        case 'x': o->max = optarg; break;
        default: return usage_error("wrong option");
        }
        if (!room) {
            return usage_error("too many members or parts on the line; --members takes a file");
        }
    }
    if (optind != argc) {
        return usage_error("an argument too many");
    }
    return EXIT_DONE;
}

/* What the server would refuse without knowing more than we do. */
static int check_opts(const struct opts *o, const char *verb)
{
    static const char *const without_group[] = { "lost", "list", "jobs" };
    bool needs_group = true;

    for (size_t i = 0; i < sizeof without_group / sizeof without_group[0]; i++) {
        needs_group = needs_group && strcmp(verb, without_group[i]) != 0;
    }
    if (o->url == NULL || o->token == NULL || o->ca == NULL) {
        return usage_error("--gms-url, --token and --ca are needed");
    }
    if (strncmp(o->url, "https://", 8) != 0) {
        return usage_error("--gms-url is https://HOST:PORT");
    }
    return needs_group && o->group == NULL ? usage_error("--group is needed") : EXIT_DONE;
}

/* The request */

static void set_text(json_t *j, const char *name, const char *value)
{
    if (value != NULL) {
        (void)json_object_set_new(j, name, json_string(value));
    }
}

/* "--priority 7": what is no number goes as text, and the server says so. */
static void set_number(json_t *j, const char *name, const char *value)
{
    char *rest = NULL;
    long long n = value == NULL ? 0 : strtoll(value, &rest, 10);

    if (value != NULL) {
        (void)json_object_set_new(j, name, *rest == '\0' ? json_integer(n) : json_string(value));
    }
}

static void set_flag(json_t *j, const char *name, bool set, bool value)
{
    if (set) {
        (void)json_object_set_new(j, name, json_boolean(value));
    }
}

static mcx_err members_of_file(json_t *array, const char *path)
{
    struct mcx_file f = { 0 };
    size_t start = 0;

    errno = 0;
    MCX_TRY(mcx_file_read(&f, path, MEMBERS_MAX, false));
    for (size_t i = 0; i <= f.len; i++) {
        if (i == f.len || f.p[i] == '\n') {
            struct mcx_bytes line = mcx_bytes_trim(mcx_bytes(f.p + start, i - start));

            if (line.len > 0) {
                (void)json_array_append_new(array, json_stringn((const char *)line.p, line.len));
            }
            start = i + 1;
        }
    }
    mcx_file_clear(&f);
    return MCX_OK;
}

static mcx_err set_list(json_t *j, const char *name, const char *const *list, size_t num, const char *file)
{
    json_t *array = json_array();
    mcx_err err = MCX_OK;

    for (size_t i = 0; i < num; i++) {
        (void)json_array_append_new(array, json_string(list[i]));
    }
    if (file != NULL) {
        err = members_of_file(array, file);
    }
    if (json_array_size(array) > 0) {
        (void)json_object_set(j, name, array);
    }
    json_decref(array);
    return err;
}

/* All verbs read the same members; what one does not know it does not look at. */
static int request(json_t **out, const struct opts *o)
{
    json_t *j = json_object();

    set_text(j, "group", o->group);
    set_text(j, "name", o->name);
    set_text(j, "share", o->share);
    set_text(j, "key_id", o->key_id);
    set_text(j, "member", o->num_members > 0 ? o->member[0] : NULL);
    set_text(j, "kind", o->chat ? "chat" : NULL);
    set_number(j, "priority", o->priority);
    set_number(j, "max_participants", o->max);
    set_flag(j, "protect_media", o->clear_media, false);
    set_flag(j, "protect_floor", o->clear_floor, false);
    set_flag(j, "multicast_floor", o->multicast_floor, true);
    set_flag(j, "rekey", o->rekey, true);
    *out = j;
    if (set_list(j, "members", o->member, o->num_members, o->members_file) != MCX_OK) {
        return environment_error(o->members_file, errno != 0 ? strerror(errno) : "cannot be read");
    }
    return set_list(j, "groups", o->part, o->num_parts, NULL) == MCX_OK ? EXIT_DONE : EXIT_ENVIRONMENT;
}

/* The answer, for people */

static const char *str(json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));

    return s == NULL ? "" : s;
}

static long long num(json_t *j, const char *name)
{
    return (long long)json_integer_value(json_object_get(j, name));
}

static void print_group(json_t *g)
{
    printf("%s  %s, %lld members%s%s%s%s\n", str(g, "group"), str(g, "kind"), num(g, "num_members"),
           json_is_true(json_object_get(g, "temporary")) ? ", temporary" : "",
           json_is_true(json_object_get(g, "protect_media")) ? "" : ", media in clear",
           str(g, "regrouped_in")[0] != '\0' ? ", regrouped in " : "", str(g, "regrouped_in"));
}

static void print_member(json_t *m)
{
    printf("  member %s%s\n", str(m, "id"), json_is_true(json_object_get(m, "receive_only")) ? " (receives only)" : "");
}

static void print_key(json_t *k)
{
    printf("  %s %s %s (%s), active from %s, %lld of %lld have it\n", str(k, "type"), str(k, "key_id"), str(k, "state"),
           str(k, "cause"), str(k, "activation")[0] != '\0' ? str(k, "activation") : "-", num(k, "fetched"),
           num(k, "members"));
}

static void print_lack(json_t *l)
{
    printf("%s lacks %s %s: %s\n", str(l, "member"), str(l, "type"), str(l, "key_id"), str(l, "reason"));
}

static void print_job(json_t *p)
{
    printf("%s %s %s %s: %lld of %lld, %lld failed, %lld s left\n", str(p, "group"), str(p, "type"), str(p, "key_id"),
           str(p, "kind"), num(p, "done"), num(p, "total"), num(p, "failed"), num(p, "left_s"));
}

static void print_people(json_t *reply)
{
    static const struct {
        const char *name;
        void (*print)(json_t *);
    } lists[] = { { "groups", print_group },
                  { "members", print_member },
                  { "keys", print_key },
                  { "lacking", print_lack },
                  { "jobs", print_job } };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_t *list = json_object_get(reply, lists[i].name);

        for (size_t n = 0; n < json_array_size(list); n++) {
            lists[i].print(json_array_get(list, n));
        }
    }
}

static int print_reply(const struct opts *o, const struct mcx_http_reply *reply)
{
    json_t *j = json_loadb((const char *)reply->body, reply->len, 0, NULL);
    int rc = reply->status == 200 ? EXIT_DONE : EXIT_REFUSED;

    if (o->json && j != NULL) {
        (void)json_dumpf(j, stdout, JSON_COMPACT);
        puts("");
    } else if (rc == EXIT_DONE) {
        print_people(j);
    }
    if (rc != EXIT_DONE) {
        fprintf(stderr, "mcx group: refused (HTTP %d): %s\n", reply->status,
                str(j, "reason")[0] != '\0' ? str(j, "reason")
                : reply->status == 401 || reply->status == 403
                    ? "this token is not one of an administrator, or has expired"
                    : "no reason given");
    }
    json_decref(j);
    return rc;
}

static int exchange(const struct opts *o, const char *verb, const char *body, const char *token)
{
    char url[URL_MAX];
    struct mcx_http_reply reply = { 0 };
    const struct mcx_http_call call = { .url = url,
                                        .ca_file = o->ca,
                                        .bearer = token,
                                        .accept = "application/json",
                                        .content_type = "application/json",
                                        .body = mcx_bytes_str(body),
                                        .timeout_ms = TIMEOUT_MS,
                                        .max_reply = REPLY_MAX };
    mcx_err err = MCX_OK;
    int rc = EXIT_DONE;

    if (snprintf(url, sizeof url, "%s/admin/v1/%s", o->url, verb) >= (int)sizeof url) {
        return usage_error("--gms-url is too long");
    }
    err = mcx_http_exchange(&reply, &call);
    rc = err == MCX_OK ? print_reply(o, &reply)
                       : environment_error(o->url, reply.detail[0] != '\0' ? reply.detail : mcx_err_name(err));
    mcx_http_reply_clear(&reply);
    return rc;
}

static int send_request(const struct opts *o, const char *verb)
{
    struct mcx_file token = { 0 };
    char text[TOKEN_MAX + 1];
    json_t *j = NULL;
    char *body = NULL;
    mcx_err err = MCX_OK;
    int rc = request(&j, o);

    body = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    errno = 0;
    if (rc == EXIT_DONE) {
        err = mcx_file_read(&token, o->token, TOKEN_MAX, true);
        err = err != MCX_OK ? err : mcx_bytes_cstr(text, sizeof text, mcx_bytes_trim(mcx_bytes(token.p, token.len)));
        rc = err != MCX_OK || body == NULL
                 ? environment_error(o->token, err == MCX_E_IO ? strerror(errno)
                                               : err == MCX_E_POLICY
                                                   ? "others can read it, or it is not yours; chmod 600"
                                                   : mcx_err_name(err))
                 : exchange(o, verb, body, text);
    }
    free(body);
    mcx_file_clear(&token);
    return rc;
}

int group_admin(int argc, char **argv)
{
    struct opts o = { 0 };
    int rc = read_opts(&o, argc, argv);

    rc = rc == EXIT_DONE ? check_opts(&o, argv[0]) : rc;
    return rc == EXIT_DONE ? send_request(&o, argv[0]) : rc;
}
