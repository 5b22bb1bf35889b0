"""An OIDC issuer's public keys, fetched beside the requests."""

from __future__ import annotations

import logging
import threading
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import jwt
import msgspec

from gleis.contracts.errors import ConfigError, StoreError

_log = logging.getLogger(__name__)
_EVERY = 300.0
"""Seconds between looks."""
_SOONEST = 10.0
"""Seconds after a look before an unknown key may cause another."""
_LONGEST_PAUSE = 60.0
_TIMEOUT = 5.0
_LARGEST = 1_000_000
_ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}


class PublicKey(NamedTuple):
    """A key, and the one algorithm it verifies."""

    algorithm: str
    key: Any


class Issuer:
    """Holds the issuer's keys and follows them; no request ever waits for a fetch.

    Parameters
    ----------
    url : str
        The issuer, as tokens name it in ``iss``.
    jwks : str or Path, optional
        Where the keys are: a file or a URL. By default the issuer's discovery document says.

    References
    ----------
    OpenID Connect Discovery 1.0, section 4; RFC 7517, JSON Web Key.
    """

    def __init__(self, url: str, jwks: str | Path | None = None) -> None:
        self.keys: dict[str, PublicKey] = {}
        """By key id; another dictionary whenever they change."""
        self.error: str | None = "not fetched yet"
        """Why there are no keys, or no newer ones."""
        self.url = url
        self._jwks = jwks
        self._looked = -_SOONEST
        self._awake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Look once.

        Raises
        ------
        ConfigError
            What is there are no keys that verify tokens.
        StoreError
            They cannot be read or fetched; those known before stay.
        """
        self._looked = monotonic()
        keys = _keys(self._fetch())
        if keys != self.keys:
            self.keys = keys
        self.error = None

    def want(self) -> None:
        """Look soon: a token names a key that is not known. Looks are never closer than 10 s."""
        if monotonic() - self._looked > _SOONEST:
            self._awake.set()

    def start(self) -> None:
        """Start following, in a thread."""
        self._stopped = False
        self._thread = threading.Thread(target=self._follow, name="gleis-issuer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the keys stay."""
        self._stopped = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _follow(self) -> None:
        pause = 1.0 if self.error else _EVERY
        while not self._ended(pause):
            try:
                self.load()
                pause = _EVERY
            except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
                if self.error is None:
                    _log.warning("the issuer's keys cannot be looked up: %s", error)
                self.error = str(error)
                pause = 1.0 if pause == _EVERY else min(2 * pause, _LONGEST_PAUSE)

    def _ended(self, pause: float) -> bool:
        self._awake.wait(pause)
        self._awake.clear()
        return self._stopped

    def _fetch(self) -> bytes:
        if isinstance(self._jwks, Path):
            try:
                return self._jwks.read_bytes()
            except OSError as error:
                raise ConfigError(
                    f"access.jwks cannot be read: {error.strerror}",
                    seen=str(self._jwks),
                    remedy="Name a file with a JSON Web Key Set, or its URL.",
                    field="access.jwks",
                ) from error
        return _get(self._jwks or self._discover())

    def _discover(self) -> str:
        where = self.url.rstrip("/") + "/.well-known/openid-configuration"
        document = _json(_get(where), where)
        if document.get("issuer") != self.url:
            raise ConfigError(
                "The discovery document is of another issuer",
                seen=document.get("issuer"),
                remedy=f"Write access.issuer as the document does; it is not {self.url}.",
                field="access.issuer",
            )
        found = document.get("jwks_uri")
        if not isinstance(found, str):
            raise ConfigError("The discovery document names no jwks_uri", seen=where)
        return found


class _NoRedirect(HTTPRedirectHandler):
    """Keys come from where they were said to be, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open = build_opener(_NoRedirect).open


def _get(url: str) -> bytes:
    parts = urlsplit(url)
    near = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and near):
        raise ConfigError(
            "The issuer's keys are not at an https address",
            seen=url,
            remedy="http is taken on this machine only.",
            field="access.jwks",
        )
    try:
        with _open(url, timeout=_TIMEOUT) as answer:
            body: bytes = answer.read(_LARGEST + 1)
    except (OSError, HTTPException) as error:
        raise StoreError(f"{url} does not answer: {error}") from error
    if len(body) > _LARGEST:
        raise StoreError(f"{url} answers too much", seen=len(body))
    return body


def _json(body: bytes, where: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"{where} is not a JSON object: {error}") from error


def _keys(body: bytes) -> dict[str, PublicKey]:
    """Read a key set; keys of other kinds, for other uses and weak ones are left out."""
    listed = _json(body, "The key set").get("keys")
    found: dict[str, PublicKey] = {}
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        algorithm = _ALGORITHMS.get(str(one.get("kty")))
        if algorithm is None or one.get("alg", algorithm) != algorithm or "d" in one:
            continue
        try:
            key = jwt.PyJWK.from_dict(one, algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            _log.warning("a key of the issuer is left out: %s", error)
            continue
        if (key.key_size < 2048) if algorithm == "RS256" else (key.curve.name != "secp256r1"):
            continue
        found[str(one.get("kid", ""))] = PublicKey(algorithm, key)
    if not found:
        raise ConfigError(
            "The issuer's key set holds no key for RS256 or ES256",
            seen=listed,
            remedy="Point access.jwks at public signing keys: RSA from 2048 bits, or EC P-256.",
            field="access.jwks",
        )
    return found
