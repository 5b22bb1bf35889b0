"""Traffic of the project ``shifting`` through the live routes, with its truth: for releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gleis.contracts.prediction import Label
from gleis.data.source import load_rows
from gleis.lifecycle.workbench import Workbench
from gleis.serving.live import LiveService
from gleis.serving.opening import Opening
from gleis.serving.service import Told
from gleis.serving.shadow import Shadow, answer_piecewise

SINCE = datetime(2024, 2, 1, tzinfo=UTC)
FEATURES = ("price", "pages", "channel")


class Traffic:
    """Sends rows as clients would, and their labels."""

    def __init__(self, bench: Workbench, *, carry_ids: bool = True) -> None:
        self.bench = bench
        self.live = LiveService(bench.registry, bench.clock, lambda: bench.trust)
        opening = Opening(bench.registry, bench.clock, lambda: bench.trust)
        self.shadow = Shadow(bench.home, bench.registry.releases, opening.open)
        end = SINCE + timedelta(days=28)
        self._rows = load_rows(bench.module, bench.settings, SINCE, end).to_dicts()
        self._carry_ids = carry_ids
        self._sent = 0

    def send(self, count: int, *, at_once: int = 50, label: bool = True) -> None:
        """Send rows, let a second pass for each turn, and label what was answered."""
        for start in range(0, count, at_once):
            self._turn(min(at_once, count - start), label)

    def _turn(self, count: int, label: bool) -> None:
        bench = self.bench
        self.live.refresh()
        rows = [self._rows[(self._sent + k) % len(self._rows)] for k in range(count)]
        ids = [f"row-{self._sent + k}" if self._carry_ids else None for k in range(count)]
        self._sent += count
        champion = self.live.current
        assert champion is not None
        for group in self.live.split(champion, ids):
            places = list(range(count) if group.positions is None else group.positions)
            asked = [{name: rows[at][name] for name in FEATURES} for at in places]
            for row, at in zip(asked, places, strict=True):
                if ids[at] is not None:
                    row["visit"] = ids[at]
            for part, batch in answer_piecewise(
                group.service, asked, Told(group.role, group.share)
            ):
                (names,) = bench.home.log.append([batch])
                self.live.answered(batch)
                if label:
                    truth = [rows[places[at]]["bought"] for at in part]
                    labels = [
                        Label(prediction_id=name, value=value)
                        for name, value in zip(names, truth, strict=True)
                    ]
                    bench.home.log.label(labels, bench.clock.now())
        bench.clock.move_to(bench.clock.now() + timedelta(seconds=1))
