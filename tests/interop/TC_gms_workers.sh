#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Workers of mcx-gmsd that die (kill -9) or hang (SIGSTOP) in the middle of 1,000 payloads: they are replaced within a
# bound, every payload is made, and all members have one key.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
GROUP=sip:fire@a.example.org MEMBERS=1000
kms_make a kms.a.example.org a.example.org
kms_start a
gms_make gms a sip:gms@a.example.org
seq -f 'sip:member%.0f@a.example.org' $MEMBERS >"$W/members"
gms_start gms --workers 2
queue=$(jq -r .queue "$W/gms.ready")
workers() { tr ' ' '\n' <"/proc/$queue/task/$queue/children" | grep .; }

gms_group gms create --group $GROUP --members "$W/members"
first=$(workers | head -1)
kill -9 "$first"
kill -STOP "$(workers | tail -1)"
for _ in $(seq 400); do
    [ "$(gms_group gms jobs --json | jq '.jobs | length')" = 0 ] && break
    sleep 0.1
done
expect "jobs left" "$(gms_group gms jobs --json | jq '.jobs | length')" 0
grep -q "a worker has ended" "$W/log/gms.err" || fail "nobody saw that a worker had died"
grep -q "a worker hangs" "$W/log/gms.err" || fail "nobody saw that a worker hangs"
expect "workers" "$(workers | wc -l)" 2
workers | grep -qx "$first" && fail "the dead worker is still there"
kill -STOP "$(workers | head -1)" # an idle one that hangs does not hold up the end
gms_group gms show --group $GROUP --json >"$W/show"
expect "published" "$(jq -r '[.keys[] | select(.state == "published")] | length' "$W/show")" 1
start=$(date +%s)
program_stop gms
[ "$(($(date +%s) - start))" -le 8 ] || fail "the end took too long"
python3 - "$W/gms/gms.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
rows = db.execute("SELECT count(*), count(DISTINCT member), count(DISTINCT gkey), count(DISTINCT round) FROM payload").fetchall()
assert rows == [(1000, 1000, 1, 1)], rows
PY
echo ok
