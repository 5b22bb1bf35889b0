"""Estimated performance beside what labels say, as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def estimate_lines(summary: Mapping[str, Any], indent: str = "  ") -> list[str]:
    r"""Write what the observer ``estimate`` sums up, a figure a line.

    Examples
    --------
    >>> summary = {
    ...     "believed": True, "why": None, "window": "7d", "rows": 1200, "labelled": 900,
    ...     "figures": {
    ...         "log_loss": {"estimated": 0.5, "low": 0.45, "high": 0.56, "realised": 0.52}},
    ...     "record": {"checked": 12, "held": 11,
    ...         "words": "of 12 estimates of 7d each, 11 held the truth", "latest": []}}
    >>> print("\n".join(estimate_lines(summary)))
      estimate of 1,200 answers of the last 7d; 900 have their label
                          estimated   95% interval       labels say
        log_loss             0.5000   0.4500 to 0.5600   0.5200
        record            of 12 estimates of 7d each, 11 held the truth
    """
    if "rows" not in summary:
        return [f"{indent}estimate              none: {summary['why']}"]
    lines = [
        f"{indent}estimate of {summary['rows']:,} answers of the last {summary['window']}; "
        f"{summary['labelled']:,} have their label"
    ]
    figures: Mapping[str, Mapping[str, float | None]] = summary["figures"]
    if figures:
        lines.append(f"{indent}{'':<20}estimated   95% interval       labels say")
    for name, one in figures.items():
        known = "-" if one["realised"] is None else f"{one['realised']:.4f}"
        interval = f"{one['low']:.4f} to {one['high']:.4f}"
        lines.append(
            f"{indent}  {name:<20} {one['estimated']:.4f}   {interval:<16}   {known}".rstrip()
        )
    if not figures:
        lines.append(f"{indent}  too few of them yet; it takes 100")
    lines.append(f"{indent}  record            {summary['record']['words']}")
    if summary["why"]:
        lines.append(f"{indent}  not believed      {summary['why']}")
    return lines
