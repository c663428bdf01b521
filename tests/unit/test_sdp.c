/* SPDX-License-Identifier: Apache-2.0 */
/* SDP: reading, offer, answer, and the rewriting by servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/sdp.h>
#include <mcx/text.h>

#include "support/vectors.h"

/* as TS 24.379 6.2.1 has it, with a shorter message */
#define OFFER                                                                                                          \
    "v=0\r\n"                                                                                                          \
    "o=- 3680000001 3680000001 IN IP6 2001:db8::1\r\n"                                                                 \
    "s=-\r\n"                                                                                                          \
    "c=IN IP6 2001:db8::1\r\n"                                                                                         \
    "t=0 0\r\n"                                                                                                        \
    "a=key-mgmt:mikey ARoFARABCQ==\r\n"                                                                                \
    "m=audio 49170 RTP/AVP 97\r\n"                                                                                     \
    "i=speech\r\n"                                                                                                     \
    "a=rtpmap:97 AMR-WB/16000/1\r\n"                                                                                   \
    "a=fmtp:97 mode-change-capability=2; max-red=0\r\n"                                                                \
    "a=rtcp:49171\r\n"                                                                                                 \
    "m=application 49180 udp MCPTT\r\n"                                                                                \
    "a=fmtp:MCPTT mc_queueing;mc_priority=5;mc_implicit_request\r\n"

static struct mcx_sdp sdp_of(const char *text)
{
    struct mcx_sdp sdp;
    struct mcx_refusal why = { 0 };

    if (mcx_sdp_read(&sdp, mcx_bytes_str(text), &why) != MCX_OK) {
        print_error("%s\n", why.reason);
        fail();
    }
    return sdp;
}

static void example_offer_is_read(void **state)
{
    struct mcx_sdp sdp = sdp_of(OFFER);
    struct mcx_sdp_amrwb amrwb = { 0 };
    struct mcx_bytes fmtp = { 0 };
    uint8_t message[64];
    size_t len = 0;
    size_t audio = 9;
    size_t floor = 9;

    (void)state;
    assert_int_equal(sdp.num_media, 2);
    assert_int_equal(mcx_sdp_audio(&audio, &amrwb, &sdp, NULL), MCX_OK);
    assert_int_equal(audio, 0);
    assert_int_equal(sdp.media[0].port, 49170);
    assert_int_equal(amrwb.payload_type, 97);
    assert_false(amrwb.octet_align);
    assert_int_equal(amrwb.mode_set, 0x1ff);
    assert_true(mcx_bytes_is(mcx_sdp_conn(&sdp, 0)->host, "2001:db8::1"));
    assert_true(mcx_sdp_conn(&sdp, 0)->ip6);
    assert_true(mcx_sdp_floor(&floor, &fmtp, &sdp));
    assert_int_equal(floor, 1);
    assert_true(mcx_bytes_is(fmtp, "mc_queueing;mc_priority=5;mc_implicit_request"));
    assert_int_equal(mcx_sdp_key_mgmt(message, sizeof message, &len, &sdp, 0, NULL), MCX_OK);
    assert_int_equal(len, 7);
    assert_int_equal(message[0], 0x01);
    assert_int_equal(message[1], 0x1a);
}

static void forms_of_lines(void **state)
{
    static const struct {
        const char *name, *text;
        mcx_err want;
    } rows[] = {
        { "LF only, last line without end", "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0", MCX_OK },
        { "empty", "", MCX_E_FORMAT },
        { "no v=", "o=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "v= twice", "v=0\r\nv=0\r\no=-\r\ns=-\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "v= later", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\nv=0\r\n", MCX_E_FORMAT },
        { "version 1", "v=1\r\no=-\r\ns=-\r\nt=0 0\r\n", MCX_E_UNSUP },
        { "no o=", "v=0\r\ns=-\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "no s=", "v=0\r\no=-\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "no t=", "v=0\r\no=-\r\ns=-\r\n", MCX_E_FORMAT },
        { "t= only in a medium", "v=0\r\no=-\r\ns=-\r\nm=audio 9 RTP/AVP 0\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "letter alone", "v=0\r\no=-\r\ns\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "folded line", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\na=x:1\r\n 2\r\n", MCX_E_FORMAT },
        { "empty line", "v=0\r\no=-\r\n\r\ns=-\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "unknown letter", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nx=1\r\n", MCX_E_FORMAT },
        { "upper case letter", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nA=1\r\n", MCX_E_FORMAT },
        { "bare CR", "v=0\r\no=-\r\ns=a\rb\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "c= twice", "v=0\r\no=-\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "c= below a=", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\na=x\r\nc=IN IP4 1.2.3.4\r\n", MCX_E_FORMAT },
        { "c= of another network", "v=0\r\no=-\r\ns=-\r\nc=ATM NSAP 1\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "c= with a strange host", "v=0\r\no=-\r\ns=-\r\nc=IN IP4 1.2.3.4;x\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "c= without host", "v=0\r\no=-\r\ns=-\r\nc=IN IP4\r\nt=0 0\r\n", MCX_E_FORMAT },
        { "m= without formats", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP\r\n", MCX_E_FORMAT },
        { "m= port too large", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio 65536 RTP/AVP 0\r\n", MCX_E_FORMAT },
        { "m= port no number", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio -1 RTP/AVP 0\r\n", MCX_E_FORMAT },
        { "m= port count", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio 9/2 RTP/AVP 0\r\n", MCX_E_UNSUP },
        { "nine media",
          "v=0\no=-\ns=-\nt=0 0\nm=a 9 x 0\nm=a 9 x 0\nm=a 9 x 0\nm=a 9 x 0\nm=a 9 x 0\nm=a 9 x 0\nm=a 9 x 0\n"
          "m=a 9 x 0\nm=a 9 x 0\n",
          MCX_E_SPACE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_sdp sdp = { .num_media = 77 };
        mcx_err err = mcx_sdp_read(&sdp, mcx_bytes_str(rows[i].text), NULL);

        if (err != rows[i].want || (err != MCX_OK && sdp.num_media != 77)) {
            print_error("%s: %s\n", rows[i].name, mcx_err_name(err));
            fail();
        }
    }
}

static void nul_and_length_are_refused(void **state)
{
    static uint8_t big[MCX_SDP_MAX + 1];
    static const char nul[] = "v=0\r\no=-\r\ns=a\0b\r\nt=0 0\r\n";
    struct mcx_sdp sdp;

    (void)state;
    assert_int_equal(mcx_sdp_read(&sdp, mcx_bytes(nul, sizeof nul - 1), NULL), MCX_E_FORMAT);
    assert_int_equal(mcx_sdp_read(&sdp, mcx_bytes(big, sizeof big), NULL), MCX_E_SPACE);
}

/* Each format is looked up in all lines of its section: the number of both must not grow together. */
static void number_of_formats_is_bounded(void **state)
{
    char text[1024];
    struct mcx_sdp sdp;

    (void)state;
    for (size_t num = MCX_SDP_MAX_FORMATS - 1; num <= MCX_SDP_MAX_FORMATS + 1; num++) {
        size_t n = (size_t)sprintf(text, "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP");

        for (size_t i = 0; i < num; i++) {
            n += (size_t)sprintf(text + n, " %zu", 96 + i % 32);
        }
        (void)sprintf(text + n, "\r\n");
        assert_int_equal(mcx_sdp_read(&sdp, mcx_bytes_str(text), NULL),
                         num > MCX_SDP_MAX_FORMATS ? MCX_E_SPACE : MCX_OK);
    }
}

static void every_prefix_is_safe(void **state)
{
    (void)state;
    for (size_t n = 1; n < sizeof OFFER - 1; n++) {
        char *copy = malloc(n); /* exact, so that the sanitizer sees a read past the end */
        struct mcx_sdp sdp;
        uint8_t message[64];
        size_t len = 0;

        memcpy(copy, OFFER, n);
        if (mcx_sdp_read(&sdp, mcx_bytes(copy, n), NULL) == MCX_OK && sdp.num_media > 0) {
            size_t media = 0;
            struct mcx_sdp_amrwb amrwb;

            (void)!mcx_sdp_audio(&media, &amrwb, &sdp, NULL);
            (void)!mcx_sdp_key_mgmt(message, sizeof message, &len, &sdp, 0, NULL);
        }
        free(copy);
    }
}

static void audio_formats(void **state)
{
#define HEAD "v=0\r\no=-\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    static const struct {
        const char *name, *text;
        mcx_err want;
        unsigned media, pt, mode_set;
        bool octet_align;
    } rows[] = {
        { "plain", HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\n", MCX_OK, 0, 97, 0x1ff, false },
        { "secure profile", HEAD "m=audio 9 RTP/SAVP 97\r\na=rtpmap:97 amr-wb/16000/1\r\n", MCX_OK, 0, 97, 0x1ff,
          false },
        { "octet aligned, modes",
          HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\na=fmtp:97 octet-align=1; mode-set=0,2,8\r\n",
          MCX_OK, 0, 97, 0x105, true },
        { "second format is usable",
          HEAD "m=audio 9 RTP/AVP 0 96 98\r\na=rtpmap:96 AMR-WB/16000\r\na=fmtp:96 interleaving=5\r\n"
               "a=rtpmap:98 AMR-WB/16000\r\n",
          MCX_OK, 0, 98, 0x1ff, false },
        { "second line is usable",
          HEAD
          "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\nm=audio 9 RTP/AVP 96\r\na=rtpmap:96 AMR-WB/16000\r\n",
          MCX_OK, 1, 96, 0x1ff, false },
        { "narrow band", HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR/8000\r\n", MCX_E_UNSUP, 0, 0, 0, false },
        { "two channels", HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000/2\r\n", MCX_E_UNSUP, 0, 0, 0, false },
        { "other profile", HEAD "m=audio 9 RTP/SAVPF 97\r\na=rtpmap:97 AMR-WB/16000\r\n", MCX_E_UNSUP, 0, 0, 0, false },
        { "crc", HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\na=fmtp:97 crc=1\r\n", MCX_E_UNSUP, 0, 0, 0,
          false },
        { "mode 9", HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\na=fmtp:97 mode-set=9\r\n", MCX_E_FORMAT,
          0, 0, 0, false },
        { "mode set empty", HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\na=fmtp:97 mode-set=\r\n",
          MCX_E_FORMAT, 0, 0, 0, false },
        { "payload type 128", HEAD "m=audio 9 RTP/AVP 128\r\na=rtpmap:128 AMR-WB/16000\r\n", MCX_E_FORMAT, 0, 0, 0,
          false },
        { "video only", HEAD "m=video 9 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n", MCX_E_UNSUP, 0, 0, 0, false },
        { "no media", HEAD, MCX_E_UNSUP, 0, 0, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_sdp sdp = sdp_of(rows[i].text);
        struct mcx_sdp_amrwb got = { 0 };
        size_t media = 0;
        mcx_err err = mcx_sdp_audio(&media, &got, &sdp, NULL);

        if (err != rows[i].want || media != rows[i].media || got.payload_type != rows[i].pt ||
            got.mode_set != rows[i].mode_set || got.octet_align != rows[i].octet_align) {
            print_error("%s: %s\n", rows[i].name, mcx_err_name(err));
            fail();
        }
    }
}

static struct mcx_sdp_params params_of(struct mcx_bytes imessage)
{
    struct mcx_sdp_params p = {
        .session_id = 3680000001,
        .session_version = 3680000001,
        .address = "2001:db8::1",
        .audio_port = 49170,
        .rtcp_port = 49171,
        .amrwb = { 97, false, 0x1ff },
        .imessage = imessage,
        .floor_port = 49180,
        .floor_fmtp = "mc_queueing;mc_priority=5;mc_implicit_request",
    };

    return p;
}

static void offer_as_in_the_example(void **state)
{
    static const uint8_t message[] = { 0x01, 0x1a, 0x05, 0x01, 0x10, 0x01, 0x09 };
    struct mcx_sdp_params p = params_of(mcx_bytes(message, sizeof message));
    uint8_t buf[1024];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_OK);
    assert_int_equal(wr.len, sizeof OFFER - 1);
    assert_memory_equal(buf, OFFER, wr.len);
}

static bool has_key_mgmt(struct mcx_bytes section)
{
    struct mcx_rd rd = mcx_rd(section);
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = { 0 };

    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        if (mcx_bytes_is(name, "key-mgmt")) {
            return true;
        }
    }
    return false;
}

static void offer_levels_and_profiles(void **state)
{
    static const uint8_t message[] = { 1, 2, 3 };
    struct mcx_sdp_params p = params_of(mcx_bytes(message, sizeof message));
    uint8_t buf[1024];
    uint8_t got[8];
    size_t len = 0;
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_sdp sdp;

    (void)state;
    p.level = MCX_SDP_LEVEL_AUDIO;
    p.savp = true;
    p.floor_port = 0;
    p.amrwb = (struct mcx_sdp_amrwb){ 100, true, 0x101 };
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_OK);
    assert_int_equal(mcx_sdp_read(&sdp, mcx_wr_done(&wr), NULL), MCX_OK);
    assert_int_equal(sdp.num_media, 1);
    assert_true(mcx_bytes_is(sdp.media[0].proto, "RTP/SAVP"));
    assert_false(has_key_mgmt(sdp.session));
    assert_int_equal(mcx_sdp_key_mgmt(got, sizeof got, &len, &sdp, 0, NULL), MCX_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(got, message, 3);
    {
        struct mcx_sdp_amrwb amrwb = { 0 };
        size_t media = 0;

        assert_int_equal(mcx_sdp_audio(&media, &amrwb, &sdp, NULL), MCX_OK);
        assert_true(amrwb.octet_align);
        assert_int_equal(amrwb.mode_set, 0x101);
        assert_int_equal(amrwb.payload_type, 100);
    }
}

static void writers_refuse_and_leave_no_half(void **state)
{
    struct mcx_sdp_params good = params_of(mcx_bytes(NULL, 0));
    struct mcx_sdp_params p = good;
    uint8_t buf[1024];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    p.address = "192.0.2.1\r\na=x";
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_E_ARG);
    p = good;
    p.address = NULL;
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_E_ARG);
    p = good;
    p.floor_fmtp = "x\r\na=y";
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_E_ARG);
    p = good;
    p.audio_port = 0;
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_E_ARG);
    p = good;
    p.amrwb.mode_set = 0;
    assert_int_equal(mcx_sdp_offer_write(&wr, &p), MCX_E_ARG);
    assert_int_equal(wr.len, 0);
    for (size_t cap = 0; cap < 300; cap++) {
        wr = mcx_wr(buf, cap);
        assert_int_equal(mcx_sdp_offer_write(&wr, &good), MCX_E_SPACE);
        assert_int_equal(wr.len, 0);
    }
}

static void answer_mirrors_the_offer(void **state)
{
    static const char offer_text[] = HEAD "m=video 5000 RTP/AVP 31\r\n"
                                          "m=audio 49170 RTP/SAVP 0 97\r\na=rtpmap:97 AMR-WB/16000/1\r\n"
                                          "m=application 49180 udp MCPTT\r\na=fmtp:MCPTT mc_queueing\r\n";
    struct mcx_sdp offer = sdp_of(offer_text);
    struct mcx_sdp_params p = params_of(mcx_bytes(NULL, 0));
    uint8_t buf[1024];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_sdp answer;

    (void)state;
    p.floor_fmtp = "mc_queueing";
    assert_int_equal(mcx_sdp_answer_write(&wr, &offer, &p), MCX_OK);
    assert_int_equal(mcx_sdp_read(&answer, mcx_wr_done(&wr), NULL), MCX_OK);
    assert_int_equal(answer.num_media, 3);
    assert_int_equal(answer.media[0].port, 0);
    assert_true(mcx_bytes_is(answer.media[0].type, "video"));
    assert_int_equal(answer.media[1].port, 49170);
    assert_true(mcx_bytes_is(answer.media[1].proto, "RTP/SAVP"));
    assert_true(mcx_bytes_is(answer.media[1].formats, "97"));
    assert_int_equal(answer.media[2].port, 49180);
    assert_false(has_key_mgmt(answer.session) ||
                 has_key_mgmt(answer.media[1].section)); /* TS 24.379 6.2.2: no MIKEY in the answer */

    wr.len = 0;
    p.floor_port = 0;
    assert_int_equal(mcx_sdp_answer_write(&wr, &offer, &p), MCX_OK);
    assert_int_equal(mcx_sdp_read(&answer, mcx_wr_done(&wr), NULL), MCX_OK);
    assert_int_equal(answer.media[2].port, 0);

    offer = sdp_of(HEAD "m=video 5000 RTP/AVP 31\r\n");
    assert_int_equal(mcx_sdp_answer_write(&wr, &offer, &p), MCX_E_UNSUP);
}

/* {input, replacements, expected}: everything but addresses and ports must come out as it went in. */
static void servers_replace_what_is_theirs(void **state)
{
    static const struct {
        const char *name, *in;
        struct mcx_sdp_replace rep[2];
        size_t num;
        const char *want;
    } rows[] = {
        { "session c=, both media",
          OFFER,
          { { 0, "127.0.0.1", 6000, 6001, NULL }, { 1, "127.0.0.1", 6002, 0, NULL } },
          2,
          "v=0\r\no=- 3680000001 3680000001 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
          "a=key-mgmt:mikey ARoFARABCQ==\r\nm=audio 6000 RTP/AVP 97\r\ni=speech\r\n"
          "a=rtpmap:97 AMR-WB/16000/1\r\na=fmtp:97 mode-change-capability=2; max-red=0\r\na=rtcp:6001\r\n"
          "m=application 6002 udp MCPTT\r\na=fmtp:MCPTT mc_queueing;mc_priority=5;mc_implicit_request\r\n" },
        { "session c=, one medium of two",
          HEAD "a=key-mgmt: mikey  odd==\r\nm=audio 9 RTP/AVP 97\r\ni=x\r\na=rtcp:10\r\nm=video 11 RTP/AVP 31\r\n",
          { { 0, "2001:db8::2", 6000, 0, NULL } },
          1,
          HEAD "a=key-mgmt: mikey  odd==\r\nm=audio 6000 RTP/AVP 97\r\ni=x\r\nc=IN IP6 2001:db8::2\r\na=rtcp:10\r\n"
               "m=video 11 RTP/AVP 31\r\n" },
        { "a refused medium does not count",
          HEAD "m=audio 9 RTP/AVP 97\r\nm=video 0 RTP/AVP 31\r\n",
          { { 0, "127.0.0.1", 6000, 0, NULL }, { 1, "127.0.0.1", 6002, 0, NULL } },
          2,
          "v=0\r\no=-\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 97\r\nm=video 0 RTP/AVP 31\r\n" },
        { "own c= lines",
          "v=0\no=-\ns=-\nt=0 0\nm=audio 9 RTP/AVP 97\nc=IN IP4 192.0.2.7/127\na=x\n",
          { { 0, "127.0.0.1", 6000, 0, NULL } },
          1,
          "v=0\no=-\ns=-\nt=0 0\nm=audio 6000 RTP/AVP 97\nc=IN IP4 127.0.0.1\na=x\n" },
        { "no c= at all, no line end",
          "v=0\no=-\ns=-\nt=0 0\nm=audio 9 RTP/AVP 97",
          { { 0, "127.0.0.1", 6000, 0, NULL } },
          1,
          "v=0\no=-\ns=-\nt=0 0\nm=audio 6000 RTP/AVP 97\r\nc=IN IP4 127.0.0.1\r\n" },
        { "rtcp with its own address",
          HEAD "m=audio 9 RTP/AVP 97\r\na=rtcp:10 IN IP4 192.0.2.9\r\n",
          { { 0, "127.0.0.1", 6000, 6001, NULL } },
          1,
          "v=0\r\no=-\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 97\r\na=rtcp:6001\r\n" },
        { "floor control is the server's",
          OFFER,
          { { 0, "127.0.0.1", 6000, 6001, NULL }, { 1, "127.0.0.1", 6002, 0, "mc_queueing" } },
          2,
          "v=0\r\no=- 3680000001 3680000001 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
          "a=key-mgmt:mikey ARoFARABCQ==\r\nm=audio 6000 RTP/AVP 97\r\ni=speech\r\n"
          "a=rtpmap:97 AMR-WB/16000/1\r\na=fmtp:97 mode-change-capability=2; max-red=0\r\na=rtcp:6001\r\n"
          "m=application 6002 udp MCPTT\r\na=fmtp:MCPTT mc_queueing\r\n" },
        { "its line in front of audio, twice, between others",
          HEAD "m=application 9 udp MCPTT\r\na=fmtp:MCPTT mc_granted\r\na=x\r\na=fmtp:MCPTT\r\na=fmtp:97 y\r\n"
               "m=audio 11 RTP/AVP 97\r\n",
          { { 0, "127.0.0.1", 6002, 0, "mc_priority=5" }, { 1, "127.0.0.1", 6000, 0, NULL } },
          2,
          "v=0\r\no=-\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=application 6002 udp MCPTT\r\na=x\r\na=fmtp:97 y\r\n"
          "a=fmtp:MCPTT mc_priority=5\r\nm=audio 6000 RTP/AVP 97\r\n" },
        { "nothing to say of floor control, no line end",
          HEAD "m=application 9 udp MCPTT\r\na=fmtp:MCPTT mc_granted",
          { { 0, "127.0.0.1", 6002, 0, "" } },
          1,
          "v=0\r\no=-\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=application 6002 udp MCPTT\r\n" },
        { "no floor attributes before, no line end",
          HEAD "m=application 9 udp MCPTT",
          { { 0, "127.0.0.1", 6002, 0, "mc_queueing" } },
          1,
          "v=0\r\no=-\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=application 6002 udp MCPTT\r\n"
          "a=fmtp:MCPTT mc_queueing\r\n" },
        { "a medium that we refuse", /* RFC 3264 5.1, 6 */
          HEAD "m=audio 9 RTP/AVP 97\r\nm=application 11 udp MCPTT\r\na=fmtp:MCPTT mc_queueing\r\n",
          { { 0, "127.0.0.1", 6000, 0, NULL }, { 1, NULL, 0, 0, NULL } },
          2,
          "v=0\r\no=-\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 97\r\nm=application 0 udp MCPTT\r\n"
          "a=fmtp:MCPTT mc_queueing\r\n" },
        { "nothing to replace", OFFER, { { 0, NULL, 0, 0, NULL } }, 0, OFFER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_sdp sdp = sdp_of(rows[i].in);
        uint8_t buf[2048];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_sdp_rewrite(&wr, &sdp, rows[i].rep, rows[i].num);

        if (err != MCX_OK || !mcx_bytes_is(mcx_wr_done(&wr), rows[i].want)) {
            print_error("%s: %s\n%.*s\n", rows[i].name, mcx_err_name(err), (int)wr.len, (const char *)buf);
            fail();
        }
        wr = mcx_wr(buf, wr.len - 1);
        assert_int_equal(mcx_sdp_rewrite(&wr, &sdp, rows[i].rep, rows[i].num), MCX_E_SPACE);
        assert_int_equal(wr.len, 0);
    }
}

static void rewrite_refuses_bad_replacements(void **state)
{
    static const struct mcx_sdp_replace bad[][2] = {
        { { 2, "127.0.0.1", 1, 0, NULL }, { 1, "127.0.0.1", 1, 0, NULL } }, { { 0, "127.0.0.1", 1, 0, NULL }, { 0, "127.0.0.1", 1, 0, NULL } },
        { { 0, "1\r\na=x", 1, 0, NULL }, { 1, "127.0.0.1", 1, 0, NULL } },
        { { 0, NULL, 1, 0, NULL }, { 1, "127.0.0.1", 1, 0, NULL } },
    };
    struct mcx_sdp sdp = sdp_of(OFFER);
    uint8_t buf[2048];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);

        assert_int_equal(mcx_sdp_rewrite(&wr, &sdp, bad[i], 2), MCX_E_ARG);
        assert_int_equal(wr.len, 0);
    }
}

/* TS 24.380 12.1.2 */
static void floor_attributes(void **state)
{
    static const char *const good[] = { "", "mc_queueing", "mc_priority=255", "mc_granted",
                                        "mc_queueing;mc_priority=5;mc_granted;mc_implicit_request" };
    static const char *const bad[] = {
        "mc_priority=0",           "mc_priority=256", "mc_priority=", "mc_priority=5;mc_priority=5",
        "mc_queueing;mc_queueing", "mc_priority"
    };
    struct mcx_sdp_floor_params params;
    char text[MCX_SDP_FLOOR_FMTP_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(mcx_sdp_floor_params_read(&params, mcx_bytes_str(good[i])), MCX_OK);
        mcx_sdp_floor_params_write(text, &params);
        assert_string_equal(text, good[i]);
    }
    assert_true(params.queueing && params.granted && params.implicit_request && params.priority == 5);
    assert_int_equal(mcx_sdp_floor_params_read(&params, mcx_bytes_str(" mc_granted; mc_other=7;;mc_priority=9")),
                     MCX_OK);
    assert_true(params.granted && !params.queueing && params.priority == 9);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(mcx_sdp_floor_params_read(&params, mcx_bytes_str(bad[i])), MCX_E_FORMAT);
        assert_int_equal(params.priority, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_offer_is_read),
        cmocka_unit_test(forms_of_lines),
        cmocka_unit_test(nul_and_length_are_refused),
        cmocka_unit_test(number_of_formats_is_bounded),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(audio_formats),
        cmocka_unit_test(offer_as_in_the_example),
        cmocka_unit_test(offer_levels_and_profiles),
        cmocka_unit_test(writers_refuse_and_leave_no_half),
        cmocka_unit_test(answer_mirrors_the_offer),
        cmocka_unit_test(servers_replace_what_is_theirs),
        cmocka_unit_test(rewrite_refuses_bad_replacements),
        cmocka_unit_test(floor_attributes),
    };

    return cmocka_run_group_tests_name("sdp", tests, NULL, NULL);
}
