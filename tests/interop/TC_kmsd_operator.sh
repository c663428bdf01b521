#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an operator meets: wrong modes, a full disk, a read-only one, an account without rights, floods of refusals, and
# a log in which neither keys nor tokens stand. Root's part is left out for other users.
set -u
. "$(dirname "$0")/../support/kms.sh"

A=sip:alice@a.example
lab_init
kms_init a kms.a.example a.example
"$KMSD" user add --dir a --user-uri $A --mcptt-id $A || fail "user"
tok=$(token $A)
: >empty
RUN=(--seal-key seal.key --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key --jwks jwks.json)
# refuses CODE WORD ARGUMENTS...: ends with CODE and says WORD
refuses() {
    local want=$1 word=$2
    shift 2
    "$KMSD" "$@" >out.txt 2>err.txt
    check "mcx-kmsd $*" "$want" $?
    grep -q -- "$word" err.txt || fail "mcx-kmsd $*: '$(cat err.txt)' does not say '$word'"
}

# modes, files, usage
chmod 644 tls.key
refuses 3 "chmod 600" run -t --dir a "${RUN[@]}"
chmod 600 tls.key
chmod 644 a/master.sealed
refuses 3 "chmod 600" run -t --dir a "${RUN[@]}"
chmod 600 a/master.sealed
refuses 3 "none.json" run -t --dir a "${RUN[@]:0:8}" --jwks none.json
refuses 3 "mcx-kmsd init" run -t --dir nowhere "${RUN[@]}"
refuses 2 "--help" run -t --dir a
refuses 2 "--help" dance
refuses 2 "--refusals" run -t --dir a "${RUN[@]}" --refusals many
refuses 2 "ADDRESS:PORT" run -t --dir a "${RUN[@]/127.0.0.1:0/localhost}"

# refusals: a budget for each address, counters, no secret in the log
kms_start a --refusals 5 --connections-per-peer 3
fds() { find "/proc/$kms_pid/fd" -mindepth 1 | wc -l; }
before=$(fds)
for i in 1 2 3 4 5; do
    check "refusal $i" 401 "$(post "$kms_url/keyprov" "ey.SECRET-TOKEN-OCTETS-$i.x" empty)"
done
for i in 6 7 8; do
    check "refusal $i" 429 "$(post "$kms_url/keyprov" "ey.SECRET-TOKEN-OCTETS-$i.x" empty)"
    [ -n "$(header Retry-After)" ] || fail "429 without Retry-After"
    [ ! -s body.xml ] || fail "429 with a body"
done
check "a good token from there" 200 "$(post "$kms_url/keyprov" "$tok" empty)"
element UserSigningKeySSK >secrets.txt
check "foreign URI" 403 "$(post "$kms_url/keyprov/sip%3Aeve%40a.example" "$tok" empty)"
check "unknown path" 404 "$(post "$kms_url/$(printf '%%1b%%5b31m')nothing" "$tok" empty)"
printf 'POST /\033[31m HTTP/1.1\r\nAuthorization: Bearer SECRET-TOKEN-OCTETS-9\r\nContent-Length: 0\r\n\r\n' |
    timeout 3 openssl s_client -quiet -connect "127.0.0.1:$(jq .port a.ready)" >/dev/null 2>&1
python3 - "$(jq .port a.ready)" <<'PY' || fail "connections of one address"
import socket, sys
conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) for _ in range(6)]
cut = 0
for c in conns:
    c.settimeout(2)
    try:
        cut += c.recv(1) == b""
    except (TimeoutError, ConnectionResetError) as e:
        cut += isinstance(e, ConnectionResetError)
sys.exit(0 if cut == 3 else f"{cut} of 6 connections were cut, not 3")
PY
for i in $(seq 100); do [ "$(fds)" -le "$before" ] && break; sleep 0.05; done
check "descriptors left" "$before" "$(fds)"
kill -USR1 "$kms_pid"
for i in $(seq 100); do grep -q 'connections cut' a.log && break; sleep 0.05; done
kms_stop
for line in '4 too many refusals for this address' '1 served' '3 connections cut'; do
    check "counters '$line'" 2 "$(grep -c "\[counter\] $line" a.log)" # at SIGUSR1 and at the end
done
check "refusals in the log" 5 "$(grep -c ' 401, ' a.log)"
grep -q 'reason=".*" clause="' a.log || fail "no reason and clause"
grep -qi 'SECRET-TOKEN\|bearer ey\|authorization:' a.log && fail "a token is in the log"
while read -r ssk; do grep -qi "$ssk" a.log && fail "a key is in the log"; done <secrets.txt
[ -s secrets.txt ] || fail "no key to look for"
grep -q "$(printf '\033')" a.log && fail "control characters reach the log"

[ "$(id -u)" -eq 0 ] || { echo "ok, without root's part"; exit 0; }

# an account without rights: seal and TLS key stay root's, the database is the account's
chmod 711 .
chown nobody a a/kms.db
kms_ready() { for i in $(seq 200); do [ -f a/ready ] && return; sleep 0.05; done; fail "not ready: $(cat a.log)"; }
"$KMSD" run --dir a "${RUN[@]}" --user nobody --ready-file a/ready 2>>a.log &
kms_pid=$!
kms_pids+=("$kms_pid")
kms_ready
kms_url=https://127.0.0.1:$(jq .port a/ready)/keymanagement/identity/v1
check "account" "$(id -u nobody) $(id -u nobody) $(id -u nobody) $(id -u nobody)" \
    "$(awk '/^Uid:/ {print $2, $3, $4, $5}' "/proc/$kms_pid/status")"
check "groups" "$(id -G nobody)" "$(awk '/^Groups:/ {$1 = ""; print}' "/proc/$kms_pid/status" | xargs)"
check "capabilities" 0000000000000000 "$(awk '/^CapEff:/ {print $2}' "/proc/$kms_pid/status")"
check "not dumpable" root "$(stat -c %U "/proc/$kms_pid/environ")"
grep -q 'Max core file size *0 *0' "/proc/$kms_pid/limits" || fail "core dumps are allowed"
check "keys as nobody" 200 "$(post "$kms_url/keyprov" "$tok" empty)"
kms_stop
refuses 3 "nobody" run -t --dir a "${RUN[@]}" --user no-such-account
chown -R root a

# a disk that is full, then read-only: no key without its record
mkdir small
mount -t tmpfs -o size=400k,mode=700 none small 2>/dev/null || { echo "ok, without the full disk"; exit 0; }
unmount() {
    local rc=$?
    cd / && umount -l "$work/small" # shellcheck disable=SC2154
    (exit "$rc")
    finish
}
trap unmount EXIT
kms_init small/b kms.b.example b.example
"$KMSD" user add --dir small/b --user-uri sip:bob@b.example --mcptt-id sip:bob@b.example || fail "user"
bob=$(token sip:bob@b.example)
"$KMSD" run --dir small/b "${RUN[@]}" --ready-file b.ready 2>>b.log & # ready file and log lie elsewhere
kms_pid=$!
kms_pids+=("$kms_pid")
for i in $(seq 200); do [ -f b.ready ] && break; sleep 0.05; done
kms_url=https://127.0.0.1:$(jq .port b.ready)/keymanagement/identity/v1
check "room" 200 "$(post "$kms_url/keyprov/sip%3Abob%40b.example/ED529D4000000000" "$bob" empty)"
element UserDecryptKey >rsk.txt
dd if=/dev/zero of=small/filler bs=4k 2>/dev/null
check "full disk" 503 "$(post "$kms_url/keyprov/sip%3Abob%40b.example/ED529D4000000000" "$bob" empty)"
grep -q UserDecryptKey body.xml && fail "a key without its record"
grep -q 'audit record could not be written' b.log || fail "no reason in the log"
rm small/filler
check "room again" 200 "$(post "$kms_url/keyprov/sip%3Abob%40b.example/ED529D4000000000" "$bob" empty)"
element UserDecryptKey | cmp -s - rsk.txt || fail "the RSK changed"
check "records" 2 "$("$KMSD" audit list --dir small/b --json | wc -l)"
kms_stop
mount -o remount,ro small || fail "remount"
refuses 3 "cannot open" run -t --dir small/b "${RUN[@]}"
echo ok
