#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that misbehave: usage kms_connections.py PORT LIMIT TOKEN (tls.pem in the working directory)."""
import socket
import ssl
import sys
import time

PORT, LIMIT, TOKEN = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
TLS = ssl.create_default_context(cafile="tls.pem")
REQUEST = ("POST /keymanagement/identity/v1/init HTTP/1.1\r\nHost: kms\r\nAuthorization: Bearer " + TOKEN +
           "\r\nContent-Length: 0\r\n\r\n").encode()


def tcp(timeout=5.0):
    return socket.create_connection(("127.0.0.1", PORT), timeout=timeout)


def secure(timeout=5.0):
    return TLS.wrap_socket(tcp(timeout), server_hostname="127.0.0.1")


def answer(conn):
    data = b""
    while b"</KmsResponse>" not in data:
        piece = conn.recv(4096)
        if not piece:
            break
        data += piece
    return data


def served(conn):
    conn.sendall(REQUEST)
    assert answer(conn).startswith(b"HTTP/1.1 200 ")


def clear_text_gets_nothing():
    with tcp() as conn:
        conn.sendall(REQUEST)
        data = b""
        try:
            while piece := conn.recv(4096):
                data += piece
        except OSError:
            pass
        assert b"HTTP/" not in data, data


def keep_alive():
    with secure() as conn:
        for _ in range(3):
            served(conn)


def broken_handshakes():
    for junk in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x00\x05hello", b"\x00" * 500):
        with tcp() as conn:
            conn.sendall(junk)
    with secure() as conn:
        served(conn)


def over_the_limit_waits():
    held = [secure() for _ in range(LIMIT)]
    for conn in held:
        served(conn)
    late = tcp(1.0)
    try:
        TLS.wrap_socket(late, server_hostname="127.0.0.1")
        raise AssertionError("one connection more than allowed was served")
    except (TimeoutError, socket.timeout):
        pass
    finally:
        late.close()
    held.pop().close()
    with secure() as conn:
        served(conn)
    for conn in held:
        conn.close()


def slow_ones_are_cut():
    conns = [secure(40.0) for _ in range(LIMIT - 1)]
    for conn in conns:
        conn.sendall(REQUEST[:30])
    start = time.monotonic()
    for conn in conns:
        try:
            while conn.recv(4096):
                pass
        except OSError:
            pass
    assert time.monotonic() - start < 39, "a half request was held"
    with secure() as conn:
        served(conn)


for test in (clear_text_gets_nothing, keep_alive, broken_handshakes, over_the_limit_waits, slow_ones_are_cut):
    test()
    print("ok", test.__name__)
