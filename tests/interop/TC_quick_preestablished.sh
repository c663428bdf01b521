#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A private call that reaches Bob over his pre-established session: MCPC Connect with Alice's I_MESSAGE, no INVITE. Both
# hear each other sample by sample; whoever ends the call, the session can be used again; it ends with the registration.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_session --capture "$W/server.pcap"
tone "$W/said.wav" 1.2
tone "$W/replied.wav" 1.2 330
for file in said replied; do "$MCX_BIN/mcx" audio code "$W/$file.wav" "$W/$file.coded.wav"; done

code=0
"$MCX_BIN/mcx-ue" answer --id "$BOB" --server "$SERVER" --store x --store-key x --pre-established 2>"$W/log/usage" || code=$?
expect "exit code of --pre-established without --server-id" "$code" 2

phone_start bob bob "$BOB" answer --calls 0 --server-id "$SERVER_ID" --pre-established --record "$W/bob.wav" \
    --play "$W/replied.wav"
wait_ready "$W/bob.ready"
wait_event server preestablished
expect "user of the session" "$(event server preestablished user)" "$BOB"

# Alice calls and hangs up: Disconnect
phone_start alice alice "$ALICE" call --to "$BOB" --no-floor --play "$W/said.wav" --record "$W/alice.wav" \
    --hangup-after 1800
expect_exit alice 0
wait_event bob idle
expect "INVITEs at Bob" "$(event bob incoming claimed)" null
expect "who calls, by the Connect" "$(event bob connect claimed)" "$ALICE"
expect "the signer that Bob verified" "$(event bob verified initiator)" "$ALICE"
expect "key identifiers" "$(event alice established key_id)" "$(event bob established key_id)"
expect "reason at Bob and at the server" "$(events bob acknowledged reason | tr '\n' ' ')$(event server connect-acknowledged reason)" "0 0 0"
expect "who ended the call, for Bob" "$(event bob ended cause)" peer-hangup
for phone in alice bob; do
    expect "$phone wiped the keys" "$(event $phone idle keys_wiped)" true
    [ "$(event $phone media refused)" -eq 0 ] || fail "$phone refused media packets"
done
"$MCX_BIN/mcx" audio compare "$W/said.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
"$MCX_BIN/mcx" audio compare "$W/replied.coded.wav" "$W/alice.wav" || fail "Alice did not hear what Bob said"

# what is manual, or has floor control, goes by INVITE, and the session stays
phone_start alice alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --play "$W/said.wav" --hangup-after 200
expect_exit alice 0
expect "caller of the INVITE" "$(event bob incoming claimed)" "$ALICE"
wait_count bob idle 2

# Bob leaves: his session ends with the call, and is set up anew
program_stop bob
phone_start bob bob "$BOB" answer --calls 0 --server-id "$SERVER_ID" --pre-established --hangup-after 300
wait_ready "$W/bob.ready"
phone_start alice alice "$ALICE" call --to "$BOB" --no-floor --play "$W/said.wav"
expect_exit alice 0
expect "who ended the call, for Alice" "$(event alice ended cause)" peer-hangup
wait_count bob preestablished 2
phone_start alice alice "$ALICE" call --to "$BOB" --no-floor --play "$W/said.wav"
expect_exit alice 0
expect "calls over the session" "$(grep -c '"event":"connect"' "$W/log/bob.out")" 2
wait_count bob preestablished 3

csk=$(event bob csk key_id)

# de-registration takes the session away
program_stop bob
ended=$(grep -c '"event":"preestablished-ended"' "$W/log/server.out")
expect "sessions ended" "$ended" "$(grep -c '"event":"preestablished"' "$W/log/server.out")"
# on the wire: control messages were there, and nothing in them can be read
program_stop server
od -An -v -tx1 "$W/server.pcap" | tr -d ' \n' | grep -q "$csk" || fail "no control message in the capture"
grep -aqE 'MCPC|MCPT' "$W/server.pcap" && fail "a control message can be read"
grep -aqF "$ALICE" "$W/server.pcap" && fail "who calls can be read"
echo "calls over the session, heard sample by sample; $ended sessions set up and ended"
