#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same call with kamailio, another people's SIP proxy, between the phones and the server: Path, Record-Route, its
# P-Asserted-Identity, and an INVITE of several kilobytes pass through it; refusals and CANCEL too.
. "$MCX_SOURCE/tests/support/scenario.sh"
KAMAILIO=$(PATH=$PATH:/usr/sbin command -v kamailio) || fail "kamailio is not installed; scripts/setup does it"
scenario_begin

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# A proxy that authenticates nobody, as a laboratory needs it: it asserts what From says.
kamailio_config() { # PORT SERVER-PORT TRANSPORT
    cat <<CONFIG
#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
listen=udp:127.0.0.1:$1
listen=tcp:127.0.0.1:$1
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "path.so"
modparam("path", "use_received", 1)
request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    force_rport();
    if (is_method("CANCEL")) {
        if (t_check_trans()) { t_relay(); }
        exit;
    }
    if (has_totag()) {
        if (loose_route()) { t_relay(); exit; }
        if (is_method("ACK")) {
            if (t_check_trans()) { t_relay(); }
            exit;
        }
        sl_send_reply("404", "Not here");
        exit;
    }
    t_check_trans();
    if (is_present_hf("Route")) { # by the Path that the server kept; loose_route() says no to a preloaded one
        loose_route();
        record_route();
        t_relay();
        exit;
    }
    remove_hf("P-Asserted-Identity");
    append_hf("P-Asserted-Identity: <\$fu>\r\n");
    if (is_method("REGISTER")) { add_path_received(); } else { record_route(); }
    \$du = "sip:127.0.0.1:$2;transport=$3";
    t_relay();
}
CONFIG
}

kamailio_start() { # NAME SERVER-PORT TRANSPORT: sets $PROXY
    PROXY=$(free_port)
    mkdir -p "$W/$1.run"
    kamailio_config "$PROXY" "$2" "$3" >"$W/$1.cfg"
    program_start "$1" "$KAMAILIO" -f "$W/$1.cfg" -DD -E -m 32 -M 4 -w "$W/$1.run" -Y "$W/$1.run"
    local i
    for i in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$PROXY") 2>/dev/null && return 0
        kill -0 "${PIDS[$1]}" 2>/dev/null || fail "kamailio ended at once"
        sleep 0.1
    done
    fail "kamailio does not listen"
}

lab_two_users --listen udp:127.0.0.1:0 --trusted-proxy 127.0.0.1
tone "$W/said.wav" 0.8
"$MCX_BIN/mcx" audio code "$W/said.wav" "$W/coded.wav"

for transport in tcp udp; do
    kamailio_start "proxy-$transport" "$(server_port server $transport)" $transport
    SERVER="sip:127.0.0.1:$PROXY;transport=$transport"

    phone_start bob bob "$BOB" answer --record "$W/heard.wav"
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
    expect_exit alice 0
    expect_exit bob 0
    "$MCX_BIN/mcx" audio compare "$W/coded.wav" "$W/heard.wav" || fail "Bob did not hear what Alice said ($transport)"
    expect "the signer that Bob verified" "$(event bob verified initiator)" "$ALICE"
    expect "who ended the call, for Bob" "$(event bob ended cause)" peer-hangup

    # the callee hangs up: a request of the dialog in the other direction
    phone_start bob bob "$BOB" answer --hangup-after 300
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB"
    expect_exit alice 0
    expect_exit bob 0
    expect "who ended the call, for Alice" "$(event alice ended cause)" peer-hangup

    # declined: the Warning text comes back through proxy and server
    phone_start bob bob "$BOB" answer --manual --reject
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB" --mode manual
    expect_exit alice 1
    expect "Warning of the refusal" "$(event alice refused warning)" 110
    program_stop bob

    # given up while it rings
    phone_start bob bob "$BOB" answer --manual --ring-timeout 60000
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB" --mode manual
    wait_event bob incoming
    program_stop alice
    wait_event bob ended
    program_stop bob
    program_stop "proxy-$transport"
done
echo "calls through kamailio over TCP and UDP as they should be"
