#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 at random moments under load: no client has received anything of a key set without its audit record, and no
# user's RSK of a period ever changes.
set -u
. "$(dirname "$0")/../support/kms.sh"

lab_init
kms_init a kms.a.example a.example
for i in 1 2 3 4 5 6; do
    "$KMSD" user add --dir a --user-uri sip:u$i@a.example --mcptt-id sip:u$i@a.example || fail "user"
    token sip:u$i@a.example >>tokens
done
python3 "$MCX_SOURCE/tests/support/kms_load.py" "${ROUNDS:-12}" "${SEED:-$RANDOM}" tokens "$KMSD" run --dir a --seal-key seal.key \
    --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key --jwks jwks.json --rate 1000000 >received.json ||
    fail "load"
"$KMSD" audit list --dir a --json >audit.json || fail "audit list"
python3 - <<'PY' || fail "issued key sets and audit records differ"
import collections, json, sys
audit = collections.defaultdict(list)
for line in open("audit.json"):
    row = json.loads(line)
    audit[row["request_id"]].append(row["uid"])
rsk_of, sets = {}, 0
for line in open("received.json"):
    got = json.loads(line)
    if got["id"] not in audit:
        sys.exit(f"request {got['id']} was answered and is not in the audit log")
    missing = collections.Counter(got["uids"]) - collections.Counter(audit[got["id"]])
    if missing:
        sys.exit(f"request {got['id']}: {missing} not recorded")
    for uid, rsk in zip(got["uids"], got["rsk"]):
        sets += 1
        if rsk_of.setdefault(uid, rsk) != rsk:
            sys.exit(f"the RSK of {uid} changed")
print(f"{sets} key sets received, {sum(map(len, audit.values()))} recorded")
sys.exit(0 if sets > 50 else "too few key sets to say anything")
PY
echo ok
