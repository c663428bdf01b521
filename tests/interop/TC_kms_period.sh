#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Key periods of a few seconds, two KMSs: a PCK made by Alice in one period is opened by Bob in the next, with keys
# that he fetched again for the earlier time; the store lets go of what has served; without a KMS the store stays.
set -u
. "$(dirname "$0")/../support/kms.sh"

P=12 # seconds of a period
A=sip:alice@a.example
B=sip:bob@b.example
umask 077
lab_init
kms_init a kms.a.example a.example --period $P --offset 0
kms_init b kms.b.example b.example --period $P --offset 5
"$KMSD" user add --dir a --user-uri $A --mcptt-id $A && "$KMSD" user add --dir b --user-uri $B --mcptt-id $B || fail "users"
"$KMSD" cert --dir a >a.xml && "$KMSD" cert --dir b >b.xml || fail "cert"
"$KMSD" external add --dir a b.xml && "$KMSD" external add --dir b a.xml || fail "external"
kms_start a && a_url=${kms_url%%/keymanagement*}
kms_start b && b_url=${kms_url%%/keymanagement*}
token $A >a.token
token $B >b.token
openssl rand -hex 32 >a.key
openssl rand -hex 32 >b.key

fetch_a() {
    "$MCX" kms fetch --url "$a_url" --kms-uri kms.a.example --user $A --token a.token --ca tls.pem --store a.store \
        --store-key a.key --json "$@" 2>>client.log
}
fetch_b() {
    "$MCX" kms fetch --url "$b_url" --kms-uri kms.b.example --user $B --token b.token --ca tls.pem --store b.store \
        --store-key b.key --json "$@" 2>>client.log
}
ntp_now() { printf '%08X00000000' $(($(date +%s) + 2208988800)); }
periods() { # letter: period numbers in the store
    "$MCX" store list --store "$1.store" --store-key "$1.key" --json | jq -r '[.key_sets[].period_no] | sort | join(" ")'
}
period_at() { echo $((($(date +%s) + 2208988800 - $1) / P)); } # offset

fetch_a >/dev/null || fail "fetch of Alice"
fetch_b >/dev/null || fail "fetch of Bob"

# away from every edge of either period, so that all of the next lines fall into one
while r=$((($(date +%s) + 2208988800) % P)) && { [ "$r" -lt 6 ] || [ "$r" -gt 8 ]; }; do sleep 0.3; done
fetch_a --save-xml xa >/dev/null || fail "fetch of Alice in period n"
t=$(ntp_now)
n=$(period_at 5)
message=$("$MCX" mikey make --type pck --cert xa/CERT.xml --cert xa/CERT-2.xml --keys xa/KEYSET.xml --to $B --time "$t" |
    sed 's/^mikey //')
[ -n "$message" ] || fail "no message"

# one period later Bob's present key set does not open it, the one of the message's time does
while [ "$(period_at 5)" -le "$n" ]; do sleep 0.3; done
sleep 1
fetch_b --save-xml xb-now >/dev/null || fail "fetch of Bob in period n + 1"
"$MCX" mikey open --cert xb-now/CERT.xml --cert xb-now/CERT-2.xml --keys xb-now/KEYSET.xml <<<"$message" >now.json
check "open with the present key set" 1 $?
grep -qxE 'nokey|auth' <(jq -r .status now.json) || fail "reason: $(cat now.json)" # auth: so near an edge it is tried
fetch_b --time "$t" --save-xml xb-then >/dev/null || fail "fetch of Bob for the time of the message"
"$MCX" mikey open --cert xb-then/CERT.xml --cert xb-then/CERT-2.xml --keys xb-then/KEYSET.xml <<<"$message" >then.json
check "open with the key set of then" 0 $?
check "initiator" $A "$(jq -r .initiator then.json)"
check "KMS of the initiator" kms.a.example "$(jq -r .kms_initiator then.json)"
grep -qw "$n" <<<"$(periods b)" || fail "period $n is not in Bob's store: $(periods b)"

# two periods on it is still there, three periods on it is gone
while [ "$(period_at 5)" -lt $((n + 2)) ]; do sleep 0.3; done
fetch_b >/dev/null || fail "fetch of Bob in period n + 2"
grep -qw "$n" <<<"$(periods b)" || fail "period $n was dropped early: $(periods b)"
while [ "$(period_at 5)" -lt $((n + 3)) ]; do sleep 0.3; done
fetch_b >/dev/null || fail "fetch of Bob in period n + 3"
grep -qw "$n" <<<"$(periods b)" && fail "period $n is kept too long: $(periods b)"

# no KMS there: tried again, then given up; the store stays as it was
kms_stop
before=$(sha256sum <b.store)
out=$(timeout 30 "$MCX" kms fetch --url "$b_url" --kms-uri kms.b.example --user $B --token b.token --ca tls.pem \
    --store b.store --store-key b.key --json 2>lost.log)
check "fetch without a KMS" 3 $?
check "status without a KMS" io "$(jq -r .status <<<"$out")"
check "tries again" 3 "$(grep -c 'again in' lost.log)"
check "store" "$before" "$(sha256sum <b.store)"
echo ok
