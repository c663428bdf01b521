#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two KMSs side by side, each with the External certificate of the other; CacheNum rises with each change
# (TS 33.180 D.2.5).
set -u
. "$(dirname "$0")/../support/kms.sh"

A=sip:alice@a.example
B=sip:bob@b.example
lab_init
kms_init a kms.a.example a.example --period 604800 --offset 345600
kms_init b kms.b.example b.example
"$KMSD" user add --dir a --user-uri $A --mcptt-id $A && "$KMSD" user add --dir b --user-uri $B --mcptt-id $B || fail "users"
"$KMSD" cert --dir a >a.xml && "$KMSD" cert --dir b >b.xml || fail "cert"
kms_start a && a_url=$kms_url a_pid=$kms_pid
kms_start b && b_url=$kms_url
tok_a=$(token $A) tok_b=$(token $B)
: >empty

check "empty cache" 200 "$(post "$a_url/certcache" "$tok_a" empty)"
grep -q 'CacheNum="0"' body.xml || fail "CacheNum 0"
"$KMSD" external add --dir a b.xml || fail "external b"
"$KMSD" external add --dir b a.xml || fail "external a"
for side in a b; do
    [ $side = a ] && url=$a_url tok=$tok_a other=kms.b.example || { url=$b_url tok=$tok_b other=kms.a.example; }
    check "cache of $side" 200 "$(post "$url/certcache" "$tok" empty)"
    valid_xml body.xml
    grep -q 'CacheNum="1"' body.xml || fail "CacheNum 1"
    grep -q 'Role="External"' body.xml || fail "Role External"
    element KmsUri | grep -qx $other || fail "certificate of $other"
    check "nothing newer" 200 "$(post "$url/certcache/1" "$tok" empty)"
    grep -q KmsCertificate body.xml && fail "certificates although the client has them"
    check "cert of the other" 200 "$(post "$url/cert/$other" "$tok" empty)"
done
"$KMSD" external add --dir a b.xml || fail "the same again"
check "replaced" 200 "$(post "$a_url/certcache" "$tok_a" empty)"
grep -q 'CacheNum="2"' body.xml || fail "CacheNum 2"
check "still one" 1 "$(grep -o '<KmsCertificate ' body.xml | wc -l)"

"$KMSD" external add --dir a a.xml 2>/dev/null
check "own certificate as External" 1 $?
sed 's/<PubAuthKey>04..../<PubAuthKey>040000/' b.xml >bad.xml
"$KMSD" external add --dir a bad.xml 2>/dev/null
check "broken point" 1 $?
sed 's/<KmsDomain>b.example/<KmsDomain>a.example/' b.xml >bad.xml
"$KMSD" external add --dir a bad.xml 2>/dev/null
check "claims our domain" 1 $?
"$KMSD" external add --dir a tls.pem 2>/dev/null
check "no certificate at all" 1 $?
check "cache unchanged" 200 "$(post "$a_url/certcache/2" "$tok_a" empty)"
grep -q KmsCertificate body.xml && fail "a refused certificate changed the cache"

# A user of one is nobody at the other.
check "alice at b" 403 "$(post "$b_url/init" "$tok_a" empty)"
kms_stop
kms_pid=$a_pid
kms_stop
echo ok
