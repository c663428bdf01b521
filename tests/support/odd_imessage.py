#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A genuine signer who has gone wrong: I_MESSAGEs that contradict themselves, under a good signature.

usage: odd_imessage.py --keys DIR --key HEX NAME ... <MIKEY

Reads a good message ("mikey BASE64"; of the holder of DIR/CERT.xml and DIR/KEYSET.xml, about the key HEX), and writes for
each NAME the changed one on a line: NAME, then the message in hexadecimal. --list names them all.
"""
import argparse
import base64
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.environ["MCX_SOURCE"], "tests", "interop"))
import laboratory as lab

T, SP, RAND, ERR, IDR, EXT, SAKKE, SIGN = 5, 10, 11, 12, 14, 21, 26, 4
FIXED = {T: 10, SIGN: 131}  # octets with the next-payload octet, where a payload has one


class Message:
    """Header, crypto session blocks, and payloads without their next-payload octet."""

    def __init__(self, octets, key, to_self):
        self.key, self.to_self, self.csb_id = key, to_self, struct.unpack(">I", octets[4:8])[0]
        self.sign_head, self.tail, self.whole = b"\x20\x81", b"", None
        self.head, self.num_cs, self.map_type = bytearray(octets[:4]), octets[8], octets[9]
        self.cs, self.parts, at = [], [], 10
        for _ in range(self.num_cs):
            end = at + 3 + (octets[at + 2] & 127)
            end += 2 + struct.unpack(">H", octets[end:end + 2])[0]
            end += 1 + octets[end]
            self.cs.append(bytearray(octets[at:end]))
            at = end
        here = octets[2]
        while here != SIGN:
            end = at + self.length(here, octets[at:])
            self.parts.append([here, bytearray(octets[at + 1:end])])
            here, at = octets[at], end

    @staticmethod
    def length(number, octets):
        if number == RAND:
            return 2 + octets[1]
        if number == EXT:
            return 4 + struct.unpack(">H", octets[2:4])[0]
        return FIXED.get(number) or 5 + struct.unpack(">H", octets[3:5])[0]

    def signed(self, sign):
        numbers = [n for n, _ in self.parts] + [SIGN]
        out = self.head + struct.pack(">IBB", self.csb_id, self.num_cs, self.map_type) + b"".join(self.cs)
        out[2] = numbers[0]
        for i, (_, octets) in enumerate(self.parts):
            out += bytes([numbers[i + 1]]) + octets
        out = bytes(out) + self.sign_head
        out += sign(out)[:struct.unpack(">H", self.sign_head)[0] & 0x0FFF] + self.tail
        return out[:self.whole]

    def find(self, number, first=None):
        return next(p for p in self.parts if p[0] == number and (first is None or p[1][0] == first))

    def idr(self, role, data, now=None):
        self.find(IDR, role)[1][:] = bytes([now or role, 1]) + struct.pack(">H", len(data)) + data

    def extension(self, kind, data):
        self.parts.append([EXT, bytearray(bytes([kind]) + struct.pack(">H", len(data)) + data)])

    def parameters(self):
        """Octets of extension 7, to be changed in place."""
        return self.find(EXT, 7)[1]

    def replace_parameters(self, data):
        self.parameters()[:] = b"\7" + struct.pack(">H", len(data)) + data

    def reseal(self, plain):
        data = bytes(self.parameters()[3:])
        dpck = lab.mac(self.key, b"\x53", data[28:32], b"\0\4")[16:]
        body = lab.gcm_seal(dpck, data[12:28], data[:32], plain)
        self.replace_parameters(data[:32] + b"\0" + struct.pack(">H", len(body)) + body)


def insert_sp(m):
    """A second policy, and a second crypto session that names it."""
    at = m.parts.index(m.find(SP))
    other = bytearray(m.parts[at][1])
    other[0] = 1
    m.parts.insert(at + 1, [SP, other])
    session = bytearray(m.cs[0])
    session[0] += 1
    session[3] = 1
    m.cs.append(session)
    m.num_cs += 1


def set_at(octets, at, value):
    octets[at:at + len(value)] = value


def flip(octets, at):
    octets[at] ^= 1


def srtp_id_map(m):
    m.map_type, m.num_cs, m.cs = 0, 1, [bytearray(9)]


def role_3(m):
    for role in (6, 7):
        m.find(IDR, role)[1][0] = 3


VALID = "00 00000001 0000000000 0000000000 0000"
GROUP = "7b 0001 61"


def self_other_key(m):
    """SAKKE-to-self of another key than the one for the member (TS 33.180 E.5)."""
    sed = m.to_self(bytes(15) + b"\1")
    m.extension(6, b"\0\1\2" + struct.pack(">H", len(sed)) + sed)


def plain(m, text):
    m.reseal(bytes.fromhex(text))


ODD = {
    # the common header
    "data-type": lambda m: set_at(m.head, 1, b"\x19"),
    "prf": lambda m: set_at(m.head, 3, b"\0"),
    "version": lambda m: set_at(m.head, 0, b"\2"),
    "map-empty": lambda m: (setattr(m, "map_type", 1), setattr(m, "cs", [])),
    "trailing": lambda m: setattr(m, "tail", b"\0"),
    "head-cut": lambda m: setattr(m, "whole", 9),
    "sign-short": lambda m: setattr(m, "sign_head", b"\x20\x80"),
    "sign-type": lambda m: setattr(m, "sign_head", b"\x10\x81"),
    # what the key is for
    "tag-of-nothing": lambda m: setattr(m, "csb_id", m.csb_id & 0x0FFFFFFF | 0x70000000),
    "other-guk-id": lambda m: setattr(m, "csb_id", m.csb_id ^ 1),
    # crypto sessions and policies
    "session-not-srtp": lambda m: set_at(m.cs[0], 1, b"\1"),
    "policy-not-there": lambda m: set_at(m.cs[0], 3, b"\5"),
    "policies-differ": insert_sp,
    "policy-aes-cm": lambda m: m.find(SP)[1].__setitem__(slice(None), bytes.fromhex("00 00 0006 000101 010110")),
    "policy-cut": lambda m: m.find(SP)[1].__setitem__(slice(2, 4), b"\xff\xff"),
    "map-srtp-id": srtp_id_map,
    # the encapsulated key
    "sakke-set-2": lambda m: set_at(m.find(SAKKE)[1], 0, b"\2"),
    "sakke-scheme-1": lambda m: set_at(m.find(SAKKE)[1], 1, b"\1"),
    "sakke-one-octet": lambda m: m.find(SAKKE)[1].__setitem__(slice(None), b"\1\2\0\1\4"),
    "sakke-hint": lambda m: flip(m.find(SAKKE)[1], -1),
    "sakke-point": lambda m: flip(m.find(SAKKE)[1], 40),
    "sakke-zero": lambda m: set_at(m.find(SAKKE)[1], 5, bytes(256)),
    # identities
    "idr-nul": lambda m: m.idr(1, b"sip:a\0b"),
    "idr-line-end": lambda m: m.idr(1, b"sip:a\nb"),
    "idr-no-utf8": lambda m: m.idr(1, b"sip:a\xffb"),
    "idr-uid-of-nobody": lambda m: m.idr(1, bytes(31) + b"\1", 8),
    "idr-other-member": lambda m: m.idr(2, b"sip:bob@lab.example.org"),
    "kms-of-initiator": lambda m: m.idr(6, b"kms.nowhere.example.org"),
    "kms-of-responder": lambda m: m.idr(7, b"kms.nowhere.example.org"),
    "kms-gone": lambda m: m.idr(6, b"kms.gone.example.org"),
    "kms-far": lambda m: m.idr(6, b"kms.far.example.org"),
    "kms-role-3": role_3,
    "kms-mixture": lambda m: set_at(m.find(IDR, 6)[1], 0, b"\3"),
    "idr-role": lambda m: set_at(m.find(IDR, 2)[1], 0, b"\x0b"),
    "idr-type": lambda m: set_at(m.find(IDR, 2)[1], 1, b"\0"),
    "idr-empty": lambda m: m.idr(2, b""),
    # payloads
    "long": lambda m: m.extension(200, bytes(8000)),
    "err-payload": lambda m: m.parts.append([ERR, bytearray(3)]),
    "unknown-payload": lambda m: m.parts.append([99, bytearray(4)]),
    "second-t": lambda m: m.parts.insert(1, m.find(T)),
    "no-rand": lambda m: m.parts.remove(m.find(RAND)),
    "no-idr": lambda m: m.parts.remove(m.find(IDR, 2)),
    "second-sakke": lambda m: m.parts.append(m.find(SAKKE)),
    "short-rand": lambda m: m.find(RAND)[1].__setitem__(slice(None), b"\4abcd"),
    "many-payloads": lambda m: [m.extension(200, b"") for _ in range(60)],
    "self-odd": lambda m: m.extension(6, b"\0\1\2"),
    "self-twice": lambda m: [m.extension(6, b"\0\1\2\1\x11" + bytes(273)) for _ in range(2)],
    "self-other-key": self_other_key,
    "counter-for-time": lambda m: set_at(m.find(T)[1], 0, b"\2"),
    "sdp-ids": lambda m: m.extension(1, b"mikey;other\0"),
    "old-t": lambda m: set_at(m.find(T)[1], 1, struct.pack(">I", struct.unpack(">I", m.find(T)[1][1:5])[0] - 5 * 31536000)),
    # key parameters
    "parameters-layout": lambda m: m.replace_parameters(bytes(3)),
    "parameters-clear": lambda m: m.replace_parameters(bytes.fromhex("00 00000001 0000000000 0000000000")),
    "parameters-altered": lambda m: flip(m.parameters(), -1),
    "parameters-algorithm": lambda m: set_at(m.parameters(), 3 + 11, b"\2"),
    "parameters-empty": lambda m: m.replace_parameters(b""),
    "parameters-cut": lambda m: m.replace_parameters(bytes(m.parameters()[3:23])),
    "parameters-dppk-id": lambda m: flip(m.parameters(), 3 + 31),
    "parameters-type": lambda m: plain(m, "01" + VALID[2:]),
    "parameters-short": lambda m: plain(m, "00 000000"),
    "parameters-no-uri": lambda m: plain(m, VALID + "0004 01 7b 0000"),
    "parameters-17-groups": lambda m: plain(m, VALID + "0045 11" + 17 * GROUP),
}


def signer(folder):
    """What the holder of the keys can do: sign, and encapsulate to himself."""
    par = lab.Parameters(lab.sections(os.environ["MCX_SOURCE"] + "/tests/vectors/identities-kms-vectors.txt"))
    with open(os.path.join(folder, "CERT.xml"), encoding="utf-8") as f:
        cert = f.read()
    with open(os.path.join(folder, "KEYSET.xml"), encoding="utf-8") as f:
        keys = f.read()

    def field(text, name):
        return re.search(r"<(?:\w+:)?%s\b[^>]*>\s*([^<]+?)\s*<" % name, text).group(1)

    def octets(text, name):
        return bytes.fromhex(re.sub(r"\s", "", field(text, name)))
    uid = field(keys, "UserID")
    uid = bytes.fromhex(uid) if re.fullmatch("[0-9A-Fa-f]{64}", uid) else base64.b64decode(uid)
    ssk = int.from_bytes(octets(keys, "UserSigningKeySSK"), "big")
    return (lambda data: par.sign(data, uid, octets(cert, "PubAuthKey"), ssk, octets(keys, "UserPubTokenPVT")),
            lambda key: par.encapsulate(key, uid, lab.point(octets(cert, "PubEncKey"), 128)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys")
    parser.add_argument("--key")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    if options.list:
        print("\n".join(ODD))
        return
    sign, to_self = signer(options.keys)
    good = base64.b64decode(sys.stdin.read().split()[-1])
    for name in options.name:
        message = Message(good, bytes.fromhex(options.key), to_self)
        ODD[name](message)
        print(name, message.signed(sign).hex())


main()
