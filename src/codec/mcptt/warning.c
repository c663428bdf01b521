/* SPDX-License-Identifier: Apache-2.0 */
/* Warning texts (TS 24.379 4.4) and the commencement mode headers (RFC 5373). */
#include <mcx/mcptt.h>

#include <stdio.h>
#include <string.h>

#include <mcx/text.h>

static const struct {
    enum mcx_warning code;
    const char *text;
} warnings[] = {
    /* table 4.4.2-2 */
    { MCX_WARN_FUNCTION_NOT_ALLOWED, "function not allowed due to" },
    { MCX_WARN_SERVICE_AUTHORISATION, "service authorisation failed" },
    { MCX_WARN_TOO_MANY_AFFILIATIONS, "too many simultaneous affiliations" },
    { MCX_WARN_MAX_GROUP_CALLS, "maximum simultaneous MCPTT group calls reached" },
    { MCX_WARN_ISFOCUS_NOT_ASSIGNED, "isfocus not assigned" },
    { MCX_WARN_PRIVATE_CALLS_NOT_AUTHORISED, "user not authorised to make private calls" },
    { MCX_WARN_USER_DECLINED, "user declined the call invitation" },
    { MCX_WARN_NO_GROUP_DOCUMENT, "group document does not exist" },
    { MCX_WARN_NOT_A_MEMBER, "user is not part of the MCPTT group" },
    { MCX_WARN_GROUP_IS_PREARRANGED, "the group identity indicated in the request is a prearranged group" },
    { MCX_WARN_GROUP_IS_CHAT, "the group identity indicated in the request is a chat group" },
    { MCX_WARN_NOT_AFFILIATED, "user is not affiliated to this group" },
    { MCX_WARN_TOO_MANY_PARTICIPANTS, "too many participants" },
    { MCX_WARN_MAX_PRIVATE_CALLS, "maximum number of private calls reached" },
    { MCX_WARN_AUTOMATIC_NOT_AUTHORISED,
      "user not authorised to make private call with automatic commencement" }, /* FROM MEMORY */
    { MCX_WARN_MANUAL_NOT_AUTHORISED,
      "user not authorised to make private call with manual commencement" }, /* FROM MEMORY */
    { MCX_WARN_NOT_CALLABLE, "user not authorised to be called in private call" },
    { MCX_WARN_IMESSAGE_AUTHENTICATION, "authentication of the MIKEY-SAKE I_MESSAGE failed" }, /* one K: as the table */
    { MCX_WARN_INTEGRITY, "integrity protection check failed" },
    { MCX_WARN_XML_DECRYPTION, "unable to decrypt XML content" },
    { MCX_WARN_USER_UNKNOWN, "user unknown to the participating function" },
    { MCX_WARN_NO_CONTROLLING_FUNCTION, "unable to determine the controlling function" },
    { MCX_WARN_FORCE_AUTO_NOT_AUTHORISED, "not authorised to force auto answer" },
    { MCX_WARN_CALLEE_NOT_AUTHORISED, "user not authorised to call this particular user" },
    { MCX_WARN_NO_CALLED_PARTY, "unable to determine called party" },
    { MCX_WARN_NO_SERVICE_SETTINGS, "T-PF unable to determine the service settings for the called user" },
    { MCX_WARN_GROUP_IS_REGROUPED, "group is regrouped" },
    { MCX_WARN_FIRST_TO_ANSWER_NOT_AUTHORISED, "user not authorised to originate a first-to-answer call" },
};

const char *mcx_warning_text(enum mcx_warning code)
{
    for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
        if (warnings[i].code == code) {
            return warnings[i].text;
        }
    }
    return NULL;
}

mcx_err mcx_warning_write(char *out, size_t cap, const char *agent, enum mcx_warning code, const char *reason)
{
    const char *text = mcx_warning_text(code);
    int n;

    if (text == NULL || (reason != NULL && strpbrk(reason, "\"\\\r\n") != NULL)) {
        return MCX_E_ARG;
    }
    /* warn-code 399 always, the agent never left out (TS 24.379 4.4.1) */
    n = snprintf(out, cap, "Warning: 399 %s \"%u %s%s%s\"\r\n", agent, (unsigned)code, text, reason != NULL ? " " : "",
                 reason != NULL ? reason : "");
    return n > 0 && (size_t)n < cap ? MCX_OK : MCX_E_SPACE;
}

mcx_err mcx_warning_read(unsigned *code, struct mcx_bytes *text, struct mcx_bytes value)
{
    const uint8_t *open = value.len > 0 ? memchr(value.p, '"', value.len) : NULL;
    const uint8_t *end = value.p + value.len;
    const uint8_t *close;
    uint64_t number = 0;

    if (open == NULL) {
        return MCX_E_FORMAT;
    }
    open++;
    close = open < end ? memchr(open, '"', (size_t)(end - open)) : NULL;
    if (close == NULL) {
        return MCX_E_FORMAT;
    }
    *code = 0;
    *text = mcx_bytes(open, (size_t)(close - open));
    if (text->len >= 4 && text->p[3] == ' ' && mcx_dec_read(&number, 999, mcx_bytes(text->p, 3)) == MCX_OK) {
        *code = (unsigned)number;
        *text = mcx_bytes(text->p + 4, text->len - 4);
    }
    return MCX_OK;
}

mcx_err mcx_answer_mode_read(enum mcx_answer_mode *out, struct mcx_bytes value)
{
    const uint8_t *semicolon = value.len > 0 ? memchr(value.p, ';', value.len) : NULL;
    struct mcx_bytes word = value;

    if (semicolon != NULL) {
        word.len = (size_t)(semicolon - value.p);
    }
    word = mcx_bytes_trim(word);
    /* 11.1.1.2.2.1 spells it out in all releases */
    if (mcx_bytes_is_nocase(word, "Auto") || mcx_bytes_is_nocase(word, "Automatic")) {
        *out = MCX_ANSWER_AUTO;
        return MCX_OK;
    }
    if (mcx_bytes_is_nocase(word, "Manual")) {
        *out = MCX_ANSWER_MANUAL;
        return MCX_OK;
    }
    return MCX_E_FORMAT;
}
