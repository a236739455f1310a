#!/usr/bin/python3
"""Makes tests/spec/token_vectors.json: tokens minted without hirenow, by Python's hmac and by `cryptography`.

usage: tests/tools/make_token_vectors.py > tests/spec/token_vectors.json

Nothing in it is random: the same file comes out every time.
"""

import base64
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER, AUDIENCE = "https://ats.example.com", "interview"
INTERVIEW = "0190f5fe-7c00-7a3b-8d41-5e6f708192a3"
TYPE = "interview+jwt"
LONGEST_TOKEN = 8192
LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def secret(name):
    return hashlib.sha256(b"hirenow token vectors: " + name.encode()).digest()


HS_KIDS = ("hs-signing", "hs-old", "hs-retired")
ED_KIDS = ("ed-old", "ed-public", "ed-retired")
HS = {kid: secret(kid) for kid in HS_KIDS}
ED = {kid: Ed25519PrivateKey.from_private_bytes(secret(kid)) for kid in ED_KIDS}
STATUS = {"hs-signing": "signing", "hs-retired": "retired", "ed-retired": "retired"}


def public(kid):
    return ED[kid].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def jwk(kid):
    if kid in HS:
        key = {"kty": "oct", "alg": "HS256", "k": b64(HS[kid])}
    else:
        key = {"kty": "OKP", "crv": "Ed25519", "x": b64(public(kid))}
        if kid != "ed-public":
            key["d"] = b64(secret(kid))
    return {"kid": kid, "status": STATUS.get(kid, "verify_only"), **key}


def sign(kid, data):
    if kid in HS:
        return hmac.new(HS[kid], data, hashlib.sha256).digest()
    return ED[kid].sign(data)


CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "applicant-4711",
    "tenant": "acme",
    "interview_id": INTERVIEW,
    "generation": 2,
    "attempt": 3,
    "iat": 1790000000,
    "nbf": 1790000060,
    "exp": 1790259200,
    "jti": INTERVIEW + ".2",
}


def claims(**changes):
    """The usual claims, changed; a change to None leaves the claim out."""
    return {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}


def text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def header(signer, /, **changes):
    """The header that this key's tokens have, changed; a change to None leaves the member out."""
    all_members = {"alg": "HS256" if signer in HS else "EdDSA", "kid": signer, "typ": TYPE, **changes}
    return {k: v for k, v in all_members.items() if v is not None}


def seal(head, body, kid):
    """Signs two segments as they stand."""
    return f"{head}.{body}." + b64(sign(kid, f"{head}.{body}".encode()))


def token(body=None, kid="hs-signing", head=None):
    """A well-signed token of a header and claims: objects, or bytes that are taken as they are."""
    head = header(kid) if head is None else head
    body = claims() if body is None else body
    return seal(
        b64(head if isinstance(head, bytes) else text(head)),
        b64(body if isinstance(body, bytes) else text(body)),
        kid,
    )


vectors = []


def ok(name, tok, body=None, minted_by=None):
    vector = {"name": name, "token": tok, "expect": "ok", "claims": {k: claims(**(body or {}))[k] for k in CLAIMS}}
    if minted_by:
        vector["minted_by"] = minted_by
    vectors.append(vector)


def no(reason, name, tok):
    vectors.append({"name": name, "token": tok, "expect": reason})


def minted(name, kid="hs-signing", **changes):
    ok(name, token(claims(**changes), kid), changes, minted_by=kid)


# ---- accepted -------------------------------------------------------------------------------------------------------
minted("HS256")
minted("HS256, a key that only verifies", "hs-old")
minted("Ed25519", "ed-old")
ok("Ed25519, of which only the public half is here", token(kid="ed-public"))
minted("quotes and backslashes in the claims", sub='a"b\\c\\"', tenant="\\")
minted("claims beyond ASCII", sub="Zoë-Åström-馬-🎓", tenant="ГОСТ")
minted("the longest ids, each byte escaped", sub='"' * 255, tenant="\\" * 255)
minted("the longest ids, of two bytes a character", sub="é" * 127 + "e", tenant="ü" * 127 + "u")
minted("the first second, and the last", iat=0, nbf=0, exp=LAST_SECOND)
minted("the highest generation and attempt", generation=2**32 - 1, attempt=2**32 - 1, jti=f"{INTERVIEW}.{2**32 - 1}")
minted("time has run out, which is not asked here", iat=1, nbf=1, exp=2)
minted("expires before it begins, which is not asked here", iat=10, nbf=20, exp=5)
ok("header in another order", token(head={"typ": TYPE, "kid": "hs-signing", "alg": "HS256"}))
ok("header with white space", token(head=b'{ "alg" : "HS256",\r\n\t"kid":"hs-signing", "typ":"interview+jwt" } '))
ok("header with escapes", token(head=b'{"\\u0061lg":"HS2\\u00356","kid":"hs\\u002dsigning","typ":"interview\\u002bjwt"}'))
ok("header with members that mean nothing to us", token(head=header("hs-signing", cty="JSON", jku="https://evil.example")))
ok("claims in another order", token(dict(reversed(list(claims().items())))))
ok("claims with white space", token(json.dumps(claims(), indent=3).encode() + b"\n\r\t "))
ok("claims with escapes", token(text(claims()).replace(b'"sub":"applicant', b'"s\\u0075b":"\\u0061pplicant')))
ok("claims beyond ASCII as escapes", token(json.dumps(claims(sub="Zoë 🎓")).encode()), {"sub": "Zoë 🎓"})
ok("claims that mean nothing to us", token(claims(scope="x", auth={"a": [1, 2.5, None, True]}, n=-1e30)))
ok("an integer written as minus zero", token(text(claims()).replace(b'"iat":1790000000', b'"iat":-0')), {"iat": 0})
spare = LONGEST_TOKEN - len(token(claims(pad="")))
fitting = next(p for p in range(spare) if len(token(claims(pad="x" * p))) == LONGEST_TOKEN)
ok("exactly as long as allowed", token(claims(pad="x" * fitting)))

# ---- length and form ------------------------------------------------------------------------------------------------
no("too_large", "one byte too long", token(claims(pad="x" * (fitting + 1)))[: LONGEST_TOKEN + 1])
no("too_large", "nothing but dots", "." * (LONGEST_TOKEN + 1))
GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")
no("form", "empty", "")
no("form", "one segment", HEAD)
no("form", "two segments", f"{HEAD}.{BODY}")
no("form", "four segments", GOOD + ".")
no("form", "five segments, as an encrypted token has", f"{HEAD}....{SIGNATURE}")
no("form", "the JSON serialisation", json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}))

# ---- encoding -------------------------------------------------------------------------------------------------------
for at, name in enumerate(("header", "claims", "signature")):

    def with_segment(change):
        parts = [HEAD, BODY, SIGNATURE]
        parts[at] = change(parts[at])
        return seal(parts[0], parts[1], "hs-signing") if at < 2 else ".".join(parts)

    no("base64", f"padding on the {name}", with_segment(lambda s: s + "=" * (-len(s) % 4 or 4)))
    no("base64", f"white space in the {name}", with_segment(lambda s: s[:8] + "\n" + s[8:]))
    no("base64", f"a space after the {name}", with_segment(lambda s: s + " "))
    no("base64", f"the other alphabet in the {name}", with_segment(lambda s: "+/+/" + s[4:]))
    no("base64", f"a NUL in the {name}", with_segment(lambda s: s[:9] + "\0" + s[10:]))
    no("base64", f"a byte beyond ASCII in the {name}", with_segment(lambda s: s[:9] + "é" + s[11:]))
    no("base64", f"a lone last character of the {name}", with_segment(lambda s: s[: len(s) // 4 * 4] + "A"))


def spoil_pad_bits(segment):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(segment) % 4 in (2, 3)
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) + 1]


def unaligned(make):
    """Bytes whose encoding has pad bits, by trailing white space."""
    return next(b64(make + b" " * n) for n in range(3) if len(b64(make + b" " * n)) % 4)


no("base64", "pad bits in the header", seal(spoil_pad_bits(unaligned(text(header("hs-signing")))), BODY, "hs-signing"))
no("base64", "pad bits in the claims", seal(HEAD, spoil_pad_bits(unaligned(text(claims()))), "hs-signing"))
no("base64", "pad bits in the signature", f"{HEAD}.{BODY}.{spoil_pad_bits(SIGNATURE)}")
no("base64", "a bearer's scheme before it", "Bearer " + GOOD)

# ---- JSON -----------------------------------------------------------------------------------------------------------
BAD_JSON = {
    "nothing": b"",
    "no JSON": b"hello",
    "an array": b'["alg","HS256"]',
    "a text": b'"alg"',
    "a number": b"1",
    "null": b"null",
    "two objects": b"{}{}",
    "an object that does not end": b'{"alg":"HS256"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a NUL after it": b"{}\0",
}
for name, raw in BAD_JSON.items():
    no("json", f"header: {name}", token(head=raw))
    no("json", f"claims: {name}", token(raw))
no("json", "header: trailing data", token(head=text(header("hs-signing")) + b"x"))
PLAIN = text(claims())
for name, raw in {
    "trailing data": PLAIN + b"x",
    "a trailing comma": PLAIN[:-1] + b",}",
    "a comment": PLAIN[:-1] + b"/**/}",
    "single quotes": PLAIN.replace(b'"', b"'"),
    "not UTF-8": PLAIN.replace(b"acme", b"ac\xffe"),
    "an overlong NUL": PLAIN.replace(b"acme", b"ac\xc0\x80"),
    "half a surrogate pair as an escape": PLAIN.replace(b"acme", b"\\ud83c"),
    "a surrogate in UTF-8": PLAIN.replace(b"acme", b"\xed\xa0\xbc"),
    "a raw line break in a text": PLAIN.replace(b"acme", b"ac\nme"),
    "not a number": PLAIN.replace(b"1790259200", b"NaN"),
    "a number with a leading zero": PLAIN.replace(b"1790259200", b"01790259200"),
    "a number with a plus": PLAIN.replace(b"1790259200", b"+1790259200"),
    "a hexadecimal number": PLAIN.replace(b"1790259200", b"0x6ab4"),
    "nested too deep": PLAIN[:-1] + b',"x":' + b"[" * 200 + b"]" * 200 + b"}",
}.items():
    no("json", f"claims: {name}", token(raw))

# ---- members twice --------------------------------------------------------------------------------------------------
HEADER = text(header("hs-signing"))
no("duplicate_member", "header: alg twice", token(head=HEADER[:-1] + b',"alg":"HS256"}'))
no("duplicate_member", "header: kid twice, once escaped", token(head=HEADER[:-1] + b',"\\u006bid":"hs-old"}'))
no("duplicate_member", "header: an unknown member twice", token(head=HEADER[:-1] + b',"x":1,"x":1}'))
for name in CLAIMS:
    no("duplicate_member", f"claims: {name} twice", token(PLAIN[:-1] + b"," + text({name: CLAIMS[name]})[1:]))
no("duplicate_member", "claims: exp twice, once escaped", token(PLAIN[:-1] + b',"e\\u0078p":9999999999}'))
no("duplicate_member", "claims: an unknown claim twice", token(PLAIN[:-1] + b',"x":1,"x":2}'))
no("duplicate_member", "claims: a member twice inside an unknown claim", token(PLAIN[:-1] + b',"x":[{"y":1,"y":1}]}'))

# ---- header ---------------------------------------------------------------------------------------------------------
for alg in ("none", "None", "NONE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "Ed25519", "HS256 ", 1, True):
    no("algorithm", f"alg is {alg!r}", token(head=header("hs-signing", alg=alg)))
no("algorithm", "alg is absent", token(head=header("hs-signing", alg=None)))
no("algorithm", "no algorithm and no signature", b64(text(header("hs-signing", alg="none"))) + f".{BODY}.")
no("algorithm", "no algorithm, no key and no signature", b64(text({"alg": "none"})) + f".{BODY}.")
no("algorithm", "EdDSA on an HS256 key", token(head=header("hs-signing", alg="EdDSA")))
confused = b64(text(header("ed-old", alg="HS256"))) + "." + BODY
no(
    "algorithm",
    "HS256 with an Ed25519 public key as its secret",
    confused + "." + b64(hmac.new(public("ed-old"), confused.encode(), hashlib.sha256).digest()),
)
for typ in (None, "JWT", "", "Interview+JWT", "application/interview+jwt", "interview+jwt ", 7):
    no("typ", f"typ is {typ!r}", token(head=header("hs-signing", typ=typ)))
for crit in ([], ["exp"], ["b64"], "exp", False):
    no("crit", f"crit is {json.dumps(crit)}", token(head=header("hs-signing", crit=crit)))
no("crit", "crit is null", token(head=HEADER[:-1] + b',"crit":null}'))
no("crit", "an unencoded payload (RFC 7797)", token(head=header("hs-signing", crit=["b64"], b64=False)))
for kid in (None, "", "hs-unknown", "HS-SIGNING", "hs-signing ", "hs-signing\0", "../hs-signing", 1):
    no("kid", f"kid is {kid!r}", token(head=header("hs-signing", kid=kid)))
no("kid", "a retired HS256 key", token(kid="hs-retired"))
no("kid", "a retired Ed25519 key", token(kid="ed-retired"))

# ---- signature ------------------------------------------------------------------------------------------------------
for kid in ("hs-signing", "ed-old"):
    head, body, signature = token(kid=kid).split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    no("signature", f"{kid}: none", f"{head}.{body}.")
    no("signature", f"{kid}: first bit turned", f"{head}.{body}." + b64(bytes([raw[0] ^ 0x80]) + raw[1:]))
    no("signature", f"{kid}: last bit turned", f"{head}.{body}." + b64(raw[:-1] + bytes([raw[-1] ^ 1])))
    no("signature", f"{kid}: cut by a byte", f"{head}.{body}." + b64(raw[:-1]))
    no("signature", f"{kid}: a byte more", f"{head}.{body}." + b64(raw + b"\0"))
    no("signature", f"{kid}: zeros", f"{head}.{body}." + b64(bytes(len(raw))))
    no("signature", f"{kid}: over other claims", f"{head}." + b64(text(claims(sub="mallory"))) + f".{signature}")
    no("signature", f"{kid}: over another header", b64(text(header(kid)) + b" ") + f".{body}.{signature}")
    no("signature", f"{kid}: over the claims alone", f"{head}.{body}." + b64(sign(kid, body.encode())))
    other = "hs-old" if kid in HS else "ed-public"
    no("signature", f"{kid}: of another key", f"{head}.{body}." + b64(sign(other, f"{head}.{body}".encode())))
head, body, signature = token(kid="ed-old").split(".")
raw = base64.urlsafe_b64decode(signature + "==")
second = raw[:32] + (int.from_bytes(raw[32:], "little") + ED25519_ORDER).to_bytes(32, "little")
no("signature", "ed-old: the other root of the same signature", f"{head}.{body}." + b64(second))

# ---- claims ---------------------------------------------------------------------------------------------------------
for name in CLAIMS:
    no("claims", f"{name} is absent", token(claims(**{name: None})))
    no("claims", f"{name} is null", token(text({**claims(), name: None})))
    no("claims", f"{name} is an array", token(claims(**{name: [CLAIMS[name]]})))
for name in ("iss", "aud", "sub", "tenant"):
    no("claims", f"{name} is a number", token(claims(**{name: 1})))
    no("claims", f"{name} is empty", token(claims(**{name: ""})))
    no("claims", f"{name} has 256 bytes", token(claims(**{name: "x" * 256})))
    no("claims", f"{name} holds a NUL", token(claims(**{name: "a\0b"})))
    no("claims", f"{name} holds a line break", token(claims(**{name: "a\nb"})))
for name in ("generation", "attempt", "iat", "nbf", "exp"):
    value = str(CLAIMS[name]).encode()
    for how, raw in {
        "a text": b'"%s"' % value,
        "a fraction": value + b".5",
        "an integer written as a fraction": value + b".0",
        "written with an exponent": value + b"e0",
        "true": b"true",
        "beyond 64 bits": b"18446744073709551616",
        "beyond 63 bits": b"9223372036854775808",
    }.items():
        no("claims", f"{name} is {how}", token(PLAIN.replace(b'"%s":%s' % (name.encode(), value), b'"%s":%s' % (name.encode(), raw))))
for name in ("generation", "attempt"):
    for value in (0, -1, 2**32):
        no("claims", f"{name} is {value}", token(claims(**{name: value}, **({"jti": f"{INTERVIEW}.{value}"} if name == "generation" else {}))))
for name in ("iat", "nbf", "exp"):
    for value in (-1, LAST_SECOND + 1, 2**63 - 1, -(2**63)):
        no("time_range", f"{name} is {value}", token(claims(**{name: value})))
for value in (INTERVIEW.upper(), INTERVIEW.replace("-", ""), "{" + INTERVIEW + "}", INTERVIEW[:-1], INTERVIEW[:-1] + "g", ""):
    no("claims", f"interview_id is {value!r}", token(claims(interview_id=value, jti=value + ".2")))
other = INTERVIEW[:-1] + "4"
for value in (INTERVIEW, INTERVIEW + ".", INTERVIEW + ".1", INTERVIEW + ".02", INTERVIEW + ".2 ", INTERVIEW + "-2", other + ".2", ""):
    no("claims", f"jti is {value!r}", token(claims(jti=value)))
for value in ("https://ats.example.com/", "http://ats.example.com", "HTTPS://ats.example.com", "x"):
    no("issuer", f"iss is {value!r}", token(claims(iss=value)))
for value in ("interviews", "Interview", "interview ", "x"):
    no("audience", f"aud is {value!r}", token(claims(aud=value)))

assert len({v["name"] for v in vectors}) == len(vectors)
json.dump(
    {
        "about": [
            "Tokens that an implementation of hirenow must accept or refuse, made by tests/tools/make_token_vectors.py",
            "without hirenow. Load `keys` as the key ring, and verify every vector's `token` against `expectation`.",
            "`expect` is ok, or the reason for which the token is refused. Time is not looked at: whether a link opens",
            "later or has run out is judged against the interview, not here. With ok stand the `claims` that must be",
            "read; where `minted_by` names a key, minting these claims with it must give this very token.",
        ],
        "expectation": {"issuer": ISSUER, "audience": AUDIENCE},
        "keys": {"keys": [jwk(kid) for kid in HS_KIDS + ED_KIDS]},
        "vectors": vectors,
    },
    sys.stdout,
    indent=1,
)
print()
