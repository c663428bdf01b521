#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A man in the middle for SIP over TCP: passes everything on, and changes messages of one kind as it is told.

usage: sip_tamper.py --connect PORT --ready-file FILE [--listen PORT] [--in KIND] MODE [ARGUMENT]

Listens on that or a free port of 127.0.0.1 (written to the ready file as {"port": N}) and connects each client to
127.0.0.1:PORT. It holds no keys and knows none of our programs. KIND: invite (the default) and register, of the client;
invitation, which is an INVITE of the server; answer, the server's 200 to an INVITE. MODE:

  pass               change nothing
  record FILE        change nothing, write the base64 of the first I_MESSAGE to FILE
  flip OCTET         flip the lowest bit of that octet of the I_MESSAGE (negative: from the end)
  replace FILE       put the base64 in FILE in its place
  remove             take the a=key-mgmt line out
  text OLD=>NEW      replace a piece of text in the body (mcptt-info, resource-lists, SDP)
  bare               take the body away
  told FILE          what stands in FILE then: a line with one of the above, and the argument; without FILE nothing

Standard error says what was changed.
"""
import argparse
import base64
import json
import os
import re
import socket
import sys
import threading

KEY_MGMT = re.compile(rb"a=key-mgmt:\s?mikey ([A-Za-z0-9+/=]+)\r?\n")
LENGTH = re.compile(rb"(?im)^(content-length|l)[ \t]*:[ \t]*(\d+)[ \t]*\r?$")
MAX_MESSAGE = 1 << 20


def change_body(body, mode, argument):
    """The body after the change; raises ValueError when there is nothing to change."""
    found = KEY_MGMT.search(body)
    if mode == "text":
        old, new = argument.encode().split(b"=>", 1)
        if old not in body:
            raise ValueError("text not found")
        return body.replace(old, new)
    if not found:
        raise ValueError("no key-mgmt line")
    if mode == "record":
        with open(argument, "wb") as out:
            out.write(found.group(1) + b"\n")
        return body
    if mode == "flip":
        message = bytearray(base64.b64decode(found.group(1)))
        message[int(argument)] ^= 1
        new = base64.b64encode(bytes(message))
    elif mode == "replace":
        with open(argument, "rb") as source:
            new = source.read().split()[-1]
    elif mode == "remove":
        return body[:found.start()] + body[found.end():]
    else:
        raise ValueError("unknown mode")
    return body[:found.start(1)] + new + body[found.end(1):]


def is_kind(head, kind, from_client):
    if kind == "answer":
        return not from_client and head.startswith(b"SIP/2.0 200 ") and re.search(rb"(?im)^cseq:.*INVITE", head)
    method = b"REGISTER " if kind == "register" else b"INVITE "
    return from_client == (kind != "invitation") and head.startswith(method)


def change_message(head, body, options, from_client):
    mode, argument = options.mode, options.argument
    if mode == "told":
        mode, argument = told(argument)
    if mode == "pass" or not body or not is_kind(head, options.kind, from_client):
        return head, body
    try:
        new = b"" if mode == "bare" else change_body(body, mode, argument)
    except ValueError as error:
        print(f"tamper: {options.kind} passed unchanged: {error}", file=sys.stderr, flush=True)
        return head, body
    print(f"tamper: {mode} {argument or ''} done on an {options.kind.upper()}", file=sys.stderr, flush=True)
    if mode == "bare":
        head = re.sub(rb"(?im)^(content-type|c)[ \t]*:.*\r?\n", b"", head)
    return with_body(head, new)


def told(name):
    if not os.path.exists(name):
        return "pass", None
    with open(name, encoding="ascii", newline="") as source:
        mode, _, argument = source.read().partition("\n")
    return mode, argument


def with_body(head, body):
    return LENGTH.sub(lambda m: m.group(1) + b": " + str(len(body)).encode(), head), body


def pump(source, sink, change):
    """Copy whole SIP messages, changed, from source to sink until one side closes."""
    data = b""
    while True:
        end = data.find(b"\r\n\r\n")
        if data[:2] == b"\r\n":  # keep-alive
            sink.sendall(data[:2])
            data = data[2:]
            continue
        if end >= 0:
            head = data[:end + 2]
            match = LENGTH.search(head)
            length = int(match.group(2)) if match else 0
            if len(data) >= end + 4 + length:
                head, body = change(head, data[end + 4:end + 4 + length])
                sink.sendall(head + b"\r\n" + body)
                data = data[end + 4 + length:]
                continue
        if len(data) > MAX_MESSAGE:
            return
        more = source.recv(65536)
        if not more:
            return
        data += more


def serve(client, options):
    with client, socket.create_connection(("127.0.0.1", options.connect)) as server:
        back = threading.Thread(target=pump_quietly, args=(server, client, options, False), daemon=True)
        back.start()
        pump_quietly(client, server, options, True)
        back.join(5)


def pump_quietly(source, sink, options, from_client):
    try:
        pump(source, sink, lambda head, body: change_message(head, body, options, from_client))
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connect", type=int, required=True)
    parser.add_argument("--ready-file", required=True)
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--in", dest="kind", default="invite", choices=["invite", "register", "invitation", "answer"])
    parser.add_argument("mode", choices=["pass", "record", "flip", "replace", "remove", "text", "bare", "told"])
    parser.add_argument("argument", nargs="?")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", options.listen)) as listener:
        with open(options.ready_file + ".new", "w", encoding="ascii") as ready:
            json.dump({"port": listener.getsockname()[1]}, ready)
        os.replace(options.ready_file + ".new", options.ready_file)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, options), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
