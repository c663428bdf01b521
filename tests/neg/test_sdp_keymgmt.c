/* SPDX-License-Identifier: Apache-2.0 */
/* a=key-mgmt: the traps of RFC 4567 3, 4.1.2 and of base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <mcx/sdp.h>

#define K "a=key-mgmt:"

/* `session` and `audio` are whole lines of the two levels; the message is 01 02 03 = AQID, or 01 = AQ== */
static const struct {
    const char *name, *session, *audio;
    mcx_err want;
    size_t len;
    uint8_t first;
} rows[] = {
    { "session level", K "mikey AQID\r\n", "", MCX_OK, 3, 1 },
    { "audio level", "", K "mikey AQID\r\n", MCX_OK, 3, 1 },
    { "both: audio wins", K "mikey AQID\r\n", K "mikey BQ==\r\n", MCX_OK, 1, 5 },
    { "space after the colon", K " mikey AQID\r\n", "", MCX_OK, 3, 1 },
    { "misspelt name of TS 24.379 4.7", "a=keymgmt:mikey AQID\r\n", "", MCX_OK, 3, 1 },
    { "other protocol beside", K "foo Zm9v\r\n" K "mikey AQID\r\n", "", MCX_OK, 3, 1 },
    { "none", "", "", MCX_E_NOKEY, 0, 0 },
    { "attribute name in capitals is another attribute", "a=Key-Mgmt:mikey AQID\r\n", "", MCX_E_NOKEY, 0, 0 },
    { "other protocol only", K "foo Zm9v\r\n", "", MCX_E_UNSUP, 0, 0 },
    { "protocol in capitals is another protocol", K "MIKEY AQID\r\n", "", MCX_E_UNSUP, 0, 0 },
    { "audio level without MIKEY replaces the session level", K "mikey AQID\r\n", K "foo Zm9v\r\n", MCX_E_UNSUP, 0, 0 },
    { "two at session level", K "mikey AQID\r\n" K "mikey AQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "two at audio level", "", K "mikey AQID\r\n" K "mikey AQID\r\n", MCX_E_FORMAT, 0, 0 },
    { "two at session level below one at audio", K "mikey AQID\r\n" K "mikey AQID\r\n", K "mikey AQID\r\n",
      MCX_E_FORMAT, 0, 0 },
    { "one under each spelling", K "mikey AQID\r\na=keymgmt:mikey AQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "two spaces after the colon", K "  mikey AQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "two spaces before the data", K "mikey  AQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "tab before the data", K "mikey\tAQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "space at the end", K "mikey AQID \r\n", "", MCX_E_FORMAT, 0, 0 },
    { "space inside", K "mikey AQ ID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "no data", K "mikey\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "empty data", K "mikey \r\n", "", MCX_E_FORMAT, 0, 0 },
    { "no value", "a=key-mgmt\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "empty value", K "\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "missing padding", K "mikey AQ\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "short padding", K "mikey AQ=\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "padding inside", K "mikey AQ==AQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "padding only", K "mikey ====\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "pad bits not zero", K "mikey AR==\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "URL alphabet", K "mikey AQ-_\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "foreign octet", K "mikey AQ\xc3\xa9\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "malformed line beside a good one", K "\r\n" K "mikey AQID\r\n", "", MCX_E_FORMAT, 0, 0 },
    { "malformed at session level below a good one", K "mikey\r\n", K "mikey AQID\r\n", MCX_E_FORMAT, 0, 0 },
    { "longer than the buffer", K "mikey AQIDBAUGBwgJ\r\n", "", MCX_E_SPACE, 0, 0 },
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        uint8_t out[8] = { 0xee };
        size_t len = 0;
        struct mcx_sdp sdp;
        struct mcx_refusal why = { 0 };
        mcx_err err = MCX_OK;

        (void)snprintf(text, sizeof text,
                       "v=0\r\no=-\r\ns=-\r\nt=0 0\r\n%sm=video 7 RTP/AVP 31\r\na=key-mgmt:mikey BwcH\r\n"
                       "m=audio 9 RTP/AVP 97\r\n%s",
                       rows[i].session, rows[i].audio);
        assert_int_equal(mcx_sdp_read(&sdp, mcx_bytes_str(text), NULL), MCX_OK);
        err = mcx_sdp_key_mgmt(out, sizeof out, &len, &sdp, 1, &why);
        if (err != rows[i].want || len != rows[i].len || (err == MCX_OK && out[0] != rows[i].first) ||
            (err != MCX_OK && (out[0] == 1 || why.reason == NULL))) {
            print_error("%s: %s, %zu octets\n", rows[i].name, mcx_err_name(err), len);
            fail();
        }
    }
}

static void no_such_medium(void **state)
{
    struct mcx_sdp sdp = { 0 };
    uint8_t out[8];
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_sdp_key_mgmt(out, sizeof out, &len, &sdp, 0, NULL), MCX_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(no_such_medium) };

    return cmocka_run_group_tests_name("sdp key-mgmt", tests, NULL, NULL);
}
