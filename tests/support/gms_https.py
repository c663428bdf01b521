#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A group management server for tests: serves the files of a folder over HTTPS, with whatever ETag and status the test says.

usage: gms_https.py CERT.pem KEY.pem READY_FILE LOG_FILE DIR

The document of group G is DIR/G.group.xml, its keys DIR/G.gktp.xml, G being what stands before the @ of the URI. Beside a
document, NAME.etag holds lines for ETag headers as they are sent (without it: "v1"), NAME.status a status to answer with,
NAME.type a Content-Type (without it: none).
"""
import http.server
import os
import ssl
import sys
import urllib.parse

KIND = {"org.openmobilealliance.groups": "group", "org.3gpp.MCPTT-GKTP": "gktp"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        with open(sys.argv[4], "a", encoding="utf-8") as log:
            log.write("%s|%s|%s|%s\n" % (self.path, self.headers.get("If-None-Match", "-"),
                                         self.headers.get("Authorization", "-"), self.headers.get("Accept", "-")))
        _, auid, tree, directory, group = self.path.split("/")
        assert (tree, directory) == ("global", "byGroupID")
        name = urllib.parse.unquote(group).split(":")[1].split("@")[0] + "." + KIND[auid]
        self.serve(os.path.join(sys.argv[5], name))

    def serve(self, name):
        tags = self.read(name + ".etag", '"v1"').splitlines()
        status = int(self.read(name + ".status", "0"))
        kind = self.read(name + ".type", "").strip()
        body = b""
        if os.path.exists(name + ".xml"):
            with open(name + ".xml", "rb") as f:
                body = f.read()
        if status:
            self.reply(status, b"", [])
        elif not body:
            self.reply(404, b"", [])
        elif tags and self.headers.get("If-None-Match") == tags[0].removeprefix("W/"):
            self.reply(304, None, tags)
        else:
            self.reply(200, body, tags, kind)

    @staticmethod
    def read(name, otherwise):
        if not os.path.exists(name):
            return otherwise
        with open(name, encoding="utf-8") as f:
            return f.read()

    def reply(self, status, body, tags, kind=""):
        self.send_response(status)
        for tag in tags:
            self.send_header("ETag", tag)
        if kind:
            self.send_header("Content-Type", kind)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body or b"")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(sys.argv[3] + ".tmp", "w", encoding="utf-8") as ready:
        ready.write(str(server.server_port))
    os.rename(sys.argv[3] + ".tmp", sys.argv[3])
    server.serve_forever()


main()
