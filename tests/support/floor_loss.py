#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bad line between one client and the server: floor control messages get lost, changed or forged on it when told so.

usage: floor_loss.py --connect PORT --ready-file FILE

Listens for SIP over TCP on a free port of 127.0.0.1 (written to the ready file as {"port": N}), connects each client to
127.0.0.1:PORT, and puts ports of its own into the floor control lines of what passes, so that the floor messages of the
client's call come this way too. Media does not. It holds no keys: of an SRTCP packet the first octet can be read, which
says what message it is (TS 24.380 8.2.2).

Standard input, a line each:

  lose up|down TYPE N    the next N of that type to the server (up) or to the client (down); answered by {"event":"losing"}

  alter up|down TYPE N   a bit of the next N is changed; answered likewise
  forge up|down HOW N    N datagrams more: "clear" Floor Requests (up) or Floor Idle (down) in clear, "again" what has passed
                         that way, or what others have sent there, out of the pcap file HOW; answered by {"event":"forged"}

Each floor message is printed as {"event":"floor","way":...,"type":...,"lost":...}.
"""
import argparse
import json
import os
import re
import select
import socket
import struct
import sys
import threading

import sip_tamper
import udp_forger

TYPES = ("request", "granted", "taken", "deny", "release", "idle", "revoke", "7", "position-request", "position-info", "ack")
FLOOR_LINE = re.compile(rb"(?m)^(m=application )([1-9]\d*)( udp MCPTT)")
APP = 204


def tell(event, **fields):
    print(json.dumps(dict(fields, event=event), separators=(",", ":")), flush=True)


class Line:
    """The floor control of one call: a socket towards each end, and where the end is."""

    def __init__(self):
        self.sockets, self.ends, self.losing, self.altering = {}, {}, {}, {}
        self.passed = {"up": [], "down": []}
        for way in ("up", "down"):
            self.sockets[way] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sockets[way].bind(("127.0.0.1", 0))

    def change(self, way):
        """For messages going that way: whose floor port they tell, and what the other side gets to see."""
        def port(found):
            self.ends["down" if way == "up" else "up"] = ("127.0.0.1", int(found.group(2)))
            return b"%b%d%b" % (found.group(1), self.sockets[way].getsockname()[1], found.group(3))

        def message(head, body):
            return sip_tamper.with_body(head, FLOOR_LINE.sub(port, body))
        return message

    def carry(self, way):
        """From the socket that the sender of that way sees on to the other end, out of the other socket."""
        data = self.sockets["down" if way == "up" else "up"].recv(65536)
        name = TYPES[data[0] & 0x0F] if len(data) > 1 and data[1] == APP and data[0] & 0x0F < len(TYPES) else "other"
        left, alter = self.losing.get((way, name), 0), self.altering.get((way, name), 0)
        tell("floor", way=way, type=name, lost=left > 0)
        if left > 0:
            self.losing[way, name] = left - 1
        elif alter > 0 and way in self.ends:
            self.altering[way, name] = alter - 1
            self.sockets[way].sendto(data[:9] + bytes([data[9] ^ 1]) + data[10:], self.ends[way])  # behind the SSRC
        elif way in self.ends:
            self.passed[way].append(data)
            self.sockets[way].sendto(data, self.ends[way])

    def forge(self, way, how, count):
        subtype = TYPES.index("request" if way == "up" else "idle")
        source = [struct.pack(">BBHI", 0x80 | subtype, APP, 2, 0x666) + b"MCPT"]
        if how == "again":
            source = self.passed[way]
        elif how != "clear":
            own = self.sockets[way].getsockname()[1]
            source = [data for port, data in udp_forger.datagrams(how, self.ends[way][1]) if port != own]
        for i in range(count):
            self.sockets[way].sendto(source[i % len(source)], self.ends[way])
        tell("forged", way=way, how=how, count=count)

    def command(self, words):
        verb, way, name, count = words
        if verb == "forge":
            self.forge(way, name, int(count))
            return
        if verb not in ("lose", "alter") or way not in self.sockets or name not in TYPES:
            raise ValueError(" ".join(words))
        (self.losing if verb == "lose" else self.altering)[way, name] = int(count)
        tell("losing", way=way, type=name, count=int(count))


def serve(client, port, line):
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=copy, args=(server, client, line.change("down")), daemon=True)
        back.start()
        copy(client, server, line.change("up"))
        server.shutdown(socket.SHUT_WR)
        back.join(5)


def copy(source, sink, change):
    try:
        sip_tamper.pump(source, sink, change)
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connect", type=int, required=True)
    parser.add_argument("--ready-file", required=True)
    options = parser.parse_args()
    line = Line()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with open(options.ready_file + ".new", "w", encoding="ascii") as ready:
            json.dump({"port": listener.getsockname()[1]}, ready)
        os.replace(options.ready_file + ".new", options.ready_file)
        while True:
            for found in select.select([listener, sys.stdin, *line.sockets.values()], [], [])[0]:
                if found is listener:
                    threading.Thread(target=serve, args=(listener.accept()[0], options.connect, line), daemon=True).start()
                elif found is sys.stdin:
                    words = sys.stdin.readline()
                    if words == "":
                        return
                    line.command(words.split())
                else:
                    line.carry("down" if found is line.sockets["up"] else "up")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
