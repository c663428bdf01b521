/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of SUBSCRIBE and NOTIFY of Event xcap-diff (TS 24.481 6.3.13; RFC 5875). */
#include <mcx/gmc.h>

#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>

static mcx_err write_list(struct mcx_wr *out, const char *const *groups, size_t num_groups)
{
    static const char *const auid[] = { MCX_AUID_GROUP, MCX_AUID_GKTP };
    char(*paths)[MCX_XCAP_PATH_MAX] = calloc(2 * num_groups, sizeof *paths);
    const char **uris = calloc(2 * num_groups, sizeof *uris);
    mcx_err err = paths == NULL || uris == NULL ? MCX_E_NOMEM : MCX_OK;

    for (size_t i = 0; err == MCX_OK && i < 2 * num_groups; i++) {
        err = mcx_xcap_path_write(paths[i], sizeof paths[i], auid[i % 2], groups[i / 2]);
        uris[i] = paths[i];
    }
    if (err == MCX_OK) {
        err = mcx_xcap_list_write(out, uris, 2 * num_groups);
    }
    free(uris);
    free(paths);
    return err;
}

static mcx_err write_info(struct mcx_wr *out, const char *access_token)
{
    struct mcx_mcptt_info *info = calloc(1, sizeof *info);
    mcx_err err = info == NULL ? MCX_E_NOMEM : MCX_OK;

    if (err == MCX_OK) {
        err = mcx_bytes_cstr(info->access_token, sizeof info->access_token, mcx_bytes_str(access_token));
        err = err == MCX_OK ? mcx_mcptt_info_write(out, info) : MCX_E_ARG;
        mcx_mcptt_info_clear(info);
    }
    free(info);
    return err;
}

mcx_err mcx_gmc_subscribe_write(struct mcx_wr *out, char content_type[MCX_MIME_TYPE_MAX], const char *const *groups,
                                size_t num_groups, const char *access_token)
{
    const size_t list_cap = 1024 + num_groups * 4 * MCX_XCAP_PATH_MAX;
    uint8_t *list = NULL;
    uint8_t *info = NULL;
    struct mcx_wr list_wr, info_wr;
    struct mcx_mime mime = { .num = 2 };
    mcx_err err = MCX_E_NOMEM;

    if (num_groups == 0 || num_groups > MCX_GMC_GROUPS_MAX || access_token == NULL || access_token[0] == '\0') {
        return MCX_E_ARG;
    }
    list = malloc(list_cap);
    info = malloc(MCX_MCPTT_INFO_MAX);
    if (list == NULL || info == NULL) {
        goto out;
    }
    list_wr = mcx_wr(list, list_cap);
    info_wr = mcx_wr(info, MCX_MCPTT_INFO_MAX);
    MCX_GO(err, write_list(&list_wr, groups, num_groups));
    MCX_GO(err, write_info(&info_wr, access_token));
    mime.part[0] =
        (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_RESOURCE_LISTS), .body = mcx_wr_done(&list_wr) };
    mime.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_wr_done(&info_wr) };
    err = mcx_mime_write(out, content_type, &mime);
out:
    if (info != NULL) {
        mcx_wipe(info, MCX_MCPTT_INFO_MAX); /* the access token */
    }
    free(info);
    free(list);
    return err;
}

struct notice {
    struct mcx_gmc_changes *out;
    const struct mcx_group_keys *keys;
};

static bool is_listed(const struct mcx_gmc_changes *changes, const char *group)
{
    for (size_t i = 0; i < changes->num; i++) {
        if (strcmp(changes->group[i], group) == 0) {
            return true;
        }
    }
    return false;
}

static mcx_err take_change(void *arg, const struct mcx_xcap_change *change)
{
    struct notice *n = arg;
    char auid[sizeof MCX_AUID_GROUP + sizeof MCX_AUID_GKTP];
    char group[MCX_GROUP_URI_MAX];
    const struct mcx_group_info *info = NULL;
    const char *held = "";
    bool is_group = false;

    if (mcx_xcap_path_read(auid, sizeof auid, group, sizeof group, mcx_bytes_str(change->sel)) != MCX_OK) {
        return MCX_OK;
    }
    is_group = strcmp(auid, MCX_AUID_GROUP) == 0;
    if (!is_group && strcmp(auid, MCX_AUID_GKTP) != 0) {
        return MCX_OK;
    }
    info = mcx_group_keys_info(n->keys, group);
    if (info != NULL) {
        held = is_group ? info->etag_group : info->etag_gktp;
    }
    if (strcmp(held, change->new_etag) != 0 && !is_listed(n->out, group) && n->out->num < MCX_GMC_GROUPS_MAX) {
        memcpy(n->out->group[n->out->num++], group, sizeof group);
    }
    return MCX_OK;
}

mcx_err mcx_gmc_notify_read(struct mcx_gmc_changes *out, struct mcx_bytes xml, const struct mcx_group_keys *keys,
                            struct mcx_refusal *why)
{
    struct notice n = { out, keys };
    char root[MCX_GMC_URL_MAX];

    out->num = 0;
    return mcx_xcap_diff_read(root, sizeof root, xml, take_change, &n, why);
}
