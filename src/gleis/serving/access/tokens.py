"""OIDC bearer tokens. Imports PyJWT: only where an issuer is set."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NoReturn

import jwt

from gleis.contracts.caller import Limit
from gleis.contracts.clock import Clock
from gleis.contracts.errors import UnavailableError, UnknownCallerError
from gleis.serving.access.grants import Grant, allowed
from gleis.serving.access.issuer import Issuer, PublicKey
from gleis.serving.access.rates import SLOTS

_LEEWAY = 30.0
"""Seconds by which clocks may differ."""
_KEPT = 10_000
"""Verified tokens that are remembered."""
_PREFIX = "gleis:"


class BearerTokens:
    """Verifies tokens of one issuer for one audience, as ``Tokens`` of the gate.

    RS256 and ES256 only, each key with its own algorithm whatever the token says; ``iss``, ``aud``,
    ``exp`` and ``sub`` must be there. A verified token is remembered until it expires or the
    issuer's keys change.

    Parameters
    ----------
    issuer : Issuer
    audience : str
    clock : Clock
    roles_claim : str
        Claim that holds roles; dots lead into claims of claims.
    limit : Limit, optional
        Of each subject.

    References
    ----------
    RFC 8725, JSON Web Token Best Current Practices, section 3.
    """

    def __init__(
        self,
        issuer: Issuer,
        audience: str,
        clock: Clock,
        *,
        roles_claim: str = "roles",
        limit: Limit | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._roles_claim = roles_claim
        self._limit = limit
        self._known: dict[bytes, tuple[Grant, float, dict[str, PublicKey]]] = {}

    def start(self) -> None:
        """Begin to follow the issuer's keys."""
        self._issuer.start()

    def stop(self) -> None:
        """End it."""
        self._issuer.stop()

    def verify(self, token: bytes) -> Grant:
        """Return what the token's subject may do.

        Raises
        ------
        UnknownCallerError
            The token is not valid here and now.
        UnavailableError
            The issuer's keys have not been fetched yet.
        """
        digest, now, keys = sha256(token).digest(), self._clock.now().timestamp(), self._issuer.keys
        known = self._known.get(digest)
        if known is not None and known[2] is keys:
            if now < known[1]:
                return known[0]
            _refuse("has expired")
        claims = self._verified(token, keys)
        until = _in_time(claims, now)
        grant = self._grant(claims)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[digest] = (grant, until, keys)
        return grant

    def _verified(self, token: bytes, keys: dict[str, PublicKey]) -> dict[str, Any]:
        try:
            head = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            _refuse("is not one")
        if not keys:
            raise UnavailableError(
                "Tokens cannot be checked yet: the issuer's keys are not there",
                seen=self._issuer.error,
                remedy="Come again; the server tries to fetch them.",
            )
        only = next(iter(keys.values())) if len(keys) == 1 and "kid" not in head else None
        key = only or keys.get(str(head.get("kid", "")))
        if key is None:
            self._issuer.want()
            _refuse("is signed with a key that the issuer does not publish")
        if head.get("alg") != key.algorithm:
            _refuse(f"is not signed with {key.algorithm}, as its key is for")
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer.url,
                # Times are held against the clock below.
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            _refuse(f"is not valid: {error}")

    def _grant(self, claims: dict[str, Any]) -> Grant:
        subject = str(claims["sub"])
        place = int.from_bytes(sha256(subject.encode()).digest()[:4], "big") % (SLOTS // 2)
        return Grant(
            caller=subject,
            roles=allowed(_roles(claims, self._roles_claim)),
            slot=SLOTS // 2 + place,
            limit=self._limit,
        )


def _in_time(claims: dict[str, Any], now: float) -> float:
    """Return until when the claims hold; refuse if that was, or is not yet."""
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    for name, time in times.items():
        if isinstance(time, bool) or not isinstance(time, int | float):
            _refuse(f"is not valid: {name} is no time")
    until = float(times["exp"]) + _LEEWAY
    if not now < until:
        _refuse("has expired")
    if any(not times.get(name, now) <= now + _LEEWAY for name in ("nbf", "iat")):
        _refuse("is not valid yet")
    return until


def _roles(claims: dict[str, Any], claim: str) -> list[str]:
    """Return the roles a token grants: a list, or one text with spaces between.

    Examples
    --------
    >>> _roles({"realm_access": {"roles": ["gleis:label", "other"]}}, "realm_access.roles")
    ['label', 'other']
    >>> _roles({"scope": "openid predict"}, "scope")
    ['openid', 'predict']
    """
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        found = found.split()
    listed = found if isinstance(found, list) else []
    return [role.removeprefix(_PREFIX) for role in listed if isinstance(role, str)]


def _refuse(why: str) -> NoReturn:
    raise UnknownCallerError(
        f"The token {why}", remedy="Get a new one from the issuer, for this service's audience."
    )
