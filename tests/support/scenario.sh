# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Functions that start a laboratory on loopback: key management servers, an MCPTT server, users with their key
# stores. For the TC_*.sh tests and for the demo: source it. It needs MCX_BIN (the programs) and MCX_SOURCE.
#
#   scenario_begin [FOLDER]            working folder $W (made, and removed at the end unless it was given)
#   kms_make NAME KMS-URI DOMAIN       a KMS in $W/NAME: sealed master secrets, TLS certificate, token issuer
#   kms_start NAME                     runs it; its port is then in $(port_of NAME)
#   kms_trust NAME OTHER               NAME takes OTHER's certificate as an External one
#   provision KMS USER URI [user|server]   adds the identity, issues a token, fetches keys into $W/USER.store
#   server_start NAME [OPTION ...]     runs mcx-mcpttd as $W/NAME.*
#   program_start NAME COMMAND ...     runs any program in the background, output in $W/log/NAME.{out,err}
#   wait_ready FILE                    waits until a ready file is there (at most 20 s)
#   program_wait NAME                  waits for it, returns its exit code;  program_stop NAME ends it by its pid
#   gms_make NAME KMS URI              a group management server in $W/NAME: own key store of KMS, TLS certificate
#   gms_start NAME [OPTION ...]        runs it; tokens are those of the KMS it was made with
#   gms_token NAME USER URI            $W/USER.gms-token: access of a member to the group management server
#   gms_group NAME VERB [OPTION ...]   'mcx group' as its administrator
#   gms_get NAME USER AUID GROUP [ETAG]   fetches a document: prints the status, body in $W/USER.xml, ETag in $W/USER.etag
#   gms_fetch NAME USER URI GROUP ...  'mcx group fetch': the user's group keys into $W/USER.store.groups
#   gms_await NAME GROUP [N]           until N keys (1) of the group are published (at most 20 s)
#   fail TEXT                          ends the test with an error
#
# Every process is ended by its own pid when the shell exits.
set -euo pipefail

declare -A PIDS=()
declare -A RADIOS=() # standard input of group radios

scenario_begin() {
    if [ $# -gt 0 ]; then
        W=$1
        KEEP=1
    else
        W=$(mktemp -d)
        KEEP=
    fi
    mkdir -p "$W/log"
    trap scenario_end EXIT
    umask 077
    # one laboratory authority for all TLS certificates
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=mcx laboratory CA" \
        -keyout "$W/ca.key" -out "$W/ca.pem" >"$W/log/ca" 2>&1
}

scenario_end() {
    local code=$? name
    trap - EXIT
    for name in "${!PIDS[@]}"; do
        program_stop "$name" || true
    done
    if [ "$code" -ne 0 ] && [ -n "${MCX_SHOW_LOGS:-1}" ]; then
        for name in "$W"/log/*; do
            [ -s "$name" ] && { echo "--- $name"; tail -n 25 "$name"; } >&2
        done
    fi
    [ -n "$KEEP" ] || rm -rf "$W"
    exit "$code"
}

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

tls_make() { # NAME: $W/NAME.pem and .key for 127.0.0.1 and localhost
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$W/$1.key" \
        -out "$W/$1.csr" >>"$W/log/ca" 2>&1
    openssl x509 -req -in "$W/$1.csr" -CA "$W/ca.pem" -CAkey "$W/ca.key" -CAcreateserial -days 2 -out "$W/$1.pem" \
        -extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost") >>"$W/log/ca" 2>&1
}

program_start() {
    local name=$1
    shift
    [ -z "${PIDS[$name]:-}" ] || program_stop "$name" # the one before is not forgotten
    "$@" >"$W/log/$name.out" 2>"$W/log/$name.err" &
    PIDS[$name]=$!
}

program_wait() {
    local code=0
    wait "${PIDS[$1]}" || code=$?
    unset "PIDS[$1]"
    return "$code"
}

program_stop() {
    local pid=${PIDS[$1]}
    unset "PIDS[$1]"
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

wait_ready() {
    local i
    for i in $(seq 200); do
        [ -s "$1" ] && return 0
        sleep 0.1
    done
    fail "$1 was not written in 20 s"
}

port_of() { # NAME: port in its ready file
    jq -r '.port // .ports.https // .https' "$W/$1.ready"
}

kms_make() {
    local name=$1 uri=$2 domain=$3
    openssl rand -hex 32 >"$W/$name.seal"
    tls_make "$name"
    "$MCX_BIN/mcx-kmsd" init --dir "$W/$name" --kms-uri "$uri" --seal-key "$W/$name.seal" --domain "$domain" \
        "${@:4}" >"$W/log/$name.init"
    "$MCX_BIN/mcx" token keygen --alg ES256 --out "$W/$name.jwk" --jwks "$W/$name.jwks" >"$W/log/$name.keygen"
    echo "$uri" >"$W/$name.uri"
}

kms_start() {
    local name=$1
    rm -f "$W/$name.ready"
    program_start "$name" "$MCX_BIN/mcx-kmsd" run --dir "$W/$name" --seal-key "$W/$name.seal" --listen 127.0.0.1:0 \
        --tls-cert "$W/$name.pem" --tls-key "$W/$name.key" --jwks "$W/$name.jwks" --token-iss lab --token-aud mcx \
        --ready-file "$W/$name.ready" "${@:2}"
    wait_ready "$W/$name.ready"
}

kms_trust() {
    "$MCX_BIN/mcx-kmsd" cert --dir "$W/$2" >"$W/$2.cert.xml"
    "$MCX_BIN/mcx-kmsd" external add --dir "$W/$1" "$W/$2.cert.xml" >>"$W/log/$1.external"
}

kms_fetch() { # KMS USER URI [OPTION ...]
    "$MCX_BIN/mcx" kms fetch --url "https://127.0.0.1:$(port_of "$1")" --kms-uri "$(cat "$W/$1.uri")" --user "$3" \
        --token "$W/$2.token" --ca "$W/ca.pem" --store "$W/$2.store" --store-key "$W/$2.store-key" "${@:4}"
}

provision() {
    local kms=$1 user=$2 uri=$3 kind=${4:-user}
    if [ "$kind" = server ]; then
        "$MCX_BIN/mcx-kmsd" server add --dir "$W/$kms" --user-uri "$uri" --mcptt-id "$uri" >>"$W/log/$kms.users"
    else
        "$MCX_BIN/mcx-kmsd" user add --dir "$W/$kms" --user-uri "$uri" --mcptt-id "$uri" >>"$W/log/$kms.users"
    fi
    "$MCX_BIN/mcx" token issue --key "$W/$kms.jwk" --mcptt-id "$uri" --iss lab --aud mcx >"$W/$user.token"
    openssl rand -hex 32 >"$W/$user.store-key"
    kms_fetch "$kms" "$user" "$uri" >"$W/log/$user.fetch"
}

server_start() { # NAME [OPTION ...]
    local name=$1
    rm -f "$W/$name.ready"
    program_start "$name" "$MCX_BIN/mcx-mcpttd" --ready-file "$W/$name.ready" --json "${@:2}"
    wait_ready "$W/$name.ready"
}

# ---- group management ----

GMS_SCOPE=3gpp:mcptt:group_management_server

gms_make() { # NAME KMS URI
    local name=$1 kms=$2 uri=$3
    echo "$uri" >"$W/$name.uri"
    "$MCX_BIN/mcx-kmsd" server add --dir "$W/$kms" --user-uri "$uri" --mcptt-id "$uri" --kind gms >>"$W/log/$kms.users"
    "$MCX_BIN/mcx" token issue --key "$W/$kms.jwk" --mcptt-id "$uri" --iss lab --aud mcx >"$W/$name.token"
    openssl rand -hex 32 >"$W/$name.store-key"
    kms_fetch "$kms" "$name" "$uri" >"$W/log/$name.fetch"
    openssl rand -hex 32 >"$W/$name.seal"
    tls_make "$name"
    "$MCX_BIN/mcx-gmsd" init --dir "$W/$name" --gms-uri "$uri" --seal-key "$W/$name.seal" >"$W/log/$name.init"
    "$MCX_BIN/mcx" token issue --key "$W/$kms.jwk" --mcptt-id sip:administrator@example.org --iss lab --aud mcx \
        --scope mcx:group_administration >"$W/$name.admin-token"
    echo "$kms" >"$W/$name.kms"
}

gms_start() { # NAME [OPTION ...]
    local name=$1
    rm -f "$W/$name.ready"
    program_start "$name" "$MCX_BIN/mcx-gmsd" run --dir "$W/$name" --seal-key "$W/$name.seal" \
        --store "$W/$name.store" --store-key "$W/$name.store-key" --listen 127.0.0.1:0 --tls-cert "$W/$name.pem" \
        --tls-key "$W/$name.key" --jwks "$W/$(cat "$W/$name.kms").jwks" --token-iss lab --token-aud mcx \
        --ready-file "$W/$name.ready" --fetch-window 1 --urgent-window 1 "${@:2}"
    wait_ready "$W/$name.ready"
}

gms_token() { # NAME USER URI
    "$MCX_BIN/mcx" token issue --key "$W/$(cat "$W/$1.kms").jwk" --mcptt-id "$3" --iss lab --aud mcx \
        --scope "$GMS_SCOPE" >"$W/$2.gms-token"
}

gms_group() { # NAME VERB [OPTION ...]
    "$MCX_BIN/mcx" group "$2" --gms-url "https://127.0.0.1:$(port_of "$1")" --token "$W/$1.admin-token" --ca "$W/ca.pem" \
        "${@:3}"
}

gms_get() { # NAME USER AUID GROUP [ETAG]
    curl -s --cacert "$W/ca.pem" -H "Authorization: Bearer $(cat "$W/$2.gms-token")" ${5:+-H "If-None-Match: \"$5\""} \
        -o "$W/$2.xml" -D "$W/$2.headers" -w '%{http_code}\n' \
        "https://127.0.0.1:$(port_of "$1")/$3/global/byGroupID/$(jq -rn --arg g "$4" '$g | @uri')"
    sed -n 's/^[Ee][Tt]ag: "\(.*\)"\r*$/\1/p' "$W/$2.headers" >"$W/$2.etag"
}

gms_fetch() { # NAME USER URI GROUP ...
    local group groups=()
    for group in "${@:4}"; do groups+=(--group "$group"); done
    "$MCX_BIN/mcx" group fetch --gms-url "https://127.0.0.1:$(port_of "$1")" --gms-uri "$(cat "$W/$1.uri")" --user "$3" \
        "${groups[@]}" --token "$W/$2.gms-token" --ca "$W/ca.pem" --store "$W/$2.store" --store-key "$W/$2.store-key"
}

gms_await() { # NAME GROUP [N]
    local i n=0
    for i in $(seq 200); do
        n=$(gms_group "$1" show --group "$2" --json | jq '[.keys[] | select(.state == "published")] | length')
        [ "$n" -ge "${3:-1}" ] && return 0
        sleep 0.1
    done
    fail "$2 has $n published keys after 20 s"
}

# ---- phones ----
#
#   lab_two_users                      one KMS, Alice and Bob provisioned, a server on TCP; sets $ALICE, $BOB, $SERVER
#   phone_start NAME USER URI COMMAND [OPTION ...]   runs mcx-ue as $W/NAME.*, with USER's key store
#   wait_registered NAME               until its ready file is there
#   wait_event NAME EVENT              until it has reported EVENT (at most 20 s)
#   event NAME EVENT FIELD             field of the last such event; 'null' when there is none
#   expect_exit NAME CODE              waits for it and checks its exit code
#   expect TEXT HAVE WANT              fails unless the two are equal
#   tone FILE SECONDS [HZ]             a WAV file that rises and falls like speech

server_port() { # NAME TRANSPORT
    jq -r ".ports.$2 // .$2" "$W/$1.ready"
}

lab_two_users() {
    ALICE=sip:alice@lab.example.org
    BOB=sip:bob@lab.example.org
    kms_make kms kms.lab.example.org lab.example.org
    kms_start kms
    provision kms alice "$ALICE"
    provision kms bob "$BOB"
    server_start server --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto,force-auto,max-calls=4" \
        --user "$BOB,answer=auto,max-calls=4" "$@"
    SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
}

phone_start() {
    local name=$1 user=$2 uri=$3 command=$4
    rm -f "$W/$name.ready" "$W/log/$name.out" # nothing of an earlier run may be taken for this one's
    program_start "$name" "$MCX_BIN/mcx-ue" "$command" --id "$uri" --server "$SERVER" --store "$W/$user.store" \
        --store-key "$W/$user.store-key" --json --ready-file "$W/$name.ready" "${@:5}"
}

wait_registered() {
    wait_ready "$W/$1.ready"
}

wait_event() {
    local i
    for i in $(seq 200); do
        grep -qs "\"event\":\"$2\"" "$W/log/$1.out" && return 0
        sleep 0.1
    done
    fail "$1 did not report '$2' in 20 s"
}

event() {
    jq -rs "map(select(.event == \"$2\")) | last | .$3" "$W/log/$1.out"
}

expect_exit() {
    local code=0
    program_wait "$1" || code=$?
    [ "$code" -eq "$2" ] || fail "$1 ended with $code, not with $2"
}

expect() {
    [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}

tone() {
    sox -q -n -r 16000 -c 1 -b 16 "$1" synth "$2" sine "${3:-300}" synth "$2" sine mix 700 tremolo 4 80 gain -6
}

# ---- group radios ----
#
#   lab_group [OPTION ...]             one KMS, a GMS, a server with a key of its own, Alice, Bob and Carol in $GROUP, which is
#                                      prearranged; options go to the server; sets $ALICE $BOB $CAROL $GROUP $SERVER
#   group_document NAME GROUP          $W/NAME.group.xml as the GMS gives it out
#   radio_start NAME USER URI [OPTION ...]   runs 'mcx-ue group' as $W/NAME.*, with USER's key store
#   member_start NAME USER URI [OPTION ...]   runs rogue_member.py as $W/NAME.*, with USER's keys of his KMS and GMS
#   line_start NAME                    floor_loss.py as $W/NAME.*: a bad line to the server, for who has $(port_of NAME) in $SERVER
#   lose NAME up|down TYPE N           the next N such floor messages do not arrive
#   alter NAME up|down TYPE N          the same, they arrive with a bit changed
#   forge NAME up|down HOW N           N more: in clear, again, or of others (the server's capture as HOW)
#   on_line NAME up|down TYPE          how many went there, lost ones included
#   radio_on NAME GROUP                waits until it is registered and affiliated, and has a key that is active
#   say_to NAME COMMAND [WORD ...]     a line to its standard input
#   wait_status NAME EVENT STATUS [N]  until it has reported EVENT with that status N times (1)
#   wait_key NAME KEY-ID               until that group key is active
#   wait_floor NAME STATE [N]          until it has reported that state of the floor N times (1)
#   events NAME EVENT FIELD            that field of all such events, one a line

SERVER_ID=sip:mcptt@lab.example.org

group_document() {
    gms_get gms alice org.openmobilealliance.groups "$2" >"$W/log/$1.document"
    mv "$W/alice.xml" "$W/$1.group.xml"
}

lab_group() {
    ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org CAROL=sip:carol@lab.example.org
    GROUP=sip:north@lab.example.org
    local who user
    kms_make kms kms.lab.example.org lab.example.org
    kms_start kms
    provision kms server "$SERVER_ID" server
    gms_make gms kms sip:gms@lab.example.org
    gms_start gms
    for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL"; do
        provision kms "${who%%=*}" "${who#*=}"
        gms_token gms "${who%%=*}" "${who#*=}"
    done
    gms_group gms create --group "$GROUP" --member "$ALICE" --member "$BOB" --member "$CAROL" >"$W/log/create"
    gms_await gms "$GROUP"
    for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL"; do
        user=${who%%=*}
        gms_fetch gms "$user" "${who#*=}" "$GROUP" >"$W/log/$user.groups"
    done
    group_document north "$GROUP"
    server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
        --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL" "$@"
    SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
}

radio_start() {
    local name=$1 user=$2 uri=$3 fd
    rm -f "$W/$name.ready" "$W/log/$name.out" "$W/$name.in"
    mkfifo "$W/$name.in"
    exec {fd}<>"$W/$name.in" # open at both ends: nobody waits for the other
    RADIOS[$name]=$fd
    # shellcheck disable=SC2016
    program_start "$name" bash -c 'exec "${@:2}" <"$1"' radio "$W/$name.in" "$MCX_BIN/mcx-ue" group --id "$uri" --server "$SERVER" --server-id "$SERVER_ID" \
        --store "$W/$user.store" --store-key "$W/$user.store-key" --json --ready-file "$W/$name.ready" "${@:4}"
}

member_start() {
    local name=$1 user=$2 uri=$3 fd
    kms_fetch kms "$user" "$uri" --save-xml "$W/$user.xml-keys" >>"$W/log/save-xml" 2>&1
    gms_get gms "$user" org.3gpp.MCPTT-GKTP "$GROUP" >"$W/log/$user.gktp"
    mv "$W/$user.xml" "$W/$user.gktp.xml"
    rm -f "$W/$name.ready" "$W/log/$name.out" "$W/$name.in"
    mkfifo "$W/$name.in"
    exec {fd}<>"$W/$name.in"
    RADIOS[$name]=$fd
    # shellcheck disable=SC2016
    program_start "$name" bash -c 'exec "${@:2}" <"$1"' member "$W/$name.in" python3 \
        "$MCX_SOURCE/tests/support/rogue_member.py" --id "$uri" --port "$(server_port server tcp)" --server-id "$SERVER_ID" \
        --group "$GROUP" --keys "$W/$user.xml-keys" --gktp "$W/$user.gktp.xml" --ready-file "$W/$name.ready" "${@:4}"
}

line_start() {
    local name=$1 fd
    mkfifo "$W/$name.in"
    exec {fd}<>"$W/$name.in"
    RADIOS[$name]=$fd
    # shellcheck disable=SC2016
    program_start "$name" bash -c 'exec "${@:2}" <"$1"' line "$W/$name.in" python3 "$MCX_SOURCE/tests/support/floor_loss.py" \
        --connect "$(server_port server tcp)" --ready-file "$W/$name.ready"
    wait_ready "$W/$name.ready"
}

on_line_do() { # VERB EVENT NAME WORD ...: until it says so
    local n
    n=$(grep -sc "\"event\":\"$2\"" "$W/log/$3.out" || true)
    say_to "$3" "$1" "${@:4}"
    wait_count "$3" "$2" $((n + 1))
}

lose() {
    on_line_do lose losing "$@"
}

alter() {
    on_line_do alter losing "$@"
}

forge() {
    on_line_do forge forged "$@"
}

on_line() {
    grep -s '"event":"floor"' "$W/log/$1.out" | grep "\"way\":\"$2\"" | grep -c "\"type\":\"$3\"" || true
}

say_to() {
    echo "${*:2}" >&"${RADIOS[$1]}"
}

radio_on() {
    wait_registered "$1"
    say_to "$1" affiliate "$2"
    wait_event "$1" affiliated
    wait_status "$1" key active
}

wait_field() { # NAME EVENT FIELD VALUE N
    local i
    for i in $(seq 200); do
        [ "$(grep -s "\"event\":\"$2\"" "$W/log/$1.out" | grep -c "\"$3\":\"$4\"")" -ge "$5" ] && return 0
        sleep 0.1
    done
    fail "$1 did not report $2 with $3 $4 $5 times in 20 s"
}

wait_status() {
    wait_field "$1" "$2" status "$3" "${4:-1}"
}

wait_key() {
    local i
    for i in $(seq 200); do
        grep -s '"event":"key"' "$W/log/$1.out" | grep '"status":"active"' | grep -q "\"key_id\":\"$2\"" && return 0
        sleep 0.1
    done
    fail "$1 has no active key $2 after 20 s"
}

wait_floor() {
    wait_field "$1" floor state "$2" "${3:-1}"
}

events() {
    jq -r "select(.event == \"$2\") | .$3" "$W/log/$1.out"
}

# ---- pre-established sessions ----
#
#   lab_session [OPTION ...]           as lab_two_users, and the server has an identity ($SERVER_ID) to take CSKs
#   wait_count NAME EVENT N            until it has reported EVENT N times (at most 20 s)

lab_session() {
    ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org SERVER_ID=sip:mcptt@lab.example.org
    kms_make kms kms.lab.example.org lab.example.org
    kms_start kms
    provision kms alice "$ALICE"
    provision kms bob "$BOB"
    provision kms server "$SERVER_ID" server
    server_start server --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto,max-calls=4" \
        --user "$BOB,answer=auto,max-calls=4" --store "$W/server.store" --store-key "$W/server.store-key" \
        --server-id "$SERVER_ID" "$@"
    SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
}

wait_count() {
    local i
    for i in $(seq 200); do
        [ "$(grep -sc "\"event\":\"$2\"" "$W/log/$1.out")" -ge "$3" ] && return 0
        sleep 0.1
    done
    fail "$1 did not report '$2' $3 times in 20 s"
}
