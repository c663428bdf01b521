#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Client-server keys that must not be taken: at the server, in a REGISTER (403, Warning 136, the registration stays as it
# was), and at the client, in a MESSAGE (488, Warning 136, the key stays as it was).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org
SERVER_ID=sip:mcptt@lab.example.org OTHER_ID=sip:other@lab.example.org
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
for who in alice bob; do
    provision kms $who "sip:$who@lab.example.org"
    "$MCX_BIN/mcx" token issue --key "$W/kms.jwk" --mcptt-id "sip:$who@lab.example.org" --iss lab --aud mcptt \
        --scope 3gpp:mcptt:ptt_server >"$W/$who.mcptt-token"
done
provision kms server "$SERVER_ID" server
provision kms other "$OTHER_ID" server
for who in alice bob server other; do # what a thief of their keys could do, and only he
    id=sip:$who@lab.example.org
    [ $who != server ] || id=$SERVER_ID
    kms_fetch kms $who "$id" --save-xml "$W/$who.xml" >>"$W/log/save-xml" 2>&1
done
key() { # FILE FROM TO [OPTION ...]: a signed message
    "$MCX_BIN/mcx" mikey make --cert "$W/$2.xml/CERT.xml" --keys "$W/$2.xml/KEYSET.xml" --to "$3" "${@:4}" >"$W/$1"
}
send() { python3 "$MCX_SOURCE/tests/support/sip_key.py" "$@"; }

BEFORE=$(printf '%08x00000000' $(($(date +%s) + 2208988800 - 30))) # T half a minute before the programs start
server_start server --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto" --user "$BOB,answer=auto" \
    --store "$W/server.store" --store-key "$W/server.store-key" --server-id "$SERVER_ID" --jwks "$W/kms.jwks" \
    --token-iss lab --token-aud mcptt
PORT=$(server_port server tcp)
SERVER="sip:127.0.0.1:$PORT;transport=tcp"
phone_start alice alice "$ALICE" answer --calls 0 --server-id "$SERVER_ID" --token "$W/alice.mcptt-token"
wait_registered alice
contact=$(send "$PORT" REGISTER "$ALICE" --token "$W/alice.mcptt-token" | cut -d' ' -f2)
[ -n "$contact" ] || fail "Alice is not registered"

# ---- REGISTER ----
number=0
register_refused() { # NAME WARNING REASON KEY-FILE TOKEN: Alice's registration stays as it was
    expect "$1" "$(send "$PORT" REGISTER "$ALICE" --key "$W/$4" --token "$W/$5" --contact sip:x@127.0.0.1:9)" "403 $2"
    number=$((number + 1))
    for _ in $(seq 50); do
        [ "$(grep -c '"event":"register-refused"' "$W/log/server.out")" -ge $number ] && break
        sleep 0.1
    done
    event server register-refused text | grep -qF "$3" || fail "$1: '$(event server register-refused text)'"
    expect "registration after: $1" "$(send "$PORT" REGISTER "$ALICE" --token "$W/alice.mcptt-token")" "200 $contact"
}
key wrong-signer bob "$SERVER_ID" --type csk
register_refused "signed by Bob" 136 'IDRi is not the initiator that is expected here' wrong-signer alice.mcptt-token
key good alice "$SERVER_ID" --type csk
register_refused "Bob's token" 101 'another user' good bob.mcptt-token
key elsewhere alice "$OTHER_ID" --type csk
register_refused "for another server" 136 'not addressed to an identity and KMS of this end-point' elsewhere alice.mcptt-token
key gmk alice "$SERVER_ID" --type gmk
register_refused "a GMK" 136 'this kind of key may not arrive here' gmk alice.mcptt-token
key pck alice "$SERVER_ID" --type pck
register_refused "a PCK" 136 'this kind of key may not arrive here' pck alice.mcptt-token
key old alice "$SERVER_ID" --type csk --time "$(printf '%08x00000000' $(($(date +%s) + 2208988800 - 400)))"
register_refused "made 400 s ago" 136 'the time stamp is too old' old alice.mcptt-token
key before alice "$SERVER_ID" --type csk --time "$BEFORE"
register_refused "made before the server started" 136 'made before this program started' before alice.mcptt-token
base64 -d <(cut -d' ' -f2 "$W/good") >"$W/flipped.bin"
printf '\x55' | dd of="$W/flipped.bin" bs=1 seek=$(($(stat -c %s "$W/flipped.bin") - 20)) conv=notrunc 2>/dev/null
echo "mikey $(base64 -w0 "$W/flipped.bin")" >"$W/flipped"
register_refused "one octet changed" 136 'the signature does not verify' flipped alice.mcptt-token
echo "mikey $(head -c 60 /dev/urandom | base64 -w0)" >"$W/noise"
register_refused "noise" 136 '' noise alice.mcptt-token

# a good one is taken once: by Bob for himself, and nobody may repeat it
key bobs bob "$SERVER_ID" --type csk --key-id 2abcdef1
expect "Bob's own" "$(send "$PORT" REGISTER "$BOB" --key "$W/bobs" --token "$W/bob.mcptt-token" \
    --contact sip:bob@127.0.0.1:9 | cut -d' ' -f1)" 200
expect "Bob's once more" "$(send "$PORT" REGISTER "$BOB" --key "$W/bobs" --token "$W/bob.mcptt-token" \
    --contact sip:y@127.0.0.1:9)" "403 136"
number=$((number + 1))
wait_count server register-refused $number
expect "why once more" "$(event server register-refused text)" "the message has been accepted before (RFC 3830 5.4)"
key same-id alice "$SERVER_ID" --type csk --key-id 2abcdef1
register_refused "the identifier of Bob's key" 136 'the identifier of the CSK is in use' same-id alice.mcptt-token
expect "Alice's registrations" "$(jq -rs "map(select(.event == \"registered\" and .user == \"$ALICE\")) | length" \
    "$W/log/server.out")" 1

# more than twelve a minute of one user are not even opened (docs/DEVIATIONS.md "csk-rate")
before=$(grep -c '"event":"register-refused"' "$W/log/server.out")
for _ in $(seq 13); do
    expect "one of many" "$(send "$PORT" REGISTER "$BOB" --key "$W/noise" --token "$W/bob.mcptt-token" --contact sip:y@127.0.0.1:9)" "403 136"
done
wait_count server register-refused $((before + 13))
expect "the last of them" "$(event server register-refused user)" "$BOB"
event server register-refused text | grep -q "too many CSKs of this user in a minute" || fail "many: '$(event server register-refused text)'"

# what depends on the server's own keys, and on what the message says of the key: a server that is the other one as well
kms_fetch kms other "$OTHER_ID" --save-xml "$W/other.xml" >>"$W/log/save-xml" 2>&1
cp "$W/server.store" "$W/both.store" && cp "$W/server.store-key" "$W/both.store-key" && cp "$W/other.token" "$W/both.token"
kms_fetch kms both "$OTHER_ID" >"$W/log/both.fetch"
server_start both --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto" --store "$W/both.store" \
    --store-key "$W/both.store-key" --server-id "$SERVER_ID" --csk-lifetime 1
at_both() { send "$(server_port both tcp)" REGISTER "$ALICE" --key "$W/$1" --contact sip:x@127.0.0.1:9 "${@:2}"; }
both=0
refused_at_both() { # NAME KEY-FILE REASON (CLAUSE)
    expect "$1" "$(at_both "$2")" "403 136"
    both=$((both + 1))
    wait_count both register-refused $both
    expect "$1: why" "$(event both register-refused text)" "$3"
}
ntp() { printf '%08x00000000' $(($(date +%s) + 2208988800 + $1)); }
key for-other alice "$OTHER_ID" --type csk
refused_at_both "for its other identity" for-other "the CSK is for another server (TS 33.180 5.4)"
key revoked alice "$SERVER_ID" --type csk --revoked
refused_at_both "revoked from the beginning" revoked "the key is revoked (TS 33.180 5.2.4)"
key expired alice "$SERVER_ID" --type csk --expiry $(($(date +%s) - 1))
refused_at_both "expired" expired "the key has expired (TS 33.180 E.6.10)"
key hidden bob "$SERVER_ID" --type csk --hide-identities
refused_at_both "of Bob, who does not say so" hidden "IDRuidi is not the UID of the initiator (TS 33.180 E.7)"
expect "nobody is registered at it" "$(event both registered user)" null
key later alice "$SERVER_ID" --type csk --key-id 2abcdef3 --time "$(ntp 60)"
expect "a good one" "$(at_both later | cut -d' ' -f1)" 200
key earlier alice "$SERVER_ID" --type csk --key-id 2abcdef3 --time "$(ntp 0)"
refused_at_both "an earlier one with the identifier of the last" earlier \
    "a later message with the same key identifier has been accepted (RFC 3830 5.4)"
key new alice "$SERVER_ID" --type csk
program_start refuser python3 "$MCX_SOURCE/tests/support/sip_key.py" "$(server_port both tcp)" REGISTER "$ALICE" --key "$W/new" \
    --contact sip:x@127.0.0.1:9 --answer 488
wait_field both csk-not-taken text "the client refused it" 1
program_stop both

# a server without an identity cannot open it, and says no
server_start blind --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto"
expect "server without identity" "$(send "$(server_port blind tcp)" REGISTER "$ALICE" --key "$W/good" \
    --contact sip:x@127.0.0.1:9)" "403 136"
wait_event blind register-refused
expect "why" "$(event blind register-refused text)" \
    "a CSK came, and this server has no identity to open it with (TS 33.180 5.4)"

# ---- MESSAGE ----
phone=$(sed 's/.*:\([0-9]*\).*/\1/' <<<"$contact")
before=$(event alice csk key_id)
message_refused() { # NAME KEY-FILE REASON
    expect "$1" "$(send "$phone" MESSAGE "$ALICE" --key "$W/$2")" "488 136"
    expect "status after: $1" "$(event alice csk status) $(event alice csk reason)" "refused $3"
}
key from-bob bob "$ALICE" --type csk
message_refused "signed by Bob" from-bob "IDRi is not the initiator that is expected here"
key from-other other "$ALICE" --type csk
message_refused "signed by another server" from-other "IDRi is not the initiator that is expected here"
key gmk-down server "$ALICE" --type gmk
message_refused "a GMK from the server" gmk-down "this kind of key may not arrive here"
key for-bob server "$BOB" --type csk
message_refused "for Bob" for-bob "not addressed to an identity and KMS of this end-point"
key down-before server "$ALICE" --type csk --time "$BEFORE"
message_refused "made before the client started" down-before "made before this program started"
key down server "$ALICE" --type csk
expect "a good one" "$(send "$phone" MESSAGE "$ALICE" --key "$W/down")" 200
expect "status" "$(event alice csk status)" replaced
[ "$(event alice csk key_id)" != "$before" ] || fail "the key was not replaced"
message_refused "the good one again" down "the message has been accepted before"
expect "MESSAGE without a key" "$(send "$phone" MESSAGE "$ALICE")" 501
echo "refused: $((number + both + 1)) at the server, 6 at the client"
