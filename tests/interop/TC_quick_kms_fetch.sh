#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx kms fetch against real mcx-kmsd: two domains that know each other's certificate, and every refusal that the
# client or the server owes: a wrong authority, name, token, user or KMS URI, a store under another key.
set -u
dir=$(mktemp -d)
pids=()
finish() {
    [ "${#pids[@]}" -gt 0 ] && kill "${pids[@]}" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAIL: $*"
    tail -n 5 "$dir"/*.log
    exit 1
}
cd "$dir" || exit 1
umask 077
mcx=$MCX_BIN/mcx kmsd=$MCX_BIN/mcx-kmsd

make_tls() { # name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null || fail "openssl req"
}
make_token() { # user, name
    "$mcx" token issue --key token.jwk --mcptt-id "$1" --iss https://idms.example.org --aud kms >"$2" || fail "token"
}
make_kms() { # letter, user
    openssl rand -hex 32 >"seal-$1"
    "$kmsd" init --dir "kms-$1" --kms-uri "kms.$1.example.org" --seal-key "seal-$1" --domain "$1.example.org" \
        >>"kms-$1.log" 2>&1 || fail "init $1"
    "$kmsd" user add --dir "kms-$1" --user-uri "$2" --mcptt-id "$2" >>"kms-$1.log" 2>&1 || fail "user add $1"
    "$kmsd" cert --dir "kms-$1" >"$1.xml" || fail "cert $1"
}
run_kms() { # letter; sets port_<letter>
    "$kmsd" run --dir "kms-$1" --seal-key "seal-$1" --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key \
        --jwks jwks.json --token-iss https://idms.example.org --token-aud kms --ready-file "ready-$1" \
        >>"kms-$1.log" 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do
        [ -s "ready-$1" ] && break
        sleep 0.05
    done
    [ -s "ready-$1" ] || fail "mcx-kmsd $1 does not listen"
    eval "port_$1=$(jq .port "ready-$1")"
}
alice=sip:alice@a.example.org bob=sip:bob@b.example.org
fetch_alice() { # what differs from the good command line
    "$mcx" kms fetch --url "https://localhost:$port_a" --kms-uri kms.a.example.org --user "$alice" --token alice.token \
        --ca tls.pem --store alice.store --store-key alice.key --json "$@" 2>>client.log
}
refused() { # exit code, error name, options...
    local code=$1 name=$2 before=none after=none out got
    shift 2
    [ -f alice.store ] && before=$(sha256sum <alice.store)
    out=$(fetch_alice "$@")
    got=$?
    [ -f alice.store ] && after=$(sha256sum <alice.store)
    [ "$got" -eq "$code" ] || fail "'$*' ends with $got, not $code: $out"
    [ -z "$name" ] || [ "$(jq -r .status <<<"$out")" = "$name" ] || fail "'$*' says $out, not $name"
    [ "$before" = "$after" ] || fail "'$*' changed the store"
}

make_tls tls
make_tls other
"$mcx" token keygen --alg ES256 --out token.jwk --jwks jwks.json >/dev/null || fail "keygen"
make_token "$alice" alice.token
make_token "$bob" bob.token
make_kms a "$alice"
make_kms b "$bob"
"$kmsd" external add --dir kms-a b.xml >>kms-a.log 2>&1 || fail "external add a"
"$kmsd" external add --dir kms-b a.xml >>kms-b.log 2>&1 || fail "external add b"
run_kms a
run_kms b
openssl rand -hex 32 >alice.key
openssl rand -hex 32 >bob.key

# refusals before there is a store
refused 1 auth --ca other.pem
refused 1 auth --url "https://127.0.0.1:$port_a" # a name that the certificate does not have
refused 1 policy --token bob.token
refused 1 policy --user "$bob"
refused 1 policy --kms-uri kms.b.example.org
refused 2 "" --url "http://localhost:$port_a"
refused 2 "" --time yesterday
refused 3 "" --token missing
chmod 644 alice.token
refused 1 "" --token alice.token
chmod 600 alice.token
echo "ab cd" >bad.token
refused 1 "" --token bad.token
[ ! -e alice.store ] || fail "a refused fetch made a store"

# the whole fetch, in both domains
out=$(fetch_alice) || fail "fetch for alice: $out"
[ "$(jq -r .status <<<"$out")" = ok ] || fail "$out"
[ "$(stat -c %a alice.store)" = 600 ] || fail "mode of the store"
"$mcx" kms fetch --url "https://localhost:$port_b" --kms-uri kms.b.example.org --user "$bob" --token bob.token \
    --ca tls.pem --store bob.store --store-key bob.key >>client.log 2>&1 || fail "fetch for bob"
list=$("$mcx" store list --store alice.store --store-key alice.key --json) || fail "list"
[ "$(jq -r '[.certificates[] | .kms_uri + " " + .role] | sort | join(",")' <<<"$list")" = \
    "kms.a.example.org Root,kms.b.example.org External" ] || fail "certificates: $list"
[ "$(jq -r '[.key_sets[] | select(.age == "present")] | length' <<<"$list")" = 1 ] || fail "key sets: $list"
[ "$(jq -r '.key_sets[0].user_uri + " " + (.key_sets[0].can_sign | tostring)' <<<"$list")" = "$alice true" ] ||
    fail "key sets: $list"
no=$(jq -r '.key_sets[] | select(.age == "present") | .period_no' <<<"$list")
[ "$(jq -r '.key_sets[] | select(.age == "present") | .uid' <<<"$list")" = \
    "$("$mcx" uid --user "$alice" --kms kms.a.example.org --period 2592000 --offset 0 --period-no "$no")" ] ||
    fail "UID"

# the store shows public things only, and exports what the KMS itself prints
"$mcx" store export --store alice.store --store-key alice.key --kms-uri kms.b.example.org >b-out.xml || fail "export"
diff <(xmllint --xpath 'string(//*[local-name()="PubEncKey"])' b.xml) \
    <(xmllint --xpath 'string(//*[local-name()="PubEncKey"])' b-out.xml) || fail "exported certificate"
"$mcx" kms cert --url "https://localhost:$port_a" --kms-uri kms.a.example.org --user "$alice" --token alice.token \
    --ca tls.pem >a-out.xml 2>>client.log || fail "kms cert"
xmllint --noout --schema "$MCX_SOURCE/docs/schema/mcx-kms.xsd" a.xml b-out.xml a-out.xml 2>>client.log ||
    fail "a certificate is not valid by the schema"
"$mcx" store export --store alice.store --store-key alice.key --kms-uri kms.c.example.org >/dev/null 2>&1
[ $? -eq 1 ] || fail "export of a KMS that is not there"

# laboratory files: clear keys, so mode 0600; valid by the schema
fetch_alice --save-xml xml >/dev/null || fail "save-xml"
[ "$(stat -c %a xml/KEYSET.xml)" = 600 ] || fail "mode of KEYSET.xml"
xmllint --noout --schema "$MCX_SOURCE/docs/schema/mcx-kms.xsd" xml/*.xml 2>>client.log || fail "saved files and the schema"
ssk=$(xmllint --xpath 'string(//*[local-name()="UserSigningKeySSK"])' xml/KEYSET.xml)
[ "${#ssk}" -eq 64 ] || fail "SSK in KEYSET.xml"
cat client.log kms-a.log alice.store <("$mcx" store list --store alice.store --store-key alice.key --json) |
    grep -qi "$ssk" && fail "a key shows in a log, in the list or in the store"

# with a store: wrong keys and damage are named, nothing changes, and a good fetch still works after
refused 1 auth --store-key bob.key
cp alice.store keep
printf X | dd of=alice.store bs=1 seek=100 conv=notrunc 2>/dev/null
refused 1 auth
head -c 40 keep >alice.store
refused 1 trunc
cp keep alice.store
chmod 644 alice.key
refused 1 ""
chmod 600 alice.key
fetch_alice >/dev/null || fail "fetch after the refusals"
echo "two domains fetched, refusals refused"
