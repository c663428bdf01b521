/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of group management: whatever is read can be written, and reads back the same. First octet: which one. */
#include <mcx/group_doc.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool no_member(void *arg, struct mcx_group_member *member)
{
    (void)arg;
    (void)member;
    return false;
}

static mcx_err look_at_member(void *arg, const struct mcx_group_member *member)
{
    (void)arg;
    return strlen(member->mcptt_id) > 0 && strlen(member->display_name) < MCX_GROUP_URI_MAX ? MCX_OK : MCX_E_BUG;
}

static void group(struct mcx_bytes in)
{
    static struct mcx_group_head head, again;
    const struct mcx_group_doc_params params = { .head = &head, .next = no_member };
    struct mcx_refusal why;
    mcx_err err = mcx_group_doc_read(&head, in, look_at_member, NULL, &why);
    char *xml = NULL;
    size_t len = 0;

    if (err == MCX_E_BUG) {
        abort();
    }
    if (err != MCX_OK) {
        return;
    }
    err = mcx_group_doc_write(&xml, &len, &params);
    if (err == MCX_E_NOMEM) {
        return;
    }
    if (err != MCX_OK || mcx_group_doc_read(&again, mcx_bytes(xml, len), NULL, NULL, &why) != MCX_OK ||
        strcmp(head.uri, again.uri) != 0 || strcmp(head.temporary, again.temporary) != 0 ||
        head.protect_media != again.protect_media || head.priority != again.priority || head.hang_s != again.hang_s) {
        abort();
    }
    free(xml);
}

static mcx_err look_at_payload(void *arg, const struct mcx_gktp *gktp)
{
    (void)arg;
    return strlen(gktp->id) < MCX_GROUP_DOC_MAX && strlen(gktp->temporary) < MCX_GROUP_URI_MAX &&
                   gktp->message.len <= MCX_GKTP_MAX
               ? MCX_OK
               : MCX_E_BUG;
}

static mcx_err look_at_change(void *arg, const struct mcx_xcap_change *change)
{
    (void)arg;
    return change->sel[0] != '\0' && change->new_etag != NULL && change->previous_etag != NULL ? MCX_OK : MCX_E_BUG;
}

static mcx_err look_at_uri(void *arg, const char *uri)
{
    (void)arg;
    return uri[0] != '\0' ? MCX_OK : MCX_E_BUG;
}

static void path(struct mcx_bytes in)
{
    char auid[64], group_uri[MCX_GROUP_URI_MAX], again_auid[64], again[MCX_GROUP_URI_MAX], text[MCX_XCAP_PATH_MAX];

    if (mcx_xcap_path_read(auid, sizeof auid, group_uri, sizeof group_uri, in) != MCX_OK) {
        return;
    }
    if (mcx_xcap_path_write(text, sizeof text, auid, group_uri) != MCX_OK ||
        mcx_xcap_path_read(again_auid, sizeof again_auid, again, sizeof again, mcx_bytes_str(text)) != MCX_OK ||
        strcmp(auid, again_auid) != 0 || strcmp(group_uri, again) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcx_bytes in = mcx_bytes(size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    struct mcx_refusal why;
    char root[256];
    mcx_err err = MCX_OK;

    switch (size > 0 ? data[0] : 0) {
    case 0: group(in); break;
    case 1: err = mcx_gktp_read(in, look_at_payload, NULL, &why); break;
    case 2: err = mcx_xcap_diff_read(root, sizeof root, in, look_at_change, NULL, &why); break;
    case 3: err = mcx_xcap_list_read(in, look_at_uri, NULL, &why); break;
    default: path(in); break;
    }
    if (err == MCX_E_BUG) {
        abort();
    }
    return 0;
}
