#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Group keys that must not be taken (TS 33.180 5.7, E.6): of the management server of another domain, of one
# that is not the configured one, older than what is known, of a revoked key, under an identifier that is held, expired.
# Genuine servers and 'mcx mikey make' have made them; 'mcx group fetch' and a running radio say why they refuse each one,
# and hold afterwards what they held before. In the end Alice calls, and Bob hears her.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
OTHER_GMS=sip:gms2@lab.example.org FAR_GMS=sip:gms@far.example.org SOUTH=sip:south@lab.example.org

# ---- the attackers: genuine servers with keys of their own, and whoever stands between with what they gave out ----
kms_make far kms.far.example.org far.example.org
kms_start far
kms_trust far kms
kms_trust kms far
kms_fetch kms alice "$ALICE" >"$W/log/alice.fetch-again" # Alice knows the far KMS
gms_make gms2 kms "$OTHER_GMS"
gms_start gms2
gms_make gmsfar far "$FAR_GMS"
gms_start gmsfar
for name in gms2 gmsfar; do
    gms_token $name alice-$name "$ALICE"
    gms_group $name create --group "$GROUP" --member "$ALICE" >"$W/log/create-$name"
    gms_await $name "$GROUP"
done
kms_fetch kms gms "$(cat "$W/gms.uri")" --save-xml "$W/gms.xml" >"$W/log/gms.fetch-again" # the thief of the GMS's own keys

mkdir "$W/docs"
tls_make between
program_start between python3 "$MCX_SOURCE/tests/support/gms_https.py" "$W/between.pem" "$W/between.key" "$W/between.ready" \
    "$W/between.requests" "$W/docs"
wait_ready "$W/between.ready"
URL="https://127.0.0.1:$(cat "$W/between.ready")"
record() { # FILE [SERVER TOKEN-OF]: the GKTP document of Alice as that server gives it out
    expect "document of ${2:-gms}" "$(gms_get "${2:-gms}" "${3:-alice}" org.3gpp.MCPTT-GKTP "$GROUP")" 200
    mv "$W/${3:-alice}.xml" "$W/$1"
}
record first
cp "$W/north.group.xml" "$W/docs/north.group.xml"
publish() { # FILE: that document stands at the server in between
    cp "$W/$1" "$W/docs/.next"
    mv "$W/docs/.next" "$W/docs/north.gktp.xml"
    date +%s%N | sed 's/.*/"&"/' >"$W/docs/north.gktp.etag"
}
messages() { grep -o '>[0-9A-Fa-f]\{200,\}<' "$W/$1" | tr -d '<>'; }
with() { # FILE MESSAGE ...: a document with these payloads for Alice
    local file=$1 m
    {
        echo '<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GMK-GKTPs>'
        for m in "${@:2}"; do echo "<GKTP id='$ALICE'>$m</GKTP>"; done
        echo '</GMK-GKTPs></GKTPs>'
    } >"$W/$file"
}
made() { # T OPTION ...: a message about a key of the group, signed by the GMS; T in Unix seconds
    "$MCX_BIN/mcx" mikey make --type gmk --cert "$W/gms.xml/CERT.xml" --keys "$W/gms.xml/KEYSET.xml" --to "$ALICE" \
        --group "$GROUP" --time "$(printf '%08x00000000' $((($1 + 2208988800) & 0xffffffff)))" "${@:2}" \
        2>>"$W/log/make" | sed 's/^mikey //' | base64 -d | od -An -v -tx1 | tr -d ' \n'
}

fetch() { # sets out, code
    code=0
    out=$("$MCX_BIN/mcx" group fetch --gms-url "${1:-$URL}" --gms-uri "$(cat "$W/gms.uri")" --user "$ALICE" --group "$GROUP" \
        --token "$W/${2:-alice}.gms-token" --ca "$W/ca.pem" --store "$W/alice.store" --store-key "$W/alice.store-key" --json \
        2>"$W/log/fetch.err") || code=$?
}
held() { # all but the serial and what is known of documents
    "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json | jq -c '.keys | sort'
}
reasons() { jq -r '.groups[0].refused[] | "\(.status): \(.reason) (\(.clause))"' <<<"$out"; }
times=0
refused() { # NAME DOCUMENT 'STATUS: REASON (CLAUSE)': both refuse it, and nothing has changed
    local before changes
    before=$(held)
    changes=$(events alice key status | wc -l)
    publish "$2"
    fetch
    expect "$1: exit code" $code 1
    expect "$1" "$(reasons)" "$3"
    grep -qF "${3#*: }" "$W/log/fetch.err" || fail "$1: a person does not read why"
    expect "$1: keys held" "$(held)" "$before"
    told=$(grep -cF "$(jq -r '.groups[0].refused[0].reason' <<<"$out")" "$W/log/alice.out" || true)
    wait_field alice refused reason "$(jq -r '.groups[0].refused[0].reason' <<<"$out")" $((told + 1))
    expect "$1: clause at the radio" "$(event alice refused cause) $(event alice refused clause)" \
        "group-keys $(jq -r '.groups[0].refused[0].clause' <<<"$out")"
    expect "$1: keys of the radio" "$(events alice key status | wc -l)" "$changes"
    expect "$1: keys held after the radio's fetch" "$(held)" "$before"
    times=$((times + 1))
    echo "  $1: $3"
}

publish first
radio_start alice alice "$ALICE" --play "$W/alice.wav" --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" \
    --gms-ca "$W/ca.pem" --gms-token "$W/alice.gms-token" --group "$GROUP" --gms-poll 1
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
fetch
expect "the control: the document of the GMS" "$code $(jq -r '.groups[0] | "\(.state) \(.num_refused)"' <<<"$out")" "0 current 0"

# ---- servers that are not the configured one ----
NOT_THE_GMS="policy: IDRi is not the initiator that is expected here (TS 33.180 5.2.2)"
record of-far gmsfar alice-gmsfar
record of-neighbour gms2 alice-gms2
refused "of the server of another domain" of-far "$NOT_THE_GMS"
refused "of another server of the domain" of-neighbour "$NOT_THE_GMS"
before=$(held)
fetch "https://127.0.0.1:$(port_of gms2)" alice-gms2
expect "fetched from the other server itself" "$code $(reasons)" "1 $NOT_THE_GMS"
expect "keys held after it" "$(held)" "$before"

# ---- older than the last message about the key: the server has written its groups anew ----
gms_group gms create --group "$SOUTH" --member "$ALICE" --share "$GROUP" >"$W/log/create-south"
for _ in $(seq 200); do
    record second
    [ "$(messages second)" != "$(messages first)" ] && break
    sleep 0.1
done
[ "$(messages second)" != "$(messages first)" ] || fail "the server has not made the payload anew"
publish second
wait_status alice key updated
refused "older than the last message" first "replay: older than the last message about this group key (RFC 3830 5.4)"

# ---- another key, or another RAND, under an identifier that is held ----
# RAND stands in the open; the GMK does not, so "the same key" needs one that we have made ourselves
genuine=$(held | jq -r '.[0].key_id')
rand=$(messages first | python3 -c 'import base64, sys; print(base64.b64encode(bytes.fromhex(sys.stdin.read())).decode())' |
    "$MCX_BIN/mcx" mikey inspect --json | jq -r '.fields[] | select(.payload == "RAND" and (.octets | length) == 32).octets')
with other-key "$(made "$(date +%s)" --key-id "$genuine" --rand "$rand")"
refused "another key" other-key "policy: another key under an identifier that is held (TS 33.180 5.2.3)"
key=00112233445566778899aabbccddeeff
then=$(($(date +%s) - 20))
with ours "$(made $then --key $key --key-id 0abcdef1 --rand "$rand")"
publish ours
wait_field alice key key_id 0abcdef1 1
with other-rand "$(made "$(date +%s)" --key $key --key-id 0abcdef1 --rand 52525252525252525252525252525252)"
refused "another RAND" other-rand "policy: the group key is held with another RAND or SRTP policy (TS 33.180 7.4.2)"
with other-times "$(made $then --key $key --key-id 0abcdef1 --rand "$rand" --expiry $((then + 600)))"
refused "other times" other-times "replay: other times of the group key under the same time stamp (RFC 3830 5.4)"

# ---- expired ----
with expired "$(made "$(date +%s)" --key-id 0abcdef2 --expiry $(($(date +%s) - 1)))"
refused "expired" expired "expired: the group key has expired (TS 33.180 E.6.10)"

# ---- revoked ----
with revocation "$(made "$(date +%s)" --key $key --key-id 0abcdef1 --rand "$rand" --revoked)"
publish revocation
wait_status alice key revoked
with again "$(made "$(date +%s)" --key $key --key-id 0abcdef1 --rand "$rand")"
refused "a revoked key, by a new message" again "policy: the group key was revoked (TS 33.180 E.6.9)"
refused "the message of before the revocation" ours "replay: older than the last message about this group key (RFC 3830 5.4)"

gms_group gms rekey --group "$GROUP" >"$W/log/rekey"
gms_await gms "$GROUP" 2
gms_group gms revoke --group "$GROUP" --key-id "$genuine" >"$W/log/revoke"
revoked() { grep '"event":"key"' "$W/log/alice.out" | grep '"status":"revoked"' | grep -q "$genuine"; }
for _ in $(seq 100); do # until the radio has it from the server
    record third
    publish third
    sleep 0.5
    revoked && break
done
revoked || fail "the radio did not learn of the revocation"
new=$(gms_group gms show --group "$GROUP" --json | jq -r '.keys[] | select(.state == "published").key_id')
wait_key alice "$new"
for file in first second; do
    refused "after the server's own revocation, its $file document" $file \
        "replay: older than the last message about this group key (RFC 3830 5.4)"
done
publish third
fetch
expect "the server's present document after all that" "$code $(jq -r '.groups[0].state' <<<"$out")" "0 current"

# ---- a server that the radio's authority does not vouch for, or not under this name (TS 33.180 6.1.1) ----
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$W/x.key" -out "$W/x.pem" -days 2 -subj /CN=x \
    >>"$W/log/ca" 2>&1
openssl x509 -req -in "$W/between.csr" -CA "$W/ca.pem" -CAkey "$W/ca.key" -CAcreateserial -days 2 -out "$W/named.pem" \
    -extfile <(echo "subjectAltName=DNS:gms.example.org") >>"$W/log/ca" 2>&1
program_start named python3 "$MCX_SOURCE/tests/support/gms_https.py" "$W/named.pem" "$W/between.key" "$W/named.ready" \
    "$W/named.requests" "$W/docs"
wait_ready "$W/named.ready"
publish first
mv "$W/carol.store.groups" "$W/aside" # what a server of theirs could reach: a radio that holds nothing yet
distrusted() { # NAME URL CA: the radio says why, and asks nothing
    radio_start lone carol "$CAROL" --gms-url "$2" --gms-uri "$(cat "$W/gms.uri")" --gms-ca "$3" \
        --gms-token "$W/carol.gms-token" --group "$GROUP" --gms-poll 1
    for _ in $(seq 200); do
        grep -q 'did not verify against' "$W/log/lone.err" && break
        sleep 0.1
    done
    grep -q 'the TLS certificate of the server did not verify against the authority given (auth, TS 33.180 6.1.1)' "$W/log/lone.err" ||
        fail "$1: the radio does not say why"
    say_to lone quit
    expect_exit lone 0
    expect "$1: keys of the radio" "$(event lone key status)" null
    if [ -e "$W/carol.store.groups" ]; then
        expect "$1: keys held" "$("$MCX_BIN/mcx" group keys --store "$W/carol.store" --store-key "$W/carol.store-key" --json |
            jq -c '[.keys, .groups]')" "[[],[]]"
    fi
}
distrusted "another authority" "https://127.0.0.1:$(cat "$W/between.ready")" "$W/x.pem"
distrusted "another name" "https://127.0.0.1:$(cat "$W/named.ready")" "$W/ca.pem"
[ ! -e "$W/named.requests" ] || fail "a request reached the server of another name"
mv "$W/aside" "$W/carol.store.groups"
publish third

# ---- and a call still works, under the key that the server has made since ----
gms_fetch gms bob "$BOB" "$GROUP" >"$W/log/bob.groups"
wait_key bob "$new"
say_to alice call "$GROUP"
wait_event alice group-established
wait_event bob group-established
expect "the key of the call" "$(event alice group-established key_id)" "$new"
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
echo "refused: $times documents, each by the command and by the radio; the call went on as if nothing had been"
