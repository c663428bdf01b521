/* SPDX-License-Identifier: Apache-2.0 */
/* mcx group keys: which group keys are held, never a key. */
#include "mcx/cmd.h"
#include "mcx/cmd_group.h"
#include "mcx/opts.h"

#include "io/group_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define COMMAND  "group keys"
#define PATH_LEN 4096

const char group_keys_help[] = "usage: mcx group keys --store FILE --store-key FILE [--group-keys FILE] [--json]\n"
                               "\n"
                               "  lists the group keys that are held (identifiers, groups, dates, state; never a key) "
                               "and what is known of groups\n";

struct opts {
    const char *store;
    const char *store_key;
    const char *group_keys;
    bool json;
};

static int read_opts(struct opts *o, int argc, char **argv)
{
    const struct cmd_opt opts[] = {
        { .name = "store", .value = &o->store },
        { .name = "store-key", .value = &o->store_key },
        { .name = "group-keys", .value = &o->group_keys },
        { .name = "json", .flag = &o->json },
        { .name = NULL },
    };
    int rc = cmd_opts_read(COMMAND, opts, argc, argv);

    return rc == EXIT_DONE && (o->store == NULL || o->store_key == NULL)
               ? cmd_usage_error(COMMAND, "--store and --store-key are needed")
               : rc;
}

static const char *date(char out[MCX_DATETIME_LEN + 1], uint64_t unix_s)
{
    return unix_s != 0 && mcx_datetime_write(out, unix_s) == MCX_OK ? out : "";
}

static const char *state_of(const struct mcx_group_key *k, uint64_t now)
{
    if (k->revoked) {
        return "revoked";
    }
    if (k->expired || (k->expiry != 0 && k->expiry <= now)) {
        return "expired";
    }
    return k->activation > now ? "future" : "active";
}

static json_t *key_json(const struct mcx_group_key *k, uint64_t now)
{
    char from[MCX_DATETIME_LEN + 1];
    char to[MCX_DATETIME_LEN + 1];
    char key_id[9];
    char guk_id[9];
    json_t *groups = json_array();

    for (size_t i = 0; i < k->num_groups; i++) {
        (void)json_array_append_new(groups, json_string(k->group[i]));
    }
    (void)snprintf(key_id, sizeof key_id, "%08x", (unsigned)k->key_id);
    (void)snprintf(guk_id, sizeof guk_id, "%08x", (unsigned)k->guk_id);
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "type", mcx_key_type_name(k->type), "key_id",
                     key_id, "guk_id", guk_id, "groups", groups, "activation", date(from, k->activation), "expiry",
                     date(to, k->expiry), "state", state_of(k, now), "gms", k->gms, "user", k->user);
}

static json_t *info_json(const struct mcx_group_info *i)
{
    return json_pack("{s:s, s:b, s:b, s:b, s:s, s:s, s:s}", "group", i->group, "protect_media", (int)i->protect_media,
                     "protect_floor", (int)i->protect_floor, "multicast_floor", (int)i->multicast_floor, "temporary",
                     i->temporary, "etag_group", i->etag_group, "etag_gktp", i->etag_gktp);
}

static int list_json(const struct mcx_group_keys *keys, uint64_t now)
{
    json_t *list = json_array();
    json_t *groups = json_array();
    json_t *j = NULL;
    int rc = EXIT_DONE;

    for (size_t i = 0; i < mcx_group_keys_num(keys); i++) {
        (void)json_array_append_new(list, key_json(mcx_group_keys_at(keys, i), now));
    }
    for (size_t i = 0; i < mcx_group_keys_num_info(keys); i++) {
        (void)json_array_append_new(groups, info_json(mcx_group_keys_info_at(keys, i)));
    }
    j = json_pack("{s:I, s:o, s:o}", "serial", (json_int_t)mcx_group_keys_serial(keys), "keys", list, "groups", groups);
    rc = j != NULL && json_dumpf(j, stdout, JSON_INDENT(2)) == 0 ? EXIT_DONE : EXIT_ENVIRONMENT;
    puts("");
    json_decref(j);
    return rc;
}

static int list_text(const struct mcx_group_keys *keys, uint64_t now)
{
    char from[MCX_DATETIME_LEN + 1];
    char to[MCX_DATETIME_LEN + 1];

    for (size_t i = 0; i < mcx_group_keys_num(keys); i++) {
        const struct mcx_group_key *k = mcx_group_keys_at(keys, i);

        printf("%-4s %08x  %s from %s%s%s  for %s as %08x  of %s  groups:", mcx_key_type_name(k->type),
               (unsigned)k->key_id, state_of(k, now), date(from, k->activation), k->expiry == 0 ? "" : " to ",
               date(to, k->expiry), k->user, (unsigned)k->guk_id, k->gms);
        for (size_t g = 0; g < k->num_groups; g++) {
            printf(" %s", k->group[g]);
        }
        puts("");
    }
    for (size_t i = 0; i < mcx_group_keys_num_info(keys); i++) {
        const struct mcx_group_info *g = mcx_group_keys_info_at(keys, i);

        printf("group %s  media %s, floor control %s%s%s\n", g->group, g->protect_media ? "protected" : "in clear",
               g->protect_floor ? "protected" : "in clear", g->temporary[0] == '\0' ? "" : ", part of ", g->temporary);
    }
    return EXIT_DONE;
}

int group_keys(int argc, char **argv)
{
    struct opts o = { 0 };
    struct mcx_group_keys *keys = NULL;
    struct mcx_refusal why = { 0 };
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
    err = mcx_group_file_read(&keys, o.group_keys, o.store_key, 0, false, &why);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx group keys: %s: %s%s%s\n", o.group_keys,
                why.reason == NULL ? mcx_err_name(err) : why.reason, err == MCX_E_IO ? ": " : "",
                err == MCX_E_IO ? strerror(errno) : "");
        return err <= MCX_E_TRUNC ? EXIT_REFUSED : EXIT_ENVIRONMENT;
    }
    rc = o.json ? list_json(keys, mcx_clock_unix_ms() / 1000) : list_text(keys, mcx_clock_unix_ms() / 1000);
    mcx_group_keys_free(keys);
    return rc;
}
