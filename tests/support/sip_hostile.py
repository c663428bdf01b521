#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hostile SIP peer: usage sip_hostile.py TCP_PORT UDP_PORT ALICE BOB TOKEN_FILE (Alice's own).

Says what it got wrong about the server, exit code 1, or nothing. It expects a server that wants access tokens and
takes 60 requests a minute of one address; each part comes from an address of its own, all in 127.0.0.0/8.
"""
import socket
import sys

TCP, UDP, ALICE, BOB = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
TOKEN = open(sys.argv[5]).read().strip()
SERVER = "127.0.0.1"
serial = 0
INFO = ("<mcpttinfo xmlns='urn:3gpp:ns:mcpttInfo:1.0'><mcptt-Params><mcptt-access-token type='Normal'><mcpttString>%s"
        "</mcpttString></mcptt-access-token></mcptt-Params></mcpttinfo>")


def request(method, to, headers="", body="", kind="application/vnd.3gpp.mcptt-info+xml", length=None, transport="TCP"):
    global serial
    serial += 1
    text = (f"{method} sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{serial};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <{to}>;tag=f{serial}\r\nTo: <{to}>\r\nCall-ID: h{serial}\r\n"
            f"CSeq: {serial} {method}\r\nContact: <sip:x@127.0.0.1:9;transport=tcp>\r\n{headers}")
    if body:
        text += f"Content-Type: {kind}\r\n"
    text += f"Content-Length: {len(body) if length is None else length}\r\n\r\n{body}"
    return text.encode("latin-1")


def tcp(host):
    return socket.create_connection((SERVER, TCP), timeout=10, source_address=(host, 0))


def status(conn):
    """Status of the next final response; 0 when the connection ends or nothing comes."""
    data = b""
    while True:
        try:
            piece = conn.recv(65536)
        except OSError:
            return 0
        if not piece:
            return 0
        data += piece
        for line in data.split(b"\r\n"):
            if line.startswith(b"SIP/2.0 ") and not line.startswith(b"SIP/2.0 1"):
                return int(line[8:11])


def ask(host, data, wait=10.0):
    with tcp(host) as conn:
        conn.settimeout(wait)
        conn.sendall(data)
        return status(conn)


def want(name, got, *expected):
    if got not in expected:
        sys.exit(f"{name}: {got}, not one of {expected}")


def identities():
    host = "127.0.0.2"
    with tcp(host) as alice:
        alice.sendall(request("REGISTER", ALICE, "Expires: 600\r\n", INFO % TOKEN))
        want("Alice registers", status(alice), 200)
        alice.sendall(request("REGISTER", BOB, "Expires: 600\r\n", INFO % TOKEN))
        want("Bob's registration with Alice's token, on her connection", status(alice), 403)
        alice.sendall(request("REGISTER", BOB, "Expires: 0\r\n", INFO % TOKEN))
        want("Bob's de-registration with Alice's token", status(alice), 403)
        alice.sendall(request("INVITE", ALICE, f"P-Preferred-Identity: <{BOB}>\r\n", "x", "application/sdp"))
        got = status(alice)
        want("INVITE of Alice as Bob", got, 404)
        event = "Event: presence\r\nExpires: 600\r\n"
        alice.sendall(request("PUBLISH", ALICE, event))
        want("PUBLISH that neither says nor renews anything", status(alice), 400)
        alice.sendall(request("PUBLISH", ALICE, event + "SIP-If-Match: 00\r\n"))
        want("PUBLISH that renews what is not there", status(alice), 412)
        with tcp(host) as other:  # her address, not her connection
            other.sendall(request("INVITE", BOB, f"P-Asserted-Identity: <{ALICE}>\r\n", "x", "application/sdp"))
            want("INVITE with a false P-Asserted-Identity", status(other), 404)
    want("INVITE of a stranger", ask(host, request("INVITE", ALICE, "", "x", "application/sdp")), 404)
    want("BYE of a stranger", ask(host, request("BYE", ALICE)), 481, 501)
    bye = request("BYE", ALICE).replace(f"To: <{ALICE}>".encode(), f"To: <{ALICE}>;tag=1234".encode())
    want("BYE of a stranger with a tag", ask(host, bye), 481)
    want("CANCEL of a stranger", ask(host, request("CANCEL", ALICE)), 481)


def shapes():
    host = "127.0.0.3"
    bomb = "".join(f"--b\r\nContent-Type: application/x{i}\r\n\r\n.\r\n" for i in range(1000)) + "--b--\r\n"
    deep = "<a>" * 5000
    for name, data, expected in (
            ("60 kB header", request("REGISTER", ALICE, "X-Long: " + "a" * 60000 + "\r\n"), (403, 400, 0)),
            ("70 kB header", request("REGISTER", ALICE, "X-Long: " + "a" * 70000 + "\r\n"), (0, 400, 413)),
            ("1000 Via", request("REGISTER", ALICE, "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\n" * 1000),
             (403, 400, 0)),
            ("negative Content-Length", request("REGISTER", ALICE, length=-1), (400, 0)),
            ("huge Content-Length", request("REGISTER", ALICE, length=4294967295), (400, 0)),
            ("two Content-Lengths", request("REGISTER", ALICE, "Content-Length: 5\r\n"), (400, 0)),
            ("1000 parts", request("REGISTER", ALICE, "", bomb, "multipart/mixed;boundary=b"), (403,)),
            ("deep XML", request("REGISTER", ALICE, "", deep), (403,)),
            ("no header at all", b"REGISTER sip:x SIP/2.0\r\n\r\n", (400, 0)),
            ("noise", bytes(range(256)) * 20, (0,)),
            ("control characters", request("REGISTER", "sip:\x1b[31m\x9b\xff@x"), (403, 400, 0)),
            ("wrong transport in Via", request("REGISTER", ALICE, transport="TLS"), (403, 400, 0))):
        got = ask(host, data, 1.0 if 0 in expected else 20.0)
        print(name, got)
        want(name, got, *expected)


def smuggled():
    """A request in what may be the body of another one is not believed, whichever of two lengths counts."""
    inner = request("REGISTER", ALICE, "Expires: 600\r\n", INFO % TOKEN)
    for first, last in ((0, len(inner)), (len(inner), 0)):
        with tcp("127.0.0.8") as conn:
            conn.settimeout(20)
            conn.sendall(request("OPTIONS", ALICE, f"Content-Length: {first}\r\n", length=last) + inner)
            data = b""
            try:
                while piece := conn.recv(65536):
                    data += piece
                    conn.settimeout(0.5)  # is there a second answer?
            except OSError:
                pass
            if b"SIP/2.0 400" not in data or b"SIP/2.0 200" in data:
                sys.exit(f"a request behind two lengths: {data}")


def stalled():
    conns = [tcp("127.0.0.4") for _ in range(40)]
    for i, conn in enumerate(conns):
        if i % 2 == 0:
            conn.sendall(b"INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/TCP")
    drip = tcp("127.0.0.4")  # a header that never ends
    try:
        for _ in range(200):
            drip.sendall(b"a" * 10000)
    except OSError:
        drip = None
    if drip is not None:
        drip.settimeout(10)
        want("2 MB without an end", status(drip), 0)
    want("beside stalled ones", ask("127.0.0.5", request("REGISTER", ALICE)), 403)
    for conn in conns:
        conn.close()


def flood():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.6", 0))
        s.settimeout(0.2)
        seen = {}
        for i in range(10000):
            s.sendto(request("REGISTER", f"sip:nobody{i}@x", transport="UDP"), (SERVER, UDP))
            if i % 50 == 0:
                try:
                    while True:
                        code = int(s.recv(8192)[8:11])
                        seen[code] = seen.get(code, 0) + 1
                        s.settimeout(0.0)
                except OSError:
                    s.settimeout(0.2)
        if seen.get(403, 0) > 1000 or seen.get(503, 0) < 100:
            sys.exit(f"the flood was answered {seen}")
    want("from another address", ask("127.0.0.7", request("REGISTER", ALICE)), 403)


for part in (identities, shapes, smuggled, stalled, flood):
    part()
    print("ok", part.__name__)
