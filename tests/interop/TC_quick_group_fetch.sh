#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx group fetch over HTTPS, with keys from a real mcx-kmsd and messages of mcx mikey make: keys are taken once, entity
# tags go back as they came, and whatever is refused leaves the sealed file of group keys as it was.
set -u
. "$MCX_SOURCE/tests/support/kms.sh"

lab_init
kms_init kms kms.example.org example.org
for who in alice bob gms; do
    "$KMSD" user add --dir kms --user-uri "sip:$who@example.org" --mcptt-id "sip:$who@example.org" >/dev/null || fail "add $who"
done
kms_start kms
(umask 077 && openssl rand -hex 32 >store.key)
for who in alice bob gms; do
    (umask 077 && token "sip:$who@example.org" >"$who.token")
    "$MCX" kms fetch --url "${kms_url%/keymanagement*}" --kms-uri kms.example.org --user "sip:$who@example.org" \
        --token "$who.token" --ca tls.pem --store "$who.store" --store-key store.key --save-xml "$who" 2>/dev/null >/dev/null ||
        fail "kms fetch of $who"
done

mkdir docs
python3 "$MCX_SOURCE/tests/support/gms_https.py" tls.pem tls.key gms.ready gms.requests docs 2>gms.log &
kms_pids+=($!)
for _ in $(seq 100); do
    [ -f gms.ready ] && break
    sleep 0.05
done
[ -f gms.ready ] || fail "the GMS does not listen"

group_doc() { # NAME [children of list-service]
    cat >"docs/$1.group.xml" <<XML
<group xmlns="urn:oma:xml:poc:list-service" xmlns:x="urn:oma:xml:xdm:extensions" xmlns:m="urn:3gpp:ns:mcpttGroupInfo:1.0">
<list-service uri="sip:$1@example.org"><x:supported-services><x:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcptt">
<x:group-media><m:mcptt-speech/></x:group-media></x:service></x:supported-services>${2:-}</list-service></group>
XML
}
message() { # FROM TO GROUP KEY GMK-ID: hexadecimal
    "$MCX" mikey make --type gmk --cert "$1/CERT.xml" --keys "$1/KEYSET.xml" --to "sip:$2@example.org" --key "$4" \
        --key-id "$5" --rand 52525252525252525252525252525252 --group "sip:$3@example.org" 2>>make.log |
        sed 's/^mikey //' | base64 -d | od -An -v -tx1 | tr -d ' \n'
}
gktp_doc() { # NAME MESSAGE...
    local name=$1 m
    shift
    {
        echo '<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GMK-GKTPs>'
        for m in "$@"; do echo "<GKTP id='sip:alice@example.org'>$m</GKTP>"; done
        echo '</GMK-GKTPs></GKTPs>'
    } >"docs/$name.gktp.xml"
}
fetch() { # what differs from the good command line; sets out and code
    out=$("$MCX" group fetch --gms-url "https://127.0.0.1:$(cat gms.ready)" --gms-uri sip:gms@example.org \
        --user sip:alice@example.org --group sip:fire@example.org --token alice.token --ca tls.pem --store alice.store \
        --store-key store.key --json "$@" 2>fetch.log)
    code=$?
}
of() { jq -r "$1" <<<"$out"; }
keys() { "$MCX" group keys --store alice.store --store-key store.key --json; }

key=11223344556677889900aabbccddeeff
good=$(message gms alice fire $key 01234567)
[ ${#good} -gt 800 ] || fail "no message was made"
group_doc fire
gktp_doc fire "$good"

# taken once
fetch
check "first fetch" 0 $code
check "first fetch" "ok current 1 0" "$(of '"\(.status) \(.groups[0].state) \(.groups[0].new) \(.groups[0].num_refused)"')"
check "mode of the file" 600 "$(stat -c %a alice.store.groups)"
check "held" "01234567 active sip:fire@example.org sip:gms@example.org" \
    "$(keys | jq -r '.keys[0] | "\(.key_id) \(.state) \(.groups[0]) \(.gms)"')"
keys | grep -qi "$key" && fail "a key is shown"
"$MCX" group keys --store alice.store --store-key store.key | grep -q '^gmk  01234567  active' || fail "list for people"
check "requests" '/org.openmobilealliance.groups/global/byGroupID/sip:fire@example.org -' "$(head -1 gms.requests | cut -d'|' -f1,2 | tr '|' ' ')"
grep -q "Bearer $(cat alice.token)|application/vnd.oma.poc.groups+xml" gms.requests || fail "token or type"
# unchanged
fetch
check "second fetch" "0 current 0" "$code $(of '"\(.groups[0].state) \(.groups[0].new + .groups[0].same)"')"
check "If-None-Match" '"v1" "v1"' "$(tail -2 gms.requests | cut -d'|' -f2 | xargs -d '\n')"

# entity tags: weak ones count, several or none in marks do not
for row in 'W/"a b"|-' 'W/"w1"|"w1"' 'bare|-' '"x"y"|-'; do
    echo "${row%|*}" >docs/fire.group.etag
    fetch
    fetch
    check "ETag ${row%|*}" "${row#*|}" "$(tail -2 gms.requests | head -1 | cut -d'|' -f2)"
done
printf '"one"\n"two"\n' >docs/fire.group.etag
fetch
fetch
check "two ETags" - "$(tail -2 gms.requests | head -1 | cut -d'|' -f2)"
rm docs/fire.group.etag

# refused: the held key stays
refused() { # NAME EXIT_CODE STATE ERROR
    check "$1: exit code" "$2" $code
    check "$1" "$3 $4" "$(of '"\(.groups[0].state) \(.groups[0].refused[0].status)"')"
    [ -s fetch.log ] || fail "$1: nothing is said"
    check "$1: the held key" "01234567 active" "$(keys | jq -r '.keys[0] | "\(.key_id) \(.state)"')"
    check "$1: number of keys" 1 "$(keys | jq '.keys | length')"
}
echo '"v2"' >docs/fire.gktp.etag
gktp_doc fire "$good" "$(message bob alice fire 0102030405060708090a0b0c0d0e0f10 02222222)"
fetch; refused "signed by a member" 1 partly policy
because() { check "$1: why" "$2" "$(of '.groups[0].refused[0] | "\(.reason) (\(.clause))"')"; }
because "signed by a member" "IDRi is not the initiator that is expected here (TS 33.180 5.2.2)"
gktp_doc fire "$good" "$(message gms alice rescue 0102030405060708090a0b0c0d0e0f10 02222222)"
fetch; refused "another group" 1 partly policy
because "another group" "the group key is for other groups (TS 33.180 E.6.3)"
gktp_doc fire "$good" "$(message gms bob fire 0102030405060708090a0b0c0d0e0f10 02222222)"
fetch; refused "for another member" 1 partly nokey
gktp_doc fire "$good" "${good}0"
fetch; refused "an odd number of digits" 1 partly format
gktp_doc fire "${good:0:900}ff${good:902}"
fetch; refused "altered" 1 partly auth
because "altered" "the signature does not verify (RFC 6507 5.2.2)"
echo '<!DOCTYPE a><a/>' >docs/fire.gktp.xml
fetch; refused "a DOCTYPE" 1 unreadable format
echo 302 >docs/fire.gktp.status
fetch; refused "a redirect" 1 unreadable policy
rm docs/fire.gktp.status
echo 401 >docs/fire.group.status
fetch; refused "a token that does not serve" 1 unreadable policy
rm docs/fire.group.status
(umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.pem -days 2 \
    -subj /CN=x 2>/dev/null)
fetch --ca x.pem
check "another authority" "1 auth" "$code $(of .status)"
fetch --gms-url "https://localhost:$(cat gms.ready)"
check "another name" "1 auth" "$code $(of .status)"
(umask 077; openssl rand -hex 32 >other.key)
before=$(sha256sum <alice.store.groups)
fetch --store-key other.key
check "another store key" "1 auth" "$code $(of .status)"
check "another store key: why" "the key store was sealed under another key, or altered" "$(of .reason)"
check "the file after it" "$before" "$(sha256sum <alice.store.groups)"

# a file of group keys that was exchanged or changed, or filled by somebody who has the store key
cp alice.store.groups whole.groups
spoilt() { # NAME REASON [EXIT-CODE OF THE LIST]: both commands refuse it, and leave it as it is
    local sum
    sum=$(sha256sum <alice.store.groups)
    keys >/dev/null 2>keys.log
    check "$1: exit code of the list" "${3:-1}" $?
    grep -qF "$2" keys.log || fail "$1: the list does not say why: $(cat keys.log)"
    fetch
    check "$1: exit code" 1 $code
    check "$1: why" "$2" "$(of .reason)"
    check "$1: the file after it" "$sum" "$(sha256sum <alice.store.groups)"
    cp whole.groups alice.store.groups
}
truncate -s 1048577 alice.store.groups
spoilt "too large" "the file of group keys is larger than 1 MiB" 3
truncate -s 40 alice.store.groups
spoilt "cut short" "the file of group keys is cut short"
cp alice.store alice.store.groups
spoilt "the key store instead" "the file holds no group keys"
printf '\7' | dd of=alice.store.groups bs=1 seek=9 conv=notrunc 2>dd.log
spoilt "another version" "the file of group keys has another format version"
python3 - alice.store.groups <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[1], "wb").write(data)
PY
spoilt "altered" "the group keys were sealed under another key, or altered"
"$MCX" group keys --store alice.store --store-key other.key 2>keys.log && fail "opened with another key"
grep -qF "the group keys were sealed under another key, or altered" keys.log || fail "another key: $(cat keys.log)"
python3 - alice.store.groups store.key <<'PY'
import os, sys
sys.path.insert(0, os.environ["MCX_SOURCE"] + "/tests/interop")
import laboratory as lab
data, key = open(sys.argv[1], "rb").read(), bytes.fromhex(open(sys.argv[2]).read())
head = data[:30]
plain = lab.gcm_open(key, head[18:], head, data[30:])
open(sys.argv[1], "wb").write(head + lab.gcm_seal(key, head[18:], head, plain + b"\0"))
PY
spoilt "one octet more in it" "the contents of the file of group keys are malformed"
check "the whole file again" "01234567 active" "$(keys | jq -r '.keys[0] | "\(.key_id) \(.state)"')"
cp alice.token open.token && chmod 644 open.token
cp alice.store.groups open.groups && chmod 644 open.groups
fetch --token open.token
check "an open token file" "1 policy" "$code $(of .status)"
not_a_server="the URL is not https://HOST:PORT without a path, a URI is no URI, or there is no group, one twice, or too many"
fetch --gms-url "http://127.0.0.1:1"
check "no https" "2 $not_a_server" "$code $(of .reason)"
fetch --group sip:fire@example.org
check "a group twice" "2 $not_a_server" "$code $(of .reason)"
fetch --gms-url https://127.0.0.1:1
check "nobody listens" "3 unreadable io" "$code $(of '"\(.groups[0].state) \(.groups[0].refused[0].status)"')"
because "nobody listens" "no answer from the GMS ()"
long=$(printf 'k%.0s' $(seq 250)) # the name of the lock beside it is still one, that of the file to be written first is not
mkdir folder.groups
while read -r name want why; do
    fetch --group-keys "$name"
    check "$name as the file of group keys" "$want $why" "$code $(of .reason)"
done <<ROWS
open.groups 1 the file of group keys must belong to this user and have mode 0600
folder.groups 3 the file of group keys cannot be read
nowhere/a.groups 3 the file of group keys cannot be locked
$long 3 the file of group keys cannot be written
ROWS

# keys in the file that are not this user's, or not of this GMS: the entity tags of then do not count
gktp_doc fire "$good"
rm -f docs/fire.gktp.etag
fetch
check "as before" "0 current" "$code $(of '.groups[0].state')"
num=$(wc -l <gms.requests)
fetch --user sip:bob@example.org
refused "the keys of another user" 1 unreadable policy
check "the keys of another user: requests" "$num" "$(wc -l <gms.requests)"
grep -q 'the group keys that are held are those of another user (TS 33.180 5.2.3)' fetch.log || fail "the keys of another user: why"
fetch --gms-uri sip:bob@example.org
refused "the keys of another GMS" 1 partly policy
check "the keys of another GMS: entity tags" "- -" "$(tail -2 gms.requests | cut -d'|' -f2 | xargs -d '\n')"
gktp_doc fire "$(message bob alice fire $key 01234567)"
fetch --gms-uri sip:bob@example.org
refused "the identifier of another GMS's key" 1 partly policy
because "the identifier of another GMS's key" \
    "the group key is held from another server or for another user (TS 33.180 5.7.1)"
gktp_doc fire "$good"
fetch --group sip:nobody@example.org
check "an unknown group" "1 current gone nokey" "$code $(of '"\(.groups[0].state) \(.groups[1].state) \(.groups[1].refused[0].status)"')"
grep -q 'sip:nobody@example.org: group: the GMS has no such group (TS 24.481 6.3.3)' fetch.log || fail "an unknown group: why"

# two groups, one of them without protection; then the user is put out of the first
group_doc rescue "<m:protect-media>false</m:protect-media>"
gktp_doc fire "$good"
fetch --group sip:rescue@example.org
check "two groups" "0 current current" "$code $(of '"\(.groups[0].state) \(.groups[1].state)"')"
echo 403 >docs/fire.gktp.status
fetch
check "no member any more" "1 no_member 1" "$code $(of '"\(.groups[0].state) \(.groups[0].wiped)"')"
grep -q 'sip:fire@example.org: gktp: the user is no member of the group (TS 24.481 6.3.3)' fetch.log || fail "no member: why"
check "keys after it" 0 "$(keys | jq '[.keys[] | select(.state == "active")] | length')"
rm docs/fire.gktp.status
fetch
check "a member again" "0 current" "$code $(of '.groups[0].state')"
rm docs/fire.group.xml
fetch
check "group deleted" "1 gone" "$code $(of '.groups[0].state')"
echo ok
