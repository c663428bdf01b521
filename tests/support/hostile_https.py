#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server that answers every POST in one bad way; the way is the last word of the bearer token.

usage: hostile_https.py CERT.pem KEY.pem READY_FILE LOG_FILE
"""
import http.server
import ssl
import sys
import time

HEAD = '<KmsResponse xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0">'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.note("GET")
        self.reply(200, b"")

    def do_POST(self):
        way = self.headers.get("Authorization", "").split("-")[-1]
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.note("POST")
        getattr(self, way, self.nothing)()

    def note(self, what):
        with open(sys.argv[4], "a", encoding="utf-8") as log:
            log.write("%s %s\n" % (what, self.path))

    def reply(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def nothing(self):
        self.reply(200, b"")

    def redirect(self):
        self.reply(307, b"", Location="https://localhost:%d/elsewhere" % self.server.server_port)

    def see(self):
        self.reply(303, b"", Location="/elsewhere")

    def huge(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for _ in range(64):  # 4 MiB, without saying so before
                self.wfile.write(b"10000\r\n" + 65536 * b" " + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass
        self.close_connection = True

    def claims(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        self.wfile.write(b"<")
        self.close_connection = True

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(HEAD.encode())
        self.close_connection = True

    def dtd(self):
        self.reply(200, b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + HEAD.encode() + b"&e;</KmsResponse>")

    def html(self):
        self.reply(200, b"<html><body>Sign in</body></html>")

    def latin(self):
        self.reply(200, b'<?xml version="1.0" encoding="ISO-8859-1"?><KmsResponse/>')

    def terminal(self):
        self.reply(403, (HEAD + "<UserUri>a</UserUri><KmsUri>b</KmsUri><Time>2026-01-01T00:00:00Z</Time>"
                         "<ClientReqUrl>c</ClientReqUrl><KmsError><ErrorCode>403</ErrorCode>"
                         "<ErrorMsg>no\tway\u0007x</ErrorMsg></KmsError></KmsResponse>").replace("\u0007", "\x7f").encode())

    def slow(self):
        time.sleep(0.1)
        self.reply(503, b"")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(sys.argv[3], "w", encoding="utf-8") as ready:
        ready.write("%d\n" % server.server_port)
    server.serve_forever()


main()
