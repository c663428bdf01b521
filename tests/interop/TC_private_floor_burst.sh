#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The floor of a private call hears the media: a talk burst over T2 is revoked, and Bob, who waits, has the floor then.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_session --floor-timer T2=500
tone "$W/alice.wav" 4 300
tone "$W/bob.wav" 0.2 500
phone_start bob bob "$BOB" answer --play "$W/bob.wav" --server-id "$SERVER_ID"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --play "$W/alice.wav"
wait_count server floor-revoked 1
expect "who is revoked" "$(events server floor-revoked user | head -1)" "$ALICE"
wait_count server floor-granted 2
expect "who has the floor then" "$(events server floor-granted user | xargs)" "$ALICE $BOB"
echo "a burst over T2 is revoked, who waits has the floor"
