"""The serving process: live service, group commit, HTTP application on one port.

Nothing of training, governance, MLflow or pandas is imported here.
"""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import TypedDict

from gleis.config.durations import parse_duration, parse_limit
from gleis.config.settings import AccessSettings, Settings
from gleis.contracts.caller import Limit
from gleis.contracts.clock import Clock, SystemClock
from gleis.contracts.errors import StoreError
from gleis.lifecycle.shadow_process import ShadowKeeper
from gleis.packaging.keyring import KeyRing
from gleis.registry.callers import Callers
from gleis.registry.versions import Registry
from gleis.serving.access.exposure import check_exposure
from gleis.serving.access.gate import Gate, Tokens
from gleis.serving.deadline import Deadline
from gleis.serving.http import App
from gleis.serving.live import LiveService
from gleis.serving.lookup_opening import LookupOpening
from gleis.serving.loop_figures import LoopFigures
from gleis.serving.metrics import Metrics
from gleis.serving.run import bind
from gleis.serving.statistics.records import Records
from gleis.serving.tls import Certificate
from gleis.serving.wire import WireLimits
from gleis.store.counters import Counters
from gleis.store.home import Home
from gleis.store.log.group_commit import GroupCommit

_log = logging.getLogger(__name__)


class OnTheWire(TypedDict):
    """What ``serving.run.serve`` needs to know of connections."""

    limits: WireLimits
    certificate: Certificate | None


def open_port(settings: Settings, home: Home) -> socket.socket:
    """Take the port of ``[serve]`` before anything else starts.

    Raises
    ------
    ConfigError
        It is in use, or others could reach a service that asks nobody for a key.
    """
    listening = bind(settings.serve.host, settings.serve.port)
    try:
        access = settings.access
        guarded = access.issuer is not None or Callers(home, SystemClock()).revision() > 0
        check_exposure(listening, guarded=guarded, consented=access.open)
    except BaseException:
        listening.close()
        raise
    return listening


def on_the_wire(settings: Settings, folder: Path) -> OnTheWire:
    """Return the limits of connections and the certificate that ``[serve]`` names.

    Raises
    ------
    ConfigError
        A file of ``serve.tls_*`` cannot be used.
    """
    serve = settings.serve
    patience = parse_duration(serve.request_timeout, "serve.request_timeout").total_seconds()
    limits = WireLimits(connections=serve.max_connections, patience=patience)
    if serve.tls_cert is None or serve.tls_key is None:
        return {"limits": limits, "certificate": None}
    clients = folder / serve.tls_clients if serve.tls_clients else None
    return {
        "limits": limits,
        "certificate": Certificate(folder / serve.tls_cert, folder / serve.tls_key, clients),
    }


def make_app(
    settings: Settings,
    home: Home,
    clock: Clock,
    folder: Path,
    *,
    insecure_dev: bool = False,
    counters: Counters | None = None,
) -> App:
    """Load the champion and return the application that serves it.

    Parameters
    ----------
    settings : Settings
    home : Home
    clock : Clock
    folder : Path
        The project folder.
    insecure_dev : bool
        Serve packages whoever signed them, and warn of it.
    counters : Counters, optional
        Shared with the other workers; None counts in this process only.

    Raises
    ------
    UnavailableError
        If nothing is live.
    PackageError
        If the champion's package must not be loaded.
    """
    home.create()
    limits = settings.serve
    registry = Registry(home, settings.project.name, clock)
    counters = counters or Counters()
    metrics = Metrics(registry.name, counters)
    metrics.also(LoopFigures(home.states, metrics.figures_unreadable).collect)
    if insecure_dev:
        _log.warning(
            "--insecure-dev: signatures are not checked, anybody's package is served. Never in "
            "production."
        )
    keyring = KeyRing(settings.signing, folder, home.keys)
    live = LiveService(
        registry,
        clock,
        lambda: keyring.trust(unsigned=insecure_dev),
        max_rows=limits.max_rows,
        outliers=limits.outliers,
        workers=limits.workers,
        on_refused=metrics.reload_failed,
        on_release=ShadowKeeper(settings, home, folder, insecure_dev=insecure_dev),
        lookups=LookupOpening(settings, home, clock),
    )
    live.load()
    gate = make_gate(settings, home, clock, folder, metrics)
    size = int(limits.max_body_mb * 1e6)
    timeout = parse_duration(limits.timeout, "serve.timeout").total_seconds()
    patience = parse_duration(limits.explanation_timeout, "serve.explanation_timeout")
    return App(
        live,
        GroupCommit(home.log),
        clock,
        metrics,
        max_body=size,
        access=gate,
        timeout=timeout,
        explaining=Deadline(patience.total_seconds(), most=limits.explanations),
        records=Records(home, clock, counters),
    )


def make_gate(settings: Settings, home: Home, clock: Clock, folder: Path, metrics: Metrics) -> Gate:
    """Look up who may do what, by ``[access]`` and the ledger.

    Raises
    ------
    ConfigError
        The issuer's keys cannot be used. An issuer that does not answer is asked again later.
    """
    access = settings.access
    limit = parse_limit(access.rate, "access.rate") if access.rate else None
    gate = Gate(
        Callers(home, clock),
        settings.project.name,
        clock,
        home.rates,
        limit=limit,
        tokens=_tokens(access, clock, folder, limit),
        trusting=access.open,
        count=metrics.admitted,
    )
    gate.load()
    return gate


def _tokens(
    access: AccessSettings, clock: Clock, folder: Path, limit: Limit | None
) -> Tokens | None:
    if access.issuer is None or access.audience is None:
        return None
    # PyJWT and cryptography: not loaded where only keys are used.
    from gleis.serving.access.issuer import Issuer
    from gleis.serving.access.tokens import BearerTokens

    near = access.jwks is not None and "://" not in access.jwks
    issuer = Issuer(access.issuer, folder / str(access.jwks) if near else access.jwks)
    try:
        issuer.load()
    except StoreError as error:
        issuer.error = str(error)
        _log.warning("tokens are refused until the issuer answers: %s", error)
    return BearerTokens(issuer, access.audience, clock, roles_claim=access.roles_claim, limit=limit)
