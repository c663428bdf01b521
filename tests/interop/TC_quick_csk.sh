#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The client-server key: sent with the registration, kept through its renewals, sent again to a server that has forgotten
# it, replaced by the server; never printed.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
ALICE=sip:alice@lab.example.org SERVER_ID=sip:mcptt@lab.example.org
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
provision kms alice "$ALICE"
provision kms server "$SERVER_ID" server

serve() { # PORT [OPTION ...]
    server_start server --listen "tcp:127.0.0.1:$1" --user "$ALICE,answer=auto" --store "$W/server.store" \
        --store-key "$W/server.store-key" --server-id "$SERVER_ID" "${@:2}"
}
csk_events() { # STATUS COUNT: waits for so many 'csk' events of that status
    local i
    for i in $(seq 100); do
        [ "$(grep -c "\"status\":\"$1\"" "$W/log/alice.out")" -ge "$2" ] && return 0
        sleep 0.1
    done
    fail "not $2 times '$1': $(grep csk "$W/log/alice.out")"
}

code=0
"$MCX_BIN/mcx-mcpttd" -t --listen tcp:127.0.0.1:0 --server-id "$SERVER_ID" 2>"$W/log/usage" || code=$?
expect "exit code of --server-id without --store" "$code" 2

# renewals come every second; the key comes once
serve 0 --max-expires 2
PORT=$(server_port server tcp)
SERVER="sip:127.0.0.1:$PORT;transport=tcp"
phone_start alice alice "$ALICE" answer --calls 0 --server-id "$SERVER_ID"
wait_registered alice
csk_events uploaded 1
first=$(event alice csk key_id)
expect "purpose tag" "${first:0:1}" 2
for i in $(seq 60); do
    [ "$(grep -c '"event":"registered"' "$W/log/server.out")" -ge 3 ] && break
    sleep 0.1
done
[ "$(grep -c '"event":"registered"' "$W/log/server.out")" -ge 3 ] || fail "it was not renewed"
expect "keys so far" "$(grep -c '"event":"csk"' "$W/log/alice.out")" 1

# a server that was started again says that it has no key
program_stop server
serve "$PORT" --csk-lifetime 2
csk_events uploaded 2
[ "$(event alice csk key_id)" != "$first" ] || fail "the same CSK twice"

# and replaces it when it is old
csk_events replaced 2
wait_event server csk-replaced
expect "refused keys" "$(grep -c '"status":"refused"' "$W/log/alice.out")" 0

# new keys of the server: by the file, and by SIGHUP; an older or damaged store changes nothing
cp "$W/server.store" "$W/server.old"
kms_fetch kms server "$SERVER_ID" >"$W/log/server.fetch-again"
wait_event server keys-renewed
cp "$W/server.store" "$W/server.kept"
not_renewed() { # TIMES
    local i
    for i in $(seq 60); do
        [ "$(grep -c '"event":"keys-not-renewed"' "$W/log/server.out")" -ge "$1" ] && return 0
        sleep 0.1
    done
    fail "a store that cannot be used was taken"
}
cp "$W/server.old" "$W/server.store"
not_renewed 1
echo damaged >"$W/server.store"
not_renewed 2
cp "$W/server.kept" "$W/server.store"
n=$(grep -c '"event":"keys-renewed"' "$W/log/server.out")
kill -HUP "${PIDS[server]}"
for i in $(seq 60); do
    [ "$(grep -c '"event":"keys-renewed"' "$W/log/server.out")" -gt "$n" ] && break
    sleep 0.1
done
[ "$(grep -c '"event":"keys-renewed"' "$W/log/server.out")" -gt "$n" ] || fail "SIGHUP did not read the keys"
n=$(grep -c '"status":"replaced"' "$W/log/alice.out")
csk_events replaced $((n + 1)) # made with the keys that were read again

# de-registration takes the key away: nothing is replaced any more
program_stop alice
wait_event server deregistered
n=$(grep -c '"event":"csk-' "$W/log/server.out")
sleep 2.5
expect "replacements after the end" "$(grep -c '"event":"csk-' "$W/log/server.out")" "$n"

# a phone that is started again has no key of before, and makes another (docs/SOUNDNESS.md)
jq -r 'select(.event == "csk") | .key_id' "$W/log/alice.out" >"$W/key-ids"
phone_start again alice "$ALICE" register --server-id "$SERVER_ID"
expect_exit again 0
expect "key of the second start" "$(event again csk status)" uploaded
grep -q "$(event again csk key_id)" "$W/key-ids" && fail "a CSK was kept over a restart"

# a phone without a server identity is served as before
phone_start plain alice "$ALICE" register
expect_exit plain 0
expect "keys of a phone without server identity" "$(grep -c '"event":"csk"' "$W/log/plain.out")" 0

# the keys of this laboratory never leave their files
grep -qiE '"key"|[0-9a-f]{32}' "$W/log/alice.out" "$W/log/server.out" && fail "something like a key was printed"
echo "the CSK goes up, is kept, asked for again, and replaced"
