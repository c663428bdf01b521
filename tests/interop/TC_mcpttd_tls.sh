#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIP over TLS: a call over connections that the phones opened and verified; a server with a certificate of another
# authority, of another name, or with old TLS is not talked to.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
tls_make sip
lab_two_users --listen tls:127.0.0.1:0 --tls-cert "$W/sip.pem" --tls-key "$W/sip.key"
PORT=$(server_port server tls)
SERVER="sip:127.0.0.1:$PORT;transport=tls"

phone_start bob bob "$BOB" answer --ca "$W/ca.pem"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --ca "$W/ca.pem" --hangup-after 300
expect_exit alice 0
expect_exit bob 0
expect "who ended the call, for Bob" "$(event bob ended cause)" peer-hangup

openssl s_client -connect "127.0.0.1:$PORT" -tls1_1 </dev/null >"$W/old" 2>&1 && fail "TLS 1.1 is accepted"

# another authority
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=another CA" \
    -keyout "$W/other.key" -out "$W/other.pem" 2>/dev/null
phone_start eve alice "$ALICE" register --ca "$W/other.pem"
code=0
program_wait eve || code=$?
[ "$code" -ne 0 ] || fail "a server of an unknown authority was trusted"
[ ! -e "$W/eve.ready" ] || fail "registered at a server of an unknown authority"

# the right authority, another name
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=sip.example.net" -keyout "$W/name.key" \
    -out "$W/name.csr" 2>/dev/null
openssl x509 -req -in "$W/name.csr" -CA "$W/ca.pem" -CAkey "$W/ca.key" -CAcreateserial -days 2 -out "$W/name.pem" \
    -extfile <(echo "subjectAltName=DNS:sip.example.net") 2>/dev/null
server_start named --listen tls:127.0.0.1:0 --tls-cert "$W/name.pem" --tls-key "$W/name.key" --user "$ALICE"
SERVER="sip:127.0.0.1:$(server_port named tls);transport=tls"
phone_start eve alice "$ALICE" register --ca "$W/ca.pem"
code=0
program_wait eve || code=$?
[ "$code" -ne 0 ] || fail "a server of another name was trusted"
expect "registrations at it" "$(grep -c '"registered"' "$W/log/named.out" || true)" 0
echo "TLS is verified"
