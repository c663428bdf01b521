#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every way in which a call ends, or does not come about (TS 24.379 11.1.1.2.1, 11.1.3).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_two_users
tone "$W/said.wav" 1

# Bob hangs up
phone_start bob bob "$BOB" answer --hangup-after 400
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav"
expect_exit alice 0
expect_exit bob 0
expect "Bob ended the call" "$(event alice ended cause)/$(event bob ended cause)" peer-hangup/hangup

# Alice hangs up, as a user does
phone_start bob bob "$BOB" answer
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB"
wait_event alice established
wait_event bob established
kill -INT "${PIDS[alice]}"
expect_exit alice 0
expect_exit bob 0
expect "Alice ended the call" "$(event alice ended cause)/$(event bob ended cause)" hangup/peer-hangup

# Bob's phone is told to end in the middle of a call: BYE, keys wiped, de-registered
phone_start bob bob "$BOB" answer --calls 0
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB"
wait_event alice established
wait_event bob established
kill -TERM "${PIDS[bob]}"
expect_exit bob 0
expect_exit alice 0
expect "SIGTERM" "$(event bob ended cause)/$(event bob idle keys_wiped)/$(event alice ended cause)" hangup/true/peer-hangup
phone_start alice alice "$ALICE" call --to "$BOB"
expect_exit alice 1
expect "de-registered" "$(event alice refused code)" 404

# the server does not answer any more: the second signal does not wait for it
phone_start bob bob "$BOB" answer --calls 0
wait_registered bob
kill -STOP "${PIDS[server]}"
kill -TERM "${PIDS[bob]}"
sleep 0.3
kill -0 "${PIDS[bob]}" || fail "Bob's phone did not wait for the server"
kill -TERM "${PIDS[bob]}"
expect_exit bob 0
kill -CONT "${PIDS[server]}"

# the longest time is over
phone_start bob bob "$BOB" answer
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --max-duration 1
expect_exit alice 0
expect_exit bob 0
expect "longest call" "$(event alice ended cause)" duration

# declined
phone_start bob bob "$BOB" answer --reject
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --mode manual
expect_exit alice 1
expect "declined" "$(event alice refused cause) $(event alice refused code) $(event alice refused warning)" "declined 480 110"
expect "sentence" "$(event alice refused sentence)" "$BOB declined the call"
expect "Bob wiped his keys" "$(event bob idle keys_wiped)" true

# cancelled by Alice while it rings
program_stop bob
phone_start bob bob "$BOB" answer --manual
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --mode manual
wait_event alice ringing
kill -INT "${PIDS[alice]}"
expect_exit alice 0
wait_event bob idle
expect "cancelled" "$(event bob ended cause)/$(event bob idle keys_wiped)" cancelled/true

# nobody answers: Alice gives up
phone_start alice alice "$ALICE" call --to "$BOB" --mode manual --answer-timeout 700
expect_exit alice 1
expect "no answer" "$(event alice ended cause)" no-answer
program_stop bob

# nobody answers: Bob's phone gives up
phone_start bob bob "$BOB" answer --manual --ring-timeout 500
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --mode manual
expect_exit alice 1
expect "no answer" "$(event alice refused cause) $(event alice refused code)" "no-answer 480"
program_stop bob

# busy: Bob is in a call with Alice when her other phone calls
phone_start bob bob "$BOB" answer
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB"
wait_event bob established
phone_start alice2 alice "$ALICE" call --to "$BOB"
expect_exit alice2 1
expect "busy" "$(event alice2 refused cause) $(event alice2 refused code)" "busy 486"
kill -INT "${PIDS[alice]}"
expect_exit alice 0
expect_exit bob 0

# nobody there
phone_start alice alice "$ALICE" call --to "$BOB"
expect_exit alice 1
expect "not registered" "$(event alice refused code)" 404

# a user whom nobody knows
phone_start alice alice "$ALICE" call --to sip:dave@elsewhere.example.net
expect_exit alice 1
expect "unknown user" "$(event alice refused cause) $(event alice refused code)" "peer-refused 404"

# no server
SERVER="sip:127.0.0.1:9;transport=tcp"
phone_start alice alice "$ALICE" call --to "$BOB"
expect_exit alice 3
for phone in alice alice2 bob; do
    if grep -q '"keys_wiped":false' "$W/log/$phone.out"; then
        fail "$phone kept keys"
    fi
done
echo "all endings as they should be"
