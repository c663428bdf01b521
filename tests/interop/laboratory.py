# SPDX-License-Identifier: Apache-2.0
"""A second reading of the formats, for TC_contract.sh: UID, SAKKE, ECCSI, MIKEY, SRTP and KMS documents.

Written from RFC 3711, 3830, 6043, 6507, 6508, 6509, 7714, 4771 and TS 33.180 with plain integers and the standard
library, sharing nothing with the C code, so that an error would have to be made twice. Slow, and not constant time.
"""
import base64
import hashlib
import hmac
import os
import re
import secrets
import struct

NTP = 2208988800


def sections(path):
    """[name] sections of identities-kms-vectors.txt."""
    out, name = {}, None
    with open(path, encoding="utf-8") as f:
        for line in f:
            m = re.match(r"\[(.+)\]", line)
            if m:
                name = m.group(1)
                out[name] = {}
            elif name and " = " in line and line[0] != "#":
                key, value = line.rstrip("\n").split(" = ", 1)
                value = value[5:] if value.startswith("text:") else value
                out[name][key] = re.sub(r" +\((decimal|text|CS-ID|28 bits).*\)$", "", value)
    return out


def plain(path):
    """name = hex lines; comments and empty lines do not count."""
    out = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            m = re.match(r"([a-z0-9_.]+) =(.*)", line, re.I)
            if m:
                out[m.group(1)] = m.group(2).strip()
    return out


# --- SHA-256, AES and GCM

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def _sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= (p << 1) & 0xFF ^ (0x1B if p & 0x80 else 0)
        for s in (1, 2, 4):
            q ^= q << s & 0xFF
        q ^= 0x09 if q & 0x80 else 0
        x = q | q << 8
        box[p] = (q ^ x >> 7 ^ x >> 6 ^ x >> 5 ^ x >> 4) & 0xFF ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = _sbox()


def _twice(a):
    return (a << 1 ^ (0x1B if a & 0x80 else 0)) & 0xFF


class Aes:
    def __init__(self, key):
        n = len(key) // 4
        w = [list(key[i:i + 4]) for i in range(0, 4 * n, 4)]
        rcon = 1
        for i in range(n, 4 * (n + 7)):
            t = w[i - 1]
            if i % n == 0:
                t = [SBOX[b] for b in t[1:] + t[:1]]
                t[0] ^= rcon
                rcon = _twice(rcon)
            elif n > 6 and i % n == 4:
                t = [SBOX[b] for b in t]
            w.append([a ^ b for a, b in zip(w[i - n], t)])
        self.keys = [sum(w[4 * r:4 * r + 4], []) for r in range(n + 7)]

    def block(self, data):
        s = [a ^ b for a, b in zip(data, self.keys[0])]
        last = len(self.keys) - 1
        for r in range(1, last + 1):
            s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if r < last:
                mixed = []
                for c in range(0, 16, 4):
                    a = s[c:c + 4]
                    t = a[0] ^ a[1] ^ a[2] ^ a[3]
                    mixed += [a[i] ^ t ^ _twice(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
                s = mixed
            s = [a ^ b for a, b in zip(s, self.keys[r])]
        return bytes(s)

    def ctr(self, counter, data):
        out = b""
        n = int.from_bytes(counter[12:], "big")
        for i in range(0, len(data), 16):
            pad = self.block(counter[:12] + struct.pack(">I", (n + i // 16) & 0xFFFFFFFF))
            out += bytes(a ^ b for a, b in zip(data[i:i + 16], pad))
        return out


def _ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i:i + 16].ljust(16, b"\0"), "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def _pad16(data):
    return data + bytes(-len(data) % 16)


def _gcm(key, iv, aad, text, seal):
    aes = Aes(key)
    h = int.from_bytes(aes.block(bytes(16)), "big")
    j0 = iv + b"\0\0\0\1" if len(iv) == 12 else _ghash(h, _pad16(iv) + struct.pack(">QQ", 0, 8 * len(iv)))
    first = j0[:12] + struct.pack(">I", (int.from_bytes(j0[12:], "big") + 1) & 0xFFFFFFFF)
    out = aes.ctr(first, text)
    s = _ghash(h, _pad16(aad) + _pad16(out if seal else text) + struct.pack(">QQ", 8 * len(aad), 8 * len(text)))
    return out, aes.ctr(j0, s)


def gcm_seal(key, iv, aad, text):
    out, tag = _gcm(key, iv, aad, text, True)
    return out + tag


def gcm_open(key, iv, aad, text):
    out, tag = _gcm(key, iv, aad, text[:-16], False)
    if tag != text[-16:]:
        raise ValueError("GCM tag")
    return out


# --- curves y^2 = x^3 - 3x + b, Jacobian coordinates; None is the point at infinity

class Curve:
    def __init__(self, p, b):
        self.p, self.b = p, b

    def on(self, pt):
        x, y = pt
        return x < self.p and y < self.p and (y * y - (x * x * x - 3 * x + self.b)) % self.p == 0

    def _double(self, a):
        x, y, z = a
        p = self.p
        if y == 0:
            return (1, 1, 0)
        s = 4 * x * y * y % p
        m = 3 * (x - z * z) * (x + z * z) % p
        nx = (m * m - 2 * s) % p
        return nx, (m * (s - nx) - 8 * pow(y, 4, p)) % p, 2 * y * z % p

    def _add(self, a, b):
        p = self.p
        if a[2] == 0:
            return b
        if b[2] == 0:
            return a
        z1, z2 = a[2] * a[2] % p, b[2] * b[2] % p
        u1, u2 = a[0] * z2 % p, b[0] * z1 % p
        s1, s2 = a[1] * z2 * b[2] % p, b[1] * z1 * a[2] % p
        if u1 == u2:
            return self._double(a) if s1 == s2 else (1, 1, 0)
        h, r = u2 - u1, s2 - s1
        h2 = h * h % p
        h3, v = h * h2 % p, u1 * h2 % p
        x = (r * r - h3 - 2 * v) % p
        return x, (r * (v - x) - s1 * h3) % p, h * a[2] * b[2] % p

    def _affine(self, a):
        if a[2] == 0:
            return None
        i = pow(a[2], -1, self.p)
        return a[0] * i * i % self.p, a[1] * i * i * i % self.p

    def mul(self, k, pt):
        acc, base = (1, 1, 0), (pt[0], pt[1], 1)
        for bit in bin(k)[2:] if k else "":
            acc = self._double(acc)
            if bit == "1":
                acc = self._add(acc, base)
        return self._affine(acc)

    def add(self, a, b):
        return self._affine(self._add((a[0], a[1], 1), (b[0], b[1], 1)))


def num(h):
    return int(h, 16)


def point(octets, n):
    if len(octets) != 2 * n + 1 or octets[0] != 4:
        raise ValueError("point")
    return int.from_bytes(octets[1:1 + n], "big"), int.from_bytes(octets[1 + n:], "big")


def octets(pt, n):
    return b"\4" + pt[0].to_bytes(n, "big") + pt[1].to_bytes(n, "big")


class Parameters:
    """SAKKE set 1 and P-256, read from the vectors."""

    def __init__(self, sec):
        s, e = sec["sakke-parameter-set-1"], sec["eccsi-p256"]
        self.p, self.q, self.g = num(s["p"]), num(s["q"]), num(s["g"])
        self.P = (num(s["Px"]), num(s["Py"]))
        self.E = Curve(self.p, 0)
        self.n = num(e["q"])
        self.N = Curve(num(e["p"]), num(e["b"]))
        self.G = (num(e["Gx"]), num(e["Gy"]))

    # RFC 6508 5.1
    @staticmethod
    def to_range(data, limit):
        a, h, v = sha(data), bytes(32), b""
        for _ in range(-(-(limit - 1).bit_length() // 256)):
            h = sha(h)
            v += sha(h, a)
        return int.from_bytes(v, "big") % limit

    def _mul2(self, a, b):
        p = self.p
        return (a[0] * b[0] - a[1] * b[1]) % p, (a[0] * b[1] + a[1] * b[0]) % p

    def power(self, r):
        """g^r in PF_p."""
        acc = (1, 0)
        for bit in bin(r)[2:]:
            acc = self._mul2(acc, acc)
            if bit == "1":
                acc = self._mul2(acc, (1, self.g))
        return acc[1] * pow(acc[0], -1, self.p) % self.p

    def pairing(self, R, Q):
        """<R, Q>, RFC 6508 3.2, affine."""
        p, E = self.p, self.E
        v, C = (1, 0), R
        for bit in bin(self.q - 1)[3:]:
            line = 3 * (C[0] * C[0] - 1) * pow(2 * C[1], -1, p) % p
            v = self._mul2(self._mul2(v, v), ((line * (Q[0] + C[0]) - C[1]) % p, Q[1]))
            x = (line * line - 2 * C[0]) % p
            C = (x, (line * (C[0] - x) - C[1]) % p)
            if bit == "1":
                line = (C[1] - R[1]) * pow(C[0] - R[0], -1, p) % p if C[0] != R[0] else None
                if line is None:
                    break
                v = self._mul2(v, ((line * (Q[0] + C[0]) - C[1]) % p, Q[1]))
                x = (line * line - C[0] - R[0]) % p
                C = (x, (line * (R[0] - x) - R[1]) % p)
        v = self._mul2(v, v)
        v = self._mul2(v, v)
        return v[1] * pow(v[0], -1, p) % p

    def _R(self, ssv, uid, Z):
        r = self.to_range(ssv + uid, self.q)
        E = self.E
        return r, E.mul(r, E.add(E.mul(int.from_bytes(uid, "big"), self.P), Z))

    def encapsulate(self, ssv, uid, Z):
        r, R = self._R(ssv, uid, Z)
        mask = self.to_range(self.power(r).to_bytes(128, "big"), 1 << 128)
        return octets(R, 128) + (int.from_bytes(ssv, "big") ^ mask).to_bytes(16, "big")

    def decapsulate(self, sed, rsk, uid, Z):
        R = point(sed[:257], 128)
        if not self.E.on(R):
            raise ValueError("R is not on the curve")
        w = self.pairing(R, rsk)
        ssv = (int.from_bytes(sed[257:], "big") ^ self.to_range(w.to_bytes(128, "big"), 1 << 128)).to_bytes(16, "big")
        if self._R(ssv, uid, Z)[1] != R:
            raise ValueError("R check")
        return ssv

    def hs(self, kpak, uid, pvt):
        return sha(octets(self.G, 32), kpak, uid, pvt)

    def sign(self, message, uid, kpak, ssk, pvt):
        hs = self.hs(kpak, uid, pvt)
        while True:
            j = secrets.randbelow(self.n - 1) + 1
            r = self.N.mul(j, self.G)[0].to_bytes(32, "big")
            d = (int.from_bytes(sha(hs, r, message), "big") + int.from_bytes(r, "big") * ssk) % self.n
            if d:
                return r + (pow(d, -1, self.n) * j % self.n).to_bytes(32, "big") + pvt

    def verify(self, message, signature, uid, kpak):
        r, s, pvt = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64:]
        PVT, K = point(pvt, 32), point(kpak, 32)
        if not self.N.on(PVT) or not 0 < s < self.n:
            return False
        hs = self.hs(kpak, uid, pvt)
        he = int.from_bytes(sha(hs, r, message), "big")
        Y = self.N.add(self.N.mul(int.from_bytes(hs, "big"), PVT), K)
        t = self.N.add(self.N.mul(he, self.G), self.N.mul(int.from_bytes(r, "big"), Y))
        J = self.N.mul(s, t)
        return J is not None and J[0].to_bytes(32, "big") == r


# --- identities and keys

def _int(v):
    b = v.to_bytes(max(1, (v.bit_length() + 7) // 8), "big")
    return b + struct.pack(">H", len(b))


def uid(user, kms, period, offset, no):
    def text(s):
        s = s.encode()
        return s + struct.pack(">H", len(s))
    return sha(b"\0", text("MIKEY-SAKKE-UID"), text(user), text(kms), _int(period), _int(offset), _int(no))


def guk_id(gmk, gmk_id, user):
    """and back: the function is its own inverse."""
    user = user.encode()
    salt = int.from_bytes(mac(gmk, b"\x50", user, struct.pack(">H", len(user)))[-4:], "big") & 0x0FFFFFFF
    return gmk_id ^ salt


def masters(key, cs_id, csb_id, rand):
    def prf(constant, n):
        label = bytes.fromhex(constant) + bytes([cs_id]) + struct.pack(">I", csb_id) + rand
        return mac(key, mac(key, label), label)[:n]
    return prf("2AD01C64", 16), prf("39A2C14B", 12)


class Kms:
    """A KMS of our own, with its users' key sets for any period."""

    def __init__(self, par, uri, period, offset, z=None, ksak=None, domains=(), public=None, cert_uri=None):
        self.par, self.uri, self.period, self.offset, self.domains = par, uri, period, offset, list(domains)
        self.cert_uri = cert_uri
        self.role = "Root"
        if public:
            self.Z, self.kpak = point(public[0], 128), public[1]
            return
        self.z = z or secrets.randbelow(par.q - 2) + 2
        self.ksak = ksak or secrets.randbelow(par.n - 1) + 1
        self.Z = par.E.mul(self.z, par.P)
        self.kpak = octets(par.N.mul(self.ksak, par.G), 32)

    def period_no(self, ntp):
        return (ntp - self.offset) // self.period

    def uid(self, user, no):
        return uid(user, self.uri, self.period, self.offset, no)

    def key_set(self, user, no):
        par, u = self.par, self.uid(user, no)
        rsk = par.E.mul(pow(int.from_bytes(u, "big") + self.z, -1, par.q), par.P)
        v = secrets.randbelow(par.n - 1) + 1
        pvt = octets(par.N.mul(v, par.G), 32)
        ssk = (self.ksak + int.from_bytes(par.hs(self.kpak, u, pvt), "big") * v) % par.n
        return KeySet(self, user, no, octets(rsk, 128), ssk.to_bytes(32, "big"), pvt)


class KeySet:
    def __init__(self, kms, user, no, rsk, ssk, pvt):
        self.kms, self.user, self.no, self.rsk, self.ssk, self.pvt = kms, user, no, rsk, ssk, pvt
        self.uid = kms.uid(user, no)


# --- KMS documents: trees of (name, attributes, children or text), rendered in the style of one vendor or another

SPACE = "urn:3gpp:ns:mcsecKMSInterface:1.0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
STYLE = dict(ns=SPACE, prefix="", xsi=True, value="HEX", user_id="base64", bom=False, declaration=False, comments=False,
             cdata=False, indent=None, order=None, security_prefix=None, shuffle=False, fold=0, minimal=False)


def style(**changes):
    return dict(STYLE, **changes)


def _value(b, st):
    text = {"HEX": b.hex().upper(), "hex": b.hex(), "base64": base64.b64encode(b).decode(),
            "headless": (b[1:] if len(b) % 2 and b[0] == 4 else b).hex().upper()}[st["value"]]
    return "\n".join(text[i:i + st["fold"]] for i in range(0, len(text), st["fold"])) if st["fold"] else text


def certificate(kms, st):
    children = [("KmsUri", kms.uri), ("Issuer", "operator"), ("Revoked", "false"), ("UserIdFormat", "2"),
                ("UserKeyPeriod", str(kms.period)), ("UserKeyOffset", str(kms.offset)),
                ("PubEncKey", _value(octets(kms.Z, 128), st)), ("PubAuthKey", _value(kms.kpak, st))]
    if st["minimal"]:
        children = [c for c in children if c[0] not in ("Issuer", "Revoked")]
    else:
        children.append(("ParameterSet", "1"))
    if kms.cert_uri:
        children.insert(1 if st["order"] == "R13" else 0, ("CertUri", kms.cert_uri))
    attrs = {"Version": "1.1.0"} if st["minimal"] else {"Version": "1.1.0", "Role": kms.role}
    if kms.domains:
        children.append(("KmsDomainList", {}, [("KmsDomain", d) for d in kms.domains]))
    return ("KmsCertificate", attrs, children[::-1] if st["shuffle"] else children)


def key_set(ks, st):
    ids = {"base64": base64.b64encode(ks.uid).decode(), "hex": ks.uid.hex(), "HEX": ks.uid.hex().upper()}
    qname = (st["prefix"] + ":" if st["prefix"] else "") + "KeyContentType"
    attrs = {"xsi:type": qname} if st["xsi"] else {}
    children = [("KmsUri", ks.kms.uri), ("UserUri", ks.user), ("UserID", ids[st["user_id"]]),
                ("KeyPeriodNo", str(ks.no)), ("UserDecryptKey", attrs, _value(ks.rsk, st)),
                ("UserSigningKeySSK", attrs, _value(ks.ssk, st)), ("UserPubTokenPVT", attrs, _value(ks.pvt, st))]
    if not st["minimal"]:
        children.insert(4, ("Revoked", "false"))
    return ("KmsKeySet", {"Version": "1.1.0"}, children[::-1] if st["shuffle"] else children)


SIGNATURE = ("ds:Signature", {"xmlns:ds": "http://www.w3.org/2000/09/xmldsig#"},
             [("ds:SignedInfo", {}, [("ds:SignatureMethod", {"Algorithm": "hmac"}, "")]), ("ds:SignatureValue", "AAAA")])


def signed(name, tree):
    return (name, {}, [tree, SIGNATURE])


def response(message, st, user, kms):
    head = [("UserUri", user), ("KmsUri", kms)]
    if st["order"] == "R13":
        head.reverse()
    body = head + [("Time", "2026-03-04T12:00:01Z"), ("KmsId", "node 1"),
                   ("ClientReqUrl", "https://" + kms + "/keymanagement/identity/v1/x"), ("KmsMessage", {}, [message])]
    return ("KmsResponse", {"Version": "1.0.0", "Id": "xmldoc"}, body)


def _escape(s):
    return s.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def render(tree, st, top=True, depth=0):
    name, attrs, body = tree if len(tree) == 3 else (tree[0], {}, tree[1])
    tag = name if ":" in name or not st["prefix"] else st["prefix"] + ":" + name
    attrs = dict(attrs)
    if top:
        if st["ns"]:
            attrs["xmlns" + (":" + st["prefix"] if st["prefix"] else "")] = st["ns"]
        attrs["xmlns:xsi"] = XSI
    gap = "\n" + st["indent"] * depth if st["indent"] is not None else ""
    if isinstance(body, list):
        inner = "".join(render(c, st, False, depth + 1) for c in body) + gap
    elif st["cdata"] and body:
        inner = "<![CDATA[" + body + "]]>"
    else:
        inner = _escape(body)
        if st["indent"] is not None and name in ("PubEncKey", "PubAuthKey", "UserID"):
            inner = gap + inner + gap
    note = "<!-- <KmsKeySet> " + name + " -->" if st["comments"] else ""
    text = (gap if depth else "") + note + "<" + tag + "".join(' %s="%s"' % (k, _escape(v)) for k, v in attrs.items())
    text += ">" + inner + "</" + tag + ">"
    if not top:
        return text
    return (("\ufeff" if st["bom"] else "") + ('<?xml version="1.0" encoding="UTF-8"?>\n' if st["declaration"] else "") +
            text + ("\n" if st["indent"] is not None else ""))


# --- MIKEY

def parse(message):
    """Fields of an I_MESSAGE; ValueError when something does not fit."""
    def need(n):
        if at[0] + n > len(message):
            raise ValueError("cut")
        at[0] += n
        return message[at[0] - n:at[0]]

    def u(n):
        return int.from_bytes(need(n), "big")

    at = [0]
    m = {"id": {}, "ext": {}, "sp": None, "cs": []}
    if u(1) != 1 or u(1) != 26:
        raise ValueError("not a SAKKE message")
    nxt = u(1)
    if u(1) & 127 != 1:
        raise ValueError("PRF")
    m["csb_id"], count, kind = u(4), u(1), u(1)
    for _ in range(count):
        if kind != 2:
            raise ValueError("map")
        cs, _, flags = u(1), u(1), u(1)
        need(flags & 127)
        need(u(2))
        m["cs"].append((cs, need(u(1))))
    while nxt:
        here = nxt
        if here == 4:
            if need(2) != b"\x20\x81":
                raise ValueError("SIGN")
            m["signed"] = message[:at[0]]
            m["signature"] = need(129)
            nxt = 0
            continue
        nxt = u(1)
        if here == 5:
            if u(1) != 0:
                raise ValueError("T")
            m["time"] = u(8)
        elif here == 11:
            m["rand"] = need(u(1))
        elif here == 14:
            role = u(1)
            need(1)
            if role in m["id"]:
                raise ValueError("a role twice")
            m["id"][role] = need(u(2))
        elif here == 10:
            need(2)
            m["sp"] = need(u(2))
        elif here == 26:
            if need(2) != b"\1\2":
                raise ValueError("SAKKE")
            m["sed"] = need(u(2))
        elif here == 21:
            kind = u(1)
            m["ext"][kind] = need(u(2))
        else:
            raise ValueError("payload %d" % here)
    if at[0] != len(message):
        raise ValueError("trailing")
    return m


def parameters(m, key):
    """Plaintext of extension 7, or None."""
    data = m["ext"].get(7)
    if data is None:
        return None
    dppk = data[28:32]
    if not data[0] & 0x40 or int.from_bytes(dppk, "big") != m["csb_id"]:
        raise ValueError("key parameters")
    dpck = mac(key, b"\x53", dppk, b"\0\4")[16:]
    body = data[35:35 + int.from_bytes(data[33:35], "big")]
    return gcm_open(dpck, data[12:28], data[:32], body)


def read(par, message, mine, kms_i, initiator=None):
    """Verify and open as the receiver `mine`; returns (fields, key)."""
    m = parse(message)
    seconds = m["time"] >> 32
    u = m["id"].get(8) or kms_i.uid(m["id"][1].decode(), kms_i.period_no(seconds))
    if initiator and u != kms_i.uid(initiator, kms_i.period_no(seconds)):
        raise ValueError("another initiator")
    if m["id"][6].decode() != kms_i.uri or m["id"][7].decode() != mine.kms.uri:
        raise ValueError("KMS")
    if not par.verify(m["signed"], m["signature"], u, kms_i.kpak):
        raise ValueError("signature")
    key = par.decapsulate(m["sed"], point(mine.rsk, 128), mine.uid, mine.kms.Z)
    m["parameters"] = parameters(m, key)
    return m, key


def idr(role, data, nxt):
    return bytes([nxt, role, 1]) + struct.pack(">H", len(data)) + data


def make(par, sender, to, kms_r, csb_id, key, rand, ntp, hidden=False, extra=b""):
    """An I_MESSAGE in the default profile form; `extra` is an extension payload without its first octet."""
    no = kms_r.period_no(ntp)
    peer = kms_r.uid(to, no)
    ids = [(8, sender.uid), (9, peer)] if hidden else [(1, sender.user.encode()), (2, to.encode())]
    ids += [(6, sender.kms.uri.encode()), (7, kms_r.uri.encode())]
    out = b"\x01\x1a\x05\x01" + struct.pack(">IBB", csb_id, 0, 1)
    out += b"\x0b\x00" + struct.pack(">Q", ntp << 32) + bytes([14, len(rand)]) + rand
    for i, (role, data) in enumerate(ids):
        out += idr(role, data, 14 if i < 3 else 26)
    sed = par.encapsulate(key, peer, kms_r.Z)
    out += bytes([21 if extra else 4, 1, 2]) + struct.pack(">H", len(sed)) + sed
    out += b"\4" + extra if extra else b""
    out += b"\x20\x81"
    return out + par.sign(out, sender.uid, sender.kms.kpak, int.from_bytes(sender.ssk, "big"), sender.pvt)


# --- SRTP: AEAD_AES_128_GCM, MKI, RCCm3

class Srtp:
    def __init__(self, key, salt, mki=b"", rcc=False):
        self.mki, self.rcc = mki, rcc
        self.rtp = [self._derive(key, salt, label, n) for label, n in ((0, 16), (2, 12))]
        self.rtcp = [self._derive(key, salt, label, n) for label, n in ((3, 16), (5, 12))]

    @staticmethod
    def _derive(key, salt, label, n):
        x = bytearray(salt + bytes(4))
        x[7] ^= label
        return Aes(key).ctr(bytes(x), bytes(n))

    @staticmethod
    def _iv(salt, text):
        return bytes(a ^ b for a, b in zip(salt, text))

    @staticmethod
    def _header(packet):
        n = 12 + 4 * (packet[0] & 15)
        return n + 4 + 4 * struct.unpack(">H", packet[n + 2:n + 4])[0] if packet[0] & 16 else n

    def protect(self, packet, roc):
        iv = self._iv(self.rtp[1], b"\0\0" + packet[8:12] + struct.pack(">I", roc) + packet[2:4])
        n = self._header(packet)
        out = packet[:n] + gcm_seal(self.rtp[0], iv, packet[:n], packet[n:]) + self.mki
        return out + (struct.pack(">I", roc) if self.rcc else b"")

    def protect_rtcp(self, packet, index):
        iv = self._iv(self.rtcp[1], b"\0\0" + packet[4:8] + b"\0\0" + struct.pack(">I", index))
        flag = struct.pack(">I", 1 << 31 | index)
        return packet[:8] + gcm_seal(self.rtcp[0], iv, packet[:8] + flag, packet[8:]) + flag + self.mki

    def unprotect_rtcp(self, packet):
        """ValueError when it is not one of this key."""
        end = len(packet) - len(self.mki)
        if end < 28 or packet[end:] != self.mki:
            raise ValueError("MKI")
        flag = packet[end - 4:end]
        index = struct.unpack(">I", flag)[0] & 0x7FFFFFFF
        iv = self._iv(self.rtcp[1], b"\0\0" + packet[4:8] + b"\0\0" + struct.pack(">I", index))
        return packet[:8] + gcm_open(self.rtcp[0], iv, packet[:8] + flag, packet[8:end - 4])


def random_packet(ssrc, seq, size, csrcs=0, extension=False):
    first = 0x80 | csrcs | (0x10 if extension else 0)
    out = struct.pack(">BBHII", first, 97, seq, secrets.randbelow(1 << 32), ssrc) + os.urandom(4 * csrcs)
    if extension:
        out += struct.pack(">HH", 0xBEDE, 2) + os.urandom(8)
    return out + os.urandom(size)
