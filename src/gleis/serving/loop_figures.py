"""What the loop keeps about what is live, as Prometheus reads it of the service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Metric

from gleis.contracts.errors import StoreError
from gleis.contracts.live_figures import LiveFigure
from gleis.contracts.ports import StateStore
from gleis.store.live_figures import FigureReader

_log = logging.getLogger(__name__)


class LoopFigures:
    """Reads what the loop last wrote, at each scrape.

    It shows nothing where no loop ever looked. What cannot be read costs the loop's figures only:
    everything else is shown, and the failure is counted.

    Parameters
    ----------
    states : StateStore
    on_failure : callable
        Called for every scrape without figures.
    """

    def __init__(self, states: StateStore, on_failure: Callable[[], None]) -> None:
        self._reader = FigureReader(states)
        self._on_failure = on_failure
        self._failing = False

    def collect(self) -> Iterable[Metric]:
        """Return the figures as families."""
        try:
            written = self._reader.read()
        except StoreError as error:
            self._on_failure()
            if not self._failing:
                _log.error("the loop's figures are left out of /metrics: %s", error)
            self._failing = True
            return ()
        self._failing = False
        return () if written is None else as_families(written.figures)


def as_families(figures: Iterable[LiveFigure]) -> Iterator[Metric]:
    """Put figures of one name together.

    Examples
    --------
    >>> figure = LiveFigure(name="gleis_retrainings", value=2.0, help="Trainings.", kind="counter")
    >>> [family] = as_families([figure])
    >>> family.samples[0].name, family.samples[0].value
    ('gleis_retrainings_total', 2.0)
    """
    families: dict[str, Metric] = {}
    for figure in figures:
        family = families.get(figure.name)
        if family is None:
            family = families[figure.name] = Metric(figure.name, figure.help, figure.kind)
        suffix = "_total" if family.type == "counter" else ""
        family.add_sample(figure.name + suffix, figure.labels, figure.value)
    yield from families.values()
