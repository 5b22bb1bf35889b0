"""The sections of a run's evidence as a few lines each, for ``gleis show``."""

from __future__ import annotations

from collections.abc import Iterator

from gleis.cli.output import print_table, say
from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure

_LOSSES = ("log_loss", "rmse")
"""What a model must be better in, by task; see ``PRIMARY_LOSS`` of ``evidence``."""


def show_sections(evidence: Evidence) -> None:
    """Print the worst slice, what damage costs and what simpler models reach."""
    loss = next((name for name in _LOSSES if name in evidence.figures), None)
    if loss is None:
        return
    for line in worst_slice_lines(evidence, loss):
        say(line)
    _show_damage(evidence, loss)
    _show_simpler(evidence, loss)


def worst_slice_lines(evidence: Evidence, loss: str) -> Iterator[str]:
    """Yield the worst slice in a sentence or two.

    Parameters
    ----------
    evidence : Evidence
    loss : str
        ``log_loss`` or ``rmse``.
    """
    worst = evidence.worst_slice
    if worst is None:
        return
    if not worst.conditions:
        yield f"  worst     {' '.join(worst.notes)}"
        return
    figure, times = worst.figures.get(loss), worst.figures.get(f"{loss}_ratio")
    said = f"{loss} {_interval(figure)}" if figure else f"{loss} unknown"
    if times:
        said += f", {times.value:.2f} times that of all rows"
    yield f"  worst     {' and '.join(worst.conditions)}: {said}"
    yield (
        f"            on {worst.rows:,} rows that did not choose it; {worst.searched:,} slices "
        f"were compared, p = {worst.p_value:.2g} against as many random rows"
    )


def _show_damage(evidence: Evidence, loss: str) -> None:
    robustness = evidence.robustness
    if robustness is None:
        return
    drop = f"{loss}_drop"
    flips = any("flips" in each.figures for each in robustness.perturbations)
    print_table(
        ["  damage", drop, "95% from", "to", *(["flips"] if flips else [])],
        [
            (
                f"  {each.name}",
                *_ends(each.figures.get(drop)),
                *([_value(each.figures.get("flips"))] if flips else []),
            )
            for each in robustness.perturbations
        ],
    )
    for each in robustness.perturbations:
        # Which feature was the worst, and why there are no figures, is in the description.
        if each.name in ("stuck_feature", "unit_slip") or not each.figures:
            say(f"  note      {each.name}: {each.description}")


def _show_simpler(evidence: Evidence, loss: str) -> None:
    if not evidence.simpler:
        return
    print_table(
        ["  simpler model", loss, "gain over it", "95% from", "to"],
        [
            (
                f"  {rival.name}",
                _value(rival.figures.get(loss)),
                *_ends(rival.gain.get(loss)),
            )
            for rival in evidence.simpler
        ],
    )
    for note in dict.fromkeys(note for rival in evidence.simpler for note in rival.notes):
        say(f"  note      simpler models: {note}")


def _ends(figure: Figure | None) -> tuple[float | None, float | None, float | None]:
    return (figure.value, figure.low, figure.high) if figure else (None, None, None)


def _value(figure: Figure | None) -> float | None:
    return figure.value if figure else None


def _interval(figure: Figure) -> str:
    return f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"
