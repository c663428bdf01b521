#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# I_MESSAGEs with a good signature that contradict themselves (TS 33.180 annex E), from a group management server that has
# gone wrong, over HTTPS: 'mcx group fetch' and a running radio say why they refuse each one, and take the good one that
# stands among them. Then the same with client-server keys in a REGISTER.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
kms_make far kms.far.example.org far.example.org
kms_start far
kms_trust kms far
kms_make gone kms.gone.example.org gone.example.org # a KMS whose certificate was revoked
"$MCX_BIN/mcx-kmsd" cert --dir "$W/gone" | sed 's/<Revoked>false/<Revoked>true/' >"$W/gone.xml"
"$MCX_BIN/mcx-kmsd" external add --dir "$W/kms" "$W/gone.xml" >"$W/log/gone"
kms_fetch kms alice "$ALICE" >"$W/log/alice.fetch-again" # Alice knows the far KMS
kms_fetch kms gms "$(cat "$W/gms.uri")" --save-xml "$W/gms.xml" >"$W/log/gms.fetch-again" # the GMS's own keys

mkdir "$W/docs"
tls_make between
program_start between python3 "$MCX_SOURCE/tests/support/gms_https.py" "$W/between.pem" "$W/between.key" "$W/between.ready" \
    "$W/between.requests" "$W/docs"
wait_ready "$W/between.ready"
URL="https://127.0.0.1:$(cat "$W/between.ready")"
cp "$W/north.group.xml" "$W/docs/north.group.xml"
publish() {
    cp "$W/$1" "$W/docs/.next"
    mv "$W/docs/.next" "$W/docs/north.gktp.xml"
    date +%s%N | sed 's/.*/"&"/' >"$W/docs/north.gktp.etag"
}
with() { # FILE MESSAGE ...: a document with these payloads for Alice
    local file=$1 m
    {
        echo '<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GMK-GKTPs>'
        for m in "${@:2}"; do echo "<GKTP id='$ALICE'>$m</GKTP>"; done
        echo '</GMK-GKTPs></GKTPs>'
    } >"$W/$file"
}
KEY=00112233445566778899aabbccddeeff
message() { # ID: a good message
    "$MCX_BIN/mcx" mikey make --type gmk --cert "$W/gms.xml/CERT.xml" --keys "$W/gms.xml/KEYSET.xml" --to "$ALICE" \
        --group "$GROUP" --key "$KEY" --key-id "$1" 2>>"$W/log/make"
}
odd() { python3 "$MCX_SOURCE/tests/support/odd_imessage.py" "$@"; }
hex() { cut -d' ' -f2 | base64 -d | od -An -v -tx1 | tr -d ' \n'; }
fetch() { # sets out, code
    code=0
    out=$("$MCX_BIN/mcx" group fetch --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" --user "$ALICE" --group "$GROUP" \
        --token "$W/alice.gms-token" --ca "$W/ca.pem" --store "$W/alice.store" --store-key "$W/alice.store-key" --json "$@" \
        2>"$W/log/fetch.err") || code=$?
}
held() {
    "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json | jq -c '.keys | map(.key_id) | sort'
}

# ---- group keys ----
with good "$(message 0abcde00 | hex)"
publish good
radio_start alice alice "$ALICE" --gms-url "$URL" --gms-uri "$(cat "$W/gms.uri")" --gms-ca "$W/ca.pem" \
    --gms-token "$W/alice.gms-token" --group "$GROUP" --gms-poll 1
wait_field alice key key_id 0abcde00 1
number=0 names=() wants=()
told() { # 'STATUS: REASON (CLAUSE)': has the radio said so?
    local reason=${1#*: }
    jq -es --arg r "${reason% (*}" --arg c "$(sed 's/.* (\(.*\))$/\1/' <<<"$1")" \
        'any(.event == "refused" and .cause == "group-keys" and .reason == $r and .clause == $c)' "$W/log/alice.out" >/dev/null
}
document() { # what is in names and wants, in one document with a good key in the middle
    local id bad want payloads=() i
    id=$(printf '0abcde%02x' $((number + 1)))
    bad=$(printf '0bad00%02x' $((number + 1)))
    message "$bad" >"$W/bad"
    mapfile -t payloads < <(odd --keys "$W/gms.xml" --key $KEY "${names[@]}" <"$W/bad" | cut -d' ' -f2)
    expect "messages that were made" ${#payloads[@]} ${#names[@]}
    with odd "${payloads[@]:0:3}" "$(message "$id" | hex)" "${payloads[@]:3}"
    publish odd
    fetch --group-keys "$W/own.groups"
    expect "exit code" $code 1
    want=$(printf '%s\n' "${wants[@]}")
    expect "refused by the command: ${names[*]}" \
        "$(jq -r '.groups[0].refused[] | "\(.status): \(.reason)" + if .clause == "" then "" else " (\(.clause))" end' <<<"$out")" "$want"
    expect "the good one among them" "$(jq -r '.groups[0] | "\(.state) \(.new) \(.num_refused)"' <<<"$out")" "partly 1 ${#names[@]}"
    wait_field alice key key_id "$id" 1
    for i in "${!names[@]}"; do
        told "${wants[i]}" || fail "the radio did not refuse ${names[i]}: ${wants[i]}"
        echo "  ${names[i]}: ${wants[i]}"
    done
    number=$((number + ${#names[@]}))
    names=() wants=()
}
cases() { # lines of NAME, STATUS: REASON (CLAUSE)
    local name want
    while read -r name want; do
        names+=("$name") wants+=("$want")
        [ ${#names[@]} -lt 8 ] || document # as many as are told one by one
    done
    [ ${#names[@]} = 0 ] || document
}
cases <<'TABLE'
data-type unsup: data type is not 26, SAKKE message (RFC 6509 4.1)
prf unsup: PRF func is not 1, PRF-HMAC-SHA-256 (TS 33.180 E.1.2)
version unsup: MIKEY version or CS ID map type is not supported (RFC 3830 6.1)
map-empty format: number of crypto sessions and CS ID map contradict each other (RFC 4563 5)
trailing trailing: octets after the last payload (RFC 3830 6.5)
head-cut trunc: the message ends inside the common header (RFC 3830 6.1)
sign-short format: an ECCSI signature has 129 octets (RFC 6507 5.2.1)
sign-type unsup: a signature type other than ECCSI (TS 33.180 E.1.2)
tag-of-nothing unsup: the purpose tag names no kind of key (TS 33.180 G.1)
other-guk-id format: the SPI contradicts the key identifier (TS 33.180 E.2.1)
session-not-srtp unsup: a crypto session of a protocol other than SRTP (RFC 6043 6.1.1)
policy-not-there format: a crypto session names a policy that is not there (TS 33.180 E.1.2)
policies-differ unsup: crypto sessions with different policies (TS 33.180 E.1.2)
policy-aes-cm unsup: the security policy is not one that is supported (RFC 7714 14.3)
policy-cut trunc: a payload goes past the end of the message (RFC 3830 6)
map-srtp-id policy: the crypto sessions of the group key are not usable (TS 33.180 E.2.1)
sakke-set-2 unsup: SAKKE parameter set other than 1 (RFC 6509 4.2)
sakke-scheme-1 unsup: identifier scheme other than 2, hashed UID (TS 33.180 E.1.2)
sakke-one-octet unsup: SAKKE data of another length than 273: not a 16-octet key (TS 33.180 E.1.1)
sakke-hint auth: the key does not open (RFC 6508 6.2.2)
sakke-point auth: the key does not open (RFC 6508 6.2.2)
sakke-zero auth: the key does not open (RFC 6508 6.2.2)
idr-nul format: an identity that cannot be a URI (RFC 6043 6.6)
idr-line-end format: an identity that cannot be a URI (RFC 6043 6.6)
idr-no-utf8 format: an identity that cannot be a URI (RFC 6043 6.6)
idr-uid-of-nobody auth: IDRuidi is not the UID of the initiator (TS 33.180 E.7)
idr-other-member nokey: not addressed to an identity and KMS of this end-point (TS 33.180 5.2.2)
kms-of-initiator nokey: the initiator's KMS is not known (TS 33.180 5.2.2)
kms-of-responder nokey: the responder's KMS is not known (TS 33.180 5.2.8)
kms-gone expired: the initiator's KMS certificate is revoked or was not valid (TS 33.180 5.3.5)
kms-far policy: IDRkmsi is not responsible for the domain of the initiator (TS 33.180 5.2.2)
kms-role-3 format: KMS identities with role 3 instead of 6 and 7 (RFC 6509 2.2.1)
kms-mixture format: KMS identities in a mixture of roles (RFC 6509 2.2.1)
idr-role format: an identity role that has no place here (RFC 6509 4.4)
idr-type unsup: an identity type other than URI (RFC 6509 2.2.1)
idr-empty format: an identity of impossible length (TS 33.180 E.7)
err-payload unsup: a payload that does not belong into an I_MESSAGE (RFC 6509 2.2.1)
unknown-payload unsup: a payload or time stamp type of unknown length (RFC 3830 6.1)
second-t format: more than one T payload (RFC 6509 2.2.1)
no-rand format: no RAND payload (RFC 6509 2.2.1)
no-idr format: fewer than four IDR payloads (TS 33.180 E.1.2)
second-sakke format: more than one SAKKE payload (RFC 6509 2.2.1)
short-rand format: RAND is shorter than 16 octets (RFC 3830 6.11)
many-payloads format: too many general extensions (RFC 3830 6.15)
self-odd format: extension 6 is not one SAKKE payload (TS 33.180 E.5)
self-twice format: extension 6 twice (TS 33.180 E.5)
counter-for-time unsup: a time stamp type other than NTP-UTC (TS 33.180 E.1.2)
sdp-ids policy: the signed list of key management protocols is not the one offered (RFC 4567 4.1.4)
old-t nokey: no key set for the key period of the time stamp (TS 33.180 F.2.1.1)
parameters-layout format: malformed key parameters (TS 33.180 E.6.1)
parameters-clear policy: key parameters in clear (TS 33.180 E.6.1)
parameters-altered auth: the key parameters do not authenticate under the key (TS 33.180 5.2.4)
parameters-algorithm unsup: key parameters under an algorithm other than AES-128-GCM (TS 33.180 8.5.4)
parameters-empty format: empty key parameters (TS 33.180 E.6)
parameters-cut format: malformed protected key parameters (TS 33.180 8.5.4)
parameters-dppk-id format: DPPK-ID of the key parameters is not the CSB ID (TS 33.180 E.6.1)
parameters-type format: key type of the key parameters is not the purpose tag (TS 33.180 E.6.11)
parameters-short format: malformed key parameters (TS 33.180 E.6.1)
parameters-no-uri format: an MC group ID that is no URI (TS 33.180 E.6.3)
parameters-17-groups unsup: more MC group IDs than one key may have here (TS 33.180 E.6.3)
TABLE
say_to alice quit
expect_exit alice 0
! held | grep -q '0bad' || fail "a key of a refused message is held: $(held)"
all=$number

# who holds the GMS's keys too sees that its two encapsulations differ
gms_keys_too() {
    "$MCX_BIN/mcx" kms fetch --url "https://127.0.0.1:$(port_of kms)" --kms-uri "$(cat "$W/kms.uri")" --user "$(cat "$W/gms.uri")" \
        --token "$W/gms.token" --ca "$W/ca.pem" --store "$W/alice.store" --store-key "$W/alice.store-key" >"$W/log/both.fetch"
}
gms_keys_too
with self "$(odd --keys "$W/gms.xml" --key $KEY self-other-key <"$W/bad" | cut -d' ' -f2)"
publish self
fetch --group-keys "$W/own.groups"
expect "SAKKE-to-self of another key" "$code $(jq -r '.groups[0].refused[] | "\(.status): \(.reason) (\(.clause))"' <<<"$out")" \
    "1 auth: extension 6 does not hold the same key (TS 33.180 E.5)"

# and sees nothing of a member who is hidden
hidden=$("$MCX_BIN/mcx" mikey make --type gmk --cert "$W/gms.xml/CERT.xml" --keys "$W/gms.xml/KEYSET.xml" --to "$ALICE" \
    --hide-identities --sakke-to-self | "$MCX_BIN/mcx" mikey open --cert "$W/gms.xml/CERT.xml" --keys "$W/gms.xml/KEYSET.xml" \
    2>"$W/log/hidden") && fail "the key of a hidden member has an identifier"
expect "a hidden member, to the sender himself" "$(jq -r '"\(.status): \(.reason) (\(.clause))"' <<<"$hidden")" \
    "nokey: the member is hidden, so his GUK-ID gives no GMK-ID (TS 33.180 5.2.3)"

# ---- client-server keys: one answer for all, and the reason is in the server's log only ----
kms_fetch kms alice "$ALICE" --save-xml "$W/alice.xml" >"$W/log/alice.fetch-xml"
server_start home --listen tcp:127.0.0.1:0 --user "$ALICE" --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID"
PORT=$(server_port home tcp)
"$MCX_BIN/mcx" mikey make --type csk --cert "$W/alice.xml/CERT.xml" --keys "$W/alice.xml/KEYSET.xml" --to "$SERVER_ID" \
    --key $KEY >"$W/csk" 2>>"$W/log/make"
number=0
while read -r name want; do
    odd --keys "$W/alice.xml" --key $KEY "$name" <"$W/csk" | cut -d' ' -f2 |
        python3 -c 'import base64, sys; print("mikey", base64.b64encode(bytes.fromhex(sys.stdin.read())).decode())' >"$W/odd-csk"
    expect "CSK, $name" "$(python3 "$MCX_SOURCE/tests/support/sip_key.py" "$PORT" REGISTER "$ALICE" --key "$W/odd-csk" \
        --contact sip:alice@127.0.0.1:9)" "403 136"
    number=$((number + 1))
    wait_count home register-refused $number
    expect "reason of $name" "$(event home register-refused text)" "$want"
    echo "  CSK, $name: $want"
done <<'TABLE'
tag-of-nothing the purpose tag names no kind of key (TS 33.180 G.1)
prf PRF func is not 1, PRF-HMAC-SHA-256 (TS 33.180 E.1.2)
map-srtp-id the CSK has no usable streams (TS 33.180 E.4)
sakke-set-2 SAKKE parameter set other than 1 (RFC 6509 4.2)
sakke-hint the key does not open (RFC 6508 6.2.2)
idr-nul an identity that cannot be a URI (RFC 6043 6.6)
kms-of-initiator the initiator's KMS is not known (TS 33.180 5.2.2)
long the message is longer than 8192 octets
second-t more than one T payload (RFC 6509 2.2.1)
sdp-ids the signed list of key management protocols is not the one offered (RFC 4567 4.1.4)
old-t the time stamp is too old (RFC 3830 5.4)
TABLE
expect "nobody is registered" "$(event home registered user)" null
echo "refused: $((all + 1)) group keys, by the command and by the radio, and $number client-server keys"
