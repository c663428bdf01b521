#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx-gmsd run -t: what would keep the server from starting is found before, told with its name, and nothing is left.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
gms_make gms kms sip:gms@lab.example.org
tls_make other
checked() { # EXIT-CODE TEXT OPTION ...
    local code=0
    timeout 60 "$MCX_BIN/mcx-gmsd" run -t --dir "$W/gms" --seal-key "$W/gms.seal" --store "$W/gms.store" \
        --store-key "$W/gms.store-key" --listen 127.0.0.1:0 --tls-cert "$W/gms.pem" --tls-key "$W/gms.key" \
        --jwks "$W/kms.jwks" --sip-listen tcp:127.0.0.1:0 "${@:3}" >"$W/log/checked" 2>&1 || code=$?
    expect "exit code of ${*:3}" $code "$1"
    grep -qF -- "$2" "$W/log/checked" || fail "${*:3}: '$(cat "$W/log/checked")' does not have '$2'"
}
checked 0 "the configuration is good"
checked 2 "--listen wants ADDRESS:PORT" --listen localhost
checked 2 "--listen wants ADDRESS:PORT" --listen 127.0.0.1:70000
checked 3 "127.0.0.1:$(port_of kms)" --listen "127.0.0.1:$(port_of kms)"
checked 3 "192.0.2.1:0" --listen 192.0.2.1:0
checked 3 "do not belong together" --tls-cert "$W/other.pem"
checked 3 "do not belong together" --tls-cert "$W/gms.key"
checked 3 "$W/none" --jwks "$W/none"
checked 3 "not a JWKS" --jwks "$W/gms.pem"
checked 2 "--sip-listen wants" --sip-listen 127.0.0.1:0
checked 2 "--sip-listen wants" --sip-listen tcp:127.0.0.1:70000
checked 3 "tcp:127.0.0.1:$(port_of kms)" --sip-listen "tcp:127.0.0.1:$(port_of kms)"
checked 3 "the group keys do not open with this seal key" --seal-key "$W/kms.seal"
checked 3 "mcx-gmsd init" --dir "$W/none"
checked 3 "mcx kms fetch" --store "$W/none"
gms_start gms --sip-listen tcp:127.0.0.1:0 # nothing of all that is in its way
echo ok
