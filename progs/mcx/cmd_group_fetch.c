/* SPDX-License-Identifier: Apache-2.0 */
/* mcx group fetch: the group management client (TS 24.481 6.3.3; TS 33.180 5.7) by hand. */
#include "mcx/cmd.h"
#include "mcx/cmd_group.h"
#include "mcx/opts.h"

#include "io/group_fetch.h"
#include "io/group_file.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define COMMAND  "group fetch"
#define PATH_LEN 4096

const char group_fetch_help[] =
    "usage: mcx group fetch --gms-url https://HOST:PORT --gms-uri URI --user URI --group URI [--group URI ...]\n"
    "                       --token FILE --ca FILE --store FILE --store-key FILE [--group-keys FILE] [--json]\n"
    "\n"
    "  fetches the group document and the keys of each group where they have changed; takes what the GMS has signed\n"
    "  for this user and this group; updates the sealed file of group keys in one step\n"
    "\n"
    "  --gms-uri URI      the group management server; nobody else's keys are taken\n"
    "  --user URI         own MCPTT ID\n"
    "  --token FILE       access token; mode 0600\n"
    "  --ca FILE          PEM file with the authority that the server's TLS certificate has to lead to\n"
    "  --store FILE       key store with the key sets of the user (mcx kms fetch)\n"
    "  --group-keys FILE  sealed file of group keys; if not given STORE.groups\n"
    "  Ends with 1 when a key or a document was refused, when there is no such group or the user is no member of it, or\n"
    "  when a protected group has no key.\n";

struct opts {
    struct mcx_group_fetch fetch;
    const char *groups[MCX_GMC_GROUPS_MAX];
    const char *store;
    const char *store_key;
    const char *group_keys;
    bool json;
};

static int read_opts(struct opts *o, int argc, char **argv)
{
    const struct cmd_opt opts[] = {
        { .name = "gms-url", .value = &o->fetch.url },
        { .name = "gms-uri", .value = &o->fetch.gms },
        { .name = "user", .value = &o->fetch.user },
        { .name = "group", .value = o->groups, .num = &o->fetch.num_groups, .max = MCX_GMC_GROUPS_MAX },
        { .name = "token", .value = &o->fetch.token_file },
        { .name = "ca", .value = &o->fetch.ca_file },
        { .name = "store", .value = &o->store },
        { .name = "store-key", .value = &o->store_key },
        { .name = "group-keys", .value = &o->group_keys },
        { .name = "json", .flag = &o->json },
        { .name = NULL },
    };
    int rc = cmd_opts_read(COMMAND, opts, argc, argv);

    o->fetch.groups = o->groups;
    if (rc == EXIT_DONE &&
        (o->fetch.url == NULL || o->fetch.gms == NULL || o->fetch.user == NULL || o->fetch.num_groups == 0 ||
         o->fetch.token_file == NULL || o->fetch.ca_file == NULL || o->store == NULL || o->store_key == NULL)) {
        return cmd_usage_error(
            COMMAND, "--gms-url, --gms-uri, --user, --group, --token, --ca, --store and --store-key are needed");
    }
    return rc;
}

static void on_wait(const char *group, const char *detail, uint64_t wait_ms)
{
    fprintf(stderr, "mcx group fetch: %s: no usable answer%s%s; again in %llu ms\n", group,
            detail[0] == '\0' ? "" : ": ", detail, (unsigned long long)wait_ms);
}

static json_t *refusal_json(const struct mcx_gmc_refusal *r)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "document", r->document, "temporary", r->temporary, "status",
                     mcx_err_name(r->err), "reason", r->why.reason, "clause", r->why.clause);
}

static size_t num_told(const struct mcx_gmc_group *g)
{
    return g->num_refused < MCX_GMC_REFUSALS_MAX ? g->num_refused : MCX_GMC_REFUSALS_MAX;
}

static json_t *group_json(const struct mcx_gmc_group *g)
{
    json_t *refused = json_array();

    for (size_t i = 0; i < num_told(g); i++) {
        (void)json_array_append_new(refused, refusal_json(&g->refusal[i]));
    }
    return json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "group", g->group, "state",
                     mcx_gmc_state_name(g->state), "protect_media", (int)g->protect_media, "temporary", g->temporary,
                     "new", (json_int_t)g->num_new, "updated", (json_int_t)g->num_updated, "revoked",
                     (json_int_t)g->num_revoked, "same", (json_int_t)g->num_same, "others", (json_int_t)g->num_others,
                     "wiped", (json_int_t)g->num_wiped, "num_refused", (json_int_t)g->num_refused, "refused", refused);
}

static void report_json(const struct mcx_group_fetched *f, mcx_err err)
{
    json_t *groups = json_array();
    json_t *j = NULL;

    for (size_t i = 0; i < f->num_groups; i++) {
        (void)json_array_append_new(groups, group_json(&f->groups[i]));
    }
    j = json_pack("{s:s, s:o, s:I}", "status", mcx_err_name(err), "groups", groups, "expired",
                  (json_int_t)f->num_expired);
    if (j != NULL && err != MCX_OK) {
        (void)json_object_set_new(j, "reason", json_string(f->why.reason));
        (void)json_object_set_new(j, "clause", json_string(f->why.clause));
        (void)json_object_set_new(j, "http_status", json_integer(f->status));
        (void)json_object_set_new(j, "detail", json_string(f->detail));
    }
    (void)json_dumpf(j, stdout, JSON_COMPACT);
    puts("");
    json_decref(j);
}

static void report_text(const struct mcx_group_fetched *f)
{
    for (size_t i = 0; i < f->num_groups; i++) {
        const struct mcx_gmc_group *g = &f->groups[i];

        printf("%s  %s: %zu new, %zu updated, %zu revoked, %zu unchanged, %zu wiped, %zu refused%s%s\n", g->group,
               mcx_gmc_state_name(g->state), g->num_new, g->num_updated, g->num_revoked, g->num_same, g->num_wiped,
               g->num_refused, g->temporary[0] == '\0' ? "" : "; part of ", g->temporary);
    }
}

static void report_refusals(const struct mcx_group_fetched *f, mcx_err err)
{
    for (size_t i = 0; i < f->num_groups; i++) {
        const struct mcx_gmc_group *g = &f->groups[i];

        for (size_t k = 0; k < num_told(g); k++) {
            const struct mcx_gmc_refusal *r = &g->refusal[k];

            fprintf(stderr, "mcx group fetch: %s: %s%s%s: %s%s%s%s\n", g->group, r->document,
                    r->temporary[0] == '\0' ? "" : " of ", r->temporary, r->why.reason,
                    r->why.clause[0] == '\0' ? "" : " (", r->why.clause, r->why.clause[0] == '\0' ? "" : ")");
        }
    }
    if (err != MCX_OK) {
        fprintf(stderr, "mcx group fetch: %s%s%s\n", f->why.reason, f->detail[0] == '\0' ? "" : "; ", f->detail);
    }
}

static int exit_code(const struct mcx_group_fetched *f, mcx_err err)
{
    if (err != MCX_OK) {
        return err == MCX_E_ARG                           ? EXIT_USAGE
               : err <= MCX_E_TRUNC || err == MCX_E_SPACE ? EXIT_REFUSED
                                                          : EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < f->num_groups; i++) {
        if (f->groups[i].num_refused > 0) {
            return EXIT_REFUSED;
        }
    }
    return EXIT_DONE;
}

int group_fetch(int argc, char **argv)
{
    struct opts o = { .fetch = { .on_wait = on_wait } };
    struct mcx_group_fetched fetched = { 0 };
    struct mcx_group_keys *keys = NULL;
    char beside[PATH_LEN];
    int rc = read_opts(&o, argc, argv);
    mcx_err err = MCX_OK;

    if (rc != EXIT_DONE) {
        return rc;
    }
    if (o.group_keys == NULL) {
        if (mcx_group_file_name(beside, sizeof beside, o.store) != MCX_OK) {
            return cmd_usage_error(COMMAND, "the name of the store is too long");
        }
        o.group_keys = beside;
    }
    err = mcx_group_fetch_file(&fetched, &keys, &o.fetch, o.store, o.store_key, o.group_keys);
    if (o.json) {
        report_json(&fetched, err);
    } else {
        report_text(&fetched);
    }
    report_refusals(&fetched, err);
    rc = exit_code(&fetched, err);
    mcx_group_fetched_clear(&fetched);
    mcx_group_keys_free(keys);
    return rc;
}
