#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hostile clients of mcx-gmsd: tokens, methods, paths, sizes, broken and slow and many connections, floods, and a
# database that does not answer. The server stays up, its memory is bounded, a member at another address is served all
# the time, and the log names what was refused and why.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
ALICE=sip:alice@lab.example.org FIRE=sip:fire@lab.example.org
GROWTH=32768 # KiB that the serving process may take for all this
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8" # what a sanitizer keeps is not meant
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
gms_make gms kms sip:gms@lab.example.org
gms_start gms --connections-per-peer 20 --refusals 1000
gms_token gms alice $ALICE
gms_group gms create --group $FIRE --member $ALICE
gms_await gms $FIRE
served() { # WHEN: a member at another address
    expect "a member $1" "$(curl -s --interface 127.0.0.2 --max-time 60 --cacert "$W/ca.pem" -o /dev/null -w '%{http_code}' \
        -H "Authorization: Bearer $(cat "$W/alice.gms-token")" \
        "https://127.0.0.1:$(port_of gms)/org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Afire%40lab.example.org")" 200
}
hostile() {
    timeout 200 python3 "$MCX_SOURCE/tests/support/gms_hostile.py" "$(port_of gms)" "$W/ca.pem" "$(cat "$W/alice.gms-token")" \
        "$(cat "$W/gms.admin-token")" "$@" || fail "$*"
}
logged() { grep -q "$1" "$W/log/gms.err" || fail "the log does not say '$1'"; }
memory() { awk '/VmHWM/ { print $2 }' "/proc/$serve/status"; }
serve=$(jq .serve "$W/gms.ready")
served "before"
hostile pipelined
before=$(memory)
content() {
    gms_group gms list --json
    "$MCX_BIN/mcx-gmsd" audit list --dir "$W/gms" --json
}
content >"$W/before"

# tokens of another audience, of another issuer, and one that is too old (beyond the skew)
for bad in "audience --iss lab --aud other" "issuer --iss other --aud mcx" "late --iss lab --aud mcx --expires-in 1"; do
    read -r name options <<<"$bad"
    # shellcheck disable=SC2086
    "$MCX_BIN/mcx" token issue --key "$W/kms.jwk" --mcptt-id $ALICE --scope "$GMS_SCOPE" --scope mcx:group_administration \
        $options >"$W/$name.gms-token"
done
for bad in audience issuer; do
    expect "document, $bad" "$(gms_get gms $bad org.3gpp.MCPTT-GKTP $FIRE)" 401
    expect "administration, $bad" "$(curl -s --cacert "$W/ca.pem" -d '{}' -o /dev/null -w '%{http_code}' \
        -H "Authorization: Bearer $(cat "$W/$bad.gms-token")" "https://127.0.0.1:$(port_of gms)/admin/v1/list")" 401
done
hostile tokens
served "after wrong tokens"
hostile methods paths
served "after wrong methods and paths"
hostile large half_closed pipelined
served "after large and broken requests"

# as many connections as an address may have, all in the middle of a request; further ones are cut
mkfifo "$W/go"
exec 7<>"$W/go"
hostile many <"$W/go" >"$W/many.out" &
many=$!
for _ in $(seq 600); do
    grep -q held "$W/many.out" && break
    sleep 0.1
done
grep -q held "$W/many.out" || fail "connections were not held"
served "while another address has all its connections"
echo go >&7
wait $many || fail "many"
served "after many connections"
kill -USR1 "$(jq .pid "$W/gms.ready")"
for _ in $(seq 100); do
    grep -q "\[counter\] [1-9][0-9]* connections cut" "$W/log/gms.err" && break
    sleep 0.1
done
logged "\[counter\] [1-9][0-9]* connections cut, too many of one address"

kill -0 "${PIDS[gms]}" || fail "the server has ended"
expect "the process that serves" "$(jq .serve "$W/gms.ready")" "$(pgrep -P "${PIDS[gms]}" | grep -x "$serve")"
after=$(memory)
[ "$after" -le $((before + GROWTH)) ] || fail "$before KiB have become $after"
content >"$W/after"
cmp -s "$W/before" "$W/after" || fail "something has changed"
for reason in "the request has no access token" "no administrator" "documents are only read here" "no path of a document here" \
    "no such application usage" "administration is POST" "the body is no JSON object"; do
    logged "$reason"
done
grep -qF "$(cut -c1-40 "$W/alice.gms-token")" "$W/log/gms.err" && fail "a token is in the log"

# the one that is too old, with no skew allowed; the budget for refusals, which is one for documents and administration
gms_start gms --token-skew 0 --refusals 20
served "after a restart"
sleep 2
expect "document, late" "$(gms_get gms late org.3gpp.MCPTT-GKTP $FIRE)" 401
logged "expired"
hostile flood
served "after a flood"
[ "$(grep -c "document 401\|administration refused" "$W/log/gms.err")" -le 40 ] || fail "the flood has filled the log"

# a database that does not answer
python3 - "$W/gms/gms.db" "$W/locked" "$W/unlock" <<'END' &
import os, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
open(sys.argv[2], "w").write("locked")
while not os.path.exists(sys.argv[3]):
    time.sleep(0.1)
END
locker=$!
wait_ready "$W/locked"
expect "document of a locked database" "$(gms_get gms alice org.3gpp.MCPTT-GKTP $FIRE)" 503
expect "administration of a locked database" "$(curl -s --cacert "$W/ca.pem" -o /dev/null -w '%{http_code}' \
    -H "Authorization: Bearer $(cat "$W/gms.admin-token")" -d "{\"group\":\"$FIRE\"}" "https://127.0.0.1:$(port_of gms)/admin/v1/rekey")" 503
touch "$W/unlock"
wait $locker
grep "document 503" "$W/log/gms.err" | grep -q "database is locked" || fail "the log does not name the trouble of a document"
grep "\] rekey" "$W/log/gms.err" | grep -q "database is locked" || fail "the log does not name the trouble of administration"
served "afterwards"
program_stop gms
echo "ok: the serving process had $before KiB before and $after KiB after"
