"""What the loop keeps about what is live: gathered at each look, shown by ``/metrics``."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, get_args

from gleis.contracts.alarm import Alarm, AlarmKind
from gleis.contracts.errors import StoreError
from gleis.contracts.evidence import Evidence
from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.lifecycle.alarms.figures import alarm_figures
from gleis.lifecycle.journal import Journal, Trained
from gleis.lifecycle.workbench import Workbench
from gleis.store.live_figures import keep_figures

Result = TypeVar("Result")
_log = logging.getLogger(__name__)

FEATURES = 50
"""Features shown at most: those with the strongest evidence."""
_OUTCOMES = ("promoted", "kept", "failed")


class Named(NamedTuple):
    """What a figure of the loop means."""

    help: str
    labels: tuple[str, ...] = ()
    """Beside ``model``; ``version`` is the one that is watched."""
    kind: Literal["gauge", "counter"] = "gauge"


FIGURES: Mapping[str, Named] = {
    "gleis_drift_evidence": Named(
        "Evidence that a feature or score drifted: log10 of its e-value; the strongest 50.",
        ("version", "feature"),
    ),
    "gleis_drift_combined_evidence": Named(
        "Evidence that anything drifted, over all features and scores: log10 of an e-value.",
        ("version",),
    ),
    "gleis_drift_threshold": Named(
        "Evidence (log10) at which drift alarms, so that the promised rate holds.", ("version",)
    ),
    "gleis_drift_rows": Named("Rows tested for drift.", ("version",)),
    "gleis_performance": Named(
        "Figures of the latest labelled rows, named as gates name them.", ("version", "figure")
    ),
    "gleis_performance_promised": Named(
        "The same figures on the test rows, when the model was judged.", ("version", "figure")
    ),
    "gleis_performance_evidence": Named(
        "Evidence that the loss rose: log10 of an e-value.", ("version",)
    ),
    "gleis_performance_threshold": Named(
        "Evidence (log10) at which performance alarms, so that the promised rate holds.",
        ("version",),
    ),
    "gleis_performance_rise": Named(
        "How much the mean loss rose since its likeliest change.", ("version",)
    ),
    "gleis_performance_rows": Named("Labelled rows tested.", ("version",)),
    "gleis_label_coverage": Named(
        "Share of the version's answers that have a label.", ("version",)
    ),
    "gleis_alarms": Named("Alarms raised.", ("kind",), "counter"),
    "gleis_alarms_open": Named(
        "Alarms that nobody acknowledged, snoozed or resolved, and no new version answered.",
        ("kind",),
    ),
    "gleis_alarm_deliveries": Named(
        "Attempts to tell a receiver: delivered, failed (tried again), refused, given_up, "
        "withdrawn.",
        ("receiver", "outcome"),
        "counter",
    ),
    "gleis_alarms_checked": Named(
        "Drift alarms that fresh rows confirmed, or not.", ("confirmed",), "counter"
    ),
    "gleis_retrainings": Named(
        "Trainings: promoted, kept (not promoted, or on trial), failed.", ("outcome",), "counter"
    ),
    "gleis_retraining_running": Named("1 while a training is under way."),
    "gleis_last_training_timestamp_seconds": Named("When the last training was decided on."),
    "gleis_versions": Named("Versions in the registry."),
    "gleis_release_running": Named("1 while a version is tried beside the champion."),
    "gleis_loop_every_seconds": Named("How often the loop looks."),
    "gleis_loop_alive_timestamp_seconds": Named("When the loop's process last gave a sign."),
    "gleis_loop_last_look_timestamp_seconds": Named("When the loop's last look ended well."),
    "gleis_loop_look_seconds": Named("How long that look took, with what it led to."),
    "gleis_loop_failed_looks": Named(
        "Looks that failed since the loop's process started.", (), "counter"
    ),
    "gleis_loop_cpu_seconds": Named("Processor seconds of the loop's process.", (), "counter"),
    "gleis_log_predictions": Named("Rows in the prediction log.", (), "counter"),
    "gleis_log_labels": Named("Labels in the prediction log.", (), "counter"),
    "gleis_log_matched": Named("Rows in the prediction log that have a label.", (), "counter"),
    "gleis_log_pending_labels": Named("Labels that wait for their prediction."),
    "gleis_log_bytes": Named("Size of the prediction log on disk."),
}
"""By name, without the ``_total`` of a counter. Observers add figures of their own."""


class Watcher(Protocol):
    """What watches the champion."""

    @property
    def evidence(self) -> Evidence | None:
        """What was known of the champion when it was judged."""
        ...

    def summary(self) -> dict[str, Any]:
        """Return the monitors' state in plain types; empty before the first champion."""
        ...

    def figures(self) -> list[LiveFigure]:
        """Return what observers say."""
        ...


class FigureKeeper:
    """Writes the loop's figures after each look, and signs of life during a long training.

    Parameters
    ----------
    bench : Workbench
    every : float, optional
        Seconds between looks; None if nobody knows when the next one comes.
    """

    def __init__(self, bench: Workbench, every: float | None = None) -> None:
        self._bench = bench
        self._every = every
        self._journal = Journal(bench.home.facts)
        self._kept: tuple[LiveFigure, ...] = ()
        self._failed = 0

    def looked(self, watching: Watcher, seconds: float) -> None:
        """Write what is known after a look.

        Parameters
        ----------
        watching : Watcher
        seconds : float
            How long it took.
        """
        now = self._bench.clock.now()
        gathered = gather(self._bench, watching, self._journal)
        figures = [one for one in gathered if math.isfinite(one.value)]  # others are undefined
        figures.append(self._make("gleis_loop_last_look_timestamp_seconds", now.timestamp()))
        figures.append(self._make("gleis_loop_look_seconds", seconds))
        self._kept = tuple(figures)
        self._write(running=False)

    def failed(self) -> None:
        """Write that a look failed; what the last one found stays."""
        self._failed += 1
        self._write(running=False)

    def during(self, train: Callable[..., Result]) -> Callable[..., Result]:
        """Return the same, giving signs of life while it works."""

        def watched(*given: Any) -> Result:
            done = threading.Event()

            def beat() -> None:
                while True:
                    self._sign()
                    if done.wait(max(self._every or 0.0, 1.0)):
                        return

            thread = threading.Thread(target=beat, name="gleis-beat", daemon=True)
            thread.start()
            try:
                return train(*given)
            finally:
                done.set()
                thread.join()

        return watched

    def _sign(self) -> None:
        """Write a sign of life; a store that fails must not end the training."""
        try:
            self._write(running=True)
        except StoreError as error:
            _log.error("the loop cannot say that it is alive: %s", error)

    def _write(self, *, running: bool) -> None:
        now = self._bench.clock.now()
        own = [
            self._make("gleis_retraining_running", float(running)),
            self._make("gleis_loop_alive_timestamp_seconds", now.timestamp()),
            self._make("gleis_loop_failed_looks", float(self._failed)),
            self._make("gleis_loop_cpu_seconds", time.process_time()),
        ]
        if self._every is not None:
            own.append(self._make("gleis_loop_every_seconds", self._every))
        keep_figures(self._bench.home.states, LiveFigures(at=now, figures=(*self._kept, *own)))

    def _make(self, name: str, value: float, **labels: str) -> LiveFigure:
        return _figure(name, value, {"model": self._bench.settings.project.name} | labels)


def gather(bench: Workbench, watching: Watcher, journal: Journal) -> Iterator[LiveFigure]:
    """Return what watch, observers, journal, registry and log say now.

    What an observer says counts where the watch says the same.
    """
    model = {"model": bench.settings.project.name}
    live = bench.deployments.champion()
    version = {"version": str(live.version.number)} if live is not None else {}
    observed = [_with(figure, model | version | figure.labels) for figure in watching.figures()]
    yield from observed
    known = {figure.name for figure in observed}
    own = (*_watched(watching), *_promised(watching))
    yield from (
        _figure(name, value, model | version | labels)
        for name, value, labels in own
        if name not in known
    )
    alarms, trainings = journal.alarms(), journal.trainings()
    for name, value, labels in (
        *_alarmed(alarms),
        *alarm_figures(bench, journal),
        *_trained(trainings),
        ("gleis_versions", len(bench.registry.versions()), {}),
        ("gleis_release_running", int(bench.registry.releases.running() is not None), {}),
        *_logged(bench),
    ):
        yield _figure(name, value, model | labels)


Value = tuple[str, float, dict[str, str]]
"""Name, value, and labels beside model and version."""


def _watched(watching: Watcher) -> Iterator[Value]:
    summary = watching.summary()
    if not summary:
        return
    drift, loss = summary["drift"], summary["performance"]
    evidence = sorted(drift["evidence"].items(), key=lambda pair: -pair[1])
    for feature, value in evidence[:FEATURES]:
        yield "gleis_drift_evidence", value, {"feature": feature}
    yield "gleis_drift_combined_evidence", drift["combined"], {}
    yield "gleis_drift_threshold", drift["threshold"], {}
    yield "gleis_drift_rows", drift["rows"], {}
    for figure, value in loss["figures"].items():
        yield "gleis_performance", value, {"figure": figure}
    yield "gleis_performance_evidence", loss["evidence"], {}
    yield "gleis_performance_threshold", loss["threshold"], {}
    yield "gleis_performance_rise", loss["rise"], {}
    yield "gleis_performance_rows", loss["rows"], {}
    coverage = summary["labels"]["coverage"]
    if coverage is not None:
        yield "gleis_label_coverage", coverage, {}


def _promised(watching: Watcher) -> Iterator[Value]:
    evidence = watching.evidence
    for name, figure in () if evidence is None else evidence.figures.items():
        yield "gleis_performance_promised", figure.value, {"figure": name}


def _alarmed(alarms: Sequence[Alarm]) -> Iterator[Value]:
    raised = Counter(alarm.kind for alarm in alarms)
    for kind in get_args(AlarmKind):
        yield "gleis_alarms", raised[kind], {"kind": kind}
    checked = Counter(alarm.confirmed for alarm in alarms)
    for word, said in (("true", True), ("false", False)):
        yield "gleis_alarms_checked", checked[said], {"confirmed": word}


def _trained(trainings: list[Trained]) -> Iterator[Value]:
    outcomes = Counter(
        "failed" if one.error is not None else "promoted" if one.promoted else "kept"
        for one in trainings
    )
    for outcome in _OUTCOMES:
        yield "gleis_retrainings", outcomes[outcome], {"outcome": outcome}
    if trainings:
        yield "gleis_last_training_timestamp_seconds", trainings[-1].at.timestamp(), {}


def _logged(bench: Workbench) -> Iterator[Value]:
    log = bench.home.log
    counts = log.counts()
    yield "gleis_log_predictions", counts.predictions, {}
    yield "gleis_log_labels", counts.labels, {}
    yield "gleis_log_matched", counts.matched, {}
    yield "gleis_log_pending_labels", counts.pending, {}
    yield "gleis_log_bytes", log.size(), {}


def _figure(name: str, value: float, labels: dict[str, str]) -> LiveFigure:
    named = FIGURES[name]
    return LiveFigure(
        name=name, value=float(value), labels=labels, help=named.help, kind=named.kind
    )


def _with(figure: LiveFigure, labels: dict[str, str]) -> LiveFigure:
    return LiveFigure(
        name=figure.name, value=figure.value, labels=labels, help=figure.help, kind=figure.kind
    )
