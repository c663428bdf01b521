#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same call in other forms: manual answer, forced answer, without floor control, key-mgmt in the audio section,
# RTP/SAVP, both sides speaking, and over TLS.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
tls_make sip
lab_two_users --listen tls:127.0.0.1:0 --tls-cert "$W/sip.pem" --tls-key "$W/sip.key"
tone "$W/said.wav" 0.8
"$MCX_BIN/mcx" audio code "$W/said.wav" "$W/coded.wav"

# call CALLER-OPTIONS... -- CALLEE-OPTIONS...: a call in which Bob must hear Alice
call() {
    local caller=() callee=()
    while [ "$1" != -- ]; do
        caller+=("$1")
        shift
    done
    shift
    callee=("$@")
    rm -f "$W/heard.wav"
    phone_start bob bob "$BOB" answer --record "$W/heard.wav" "${callee[@]}"
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play "${caller[@]}"
    expect_exit alice 0
    expect_exit bob 0
    "$MCX_BIN/mcx" audio compare "$W/coded.wav" "$W/heard.wav" >"$W/log/compare" || fail "heard badly: ${caller[*]}"
    expect "keys wiped" "$(event alice idle keys_wiped)/$(event bob idle keys_wiped)" true/true
}

call --mode manual -- --answer-after 300
[ "$(event alice ringing peer)" = "$BOB" ] || fail "Alice did not hear it ring"
call -- --manual --answer-after 200
call --no-floor --
call --key-mgmt-level audio --
call --savp --
call --mode force-auto -- --manual

# both speak
tone "$W/said2.wav" 0.8 440
"$MCX_BIN/mcx" audio code "$W/said2.wav" "$W/coded2.wav"
call --record "$W/heard2.wav" -- --play "$W/said2.wav"
"$MCX_BIN/mcx" audio compare "$W/coded2.wav" "$W/heard2.wav" || fail "Alice did not hear Bob"

# over TLS, with a server whose certificate is checked
SERVER="sip:127.0.0.1:$(server_port server tls);transport=tls"
call --ca "$W/ca.pem" -- --ca "$W/ca.pem"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=other" -keyout "$W/other.key" \
    -out "$W/other.pem" 2>>"$W/log/ca"
phone_start alice alice "$ALICE" register --ca "$W/other.pem"
expect_exit alice 3
echo "all forms of the call as they should be"
