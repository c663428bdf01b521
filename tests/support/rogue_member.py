#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A member of a group with a radio of his own making: he holds what a member holds, and sends what he likes.

usage: rogue_member.py --id URI --port TCP-PORT --server-id URI --group URI --keys FOLDER --gktp FILE
                       [--say WAV] [--roc N] [--seq N] [--capture FILE] [--no-csk] --ready-file FILE

He registers with a CSK of his own (--no-csk: without) at 127.0.0.1:TCP-PORT, affiliates, and answers the invitation to a
call. FOLDER is what
'mcx kms fetch --save-xml' wrote, FILE the GKTP document as the GMS gave it to him; 'mcx' in $MCX_BIN makes his I_MESSAGE
and opens his payloads. The rest is laboratory.py: it shares nothing with the programs that he talks to. --roc and --seq
say where his RTP stream begins.

Standard input, a line each; what he does and what he is told is printed as JSON:

  call [HOW]                        an INVITE for the group; HOW its description is changed: see CHANGES
  reoffer [HOW]                     a re-INVITE in the call that he is in
  answer HOW                        what he says to the next invitation
  bye                               he leaves
  linger                            when he is told to leave, he sends a re-INVITE first, and answers the BYE afterwards
  push, release                     Floor Request, Floor Release, as they should be
  floor HOW N [PORT]                N datagrams to the server's floor control or that port of 127.0.0.1; HOW is clear: a
                                    request in clear; again: what he has sent; altered: a new request with one bit changed; odd: a
                                    Floor Idle, which only a server sends; cut: a new request whose fields do not end; e-bit: a new one that
                                    says it is not encrypted;
                                    seen: what others have sent, out of --capture; a name of MALFORMED: a new one of that form; or the ready file of another such
                                    member: new requests under the CSK of that one
  speak [as=URI] [ssrc=HEX] [first=N] [count=N] [to=PORT] [type=N] [noise=1]
                                    the frames of --say from `first` on as SRTP under the GUK-ID of URI (his own), to the
                                    server's media or to that port of 127.0.0.1; of that payload type, or octets that are no
                                    speech
  quit
"""
import argparse
import base64
import json
import os
import re
import secrets
import select
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "interop")]

import amrwb  # noqa: E402
import laboratory as lab  # noqa: E402
import udp_forger  # noqa: E402

SERVICE = "urn:urn-7:3gpp-service.ims.icsi.mcptt"
FEATURES = '+g.3gpp.mcptt;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt"'
TYPES = ("request", "granted", "taken", "deny", "release", "idle", "revoke", "7", "position-request", "position-info", "ack")
CSK_CS_ID, GMK_CS_ID = 6, 4
MIKEY_KEY = "a=key-mgmt:mikey AQAFgM0jRVYAAQAAAAAAAAAAAAALAOX0Xw==\r\n"
CRYPTO_KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
CHANGES = {  # of a session description: this for that
    "plain": ("", ""),
    "session-key": ("t=0 0\r\n", "t=0 0\r\n" + MIKEY_KEY),
    "audio-key": ("i=speech\r\n", "i=speech\r\n" + MIKEY_KEY),
    "other-name": ("i=speech\r\n", "i=speech\r\n" + MIKEY_KEY.replace("key-mgmt", "keymgmt")),
    "crypto": ("i=speech\r\n", "i=speech\r\n" + CRYPTO_KEY),
    "floor-key": (" udp MCPTT\r\n", " udp MCPTT\r\n" + CRYPTO_KEY),
    "version": ("v=0", "v=1"),
    "no-address": ("c=IN IP4 127.0.0.1\r\n", ""),
    "other-address": ("c=IN IP4 127.0.0.1", "c=IN IP6 2001:db8::1"),
    "other-codec": ("AMR-WB/16000", "PCMA/8000"),
    "malformed-codec": ("mode-change-capability=2", "mode-set=9"),
    "feedback": ("RTP/AVP", "RTP/AVPF"),
    "other-type": ("97", "98"),
    "two-ports": (" RTP/AVP", "/2 RTP/AVP"),
    "audio-refused": ("m=audio ", "m=audio 0 RTP/AVP 97\r\nm=text "),
    "floor-attribute": ("mc_priority=5", "mc_priority=-5"),
    "many-lines": ("m=audio", "m=text 9 RTP/AVP 97\r\n" * 20 + "m=audio"),
    "no-description": None,
}
MALFORMED = {  # of a Floor Request (TS 24.380 8.1.2): octets of its header from there on, or its fields (8.2)
    "version": (0, "40"),
    "packet-type": (1, "cd"),
    "padding-bit": (0, "a0"),
    "length-short": (2, "0001"),
    "length-long": (2, "00ff"),
    "length-less": (2, "0003"),
    "name": (8, "4d435058"),
    "subtype": (0, "90"),
    "other-ssrc": (4, "00000001"),
    "field-length": (12, "0003050000000000"),
    "field-twice": (12, "0002050000020500"),
    "field-value": (12, "000205000602fffe"),
}
FRAME_MS, FRAME_TS = 20, 320


def tell(event, **fields):
    print(json.dumps(dict(fields, event=event), separators=(",", ":")), flush=True)


def mcx(*args, text=""):
    return subprocess.run([os.environ["MCX_BIN"] + "/mcx", *args], input=text, capture_output=True, text=True, timeout=60,
                          check=True).stdout


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s


def port_of(sock):
    return sock.getsockname()[1]


def control_of(csk):
    """What protects floor control under a CSK."""
    masters = lab.masters(bytes.fromhex(csk["key"]), CSK_CS_ID, csk["key_id"], bytes.fromhex(csk["rand"]))
    return lab.Srtp(*masters, struct.pack(">I", csk["key_id"]))


class Keys:
    """His CSK, and the GMKs that he was given."""

    def __init__(self, options):
        self.own = ["--cert", options.keys + "/CERT.xml", "--keys", options.keys + "/KEYSET.xml"]
        key, rand = secrets.token_bytes(16), secrets.token_bytes(16)
        self.csk_id = 0x20000000 | secrets.randbelow(1 << 28)
        self.csk = {"key": key.hex(), "key_id": self.csk_id, "rand": rand.hex()}
        self.message = base64.b64decode(mcx(
            "mikey", "make", *self.own, "--to", options.server_id, "--type", "csk", "--key", key.hex(), "--key-id",
            "%08x" % self.csk_id, "--rand", rand.hex()).split()[-1])
        self.control = control_of(self.csk)
        self.gmk = self._gmk(options)

    def _gmk(self, options):
        with open(options.gktp, encoding="utf-8") as f:
            found = re.findall(r'GKTP id="%s"[^>]*>\s*([0-9A-Fa-f]+)' % re.escape(options.id), f.read())
        for message in found:
            try:
                return json.loads(mcx("mikey", "open", *self.own, text=base64.b64encode(bytes.fromhex(message)).decode()))
            except subprocess.CalledProcessError:  # of a key that was revoked
                pass
        sys.exit("no group key that can be opened")

    def speaker(self, uri):
        """The key of any member: all who hold the GMK can derive it (TS 33.180 7.4.2)."""
        gmk, gmk_id = bytes.fromhex(self.gmk["key"]), int(self.gmk["key_id"], 16)
        guk_id = lab.guk_id(gmk, gmk_id, uri)
        mki = struct.pack(">II", gmk_id, guk_id)
        return lab.Srtp(*lab.masters(gmk, GMK_CS_ID, guk_id, bytes.fromhex(self.gmk["rand"])), mki, True)


class Sip:
    """As much SIP over TCP as a member needs."""

    def __init__(self, options, keys, on_request):
        self.o, self.keys, self.on_request = options, keys, on_request
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server = socket.create_connection(("127.0.0.1", options.port))
        self.buffers = {self.server: b""}
        self.contact = "sip:%s@127.0.0.1:%d;transport=tcp" % (options.id[4:].split("@")[0], port_of(self.listener))
        self.serial = 0
        self.dialog = None  # of the call that he is in: request URI, From, To, Call-ID

    def send(self, method, dialog, serial, headers="", kind=None, body=b""):
        uri, from_, to, call_id = dialog
        branch = secrets.token_hex(6)
        via = f"SIP/2.0/TCP 127.0.0.1:{port_of(self.listener)};branch=z9hG4bK{branch};rport"
        head = (f"{method} {uri} SIP/2.0\r\nVia: {via}\r\n"
                f"Max-Forwards: 70\r\nFrom: {from_}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {serial} {method}\r\nContact: <{self.contact}>;{FEATURES}\r\n{headers}")
        head += f"Content-Type: {kind}\r\n" if kind else ""
        self.server.sendall((head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)

    def request(self, method, uri, headers="", kind=None, body=b""):
        self.serial += 1
        tag = secrets.token_hex(6)
        to = self.o.id if method == "REGISTER" else uri
        self.send(method, (uri, f"<{self.o.id}>;tag={tag}", f"<{to}>", tag), self.serial, headers, kind, body)

    def in_dialog(self, method, kind=None, body=b""):
        self.serial += 1
        self.send(method, self.dialog, self.serial, "", kind, body)

    def enter(self, head, answered):
        """The dialog that an INVITE of the server, or a 200 to his own, has made (RFC 3261 12.1); a 200 is acknowledged."""
        value = {name.lower(): text for name, text in re.findall(r"(?m)^([\w-]+): *(.*?)\r?$", head)}
        uri = re.search(r"<([^>]*)>", value["contact"]).group(1)
        if answered:
            self.dialog = uri, value["from"], value["to"], value["call-id"]
            self.send("ACK", self.dialog, int(value["cseq"].split()[0]))
        else:
            self.dialog = uri, value["to"] + ";tag=rogue", value["from"], value["call-id"]

    def answer(self, conn, head, status, headers="", kind=None, body=b""):
        keep = [line for line in head.split("\r\n")[1:]
                if re.match(r"(?i)(via|from|to|call-id|cseq|record-route|v|f|t|i):", line)]
        keep = [line + ";tag=rogue" if re.match(r"(?i)to?:", line) and ";tag=" not in line else line for line in keep]
        text = "\r\n".join(["SIP/2.0 " + status] + keep + [f"Contact: <{self.contact}>;{FEATURES}"]) + "\r\n" + headers
        text += f"Content-Type: {kind}\r\n" if kind else ""
        conn.sendall((text + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)

    def register(self):
        key = [] if self.o.no_csk else ["application/mikey", self.keys.message]
        self.request("REGISTER", "sip:127.0.0.1", "Expires: 600\r\n", *key)

    def offer(self, sdp):
        """Type and body of an INVITE for the group."""
        info = ('<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><session-type>prearranged</session-type>'
                f'<mcptt-request-uri type="Normal"><mcpttURI>{self.o.group}</mcpttURI></mcptt-request-uri>'
                "</mcptt-Params></mcpttinfo>")
        body = b"--b\r\nContent-Type: application/sdp\r\n\r\n" + sdp + b"\r\n" if sdp else b""
        body += f"--b\r\nContent-Type: application/vnd.3gpp.mcptt-info+xml\r\n\r\n{info}\r\n--b--\r\n".encode()
        return 'multipart/mixed;boundary="b"', body

    def affiliate(self, how="plain"):
        """A publication: his own; cut off; with a group twice; with 17 groups; of another user."""
        o = self.o
        names = [f"sip:g{i}@lab.example.org" for i in range(17)] if how == "many" else [o.group] * (2 if how == "twice" else 1)
        groups = "".join('<m:affiliation group="%s"/>' % name for name in names)
        user = o.id if how != "other" else "sip:alice@lab.example.org"
        info = ('<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><mcptt-request-uri type="Normal"><mcpttURI>'
                f"{o.id}</mcpttURI></mcptt-request-uri></mcptt-Params></mcpttinfo>")
        pidf = ('<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:m="urn:3gpp:ns:mcpttPresInfo:1.0" entity="%s"><tuple '
                'id="urn:uuid:53de5d82-f150-42f4-bdad-960e80e3a78c"><status>%s</status></tuple></presence>' % (user, groups))
        pidf = pidf if how != "cut" else pidf[:90]
        body = (f"--b\r\nContent-Type: application/vnd.3gpp.mcptt-info+xml\r\n\r\n{info}\r\n"
                f"--b\r\nContent-Type: application/pidf+xml\r\n\r\n{pidf}\r\n--b--\r\n").encode()
        self.request("PUBLISH", f"sip:mcptt@127.0.0.1:{o.port}", "Event: presence\r\nExpires: 600\r\n"
                     f"P-Preferred-Service: {SERVICE}\r\n", 'multipart/mixed;boundary="b"', body)

    def read(self, conn):
        """Whole messages that have come over a connection."""
        data = conn.recv(65536)
        if not data:
            del self.buffers[conn]
            return
        data = self.buffers[conn] + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            length = re.search(rb"(?i)\r\n(?:content-length|l): *(\d+)", data[:end + 2])
            total = end + 4 + (int(length.group(1)) if length else 0)
            if len(data) < total:
                break
            head, body, data = data[:end].decode("latin-1"), data[end + 4:total], data[total:]
            if head.strip():
                self.on_request(conn, head.lstrip("\r\n"), body.decode("latin-1"))
        self.buffers[conn] = data


class Member:
    def __init__(self, options):
        self.o = options
        self.keys = Keys(options)
        self.frames = [amrwb.payload(f) for f in amrwb.encode(options.say)] if options.say else []
        self.audio, self.floor = udp(), udp()
        self.sip = Sip(options, self.keys, self.take_sip)
        self.server_audio = self.server_floor = None
        self.index, self.sent_floor = 0, []
        self.floor_ssrc, self.ssrc = secrets.randbelow(1 << 32), secrets.randbelow(1 << 32)
        self.at = options.roc << 16 | options.seq  # of the next packet
        self.queue, self.heard, self.done = [], 0, False
        self.next_answer = "plain"
        self.lingers, self.unanswered = False, None  # a BYE of the server: its connection and head
        self.sip.register()

    # ---- SIP

    def take_sip(self, conn, head, body):
        first = head.split("\r\n", 1)[0]
        cseq = re.search(r"(?im)^cseq: *\d+ (\w+)", head).group(1)
        if first.startswith("SIP/2.0"):
            self.take_response(int(first.split()[1]), cseq, head, body)
        elif first.startswith("INVITE"):
            self.take_ports(body)
            if ";tag=" not in re.search(r"(?im)^to:.*", head).group():
                self.sip.enter(head, False)
            self.sip.answer(conn, head, "200 OK", "", "application/sdp", self.description(self.next_answer))
            self.next_answer = "plain"
        elif first.startswith("ACK"):
            tell("in-call", audio=self.server_audio[1], floor=self.server_floor[1])
        elif first.startswith("BYE") and self.lingers:
            self.lingers, self.unanswered = False, (conn, head)
            tell("asked-to-leave")
            self.reoffer()
        else:
            self.sip.answer(conn, head, "200 OK")
            if first.startswith("BYE"):
                tell("out-of-call")

    def reoffer(self, *how):
        self.sip.in_dialog("INVITE", *self.sip.offer(self.description(*how)))

    def take_ports(self, body):
        ports = [int(p) for p in re.findall(r"(?m)^m=\w+ (\d+) ", body)]
        self.server_audio, self.server_floor = (("127.0.0.1", p) for p in ports)

    def take_response(self, status, method, head, body):
        if status < 200:
            return
        if method == "INVITE" and status == 200:
            self.take_ports(body)
            self.sip.enter(head, True)
        warning = re.search(r'(?im)^warning: *\d+ \S+ "(\d+)', head)
        tell("answer", method=method, status=status, warning=int(warning.group(1)) if warning else 0)
        if method == "INVITE" and self.unanswered:
            self.sip.answer(*self.unanswered, "200 OK")
            self.unanswered = None
            tell("out-of-call")
        if method == "REGISTER" and status == 200:
            self.sip.affiliate()
        elif method == "PUBLISH" and status == 200:
            with open(self.o.ready_file + ".new", "w", encoding="ascii") as ready:
                json.dump({"audio_port": port_of(self.audio), "floor_port": port_of(self.floor), "ssrc": "%08x" % self.ssrc,
                           "csk": self.keys.csk}, ready)
            os.replace(self.o.ready_file + ".new", self.o.ready_file)

    def description(self, how="plain"):
        if CHANGES[how] is None:
            return b""
        old, new = CHANGES[how]
        text = (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                f"m=audio {port_of(self.audio)} RTP/AVP 97\r\n"
                "i=speech\r\na=rtpmap:97 AMR-WB/16000/1\r\na=fmtp:97 mode-change-capability=2; max-red=0\r\n"
                f"m=application {port_of(self.floor)} udp MCPTT\r\na=fmtp:MCPTT mc_queueing;mc_priority=5\r\n")
        assert old in text
        return text.replace(old, new).encode()

    # ---- floor control

    def message(self, subtype, fields=None):
        """Floor Request with priority and indicator, or Floor Release (TS 24.380 8.2)."""
        if fields is None:
            fields = bytes.fromhex("00020500" "0d028000") if subtype == 0 else b""
        return struct.pack(">BBHI", 0x80 | subtype, 204, 2 + len(fields) // 4, self.floor_ssrc) + b"MCPT" + fields

    def sealed(self, subtype, fields=None):
        out = self.keys.control.protect_rtcp(self.message(subtype, fields), self.index)
        self.index += 1
        return out

    def malformed(self, at, octets):
        octets = bytes.fromhex(octets)
        plain = self.message(0, octets if at == 12 else None)
        if at < 12:
            plain = plain[:at] + octets + plain[at + len(octets):]
        self.index += 1
        return self.keys.control.protect_rtcp(plain, self.index - 1)

    def say_floor(self, subtype):
        self.sent_floor.append(self.sealed(subtype))
        self.floor.sendto(self.sent_floor[-1], self.server_floor)

    def take_floor(self):
        try:
            plain = self.keys.control.unprotect_rtcp(self.floor.recv(4096))
        except ValueError as error:
            tell("floor-refused", reason=str(error))
            return
        subtype = plain[0] & 15
        if plain[12:14] == b"\x02\x02":  # Reject Cause, without a phrase
            tell("floor", type=TYPES[subtype], size=len(plain), cause=str(plain[15]))
        else:
            tell("floor", type=TYPES[subtype], size=len(plain))

    def attack_floor(self, how, count, port=None):
        seen, to = [], self.server_floor if port is None else ("127.0.0.1", port)
        if how == "seen":
            own = port_of(self.floor)
            seen = [p for port, p in udp_forger.datagrams(self.o.capture, self.server_floor[1]) if port != own]
        elif how.startswith("/"):
            with open(how, encoding="ascii") as ready:
                stolen = control_of(json.load(ready)["csk"])
            seen = [stolen.protect_rtcp(self.message(0), (1 << 20) + i) for i in range(count)]
        for i in range(count):
            if how == "clear":
                data = self.message(0 if i % 2 == 0 else 4)
            elif how == "odd":
                data = self.sealed(5)
            elif how == "cut":
                data = self.sealed(0, b"\x00\xff\x05\x00")
            elif how == "e-bit":
                data = bytearray(self.sealed(0))
                data[-8] &= 0x7F  # before the MKI of four octets
            elif how in MALFORMED:
                data = self.malformed(*MALFORMED[how])
            elif how == "again":
                data = self.sent_floor[i % len(self.sent_floor)]
            elif how == "altered":
                data = bytearray(self.sealed(0 if i % 2 == 0 else 4))
                data[8 + i % (len(data) - 16)] ^= 1 << i % 8  # behind the SSRC, before E and MKI
            else:
                data = seen[i % len(seen)]
            self.floor.sendto(data, to)
            time.sleep(0.005)
        tell("attacked", how=how, count=count)

    # ---- media

    def speak(self, words):
        w = dict(word.split("=", 1) for word in words)
        ssrc = int(w["ssrc"], 16) if "ssrc" in w else self.ssrc
        first = int(w.get("first", 0))
        frames = self.frames[first:first + int(w["count"])] if "count" in w else self.frames[first:]
        srtp = self.keys.speaker(w.get("as", self.o.id))
        to = ("127.0.0.1", int(w["to"])) if "to" in w else self.server_audio
        packets = []
        for i, frame in enumerate(frames):
            frame = b"\xf1\xff" if "noise" in w else frame
            head = struct.pack(">BBHII", 0x80, int(w.get("type", 97)) | (0x80 if i == 0 else 0), self.at & 0xFFFF,
                               self.at * FRAME_TS & 0xFFFFFFFF, ssrc)
            packets.append(srtp.protect(head + frame, self.at >> 16))
            self.at += 1
        now = time.monotonic()
        self.queue += [(now + i * FRAME_MS / 1000, p, to) for i, p in enumerate(packets)]
        tell("speaking", packets=len(packets), roc=(self.at - 1) >> 16)

    def send_due(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, packet, to = self.queue.pop(0)
            self.audio.sendto(packet, to)
            if not self.queue:
                tell("spoken")

    # ---- the loop

    def command(self, line):
        words = line.split()
        if words[0] == "call":
            self.sip.request("INVITE", f"sip:mcptt@127.0.0.1:{self.o.port}", f"P-Preferred-Service: {SERVICE}\r\n",
                             *self.sip.offer(self.description(*words[1:])))
        elif words[0] == "reoffer":
            self.reoffer(*words[1:])
        elif words[0] == "publish":
            self.sip.affiliate(words[1])
        elif words[0] == "bye":
            self.sip.in_dialog("BYE")
        elif words[0] == "linger":
            self.lingers = True
        elif words[0] == "answer":
            self.next_answer = words[1]
        elif words[0] in ("push", "release"):
            self.say_floor(0 if words[0] == "push" else 4)
        elif words[0] == "floor":
            self.attack_floor(words[1], *(int(word) for word in words[2:]))
        elif words[0] == "speak":
            self.speak(words[1:])
        elif words[0] == "quit":
            tell("counters", heard=self.heard)
            self.done = True
        else:
            sys.exit("no command: " + line)

    def run(self):
        lines = b""
        while not self.done:
            wait = min(0.5, max(0.0, self.queue[0][0] - time.monotonic())) if self.queue else 0.5
            for sock in select.select([0, self.audio, self.floor, self.sip.listener, *self.sip.buffers], [], [], wait)[0]:
                if sock == 0:
                    data = os.read(0, 4096)
                    self.done = not data
                    *whole, lines = (lines + data).split(b"\n")
                    for line in whole:  # before what has come over the network since
                        self.command(line.decode())
                elif sock is self.audio:
                    self.audio.recv(4096)
                    self.heard += 1
                elif sock is self.floor:
                    self.take_floor()
                elif sock is self.sip.listener:
                    self.sip.buffers[sock.accept()[0]] = b""
                else:
                    self.sip.read(sock)
            self.send_due()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("id", "server-id", "group", "keys", "gktp", "ready-file"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--say")
    parser.add_argument("--no-csk", action="store_true")
    parser.add_argument("--roc", type=int, default=0)
    parser.add_argument("--seq", type=int, default=1000)
    parser.add_argument("--capture")
    Member(parser.parse_args()).run()


if __name__ == "__main__":
    main()
