#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody on the network of a group call, without a key: sends what he has seen again, changed or not.

usage: udp_forger.py CAPTURE MODE --to PORT [--seen-to PORT] [--count N] [--per-second N] [--oldest]
       udp_forger.py CAPTURE source --to PORT          prints the port that sends there
       udp_forger.py CAPTURE rocs --to PORT            prints the ROC of the last SRTP packet there (RCCm3)

CAPTURE is what mcx-mcpttd --capture writes; it may be growing. Packets that went to --seen-to (--to, if not given) are
taken as material, the newest first (--oldest: in their order). All goes to 127.0.0.1:PORT, from a socket of his own.

  replay    as it was
  roc       another ROC in the last four octets (RCCm3)
  ahead     a sequence number that is about to come
  mki       a GMK-ID that nobody holds
  speaker   a GUK-ID that nobody has sent with: each costs the receiver a derivation
  flip      one bit of the protected part changed
  plain     RTP in clear
  floor     a message in clear, MCPT Floor Idle or Floor Taken by a stranger, and Floor Release
  short     its first twenty octets: a header, and no tag
  noise     random octets
A mode may be several, with commas: they take turns. Prints how many of each were sent, as one JSON object.
"""
import argparse
import json
import os
import socket
import struct
import time

MKI_AND_ROC = 12


def datagrams(path, port):
    """(source port, payload) of what went to the port, as far as the capture is whole."""
    with open(path, "rb") as f:
        data = f.read()
    at, out = 24, []
    while at + 16 <= len(data):
        length, = struct.unpack("<I", data[at + 8:at + 12])
        packet = data[at + 16:at + 16 + length]
        at += 16 + length
        if len(packet) == length and struct.unpack(">H", packet[22:24])[0] == port:
            out.append((struct.unpack(">H", packet[20:22])[0], packet[28:]))
    return out


def floor(number):
    """Floor Idle, Taken, Release in clear: subtype, length in words, SSRC, name, and a user identity that is not there."""
    subtype = (5, 2, 4)[number % 3]
    user = b"sip:nobody@x"
    fields = bytes((10, len(user))) + user if subtype == 2 else b""
    fields += bytes(-len(fields) % 4)
    return struct.pack(">BBHI", 0x80 | subtype, 204, 2 + len(fields) // 4, 0x666) + b"MCPT" + fields


def forge(mode, seen, number):
    if mode == "noise":
        return os.urandom(90)
    if mode == "floor":
        return floor(number)
    if mode == "plain":
        return struct.pack(">BBHII", 0x80, 97, number & 0xFFFF, number * 320, 0x666) + b"\xf0\x44" + bytes(60)
    if mode == "short":
        return seen[:20]
    p = bytearray(seen)
    if mode == "roc":
        p[-4:] = struct.pack(">I", (1 + number * 2654435761) & 0xFFFFFFFF)
    elif mode == "ahead":
        p[2:4] = struct.pack(">H", (struct.unpack(">H", seen[2:4])[0] + 1 + number % 40) & 0xFFFF)
    elif mode == "mki":
        p[-12:-8] = bytes((seen[-12],)) + os.urandom(3)
    elif mode == "speaker":
        p[-8:-4] = bytes((seen[-8] & 0xF0 | number & 0x0F,)) + os.urandom(3)
    elif mode == "flip" and p:
        p[min(14 + number % max(1, len(p) - 14 - MKI_AND_ROC), len(p) - 1)] ^= 1 << number % 8
    return bytes(p)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture")
    parser.add_argument("mode")
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--seen-to", type=int)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--per-second", type=int, default=400)
    parser.add_argument("--oldest", action="store_true")
    options = parser.parse_args()
    if options.mode == "source":
        print(datagrams(options.capture, options.to)[0][0])
        return
    if options.mode == "rocs":
        print(struct.unpack(">I", datagrams(options.capture, options.to)[-1][1][-4:])[0])
        return
    modes, sent, seen, read_at = options.mode.split(","), {}, [], 0.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for number in range(options.count):
            while time.monotonic() - read_at > 0.05 or not seen:  # what has been said since
                read_at = time.monotonic()
                seen = [p for _, p in datagrams(options.capture, options.seen_to or options.to)]
                if not seen:
                    time.sleep(0.02)
            mode = modes[number % len(modes)]
            turn = number // len(modes)
            s.sendto(forge(mode, seen[turn % len(seen)] if options.oldest else seen[-1], number),
                     ("127.0.0.1", options.to))
            sent[mode] = sent.get(mode, 0) + 1
            time.sleep(1.0 / options.per_second)
    print(json.dumps(sent))


if __name__ == "__main__":
    main()
