#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load on a KMS that dies by SIGKILL at random moments.

usage: kms_load.py ROUNDS SEED TOKENS KMSD run-arguments...
Each round starts the daemon, lets clients fetch key sets, and kills it at a random moment. What any client received,
even the head of an answer that was cut off, is printed as JSON lines: request id and the UIDs read so far.
"""
import base64
import http.client
import json
import os
import random
import re
import signal
import ssl
import subprocess
import sys
import threading
import time

CLIENTS = 6
ENOUGH = 60  # answers; a slow machine takes more rounds
READY = "load.ready"


def fetch(conn, token, out):
    """One request; what came is kept, even when the connection breaks inside the answer."""
    conn.request("POST", "/keymanagement/identity/v1/keyprov", headers={"Authorization": "Bearer " + token})
    head = conn.getresponse()
    got = b""
    try:
        for octets in iter(lambda: head.read1(512), b""):
            got += octets
    finally:
        if head.status == 200:
            uids = [base64.b64decode(u).hex() for u in re.findall(rb"<UserID>([^<]+)</UserID>", got)]
            rsk = re.findall(rb"<UserDecryptKey[^>]*>([0-9A-F]+)</UserDecryptKey>", got)
            out.append({"id": head.headers["X-Request-Id"], "uids": uids, "rsk": [r[-32:].decode() for r in rsk]})
    return head.status


def client(port, token, stop, out, stats):
    tls = ssl.create_default_context(cafile="tls.pem")
    while not stop.is_set():
        conn = http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=5)
        try:
            while not stop.is_set():
                if fetch(conn, token, out) != 200:
                    stats["refused"] += 1
        except (OSError, http.client.HTTPException):
            stats["broken"] += 1
        conn.close()


def one_round(command, tokens, rng, out, stats):
    if os.path.exists(READY):
        os.remove(READY)
    with open("a.log", "ab") as log:
        daemon = subprocess.Popen(command + ["--ready-file", READY], stderr=log)
    try:
        for _ in range(400):
            if os.path.exists(READY) or daemon.poll() is not None:
                break
            time.sleep(0.025)
        port = json.load(open(READY))["port"]
        stop = threading.Event()
        threads = [threading.Thread(target=client, args=(port, tokens[i % len(tokens)], stop, out, stats))
                   for i in range(CLIENTS)]
        for t in threads:
            t.start()
        time.sleep(rng.uniform(0.15, 0.6))
        daemon.send_signal(signal.SIGKILL)
        stop.set()
        for t in threads:
            t.join()
    finally:
        daemon.kill()
        daemon.wait()


def main():
    rounds, seed, tokens = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3]).read().split()
    rng = random.Random(seed)
    out, stats = [], {"broken": 0, "refused": 0}
    done = 0
    while done < rounds or (len(out) < ENOUGH and done < 10 * rounds):
        one_round(sys.argv[4:], tokens, rng, out, stats)
        done += 1
    for entry in out:
        print(json.dumps(entry))
    print(f"{done} kills, answers {len(out)}, broken connections {stats['broken']}, refused {stats['refused']}", file=sys.stderr)
    return 0 if out and stats["broken"] and not stats["refused"] else 1


if __name__ == "__main__":
    sys.exit(main())
