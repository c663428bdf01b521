#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A listener at the server's media socket, without keys.

usage: listen.py CAPTURE.pcap OUT.awb [--packets FILE]      takes packets out of a capture
       listen.py CAPTURE.pcap OUT.awb --to-port N --mki HEX  those that went to a port, with that identifier in their MKI
       listen.py --from FILE OUT.awb                        takes packets from lines of hex

Takes the RTP flow with the most packets out of the capture, treats each payload as one AMR-WB frame of 23.85 kbit/s
(which it would be without SRTP; RFC 4867 4.3, bandwidth-efficient) and writes them as an AMR-WB file (RFC 4867 5.2).
Prints one JSON object: packets, payload octets, chi-square of the octet counts (255 degrees of freedom: a cipher
gives about 255, speech frames far more), and whether every packet left the server octet for octet as it came.
--packets also writes the packets as lines of hex, as `mcx srtp unprotect` reads them; its output, given with --from,
is played in just the same way.
"""
import argparse
import collections
import json
import struct
import sys

FRAME_BITS = 477        # AMR-WB mode 8, TS 26.201 table 2
HEADER_BITS = 10        # CMR (4), F (1), FT (4), Q (1)
STORAGE_HEADER = b"\x44"  # FT 8, Q 1


def udp_packets(path):
    """(source, destination, payload) of every UDP datagram over IPv4 in a pcap file."""
    with open(path, "rb") as source:
        data = source.read()
    magic, = struct.unpack("<I", data[:4])
    order = "<" if magic in (0xa1b2c3d4, 0xa1b23c4d) else ">"
    link, = struct.unpack(order + "I", data[20:24])
    skip = {1: 14, 101: 0, 228: 0, 113: 16}[link]
    at = 24
    while at + 16 <= len(data):
        captured, = struct.unpack(order + "I", data[at + 8:at + 12])
        packet = data[at + 16 + skip:at + 16 + captured]
        at += 16 + captured
        if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != 17:
            continue
        header = (packet[0] & 15) * 4
        ports = struct.unpack(">HH", packet[header:header + 4])
        yield (packet[12:16], ports[0]), (packet[16:20], ports[1]), packet[header + 8:]


def frame_of(payload):
    """The 477 speech bits behind the payload header, in storage format."""
    bits = int.from_bytes(payload, "big")
    total = len(payload) * 8
    keep = bits >> (total - HEADER_BITS - FRAME_BITS) & (1 << FRAME_BITS) - 1
    return STORAGE_HEADER + (keep << 3).to_bytes(60, "big")


def busiest_flow(path):
    """Packets of the RTP flow with the most packets, and whether they are on another flow too, unchanged."""
    flows = collections.OrderedDict()
    for source, destination, packet in udp_packets(path):
        if len(packet) >= 12 + 61 and packet[0] >> 6 == 2 and not 64 <= packet[1] & 0x7f <= 95:
            flows.setdefault((source, destination), []).append(packet)
    if not flows:
        sys.exit("listen: no RTP in the capture")
    flow = max(flows.values(), key=len)
    return flow, any(set(flow) <= set(other) for other in flows.values() if other is not flow)


def packets_to(path, port, mki):
    """RTP packets to a port, whose last octets (MKI, and a ROC behind it) hold the identifier."""
    mark = bytes.fromhex(mki)
    return [packet for _, destination, packet in udp_packets(path)
            if destination[1] == port and len(packet) >= 12 + 61 and mark in packet[-12:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", nargs="?")
    parser.add_argument("out")
    parser.add_argument("--packets")
    parser.add_argument("--from", dest="lines")
    parser.add_argument("--to-port", type=int)
    parser.add_argument("--mki")
    options = parser.parse_args()
    if options.lines:
        with open(options.lines, encoding="ascii") as source:
            flow, relayed = [bytes.fromhex(line) for line in source if line.strip()], None
    elif options.to_port:
        flow, relayed = packets_to(options.capture, options.to_port, options.mki), None
    else:
        flow, relayed = busiest_flow(options.capture)
    if options.packets:
        with open(options.packets, "w", encoding="ascii") as out:
            out.writelines(packet.hex() + "\n" for packet in flow)
    counts = collections.Counter()
    with open(options.out, "wb") as out:
        out.write(b"#!AMR-WB\n")
        for packet in flow:
            counts.update(packet[12:12 + 61])
            out.write(frame_of(packet[12:]))
    expected = sum(counts.values()) / 256
    chi_square = sum((counts[value] - expected) ** 2 / expected for value in range(256))
    print(json.dumps({"packets": len(flow), "payload_octets": sum(counts.values()), "chi_square": round(chi_square, 1),
                      "relayed_unchanged": relayed}))


if __name__ == "__main__":
    main()
