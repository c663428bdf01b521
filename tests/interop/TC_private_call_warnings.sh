#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# INVITEs of private calls that the server refuses: what the caller reads in Warning, and the operator in the log
# (TS 24.379 4.4.2, 11.1.1.3, 11.1.1.4).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
D=lab.example.org
server_start server --listen tcp:127.0.0.1:0 --user "sip:bob@$D,answer=auto" --user "sip:carol@$D,deny-automatic" \
    --user "sip:alice@$D,may-call=sip:bob@$D,may-call=sip:unset@$D,may-call=sip:shut@$D" --user "sip:dave@$D,deny-manual" \
    --user "sip:erin@$D,deny-private-calls" --user "sip:unset@$D,no-settings" --user "sip:shut@$D,deny-called"

CASES=( # FROM TO CHANGES | STATUS, Warning | in the log, where it is not the text of the Warning
    "alice bob no-service|403 100 function not allowed due to missing MCPTT service identifier|missing MCPTT service identifier"
    "alice bob no-info|403 100 function not allowed due to missing mcptt-info|missing mcptt-info"
    "alice bob session=ambient-listening|403 100 function not allowed due to unsupported session type|unsupported session type"
    "alice bob session=first-to-answer|403 156 user not authorised to originate a first-to-answer call|"
    "alice bob encrypted|403 140 unable to decrypt XML content|"
    "alice bob no-list|403 145 unable to determine called party|"
    "alice bob two-called|403 145 unable to determine called party|"
    "alice bob priv-mode=Auto|403 143 not authorised to force auto answer|"
    "alice carol|403 144 user not authorised to call this particular user|"
    "carol bob mode=Auto|403 125 user not authorised to make private call with automatic commencement|"
    "dave bob mode=Manual|403 126 user not authorised to make private call with manual commencement|"
    "erin bob|403 107 user not authorised to make private calls|"
    "alice unset|480 146 T-PF unable to determine the service settings for the called user|"
    "alice shut|403 127 user not authorised to be called in private call|"
    "-stranger bob|404 141 user unknown to the participating function|"
    "bob -away|404 141 user unknown to the participating function|"
    "alice bob user=pre-established|403 100 function not allowed due to no key for the control channel|no key for the control channel"
    "alice bob mode=Bogus|400|Bad Request"
    "alice bob open|-|-"
    "alice bob|486 124 maximum number of private calls reached|"
)
for case in "${CASES[@]}"; do
    read -r from to changes <<<"${case%%|*}"
    said=${case#*|} log=${case##*|}
    [ "$changes" = open ] || {
        echo "${said%|*}" >>"$W/said"
        echo "${log:-$(cut -d' ' -f3- <<<"${said%|*}")}" >>"$W/logged"
    }
    at() { [ "${1#-}" = "$1" ] && echo "sip:$1@$D" || echo "-sip:${1#-}@$D"; }
    echo "$(at "$from") $(at "$to") $changes"
done >"$W/lines"
timeout 60 python3 "$MCX_SOURCE/tests/support/sip_invite.py" "$(server_port server tcp)" <"$W/lines" >"$W/answers" ||
    fail "the caller ended with $?"
diff "$W/said" "$W/answers" || fail "not the Warnings that are expected (<)"
program_stop server
diff "$W/logged" <(jq -r 'select(.event | endswith("-refused")) | .text' "$W/log/server.out") || fail "not the reasons that are expected (<)"
expect "calls that were set up" "$(events server call-setup callee)" "sip:bob@$D"
echo "${#CASES[@]} INVITEs, and each refusal said to the caller and to the operator"
