#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Documents of groups that must not be taken (TS 24.481 7.2, 7.7), served over HTTPS by a group management server that has
# gone wrong: 'mcx group fetch', a running radio and mcx-mcpttd say why they refuse each one, and go on with what they have.
# In the end Alice calls, and Bob hears her.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
kms_fetch kms gms "$(cat "$W/gms.uri")" --save-xml "$W/gms.xml" >"$W/log/gms.fetch-again" # the thief of the GMS's own keys
SOUTH=sip:south@lab.example.org

mkdir "$W/docs"
tls_make between
program_start between python3 "$MCX_SOURCE/tests/support/gms_https.py" "$W/between.pem" "$W/between.key" "$W/between.ready" \
    "$W/between.requests" "$W/docs"
wait_ready "$W/between.ready"
URL="https://127.0.0.1:$(cat "$W/between.ready")"
expect "keys of Alice" "$(gms_get gms alice org.3gpp.MCPTT-GKTP "$GROUP")" 200
mv "$W/alice.xml" "$W/first.gktp"
cp "$W/north.group.xml" "$W/first.group"
sed "s/$GROUP/$SOUTH/" "$W/first.group" >"$W/docs/south.group.xml" # another group, which is always good
publish() { # group|gktp FILE [HTTP-STATUS]: that stands at the server, or is its answer
    local name=$W/docs/north.$1
    cp "$2" "$W/docs/.next"
    mv "$W/docs/.next" "$name.xml"
    echo "${3:-0}" >"$W/docs/.next"
    mv "$W/docs/.next" "$name.status"
    date +%s%N | sed 's/.*/"&"/' >"$W/docs/.next" # last: nobody may take the document of before for this one
    mv "$W/docs/.next" "$name.etag"
}
message() { # TYPE TO [OPTION ...]: signed by the GMS, in hexadecimal
    "$MCX_BIN/mcx" mikey make --type "$1" --cert "$W/gms.xml/CERT.xml" --keys "$W/gms.xml/KEYSET.xml" --to "$2" "${@:3}" \
        2>>"$W/log/make" | sed 's/^mikey //' | base64 -d | od -An -v -tx1 | tr -d ' \n'
}
with() { # FILE MESSAGE ...: a document with these payloads for Alice
    local file=$1 m
    {
        echo '<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GMK-GKTPs>'
        for m in "${@:2}"; do echo "<GKTP id='$ALICE'>$m</GKTP>"; done
        echo '</GMK-GKTPs></GKTPs>'
    } >"$file"
}
fetch() { # OPTION ...: sets out, code
    code=0
    out=$("$MCX_BIN/mcx" group fetch --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" --user "$ALICE" --group "$GROUP" \
        --token "$W/alice.gms-token" --ca "$W/ca.pem" --store "$W/alice.store" --store-key "$W/alice.store-key" --json "$@" \
        2>"$W/log/fetch.err") || code=$?
}
held() {
    "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json | jq -c '.keys | sort'
}
told() { # EVENT REASON: how often the server or the radio has said so
    jq -s --arg e "$1" --arg r "$2" 'map(select(.event == $e and (.text == $r or .reason == $r))) | length' "$W/log/$3.out"
}
wait_told() { # EVENT REASON PROGRAM N
    local i
    for i in $(seq 300); do
        [ "$(told "$1" "$2" "$3")" -ge "$4" ] && return 0
        sleep 0.1
    done
    fail "$3 did not say '$2'"
}
in_force() { # how many documents the server has put into force
    jq -s 'map(select(.event == "group-changed")) | length' "$W/log/server.out"
}
wait_in_force() { # N
    local i
    for i in $(seq 300); do
        [ "$(in_force)" -ge "$1" ] && return 0
        sleep 0.1
    done
    fail "the server has not taken $1 documents"
}
times=0
refused() { # NAME group|gktp FILE HTTP-STATUS 'STATUS: REASON (CLAUSE)' ['REASON (CLAUSE)' of the server]
    local before reason clause n m changes
    changes=$(in_force)
    reason=${5#*: } clause=$(sed -n 's/.* (\(.*\))$/\1/p' <<<"$5")
    reason=${reason% (*}
    before=$(held)
    n=$(told refused "$reason" alice)
    publish "$2" "$3" "$4"
    fetch
    expect "$1: exit code" $code 1
    expect "$1" "$(jq -r '.groups[0].refused[0] | "\(.status): \(.reason)" + if .clause == "" then "" else " (\(.clause))" end' <<<"$out")" "$5"
    grep -qF "$reason" "$W/log/fetch.err" || fail "$1: a person does not read why"
    expect "$1: keys held" "$(held)" "$before"
    wait_told refused "$reason" alice $((n + 1))
    expect "$1: clause at the radio" "$(event alice refused cause) $(event alice refused clause)" "group-keys $clause"
    expect "$1: keys held after the radio's fetch" "$(held)" "$before"
    if [ -n "${6:-}" ]; then
        m=$(told "${7:-group-document-refused}" "${6% (*}" server)
        wait_told "${7:-group-document-refused}" "${6% (*}" server $((m + 1))
        expect "$1: clause at the server" \
            "$(jq -rs --arg e "${7:-group-document-refused}" 'map(select(.event == $e)) | last | .clause // ""' "$W/log/server.out")" \
            "$(sed -n 's/.* (\(.*\))$/\1/p' <<<"$6")"
        expect "$1: groups in force" "$(in_force)" "$changes"
    fi
    publish gktp "$W/first.gktp"
    publish group "$W/first.group"
    wait_in_force $((changes + 1))
    times=$((times + 1))
    echo "  $1: $5"
}

# ---- nothing is held, and an answer says that it has not changed ----
publish group "$W/first.group" 304
publish gktp "$W/first.gktp"
fetch --group-keys "$W/none.groups"
expect "unchanged, though unknown" "$code $(jq -r '.groups[0].refused[0].reason' <<<"$out")" \
    "1 a document that was not known is said to be unchanged"
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --user "$ALICE" --user "$BOB" --user "$CAROL" --group "$GROUP" --group "$SOUTH" \
    --gms-url "$URL" --gms-token "$W/alice.gms-token" --gms-ca "$W/ca.pem" --gms-poll 1
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
wait_told group-document-refused "not modified, but no document is held" server 1
publish group "$W/first.group"
wait_field server group-changed group "$GROUP" 1
wait_field server group-changed group "$SOUTH" 1

radio_start alice alice "$ALICE" --play "$W/alice.wav" --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" \
    --gms-ca "$W/ca.pem" --gms-token "$W/alice.gms-token" --group "$GROUP" --gms-poll 1
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
for kind in application/vnd.oma.poc.groups+xml text/html 'a/b; c="d' nonsense; do # docs/DEVIATIONS.md "group-body-type"
    echo "$kind" >"$W/docs/north.group.type"
    changes=$(in_force)
    publish group "$W/first.group"
    fetch
    wait_in_force $((changes + 1))
    expect "the control, as $kind" "$code $(jq -r '.groups[0] | "\(.state) \(.num_refused)"' <<<"$out")" "0 current 0"
done

# ---- group documents ----
change() { # FILE SED-COMMAND
    sed "$2" "$W/first.group" >"$W/$1"
    cmp -s "$W/$1" "$W/first.group" && fail "$1 is as it was"
    return 0
}
DOC="TS 24.481 7.2"
change other "s/$GROUP/$SOUTH/"
refused "of another group" group "$W/other" 0 "format: the document of another group (TS 24.481 7.2.10)" \
    "the document is of another group ($DOC)"
change twice "s/$BOB/$ALICE/"
refused "a member twice" group "$W/twice" 0 "format: a member stands twice in the group document ($DOC)" \
    "a member stands twice in the group document ($DOC)"
change blank "s/uri=\"$BOB\"/uri=\" $ALICE \"/"
refused "a member twice, once with blanks" group "$W/blank" 0 "format: a member stands twice in the group document ($DOC)" \
    "a member stands twice in the group document ($DOC)"
change nobody "s/entry uri=\"$BOB\"/entry/"
refused "an entry without a member" group "$W/nobody" 0 "format: an entry of the group's list has no usable value ($DOC)" \
    "an entry of the group's list has no usable value ($DOC)"
change maybe 's/\(protect-media>\)true/\1maybe/'
refused "protect-media maybe" group "$W/maybe" 0 "format: an element of the group document has no usable value ($DOC)" \
    "an element of the group document has no usable value ($DOC)"
change mute 's/mcptt-speech/mcptt-silence/'
refused "no MCPTT group" group "$W/mute" 0 "unsup: the group has no MCPTT service with speech (TS 24.481 7.2.8)" \
    "the group has no MCPTT service with speech (TS 24.481 7.2.8)"
echo '<a/>' >"$W/another"
refused "another document" group "$W/another" 0 "format: not a group document with one list-service ($DOC)" \
    "not a group document with one list-service ($DOC)"
echo hello >"$W/text"
refused "no XML" group "$W/text" 0 "format: XML that is not well formed" "XML that is not well formed"
{ echo '<!DOCTYPE group>'; grep -v '^<?xml' "$W/first.group"; } >"$W/doctype"
refused "a DOCTYPE" group "$W/doctype" 0 "format: XML with a DOCTYPE" "XML with a DOCTYPE"
printf '<a>\xff</a>' >"$W/octets"
refused "no UTF-8" group "$W/octets" 0 "format: XML document is not UTF-8" "XML document is not UTF-8"
echo '<?xml version="1.0" encoding="ISO-8859-1"?><a/>' >"$W/latin"
refused "another encoding" group "$W/latin" 0 "format: XML declared in another encoding than UTF-8" \
    "XML declared in another encoding than UTF-8"
python3 -c 'print("<a>" * 100 + "</a>" * 100)' >"$W/deep"
refused "nested too deeply" group "$W/deep" 0 "format: XML nested too deeply" "XML nested too deeply"
{ cat "$W/first.group"; head -c 34000000 /dev/zero | tr '\0' ' '; } >"$W/long"
refused "larger than any document" group "$W/long" 0 "space: the answer is larger than a document of a group may be" \
    "the answer is larger than a group document may be"
refused "a redirect" group "$W/first.group" 302 "policy: the GMS refused the request (RFC 4825 8)" \
    "no answer that can be used" group-documents-not-fetched
refused "a token that does not serve" group "$W/first.group" 401 \
    "policy: the GMS does not take the access token (TS 33.180 5.1.3)" "the access token does not serve (TS 33.180 B.4)" \
    group-documents-not-fetched
refused "a server error" group "$W/first.group" 503 "io: the GMS failed (RFC 4825 8)" "no answer that can be used" \
    group-documents-not-fetched

# ---- documents with keys ----
refused "another document with the keys" gktp "$W/another" 0 \
    "format: not a GKTP document, or a temporary group without its identity (TS 24.481 7.7)"
echo '<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GMK-GKTPs><on-network-regrouped-GKTPs/></GMK-GKTPs></GKTPs>' >"$W/nameless"
refused "a temporary group without a name" gktp "$W/nameless" 0 \
    "format: not a GKTP document, or a temporary group without its identity (TS 24.481 7.7)"
refused "larger than any document, with the keys" gktp "$W/long" 0 "space: the answer is larger than a document of a group may be"
good=$(grep -o '>[0-9A-Fa-f]\{200,\}<' "$W/first.gktp" | tr -d '<>')
[ "$(wc -w <<<"$good")" = 1 ] || fail "not one payload"
with "$W/same" "$good" "$good"
publish gktp "$W/same"
fetch --group-keys "$W/own.groups" # a file of its own: with Alice's, her radio may have been there first
expect "the same payload twice is one key" "$code $(jq -r '.groups[0] | "\(.state) \(.new) \(.same)"' <<<"$out")" "0 current 1 1"
publish gktp "$W/first.gktp"
# shellcheck disable=SC2046
with "$W/many" $(for _ in $(seq 65); do echo "$good"; done)
refused "65 payloads" gktp "$W/many" 0 "space: more payloads for one user than a document may have"
BAD="format: the payload is not hexadecimal, empty or too long (TS 24.481 7.7)"
with "$W/empty" ""
refused "an empty payload" gktp "$W/empty" 0 "$BAD"
with "$W/digits" "${good}0"
refused "an odd number of digits" gktp "$W/digits" 0 "$BAD"
with "$W/endless" "$good$(head -c 200000 /dev/zero | tr '\0' 0)"
refused "a payload without end" gktp "$W/endless" 0 "$BAD"
with "$W/kind" "$(message mkfc "$ALICE" --group "$GROUP")"
refused "a MKFC among the GMKs" gktp "$W/kind" 0 "policy: this kind of key may not arrive here (TS 33.180 5.2.2)"
with "$W/csk" "$(message csk "$ALICE")"
refused "a CSK among the GMKs" gktp "$W/csk" 0 "policy: this kind of key may not arrive here (TS 33.180 5.2.2)"
with "$W/future" "$(message gmk "$ALICE" --group "$GROUP" --time "$(printf '%08x00000000' $((($(date +%s) + 86400 + 2208988800) & 0xffffffff)))")"
refused "from the future" gktp "$W/future" 0 "expired: the time stamp lies in the future (RFC 3830 5.4)"
# Alice's device has keys of Bob too; his payload under her name is not hers
"$MCX_BIN/mcx" kms fetch --url "https://127.0.0.1:$(port_of kms)" --kms-uri "$(cat "$W/kms.uri")" --user "$BOB" \
    --token "$W/bob.token" --ca "$W/ca.pem" --store "$W/alice.store" --store-key "$W/alice.store-key" >"$W/log/both.fetch"
with "$W/neighbour" "$(message gmk "$BOB" --group "$GROUP")"
publish gktp "$W/neighbour"
fetch
expect "of another user of the device" "$code $(jq -r '.groups[0].refused[0] | "\(.status): \(.reason) (\(.clause))"' <<<"$out")" \
    "1 policy: addressed to another user of this device (TS 33.180 5.2.2)"
publish gktp "$W/first.gktp"

# ---- and a call still works ----
say_to alice call "$GROUP"
wait_event alice group-established
wait_event bob group-established
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
echo "refused: $times documents, by the command, by the radio and, of group documents, by the server"
