# SPDX-License-Identifier: Apache-2.0
# For TC_*.sh: a KMS of our own on a free port of 127.0.0.1. Source it; it makes and removes a working directory.
: "${MCX_BIN:?}" "${MCX_SOURCE:?}"
KMSD=$MCX_BIN/mcx-kmsd
MCX=$MCX_BIN/mcx
work=$(mktemp -d)
kms_pids=()
finish() {
    local rc=$? pid
    for pid in "${kms_pids[@]}"; do
        kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    [ "$rc" -eq 0 ] || { for f in "$work"/*.log; do [ -f "$f" ] && { echo "--- $f"; tail -n 30 "$f"; }; done; }
    rm -rf "$work"
    exit "$rc"
}
trap finish EXIT
cd "$work" || exit 3

fail() { echo "FAIL: $*" >&2; exit 1; }
# check WHAT EXPECTED FOUND
check() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

# The identity server of the laboratory and a TLS certificate for the loopback address.
lab_init() {
    "$MCX" token keygen --alg ES256 --out idms.jwk --jwks jwks.json || fail "keygen"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 2 \
        -subj /CN=kms.example.org -addext subjectAltName=IP:127.0.0.1 2>/dev/null || fail "TLS certificate"
    (umask 077 && openssl rand -hex 32 >seal.key)
}
# token USER [more options]
token() {
    local user=$1
    shift
    "$MCX" token issue --key idms.jwk --mcptt-id "$user" --iss https://idms.example.org --aud mcx-kms "$@"
}
# kms_init DIR KMS_URI DOMAIN [more options]
kms_init() {
    local dir=$1 uri=$2 domain=$3
    shift 3
    "$KMSD" init --dir "$dir" --kms-uri "$uri" --seal-key seal.key --domain "$domain" "$@" >/dev/null || fail "init $dir"
}
# kms_start DIR [more options]: sets kms_pid and kms_url
kms_start() {
    local dir=$1 i
    shift
    rm -f "$dir.ready"
    "$KMSD" run --dir "$dir" --seal-key seal.key --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key \
        --jwks jwks.json --ready-file "$dir.ready" "$@" 2>>"$dir.log" &
    kms_pid=$!
    kms_pids+=("$kms_pid")
    for i in $(seq 200); do
        [ -f "$dir.ready" ] && break
        kill -0 "$kms_pid" 2>/dev/null || fail "mcx-kmsd ended at once"
        sleep 0.05
    done
    [ -f "$dir.ready" ] || fail "mcx-kmsd is not ready"
    kms_url=https://127.0.0.1:$(jq .port "$dir.ready")/keymanagement/identity/v1
}
# kms_stop: SIGTERM, and it has to end with 0
kms_stop() {
    kill -TERM "$kms_pid"
    wait "$kms_pid"
    check "exit code after SIGTERM" 0 $?
    kms_pids=("${kms_pids[@]/$kms_pid/}")
}
# kms_request URL USER_URI KMS_URI [TIME]: a KmsRequest
kms_request() {
    printf '<KmsRequest xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0" Id="xmldoc" Version="1.1.0"><UserUri>%s</UserUri>' "$2"
    printf '<KmsUri>%s</KmsUri><Time>%s</Time>' "$3" "${4:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}"
    printf '<ClientReqUrl>%s</ClientReqUrl></KmsRequest>' "$1"
}
# post URL TOKEN BODY_FILE [curl options]: prints the status; headers in headers.txt, body in body.xml
post() {
    local url=$1 tok=$2 body=$3
    shift 3
    rm -f body.xml headers.txt
    curl -s -o body.xml -D headers.txt -w '%{http_code}' --cacert tls.pem -H "Authorization: Bearer $tok" \
        -H 'Content-Type: application/xml' -H 'Expect:' --data-binary @"$body" "$@" "$url"
}
header() { sed -n "s/^$1: *//Ip" headers.txt | tr -d '\r'; }
# element NAME: text of every such element of body.xml
element() { grep -o "<$1[^>]*>[^<]*</$1>" body.xml | sed -e 's/^<[^>]*>//' -e 's/<.*//'; }
valid_xml() {
    xmllint --noout --nonet --schema "$MCX_SOURCE/docs/schema/mcx-kms.xsd" "$1" 2>xmllint.log || fail "$1: $(cat xmllint.log)"
}
