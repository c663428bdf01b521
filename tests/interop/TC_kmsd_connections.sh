#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Connections that speak no TLS, break off, are too many or stall; a client in the middle of a request at SIGTERM.
set -u
. "$(dirname "$0")/../support/kms.sh"

A=sip:alice@a.example
lab_init
kms_init a kms.a.example a.example
"$KMSD" user add --dir a --user-uri $A --mcptt-id $A || fail "user"
kms_start a --connections 4
python3 "$MCX_SOURCE/tests/support/kms_connections.py" "$(jq .port a.ready)" 4 "$(token $A)" || fail "connections"
mkfifo hold
openssl s_client -quiet -connect "127.0.0.1:$(jq .port a.ready)" <hold >/dev/null 2>&1 & # idle, held open
kms_pids+=("$!")
exec 9>hold
sleep 0.5
kms_stop
echo ok
