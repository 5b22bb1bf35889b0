"""How a record of estimates stands, in words and as values for ``/metrics``."""

from __future__ import annotations

from collections.abc import Mapping

from gleis.contracts.figure import Figure
from gleis.contracts.live_figures import LiveFigure
from gleis.evidence.estimation.record import Record


def record_words(record: Record, window: str) -> str:
    """Say how many estimates held the truth.

    Examples
    --------
    >>> record_words(Record(checked=12, held=11), "7d")
    'of 12 estimates of 7d each, 11 held the truth'
    """
    if not record.checked:
        return "no estimate checked yet"
    noun = "estimate" if record.checked == 1 else "estimates"
    return f"of {record.checked} {noun} of {window} each, {record.held} held the truth"


def why_not(record: Record, window: str) -> str | None:
    """Say why estimates are not believed; None if they are."""
    if record.refuted is None:
        return None
    return (
        f"{record_words(record, window)}, where 19 in 20 should: what a score means has changed; "
        f"not believed since {record.refuted:%Y-%m-%d}, until the next model"
    )


def live_figures(estimated: Mapping[str, Figure], record: Record, primary: str) -> list[LiveFigure]:
    """Return estimates with their intervals, and how the record stands.

    Parameters
    ----------
    estimated : mapping of str to Figure
    record : Record
    primary : str
        The figure that is checked.
    """
    ends = (
        ("", "value", "Performance estimated without labels."),
        ("_low", "low", "Lower end of the 95% interval of gleis_estimated_performance."),
        ("_high", "high", "Upper end of the 95% interval of gleis_estimated_performance."),
    )
    found = [
        LiveFigure(
            name=f"gleis_estimated_performance{ending}",
            value=getattr(figure, end),
            labels={"figure": name},
            help=text,
        )
        for ending, end, text in ends
        for name, figure in estimated.items()
    ]
    return [*found, *_record_figures(record, primary)]


def _record_figures(record: Record, primary: str) -> list[LiveFigure]:
    found = [
        LiveFigure(
            name="gleis_estimate_believed",
            value=float(record.believed),
            help="1 until estimates missed the truth surely more often than they may.",
        ),
        LiveFigure(
            name="gleis_estimate_checks",
            value=record.checked,
            help="Estimates that were compared with labels.",
            kind="counter",
        ),
        LiveFigure(
            name="gleis_estimate_misses",
            value=record.checked - record.held,
            help="Estimates whose interval did not hold what labels said.",
            kind="counter",
        ),
    ]
    if record.latest:
        last = record.latest[-1]
        found.append(
            LiveFigure(
                name="gleis_estimate_error",
                value=last.realised - last.estimated,
                labels={"figure": primary},
                help="What labels said less what was estimated, when last checked.",
            )
        )
    return found
