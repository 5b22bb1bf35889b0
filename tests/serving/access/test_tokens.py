from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from small_packages import ROW

from gleis.contracts.caller import Limit
from gleis.contracts.clock import SimulatedClock, SystemClock
from gleis.contracts.errors import ConfigError, StoreError, UnavailableError, UnknownCallerError
from gleis.serving.access import issuer as issuer_module
from gleis.serving.access.gate import Gate
from gleis.serving.access.issuer import Issuer
from gleis.serving.access.tokens import BearerTokens

NOW = datetime(2026, 11, 25, 20, tzinfo=UTC)
AUDIENCE = "gleis-flights"
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
WEAK_RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key, kid, algorithm, **rest):
    made = jwt.algorithms.get_default_algorithms()[algorithm].to_jwk(key.public_key())
    return json.loads(made) | {"kid": kid, "use": "sig", "alg": algorithm} | rest


class LocalIssuer:
    """What of an OIDC provider a verifier sees: discovery and keys, over HTTP."""

    def __init__(self):
        self.keys = [public(RSA, "r1", "RS256"), public(EC, "e1", "ES256")]
        self.asked, self.down, self.says = 0, False, None
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mine.asked += 1
                found = {
                    "/realm/.well-known/openid-configuration": {
                        "issuer": mine.says or mine.url,
                        "jwks_uri": f"{mine.url}/keys",
                    },
                    "/realm/keys": {"keys": mine.keys},
                }.get(self.path)
                if self.path == "/realm/moved":
                    self.send_response(302)
                    self.send_header("location", f"{mine.url}/keys")
                    self.end_headers()
                    return
                self.send_response(503 if mine.down or found is None else 200)
                self.end_headers()
                if not mine.down:
                    self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/realm"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def token(self, *, key=RSA, kid="r1", alg="RS256", headers=None, drop=(), **claims):
        given = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ann",
            "exp": NOW + timedelta(minutes=5),
            "iat": NOW,
            "roles": ["predict"],
        } | claims
        given = {name: value for name, value in given.items() if name not in drop}
        head = ({} if kid is None else {"kid": kid}) | (headers or {})
        return jwt.encode(given, key, algorithm=alg, headers=head).encode()


@pytest.fixture
def local():
    issuer = LocalIssuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture
def clock():
    return SimulatedClock(NOW)


@pytest.fixture
def issuer(local):
    issuer = Issuer(local.url)
    issuer.load()
    return issuer


@pytest.fixture
def tokens(issuer, clock):
    return BearerTokens(issuer, AUDIENCE, clock)


def encoded(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")


def unsigned(token, alg="none"):
    """The token's claims with no signature and an algorithm that wants none."""
    return encoded({"alg": alg, "kid": "r1"}) + b"." + token.split(b".")[1] + b"."


def confused(token):
    """The token's claims signed with HMAC, and the public key as its secret."""
    pem = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = encoded({"alg": "HS256", "kid": "r1", "typ": "JWT"}) + b"." + token.split(b".")[1]
    mac = hmac.new(pem, signed, hashlib.sha256).digest()
    return signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")


def altered(token):
    """The token with another subject under the old signature."""
    head, _, signature = token.split(b".")
    claims = jwt.decode(token, options={"verify_signature": False}) | {"roles": ["admin"]}
    return head + b"." + encoded(claims) + b"." + signature


@pytest.mark.parametrize(
    "made", [{}, {"key": EC, "kid": "e1", "alg": "ES256"}, {"aud": ["else", AUDIENCE]}]
)
def test_a_good_token_says_who_and_what(local, tokens, made):
    grant = tokens.verify(local.token(**made))
    assert (grant.caller, grant.roles) == ("ann", {"predict"})
    assert tokens.verify(local.token(roles="label gleis:observe x")).roles == {"label", "observe"}
    assert tokens.verify(local.token(roles=["admin"])).roles == {
        "predict",
        "label",
        "observe",
        "retrain",
    }
    for nothing in ({"drop": ("roles",)}, {"roles": 3}, {"roles": [1, {}]}, {"roles": []}):
        assert tokens.verify(local.token(**nothing)).roles == frozenset()


def bad_tokens(local):
    good = local.token()
    minute = timedelta(minutes=1)
    return {
        "no signature": unsigned(good),
        "None": unsigned(good, "None"),
        "empty signature": good.rpartition(b".")[0] + b".",
        "hmac with the public key": confused(good),
        "altered": altered(good),
        "another key under a known id": local.token(key=OTHER_RSA),
        "an unknown id": local.token(key=OTHER_RSA, kid="r9"),
        "no id": local.token(kid=None),
        "its own key in the head": local.token(
            key=OTHER_RSA, kid="x", headers={"jwk": public(OTHER_RSA, "x", "RS256")}
        ),
        "a key from elsewhere": local.token(
            key=OTHER_RSA, kid="x", headers={"jku": "http://evil.example/keys"}
        ),
        "another algorithm": local.token(alg="RS512"),
        "PSS": local.token(alg="PS256"),
        "an id of another kind": local.token(kid="e1"),
        "expired": local.token(exp=NOW - minute),
        "expired long ago": local.token(exp=0),
        "not yet": local.token(nbf=NOW + minute),
        "of tomorrow": local.token(iat=NOW + minute),
        "no end": local.token(drop=("exp",)),
        "an end that is none": local.token(exp=True),
        "another issuer": local.token(iss="https://evil.example"),
        "an issuer with a slash": local.token(iss=local.url + "/"),
        "no issuer": local.token(drop=("iss",)),
        "another audience": local.token(aud="payroll"),
        "no audience": local.token(drop=("aud",)),
        "no subject": local.token(drop=("sub",)),
        "a critical extension": local.token(headers={"crit": ["x"], "x": 1}),
        "not base64": b"a.b.c",
        "two parts": b".".join(good.split(b".")[:2]),
        "five parts": good + b".a.b",
        "nothing": b"",
        "bytes": b"\xff\xfe.\x00.\x00",
        "deep": encoded({"alg": "RS256", "kid": "r1"}) + b"."
        + base64.urlsafe_b64encode(b"[" * 5000) + b".YQ",
        "a list for a head": encoded(["RS256"]) + b"." + good.split(b".", 1)[1],
        "an id that is no text": encoded({"alg": "RS256", "kid": {}}) + b".e30.YQ",
    }  # fmt: skip


def test_every_kind_of_bad_token_is_refused(local, tokens):
    bad, said = bad_tokens(local), {}
    for case, token in bad.items():
        try:
            tokens.verify(token)
        except UnknownCallerError as error:
            said[case] = str(error)
    assert set(bad) - set(said) == set(), "let in"
    assert not [case for case in bad if bad[case] and bad[case].decode("latin-1") in said[case]]
    assert tokens.verify(local.token()).caller == "ann"


def test_clocks_may_differ_by_half_a_minute(local, tokens, clock):
    assert tokens.verify(local.token(exp=NOW - timedelta(seconds=20), sub="late"))
    assert tokens.verify(local.token(nbf=NOW + timedelta(seconds=20), sub="early"))
    token = local.token()
    assert tokens.verify(token)
    clock.move_to(NOW + timedelta(minutes=5, seconds=29))
    assert tokens.verify(token), "remembered until it ends"
    clock.move_to(NOW + timedelta(minutes=5, seconds=31))
    with pytest.raises(UnknownCallerError, match="has expired"):
        tokens.verify(token)


def test_keys_are_exchanged_without_a_restart(local, issuer, clock, monkeypatch):
    monkeypatch.setattr(issuer_module, "_SOONEST", 0.0)
    tokens = BearerTokens(issuer, AUDIENCE, clock)
    old, new = local.token(), local.token(key=OTHER_RSA, kid="r2")
    assert tokens.verify(old)
    tokens.start()
    try:
        local.keys = [public(OTHER_RSA, "r2", "RS256")]
        deadline = time.monotonic() + 10
        while True:  # the first one asks for a look, none waits for it
            try:
                assert tokens.verify(new).caller == "ann"
                break
            except UnknownCallerError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        with pytest.raises(UnknownCallerError):
            tokens.verify(old)
    finally:
        tokens.stop()


def test_unknown_keys_do_not_make_it_ask_the_issuer_again_and_again(local, tokens):
    asked = local.asked
    tokens.start()
    try:
        for number in range(200):
            with pytest.raises(UnknownCallerError):
                tokens.verify(local.token(key=OTHER_RSA, kid=f"x{number}"))
        time.sleep(0.2)
    finally:
        tokens.stop()
    assert local.asked <= asked + 2


def test_an_issuer_that_is_down_is_waited_for_and_known_keys_stay(local, clock):
    local.down = True
    issuer = Issuer(local.url)
    with pytest.raises(StoreError):
        issuer.load()
    tokens = BearerTokens(issuer, AUDIENCE, clock)
    with pytest.raises(UnavailableError, match="cannot be checked yet"):
        tokens.verify(local.token())
    tokens.start()
    local.down = False
    deadline = time.monotonic() + 15
    while not issuer.keys:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    tokens.stop()
    local.down = True
    with pytest.raises(StoreError):
        issuer.load()
    assert tokens.verify(local.token()).caller == "ann"


def test_keys_from_a_file_and_from_a_url(local, tmp_path, clock):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": local.keys}))
    for where in (file, f"{local.url}/keys"):
        issuer = Issuer(local.url, where)
        issuer.load()
        assert set(issuer.keys) == {"r1", "e1"}
        assert BearerTokens(issuer, AUDIENCE, clock).verify(local.token())


def test_only_strong_public_signing_keys_are_taken(local, issuer):
    secret = {"kty": "oct", "kid": "o", "k": "c2VjcmV0", "alg": "HS256"}
    private = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_RSA)) | {"kid": "p"}
    curve = ec.generate_private_key(ec.SECP384R1())
    local.keys = [
        public(RSA, "good", "RS256"),
        public(RSA, "enc", "RS256", use="enc"),
        public(RSA, "other", "RS256", alg="RS512"),
        public(WEAK_RSA, "weak", "RS256"),
        public(curve, "curve", "ES384"),
        public(curve, "liar", "ES384", alg="ES256"),
        public(EC, "broken", "ES256", x="AA"),
        private,
        secret,
        3,
    ]
    issuer.load()
    assert set(issuer.keys) == {"good"}


@pytest.mark.parametrize("keys", [[], None, "x", [{}], [{"kty": "RSA"}]])
def test_a_set_without_a_usable_key_is_an_error(local, keys):
    local.keys = keys
    with pytest.raises(ConfigError, match="holds no key"):
        Issuer(local.url).load()


def test_the_document_must_be_the_issuers_and_nothing_is_followed(local, tmp_path):
    local.says = "https://evil.example"
    with pytest.raises(ConfigError, match="another issuer"):
        Issuer(local.url).load()
    with pytest.raises(StoreError, match="302"):
        Issuer(local.url, f"{local.url}/moved").load()
    with pytest.raises(ConfigError, match="https"):
        Issuer(local.url, "http://issuer.example/keys").load()
    with pytest.raises(ConfigError, match="cannot be read"):
        Issuer(local.url, tmp_path / "gone.json").load()


def test_over_http_beside_keys(local, service, client, callers):
    issuer = Issuer(local.url)
    issuer.load()
    tokens = BearerTokens(issuer, AUDIENCE, SystemClock(), limit=Limit(3, 60.0))
    gate = Gate(callers, "flights", SystemClock(), service.home.rates, tokens=tokens)
    gate.load()
    service.app.access = gate
    assert gate.guarded, "an issuer is enough, without any key"
    soon = datetime.now(UTC) + timedelta(minutes=5)

    def ask(token):
        headers = {"authorization": b"Bearer " + token}
        return client.post("/predict", json=ROW, headers=headers)

    token = local.token(exp=soon, iat=soon - timedelta(minutes=6))
    assert client.post("/predict", json=ROW).status_code == 401
    assert [ask(token).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert ask(local.token(exp=soon, iat=0, roles=["label"], sub="b")).status_code == 403
    assert ask(local.token(exp=0, iat=0)).status_code == 401
    _, key = callers.new("shop", ["predict"], by="tests")
    gate.load()
    assert ask(key.encode()).status_code == 200


def test_without_an_issuer_no_jwt_is_loaded(tmp_path):
    code = (
        "import sys, gleis.lifecycle.service_process\n"
        "import gleis.serving.access.gate\n"
        "assert 'jwt' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
