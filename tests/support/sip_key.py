#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends one SIP request over TCP with a key message in it, and prints the status of the answer and its Warning codes.

usage: sip_key.py PORT METHOD URI [--key FILE] [--token FILE] [--contact URI] [--answer STATUS]

METHOD is REGISTER or MESSAGE, URI the user; --key FILE holds what `mcx mikey make` prints, --token an access token. With
--answer it stays, and answers the next request that comes over the same connection with that status.
It holds no keys and knows none of our programs.
"""
import argparse
import base64
import os
import re
import socket

INFO = ("<mcpttinfo xmlns='urn:3gpp:ns:mcpttInfo:1.0'><mcptt-Params><mcptt-access-token type='Normal'><mcpttString>%s"
        "</mcpttString></mcptt-access-token></mcptt-Params></mcpttinfo>")


def body_of(args):
    parts = []
    if args.token:
        with open(args.token, encoding="utf-8") as text:
            parts.append(("application/vnd.3gpp.mcptt-info+xml", (INFO % text.read().strip()).encode()))
    if args.key:
        with open(args.key, "rb") as text:
            parts.append(("application/mikey", base64.b64decode(text.read().split()[-1])))
    if len(parts) < 2:
        return parts[0] if parts else (None, b"")
    body = b"".join(b"--b0und\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + part + b"\r\n" for kind, part in parts)
    return 'multipart/mixed;boundary="b0und"', body + b"--b0und--\r\n"


def receive(conn):
    """A SIP message; of its body, what has come with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = conn.recv(65536)
        if not piece:
            break
        data += piece
    return data.decode("latin-1")


def answer(conn, status):
    head = receive(conn).split("\r\n\r\n")[0]
    keep = re.findall(r"(?im)^(?:via|from|to|call-id|cseq):.*", head)
    conn.sendall("\r\n".join([f"SIP/2.0 {status} No"] + [line.strip() for line in keep] + ["Content-Length: 0", "", ""]).encode())
    conn.recv(1)  # until the server closes it


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("method", choices=("REGISTER", "MESSAGE"))
    parser.add_argument("uri")
    parser.add_argument("--key")
    parser.add_argument("--token")
    parser.add_argument("--contact")
    parser.add_argument("--answer", type=int)
    args = parser.parse_args()
    kind, body = body_of(args)
    tag = os.urandom(8).hex()
    text = (f"{args.method} {args.uri} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{tag};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <{args.uri}>;tag={tag}\r\nTo: <{args.uri}>\r\nCall-ID: {tag}\r\n"
            f"CSeq: 1 {args.method}\r\n")
    if args.contact:
        text += f"Contact: <{args.contact}>\r\n"
    if kind:
        text += f"Content-Type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", args.port), timeout=10) as conn:
        conn.sendall((text + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        got = receive(conn)
        contacts = re.findall(r"^Contact: <([^>]*)>", got, re.M)
        print(" ".join([got[8:11]] + re.findall(r'^Warning: \d+ \S+ "(\d+)', got, re.M) + contacts[:1]), flush=True)
        if args.answer:
            conn.settimeout(60)
            answer(conn, args.answer)


main()
