/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "io/rtp_socket.h"

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sa;
}

static void wait_readable(const struct mcx_rtp_socket *s, enum mcx_rtp_channel channel)
{
    struct pollfd p = { .fd = mcx_rtp_socket_fd(s, channel), .events = POLLIN };

    assert_int_equal(poll(&p, 1, 5000), 1);
}

static void sends_and_receives(void **state)
{
    struct mcx_rtp_socket *a = NULL;
    struct mcx_rtp_socket *b = NULL;
    uint8_t buf[16] = { 9 };
    struct mcx_wr wr = { buf, 1, sizeof buf };

    (void)state;
    assert_int_equal(mcx_rtp_socket_open(&a, "127.0.0.1", 0, 0), MCX_OK);
    assert_int_equal(mcx_rtp_socket_open(&b, "127.0.0.1", 0, 0), MCX_OK);
    for (enum mcx_rtp_channel c = MCX_RTP; c <= MCX_RTCP; c++) {
        struct sockaddr_in to = loopback(mcx_rtp_socket_port(b, c));
        struct sockaddr_storage from;
        struct sockaddr_in from4;

        assert_int_equal(mcx_rtp_socket_port(b, c) % 2, c == MCX_RTCP);
        wr.len = 1;
        assert_int_equal(mcx_rtp_socket_recv(b, c, &wr, &from), MCX_E_STATE);
        assert_int_equal(mcx_rtp_socket_send(a, c, (struct sockaddr *)&to, sizeof to, mcx_bytes("speech", 6)), MCX_OK);
        wait_readable(b, c);
        assert_int_equal(mcx_rtp_socket_recv(b, c, &wr, &from), MCX_OK);
        assert_int_equal(wr.len, 7);
        assert_memory_equal(buf, "\11speech", 7);
        memcpy(&from4, &from, sizeof from4);
        assert_int_equal(ntohs(from4.sin_port), mcx_rtp_socket_port(a, c));
        assert_int_equal(mcx_rtp_socket_send(a, c, (struct sockaddr *)&to, sizeof to, mcx_bytes(buf, 16)), MCX_OK);
        wait_readable(b, c);
        assert_int_equal(mcx_rtp_socket_recv(b, c, &wr, NULL), MCX_E_SPACE); /* too long for what is left */
        assert_int_equal(wr.len, 7);
        assert_int_equal(mcx_rtp_socket_recv(b, c, &wr, NULL), MCX_E_STATE);
    }
    mcx_rtp_socket_close(a);
    mcx_rtp_socket_close(b);
    mcx_rtp_socket_close(NULL);
}

static void ranges(void **state)
{
    struct mcx_rtp_socket *a = NULL;
    struct mcx_rtp_socket *b = NULL;
    uint16_t port;

    (void)state;
    assert_int_equal(mcx_rtp_socket_open(&a, "localhost", 0, 0), MCX_E_ARG);
    assert_int_equal(mcx_rtp_socket_open(&a, "127.0.0.1", 40001, 40010), MCX_E_ARG);
    assert_int_equal(mcx_rtp_socket_open(&a, "127.0.0.1", 40000, 40000), MCX_E_ARG);
    assert_int_equal(mcx_rtp_socket_open(&a, "127.0.0.1", 0, 0), MCX_OK);
    port = mcx_rtp_socket_port(a, MCX_RTP);
    assert_int_equal(mcx_rtp_socket_open(&b, "127.0.0.1", port, (uint16_t)(port + 1)), MCX_E_IO); /* taken */
    mcx_rtp_socket_close(a);
    assert_int_equal(mcx_rtp_socket_open(&b, "127.0.0.1", port, (uint16_t)(port + 1)), MCX_OK);
    assert_int_equal(mcx_rtp_socket_port(b, MCX_RTP), port);
    mcx_rtp_socket_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_and_receives),
        cmocka_unit_test(ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
