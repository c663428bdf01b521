#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real KMS daemon and curl: each operation once, valid by the schema, recorded; keys are in no file of the KMS.
set -u
. "$(dirname "$0")/../support/kms.sh"

A=sip:alice@a.example
lab_init
kms_init a kms.a.example a.example
"$KMSD" init --dir a --kms-uri kms.a.example --seal-key seal.key --domain a.example 2>/dev/null
check "init over an existing KMS" 1 $?
"$KMSD" user add --dir a --user-uri $A --mcptt-id $A || fail "user add"
"$KMSD" user add --dir a --user-uri sip:alias@a.example --mcptt-id $A || fail "second URI"
"$KMSD" server add --dir a --user-uri sip:mcptt@a.example --mcptt-id sip:mcptt@a.example || fail "server add"
"$KMSD" user add --dir a --user-uri sip:alias@a.example --mcptt-id sip:other@a.example 2>/dev/null
check "URI of another user" 1 $?
"$KMSD" user add --dir a --user-uri sip:eve@b.example --mcptt-id sip:eve@b.example 2>/dev/null
check "URI outside the domain" 1 $?
check "users" 3 "$("$KMSD" user list --dir a --json | wc -l)"
check "kinds" 1 "$("$KMSD" user list --dir a --json | jq -s '[.[] | select(.kind=="server")] | length')"
"$KMSD" cert --dir a >cert.xml && valid_xml cert.xml

kms_start a
grep -q 'Max core file size *0 *0' "/proc/$kms_pid/limits" || fail "core dumps are allowed"
tok=$(token $A)
for op in init keyprov keyprov/sip%3Aalice%40a.example keyprov/sip%3Aalice%40a.example/D6B4323200000000 certcache \
    certcache/0 certcache/7 cert/kms.a.example; do
    kms_request "$kms_url/$op" $A kms.a.example >req.xml
    check "$op" 200 "$(post "$kms_url/$op" "$tok" req.xml)"
    valid_xml body.xml
    check "$op: Cache-Control" no-store "$(header Cache-Control)"
    check "$op: Content-Type" application/xml "$(header Content-Type)"
    check "$op: UserUri" $A "$(element UserUri | head -n 1)"
    check "$op: ClientReqUrl" "$kms_url/$op" "$(element ClientReqUrl)"
    case $op in
    init) grep -q '<KmsInit' body.xml && grep -q 'Role="Root"' body.xml || fail "init" ;;
    keyprov/*/D6*)
        check "old period" 1389 "$(element KeyPeriodNo)"
        element UserDecryptKey >old-rsk.txt
        ;;
    keyprov/*) check "one key set" 1 "$(element UserID | wc -l)" ;;
    keyprov)
        element UserDecryptKey >>secrets.txt
        element UserSigningKeySSK >>secrets.txt
        cp body.xml keyprov.xml
        ;;
    esac
done
: >empty
check "empty body" 200 "$(post "$kms_url/keyprov/sip%3Aalice%40a.example/D6B4323200000000" "$tok" empty)"
check "the RSK of a period stays" "$(cat old-rsk.txt)" "$(element UserDecryptKey)"

# one audit record a key set, found by the request id of the answer
id=$(header X-Request-Id)
check "audit record" "$A 1389" "$("$KMSD" audit list --dir a --json |
    jq -r --arg id "$id" 'select(.request_id==$id) | "\(.user_uri) \(.period_no)"')"

# no key octet in the log, the database or the sealed file
[ -s secrets.txt ] || fail "no key was received"
cat >scan.py <<'PY'
import sys
keys = [bytes.fromhex(line.strip())[-32:] for line in open("secrets.txt")]
assert len(keys) >= 4 and all(len(k) == 32 for k in keys)
forms = [f for k in keys for f in (k, k.hex().encode(), k.hex().upper().encode())]
sys.exit(any(f in open(name, "rb").read() for name in sys.argv[1:] for f in forms))
PY
python3 scan.py keyprov.xml && fail "the scan does not find a key where one is"
python3 scan.py a.log a/* || fail "a key is in a file of the KMS"

# TLS 1.1 is not spoken
openssl s_client -connect "127.0.0.1:$(jq .port a.ready)" -tls1_1 -cipher ALL:@SECLEVEL=0 </dev/null >/dev/null 2>&1 &&
    fail "TLS 1.1 was accepted"
kms_stop
check "modes" "600 600" "$(stat -c %a a/kms.db a/master.sealed | xargs)"
"$KMSD" run -t --dir a --seal-key seal.key --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key --jwks jwks.json \
    >/dev/null || fail "-t"
(umask 077 && openssl rand -hex 32 >other.key)
"$KMSD" run -t --dir a --seal-key other.key --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key \
    --jwks jwks.json 2>/dev/null
check "another seal key" 3 $?
chmod 644 seal.key
"$KMSD" run -t --dir a --seal-key seal.key --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key \
    --jwks jwks.json 2>/dev/null
check "open seal key" 3 $?
echo ok
