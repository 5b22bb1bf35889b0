"""``gleis up``: the service in processes of its own, the loop beside them in this one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gleis.config.durations import parse_duration
from gleis.contracts.errors import GleisError, StoreError
from gleis.lifecycle.alarms.announcing import Announcing, project_receivers
from gleis.lifecycle.asking import open_service
from gleis.lifecycle.data.ingest_loop import Intake
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.features.kept import FeatureKeeper
from gleis.lifecycle.live_figures import FigureKeeper
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.results import Tick
from gleis.lifecycle.service_process import on_the_wire, open_port
from gleis.lifecycle.workbench import Workbench
from gleis.lifecycle.workers import Workers, stop_on_signals
from gleis.store.lock import PRESENCE

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def run_up(
    bench: Workbench,
    started: Callable[[str, int], None],
    on_tick: Callable[[Tick], None] | None = None,
) -> None:
    """Serve and loop until SIGINT or SIGTERM.

    The first signal lets a retraining under way end; the second leaves it to the next start.

    The port is taken here and handed to the service's workers, so that one that dies can be started
    again on the same port, with requests waiting in its queue.

    Raises
    ------
    ConfigError
        The port is in use, or a secret of ``[alarms]`` is not set.
    UnavailableError, PackageError
        There is no champion, or its package must not be loaded.
    """
    # Said once, here: the service's process would be started in vain again and again.
    open_service(bench)
    on_the_wire(bench.settings, bench.folder)
    receivers = project_receivers(bench.settings)
    port = open_port(bench.settings, bench.home)
    running = bench.home.lock(PRESENCE)
    stop = stop_on_signals()
    service = Workers(
        bench.settings,
        bench.folder,
        port.fileno(),
        module="gleis.web",
        insecure_dev=bench.insecure_dev,
    )
    host, number = port.getsockname()[:2]
    try:
        service.start()
        with (
            Workflows(bench.home, bench) as workflows,
            Announcing(bench.settings, bench.home, bench.clock, receivers),
        ):
            running.await_take()
            started(host, number)
            keeper = FigureKeeper(bench, _every(bench))
            loop = Loop(bench, keeper.during(workflows.retrain))
            _loop(
                loop,
                Intake(bench),
                keeper,
                stop,
                on_tick,
                lambda: workflows.keep() and running.keep(),
            )
    finally:
        running.release()
        service.stop()
        port.close()


def _loop(
    loop: Loop,
    intake: Intake,
    keeper: FigureKeeper,
    stop: threading.Event,
    on_tick: Callable[[Tick], None] | None,
    keep: Callable[[], bool],
) -> None:
    every = _every(loop.bench)
    features = FeatureKeeper(loop.bench)
    _guarded(features.look)
    _guarded(loop.resume)
    while not stop.wait(every):
        if not _is_ours(keep):
            _guarded(keeper.failed)
            continue
        # Before the loop looks: a retraining that is due learns from it already.
        taken = _guarded(lambda: intake.look(loop.bench.clock.now())) or []
        _guarded(features.look)
        started = time.perf_counter()
        tick = _guarded(loop.tick)
        if tick is None:
            _guarded(keeper.failed)
            continue
        if on_tick is not None:
            on_tick(msgspec.structs.replace(tick, ingested=tuple(taken)))
        seconds = time.perf_counter() - started
        _guarded(lambda: keeper.looked(loop.watching, seconds))  # noqa: B023 - called at once


def _is_ours(keep: Callable[[], bool]) -> bool:
    """Say whether this is the one loop; False while the database that knows is out of reach."""
    kept = _guarded(keep)
    if kept is False:
        raise StoreError(
            "Another process took the loop over while the database was away",
            remedy="Leave it the loop and run gleis serve here, or stop it.",
        )
    return kept is True


def _every(bench: Workbench) -> float:
    return parse_duration(bench.settings.loop.every, "loop.every").total_seconds()


def _guarded(look: Callable[[], Result]) -> Result | None:
    try:
        return look()
    except GleisError as error:
        _log.error("the loop's look failed: %s", error)
        return None
    except Exception:  # noqa: BLE001 - the service goes on; the next look tries again
        _log.exception("the loop's look failed")
        return None
