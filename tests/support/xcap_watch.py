#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A group management client of SIP alone: subscribes to the two documents of a group and prints what it is told.

usage: xcap_watch.py PORT USER TOKENFILE GROUP SECONDS     one line a message: "status 200", "notify SEL NEW PREVIOUS"
"""
import re
import select
import socket
import sys
import time

PORT, USER, TOKEN, GROUP, SECONDS = int(sys.argv[1]), sys.argv[2], open(sys.argv[3]).read().strip(), sys.argv[4], float(sys.argv[5])
EVENT = sys.argv[6] if len(sys.argv) > 6 else "xcap-diff"


def body():
    path = "global/byGroupID/" + GROUP
    lists = ('<?xml version="1.0"?><resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>'
             f'<entry uri="org.openmobilealliance.groups/{path}"/><entry uri="org.3gpp.MCPTT-GKTP/{path}"/>'
             "</list></resource-lists>")
    info = ('<?xml version="1.0"?><mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>'
            f'<mcptt-access-token type="Normal"><mcpttString>{TOKEN}</mcpttString></mcptt-access-token>'
            "</mcptt-Params></mcpttinfo>")
    return (f"--b\r\nContent-Type: application/resource-lists+xml\r\n\r\n{lists}\r\n"
            f"--b\r\nContent-Type: application/vnd.3gpp.mcptt-info+xml\r\n\r\n{info}\r\n--b--\r\n")


def messages(buffer):
    """Whole messages at the front of a buffer, and what is left."""
    out = []
    while True:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return out, buffer
        length = re.search(rb"\r\n(?:Content-Length|l): *(\d+)", buffer[:end + 2], re.I)
        total = end + 4 + (int(length.group(1)) if length else 0)
        if len(buffer) < total:
            return out, buffer
        out.append((buffer[:end].decode(), buffer[end + 4:total].decode()))
        buffer = buffer[total:]


def answer(head):
    keep = [line for line in head.split("\r\n")[1:] if re.match(r"(?i)(via|from|to|call-id|cseq|v|f|t|i):", line)]
    return "\r\n".join(["SIP/2.0 200 OK"] + keep + ["Content-Length: 0", "", ""]).encode()


listener = socket.create_server(("127.0.0.1", 0))
own = listener.getsockname()[1]
out = socket.create_connection(("127.0.0.1", PORT))
text = body()
out.sendall((f"SUBSCRIBE sip:gms@127.0.0.1:{PORT};transport=tcp SIP/2.0\r\n"
             f"Via: SIP/2.0/TCP 127.0.0.1:{own};branch=z9hG4bKwatch\r\nMax-Forwards: 70\r\nFrom: <{USER}>;tag=w\r\n"
             f"To: <sip:gms@127.0.0.1>\r\nCall-ID: watch-{own}\r\nCSeq: 1 SUBSCRIBE\r\nEvent: {EVENT}\r\n"
             f"Accept: application/xcap-diff+xml\r\nContact: <sip:w@127.0.0.1:{own};transport=tcp>\r\nExpires: 600\r\n"
             f"Content-Type: multipart/mixed;boundary=b\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode())
print("port", own, flush=True)
buffers = {out: b""}
until = time.time() + SECONDS
while time.time() < until:
    for sock in select.select([listener, *buffers], [], [], 0.2)[0]:
        if sock is listener:
            buffers[listener.accept()[0]] = b""
            continue
        data = sock.recv(65536)
        if not data:
            del buffers[sock]
            continue
        found, buffers[sock] = messages(buffers[sock] + data)
        for head, content in found:
            if head.startswith("SIP/2.0"):
                print("status", head.split()[1], flush=True)
                continue
            sock.sendall(answer(head))
            for tag in re.findall(r"<[a-z:]*document [^>]*>", content):
                value = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
                print("notify", value.get("sel"), value.get("new-etag", "-"), value.get("previous-etag", "-"), flush=True)
