"""A gate as a small picture: the interval, the value in it, and what was asked."""

from __future__ import annotations

from gleis.contracts.verdict import GateResult
from gleis.governance.gate_rules import Gate, parse_gate

_COLOURS = {"pass": "#00734f", "fail": "#b3261e", "unknown": "#8a6100"}
_WIDTH, _HEIGHT, _EDGE = 170, 26, 8


def gate_mark(result: GateResult) -> str:
    """Draw a gate's interval beside its bound, as SVG; empty where nothing was measured.

    Examples
    --------
    >>> from gleis.contracts.figure import Figure
    >>> auc = Figure(value=0.68, low=0.67, high=0.69)
    >>> mark = gate_mark(
    ...     GateResult(gate="roc_auc", asked=">= 0.6", measured=auc, status="pass", reason=""))
    >>> mark.startswith("<svg"), "0.67 to 0.69, asked &gt;= 0.6" in mark
    (True, True)
    """
    figure = result.measured
    if figure is None or result.gate == "baseline":
        return ""
    gate = parse_gate(result.gate, result.asked)
    low = min(figure.low, figure.value, gate.bound)
    width = max(figure.high, figure.value, gate.bound) - low or 1.0

    def place(number: float) -> float:
        return round(_EDGE + (number - low) / width * (_WIDTH - 2 * _EDGE), 1)

    middle, colour = _HEIGHT / 2, _COLOURS[result.status]
    text = f"{figure.value:.3g}, {figure.low:.3g} to {figure.high:.3g}, asked {result.asked}"
    return (
        f'<svg class="mark" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img" aria-label="{_quoted(text)}"><title>{_quoted(text)}</title>'
        f"{_allowed(gate, place(gate.bound))}"
        f'<line x1="{place(figure.low)}" x2="{place(figure.high)}" y1="{middle}" y2="{middle}" '
        f'stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{place(figure.value)}" cy="{middle}" r="4" fill="{colour}"/></svg>'
    )


def _allowed(gate: Gate, bound: float) -> str:
    """Draw the bound, and shade the side on which a figure holds."""
    rising = gate.relation in (">=", ">", "better")
    start, end = (bound, float(_WIDTH)) if rising else (0.0, bound)
    return (
        f'<rect x="{start}" width="{round(end - start, 1)}" y="3" height="{_HEIGHT - 6}" '
        f'fill="#e7f3ec"/><line x1="{bound}" x2="{bound}" y1="1" y2="{_HEIGHT - 1}" '
        'stroke="#1d2430" stroke-dasharray="3 2"/>'
    )


def _quoted(text: str) -> str:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, name)
    return text
