"""A run's result, as it shows itself in a notebook."""

from __future__ import annotations

from html import escape

from gleis.contracts.figure import Figure
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.lifecycle.html_table import html_table
from gleis.lifecycle.results import Outcome


class RunResult:
    """What came of ``Project.run``.

    Parameters
    ----------
    outcome : Outcome
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    @property
    def run(self) -> Run:
        """The run record."""
        return self.outcome.run

    @property
    def verdict(self) -> Verdict | None:
        """What the gates said."""
        return self.outcome.run.verdict

    @property
    def promoted(self) -> bool:
        """Whether it became champion."""
        return self.outcome.promoted

    @property
    def unchanged(self) -> bool:
        """Whether all of it had been done before."""
        return self.outcome.unchanged

    def __repr__(self) -> str:
        return (
            f"<run {self.run.id}, version {self.outcome.version.number}, "
            f"{'promoted' if self.promoted else 'not promoted'}>"
        )

    def _repr_html_(self) -> str:
        evidence = self.run.evidence
        figures = [
            (name, _interval(figure), _interval(evidence.baseline.get(name)))
            for name, figure in evidence.figures.items()
        ]
        gates = [
            (gate.status, gate.reason) for gate in (self.verdict.gates if self.verdict else ())
        ]
        state = "champion" if self.promoted else "kept, not promoted"
        if self.outcome.released is not None:
            state = f"tried beside the champion ({self.outcome.released})"
        return (
            f"<div><b>Run {escape(self.run.id)}</b>, version {self.outcome.version.number}: "
            f"{state}. {escape(self.run.dataset.label)}, {self.run.train_rows:,} rows train, "
            f"{self.run.test_rows:,} test."
            f"{html_table([('figure', 'model', 'baseline'), *figures])}"
            f"{html_table(gates)}</div>"
        )


def _interval(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"
