#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A message with a group key that names more groups than 'mcx mikey make' writes (TS 33.180 E.6.3), signed again.

usage: more_groups.py CERT.xml KEYSET.xml KEY URI ...

Standard input is a message about the key KEY with one group or more, in hexadecimal. The URIs are added to its groups, and
the message is printed likewise. The files are the signer's, as 'mcx kms fetch --save-xml' wrote them. By laboratory.py, which
shares nothing with the programs.
"""
import base64
import os
import re
import struct
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop")]

import laboratory as lab  # noqa: E402

GROUP_IEI, FIXED = 0x7B, 15  # of an MC group ID; octets of the parameters before the text


class P256(lab.Parameters):
    """As much as signing needs."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        self.N = lab.Curve(0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
                           0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B)
        self.G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
                  0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def value(path, name):
    with open(path, encoding="utf-8") as f:
        return re.search(r"<%s[^>]*>([^<]+)<" % name, f.read()).group(1)


def with_groups(plain, uris):
    """Key parameters: before the first group stands how many octets they have, and how many there are; nothing behind."""
    first = at = plain.index(GROUP_IEI, FIXED)
    count = 0
    while at < len(plain):
        assert plain[at] == GROUP_IEI
        at += 3 + struct.unpack(">H", plain[at + 1:at + 3])[0]
        count += 1
    assert plain[first - 3:first] == struct.pack(">HB", len(plain) - first + 1, count)
    more = plain[first:] + b"".join(struct.pack(">BH", GROUP_IEI, len(uri)) + uri.encode() for uri in uris)
    return plain[:first - 3] + struct.pack(">HB", 1 + len(more), count + len(uris)) + more


def main():
    cert, keys, key, *uris = sys.argv[1:]
    key = bytes.fromhex(key)
    m = lab.parse(bytes.fromhex(sys.stdin.read()))
    old = m["ext"][7]
    head = old[:12] + os.urandom(16) + old[28:32]
    dpck = lab.mac(key, b"\x53", old[28:32], b"\0\4")[16:]
    sealed = lab.gcm_seal(dpck, head[12:28], head, with_groups(lab.parameters(m, key), uris))
    new = head + old[32:33] + struct.pack(">H", len(sealed)) + sealed
    signed = m["signed"]
    assert signed[-2 - len(old):-2] == old  # the last payload before the signature
    signed = signed[:-4 - len(old)] + struct.pack(">H", len(new)) + new + signed[-2:]
    print((signed + P256().sign(signed, base64.b64decode(value(keys, "UserID")), bytes.fromhex(value(cert, "PubAuthKey")),
                                int(value(keys, "UserSigningKeySSK"), 16), bytes.fromhex(value(keys, "UserPubTokenPVT")))).hex())


main()
