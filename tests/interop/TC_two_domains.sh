#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Alice and Bob have keys from different KMSs, each of which holds the certificate of the other (TS 33.180 5.3.5).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
ALICE=sip:alice@east.example.org
BOB=sip:bob@west.example.org
kms_make east kms.east.example.org east.example.org
kms_make west kms.west.example.org west.example.org
kms_start east
kms_start west
kms_trust east west
kms_trust west east
provision east alice "$ALICE"
provision west bob "$BOB"
server_start server --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto" --user "$BOB,answer=auto"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"

tone "$W/said.wav" 0.8
"$MCX_BIN/mcx" audio code "$W/said.wav" "$W/coded.wav"
phone_start bob bob "$BOB" answer --record "$W/heard.wav"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
expect_exit alice 0
expect_exit bob 0
"$MCX_BIN/mcx" audio compare "$W/coded.wav" "$W/heard.wav" || fail "Bob did not hear what Alice said"
expect "KMS of the caller" "$(event bob verified kms)" kms.east.example.org

echo "two domains as they should be"
