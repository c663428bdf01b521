#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx-gmsd killed (kill -9, all of its processes) at arbitrary moments of re-keyings, removals and additions: afterwards
# the same keys go on,
# and no two members ever see different keys under one GMK-ID, nor a key that is active before its window.
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

# What Alice and Bob are given at this moment: every payload opened with their own keys, one line each; and the client,
# which refuses a GMK-ID that it holds with another key or RAND, has to take all of it.
see() {
    local user payload
    for user in alice bob; do
        expect "document for $user" "$(gms_get gms $user org.3gpp.MCPTT-GKTP $GROUP)" 200
        for payload in $(grep -oE '>[0-9A-Fa-f]{600,}<' "$W/$user.xml" | tr -d '<>' | tr a-f A-F); do
            basenc --base16 -d <<<"$payload" | base64 -w0 | "$MCX_BIN/mcx" mikey open --cert "$W/$user-xml/CERT.xml" \
                --keys "$W/$user-xml/KEYSET.xml" --ignore-status | jq -c --arg user $user '{user: $user, key_id, key, rand}' >>"$W/seen"
        done
        gms_fetch gms $user sip:$user@a.example.org $GROUP >>"$W/log/$user.groups" 2>&1 || fail "$user refuses what he is given"
    done
}

for user in alice bob; do kms_fetch a $user sip:$user@a.example.org --save-xml "$W/$user-xml" >/dev/null; done
gms_await gms $GROUP
keys=1 members=$((MEMBERS + 2))
for round in $(seq $ROUNDS); do
    case $((round % 4)) in
        0) gms_group gms add --group $GROUP --member "sip:late$round@a.example.org" && members=$((members + 1)) ;;
        2)
            gms_group gms remove --group $GROUP --member "sip:member$round@a.example.org"
            members=$((members - 1)) keys=$((keys + 1))
            ;;
        *) gms_group gms rekey --group $GROUP && keys=$((keys + 1)) ;;
    esac
    sleep "0.$((RANDOM % 7))$((RANDOM % 10))"
    gms_kill
    events=$("$MCX_BIN/mcx-gmsd" audit list --dir "$W/gms" | grep -c "new GMK") || true
    expect "key events after round $round, none lost" "$events" "$keys"
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

# one key and one RAND under each GMK-ID, whoever was given it and whenever
jq -es 'group_by(.key_id) | length > 2 and all(.[]; (map([.key, .rand]) | unique | length) == 1) and
    (map(select((map(.user) | unique | length) == 2)) | length > 2)' "$W/seen" >/dev/null || fail "two keys under one GMK-ID: $W/seen"

# everybody has one shown payload of the latest key, all for one activation, shown a window before it was in force
program_stop gms
python3 - "$W/gms/gms.db" "$published" "$members" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
key, activation = db.execute("SELECT id, activation FROM gkey WHERE key_id = ?", (int(sys.argv[2], 16),)).fetchone()
rows = db.execute("SELECT p.member, r.shown_ms, r.activation FROM payload p JOIN round r ON r.id = p.round "
                  "WHERE p.gkey = ? AND r.state = 1", (key,)).fetchall()
assert len(rows) == len({r[0] for r in rows}) == int(sys.argv[3]), len(rows)
assert {r[2] for r in rows} == {activation}
shown = max(r[1] for r in rows if not r[0].startswith("sip:late"))  # who comes later gets the key that is in force
assert activation * 1000 >= shown + 999, (activation, shown)  # the window of 1 s, seconds rounded down
PY
echo ok
