#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a radio holds is bounded, whoever signs: more groups than a key may have, and more keys than there is room for. They
# are all signed by the group management server, whose keys were stolen, and 'mcx group fetch' and a running radio say why
# they take no more and hold what they held. A key that is revoked makes room. In the end Alice calls under the genuine key,
# and Bob hears her. (More groups in one message than it may name: TC_group_imessage_refused.sh.)
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
kms_fetch kms gms "$(cat "$W/gms.uri")" --save-xml "$W/gms.xml" >"$W/log/gms.fetch-again"
KEYS_MAX=512 GROUPS_MAX=16 PAYLOADS_MAX=64 # MCX_GROUP_KEYS_MAX, MCX_GROUP_KEY_GROUPS_MAX, MCX_GMC_PAYLOADS_MAX
KEY=00112233445566778899aabbccddeeff RAND=52525252525252525252525252525252
then=$(($(date +%s) - 600)) # older than the genuine key, so that this one stays the key to send with
TIME=$(printf '%08x00000000' $(((then + 2208988800) & 0xffffffff)))
export W ALICE GROUP KEY RAND TIME

mkdir "$W/docs" "$W/fill"
tls_make between
program_start between python3 "$MCX_SOURCE/tests/support/gms_https.py" "$W/between.pem" "$W/between.key" "$W/between.ready" \
    "$W/between.requests" "$W/docs"
wait_ready "$W/between.ready"
URL="https://127.0.0.1:$(cat "$W/between.ready")"
expect "keys of Alice" "$(gms_get gms alice org.3gpp.MCPTT-GKTP "$GROUP")" 200
mv "$W/alice.xml" "$W/first"
cp "$W/north.group.xml" "$W/docs/north.group.xml"
publish() { # FILE: that document stands at the server in between
    cp "$W/$1" "$W/docs/.next"
    mv "$W/docs/.next" "$W/docs/north.gktp.xml"
    date +%s%N | sed 's/.*/"&"/' >"$W/docs/.next"
    mv "$W/docs/.next" "$W/docs/north.gktp.etag"
}
with() { # FILE MESSAGE: a document with this payload for Alice
    echo "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'><GMK-GKTPs><GKTP id='$ALICE'>$2</GKTP></GMK-GKTPs></GKTPs>" >"$W/$1"
}
made() { # KEY-ID OPTION ...: a message about that key of the group, signed by the GMS
    "$MCX_BIN/mcx" mikey make --type gmk --cert "$W/gms.xml/CERT.xml" --keys "$W/gms.xml/KEYSET.xml" --to "$ALICE" \
        --key "$KEY" --rand "$RAND" --time "$TIME" --key-id "$1" --group "$GROUP" "${@:2}" 2>>"$W/log/make" |
        sed 's/^mikey //' | base64 -d | od -An -v -tx1 | tr -d ' \n'
}
others() { # FROM TO: options for other groups, so many
    local i
    for i in $(seq "$1" "$2"); do echo "--group sip:g$i@lab.example.org"; done
}
fetch() { # sets out, code
    code=0
    out=$("$MCX_BIN/mcx" group fetch --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" --user "$ALICE" --group "$GROUP" \
        --token "$W/alice.gms-token" --ca "$W/ca.pem" --store "$W/alice.store" --store-key "$W/alice.store-key" --json \
        2>"$W/log/fetch.err") || code=$?
}
held() {
    "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json | jq -c '.keys | sort'
}
told_all() { # until the radio has told of every key that is held
    local i
    for i in $(seq 300); do
        [ "$(events alice key key_id | sort -u)" = "$(held | jq -r '.[].key_id' | sort -u)" ] && return 0
        sleep 0.1
    done
    fail "the radio does not hold what was fetched"
}
taken() { # NAME DOCUMENT N: it is taken, and so many keys are held
    publish "$2"
    fetch
    expect "$1" "$code $(jq -r '.groups[0] | "\(.state) \(.num_refused)"' <<<"$out")" "0 current 0"
    expect "$1: keys held" "$(held | jq length)" "$3"
}
times=0
refused() { # NAME DOCUMENT STATUS REASON CLAUSE: both refuse it, and nothing has changed
    local before changes told
    before=$(held)
    changes=$(events alice key status | wc -l)
    told=$(grep -cF "\"reason\":\"$4\"" "$W/log/alice.out" || true)
    publish "$2"
    fetch
    expect "$1: exit code" $code 1
    expect "$1" "$(jq -r '.groups[0].refused[0] | "\(.status): \(.reason) (\(.clause))"' <<<"$out")" "$3: $4 ($5)"
    grep -qF "$4" "$W/log/fetch.err" || fail "$1: a person does not read why"
    expect "$1: keys held" "$(held)" "$before"
    wait_field alice refused reason "$4" $((told + 1))
    expect "$1: at the radio" "$(event alice refused cause) $(event alice refused clause)" "group-keys $5"
    expect "$1: keys of the radio" "$(events alice key status | wc -l)" "$changes"
    expect "$1: keys held after the radio's fetch" "$(held)" "$before"
    times=$((times + 1))
    echo "  $1: $3: $4"
}

publish first
radio_start alice alice "$ALICE" --play "$W/alice.wav" --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" \
    --gms-ca "$W/ca.pem" --gms-token "$W/alice.gms-token" --group "$GROUP" --gms-poll 1
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
taken "the control: the document of the GMS" first 1
genuine=$(held | jq -r '.[0].key_id')

# ---- groups of one key: with the T of the last message, groups are added ----
# shellcheck disable=SC2046
with full "$(made 0abcdef1 $(others 2 $GROUPS_MAX))"
taken "the control: as many groups as a key may have" full 2
told_all
with wider "$(made 0abcdef1 --group sip:further@lab.example.org)"
refused "another group for the same key" wider space "too many groups of one key" ""

# ---- keys ----
missing=$((KEYS_MAX - 2))
# shellcheck disable=SC2016
seq $missing | xargs -P 2 -I {} bash -c '"$MCX_BIN/mcx" mikey make --type gmk --cert "$W/gms.xml/CERT.xml" \
    --keys "$W/gms.xml/KEYSET.xml" --to "$ALICE" --key "$KEY" --rand "$RAND" --time "$TIME" \
    --key-id "$(printf %08x $((0x0b000000 + {})))" --group "$GROUP" >"$W/fill/{}"' 2>>"$W/log/make"
python3 - "$W" "$ALICE" $missing $PAYLOADS_MAX <<'PY'
import base64, sys
folder, user, missing, most = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for n, first in enumerate(range(1, missing + 1, most)):
    with open("%s/fill-%d" % (folder, n), "w") as out:
        out.write("<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'><GMK-GKTPs>")
        for i in range(first, min(first + most, missing + 1)):
            message = base64.b64decode(open("%s/fill/%d" % (folder, i)).read().split()[1])
            out.write("<GKTP id='%s'>%s</GKTP>" % (user, message.hex()))
        out.write("</GMK-GKTPs></GKTPs>")
PY
for n in $(seq 0 $(((missing - 1) / PAYLOADS_MAX))); do
    last=$(((n + 1) * PAYLOADS_MAX))
    taken "keys up to $last" "fill-$n" $((2 + (last < missing ? last : missing)))
done
told_all
with over "$(made 0c000001)"
refused "a key more than there is room for" over space "too many group keys are held" ""
taken "the document of the GMS, when there is no room" first $KEYS_MAX

# ---- a key that is revoked makes room ----
with revocation "$(made 0b000001 --revoked)"
taken "a revocation, when there is no room" revocation $KEYS_MAX
wait_status alice key revoked
taken "the same key, now that there is room" over $KEYS_MAX
wait_key alice 0c000001
expect "the revoked one is forgotten" "$(held | jq -r '.[].key_id' | grep -c '^0b000001$' || true)" 0
expect "the genuine one is held" "$(held | jq -r '.[].key_id' | grep -c "^$genuine$")" 1

# ---- and a call still works, under the genuine key ----
say_to alice call "$GROUP"
wait_event alice group-established
wait_event bob group-established
expect "the key of the call" "$(event alice group-established key_id)" "$genuine"
say_to alice push
wait_floor alice granted
wait_event alice played
say_to alice release
wait_floor alice released
say_to alice leave
wait_event bob group-ended
for who in alice bob; do say_to $who quit; done
expect_exit bob 0
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
echo "bounds: $times messages refused with $KEYS_MAX keys held, and the call went on"
