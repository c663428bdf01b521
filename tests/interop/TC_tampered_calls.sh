#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Refusals of a callee (TS 24.379 11.1.1.2.1.2) with unmodified programs: somebody between Alice and the server
# changes the I_MESSAGE in her INVITE. Each time Bob's phone refuses as the table says, nothing is heard or kept, and Alice reads a plain sentence.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
CAROL=sip:carol@lab.example.org
DAVE=sip:dave@north.example.org
lab_two_users --user "$CAROL,answer=auto" --user "$DAVE,answer=auto"
provision kms carol "$CAROL" >/dev/null
DIRECT=$SERVER
VERIFY="The phone of $BOB could not verify that the call comes from you"
AGREE="The phone of $BOB refused: it could not agree with yours on the security or the audio of the call"
tone "$W/said.wav" 0.4

# tampered NAME WARNING CAUSE-AT-BOB MODE [ARGUMENT]: Alice calls Bob through the man in the middle
tampered() {
    local name=$1 warning=$2 cause=$3 refusals established sentence=$VERIFY
    shift 3
    [ "$warning" -eq 136 ] || sentence=$AGREE
    refusals=$(grep -c '"event":"refused"' "$W/log/bob.out" || true)
    established=$(grep -c '"event":"established"' "$W/log/bob.out" || true)
    rm -f "$W/tap.ready"
    program_start tap python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$(server_port server tcp)" \
        --ready-file "$W/tap.ready" "$@"
    wait_ready "$W/tap.ready"
    SERVER="sip:127.0.0.1:$(jq .port "$W/tap.ready");transport=tcp"
    phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
    expect_exit alice 1
    grep -q "done on an INVITE" "$W/log/tap.err" || fail "$name: nothing was changed"
    program_stop tap
    expect "$name: response" "$(event alice refused code) $(event alice refused warning)" "488 $warning"
    expect "$name: sentence" "$(event alice refused sentence)" "$sentence"
    expect "$name: cause" "$(event bob refused cause)" "$cause"
    expect "$name: refusals at Bob" "$(grep -c '"event":"refused"' "$W/log/bob.out")" "$((refusals + 1))"
    expect "$name: calls at Bob" "$(grep -c '"event":"established"' "$W/log/bob.out" || true)" "$established"
    expect "$name: Alice's keys wiped" "$(event alice idle keys_wiped)" true
    expect "$name: nothing sent" "$(event alice media sent)" null
    SERVER=$DIRECT
    echo "  $name: 488, Warning $warning, $(event bob refused reason)"
}

# good_call: and the phone goes on to work
good_call() {
    phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
    expect_exit alice 0
}

# recorded FILE USER URI TO: the I_MESSAGE of a real call that nobody changes
recorded() {
    rm -f "$W/tap.ready"
    program_start tap python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$(server_port server tcp)" \
        --ready-file "$W/tap.ready" record "$1"
    wait_ready "$W/tap.ready"
    SERVER="sip:127.0.0.1:$(jq .port "$W/tap.ready");transport=tcp"
    phone_start other "$2" "$3" call --to "$4" --play "$W/said.wav" --hangup-after-play
    program_wait other || true
    program_stop tap
    SERVER=$DIRECT
}

# Lab keys of Alice and Carol, to make messages that their phones would not make
lab_keys() { # USER URI FOLDER [OPTION ...]
    "$MCX_BIN/mcx" kms fetch --url "https://127.0.0.1:$(port_of kms)" --kms-uri kms.lab.example.org --user "$2" \
        --token "$W/$1.token" --ca "$W/ca.pem" --store "$W/lab.store" --store-key "$W/alice.store-key" \
        --save-xml "$W/$3" "${@:4}" >>"$W/log/lab.fetch"
}
make_from() { # FOLDER FILE OPTION ...
    "$MCX_BIN/mcx" mikey make --cert "$W/$1/CERT.xml" --keys "$W/$1/KEYSET.xml" --to "$BOB" "${@:3}" >"$2"
}
make() { # FILE OPTION ...
    make_from alice-xml "$@"
}
# renamed FILE OLD NEW: another URI of the same length in the message
renamed() {
    python3 - "$@" <<'PATCH'
import base64, sys
path, old, new = sys.argv[1:]
message = base64.b64decode(open(path).read().split()[-1], validate=True)
assert len(old) == len(new) and message.count(old.encode()) == 1
open(path, "w").write(base64.b64encode(message.replace(old.encode(), new.encode())).decode() + "\n")
PATCH
}
DAY_BEFORE=$(date -u -d "-86400 seconds" +%Y-%m-%dT%H:%M:%SZ)
lab_keys alice "$ALICE" alice-xml
lab_keys carol "$CAROL" carol-xml
lab_keys alice "$ALICE" alice-xml-then --time "$DAY_BEFORE" # of the period that yesterday was in
ntp() { # seconds from now, as the T payload has it
    printf '%08x00000000' $((($(date +%s) + 2208988800 + $1) & 0xffffffff))
}

# what a real call of Carol to Bob, and of Alice to Carol, carries: nobody is there to take it
recorded "$W/carol-bob" carol "$CAROL" "$BOB"
recorded "$W/alice-carol" alice "$ALICE" "$CAROL"

phone_start bob bob "$BOB" answer --calls 0 --record "$W/heard.wav"
wait_registered bob
recorded "$W/alice-bob" alice "$ALICE" "$BOB"
wait_event bob idle
good_call

tampered "bit of the header" 136 authentication flip 4
tampered "bit of RAND" 136 authentication flip 24
tampered "bit of the encapsulated key" 136 authentication flip 300
tampered "bit of the signature" 136 authentication flip -1
tampered "bit of the version" 136 malformed flip 0
tampered "message of Carol" 136 caller-mismatch replace "$W/carol-bob"
make_from carol-xml "$W/forged" --type pck
renamed "$W/forged" "$CAROL" "$ALICE" # IDRi is the caller's, the signature is Carol's
tampered "signature of Carol" 136 authentication replace "$W/forged"
tampered "message for Carol" 136 not-for-me replace "$W/alice-carol"
tampered "message of the call before" 136 replay replace "$W/alice-bob"
make_from alice-xml-then "$W/yesterday" --type pck --time "$(ntp -86400)"
tampered "yesterday's message" 136 stale replace "$W/yesterday"
make "$W/tomorrow" --type pck --time "$(ntp 86400)"
tampered "tomorrow's message" 136 stale replace "$W/tomorrow"
make "$W/csk" --type csk
tampered "key of another purpose" 136 purpose replace "$W/csk"
make "$W/fresh" --type pck
tampered "no I_MESSAGE" 0 no-security remove
tampered "another protocol" 0 other-protocol text "a=key-mgmt:mikey=>a=key-mgmt:other"
tampered "no base64" 136 malformed text "a=key-mgmt:mikey =>a=key-mgmt:mikey !"
tampered "another codec" 0 media text "AMR-WB/16000=>PCMA/8000"
good_call

# the attacker's own control: a fresh message by Alice's key set is taken, so the refusals above are not his tools' fault
rm -f "$W/tap.ready"
program_start tap python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$(server_port server tcp)" \
    --ready-file "$W/tap.ready" replace "$W/fresh"
wait_ready "$W/tap.ready"
SERVER="sip:127.0.0.1:$(jq .port "$W/tap.ready");transport=tcp"
established=$(grep -c '"event":"established"' "$W/log/bob.out")
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
expect_exit alice 0
expect "control" "$(grep -c '"event":"established"' "$W/log/bob.out")" "$((established + 1))"
SERVER=$DIRECT
wait_event bob idle
# ... and then Bob hears nothing, because Alice's phone has another key
expect "packets under another key" "$(event bob media received)" 0

# after a restart the replay cache is empty: what was made before is too old
sleep 11
program_stop bob
phone_start bob bob "$BOB" answer --calls 0
wait_registered bob
tampered "message of before the restart" 136 stale replace "$W/alice-bob"
good_call

# Dave has keys of a KMS whose certificate Bob does not hold
kms_make north kms.north.example.org north.example.org
kms_start north
kms_trust north kms
provision north dave "$DAVE"
phone_start dave dave "$DAVE" call --to "$BOB"
expect_exit dave 1
expect "unknown KMS" "$(event dave refused code) $(event dave refused warning) $(event bob refused cause)" \
    "488 0 unknown-kms"
echo "every changed offer was refused"
