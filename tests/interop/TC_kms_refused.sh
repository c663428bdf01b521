#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the real daemon answers to wrong requests (docs/DEVIATIONS.md "kms-error-codes"): status, headers, no key octet,
# no audit record, a logged reason.
set -u
. "$(dirname "$0")/../support/kms.sh"

A=sip:alice@a.example
B=sip:bob@a.example
lab_init
kms_init a kms.a.example a.example
"$KMSD" user add --dir a --user-uri $A --mcptt-id $A && "$KMSD" user add --dir a --user-uri $B --mcptt-id $B || fail "users"
kms_start a --rate 4 --token-skew 0 --token-iss https://idms.example.org --token-aud mcx-kms
good=$(token $A)
: >empty
: >nothing

# refused NAME STATUS OPERATION TOKEN BODY_FILE [curl options]
refused() {
    local name=$1 want=$2 op=$3 tok=$4 body=$5 lines
    shift 5
    lines=$(wc -l <a.log)
    check "$name" "$want" "$(post "$kms_url/$op" "$tok" "$body" "$@")"
    [ -f body.xml ] && grep -qi -e KeySet -e UserDecryptKey body.xml && fail "$name: keys in the answer"
    tail -n +$((lines + 1)) a.log | grep -q 'reason="' || fail "$name: no reason in the log"
    check "$name: Cache-Control" no-store "$(header Cache-Control)"
    [ "$want" != 401 ] || header WWW-Authenticate | grep -q '^Bearer' || fail "$name: no WWW-Authenticate"
    if [ -s body.xml ]; then
        valid_xml body.xml
        check "$name: ErrorCode" "$want" "$(element ErrorCode)"
    fi
}
ask() { kms_request "$kms_url/$1" "${2:-$A}" "${3:-kms.a.example}" ${4:+"$4"} >req.xml; }

ask keyprov
refused "no token" 401 keyprov x req.xml -H 'Authorization:'
refused "not a bearer" 401 keyprov x req.xml -H 'Authorization: Basic YTpi'
refused "token twice" 401 keyprov "$good" req.xml -H "authorization: Bearer $good"
refused "no JWS" 401 keyprov abc req.xml
refused "cut token" 401 keyprov "${good%????}" req.xml
refused "expired" 401 keyprov "$(token $A --expires-in 0)" req.xml
"$MCX" token keygen --alg RS256 --out foreign.jwk --jwks foreign.json || fail "keygen"
refused "foreign identity server" 401 keyprov "$("$MCX" token issue --key foreign.jwk --mcptt-id $A \
    --iss https://idms.example.org --aud mcx-kms)" req.xml
refused "other issuer" 401 keyprov "$("$MCX" token issue --key idms.jwk --mcptt-id $A --iss x --aud mcx-kms)" req.xml
refused "other audience" 401 keyprov "$("$MCX" token issue --key idms.jwk --mcptt-id $A \
    --iss https://idms.example.org --aud x)" req.xml
unsigned=$(printf '{"alg":"none"}' | base64 | tr -d '=\n').$(echo "$good" | cut -d. -f2).
refused "alg none" 401 keyprov "$unsigned" req.xml
refused "wrong scope" 403 keyprov "$(token $A --scope openid --scope 3gpp:mcptt:ptt_server)" req.xml
header WWW-Authenticate | grep -q insufficient_scope || fail "no insufficient_scope"
refused "unknown user" 403 keyprov "$(token sip:nobody@a.example)" req.xml

ask keyprov/sip%3Abob%40a.example
refused "foreign URI in the path" 403 keyprov/sip%3Abob%40a.example "$good" req.xml
ask keyprov $B
refused "foreign UserUri" 403 keyprov "$good" req.xml
ask keyprov/sip%3Abob%40a.example $B
refused "foreign by both" 403 keyprov/sip%3Abob%40a.example "$good" req.xml
ask keyprov $A kms.b.example
refused "KmsUri of another" 400 keyprov "$good" req.xml
ask keyprov $A kms.a.example "$(date -u -d '1 minute ago' +%Y-%m-%dT%H:%M:%SZ)"
refused "stale Time" 400 keyprov "$good" req.xml
ask init
refused "other ClientReqUrl" 400 keyprov "$good" req.xml

refused "unknown path" 404 nothing "$good" empty
refused "no path" 404 ../.. "$good" empty --path-as-is
refused "empty segment" 404 keyprov// "$good" empty --path-as-is
refused "query" 404 'init?x=1' "$good" empty
refused "broken escape" 400 keyprov/%zz "$good" empty
refused "NUL" 400 keyprov/sip%3Aa%00 "$good" empty
refused "15 digits" 400 keyprov/sip%3Aalice%40a.example/D6B432320000000 "$good" empty
refused "certificate not held" 404 cert/kms.x.example "$good" empty
refused "lookup" 501 lookup/sip%3Aalice%40a.example "$good" empty
refused "two periods ahead" 403 keyprov/sip%3Aalice%40a.example/FFFFFFFF00000000 "$good" empty
for method in GET PUT DELETE OPTIONS; do
    refused "$method" 405 init "$good" empty -X $method
    check "Allow" POST "$(header Allow)"
done

printf '<KmsRequest' >bad.xml
refused "cut XML" 400 keyprov "$good" bad.xml
printf '<!DOCTYPE x [<!ENTITY a "b">]><KmsRequest xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0"/>' >bad.xml
refused "DTD" 400 keyprov "$good" bad.xml
printf '<KmsRequest xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0">&a;</KmsRequest>' >bad.xml
refused "entity" 400 keyprov "$good" bad.xml
python3 -c 'print("<a>"*5000 + "</a>"*5000)' >bad.xml
refused "deep XML" 400 keyprov "$good" bad.xml
{ ask keyprov && cat req.xml && head -c 70000 /dev/zero | tr '\0' ' '; } >bad.xml
refused "oversized XML" 400 keyprov "$good" bad.xml
head -c 2000000 /dev/zero | tr '\0' ' ' >bad.xml
# curl sees the 413, or, when it is still sending, only that the connection is gone (000)
large=$(post "$kms_url/keyprov" "$good" bad.xml || true)
[ "$large" = 000 ] || check "far too large" 413 "$large"
check "header too large" 400 "$(post "$kms_url/init" "$good" empty -H "X: $(head -c 40000 /dev/zero | tr '\0' x)")"

check "audit after refusals" 0 "$("$KMSD" audit list --dir a --json | wc -l)"

# The budget: four key sets a minute and user, then 503 with Retry-After, for this user alone.
for i in 1 2 3 4; do
    check "in the budget" 200 "$(post "$kms_url/keyprov/sip%3Aalice%40a.example" "$good" empty)"
done
refused "over the budget" 503 keyprov/sip%3Aalice%40a.example "$good" empty
[ "$(header Retry-After)" -gt 0 ] || fail "no Retry-After"
check "budget of another user" 200 "$(post "$kms_url/keyprov/sip%3Abob%40a.example" "$(token $B)" empty)"
check "audit" 5 "$("$KMSD" audit list --dir a --json | wc -l)"

# Users come and go while the daemon runs: revocation is the end of issuing.
"$KMSD" user remove --dir a --user-uri $B || fail "remove"
refused "removed user" 403 keyprov/sip%3Abob%40a.example "$(token $B)" empty
kms_stop
echo ok
