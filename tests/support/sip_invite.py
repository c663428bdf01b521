#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes INVITEs of calls that our client would not make, and prints the final status and the Warning texts of each.

usage: sip_invite.py PORT < LINES

A line is FROM TO [CHANGE ...]: two users, who are registered first, each over a TCP connection of his own, unless FROM is
written with a leading "-", and stay registered. Changes: no-info, encrypted, emergency, session=TYPE, group=URI, no-service, no-list, two-called,
mode=MODE and priv-mode=MODE (Answer-Mode, Priv-Answer-Mode), user=NAME (in the Request-URI), open (no answer is waited for: the call goes on ringing).
It holds no keys and knows none of our programs.
"""
import re
import socket
import sys
import time

SERVICE = "urn:urn-7:3gpp-service.ims.icsi.mcptt"
SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 97\r\n"
       "a=rtpmap:97 AMR-WB/16000/1\r\na=fmtp:97 octet-align=1\r\n")
INFO = ("<mcpttinfo xmlns='urn:3gpp:ns:mcpttInfo:1.0'><mcptt-Params><session-type>%s</session-type>%s</mcptt-Params>"
        "</mcpttinfo>")
LIST = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list>%s</list></resource-lists>"
ENCRYPTED = "<emergency-ind type='Encrypted'><e:EncryptedData xmlns:e='http://www.w3.org/2001/04/xmlenc#'/></emergency-ind>"

EMERGENCY = "<emergency-ind type='Normal'><mcpttBoolean>true</mcpttBoolean></emergency-ind>"


class User:
    def __init__(self, port, uri):
        self.uri, self.serial, self.data = uri, 0, b""
        self.conn = socket.create_connection(("127.0.0.1", port), timeout=20)

    def send(self, method, headers="", body="", user="mcptt"):
        self.serial += 1
        tag = f"{self.conn.getsockname()[1]}-{self.serial}"
        self.conn.sendall((
            f"{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{tag};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <{self.uri}>;tag={tag}\r\nTo: <{self.uri}>\r\nCall-ID: {tag}\r\n"
            f"CSeq: {self.serial} {method}\r\nContact: <sip:x@127.0.0.1:9;transport=tcp>\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
        return tag

    def final(self, tag):
        """The final answer to a request; what else comes is dropped."""
        while True:
            while b"\r\n\r\n" not in self.data:
                piece = self.conn.recv(65536)
                if not piece:
                    sys.exit(f"{self.uri}: the server has closed the connection")
                self.data += piece
            head, self.data = self.data.split(b"\r\n\r\n", 1)
            text = head.decode("latin-1")
            length = int((re.findall(r"(?im)^content-length:\s*(\d+)", text) or ["0"])[0])
            while len(self.data) < length:
                self.data += self.conn.recv(65536)
            body, self.data = self.data[:length].decode("latin-1"), self.data[length:]
            if tag in text and re.match(r"SIP/2.0 [2-6]", text):
                return text, body

    def acknowledge(self, tag, head):
        target = re.search(r"(?im)^contact:\s*<([^>]*)>", head).group(1)
        to = re.search(r"(?im)^to:.*", head).group(0).strip()
        self.conn.sendall((
            f"ACK {target} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{tag}-ack;rport\r\nMax-Forwards: 70\r\n"
            f"From: <{self.uri}>;tag={tag}\r\n{to}\r\nCall-ID: {tag}\r\nCSeq: {self.serial} ACK\r\n"
            "Content-Length: 0\r\n\r\n").encode())


def value_of(name, changes, default=""):
    return next((c[len(name) + 1:] for c in changes if c.startswith(name + "=")), default)


def parts_of(called, changes, port):
    group = value_of("group", changes)
    more = f"<mcptt-request-uri type='Normal'><mcpttURI>{group}</mcpttURI></mcptt-request-uri>" if group else ""
    more += ENCRYPTED if "encrypted" in changes else ""
    more += EMERGENCY if "emergency" in changes else ""
    out = [("application/sdp", SDP.replace("audio 9 ", f"audio {port} "))]
    if "no-info" not in changes:
        out.append(("application/vnd.3gpp.mcptt-info+xml", INFO % (value_of("session", changes, "private"), more)))
    if "no-list" not in changes:
        entries = [called] * (2 if "two-called" in changes else 1)
        out.append(("application/resource-lists+xml", LIST % "".join(f"<entry uri='{uri}'/>" for uri in entries)))
    return out


def invite(caller, called, changes, port):
    headers = 'Content-Type: multipart/mixed;boundary="b0und"\r\n'
    if "no-service" not in changes:
        headers += f"P-Preferred-Service: {SERVICE}\r\n"
    for change in changes:
        name, _, value = change.partition("=")
        headers += {"mode": f"Answer-Mode: {value}\r\n", "priv-mode": f"Priv-Answer-Mode: {value}\r\n"}.get(name, "")
    body = "".join(f"--b0und\r\nContent-Type: {kind}\r\n\r\n{part}\r\n" for kind, part in parts_of(called, changes, port))
    return caller.send("INVITE", headers, body + "--b0und--\r\n", value_of("user", changes, "mcptt"))


def main():
    port, users = int(sys.argv[1]), {}
    for line in sys.stdin:
        uri, called, *changes = line.split()
        for one in (uri, called):
            if one.lstrip("-") not in users:
                users[one.lstrip("-")] = user = User(port, one.lstrip("-"))
                if not one.startswith("-"):
                    user.final(user.send("REGISTER", "Expires: 600\r\n"))
        caller = users[uri.lstrip("-")]
        media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        media.bind(("127.0.0.1", 0))
        tag = invite(caller, called, changes, media.getsockname()[1])
        if "open" in changes:
            continue
        got, body = caller.final(tag)
        if "speak" in changes:
            caller.acknowledge(tag, got)
            server = ("127.0.0.1", int(re.search(r"(?m)^m=audio (\d+)", body).group(1)))
            time.sleep(0.3)  # the acknowledgement takes another way than the media
            for length in (12, 11):
                media.sendto(b"\x80\x61".ljust(length, b"\0"), server)
            time.sleep(0.3)
        print(" ".join([got[8:11]] + re.findall(r'(?im)^warning: .*?"(.*)"', got)), flush=True)


main()
