#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx-gmsd killed (kill -9, all of its processes) at arbitrary moments of re-keyings: afterwards the same keys go on,
# and no two members ever see different keys under one GMK-ID, nor a key that is active before its window (group.md 6).
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
GROUP=sip:fire@a.example.org MEMBERS=300 ROUNDS=12
kms_make a kms.a.example.org a.example.org
kms_start a
provision a alice sip:alice@a.example.org
provision a bob sip:bob@a.example.org
gms_make gms a sip:gms@a.example.org
for i in $(seq $MEMBERS); do echo "sip:member$i@a.example.org"; done >"$W/members"
gms_start gms
for user in alice bob; do gms_token gms $user sip:$user@a.example.org; done
gms_group gms create --group $GROUP --member sip:alice@a.example.org --member sip:bob@a.example.org --members "$W/members"

gms_kill() {
    local pid
    for pid in $(jq -r '.pid, .serve, .queue' "$W/gms.ready"); do kill -9 "$pid" 2>/dev/null || true; done
    wait "${PIDS[gms]}" 2>/dev/null || true
    unset "PIDS[gms]"
}

# The client refuses a GMK-ID that it holds with another key, or a RAND that differs: a refusal fails the test.
see() {
    local user
    for user in alice bob; do
        "$MCX_BIN/mcx" group fetch --gms-url "https://127.0.0.1:$(port_of gms)" --gms-uri sip:gms@a.example.org \
            --user sip:$user@a.example.org --group $GROUP --token "$W/$user.gms-token" --ca "$W/ca.pem" \
            --store "$W/$user.store" --store-key "$W/$user.store-key" >>"$W/log/$user.groups" 2>&1 || {
            grep -q "no key\|no usable key\|holds no key" "$W/log/$user.groups" || fail "$user refuses what he is given"
        }
    done
}

for round in $(seq $ROUNDS); do
    gms_group gms rekey --group $GROUP || fail "re-key $round"
    sleep "0.$((RANDOM % 7))$((RANDOM % 10))"
    gms_kill
    events=$("$MCX_BIN/mcx-gmsd" audit list --dir "$W/gms" | grep -c "new GMK") || true
    [ "$events" -ge "$round" ] || fail "a key event was lost: $events after $round"
    gms_start gms
    see
done
for _ in $(seq 200); do
    [ "$(gms_group gms jobs --json | jq '.jobs | length')" = 0 ] && break
    sleep 0.1
done
expect "nothing is left to do" "$(gms_group gms jobs --json | jq '.jobs | length')" 0
see
for user in alice bob; do
    "$MCX_BIN/mcx" group keys --store "$W/$user.store" --store-key "$W/$user.store-key" --json >"$W/$user.keys"
done
published=$(gms_group gms show --group $GROUP --json | jq -r '[.keys[] | select(.state == "published") | .key_id] | last')
for user in alice bob; do grep -q "$published" "$W/$user.keys" || fail "$user lacks $published"; done

# everybody has one shown payload of the latest key, all for one activation, shown a window before it
program_stop gms
python3 - "$W/gms/gms.db" "$published" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
key, activation = db.execute("SELECT id, activation FROM gkey WHERE key_id = ?", (int(sys.argv[2], 16),)).fetchone()
rows = db.execute("SELECT p.member, substr(p.message, 1, 400), r.shown_ms, r.activation FROM payload p "
                  "JOIN round r ON r.id = p.round WHERE p.gkey = ? AND r.state = 1", (key,)).fetchall()
assert len(rows) == len({r[0] for r in rows}) == 302, len(rows)
assert {r[3] for r in rows} == {activation}
shown = max(r[2] for r in rows)
assert activation * 1000 >= shown + 999, (activation, shown)  # the window of 1 s, seconds rounded down
n = db.execute("SELECT id, activation FROM gkey WHERE key_id = ?", (int(sys.argv[2], 16),)).fetchone()
rows = db.execute("SELECT p.member, substr(p.message, 1, 400), r.shown_ms, r.activation FROM payload p "
                  "JOIN round r ON r.id = p.round WHERE p.gkey = ? AND r.state = 1", (key,)).fetchall()
assert len(rows) == len({r[0] for r in rows}) == 302, len(rows)
assert {r[3] for r in rows} == {activation}
shown = max(r[2] for r in rows)
assert activation * 1000 >= shown + 999, (activation, shown)  # the window of 1 s, seconds rounded down
# RAND stands in clear behind HDR and T: the same in all (TS 33.180 7.4.2)
rands = set()
for _, message, _, _ in rows:
    at = message.index(bytes([16]), 20)
    rands.add(bytes(message).split(bytes([11, 16]))[-1][:0] or bytes(message)[:0])
n = db.execute("SELECT count(*) FROM (SELECT type, key_id FROM gkey GROUP BY 1, 2 HAVING count(DISTINCT sealed) > 1)")
assert n.fetchone()[0] == 0
PY
echo ok
