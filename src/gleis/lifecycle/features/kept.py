"""The loop keeps the online store current: after each new version, and as rows become known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gleis.contracts.deployment import Version
from gleis.contracts.errors import GleisError
from gleis.lifecycle.features.project_features import ProjectFeatures
from gleis.lifecycle.workbench import Workbench
from gleis.training.keys import module_code


class FeatureKeeper:
    """Materialises feature views when there is something new; a look that finds nothing is cheap.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._features = ProjectFeatures(bench)
        self._seen: object = None
        self._due: datetime | None = None
        self._held: set[str] = set()

    def look(self, also: Sequence[Version] = ()) -> int:
        """Bring in what is new; return how many rows of the online store changed.

        Parameters
        ----------
        also : sequence of Version
            Models that are not live, but will be.

        Raises
        ------
        GleisError
            A view or the store fails; the next look tries again.
        """
        if not self._bench.settings.datasets:
            return 0
        news = self._news()
        is_due = self._due is not None and self._bench.clock.now() >= self._due
        # A server without a disk forgets, and a file may be removed.
        if news == self._seen and not is_due and self._held <= self._features.tables():
            return 0
        changed = 0
        for done in self._features.materialise(self._ready(), also=also):
            changed += done.changed + done.removed
            if not done.current:
                kept = f" for version {', '.join(map(str, done.models))}" if done.models else ""
                self._bench.tell(
                    "features", f"{done.view}{kept}: {done.changed:,} rows changed, {done.version}"
                )
        self._seen, self._due, self._held = news, self._features.due(), self._features.tables()
        return changed

    def _ready(self) -> list[str]:
        """Return the views whose datasets have rows; the others wait for theirs."""
        return [
            name
            for name, view in self._features.views().items()
            if self._bench.dataset(view.source).latest() is not None
        ]

    def _news(self) -> object:
        bench = self._bench
        latest = [bench.dataset(name).latest() for name in bench.settings.datasets]
        labels = [version.label for version in latest if version is not None]
        # A release that begins or ends, and a promotion, change which views are needed.
        served = bench.registry.releases.revision()
        return labels, served, module_code(bench.folder, bench.settings)


def fill_online(bench: Workbench, version: Version) -> None:
    """Bring the features of a model into the online store before it is asked.

    A store that cannot be written is told, and stops nothing: the model is what it is, and its
    service flags rows whose features it does not find.
    """
    try:
        FeatureKeeper(bench).look([version])
    except GleisError as error:
        bench.tell("features", f"not in the online store: {error}")
