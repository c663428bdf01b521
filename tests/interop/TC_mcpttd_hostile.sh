#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The MCPTT server against a hostile peer: false identities, broken and huge messages, stalled connections, a flood.
# After that it still carries a call, holds no more descriptors than before, and its events are clean.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org
for who in alice bob; do
    provision kms $who "sip:$who@lab.example.org"
    "$MCX_BIN/mcx" token issue --key "$W/kms.jwk" --mcptt-id "sip:$who@lab.example.org" --iss lab --aud mcptt \
        --scope 3gpp:mcptt:ptt_server >"$W/$who.mcptt-token"
done
server_start server --listen tcp:127.0.0.1:0 --listen udp:127.0.0.1:0 --user "$ALICE,answer=auto" \
    --user "$BOB,answer=auto" --jwks "$W/kms.jwks" --token-iss lab --token-aud mcptt --peer-rate 60
PORT=$(server_port server tcp)
SERVER="sip:127.0.0.1:$PORT;transport=tcp"
pid=${PIDS[server]}
fds() { find "/proc/$pid/fd" -mindepth 1 | wc -l; }
before=$(fds)

python3 "$MCX_SOURCE/tests/support/sip_hostile.py" "$PORT" "$(server_port server udp)" "$ALICE" "$BOB" \
    "$W/alice.mcptt-token" >"$W/hostile" || fail "the server did not hold: $(cat "$W/hostile")"

phone_start bob bob "$BOB" answer --token "$W/bob.mcptt-token"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --token "$W/alice.mcptt-token" --hangup-after 300
expect_exit alice 0
expect_exit bob 0
for _ in $(seq 100); do [ "$(fds)" -le "$before" ] && break; sleep 0.1; done
expect "descriptors" "$(fds)" "$before"

kill -USR1 "$pid"
wait_event server counters
kill -TERM "$pid"
expect_exit server 0
[ "$(event server counters 'counts["too many requests from this address"]')" -gt 100 ] || fail "the flood is not counted"
expect "calls by strangers" "$(event server counters 'counts | has("no such dialog")')" true
jq -e . "$W/log/server.out" >/dev/null || fail "an event is no JSON"
grep -q "$(cat "$W/alice.mcptt-token" | cut -c1-40)" "$W/log/server.out" "$W/log/server.err" && fail "a token is in the log"
LC_ALL=C grep -qP '[^\x20-\x7e]' "$W/log/server.out" && fail "control characters in the events"
jq -rs '.[] | select(.event == "register-refused") | .text' "$W/log/server.out" | grep -q 'TS 24.379' || fail "no clause"
echo "the server holds"
