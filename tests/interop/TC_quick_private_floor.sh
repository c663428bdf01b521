#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor control of a private call, under the CSK of each side: Alice's INVITE is her request, Bob waits in the queue, gets
# the floor when she gives it back, and both hear each other sample by sample, one after the other; somebody without a key
# sends floor messages in clear and noise to both meanwhile, for nothing. Then Bob has no CSK: a call without floor control,
# both speak at once.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_session --capture "$W/wire.pcap"
tone "$W/alice.wav" 1 300
tone "$W/bob.wav" 0.6 500
for who in alice bob; do "$MCX_BIN/mcx" audio code "$W/$who.wav" "$W/$who.coded.wav"; done
forge() { # PHONE
    program_start "to-$1" python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" floor,noise --to \
        "$(jq .floor_port "$W/$1.ready")" --seen-to "$(jq .audio_port "$W/bob.ready")" --count 60 --per-second 100
}
heard() { # OPTION-OF-BOB ...
    phone_start bob bob "$BOB" answer --play "$W/bob.wav" --record "$W/bob.heard.wav" "$@"
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --play "$W/alice.wav" \
        --record "$W/alice.heard.wav" --hangup-after-play
    if [ $# -gt 0 ]; then
        wait_registered alice
        forge alice
        forge bob
        for name in to-alice to-bob; do program_wait $name || fail "$name: $(cat "$W/log/$name.err")"; done
    fi
    expect_exit alice 0
    expect_exit bob 0
    "$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.heard.wav" || fail "Bob did not hear what Alice said"
    "$MCX_BIN/mcx" audio compare "$W/bob.coded.wav" "$W/alice.heard.wav" || fail "Alice did not hear what Bob said"
    for who in alice bob; do
        expect "$who: media refused, keys wiped" "$(event $who media refused) $(event $who idle keys_wiped)" "0 true"
    done
}
floors() { events "$1" floor state | xargs; }

heard --server-id "$SERVER_ID"
expect "floor control" "$(event alice established floor_control) $(event bob established floor_control)" "true true"
expect "the floor, for Alice" "$(floors alice)" "granted released taken idle"
[[ $(floors bob) =~ ^(idle )?(taken queued|queued taken)\ granted\ released\ idle$ ]] || fail "the floor, for Bob: $(floors bob)"
expect "who speaks, for Bob" "$(jq -r 'select(.event == "floor" and .state == "taken") | .talker' "$W/log/bob.out")" "$ALICE"
expect "who speaks, for Alice" "$(jq -r 'select(.event == "floor" and .state == "taken") | .talker' "$W/log/alice.out")" "$BOB"
for who in alice bob; do
    expect "forged for $who" "$(event $who media floor_refused)" 60
    expect "their reasons" "$(jq -rs 'map(select(.event == "drops" and .line == "floor") | .count) | add' "$W/log/$who.out")" 60
done

# the talk button: Alice lets it go in mid-word, Bob speaks, she goes on; nothing is sent without the floor
mkfifo "$W/button"
exec {button}<>"$W/button"
phone_start bob bob "$BOB" answer --play "$W/bob.wav" --server-id "$SERVER_ID"
wait_registered bob
# shellcheck disable=SC2016
program_start alice bash -c 'exec "${@:2}" <"$1"' phone "$W/button" "$MCX_BIN/mcx-ue" call --id "$ALICE" --to "$BOB" \
    --server "$SERVER" --server-id "$SERVER_ID" --store "$W/alice.store" --store-key "$W/alice.store-key" --json \
    --play "$W/alice.wav" --hangup-after-play
wait_floor bob queued
echo release >&"$button"
wait_floor bob released
wait_floor alice idle
echo push >&"$button"
expect_exit alice 0
expect_exit bob 0
expect "the floor, for Alice" "$(floors alice)" "granted released taken idle granted released idle"
expect "packets of Alice" "$(event bob media received) $(event alice media sent)" "50 50"
expect "packets without the floor" "$(event server relay-closed caller_refused) $(event server relay-closed callee_refused)" "0 0"

heard
expect "floor control" "$(event alice established floor_control) $(event bob established floor_control)" "false false"
expect "why" "$(event server floor-control-refused text)" "the callee has no client-server key"
expect "floor events" "$(floors alice)$(floors bob)" ""
echo "one after the other with floor control, both at once without; 120 forged floor messages for nothing"
