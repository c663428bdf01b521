#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that misbehave towards mcx-gmsd: usage gms_hostile.py PORT CA.pem MEMBER-TOKEN ADMIN-TOKEN NAME ...

Prints what each of the named attacks got. What a member is served meanwhile is looked at by the caller.
"""
import base64
import json
import socket
import ssl
import sys

PORT, TOKEN, ADMIN = int(sys.argv[1]), sys.argv[3], sys.argv[4]
TLS = ssl.create_default_context(cafile=sys.argv[2])
PATH = "/org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Afire%40lab.example.org"
TIMEOUT = 90.0  # for what the server ends by itself; nothing is waited for that long


def secure():
    return TLS.wrap_socket(socket.create_connection(("127.0.0.1", PORT), timeout=TIMEOUT), server_hostname="127.0.0.1")


def request(method, path, *headers, body=b""):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: gms", *headers]
    if body:
        lines.append("Content-Length: %d" % len(body))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def bearer(token=TOKEN):
    return "Authorization: Bearer " + token


def everything(conn):
    data = b""
    try:
        while piece := conn.recv(65536):
            data += piece
    except OSError:
        pass
    return data


def status(octets):
    """Of the one answer to this; 0 = the connection was ended without one."""
    with secure() as conn:
        try:
            conn.sendall(octets)
        except OSError:
            pass
        data = b""
        try:
            while b"\r\n" not in data:
                piece = conn.recv(4096)
                if not piece:
                    break
                data += piece
        except OSError:
            pass
    return int(data.split(b" ")[1]) if data.startswith(b"HTTP/1.") else 0


def expect(what, got, *wanted):
    if got not in wanted:
        sys.exit("%s got %s, not one of %s" % (what, got, wanted))


def part(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unsigned():
    """The member's claims under a header that says that there is no signature."""
    head = part(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return head + "." + TOKEN.split(".")[1] + "."


def altered():
    head, claims, signature = TOKEN.split(".")
    return ".".join((head, claims[:-2] + ("AA" if claims[-2:] != "AA" else "BB"), signature))


def tokens():
    for name, token in (("alg none", unsigned()), ("altered", altered()), ("garbage", "x" * 5000), ("dots", "..")):
        expect("a document with a token: " + name, status(request("GET", PATH, bearer(token))), 401)
        expect("administration with a token: " + name, status(request("POST", "/admin/v1/list", bearer(token), body=b"{}")),
               401)
    expect("no token", status(request("GET", PATH)), 401)
    expect("two tokens", status(request("GET", PATH, bearer(), bearer())), 401)
    expect("basic", status(request("GET", PATH, "Authorization: Basic " + TOKEN)), 401)
    expect("a member at administration", status(request("POST", "/admin/v1/list", bearer(), body=b"{}")), 403)
    expect("an administrator at documents", status(request("GET", PATH, bearer(ADMIN))), 401)


def methods():
    for method in ("PUT", "DELETE", "POST", "HEAD", "PATCH", "OPTIONS", "TRACE"):
        expect(method, status(request(method, PATH, bearer())), 405)
    for method in ("BREW", "get", "G\x00T", "X" * 4000):
        expect(method, status(request(method, PATH, bearer())), 0, 400, 405, 501)
    expect("GET of administration", status(request("GET", "/admin/v1/list", bearer(ADMIN))), 405)


def paths():
    root = "/org.3gpp.MCPTT-GKTP/global/byGroupID/"
    for path in ("/", "/../../../etc/passwd", root + "..%2f..%2f..%2fetc%2fpasswd", root + "%2e%2e/gms.db", root,
                 root + "sip%253Afire%2540lab.example.org", root + "sip%3Afire%40lab.example.org%00", root + "%zz", root + "%",
                 "/" + PATH, PATH + "/", PATH + "/extra", PATH + "?x=1", PATH + "#x", root + "%ff%fe", root + "a" * 15000,
                 "/org.3gpp.MCPTT-GKTP/users/sip%3Aalice%40lab.example.org/index", "/%61dmin/v1/list", "/ADMIN/v1/list",
                 PATH.replace("3gpp", "example"),
                 "/admin/v1/../../" + PATH[1:], "/x/../admin/v1/list"):
        expect("GET " + path[:80], status(request("GET", path, bearer())), 400, 404, 405)
    for verb in ("../list", "list/..", "list%00", "%6cist", "list?x", "", "x" * 10000):
        expect("POST " + verb[:80], status(request("POST", "/admin/v1/" + verb, bearer(ADMIN), body=b"{}")), 400, 404)


def large():
    expect("a long header", status(request("GET", PATH, bearer(), "X: " + "x" * 20000)), 0, 400, 413, 431)
    expect("many headers", status(request("GET", PATH, bearer(), *("X%d: y" % i for i in range(3000)))), 0, 400, 413, 431)
    expect("no colon", status(request("GET", PATH, "nonsense")), 0, 400)
    expect("a long body", status(request("POST", "/admin/v1/create", bearer(ADMIN), body=b"x" * (5 << 20))), 0, 413)
    for length in ("-1", "18446744073709551616", "9223372036854775807", "1e9", "x"):
        expect("Content-Length " + length,
               status(request("POST", "/admin/v1/list", bearer(ADMIN), "Content-Length: " + length)), 0, 400, 413)
    deep = b"[" * 100000
    expect("deep JSON", status(request("POST", "/admin/v1/create", bearer(ADMIN), body=deep)), 400)
    with secure() as conn:  # chunks without an end
        conn.sendall(request("POST", "/admin/v1/create", bearer(ADMIN), "Transfer-Encoding: chunked"))
        try:
            for _ in range(1000):
                conn.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sys.exit("62 MiB of chunks were taken")
        except OSError:
            pass


def pipelined():
    with secure() as conn:
        conn.sendall(request("GET", PATH, bearer()) * 50 + request("GET", PATH, bearer(), "Connection: close"))
        expect("answers to 51 requests at once", everything(conn).count(b"HTTP/1.1 200 "), 51)


def half_close(plain):
    try:
        plain.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the server was faster
    return everything(plain)


def half_closed():
    for octets in (b"G", request("GET", PATH, bearer())[:-2],
                   request("POST", "/admin/v1/create", bearer(ADMIN), "Content-Length: 1000")):
        conn = secure()
        conn.sendall(octets)
        with socket.socket(fileno=conn.detach()) as plain:
            half_close(plain)
    for junk in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x00\x05hello", b"\x00" * 500, request("GET", PATH, bearer())):
        with socket.create_connection(("127.0.0.1", PORT), timeout=TIMEOUT) as plain:
            plain.sendall(junk)
            if b"HTTP/" in half_close(plain):
                sys.exit("an answer without TLS")


def many():
    """As many as one address may have wait in the middle of a request; further ones are cut. Held until a line comes."""
    held = []
    for _ in range(20):
        conn = secure()
        conn.sendall(request("GET", PATH, bearer())[:40])
        held.append(conn)
    cut = 0
    for _ in range(100):
        try:
            with secure() as conn:
                conn.sendall(request("GET", PATH, bearer()))
                cut += conn.recv(10) == b""
        except OSError:
            cut += 1
    expect("connections cut of 100 beyond the limit", cut, 100)
    print("held", flush=True)
    sys.stdin.readline()
    for conn in held:  # a slow one may go on, one header line at a time, or has been given up
        try:
            conn.sendall(request("GET", PATH, bearer())[40:])
        except OSError:
            pass
        conn.close()


def flood():
    got = {}
    for i in range(120):
        octets = request("GET", PATH) if i % 2 == 0 else request("POST", "/admin/v1/list", bearer("x"), body=b"{}")
        code = status(octets)
        got[code] = got.get(code, 0) + 1
    if set(got) != {401, 429} or got[429] < 60:
        sys.exit("120 requests without a token got %s" % got)
    expect("GET of administration", status(request("GET", "/admin/v1/list")), 429)


for name in sys.argv[5:]:
    globals()[name]()
    print("ok", name, flush=True)
