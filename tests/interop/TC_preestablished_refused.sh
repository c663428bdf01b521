#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Calls over a pre-established session that do not come about: what Bob's phone says in its Acknowledgement, what Alice
# reads, and that the session can be used again each time. Forged control messages change nothing.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_session
DIRECT=$SERVER
tone "$W/said.wav" 0.4

# through MODE [ARGUMENT]: Alice calls Bob, somebody between her and the server changes her INVITE
through() {
    rm -f "$W/tap.ready"
    program_start tap python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$(server_port server tcp)" \
        --ready-file "$W/tap.ready" "$@"
    wait_ready "$W/tap.ready"
    SERVER="sip:127.0.0.1:$(jq .port "$W/tap.ready");transport=tcp"
    phone_start alice alice "$ALICE" call --to "$BOB" --no-floor --play "$W/said.wav" --hangup-after-play
    program_wait alice || true
    program_stop tap
    SERVER=$DIRECT
}
refused() { # NAME REASON CODE WARNING CAUSE-AT-BOB MODE [ARGUMENT]
    local established
    established=$(grep -c '"event":"established"' "$W/log/bob.out" || true)
    connects=$((connects + 1))
    through "${@:6}"
    expect "$1: reason" "$(event bob acknowledged reason) $(event server connect-acknowledged reason)" "$2 $2"
    expect "$1: response" "$(event alice refused code) $(event alice refused warning)" "$3 $4"
    expect "$1: cause" "$(event bob refused cause)" "$5"
    expect "$1: calls at Bob" "$(grep -c '"event":"established"' "$W/log/bob.out" || true)" "$established"
    expect "$1: Connects" "$(grep -c '"event":"connect"' "$W/log/bob.out")" "$connects"
    expect "$1: media" "$(event alice media sent)" null
    expect "$1: Alice's keys wiped" "$(event alice idle keys_wiped)" true
    echo "  $1: Acknowledgement $2, $3, Warning $4"
}
good_call() { # NAME
    local idle
    idle=$(grep -c '"event":"idle"' "$W/log/bob.out" || true)
    connects=$((connects + 1))
    phone_start alice alice "$ALICE" call --to "$BOB" --no-floor --play "$W/said.wav" --hangup-after-play
    expect_exit alice 0
    wait_count bob idle $((idle + 1))
    expect "$1: Connects" "$(grep -c '"event":"connect"' "$W/log/bob.out")" "$connects"
    expect "$1: packets" "$(event bob media received)" "$(event alice media sent)"
    sleep 0.1 # the Acknowledgement of the Disconnect
}

connects=0
phone_start bob bob "$BOB" answer --calls 0 --server-id "$SERVER_ID" --pre-established
wait_ready "$W/bob.ready"
connects=$((connects + 1))
through record "$W/message"
wait_count bob idle 1
sleep 0.1

refused "bit of the I_MESSAGE" 3 488 136 authentication flip 300
refused "bit of the version" 3 488 136 malformed flip 0
refused "I_MESSAGE of the call before" 3 488 136 replay replace "$W/message"
refused "no I_MESSAGE" 2 488 0 no-security remove
good_call "after the refusals"

# another codec than that of the session: by INVITE, as before
through text "AMR-WB/16000=>PCMA/8000"
expect "another codec" "$(event alice refused code) $(event bob refused cause)" "488 media"
expect "another codec: Connects" "$(grep -c '"event":"connect"' "$W/log/bob.out")" "$connects"

# Bob is in a call, by INVITE: his phone says so
phone_start first alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --hangup-after 1500 --play "$W/said.wav"
wait_event first established
connects=$((connects + 1))
phone_start second alice "$ALICE" call --to "$BOB" --no-floor
expect_exit second 1
expect "busy" "$(event second refused code) $(event bob acknowledged reason)" "486 1"
expect_exit first 0
sleep 0.1
good_call "after busy"

# Bob's phone is held up until the server has repeated its Connect: both get the same answer, there is one call
kill -STOP "${PIDS[bob]}"
sent=$(grep -c '"event":"connect"' "$W/log/server.out")
phone_start alice alice "$ALICE" call --to "$BOB" --no-floor --play "$W/said.wav" --hangup-after-play
wait_count server connect $((sent + 1))
sleep 2.5
kill -CONT "${PIDS[bob]}"
connects=$((connects + 1))
expect_exit alice 0
expect "answer to the repeated Connect" "$(events bob acknowledged again | grep -c true) $(event alice ended cause)" "1 hangup"
expect "Connects that were opened" "$(grep -c '"event":"connect"' "$W/log/bob.out")" "$connects"
sleep 0.1
good_call "after a repeated Connect"

# Forged messages at both ends of the control channel: plain, and SRTCP under a key that nobody has
python3 - "$(jq .control_port "$W/bob.ready")" "$(event server preestablished control_port)" <<'FORGE'
import os, socket, struct, sys
def field(number, value):
    data = bytes([number, len(value)]) + value
    return data + bytes(-len(data) % 4)
def message(subtype, fields):
    body = os.urandom(4) + b"MCPC" + fields
    return struct.pack("!BBH", 0x90 | subtype, 204, len(body) // 4) + body
session = field(1, b"\x01" + b"sip:forged@example.org")
forged = [message(0, session + field(5, b"sip:alice@lab.example.org") + field(0, b"\x01\x02")),
          message(1, session), struct.pack("!BBH", 0x82, 204, 3) + os.urandom(4) + b"MCPC" + field(6, b"\x00\x00")]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
    for port in map(int, sys.argv[1:]):
        for data in forged:
            out.sendto(data, ("127.0.0.1", port))
            out.sendto(data + b"\x80\x00\x00\x01" + b"\x2f\xff\xff\xff" + os.urandom(10), ("127.0.0.1", port))
        out.sendto(b"\x80", ("127.0.0.1", port))
FORGE
good_call "after forged messages"
program_stop bob
expect "dropped at Bob" "$(event bob preestablished-ended dropped)" 7
expect "with their reasons" "$(jq -rs 'map(select(.event == "drops" and .line == "control") | .count) | add' "$W/log/bob.out")" 7
expect "a reason, once" "$(events bob drop reason | grep -cx "the end of the protected message cannot be found")" 1
expect "dropped at the server, and the second answer" "$(event server preestablished-ended dropped)" 8
echo "refused as the reason says, the session stays"
