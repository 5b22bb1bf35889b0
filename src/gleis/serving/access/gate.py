"""Lets requests through to their routes, or says why not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

from gleis.contracts.caller import Limit
from gleis.contracts.clock import Clock
from gleis.contracts.errors import ForbiddenError, UnavailableError, UnknownCallerError
from gleis.registry.callers import PREFIX, Callers
from gleis.serving.access.grants import Grant, grant_of
from gleis.serving.access.rates import SLOTS, Rates
from gleis.serving.routes import Request, Route

_log = logging.getLogger(__name__)
_KEY = PREFIX.encode()
_PATIENCE = 60.0
"""Seconds without a look at the ledger after which keys are trusted no longer."""
_LONGEST = 8192
"""Bytes of a credential."""


class Tokens(Protocol):
    """Verifies bearer tokens that are not keys of ours."""

    def verify(self, token: bytes) -> Grant:
        """Return what the token's subject may do; raise UnknownCallerError if it is not valid."""
        ...

    def start(self) -> None:
        """Begin to follow the issuer's keys."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class Gate:
    """Knows the callers, as ``Access`` of the application.

    As long as no key was ever made and no tokens are verified, everybody may do everything; from
    the first key on, only routes that are open need none. A thread follows the ledger, so that a
    new or revoked key takes effect within half a second, in every worker. Where the ledger cannot
    be read the last known keys hold for a minute, then nobody is let in.

    Parameters
    ----------
    callers : Callers
    model : str
        Name of the model that is served.
    clock : Clock
    rates : Path
        File of this machine's workers, see ``Rates``; made when the first limit needs it.
    limit : Limit, optional
        For callers that have none of their own.
    tokens : Tokens, optional
    trusting : bool
        Without keys, answer web pages of any site too: something in front looks after that.
    count : callable
        Told of every request that is let through: the caller's key id, or ``token``.
    every : float
        Seconds between looks.
    """

    def __init__(
        self,
        callers: Callers,
        model: str,
        clock: Clock,
        rates: Path,
        *,
        limit: Limit | None = None,
        tokens: Tokens | None = None,
        trusting: bool = False,
        count: Callable[[str], None] = lambda caller: None,
        every: float = 0.25,
    ) -> None:
        self.error: str | None = None
        """Why nobody is let in, if the ledger cannot be read for long."""
        self._callers = callers
        self._model = model
        self._clock = clock
        self._file = rates
        self._rates: Rates | None = None
        self._limit = limit
        self._tokens = tokens
        self._trusting = trusting
        self._count = count
        self._every = every
        self._grants: dict[bytes, Grant] = {}
        self._revision = -1
        self._seen = monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def guarded(self) -> bool:
        """True once callers must say who they are."""
        return bool(self._grants) or self._tokens is not None

    def admit(self, request: Request, route: Route) -> None:
        """Let a request through; see ``Access``.

        Raises
        ------
        UnknownCallerError
            It carries no credential, or one that opens nothing.
        ForbiddenError
            The caller may not use this route or ask this model; or a web page of another site
            sends it.
        TooManyError
            The caller sends too many.
        UnavailableError
            Keys cannot be checked at present.
        """
        role = route.role
        if role == "open":
            return
        if not self._grants and self._tokens is None:
            if not self._trusting:
                _check_origin(request)
            return
        grant = self.identify(request)
        request.caller = grant.caller
        if role not in grant.roles:
            raise _forbidden(grant, route, self._model)
        if grant.limit is not None:
            self._take(grant, grant.limit)
        self._count(grant.counted)

    def identify(self, request: Request) -> Grant:
        """Return who sends a request.

        Raises
        ------
        UnknownCallerError, UnavailableError
            As for ``admit``.
        """
        if self.error is not None:
            raise UnavailableError(
                "Callers cannot be checked", seen=self.error, remedy="The server's log says more."
            )
        credential = _credential(request)
        grant = self._grants.get(sha256(credential).digest())
        if grant is None:
            if self._tokens is None or credential.startswith(_KEY):
                raise UnknownCallerError("This key is not known", remedy=_HOW)
            return self._tokens.verify(credential)
        if grant.refusal is None and grant.expires is not None:
            grant = self._unexpired(grant)
        if grant.refusal is not None:
            raise UnknownCallerError(
                f"The key {PREFIX}{grant.caller} {grant.refusal}", remedy="Ask for a new one."
            )
        return grant

    def _unexpired(self, grant: Grant) -> Grant:
        expired = grant.expires is not None and self._clock.now() >= grant.expires
        return grant._replace(refusal="has expired") if expired else grant

    def load(self) -> None:
        """Look once, before serving.

        Raises
        ------
        StoreError
            The ledger cannot be read.
        """
        revision = self._callers.revision()
        if revision != self._revision:
            self._grants = {
                bytes.fromhex(caller.digest): grant_of(
                    caller, number % (SLOTS // 2), self._model, self._limit
                )
                for number, caller in enumerate(self._callers.all())
            }
            self._revision = revision
        self._seen, self.error = monotonic(), None

    def start(self) -> None:
        """Start following the ledger, and the issuer's keys if there is one."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._follow, name="gleis-callers", daemon=True)
        self._thread.start()
        if self._tokens is not None:
            self._tokens.start()

    def stop(self) -> None:
        """Stop following; what is known stays."""
        self._stopped.set()
        if self._tokens is not None:
            self._tokens.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _follow(self) -> None:
        failed = False
        while not self._stopped.wait(self._every):
            try:
                self.load()
                failed = False
            except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
                if not failed:
                    _log.exception("the callers cannot be looked up; the last known ones hold")
                    failed = True
                if monotonic() - self._seen > _PATIENCE:
                    self.error = str(error)

    def _take(self, grant: Grant, limit: Limit) -> None:
        if self._rates is None:
            self._rates = Rates(self._file)
        self._rates.take(grant.slot, limit)


_HOW = (
    "Send a valid one as Authorization: Bearer KEY, or X-API-Key: KEY; gleis access new makes one."
)


def _credential(request: Request) -> bytes:
    """Return the key or token of a request; a bearer's goes first."""
    found = b""
    for name, value in request.scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            found = value[7:].strip()
            break
        if name == b"x-api-key":
            found = value.strip()
    if not found:
        raise UnknownCallerError("The request does not say who sends it", remedy=_HOW)
    if len(found) > _LONGEST:
        raise UnknownCallerError("The credential is too long", seen=len(found), remedy=_HOW)
    return found


def _forbidden(grant: Grant, route: Route, model: str) -> ForbiddenError:
    if grant.elsewhere:
        return ForbiddenError(
            "The caller may not ask this model",
            seen=model,
            remedy="Ask for a key that is made for it.",
            field="model",
        )
    return ForbiddenError(
        f"{route.path} wants a caller with the role {route.role}",
        seen=", ".join(sorted(grant.roles)) or "no role",
        remedy=f"Ask for a key with the role {route.role}.",
        field="role",
    )


def _check_origin(request: Request) -> None:
    """Refuse what a web page of another site sends to a service without keys.

    A browser sends along where the page is from. Without this, any page a developer looks at could
    send labels to the service on their machine, also under a name that it lets lead there.
    """
    origin = request.header(b"origin")
    if origin is None:
        return
    try:
        host = urlsplit(origin.decode("latin-1")).hostname or ""
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise ForbiddenError(
            "A web page of another site may not ask this service",
            seen=origin.decode("latin-1"),
            remedy="Make keys, gleis access new, and let the page's own server ask with one.",
            field="origin",
        )
