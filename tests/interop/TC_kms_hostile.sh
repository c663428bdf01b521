#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx kms fetch against an HTTPS server that answers in every bad way: the client names it, follows nothing, takes
# no more than it may, and makes no store.
set -u
dir=$(mktemp -d)
pid=
finish() {
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
cd "$dir" || exit 3
umask 077
fail() {
    echo "FAIL: $*"
    tail -n 5 client.log
    exit 1
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null || fail "openssl req"
openssl rand -hex 32 >store.key
python3 "$MCX_SOURCE/tests/support/hostile_https.py" tls.pem tls.key ready requests.log &
pid=$!
for _ in $(seq 100); do
    [ -s ready ] && break
    sleep 0.05
done
[ -s ready ] || fail "the server does not listen"

fetch() { # way
    echo "token-$1" >token
    : >requests.log
    "$MCX_BIN/mcx" kms fetch --url "https://localhost:$(cat ready)" --kms-uri kms.example.org \
        --user sip:alice@example.org --token token --ca tls.pem --store store --store-key store.key --json 2>>client.log
}
expect() { # way, exit code, status, requests
    local out code
    out=$(fetch "$1")
    code=$?
    [ "$code" -eq "$2" ] || fail "$1 ends with $code: $out"
    [ "$(jq -r .status <<<"$out")" = "$3" ] || fail "$1: $out"
    [ "$(wc -l <requests.log)" -eq "$4" ] || fail "$1: $(cat requests.log)"
    grep -v '^POST /keymanagement/identity/v1/init$' requests.log && fail "$1: a request to somewhere else"
    [ ! -e store ] || fail "$1 made a store"
}
expect nothing 1 format 1
expect redirect 1 policy 1
expect see 1 policy 1
expect huge 1 space 1
expect dtd 1 format 1
expect html 1 format 1
expect latin 1 format 1
expect terminal 1 policy 1
LC_ALL=C grep -q $'\x7f' client.log && fail "a control character of the KMS reaches the terminal"
grep -q 'no?way?x' client.log || fail "ErrorMsg is not shown"
expect claims 1 space 1
expect cut 3 io 4 # a lost answer is asked for again
echo "hostile answers refused"
