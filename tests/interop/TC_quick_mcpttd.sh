#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The MCPTT server as a program: settings are checked, its key store is opened and checked, tokens decide who may
# register, busy and overload are told, the relay changes no octet, SIGTERM ends calls and server.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
MCPTTD=$MCX_BIN/mcx-mcpttd

refused() { # CODE ARGUMENTS...: the program ends with that code and says why
    local want=$1 code=0
    shift
    "$MCPTTD" "$@" >"$W/out" 2>"$W/err" || code=$?
    [ "$code" -eq "$want" ] && [ -s "$W/err" ] || fail "mcx-mcpttd $*: exit code $code, '$(cat "$W/err")'"
}
refused 2
refused 2 -t --listen 127.0.0.1:0
refused 2 -t --listen sctp:127.0.0.1:0
refused 2 -t --listen tls:127.0.0.1:0
refused 2 -t --listen tcp:127.0.0.1:0 --user sip:a@x --user sip:a@x
refused 2 -t --listen tcp:127.0.0.1:0 --user sip:a@x,color=red
refused 2 -t --listen tcp:127.0.0.1:0 --store "$W/none"
refused 2 -t --listen tcp:127.0.0.1:0 --media 127.0.0.1:20001-20010
refused 2 -t --listen tcp:127.0.0.1:0 --session-expires 60
for timer in T1 T5=1000 T2= T2=1s T2=-1 T2=86400001 t2=1000; do
    refused 2 -t --listen tcp:127.0.0.1:0 --floor-timer "$timer"
done
for counter in C7 C20=0 C20=1001 C1=3 C9=3 T7=3; do
    refused 2 -t --listen tcp:127.0.0.1:0 --floor-counter "$counter"
done
every=()
for name in T1 T2 T3 T4 T7 T8 T9 T20; do every+=(--floor-timer "$name=0" --floor-timer "$name=86400000"); done
for name in C7 C8 C20; do every+=(--floor-counter "$name=1" --floor-counter "$name=1000"); done
"$MCPTTD" -t --listen tcp:127.0.0.1:0 "${every[@]}" >/dev/null || fail "floor control: a timer or counter is refused"
refused 2 --no-such-setting 1
refused 3 -t --listen tcp:127.0.0.1:0 --jwks "$W/none"
refused 3 -t --listen tcp:192.0.2.1:0
refused 3 -t --listen tcp:127.0.0.1:0 --media localhost
echo '{"listen": ["tcp:127.0.0.1:0"], "listen": []}' >"$W/double.json"
refused 2 -t --config "$W/double.json"
echo '{"listen": "tcp:127.0.0.1:0", "user": ["sip:a@x,answer=auto"], "max-calls": 3, "json": true}' >"$W/good.json"
"$MCPTTD" -t --config "$W/good.json" >/dev/null || fail "a good configuration is refused"

# its own key store
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org
for who in alice bob; do
    provision kms $who "sip:$who@lab.example.org"
    "$MCX_BIN/mcx" token issue --key "$W/kms.jwk" --mcptt-id "sip:$who@lab.example.org" --iss lab --aud mcptt \
        --scope 3gpp:mcptt:ptt_server >"$W/$who.mcptt-token"
done
provision kms server sip:mcptt@lab.example.org server
refused 1 -t --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/alice.store-key"
cp "$W/server.store" "$W/broken.store"
printf 'x' | dd of="$W/broken.store" bs=1 seek=400 conv=notrunc 2>/dev/null
refused 1 -t --listen tcp:127.0.0.1:0 --store "$W/broken.store" --store-key "$W/server.store-key"

# registration by token
server_start server --listen tcp:127.0.0.1:0 --listen udp:127.0.0.1:0 --user "$ALICE,answer=auto" \
    --user "$BOB,answer=auto" --store "$W/server.store" --store-key "$W/server.store-key" --jwks "$W/kms.jwks" \
    --token-iss lab --token-aud mcptt --capture "$W/capture.pcap"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
phone_start nobody alice "$ALICE" register
expect_exit nobody 1
expect "refusal without token" "$(event nobody refused code) $(event nobody refused warning)" "403 101"
phone_start nobody alice "$ALICE" register --token "$W/bob.mcptt-token"
expect_exit nobody 1
phone_start nobody alice "$ALICE" register --token "$W/alice.token" # for the KMS
expect_exit nobody 1
server_events() { # EVENT COUNT: waits until the server, which answers first and writes then, has told so many
    local i
    for i in $(seq 100); do
        [ "$(grep -c "\"event\":\"$1\"" "$W/log/server.out")" -ge "$2" ] && break
        sleep 0.1
    done
    expect "events '$1'" "$(grep -c "\"event\":\"$1\"" "$W/log/server.out")" "$2"
}
server_events register-refused 3

# what crosses the server comes out as it went in
tone "$W/said.wav" 0.8
phone_start bob bob "$BOB" answer --token "$W/bob.mcptt-token"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --token "$W/alice.mcptt-token" --play "$W/said.wav" --hangup-after-play
expect_exit alice 0
expect_exit bob 0
server_events relay-closed 1
"$MCX_SOURCE/demos/listen.py" "$W/capture.pcap" "$W/wire.awb" >"$W/listen.json" || fail "the capture holds no RTP"
expect "the relay changes packets" "$(jq -r .relayed_unchanged "$W/listen.json")" true
expect "packets relayed" "$(jq -s 'map(select(.event == "relay-closed")) | last | .caller_packets' "$W/log/server.out")" \
    "$(event alice media sent)"

# SIGTERM in a call: both phones are told, the server ends by itself
phone_start bob bob "$BOB" answer --token "$W/bob.mcptt-token"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --token "$W/alice.mcptt-token"
wait_event alice established
kill -TERM "${PIDS[server]}"
expect_exit alice 0
expect_exit bob 0
expect "who ended it" "$(event alice ended cause)" peer-hangup
expect_exit server 0
echo "the server is as it should be"
