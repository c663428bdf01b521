#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A restart, clean or not, never changes a user's RSK of a period; SSK and PVT are fresh each time (RFC 6507 5.1.1).
set -u
. "$(dirname "$0")/../support/kms.sh"

A=sip:alice@a.example
lab_init
(umask 077 && echo "correct horse battery staple" >phrase)
: >empty
tok=$(token $A)
for seal in "--seal-key seal.key" "--seal-passphrase phrase"; do
    rm -rf a first.txt seen.txt
    # shellcheck disable=SC2086
    "$KMSD" init --dir a --kms-uri kms.a.example $seal --domain a.example >/dev/null || fail "init"
    "$KMSD" user add --dir a --user-uri $A --mcptt-id $A || fail "user"
    "$KMSD" cert --dir a >cert1.xml
    for how in TERM KILL TERM; do
        rm -f a.ready
        # shellcheck disable=SC2086
        "$KMSD" run --dir a $seal --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key --jwks jwks.json \
            --ready-file a.ready 2>>a.log &
        kms_pid=$!
        kms_pids+=("$kms_pid")
        for i in $(seq 200); do [ -f a.ready ] && break; sleep 0.05; done
        kms_url=https://127.0.0.1:$(jq .port a.ready)/keymanagement/identity/v1
        check "keyprov" 200 "$(post "$kms_url/keyprov/sip%3Aalice%40a.example/ED529D4000000000" "$tok" empty)"
        element UserDecryptKey >now.txt
        [ -s now.txt ] || fail "no RSK"
        [ -f first.txt ] || cp now.txt first.txt
        cmp -s first.txt now.txt || fail "the RSK changed"
        pvt=$(element UserPubTokenPVT)
        grep -qx "$pvt" seen.txt 2>/dev/null && fail "a PVT came twice"
        echo "$pvt" >>seen.txt
        kill -$how "$kms_pid"
        wait "$kms_pid" 2>/dev/null
        rc=$?
        [ $how = KILL ] || check "exit code" 0 $rc
    done
    "$KMSD" cert --dir a | cmp -s - cert1.xml || fail "the certificate changed"
    check "three records" 3 "$("$KMSD" audit list --dir a --json | wc -l)"
done
echo ok
